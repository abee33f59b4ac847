"""A compiled text: what is served as recorded, and the slots between that are filled at replay.

Replay joins bytes and parses nothing. What is a slot is decided here by field and place: an URL of Twilio's in
what a user wrote stays as it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from chatproxy.core.forms import pairs
from chatproxy.core.headers import is_form, is_json
from chatproxy.core.jsontext import Place, strings
from chatproxy.core.model import Headers, Request, Response
from chatproxy.core.origins import address_pattern, upstream_pattern


class Slot(IntEnum):
    """What a slot is filled with; the numbers are stored."""

    ORIGIN = 1
    """The address that the client used."""
    ORIGIN_ESCAPED = 2
    """The same in a JSON text that escapes its slashes."""


Values = Mapping[Slot, bytes]


def slot_values(origin: str) -> Values:
    """Return what slots are filled with for a client that reached us by this origin."""
    plain = origin.encode()
    return {Slot.ORIGIN: plain, Slot.ORIGIN_ESCAPED: plain.replace(b"/", rb"\/")}


@dataclass(frozen=True, slots=True)
class Template:
    """Literal pieces with a slot between each two: there is one more piece than there are slots."""

    pieces: tuple[bytes, ...]
    slots: tuple[Slot, ...] = ()

    def render(self, values: Values) -> bytes:
        """Fill the slots."""
        if not self.slots:
            return self.pieces[0]
        parts = [self.pieces[0]]
        for slot, piece in zip(self.slots, self.pieces[1:], strict=True):
            parts += (values[slot], piece)
        return b"".join(parts)


@dataclass(slots=True)
class Addresses:
    """By which addresses clients reached the proxy, for each user-written field in which one was sent to the upstream.

    Only such a field can show our own address in an answer; there it is turned to the address of the day.
    """

    by_field: dict[bytes, set[str]] = field(default_factory=dict)

    def learn(self, request: Request) -> None:
        """Take in the form of a recorded request."""
        for name, value in pairs(request.body) if is_form(request.headers) else ():
            written = _FORM_FIELDS.get(name)
            if written and address_pattern({request.origin}).search(value):
                self.by_field.setdefault(written, set()).add(request.origin)


_FORM_FIELDS = {b"Body": b"body", b"Attributes": b"attributes", b"FriendlyName": b"friendly_name", b"From": b"from"}
"""User-written fields: their names in forms, and in answers."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A compiled response; ``head`` is its header fields, each as ``name: value`` and CR LF."""

    status: int
    reason: bytes
    head: Template
    body: Template

    def render(self, values: Values) -> Response:
        """Return the response with its slots filled."""
        lines = self.head.render(values).split(b"\r\n")
        headers = tuple((name, value) for name, _, value in (line.partition(b": ") for line in lines[:-1]))
        return Response(self.status, self.reason, headers, self.body.render(values))


def reply(response: Response, upstream: str, addresses: Addresses) -> Reply:
    """Find the slots of a response that this upstream gave."""
    return Reply(
        response.status,
        response.reason,
        _head_template(response.headers, upstream),
        _body_template(response, upstream, addresses),
    )


def _head_template(headers: Headers, upstream: str) -> Template:
    head = b"".join(b"%b: %b\r\n" % header for header in headers)
    spans = []
    for found in _LOCATION.finditer(head):
        origin = upstream_pattern(upstream).match(head, found.end())
        spans += [origin.span()] if origin else []
    return _cut(head, spans)


_LOCATION = re.compile(rb"^location: ", re.IGNORECASE | re.MULTILINE)


def _body_template(response: Response, upstream: str, addresses: Addresses) -> Template:
    pattern = upstream_pattern(upstream)
    own = {name: address_pattern(origins) for name, origins in addresses.by_field.items()}
    if not is_json(response.headers) or not (own or pattern.search(response.body)):
        return Template((response.body,))
    spans: list[tuple[int, int]] = []
    for place in strings(response.body):
        if _is_url(place):
            found = pattern.match(response.body, place.start, place.end)
            spans += [found.span()] if found else []
        elif place.name in own:
            spans += [found.span() for found in own[place.name].finditer(response.body, place.start, place.end)]
    return _cut(response.body, spans)


def _is_url(place: Place) -> bool:
    """Tell whether a field holds an URL of the API: ``url``, ``meta.*_url``, ``links.*``."""
    return (
        place.name == b"url" or place.parent == b"links" or (place.parent == b"meta" and place.name.endswith(b"_url"))
    )


def _cut(text: bytes, spans: list[tuple[int, int]]) -> Template:
    pieces, slots, begin = [], [], 0
    for start, end in spans:
        pieces.append(text[begin:start])
        slots.append(Slot.ORIGIN_ESCAPED if b"\\" in text[start:end] else Slot.ORIGIN)
        begin = end
    pieces.append(text[begin:])
    return Template(tuple(pieces), tuple(slots))
