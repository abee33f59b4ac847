"""The instants of a cassette: which there are, whose they are, and how they are ordered.

1. An instant is an object, a field and a value, wherever it is shown.
2. It is own if a recorded write at the object set it: a create sets all fields; an update sets ``date_updated``, and
   any other but ``date_created`` that no answer showed before.
3. What several writes set to one value, within a second or a rank, is an instant for each of them: an answer shows
   that of the last write answered before it was asked for.
4. Instants are ordered by recorded second: those older than the recording by their distance to its begin, all others by
   ranks.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from chatproxy.core.model import Exchange, ExchangeNumber, RecordedSid, header_values, is_read
from chatproxy.core.products.every import CREATED, UPDATED
from chatproxy.core.time.dates import DateField, Value, date_fields, date_of
from chatproxy.core.time.ranks import Busy, Ranking, Span, ranks
from chatproxy.core.time.timestamps import CANONICAL_BEGIN, SECOND, read_instant
from chatproxy.core.time.upstream_clock import UpstreamClock
from chatproxy.core.twilio.paths import timeline
from chatproxy.core.twilio.sids import SID_SEGMENT

_OK = range(200, 300)
_MODIFIED = b"last-modified"
_SLACK = 2
"""How many seconds an own write can seem to come before the recording, since clocks are compared by seconds."""


class Instant(NamedTuple):
    """An instant's number in its cassette, from 1 on, and its rank.

    Of one that is older than the recording the rank is less than 0: by how many seconds.
    """

    number: int
    rank: int
    own: bool = False


UNKNOWN = Instant(0, 0)
"""In place of one that was never learnt."""


class Times(NamedTuple):
    """When a recording began and the last second that it shows, by the upstream's clock in seconds since 1970."""

    begin: int = 0
    last: int = 0


class Instants:
    """The instants of one cassette; it must have learnt all exchanges, in order of number, before it is asked."""

    def __init__(self) -> None:
        self.times = Times()
        self._shown: dict[Value, int] = {}
        self._own: dict[Value, list[ExchangeNumber]] = {}
        self._writes: dict[int, Span] = {}
        self._clock = UpstreamClock()
        self._busy = Busy()
        self._began: int | None = None
        self._ranking = Ranking.RECORDED
        self._numbers: dict[Value, int] = {}
        self._ranks: dict[int, int] = {}

    def learn(self, exchange: Exchange, shown: Iterable[Value] | None = None) -> None:
        """Take in an exchange; of a read ``shown`` may be those of the instants in date fields that may be new."""
        span = self._span(exchange)
        if shown is None:
            fields = list(date_fields(exchange))
            for found in _set_by(exchange, fields):
                self._learn_own(found, exchange, span)
            shown = [found.known_by for found in fields]
        for value in (*shown, *_modified(exchange)):
            self._shown.setdefault(value, span.end)
        if self._clock.wants_dates and (date := date_of(exchange)) is not None:
            self._clock.dated(date, *span)
        if not exchange.abandoned:
            self._busy.learn(span)
        self._began = span.begin if self._began is None else min(self._began, span.begin)

    def _span(self, exchange: Exchange) -> Span:
        """Return when an exchange was sent and answered; in a fixture without moments their order stands for them."""
        if not _is_in_file(exchange):
            return Span(exchange.asked, exchange.answered)
        self._ranking = Ranking.WRITES if exchange.standing is not None else Ranking.RANKS
        return Span(exchange.number, exchange.number)

    def _learn_own(self, found: DateField, exchange: Exchange, span: Span) -> None:
        value = found.known_by
        is_create = timeline(exchange.request.path) == exchange.request.path
        was_shown = self._shown.get(value, span.begin) < span.begin
        if not is_create and was_shown and not (found.name == UPDATED and exchange.request.body):
            return
        self._own.setdefault(value, []).append(exchange.number)
        second = found.value.moment // SECOND
        self._writes[second] = span.around(self._writes.get(second, span))
        if found.name == CREATED:
            self._clock.created(found.value.moment, *span)

    def settle(self) -> None:
        """Order what was learnt; nothing is learnt after."""
        begin = self._begin()
        seconds = {moment // SECOND for _, _, moment in self._shown}
        self.times = Times(begin, max(seconds, default=begin))
        others = {value[2] // SECOND for value in self._shown.keys() - self._own.keys()}
        own = {second: span for second, span in self._writes.items() if second not in others}
        later = [second for second in seconds if second >= begin]
        if self._ranking is Ranking.RANKS:
            self._ranks = {second: second - begin for second in later}
        else:
            self._ranks = ranks(later, own, self._busy if self._ranking is Ranking.RECORDED else None)
        number, old = 1, dict[int, int]()
        for value in sorted(self._shown, key=_second):
            is_old = value[2] < begin * SECOND
            self._numbers[value] = old.setdefault(value[2], number) if is_old else number
            number += len(self._own.get(value, "1"))
        self._shown.clear()

    def _begin(self) -> int:
        if self._ranking is not Ranking.RECORDED:
            return CANONICAL_BEGIN // SECOND
        begin = ((self._began or 0) + self._clock.ahead) // SECOND
        return min((second for second in self._writes if begin - _SLACK <= second < begin), default=begin)

    def is_settled(self, value: Value) -> bool:
        """Tell whether an instant is the same in whatever answer it is shown."""
        return len(self._own.get(value, ())) <= 1

    def of(self, value: Value, exchange: Exchange | None = None) -> Instant:
        """Return an instant as the answer of an exchange shows it; one that is settled needs none."""
        number = self._numbers.get(value)
        if number is None:
            return UNKNOWN
        second = value[2] // SECOND
        rank = self._ranks.get(second)
        if rank is None:
            return Instant(number, second - self.times.begin)
        writes = self._own.get(value, ())
        if len(writes) > 1 and exchange is not None:
            number += max(bisect_right(writes, _last_write(exchange, writes)) - 1, 0)
        return Instant(number, rank, bool(writes))

    def modified(self, moment: int, exchange: Exchange) -> Instant:
        """Return the instant of a ``Last-Modified``: that of the date field of the answer that shows this moment."""
        fields = (found for found in date_fields(exchange) if found.value.moment == moment)
        return max(
            (self.of(found.known_by, exchange) for found in fields),
            default=self.of((RecordedSid(b""), _MODIFIED, moment)),
        )


def _last_write(exchange: Exchange, writes: Sequence[ExchangeNumber]) -> ExchangeNumber:
    """Return the number of the last write that an exchange may show: of these it is one, or comes after."""
    is_own = _is_in_file(exchange) or exchange.number in writes
    return exchange.number if is_own else exchange.after


def _is_in_file(exchange: Exchange) -> bool:
    """Tell whether an exchange comes from a canonical fixture, which has no moments."""
    return exchange.standing is not None or exchange.in_order is not None


def _second(value: Value) -> int:
    return value[2] // SECOND


def _modified(exchange: Exchange) -> Iterator[Value]:
    for text in header_values(exchange.response.headers, _MODIFIED):
        if found := read_instant(text):
            yield RecordedSid(b""), _MODIFIED, found.moment


def _set_by(exchange: Exchange, fields: Iterable[DateField]) -> Iterator[DateField]:
    """Yield the fields of its object that a write may have set, given those of its answer."""
    if is_read(exchange.request.method) or exchange.response.status not in _OK or exchange.abandoned:
        return
    path = exchange.request.path
    name = path.rpartition(b"/")[2]
    is_create = timeline(path) == path
    is_named = not is_create and SID_SEGMENT.fullmatch(name) is not None
    for found in fields:
        is_object = found.sid == name if is_named else found.is_root and found.sid
        if is_object and (is_create or found.name != CREATED):
            yield found
