"""Steps: changes by others, each at an object and at the first exchange that shows it.

1. A value, a presence or an absence that differs from what was shown before, and that no own write explains, opens a
   step.
2. A write explains, at its object, the fields that it sends and those that the table derives; at the object above,
   what the table derives. One answered 5xx explains all, and a delete that nothing more is there.
3. What an own create made never appears, except where it was gone before without an own delete; what a whole list was
   without, or the same list in an equal state, or what was not found, does.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus

from chatproxy.core.model import NO_EXCHANGE, ExchangeNumber
from chatproxy.core.products.every import DERIVED
from chatproxy.core.timeline.flights import Flight, Flights, Spot, Write
from chatproxy.core.timeline.places import Places
from chatproxy.core.timeline.sights import News, What
from chatproxy.core.timeline.standing import Role, Standing, Step, below
from chatproxy.core.timeline.states import Effect


@dataclass(slots=True)
class Steps:
    """The steps of one cassette: for each place those of what it shows, growing, and for each object its own."""

    at: dict[int, list[Step]] = field(default_factory=dict)
    _own: dict[int, list[ExchangeNumber]] = field(default_factory=dict)

    def add(self, step: Step) -> None:
        """Take in a step, which must come after those with lower numbers."""
        for place in step.floors:
            self.at.setdefault(place, []).append(step)
        self._own.setdefault(step.floors[0], []).append(step.number)

    def last(self, standing: Standing, number: ExchangeNumber) -> ExchangeNumber:
        """Return the last step up to an exchange of what it shows or could show."""
        done, where = standing.done, standing.where
        if standing.role is Role.REFUSAL and not where.is_object:
            return NO_EXCHANGE  # nothing is there that it could show
        at = self.at.get(done.place if done else where.place, [])
        nth = bisect_right(at, number, key=lambda step: step.number)
        found = at[nth - 1].number if nth else NO_EXCHANGE
        for above in where.above:
            own = self._own.get(above, [])
            if nth := bisect_right(own, number):
                found = max(found, own[nth - 1])
        return found


def steps_of(spots: Sequence[Spot], flights: Flights, standings: Sequence[Standing], places: Places) -> Steps:
    """Return the steps of a cassette, given where its exchanges stand."""
    steps = Steps()
    for number, floors in sorted(set(_Walk(spots, flights, standings, places).steps())):
        steps.add(Step(number, floors))
    return steps


_NO_FLIGHT = Flight()


class _Walk:
    """Walks through what answers are the first to show, and holds against it what was written since."""

    def __init__(self, spots: Sequence[Spot], flights: Flights, standings: Sequence[Standing], places: Places) -> None:
        self._spots, self._flights, self._standings, self._places = spots, flights, standings, places
        self._made = {write.done.place for write in flights.writes if write.done.effect is Effect.MAKES}
        self._gone: set[int] = set()
        self._pending: defaultdict[int, list[int]] = defaultdict(list)
        """The writes to each object since it was shown."""
        self._written_below: set[int] = set()
        self._deletes: defaultdict[int, list[int]] = defaultdict(list)
        self._first: dict[int, ExchangeNumber] = {}
        self._previous: dict[int, int] = {}

    def steps(self) -> Iterator[tuple[ExchangeNumber, tuple[int, ...]]]:
        """Yield the number and the floors of each step, some perhaps twice."""
        own = 0
        for nth, spot in enumerate(self._spots):
            if self._standings[nth].role is Role.ABANDONED:
                continue
            if spot.done:
                self._note(own, self._flights.writes[own])
                own += 1
            for new in spot.trace.news:
                place = self._places.member(spot.trace, new.sid)
                if number := self._step(nth, own, place, new):
                    all_below = () if new.what is What.CHANGED else (below(place),)
                    yield number, (place, *self._places.collection(spot.trace.timeline).touched, *all_below)
                self._settle(nth, own, place)
            if spot.done and spot.trace.made:  # its answer shows what it left
                self._settle(nth, own, spot.done.place)
            if spot.trace.has_more or spot.trace.key in self._previous:
                self._previous[spot.trace.key] = nth

    def _note(self, nth: int, write: Write) -> None:
        done = write.done
        self._pending[done.place].append(nth)
        self._written_below.update(done.touched[1:2])
        if done.effect in _MAY_END:
            self._deletes[done.place].append(nth)

    def _step(self, nth: int, own: int, place: int, new: News) -> ExchangeNumber | None:
        """Return the number of the step that something new opens, if it opens one."""
        number = self._spots[nth].trace.number
        if new.what in _SHOWN_FIRST:
            self._first[place] = number
            is_step = new.what is What.APPEARED and (place not in self._made or place in self._gone)
        elif new.what is What.CHANGED:
            is_step = not self._explains(nth, own, place, new.changed)
        elif new.what is What.GONE:
            is_step = not self._explains_absence(nth, own, place)
            self._gone |= {place} if is_step else set()
        else:
            is_step = new.what is What.LISTED and place not in self._made and self._is_in_equal_state(nth)
            number = self._first_since_list(nth, place) if is_step else number
        return number if is_step else None

    def _first_since_list(self, nth: int, place: int) -> ExchangeNumber:
        """Return the first exchange that showed an object after the list that was without it."""
        one = self._spots[nth].trace
        first, previous = self._first.get(place, one.number), self._spots[self._previous[one.key]].trace.number
        return first if first > previous else one.number

    def _explains(self, nth: int, own: int, place: int, changed: tuple[str, ...]) -> bool:
        left = [name for name in changed if place not in self._written_below or not _is_derived(name)]
        for write in self._involved(nth, own, place):
            left = [name for name in left if not _explained(write, name)]
        return not left

    def _involved(self, nth: int, own: int, place: int) -> Iterator[Write]:
        """Yield the writes to an object that were done since it was shown, and those that were in flight."""
        flight, is_done = self._flights.of.get(nth, _NO_FLIGHT), self._is_done(nth, own)
        for each in self._pending.get(place, ()):
            if is_done(each):
                yield self._flights.writes[each]
        for each in (*flight.done, *flight.undone, *flight.doubtful):
            if self._flights.writes[each].done.place == place:
                yield self._flights.writes[each]

    def _explains_absence(self, nth: int, own: int, place: int) -> bool:
        flight, is_done = self._flights.of.get(nth, _NO_FLIGHT), self._is_done(nth, own)
        writes = self._flights.writes
        deletes = (each for at in (place, *self._spots[nth].where.above) for each in self._deletes.get(at, ()))
        return (
            any(is_done(each) or each in flight.doubtful for each in deletes)
            or any(writes[each].done.place == place for each in (*flight.done, *flight.undone, *flight.doubtful))
            or any(writes[each].trace.status >= _ERROR for each in self._pending.get(place, ()))
        )

    def _is_done(self, nth: int, own: int) -> Callable[[int], bool]:
        before, flight = self._flights.before[nth], self._flights.of.get(nth, _NO_FLIGHT)
        itself = own - 1 if self._spots[nth].done else -1
        return lambda each: each < before or each == itself or each in flight.done

    def _is_in_equal_state(self, nth: int) -> bool:
        previous = self._previous.get(self._spots[nth].trace.key)
        return previous is not None and self._standings[previous].states == self._standings[nth].states

    def _settle(self, nth: int, own: int, place: int) -> None:
        """Take in that an object was shown as the writes left it that were done then."""
        flight, is_done = self._flights.of.get(nth, _NO_FLIGHT), self._is_done(nth, own)
        if not flight.undone:
            self._written_below.discard(place)
        undone = [each for each in flight.undone if each < own and self._flights.writes[each].done.place == place]
        left = [each for each in self._pending.pop(place, ()) if not is_done(each) and each not in undone] + undone
        if left:
            self._pending[place] = left


_ERROR = HTTPStatus.INTERNAL_SERVER_ERROR
_SHOWN_FIRST = frozenset({What.FIRST, What.APPEARED})
_MAY_END = frozenset({Effect.DELETES, Effect.MAY_DELETE})


def _explained(write: Write, name: str) -> bool:
    """Tell whether a write to an object explains that this field of it is another."""
    if write.trace.status >= _ERROR or not write.trace.is_member:
        return True
    sent = write.trace.sent
    return write.trace.method != "DELETE" and (name in sent or name.removesuffix("s") in sent or _is_derived(name))


@lru_cache(256)
def _is_derived(name: str) -> bool:
    return _DERIVED.fullmatch(name) is not None


_DERIVED = re.compile(DERIVED)
