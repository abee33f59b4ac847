"""Flights: the writes that were on their way together with an exchange, and which of them are done for it.

1. Done for an exchange are the writes answered before it was sent; the moments tell, and where they are equal, which
   write the exchange knew to be answered.
2. A write in flight with it is done if the answer shows its effect, and not done if it shows its absence. Where it
   tells neither, a create or a delete has done what was answered before it; anything else is in doubt. A create that
   was carried out shows that no object had its unique value: what was made with that is deleted, or not made.
3. Of two updates of one object in flight together one was done first. Which, their answers and those before and after
   may tell. Where these do not, an update has done what was answered before it if it shows the same in both orders.
4. What a fixture says of an exchange holds as it stands there.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import accumulate
from typing import NamedTuple

from chatproxy.core.model import ExchangeNumber, InOrder
from chatproxy.core.timeline.elsewhere import made_in
from chatproxy.core.timeline.evidence import Evidence
from chatproxy.core.timeline.places import Need, touches
from chatproxy.core.timeline.races import Races, is_update, leave_the_same, shows_the_same
from chatproxy.core.timeline.states import Done, Effect, Where
from chatproxy.core.timeline.traces import Trace
from chatproxy.core.twilio.objects import Shown

_NOBODY: frozenset[int] = frozenset()


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
        """Two writes to one object in flight together of which it is not known what they left."""
        self._spots = spots
        traces = [spot.trace for spot in spots]
        self._evidence, self._races = Evidence(traces, show), Races(traces, show)
        self._numbers = [write.trace.number for write in self.writes]
        self._answered = list(accumulate((write.trace.answered for write in self.writes), max))
        self._had: defaultdict[int, set[int]] = defaultdict(set)
        """The objects that had a value of a unique field."""
        self._ended: dict[int, int] = {}
        """When the first delete of each place was sent, of those that were carried out."""
        for write in self.writes:
            if write.done.effect is Effect.DELETES:
                self._ended.setdefault(write.done.place, write.trace.asked)
            for value in write.done.values:
                self._had[value].add(write.done.place)
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
                    self._pair(self.writes[own], own, range(before, own))
                own += 1

    def _touching(self, spot: Spot, nths: Iterable[int]) -> Iterator[int]:
        had = self._had[spot.unique] | self._had[spot.where.any_value] if spot.unique else _NOBODY
        for nth in nths:
            done = self.writes[nth].done
            is_of_value = done.place in had and done.effect is not Effect.CHANGES
            if is_of_value or touches(done, spot.where, spot.need):
                yield nth

    def _judged(self, spot: Spot, own: int, nths: list[int]) -> Flight:
        flight = Flight()
        for nth in self._touching(spot, nths) if nths else ():
            shows = self._shows(spot, self.writes[nth], nth < own)
            (flight.doubtful if shows is None else flight.done if shows else flight.undone).append(nth)
        return flight

    def _shows(self, spot: Spot, write: Write, is_earlier: bool) -> bool | None:
        one, other = spot.trace, write.trace
        if spot.done is not None and (shows := self._order(other, one)) is not None:
            return shows
        shows = self._evidence.shows(one, spot.where, other, write.done)
        if shows is None and spot.done is not None:
            shows = self._makes_room(spot, write)
        if shows is not None or spot.done is None:
            return shows
        is_ordered = spot.need is not Need.STATE or one.method == "DELETE"
        is_own = write.done.place == spot.done.place
        return is_earlier if is_ordered or (is_own and shows_the_same(one, other)) else None

    def _makes_room(self, spot: Spot, write: Write) -> bool | None:
        """Tell whether a write to an object with the unique value of a create had been done, if the create tells."""
        is_made = spot.unique and spot.trace.status < HTTPStatus.BAD_REQUEST
        if not is_made or write.done.place not in self._had.get(spot.unique, _NOBODY):
            return None
        if made_in(write.trace) and spot.unique in write.done.frees:
            return False
        gives = write.done.effect is Effect.MAKES and write.done.unique == spot.unique
        if gives and write.trace.status < HTTPStatus.BAD_REQUEST:
            return self._ended.get(write.done.place, spot.trace.answered) < spot.trace.answered
        return True if write.trace.method == "DELETE" else None

    def _order(self, one: Trace, other: Trace) -> bool | None:
        is_race = is_update(one) and is_update(other) and one.path == other.path
        return self._races.is_first(one, other) if is_race else None

    def _given(self, spot: Spot, own: int, told: InOrder) -> tuple[int, Flight]:
        """Return what a fixture says: how many of the writes above come before the first exception, and the rest."""
        without = {bisect_left(self._numbers, number) for number in told.without}
        before = min(without, default=own)
        done = [nth for nth in self._touching(spot, range(before, own)) if nth not in without]
        done += [bisect_left(self._numbers, number) for number in told.with_]
        return before, Flight(done, sorted(without))

    def _pair(self, one: Write, own: int, earlier: Iterable[int]) -> None:
        for nth in earlier:
            other = self.writes[nth]
            if _are_of_one(one, other) and not self._is_told(other.trace, one.trace):
                self.pairs.append((nth, own))

    def _is_told(self, one: Trace, other: Trace) -> bool:
        return leave_the_same(one, other) or self._order(one, other) is not None


def _are_of_one(one: Write, other: Write) -> bool:
    """Tell whether two writes are about one object; those whose SID no answer told are told apart by their names."""
    if not one.trace.may_be_in:
        return one.done.place == other.done.place
    return one.trace.is_member and one.trace.path == other.trace.path


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
