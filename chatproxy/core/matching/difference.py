"""The parameters of a normal form: the pairs of a query, a form or the headers that count, grouped by their names."""

from collections.abc import Iterable, Iterator
from itertools import islice
from urllib.parse import unquote_to_bytes

from chatproxy.core.matching.normal_form import NormalForm
from chatproxy.core.text.excerpts import excerpts
from chatproxy.core.text.json_diff import json_differences, json_value

Values = list[bytes | None]
"""The values of one name in their order; one without a sign is none, which differs from an empty one."""


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


def differences(recorded: NormalForm, live: NormalForm) -> list[str]:
    """Name every part in which two requests differ; there is none exactly if their keys are equal."""
    found = []
    for part, one, other in (
        ("method", recorded.method, live.method),
        ("host", recorded.host, live.host),
        ("kind of body", recorded.kind, live.kind),
    ):
        found += [_changed(part, _quoted(one), _quoted(other))] if one != other else []
    if recorded.path != live.path:
        found += _path(recorded.path.split(b"/"), live.path.split(b"/"))
    found += _pairs("query parameter", recorded.query, live.query, b"=")
    found += _pairs("header", recorded.headers, live.headers, b": ")
    if recorded.kind == live.kind == "form":
        found += _pairs("form field", recorded.body, live.body, b"=")
    elif recorded.body != live.body:
        found.append(_changed("body", _quoted(b"&".join(recorded.body)), _quoted(b"&".join(live.body))))
    return found


def _path(recorded: list[bytes], live: list[bytes]) -> Iterable[str]:
    if len(recorded) != len(live):
        return [_changed("path", _quoted(b"/".join(recorded)), _quoted(b"/".join(live)))]
    return [
        _changed(f"the segment after {_quoted(before)}", _quoted(one), _quoted(other))
        for before, one, other in zip([b"", *recorded], recorded, live, strict=False)
        if one != other
    ]


def _pairs(what: str, recorded: tuple[bytes, ...], live: tuple[bytes, ...], sign: bytes) -> Iterator[str]:
    one, other = by_name(recorded, sign), by_name(live, sign)
    for name in differing(one, other):
        yield from _of_value(f"{what} {_quoted(name)}", one.get(name), other.get(name))


_PLACES, _LARGEST_JSON = 10, 65_536
"""How many places of a JSON value are named, and how many bytes one may have to be looked into."""


def _json(value: bytes) -> object:
    return json_value(unquote_to_bytes(value)) if len(value) <= _LARGEST_JSON else None


def _of_value(what: str, recorded: Values | None, live: Values | None) -> Iterator[str]:
    """Name the places in two JSON values in which they differ, or both values."""
    if recorded and live and len(recorded) == len(live) == 1 and recorded[0] and live[0]:
        one, other = (_json(value) for value in (recorded[0], live[0]))
        if one is not None and other is not None and type(one) is type(other):
            found = list(islice(json_differences(one, other), _PLACES + 1))
            for pointer, before, after in found[:_PLACES]:
                yield _changed(f"{what} at {pointer}", before, after)
            yield from [f"{what} differs in more places"] if len(found) > _PLACES else []
            return
    yield _changed(what, _shown(recorded), _shown(live))


def _shown(values: Values | None) -> str:
    if values is None:
        return "absent"
    return ", ".join("without a value" if value is None else _quoted(value) for value in values)


def _quoted(text: bytes | str) -> str:
    """Quote a value for one line of a message."""
    return repr(text if isinstance(text, str) else text.decode("utf-8", "backslashreplace"))


def _changed(what: str, recorded: str, live: str) -> str:
    one, other = excerpts(recorded, live, _SHOWN)
    return f"{what} is {one} where this has {other}"


_SHOWN = 60
"""How many characters of a value a message shows."""
