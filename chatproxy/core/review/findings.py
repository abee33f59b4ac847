"""Findings: in what a request or an answer differs from what it was, and how much that matters.

What a program can stumble over counts as high: a status, a field that is new or gone, another type of a value. Another
value counts as low. The spelling of JSON, and the order of header fields of different names, are no difference.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from json import dumps, loads
from typing import NamedTuple

from chatproxy.core.matching.difference import Difference, Part, Values, differences, differing, places
from chatproxy.core.matching.normal_form import MULTIPART, NormalForm
from chatproxy.core.model import Headers, Response
from chatproxy.core.text.excerpts import excerpts, printable, quoted
from chatproxy.core.text.json_diff import ABSENT
from chatproxy.core.text.json_text import canonical
from chatproxy.core.twilio.volatile import is_volatile


class Severity(StrEnum):
    """How much a finding matters; the words are those of the command line."""

    HIGH = "high"
    LOW = "low"

    def reaches(self, bound: "Severity") -> bool:
        """Tell whether this is at or above a bound."""
        return self is Severity.HIGH or bound is Severity.LOW


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: of which endpoint (``POST /v1/…``), in which exchange, where there, and what.

    ``place`` is ``status``, ``reason``, ``header NAME``, ``body``, or a JSON pointer (RFC 6901) into the answer's body;
    with ``request`` before it a part of the request; ``exchange`` for one that only one side has.
    """

    severity: Severity
    endpoint: str
    exchange: str
    place: str
    message: str


class Change(NamedTuple):
    """A difference without the exchange that it is of."""

    severity: Severity
    place: str
    message: str


def findings(endpoint: str, exchange: str, changes: Iterable[Change]) -> list[Finding]:
    """Return changes as findings in an exchange."""
    return [Finding(severity, endpoint, exchange, place, message) for severity, place, message in changes]


def compare_responses(one: Response, other: Response) -> Iterator[Change]:
    """Yield in what an answer differs from what it was; volatile header fields do not count."""
    if one.status != other.status:
        yield Change(Severity.HIGH, "status", f"was {one.status}, is {other.status}")
    if one.reason != other.reason:
        yield _changed("reason", _shown([one.reason]), _shown([other.reason]))
    before, after = _fields(one.headers), _fields(other.headers)
    for name in differing(before, after):
        yield from _of_values("", Difference(Part.HEADER, name, before.get(name), after.get(name)))
    if (canonical(one.body) or one.body) != (canonical(other.body) or other.body):
        yield from _of_body("", Difference(Part.BODY, b"", [one.body], [other.body]))


def compare_requests(one: NormalForm, other: NormalForm) -> Iterator[Change]:
    """Yield in what a request differs from what it was to the same endpoint, whose method and path do not count."""
    found = [difference for difference in differences(one, other) if difference.part not in _ENDPOINT]
    kinds_differ = any(difference.part is Part.KIND for difference in found)
    for difference in found:
        if difference.part is Part.KIND:
            yield Change(Severity.HIGH, "request body", f"was {_KINDS[one.kind]}, is {_KINDS[other.kind]}")
        elif difference.part is not Part.BODY:
            yield from _of_values("request ", difference)
        elif not kinds_differ:  # else that its kind is another says it
            yield from _of_body("request ", difference)


_ENDPOINT = {Part.METHOD, Part.PATH, Part.SEGMENT}
_KINDS = {"empty": "empty", "form": "a form", "json": "JSON", "bytes": "neither a form nor JSON"}
_KINDS |= {kind: f"a {kind.replace('multipart', 'multipart form')}" for kind in MULTIPART}


def _fields(headers: Headers) -> dict[bytes, Values]:
    fields: dict[bytes, Values] = {}
    for name, value in headers:
        if not is_volatile(name):
            fields.setdefault(name.lower(), []).append(value)
    return fields


def _of_values(side: str, difference: Difference) -> Iterator[Change]:
    """Say in what a parameter or a header field differs, place by place if it is JSON."""
    name = "" if difference.part is Part.HOST else f" {printable(_text(difference.name))}"
    place = f"{side}{difference.part}{name}"
    severity = Severity.HIGH if difference.one is None or difference.other is None else Severity.LOW
    found = list(_of_places(place, f"{place} ", difference))
    yield from found or [_changed(place, _shown(difference.one), _shown(difference.other), severity)]


def _of_body(side: str, difference: Difference) -> Iterator[Change]:
    """Say in what a body differs: JSON place by place, any other text as a whole."""
    before, after = (values[0] or b"" for values in (difference.one or [b""], difference.other or [b""]))
    is_text_still = bool(before and after) and (canonical(before) is None) == (canonical(after) is None)
    severity = Severity.LOW if is_text_still else Severity.HIGH
    found = list(_of_places(f"{side}body", side, difference))
    was, now = (_shown([text] if text else None) for text in (before, after))
    yield from found or [_changed(f"{side}body", was, now, severity)]


def _of_places(root: str, before_pointer: str, difference: Difference) -> Iterator[Change]:
    """Say in which places two JSON values differ; ``root`` is the place of all of it."""
    for pointer, before, after in places(difference):
        place = f"{before_pointer}{printable(pointer)}" if pointer else root
        severity = Severity.LOW if _type(before) == _type(after) else Severity.HIGH
        yield _changed(place, _lettered(before), _lettered(after), severity)


def _type(value: str) -> str:
    """Return what stands for the type of a JSON text, or for its absence."""
    return {"t": "boolean", "f": "boolean"}.get(value[0], "number" if value[0] in "-0123456789" else value[0])


def _lettered(value: str) -> str:
    """Show a JSON text with letters in place of their escapes."""
    return value if value == ABSENT else printable(dumps(loads(value), ensure_ascii=False))


def _shown(values: Values | None) -> str:
    if values is None:
        return ABSENT
    return ", ".join("no value" if value is None else quoted(_text(value)) for value in values)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _changed(place: str, one: str, other: str, severity: Severity = Severity.LOW) -> Change:
    before, after = excerpts(one, other, _SHOWN)
    if one == ABSENT:
        return Change(severity, place, f"is new: {after}")
    return Change(severity, place, f"is gone, was {before}" if other == ABSENT else f"was {before}, is {after}")


_SHOWN = 30
"""How many characters of a value a message shows: with its place it is to fit a line of 100 columns."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One exchange (``NAME/N``) of an endpoint: what was found in it, or why it was not checked."""

    exchange: str
    endpoint: str
    findings: list[Finding] = field(default_factory=list)
    skipped: str | None = None
