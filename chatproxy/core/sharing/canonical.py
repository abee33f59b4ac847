"""The canonical form of a cassette: the same for every recording of a scenario on equal server state.

What differs from run to run is replaced by what it means: SIDs by their numbers, instants by the write that caused
them, volatile header fields by one value each, page tokens by their numbers, addresses by one. Answers are filled
from the same templates that replay fills, so that a fixture replays as the store that it came from.

Instants: the n-th write that opens an epoch of a timeline stands n seconds after the begin, and so does what it
caused. What is older than the recording keeps its distances, the latest a second before the begin. Anything else
stands at the last write of its timeline before it.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from chatproxy.core.answers.template import Slot, Values, as_recorded
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.http.forms import decoded
from chatproxy.core.http.headers import is_form
from chatproxy.core.http.multipart import one_boundary
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, ExchangeNumber, RecordedSid, Request, Response, Standing
from chatproxy.core.products.every import TWILIO_ORIGIN
from chatproxy.core.products.sid_types import PREFIXES
from chatproxy.core.time.stamps import Stamp
from chatproxy.core.time.timestamps import CANONICAL_BEGIN, SECOND, spell_instant
from chatproxy.core.timeline.epochs import UNTOUCHED, Place
from chatproxy.core.timeline.numbering import Declared, Numbered, nth_of, sid_number
from chatproxy.core.twilio.origins import one_host, replace_origin
from chatproxy.core.twilio.page_tokens import IN_QUERY, means_itself
from chatproxy.core.twilio.paths import timeline
from chatproxy.core.twilio.sids import replace_in_path, replace_sids
from chatproxy.core.twilio.urls import url_places
from chatproxy.core.twilio.volatile import fixed

PROXY_ORIGIN = "http://chatproxy.invalid"
"""Stands for the address by which clients reached the proxy: a name that no server can have (RFC 2606 section 2)."""


_HELD = 8192

Naming = Callable[[RecordedSid, Numbered], RecordedSid]
"""Gives the SID to write for a recorded one."""


class Canonical:
    """The canonical form of one cassette under its rules; ``naming`` gives its SIDs.

    ``shifts`` tells by how many epochs the exchanges of a timeline stand later than in the cassette.
    """

    def __init__(
        self, cassette: Cassette, rules: Rules, naming: Naming | None = None, shifts: Mapping[int, int] | None = None
    ) -> None:
        self._cassette = cassette
        self._rules = rules
        self._naming = naming or numbered_sids()
        self._calendar = _Calendar(cassette, shifts or {})
        self._tokens: dict[bytes, bytes] = {}
        # a list shows what others have shown: each of its 500 slots would take some look-ups in the store
        self._sid = lru_cache(_HELD)(self._named)
        self._instant = lru_cache(_HELD)(self._settled)

    def declared(self) -> Declared:
        """Return what the fixture says of its SIDs."""
        account = self._cassette.account
        supplied = (sid for prefix in PREFIXES for sid in self._supplied(prefix.encode()))
        return Declared(
            self._sid(account).decode() if account else None, tuple(self._sid(sid).decode() for sid in supplied)
        )

    def exchanges(self) -> Iterator[Exchange]:
        """Yield the exchanges in canonical order, numbered from 1 on."""
        for number, recorded in enumerate(self._cassette.order(), 1):
            yield self._exchange(ExchangeNumber(number), recorded)

    def path(self, line: int) -> bytes:
        """Return the path of a timeline, as its first exchange spells it."""
        first = self._cassette.exchange(self._calendar.first[line])
        return replace_in_path(timeline(normalize(first.request, self._rules).path), self._sid)

    def epochs(self) -> dict[int, int]:
        """Return the last epoch of each timeline, as the exchanges have it."""
        return {line: self._calendar.epoch(line, self._calendar.last[line]) for line in self._calendar.first}

    def _supplied(self, prefix: bytes) -> Iterator[RecordedSid]:
        nth = 1
        while (sid := self._cassette.sid(sid_number(prefix, nth))) is not None:
            if (known := self._cassette.numbered(sid)) is not None and known.supplied:
                yield sid
            nth += 1

    def _exchange(self, number: ExchangeNumber, recorded: ExchangeNumber) -> Exchange:
        exchange, place = self._cassette.exchange(recorded), self._cassette.place(recorded)
        epoch = self._calendar.epoch(place.timeline, place.epoch)
        moment = CANONICAL_BEGIN + epoch * SECOND
        return Exchange(
            number,
            self._request(exchange.request),
            self._response(exchange, place, moment),
            TWILIO_ORIGIN,
            moment,
            moment,
            user=exchange.user and replace_sids(exchange.user.encode(), self._sid).decode(),
            standing=Standing(epoch, tuple(self._below(place))),
        )

    def _below(self, place: Place) -> Iterator[tuple[bytes, int]]:
        """Yield the epochs that a write opens in timelines below its member."""
        for opening in place.opens[1:]:
            yield self.path(opening.timeline), self._calendar.epoch(opening.timeline, opening.epoch)

    def _named(self, sid: bytes) -> RecordedSid:
        recorded = RecordedSid(sid)
        known = self._cassette.numbered(recorded)
        return recorded if known is None else self._naming(recorded, known)

    def _request(self, request: Request) -> Request:
        """Turn the address by which the client reached us, but for a forward proxy's client that wrote Twilio's."""
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
        target = replace_in_path(path, self._sid) + mark + _turned(query, request.origin, origin)
        body = self._body(request, origin)
        headers = tuple(
            (name, replace_origin(replace_sids(value, self._sid), request.origin, origin.encode()))
            for name, value in request.headers
        )
        return Request(request.method, target, headers, body, origin, one_host(request.host))

    def _body(self, request: Request, origin: str) -> bytes:
        if is_form(request.headers):
            return _turned(replace_sids(_respelled(request.body), self._sid), request.origin, origin)
        escaped, plain = (one.replace("/", r"\/").encode() for one in (request.origin, origin))
        body = replace_origin(replace_sids(request.body, self._sid), request.origin, origin.encode())
        return body.replace(escaped, plain)

    def _response(self, exchange: Exchange, place: Place, moment: int) -> Response:
        recorded = as_recorded(TWILIO_ORIGIN)

        def instant(packed: bytes) -> bytes:
            if settled := self._instant(packed):
                return settled
            stamp = Stamp.unpack(packed)
            return spell_instant(self._calendar.after_writes(stamp, place), stamp.spelling)

        def present(packed: bytes) -> bytes:
            return spell_instant(moment, Stamp.unpack(packed).spelling)

        def echo(packed: bytes) -> bytes:
            return replace_sids(recorded[Slot.ECHO](packed), self._sid)

        own = exchange.request.origin

        def address(written: bytes) -> bytes:
            is_own = written.replace(b"\\", b"") == own.encode() and own != TWILIO_ORIGIN
            filler = as_recorded(PROXY_ORIGIN) if is_own else recorded
            return filler[Slot.ORIGIN](written)

        filled: Values = {Slot.INSTANT: instant, Slot.NOW: present, Slot.SID: self._sid, Slot.ECHO: echo}
        reply = self._cassette.reply(exchange.number)
        response = reply.render(recorded | filled | {Slot.ORIGIN: address})
        return replace(
            response,
            reason=replace_sids(response.reason, self._sid),
            headers=fixed(response.headers),
            body=self._tokens_of(response.body),
        )

    def _settled(self, packed: bytes) -> bytes:
        """Return how an instant is written wherever it is shown; nothing for one that the place decides on."""
        stamp = Stamp.unpack(packed)
        moment = self._calendar.moment(stamp)
        return b"" if moment is None else spell_instant(moment, stamp.spelling)

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
        return RecordedSid(recorded[:2] + b"%032d" % nth_of(known.number))

    return name


class _Calendar:
    """The canonical moments of a cassette, and where each of its timelines begins."""

    def __init__(self, cassette: Cassette, shifts: Mapping[int, int]) -> None:
        self._cassette = cassette
        self._shifts = shifts
        self._latest_old = 0
        self._writes: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.first: dict[int, ExchangeNumber] = {}
        self.last: dict[int, int] = defaultdict(int)
        learn = lru_cache(_HELD)(self._learn)
        for number in cassette.order():
            reply, place = cassette.reply(number), cassette.place(number)
            if place.timeline != UNTOUCHED:
                self.first.setdefault(place.timeline, number)
                self.last[place.timeline] = max(self.last[place.timeline], place.epoch)
            for opening in place.opens:
                self.last[opening.timeline] = max(self.last[opening.timeline], opening.epoch)
            if place.opens:
                self._writes[place.timeline].append((reply.written, place.epoch))
            for slot, argument in (*reply.head.slots, *reply.body.slots):
                if slot is Slot.INSTANT:
                    learn(argument)
        for writes in self._writes.values():
            writes.sort()

    def _learn(self, packed: bytes) -> None:
        stamp = Stamp.unpack(packed)
        if not stamp.cause and stamp.moment < self._cassette.begun:
            self._latest_old = max(self._latest_old, stamp.moment)

    def moment(self, stamp: Stamp) -> int | None:
        """Return the moment of an instant that has a cause, or is older than the recording."""
        if stamp.cause:
            cause = self._cassette.place(stamp.cause)
            return CANONICAL_BEGIN + self.epoch(cause.timeline, cause.epoch) * SECOND
        if stamp.moment < self._cassette.begun:
            return CANONICAL_BEGIN - SECOND - (self._latest_old - stamp.moment)
        return None

    def after_writes(self, stamp: Stamp, shown: Place) -> int:
        """Return the moment of any other instant that an answer of this place shows, which shows nothing later."""
        writes = self._writes.get(shown.timeline, [])
        before = bisect_right(writes, stamp.moment, key=lambda write: write[0])
        epoch = writes[before - 1][1] if before else 0
        return CANONICAL_BEGIN + self.epoch(shown.timeline, min(epoch, shown.epoch)) * SECOND

    def epoch(self, line: int, epoch: int) -> int:
        """Return which epoch one of the cassette's is."""
        return epoch + self._shifts.get(line, 0)


_UNRESERVED = re.compile(rb"%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])")


def _respelled(text: bytes) -> bytes:
    """Spell letters and digits as themselves (RFC 3986 section 6.2.2.2), so that every SID is found."""
    return _UNRESERVED.sub(lambda found: bytes([int(found[1], 16)]), text)


def _turned(pairs: bytes, origin: str, other: str) -> bytes:
    """Put another origin in the values of a query or form, plain or escaped."""
    if origin == other:
        return pairs
    return b"&".join(_turned_pair(pair, origin, other) for pair in pairs.split(b"&"))


def _turned_pair(pair: bytes, origin: str, other: str) -> bytes:
    name, equals, value = pair.partition(b"=")
    plain = decoded(value)
    turned = replace_origin(plain, origin, other.encode())
    turned = replace_origin(turned, origin.replace("/", r"\/"), other.replace("/", r"\/").encode())
    return pair if turned == plain else name + equals + _escaped(turned)


def _escaped(value: bytes) -> bytes:
    return _SPECIAL.sub(lambda found: b"%%%02X" % ord(found[0]), value)


_SPECIAL = re.compile(rb"[^A-Za-z0-9._~-]", re.DOTALL)
