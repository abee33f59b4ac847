"""In what two requests differ, by what a match is decided by: their normal forms.

1. There is no difference exactly if the keys are equal.
2. Names and values are told as they were sent, without the escapes of the normal form.
3. JSON differs place by place, where there is such a place: in a query, and in bytes that no type says to be JSON, one
   spelling of JSON differs from another.
4. An empty body is a form without fields.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from chatproxy.core.matching.normal_form import MULTIPART, NormalForm
from chatproxy.core.text import json_diff, json_text

Values = list[bytes | None]
"""The values of one name in their order; one without a sign is none, which differs from an empty one."""


_Part = tuple[bytes, dict[bytes, bytes]]
"""The content of a part of a multipart form, and its attributes by name."""


class Part(StrEnum):
    """A part of a request in which another can differ."""

    METHOD = "method"
    HOST = "host"
    KIND = "kind of body"
    PATH = "path"
    SEGMENT = "segment"
    QUERY = "query parameter"
    HEADER = "header"
    FIELD = "form field"
    PART = "form part"
    BODY = "body"


class Difference(NamedTuple):
    """A part in which two requests differ, and its values on either side, ``None`` where it is absent.

    ``name`` is that of the parameter, of the field or of the header; of a segment of the path it is the one before, of
    a part of a multipart form its name and that of an attribute, as ``File; filename``.
    """

    part: Part
    name: bytes
    one: Values | None
    other: Values | None


def differences(one: NormalForm, other: NormalForm) -> Iterator[Difference]:
    """Yield every part in which two requests differ."""
    for part, before, after in (
        (Part.METHOD, one.method, other.method),
        (Part.HOST, one.host, other.host),
        (Part.KIND, _kind(one, other), _kind(other, one)),
    ):
        if before != after:
            yield Difference(part, b"", [before.encode()], [after.encode()])
    if one.path != other.path:
        yield from _of_path(one.sent_path.split(b"/"), other.sent_path.split(b"/"))
    yield from _of_pairs(Part.QUERY, _decoded(one.query), _decoded(other.query))
    yield from _of_pairs(Part.HEADER, by_name(one.headers, b": "), by_name(other.headers, b": "))
    kinds = {_kind(one, other), _kind(other, one)}
    if kinds == {"form"}:
        yield from _of_pairs(Part.FIELD, _decoded(one.body), _decoded(other.body))
    elif kinds <= MULTIPART:
        yield from _of_parts(_parts(one.body), _parts(other.body))
    elif one.body != other.body:
        yield Difference(Part.BODY, b"", [b"&".join(one.sent_body)], [b"&".join(other.sent_body)])


def places(difference: Difference, largest: int | None = None) -> Iterator[json_diff.Difference]:
    """Yield the places in which two JSON values differ, none where one side is no JSON object or array.

    Values of more than ``largest`` bytes are not looked into.
    """
    before, after = _json(difference.one, largest), _json(difference.other, largest)
    if before is not None and after is not None:
        yield from json_diff.json_differences(before, after)


def by_name(pairs: tuple[bytes, ...], sign: bytes) -> dict[bytes, Values]:
    """Group values by name; ``sign`` is what stands between name and value."""
    values: dict[bytes, Values] = {}
    for pair in pairs:
        name, found, value = pair.partition(sign)
        values.setdefault(name, []).append(value if found else None)
    return values


def differing(one: dict[bytes, Values], other: dict[bytes, Values]) -> list[bytes]:
    """Return the names whose values differ, sorted."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _kind(own: NormalForm, other: NormalForm) -> str:
    """Return the kind of a body; beside a form an empty one is a form, too."""
    return other.kind if own.kind == "empty" and other.kind == "form" else own.kind


def _of_path(one: list[bytes], other: list[bytes]) -> Iterator[Difference]:
    if len(one) != len(other):
        yield Difference(Part.PATH, b"", [b"/".join(one)], [b"/".join(other)])
        return
    for before, mine, theirs in zip([b"", *one], one, other, strict=False):
        if mine != theirs:
            yield Difference(Part.SEGMENT, before, [mine], [theirs])


def _of_pairs(part: Part, one: dict[bytes, Values], other: dict[bytes, Values]) -> Iterator[Difference]:
    return (Difference(part, name, one.get(name), other.get(name)) for name in differing(one, other))


def _of_parts(one: dict[bytes, list[_Part]], other: dict[bytes, list[_Part]]) -> Iterator[Difference]:
    """Tell contents apart, and attributes where there are as many parts of the name."""
    for name in sorted(one.keys() | other.keys()):
        mine, theirs = one.get(name, []), other.get(name, [])
        if (before := _contents(mine)) != (after := _contents(theirs)):
            yield Difference(Part.FIELD, name, before, after)
        if len(mine) == len(theirs):
            yield from _of_pairs(Part.PART, _attributes(name, mine), _attributes(name, theirs))


def _contents(parts: list[_Part]) -> Values | None:
    return [content for content, _ in parts] or None


def _attributes(name: bytes, parts: list[_Part]) -> dict[bytes, Values]:
    told = {attribute for _, attributes in parts for attribute in attributes}
    return {b"%b; %b" % (name, one): [attributes.get(one) for _, attributes in parts] for one in told}


def _parts(pairs: tuple[bytes, ...]) -> dict[bytes, list[_Part]]:
    parts: dict[bytes, list[_Part]] = {}
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        content, *attributes = value.split(b";")
        told = (attribute.partition(b"=") for attribute in attributes)
        parts.setdefault(unquote_to_bytes(name), []).append(
            (unquote_to_bytes(content), {unquote_to_bytes(one): unquote_to_bytes(value) for one, _, value in told})
        )
    return parts


def _decoded(pairs: tuple[bytes, ...]) -> dict[bytes, Values]:
    return {
        unquote_to_bytes(name): [None if value is None else unquote_to_bytes(value) for value in values]
        for name, values in by_name(pairs, b"=").items()
    }


def _json(values: Values | None, largest: int | None) -> object:
    """Return the JSON object or array that a value is, None if it is none."""
    if not values or len(values) > 1 or not values[0] or (largest is not None and len(values[0]) > largest):
        return None
    canonical = json_text.canonical(values[0])
    return None if canonical is None else json_diff.json_value(canonical)
