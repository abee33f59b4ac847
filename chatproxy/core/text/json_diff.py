"""Where two JSON values differ, as JSON pointers (RFC 6901)."""

from collections.abc import Iterator
from json import dumps, loads
from typing import NamedTuple

ABSENT = "absent"
"""What is no JSON, so that it can be no value."""


class Difference(NamedTuple):
    """A place in two JSON values, and what stands there in each as JSON, ``ABSENT`` where nothing does."""

    pointer: str
    one: str
    other: str


def json_value(text: bytes) -> object:
    """Return the object or array of a text that is in its one spelling, or None for any other text."""
    try:
        value = loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def json_differences(one: object, other: object, pointer: str = "") -> Iterator[Difference]:
    """Yield the innermost places in which two values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        yield from _of_members(one, other, pointer)
    elif isinstance(one, list) and isinstance(other, list):
        yield from _of_members(dict(enumerate(one)), dict(enumerate(other)), pointer)
    elif dumps(one, sort_keys=True) != dumps(other, sort_keys=True):
        yield Difference(pointer, dumps(one), dumps(other))


def _of_members(one: dict[object, object], other: dict[object, object], pointer: str) -> Iterator[Difference]:
    for name in dict.fromkeys([*one, *other]):
        place = f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"
        if name in one and name in other:
            yield from json_differences(one[name], other[name], place)
        else:
            yield Difference(place, *(dumps(side[name]) if name in side else ABSENT for side in (one, other)))
