"""The canonical form of a cassette: the same for every recording of a scenario on equal server state.

What differs from run to run is replaced by what it means: SIDs by their numbers, instants by their ranks (also where
a client sent them back), volatile header fields by one value each, page tokens by their numbers, addresses by one.
Answers are filled from the same templates that replay fills, so that a fixture replays as the store that it came from.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

from chatproxy.core.answers.template import Slot, Values, as_recorded
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.http.conditions import tags_sent_back
from chatproxy.core.http.forms import decoded
from chatproxy.core.http.headers import is_form
from chatproxy.core.http.multipart import one_boundary
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, ExchangeNumber, InOrder, RecordedSid, Request, Response
from chatproxy.core.products.client_headers import DATED
from chatproxy.core.products.every import TWILIO_ORIGIN
from chatproxy.core.sharing.addresses import escaped, led_to
from chatproxy.core.sharing.calendar import Calendar
from chatproxy.core.time.sent_back import repeated, times_in
from chatproxy.core.time.stamps import Stamp
from chatproxy.core.time.timestamps import CANONICAL_BEGIN, SECOND, read_instant, spell_instant
from chatproxy.core.timeline.known import Declared, Known
from chatproxy.core.timeline.numbering import Numbered, nth_of
from chatproxy.core.timeline.order import is_left_out
from chatproxy.core.timeline.standing import Role
from chatproxy.core.twilio.canonical_sids import canonical_sid
from chatproxy.core.twilio.origins import one_host, replace_origin
from chatproxy.core.twilio.page_tokens import IN_QUERY, means_itself
from chatproxy.core.twilio.sids import replace_in_path, replace_sids
from chatproxy.core.twilio.urls import url_places
from chatproxy.core.twilio.volatile import fixed, of_any_client

PROXY_ORIGIN = "http://chatproxy.invalid"
"""Stands for the address by which clients reached the proxy: a name that no server can have (RFC 2606 section 2)."""

_HELD = 8192

Naming = Callable[[RecordedSid, Numbered], RecordedSid]
"""Gives the SID to write for a recorded one."""


class Canonical:
    """The canonical form of one cassette under its rules; ``naming`` gives its SIDs.

    It comes ``after`` so many exchanges, and its instants by so many ranks ``later``, where others stand before it.
    """

    def __init__(
        self,
        cassette: Cassette,
        rules: Rules,
        naming: Naming | None = None,
        *,
        after: int = 0,
        later: int = 0,
    ) -> None:
        self._cassette = cassette
        self._rules = rules
        self._naming = naming or numbered_sids()
        self._order: list[ExchangeNumber] = []
        self.left_out = Counter[Role]()
        """How many exchanges of which role a fixture does not have."""
        for number in cassette.order():
            if self._is_left_out(number):
                self.left_out[cassette.standing(number).role] += 1
            else:
                self._order.append(number)
        self._positions = {number: ExchangeNumber(nth) for nth, number in enumerate(self._order, after + 1)}
        self._later = later
        self._tokens: dict[bytes, bytes] = {}
        self._sent: dict[bytes, bytes] = {}
        """Times that clients sent back, as recorded and as they are written."""
        # a list shows what others have shown: each of its 500 slots would take some look-ups in the store
        self._sid = lru_cache(_HELD)(self._named)
        self._instant = lru_cache(_HELD)(self._settled)

    def declared(self, *, anonymous: bool = False) -> Declared:
        """Return what the fixture says of its SIDs; an ``anonymous`` one does not tell the recorder's own."""
        account = self._cassette.account
        known = (
            Known(
                self._sid(one.sid),
                one.parent and self._sid(one.parent),
                None if anonymous else one.own,
                one.variable,
            )
            for one in self._cassette.known
        )
        return Declared(self._sid(account).decode() if account else None, tuple(known))

    @property
    def numbers(self) -> Sequence[ExchangeNumber]:
        """The numbers that the exchanges have in the cassette, in canonical order, without those that are left out."""
        return self._order

    def exchanges(self) -> Iterator[Exchange]:
        """Yield the exchanges in canonical order, with their numbers in the file."""
        return map(self._exchange, self._order)

    def _is_left_out(self, number: ExchangeNumber) -> bool:
        standing = self._cassette.standing(number)
        answers = standing.role not in {Role.ABANDONED, Role.DOUBTFUL}
        return not answers and is_left_out(standing, self._cassette.exchange(number).request.method)

    @property
    def ended(self) -> int:
        """How many ranks there are, up to its last one."""
        return self._calendar.ended

    def _exchange(self, recorded: ExchangeNumber) -> Exchange:
        exchange = self._cassette.exchange(recorded)
        return Exchange(
            self._positions[recorded],
            self._request(exchange.request),
            self._response(exchange),
            TWILIO_ORIGIN,
            CANONICAL_BEGIN,
            CANONICAL_BEGIN,
            user=exchange.user and replace_sids(exchange.user.encode(), self._sid).decode(),
            in_order=self._in_order(recorded),
        )

    @cached_property
    def _calendar(self) -> Calendar:
        """The calendar, for which each answer is read."""
        calendar = Calendar(self._later)
        learn = lru_cache(_HELD)(calendar.learn)
        for number in self._order:
            reply = self._cassette.reply(number)
            for slot, argument in (*reply.head.slots, *reply.body.slots):
                if slot is Slot.INSTANT:
                    learn(argument)
        return calendar

    def _in_order(self, recorded: ExchangeNumber) -> InOrder:
        """Return what the file has to say of the state of an exchange."""
        told = self._cassette.told.get(recorded, InOrder())
        with_, without = (
            tuple(sorted(self._positions[write] for write in writes)) for writes in (told.with_, told.without)
        )
        return replace(told, with_=with_, without=without)

    def _named(self, sid: bytes) -> RecordedSid:
        recorded = RecordedSid(sid)
        known = self._cassette.numbered(recorded)
        return recorded if known is None else self._naming(recorded, known)

    def _request(self, request: Request) -> Request:
        """Turn the address by which the client reached us, except where a forward proxy's client wrote Twilio's."""
        headers, body = one_boundary(request.headers, request.body)
        request = replace(request, headers=headers, body=body)
        turned = self._addressed(request, PROXY_ORIGIN)
        if request.origin != TWILIO_ORIGIN:
            return turned
        kept = self._addressed(request, TWILIO_ORIGIN)
        return turned if replace(kept, origin=PROXY_ORIGIN) == turned else kept

    def _addressed(self, request: Request, origin: str) -> Request:
        path, mark, query = _respelled(request.target).partition(b"?")
        query = IN_QUERY.sub(self._token, replace_sids(query, self._sid))
        target = replace_in_path(path, self._sid) + mark + led_to(self._timed(query), request.origin, origin)
        body = self._body(request, origin)
        headers = tuple(
            (
                name,
                replace_origin(
                    replace_sids(self._timed_value(name, value), self._sid), request.origin, origin.encode()
                ),
            )
            for name, value in of_any_client(request.headers, self._rules.names)
        )
        return Request(request.method, target, headers, body, origin, one_host(request.host))

    def _body(self, request: Request, origin: str) -> bytes:
        if is_form(request.headers):
            return led_to(self._timed(replace_sids(_respelled(request.body), self._sid)), request.origin, origin)
        escaped, plain = (one.replace("/", r"\/").encode() for one in (request.origin, origin))
        body = replace_origin(replace_sids(request.body, self._sid), request.origin, origin.encode())
        return body.replace(escaped, plain)

    def _timed(self, pairs: bytes) -> bytes:
        """Write the times of answers as they are written there, where a client sent them back."""
        return b"&".join(map(self._timed_pair, pairs.split(b"&")))

    def _timed_pair(self, pair: bytes) -> bytes:
        name, equals, value = pair.partition(b"=")
        plain = turned = b"=" + decoded(value)
        for start, end, time in reversed(list(times_in(plain))):
            if self._calendar.shows(time.moment):
                written = spell_instant(self._calendar.moment(time.moment), time.spelling)
                self._sent[plain[start:end]] = written
                turned = turned[:start] + written + turned[end:]
        return pair if turned == plain else name + equals + escaped(turned[1:])

    def _timed_value(self, name: bytes, value: bytes) -> bytes:
        """Write the time of an answer as it is written there, where a condition sent it back."""
        time = read_instant(value) if name.lower() in DATED else None
        if time is None or not self._calendar.shows(time.moment):
            return value
        return spell_instant(self._calendar.moment(time.moment), time.spelling)

    @cached_property
    def _tags(self) -> frozenset[bytes]:
        """What is compared of the entity tags that clients sent back: these tell something."""
        requests = (self._cassette.exchange(number).request for number in self._order)
        return frozenset(tag for request in requests for tag in tags_sent_back(request.headers))

    def _response(self, exchange: Exchange) -> Response:
        recorded = as_recorded(TWILIO_ORIGIN)

        def present(packed: bytes) -> bytes:
            stamp = Stamp.unpack(packed)
            return spell_instant(CANONICAL_BEGIN + stamp.instant.rank * SECOND, stamp.spelling)

        def echo(packed: bytes) -> bytes:
            return replace_sids(recorded[Slot.ECHO](packed), self._sid)

        own = exchange.request.origin

        def address(written: bytes) -> bytes:
            is_own = written.replace(b"\\", b"") == own.encode() and own != TWILIO_ORIGIN
            filler = as_recorded(PROXY_ORIGIN) if is_own else recorded
            return filler[Slot.ORIGIN](written)

        filled: Values = {Slot.INSTANT: self._instant, Slot.NOW: present, Slot.SID: self._sid, Slot.ECHO: echo}
        reply = self._cassette.reply(exchange.number)
        if self._sent:
            pieces = tuple(repeated(piece, self._sent) for piece in reply.body.pieces)
            reply = replace(reply, body=replace(reply.body, pieces=pieces))
        response = reply.render(recorded | filled | {Slot.ORIGIN: address})
        return replace(
            response,
            reason=replace_sids(response.reason, self._sid),
            headers=fixed(response.headers, self._tags),
            body=self._tokens_of(response.body),
        )

    def _settled(self, packed: bytes) -> bytes:
        """Return how an instant is written."""
        stamp = Stamp.unpack(packed)
        return spell_instant(self._calendar.moment(stamp.moment), stamp.spelling)

    def _tokens_of(self, body: bytes) -> bytes:
        """Put numbers in place of the page tokens in the addresses of an answer."""
        if b"PageToken=" not in body:
            return body
        pieces, begin = [], 0
        for place in url_places(body):
            pieces += [body[begin : place.start], IN_QUERY.sub(self._token, body[place.start : place.end])]
            begin = place.end
        return b"".join((*pieces, body[begin:]))

    def _token(self, found: re.Match[bytes]) -> bytes:
        token = found[0]
        if means_itself(token):
            return token
        return self._tokens.setdefault(decoded(token), b"token-%d" % (len(self._tokens) + 1))


def numbered_sids(keep: frozenset[str] = frozenset()) -> Naming:
    """Name SIDs by their numbers; those of ``keep``, or of these types, stay as recorded."""

    def name(recorded: RecordedSid, known: Numbered) -> RecordedSid:
        if keep & {recorded.decode(), recorded[:2].decode()}:
            return recorded
        return RecordedSid(canonical_sid(recorded[:2], nth_of(known.number)))

    return name


_UNRESERVED = re.compile(rb"%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])")


def _respelled(text: bytes) -> bytes:
    """Spell letters and digits as themselves (RFC 3986 section 6.2.2.2), so that every SID is found."""
    return _UNRESERVED.sub(lambda found: bytes([int(found[1], 16)]), text)
