"""Findings: in what a request or an answer differs from what it was, and how much that matters.

What a program can stumble over counts as high: a status, a field that is new or gone, another type of a value. Another
value counts as low. The spelling of JSON, and the order of header fields of different names, are no difference.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from json import dumps, loads
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from chatproxy.core.matching.difference import Values, by_name, differing
from chatproxy.core.matching.normal_form import NormalForm
from chatproxy.core.model import Headers, Response
from chatproxy.core.text.excerpts import excerpts, printable, quoted
from chatproxy.core.text.json_diff import ABSENT, json_differences, json_value
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
    yield from _parameters("header", _fields(one.headers), _fields(other.headers))
    yield from _bodies("", one.body, other.body)


def compare_requests(one: NormalForm, other: NormalForm) -> Iterator[Change]:
    """Yield in what a request to the same endpoint differs from what it was."""
    if one.host != other.host:
        yield _changed("request host", quoted(one.host), quoted(other.host))
    yield from _parameters("request query parameter", _decoded(one.query), _decoded(other.query))
    yield from _parameters("request header", by_name(one.headers, b": "), by_name(other.headers, b": "))
    if {one.kind, other.kind} <= {"form", "empty"}:
        yield from _parameters("request form field", _decoded(one.body), _decoded(other.body))
    elif one.kind != other.kind:
        yield Change(Severity.HIGH, "request body", f"was {_KINDS[one.kind]}, is {_KINDS[other.kind]}")
    elif one.body != other.body:  # what is no form and no JSON by its type counts by its bytes
        before, after = b"".join(one.body), b"".join(other.body)
        found = list(_bodies("request ", before, after))
        yield from found or [_changed("request body", _shown([before]), _shown([after]))]


_KINDS = {"empty": "empty", "form": "a form", "json": "JSON", "bytes": "neither a form nor JSON"}


def _fields(headers: Headers) -> dict[bytes, Values]:
    fields: dict[bytes, Values] = {}
    for name, value in headers:
        if not is_volatile(name):
            fields.setdefault(name.lower(), []).append(value)
    return fields


def _decoded(pairs: tuple[bytes, ...]) -> dict[bytes, Values]:
    return {
        unquote_to_bytes(name): [None if value is None else unquote_to_bytes(value) for value in values]
        for name, values in by_name(pairs, b"=").items()
    }


def _parameters(what: str, before: dict[bytes, Values], after: dict[bytes, Values]) -> Iterator[Change]:
    for name in differing(before, after):
        yield from _values(f"{what} {printable(_text(name))}", before.get(name), after.get(name))


def _values(place: str, one: Values | None, other: Values | None) -> Iterator[Change]:
    if one is None or other is None:
        yield _changed(place, _shown(one), _shown(other), Severity.HIGH)
        return
    before, after = _content(one), _content(other)
    found = [] if before is None or after is None else list(_places(place, f"{place} ", before, after))
    yield from found or [_changed(place, _shown(one), _shown(other))]  # in a query the spelling of JSON counts


def _bodies(what: str, one: bytes, other: bytes) -> Iterator[Change]:
    """Compare JSON by its content, place by place, and any other text by its bytes."""
    before, after = canonical(one), canonical(other)
    if before is not None and after is not None:
        yield from _places(f"{what}body", what, before, after)
    elif one != other:
        is_text_still = bool(one and other) and before is after
        severity = Severity.LOW if is_text_still else Severity.HIGH
        yield _changed(f"{what}body", _shown([one] if one else None), _shown([other] if other else None), severity)


def _content(values: Values) -> bytes | None:
    """Return the JSON that a parameter is, in its one spelling, if it is a single object or array."""
    return canonical(values[0]) if len(values) == 1 and values[0] else None


def _places(root: str, before_pointer: str, one: bytes, other: bytes) -> Iterator[Change]:
    """Compare two JSON texts in their one spelling; ``root`` is the place of all of it."""
    for pointer, before, after in json_differences(json_value(one), json_value(other)):
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
