"""A compiled text: what is served as recorded, and the slots between that are filled at replay.

Replay joins bytes and parses nothing. What is a slot is decided here by field and place: an URL of Twilio's in
what a user wrote stays as it is.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

from chatproxy.core.answers.echoes import Echo, Echoes
from chatproxy.core.answers.stand_ins import Placed, StandIn, body_stand_ins, head_stand_ins
from chatproxy.core.http.headers import is_json
from chatproxy.core.http.multipart import form_fields
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, Headers, RecordedSid, Request, Response
from chatproxy.core.products.every import WRITTEN
from chatproxy.core.text.json_text import Place
from chatproxy.core.time.instants import Instants
from chatproxy.core.time.stamps import Stamp, Stamped, body_stamps, head_stamps
from chatproxy.core.timeline.numbering import Numbering
from chatproxy.core.timeline.standing import Standing
from chatproxy.core.twilio.fields import places_of
from chatproxy.core.twilio.origins import address_pattern, upstream_pattern
from chatproxy.core.twilio.sids import PREFIX, SID
from chatproxy.core.twilio.urls import is_url, url_places


class Slot(IntEnum):
    """What a slot is filled with, which its argument tells more of; the numbers are stored."""

    ORIGIN = 1
    """The address that the client used; the argument is the upstream's as recorded."""
    INSTANT = 2
    """A time; the argument is a packed Stamp."""
    NOW = 3
    """The moment of the answer; the argument is a packed Stamp."""
    SID = 4
    """What stands for a SID; the argument is the recorded one."""
    ECHO = 5
    """What the client sent in an ignored parameter; the argument is a packed Echo."""
    PSEUDONYM = 6
    """The value for which a pseudonym stands; the argument is a packed StandIn."""


Values = dict[Slot, Callable[[bytes], bytes]]
"""What fills each kind of slot, given its argument."""


@lru_cache(16)  # one for each address by which clients reach us
def origin_filler(origin: str) -> Callable[[bytes], bytes]:
    """Return what fills the slots of a client that reached us by this origin; slashes stay escaped where they were."""
    plain = origin.encode()
    escaped = plain.replace(b"/", rb"\/")
    return lambda recorded: escaped if b"\\" in recorded else plain


def as_recorded(origin: str) -> Values:
    """Return values that turn URLs to this origin and leave all else as recorded."""
    return {
        Slot.ORIGIN: origin_filler(origin),
        Slot.INSTANT: _recorded_instant,
        Slot.NOW: _recorded_instant,
        Slot.SID: as_it_is,
        Slot.ECHO: _recorded_echo,
        Slot.PSEUDONYM: _recorded_pseudonym,
    }


def _recorded_echo(packed: bytes) -> bytes:
    return Echo.unpack(packed).recorded


def _recorded_pseudonym(packed: bytes) -> bytes:
    return StandIn.unpack(packed).written


def as_it_is(recorded: bytes) -> bytes:
    """Fill a slot with the address or the SID that was recorded."""
    return recorded


def _recorded_instant(packed: bytes) -> bytes:
    return Stamp.unpack(packed).text()


@dataclass(frozen=True, slots=True)
class Template:
    """Literal pieces with a slot and its argument between each two: there is one more piece than there are slots."""

    pieces: tuple[bytes, ...]
    slots: tuple[tuple[Slot, bytes], ...] = ()

    def render(self, values: Values) -> bytes:
        """Fill the slots."""
        if not self.slots:
            return self.pieces[0]
        parts = [self.pieces[0]]
        for (slot, argument), piece in zip(self.slots, self.pieces[1:], strict=True):
            parts += (values[slot](argument), piece)
        return b"".join(parts)


@dataclass(slots=True)
class Addresses:
    """By which addresses clients reached the proxy, for each user-written field in which one was sent to the upstream.

    Only such a field can show our own address in an answer; there it is turned to the address of the day.
    """

    by_field: dict[bytes, set[str]] = field(default_factory=dict)

    def learn(self, request: Request) -> None:
        """Take in the form of a recorded request."""
        for name, value in form_fields(request.headers, request.body):
            written = WRITTEN.get(name)
            if written and address_pattern({request.origin}).search(value):
                self.by_field.setdefault(written, set()).add(request.origin)


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


@dataclass(frozen=True, slots=True)
class Learned:
    """What the exchanges of a cassette tell of one another."""

    addresses: Addresses = field(default_factory=Addresses)
    instants: Instants = field(default_factory=Instants)
    numbering: Numbering = field(default_factory=Numbering)
    echoes: Echoes = field(default_factory=lambda: Echoes(Rules()))
    pseudonyms: bool = False


def compiled_reply(exchange: Exchange, where: Standing, learned: Learned, body: Template | None = None) -> Reply:
    """Find all slots of a recorded response, but those of a ``body`` for which they are known."""
    response = exchange.response
    head = head_text(response.headers)
    in_head = [
        *head_origins(head, exchange.upstream),
        *map(_stamp_span, head_stamps(head, exchange, learned.instants)),
        *_sids(head, learned.numbering),
        *(map(_stand_in_span, _placed_in_head(response.headers)) if learned.pseudonyms else ()),
    ]
    return Reply(
        response.status,
        response.reason,
        cut(head, sorted(in_head)),
        _body(exchange, where, learned) if body is None else body,
    )


def _body(exchange: Exchange, where: Standing, learned: Learned) -> Template:
    response = exchange.response
    found = [
        *body_origins(response, exchange.upstream, learned.addresses),
        *map(_stamp_span, body_stamps(exchange, learned.instants)),
        *_sids(response.body, learned.numbering),
        *((found.start, found.end, Slot.ECHO, found.echo.pack()) for found in learned.echoes.of(exchange, where)),
        *(map(_stand_in_span, body_stand_ins(response.body)) if learned.pseudonyms else ()),
    ]
    return cut(response.body, sorted(found, key=outer_first))


Span = tuple[int, int, Slot, bytes]
"""Where a slot stands in a text, and what it is."""


def outer_first(span: Span) -> tuple[int, int]:
    """Sort an echo before the SIDs and addresses within it."""
    return span[0], -span[1]


def _stamp_span(found: Stamped) -> Span:
    return found.start, found.end, Slot.NOW if found.is_now else Slot.INSTANT, found.stamp.pack()


def _stand_in_span(found: Placed) -> Span:
    return found.start, found.end, Slot.PSEUDONYM, found.stand_in.pack()


def _placed_in_head(headers: Headers) -> Iterator[Placed]:
    begin = 0
    for name, value in headers:
        yield from head_stand_ins(value, begin + len(name) + len(b": "))
        begin += len(head_text(((name, value),)))


def _sids(text: bytes, numbering: Numbering) -> Iterator[Span]:
    """Find the SIDs of a text; those with upper-case hex count where they stand as a whole segment of a path.

    What names no object of the cassette is served as itself.
    """
    if not UPPER_CASE.search(text):  # looking for both takes three times as long
        yield from ((*found.span(), Slot.SID, found[0]) for found in SID.finditer(text))
        return
    for found in _ANY_SID.finditer(text):
        if SID.fullmatch(found[0]) or numbering.number_of(RecordedSid(found[0])) is not None:
            yield *found.span(), Slot.SID, found[0]


_ANY_SID = re.compile(SID.pattern + rb"|(?<=/)(?:%b)[0-9a-fA-F]{32}(?![\w%%-])" % PREFIX)


UPPER_CASE = re.compile(rb"/(?:%b)(?=[0-9a-f]{0,31}[A-F])[0-9a-fA-F]{32}" % PREFIX)
"""What is a SID only if a request had it as a segment of its path."""


def head_text(headers: Headers) -> bytes:
    """Return header fields as a reply's head has them."""
    return b"".join(b"%b: %b\r\n" % header for header in headers)


def head_origins(head: bytes, upstream: str) -> Iterator[Span]:
    """Find the slots of the origin in the header fields of an answer."""
    for found in _LOCATION.finditer(head):
        if origin := upstream_pattern(upstream).match(head, found.end()):
            yield *origin.span(), Slot.ORIGIN, origin[0]


_LOCATION = re.compile(rb"^location: ", re.IGNORECASE | re.MULTILINE)


def body_origins(response: Response, upstream: str, addresses: Addresses) -> Iterator[Span]:
    """Find the slots of the origin in the body of an answer."""
    body = response.body
    if is_json(response.headers) and (addresses.by_field or upstream_pattern(upstream).search(body)):
        places = places_of(body) if addresses.by_field else url_places(body)
        yield from origins_among(body, places, upstream, addresses)


def origins_among(text: bytes, places: Iterable[Place], upstream: str, addresses: Addresses) -> Iterator[Span]:
    """Find the slots of the origin in string values of a JSON text."""
    pattern = upstream_pattern(upstream)
    own = {name: address_pattern(origins) for name, origins in addresses.by_field.items()}
    for place in places:
        if is_url(place):
            found = pattern.match(text, place.start, place.end)
            yield from [(*found.span(), Slot.ORIGIN, found[0])] if found else []
        elif place.name in own:
            for written in own[place.name].finditer(text, place.start, place.end):
                yield *written.span(), Slot.ORIGIN, written[0]


def cut(text: bytes, spans: Iterable[Span]) -> Template:
    """Make a template of a text and the slots in it, in the order of ``outer_first``."""
    pieces, slots, begin = [], [], 0
    for start, end, slot, argument in spans:
        if start >= begin:  # a host of our own can look like a SID: the address goes first
            pieces.append(text[begin:start])
            slots.append((slot, argument))
            begin = end
    pieces.append(text[begin:])
    return Template(tuple(pieces), tuple(slots))


def turned(response: Response, upstream: str, origin: str) -> Response:
    """Return an answer with the addresses that this upstream calls its own led to the origin."""
    head = head_text(response.headers)
    reply = Reply(
        response.status,
        response.reason,
        cut(head, head_origins(head, upstream)),
        cut(response.body, body_origins(response, upstream, Addresses())),
    )
    return reply.render({Slot.ORIGIN: origin_filler(origin)})
