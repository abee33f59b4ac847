"""Flights: the writes that were on their way together with an exchange, and which of them are done for it.

1. Done for an exchange are the writes answered before it was sent; the moments tell, and where they are equal, which
   write the exchange knew to be answered.
2. A write in flight with it is done if the answer shows its effect, and not done if it shows its absence. Where it
   tells neither, a create or a delete has done what was answered before it, and so has an update what was written to
   its own object; anything else is in doubt.
3. What a fixture says of an exchange holds as it stands there.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from chatproxy.core.model import ExchangeNumber, InOrder
from chatproxy.core.timeline.evidence import Evidence
from chatproxy.core.timeline.places import Need, touches
from chatproxy.core.timeline.states import Done, Where
from chatproxy.core.timeline.traces import Trace
from chatproxy.core.twilio.objects import Shown


@dataclass(slots=True)
class Spot:
    """An exchange at its place: what it needs, and what it does; ``unique`` is the digest of its unique value."""

    trace: Trace
    where: Where
    need: Need
    unique: int = 0
    done: Done | None = None


class Write(NamedTuple):
    """A write, and what doing it changes."""

    trace: Trace
    done: Done


@dataclass(slots=True)
class Flight:
    """Which writes in flight with an exchange are done for it, are not, and may be, each as the n-th of all writes."""

    done: list[int] = field(default_factory=list)
    undone: list[int] = field(default_factory=list)
    doubtful: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.done or self.undone or self.doubtful)


class Flights:
    """The writes of one cassette, and what was in flight with each exchange."""

    def __init__(self, spots: Sequence[Spot], show: Callable[[ExchangeNumber], Shown]) -> None:
        self.writes = [Write(spot.trace, spot.done) for spot in spots if spot.done]
        self.before: list[int] = []
        """For each exchange, how many writes had been answered before it was sent."""
        self.of: dict[int, Flight] = {}
        """By the place among all exchanges, where there was anything in flight that touches it."""
        self.pairs: list[tuple[int, int]] = []
        """Two writes to one object in flight together."""
        self._spots = spots
        self._evidence = Evidence([spot.trace for spot in spots], show)
        self._numbers = [write.trace.number for write in self.writes]
        self._answered = list(accumulate((write.trace.answered for write in self.writes), max))
        self._made: defaultdict[int, set[int]] = defaultdict(set)
        for write in self.writes:
            if write.done.unique:
                self._made[write.done.unique].add(write.done.place)
        self._find()

    def _find(self) -> None:
        open_ = _Open(self.writes)
        own = 0
        for nth, spot in enumerate(self._spots):
            one = spot.trace
            later = open_.at(one, own)
            if one.in_order is not None:
                before, flight = self._given(spot, own, one.in_order)
            else:
                known = max(bisect_right(self._numbers, one.after), bisect_left(self._answered, one.asked))
                before = min(own, known)
                flight = self._judged(spot, own, [*range(before, own), *later])
            self.before.append(before)
            if flight:
                self.of[nth] = flight
            if spot.done:
                if one.in_order is None:
                    self._pair(spot.done, own, range(before, own))
                own += 1

    def _touching(self, spot: Spot, nths: Iterable[int]) -> Iterator[int]:
        made = self._made[spot.unique] if spot.unique and spot.need is Need.ROOM else ()
        for nth in nths:
            done = self.writes[nth].done
            if done.place in made or touches(done, spot.where, spot.need):
                yield nth

    def _judged(self, spot: Spot, own: int, nths: list[int]) -> Flight:
        flight = Flight()
        for nth in self._touching(spot, nths) if nths else ():
            shows = self._shows(spot, self.writes[nth], nth < own)
            (flight.doubtful if shows is None else flight.done if shows else flight.undone).append(nth)
        return flight

    def _shows(self, spot: Spot, write: Write, is_earlier: bool) -> bool | None:
        shows = self._evidence.shows(spot.trace, spot.where, write.trace, write.done)
        if shows is not None or spot.done is None:
            return shows
        is_ordered = spot.need is not Need.STATE or spot.trace.method == "DELETE"
        return is_earlier if is_ordered or write.done.place == spot.done.place else None

    def _given(self, spot: Spot, own: int, told: InOrder) -> tuple[int, Flight]:
        """Return what a fixture says: how many of the writes above come before the first exception, and the rest."""
        without = {bisect_left(self._numbers, number) for number in told.without}
        before = min(without, default=own)
        done = [nth for nth in self._touching(spot, range(before, own)) if nth not in without]
        done += [bisect_left(self._numbers, number) for number in told.with_]
        return before, Flight(done, sorted(without))

    def _pair(self, done: Done, own: int, earlier: Iterable[int]) -> None:
        self.pairs += [(nth, own) for nth in earlier if (other := self.writes[nth].done) and other.place == done.place]


class _Open:
    """The writes that had been sent and not answered, as time goes by."""

    def __init__(self, writes: Sequence[Write]) -> None:
        self._writes = writes
        self._sent = sorted(range(len(writes)), key=lambda nth: writes[nth].trace.asked, reverse=True)
        self._open: set[int] = set()

    def at(self, one: Trace, own: int) -> list[int]:
        """Return the writes that were open when an exchange was answered, and that had later answers than it."""
        while self._sent and self._writes[self._sent[-1]].trace.asked < one.answered:
            self._open.add(self._sent.pop())
        if not self._open:
            return []
        self._open = {nth for nth in self._open if self._writes[nth].trace.number > one.number}
        return sorted(nth for nth in self._open if self._is_open(self._writes[nth].trace, one))

    @staticmethod
    def _is_open(write: Trace, one: Trace) -> bool:
        return write.asked < one.answered and write.after < one.number and write.in_order is None
