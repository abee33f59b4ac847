"""Standings: the state in which each exchange of a cassette answers.

1. A write whose client gave up, and that an equal one follows, is another party's: in no state, and never an answer.
2. What is in doubt is as in an equal answer to its key whose state is certain; else it answers nothing, but a list
   with further pages, which fits all.
3. Where it is not known what two writes to one object in flight together left, what needs both answers nothing.

One running state serves all: exchanges come by how many writes had been answered before they were sent, and for the
few that something was in flight with, that is done and undone again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from itertools import combinations, pairwise
from typing import NamedTuple

from chatproxy.core.model import ExchangeNumber, is_read, is_refused
from chatproxy.core.timeline.elsewhere import note_elsewhere
from chatproxy.core.timeline.flights import Flight, Flights, Spot
from chatproxy.core.timeline.given import as_given
from chatproxy.core.timeline.holders import note_held
from chatproxy.core.timeline.places import Need, Places, needed
from chatproxy.core.timeline.standing import Role, Standing, Step
from chatproxy.core.timeline.states import Done, Effect, States, Where
from chatproxy.core.timeline.steps import steps_of
from chatproxy.core.timeline.traces import Trace
from chatproxy.core.twilio.objects import Shown
from chatproxy.core.twilio.paths import Spellings

_MOST_DOUBTS = 6
"""With more writes in doubt than these nothing is said of an exchange."""


_Fits = list[tuple[int, tuple[int, ...]]]
"""The states that an answer fits, each with the writes in flight that are done in it; none if it answers nothing."""


class Timeline(NamedTuple):
    """Where all exchanges of a cassette stand, and the steps at each place."""

    standings: list[Standing]
    steps: dict[int, list[Step]]


def standings(traces: Sequence[Trace], show: Callable[[ExchangeNumber], Shown], spellings: Spellings) -> Timeline:
    """Return where the exchanges of one cassette stand, which must come in the order of their numbers.

    ``show`` tells what the answer of a number shows; it is asked only where something was in flight. ``spellings`` are
    those of the traces.
    """
    places = Places()
    note_held(traces)
    note_elsewhere(traces, spellings.one)
    abandoned, counting = _abandoned(traces)
    spots = [_spot(one, places, nth not in abandoned, nth in counting) for nth, one in enumerate(traces)]
    if any(one.standing is not None for one in traces):
        return Timeline(as_given(spots), {})
    flights = Flights(spots, show)
    roles = [_role(spot, nth in abandoned) for nth, spot in enumerate(spots)]
    found = list(_Sweep(spots, flights, roles).standings())
    steps = steps_of(spots, flights, found, places)
    if steps.at:
        last = (steps.last(standing, one.number) for one, standing in zip(traces, found, strict=True))
        found = [one._replace(step=step) if step else one for one, step in zip(found, last, strict=True)]
    return Timeline(found, steps.at)


def _spot(one: Trace, places: Places, may_be_done: bool, counts: bool) -> Spot:
    told = one.in_order
    done = places.done(one, counts or (told is not None and told.counts)) if may_be_done else None
    return Spot(one, places.of(one), places.need(one, done), places.unique(one), done)


def _role(spot: Spot, is_abandoned: bool) -> Role:
    one = spot.trace
    if one.is_challenge:
        return Role.CHALLENGE
    if is_abandoned:
        return Role.ABANDONED
    if one.in_order is not None and one.in_order.is_doubtful:
        return Role.DOUBTFUL
    return Role.READ if is_read(one.method) else Role.WRITE if spot.done else Role.REFUSAL


def _abandoned(traces: Sequence[Trace]) -> tuple[set[int], set[int]]:
    """Return which exchanges their clients gave up and sent again, and which 4xx say that this was done already."""
    given_up = [nth for nth, one in enumerate(traces) if one.abandoned]
    again, counting = set[int](), set[int]()
    keys = {traces[nth].key for nth in given_up}
    sent: defaultdict[int, list[int]] = defaultdict(list)
    for nth in sorted(range(len(traces)), key=lambda nth: traces[nth].asked) if given_up else ():
        if traces[nth].key in keys:
            sent[traces[nth].key].append(nth)
    for equal in sent.values():
        for nth, following in pairwise(equal):
            if traces[nth].abandoned:
                again.add(nth)
                was_done = not is_refused(traces[nth].status) or nth in counting
                counting |= {following} if was_done and _says_done(traces[following]) else set()
    return again, counting


def _says_done(one: Trace) -> bool:
    """Tell whether a 4xx may mean that the write had been carried out before."""
    if one.is_member:
        return one.method == "DELETE" and one.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
    return one.method == "POST" and one.status == HTTPStatus.CONFLICT


class _Sweep:
    """Walks through the writes once, and takes the state of each exchange on the way."""

    def __init__(self, spots: Sequence[Spot], flights: Flights, roles: Sequence[Role]) -> None:
        self._spots, self._flights, self._roles = spots, flights, roles
        self._known = _Known(flights)
        self._answers: defaultdict[tuple[int, int], set[int]] = defaultdict(set)

    def standings(self) -> Iterator[Standing]:
        found = self._found()
        doubtful = {nth for nth, states in found.items() if len(states) > 1}
        keys = {self._spots[nth].trace.key for nth in doubtful}
        for nth, states in found.items() if doubtful else ():
            if len(states) == 1 and (one := self._spots[nth].trace).key in keys:
                self._answers[one.key, states[0][0]].add(one.answer)
        for nth in doubtful:
            found[nth] = self._resolved(self._spots[nth].trace, found[nth])
        return (self._standing(nth, found.get(nth, [])) for nth in range(len(self._spots)))

    def _found(self) -> dict[int, _Fits]:
        before = self._flights.before
        found = {}
        for nth in sorted(range(len(self._spots)), key=before.__getitem__):
            if self._roles[nth] not in _STATELESS:
                self._known.reach(before[nth])
                found[nth] = self._states(self._spots[nth], self._flights.of.get(nth))
        return found

    def _states(self, spot: Spot, flight: Flight | None) -> _Fits:
        """Return each state that an exchange may have, with the writes in flight that are done in it."""
        if flight is None:
            state = self._known.state(spot)
            return [] if state is None else [(state, ())]
        if len(flight.doubtful) > _MOST_DOUBTS:
            return []
        found: dict[int, tuple[int, ...]] = {}
        for count in range(len(flight.doubtful) + 1):
            for some in combinations(flight.doubtful, count):
                done = tuple(sorted((*flight.done, *some)))
                state = self._known.state_with(spot, done)
                if state is None:
                    return []
                found.setdefault(state, done)
        return list(found.items())

    def _resolved(self, one: Trace, states: _Fits) -> _Fits:
        equal = [state for state in states if one.answer in self._answers[one.key, state[0]]]
        left = equal or states
        return left if len(left) == 1 or (one.has_more and is_read(one.method)) else []

    def _standing(self, nth: int, states: _Fits) -> Standing:
        spot, role = self._spots[nth], self._roles[nth]
        if not states and role not in _STATELESS:
            role = Role.DOUBTFUL
        with_, without = self._exceptions(nth, states[0][1]) if states and nth in self._flights.of else ((), ())
        of_all = tuple(state for state, _ in states)
        return Standing(role, spot.where, of_all, spot.done, with_=with_, without=without)

    def _exceptions(
        self, nth: int, done: tuple[int, ...]
    ) -> tuple[tuple[ExchangeNumber, ...], tuple[ExchangeNumber, ...]]:
        flight, number = self._flights.of[nth], self._spots[nth].trace.number
        numbers = {
            each: self._flights.writes[each].trace.number for each in (*flight.done, *flight.undone, *flight.doubtful)
        }
        with_ = tuple(numbers[each] for each in done if numbers[each] > number)
        return with_, tuple(sorted(of for each, of in numbers.items() if of < number and each not in done))


_STATELESS = frozenset({Role.CHALLENGE, Role.ABANDONED, Role.DOUBTFUL})


class _Known:
    """What is done so far, and of which of that the order is not known: that is a state, too."""

    def __init__(self, flights: Flights) -> None:
        self._writes = [write.done for write in flights.writes]
        self._reached = 0
        self._states = States()
        self._tangled = States() if flights.pairs else None
        self._pairs: defaultdict[int, list[tuple[int, Done]]] = defaultdict(list)
        for one, other in flights.pairs:
            pair = _pair(self._writes[one], self._writes[other])
            self._pairs[one].append((other, pair))
            self._pairs[other].append((one, pair))

    def reach(self, count: int) -> None:
        """Have the first so many writes done."""
        for nth in range(self._reached, count):
            self._states.do(self._writes[nth])
            if self._tangled is not None:
                for tangle in self._tangles((nth,), nth):
                    self._tangled.do(tangle)
        self._reached = max(self._reached, count)

    def state(self, spot: Spot) -> int | None:
        """Return the state that an exchange needs, or nothing where two writes of it are tangled."""
        if self._tangled is not None and spot.need is not Need.LIFE and _is_tangled(self._tangled, spot):
            return None
        return needed(self._states, spot.where, spot.need, spot.unique)

    def state_with(self, spot: Spot, also: tuple[int, ...]) -> int | None:
        """Likewise, with these writes done beyond those that are."""
        with self._states.also([self._writes[nth] for nth in also]):
            if self._tangled is None:
                return self.state(spot)
            with self._tangled.also(list(self._tangles(also, self._reached))):
                return self.state(spot)

    def _tangles(self, nths: tuple[int, ...], reached: int) -> Iterator[Done]:
        """Yield what these writes do to tangles, if all before ``reached`` are done, and these in their order."""
        for nth in nths:
            write = self._writes[nth]
            for other, pair in self._pairs.get(nth, ()):
                if other < reached or (other in nths and other < nth):
                    yield pair
            if write.effect is Effect.DELETES:
                yield write._replace(mark=0)


def _is_tangled(tangled: States, spot: Spot) -> bool:
    return needed(tangled, spot.where, spot.need, spot.unique) != needed(
        _NOTHING_DONE, _NOWHERE, spot.need, spot.unique
    )


_NOTHING_DONE, _NOWHERE = States(), Where((), 0, False)


def _pair(one: Done, other: Done) -> Done:
    """Return a write that touches what both of these do."""
    both_change = {one.effect, other.effect} == {Effect.CHANGES}
    touch_below = one.touches_below and other.touches_below
    effect = Effect.CHANGES if both_change else Effect.MAY_DELETE if touch_below else Effect.MAY_CHANGE
    return one._replace(mark=one.mark ^ (other.mark << 1), effect=effect)
