"""How far a session has come: the writes that it has done, and what it was shown of changes by others.

A session begins with nothing done. Each step of it takes the same time, however much it has done.
"""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.model import NO_EXCHANGE, ExchangeNumber
from chatproxy.core.replay.numbers import Numbers
from chatproxy.core.timeline.standing import Standing, Step, below
from chatproxy.core.timeline.states import Effect, States, Where


class Progress:
    """How far a session has come.

    ``given`` has for a key with a state in which there are several answers the number of the last one that was given,
    ``latest`` for a key with several exchanges that of the last write done. ``furthest`` is the last write done of
    all. Below its ``floors`` a place is not to be shown again.
    """

    def __init__(self) -> None:
        self.states = States()
        self.done = Numbers()
        self.refused = Numbers()
        self.furthest = NO_EXCHANGE
        self.given: dict[bytes, ExchangeNumber] = {}
        self.latest: dict[bytes, ExchangeNumber] = {}
        self.floors: dict[int, ExchangeNumber] = {}
        self._seen: dict[int, ExchangeNumber] = {}
        self._seen_below: dict[int, ExchangeNumber] = {}
        """Up to which change of each object something below it was shown."""
        self._made: dict[int, tuple[int, int]] = {}

    def is_used(self, number: ExchangeNumber) -> bool:
        """Tell whether a write was answered by this exchange."""
        return number in self.done or number in self.refused

    def counter(self, key: bytes, state: int) -> bytes:
        """Return under what it is noted which answer to a key was given last in a state."""
        return key + state.to_bytes(8, "big")

    def floor(self, where: Where) -> ExchangeNumber:
        """Return the number from which on a place is to be shown."""
        if not self.floors:
            return NO_EXCHANGE
        own = self.floors.get(where.place, NO_EXCHANGE)
        return max(own, *(self.floors.get(below(above), NO_EXCHANGE) for above in where.above), NO_EXCHANGE)

    def at_least(self, key: bytes, state: int, where: Where) -> ExchangeNumber:
        """Return the number from which on a read is to be answered in a state."""
        floor = self.floor(where)
        return max(floor, self.after(key, state)) if self.given else floor

    def after(self, key: bytes, state: int) -> ExchangeNumber:
        """Return the number after the last one that was given for a key in a state."""
        if not self.given:
            return NO_EXCHANGE
        return ExchangeNumber(self.given.get(self.counter(key, state), NO_EXCHANGE) + 1)

    def do(self, number: ExchangeNumber, standing: Standing) -> bool:
        """Take in that a write is done, and tell whether it made what was recorded at another place of its collection.

        So it is if not just those were made in it that had been when it was recorded.
        """
        done = standing.done
        if done is None:
            return False
        self.done.add(number)
        self.furthest = max(self.furthest, number)
        self.states.do(done)
        if done.effect is not Effect.MAKES:
            return False
        count, last = self._made.get(done.touched[0], (0, -1))
        self._made[done.touched[0]] = count + 1, max(last, standing.nth)
        return count != standing.nth or last > standing.nth

    def see(self, cassette: Cassette, place: int, above: Sequence[int], step: ExchangeNumber) -> bool:
        """Take in that an answer of a place below these was shown, whose last change by others is this one.

        Tell whether an answer that was given may be another now.
        """
        seen = self._seen.get(place, NO_EXCHANGE)
        if step <= seen:
            return False
        self._seen[place] = step
        found = [*_until(step, cassette.steps(place, seen))]
        for object_ in above:
            seen = self._seen_below.get(object_, NO_EXCHANGE)
            if step > seen:
                self._seen_below[object_] = step
                found += (one for one in _until(step, cassette.steps(object_, seen)) if one.floors[0] == object_)
        return self._raise(found)

    def _raise(self, steps: Sequence[Step]) -> bool:
        is_raised = False
        for step in steps:
            for floor in step.floors:
                if self.floors.get(floor, NO_EXCHANGE) < step.number:
                    self.floors[floor] = step.number
                    is_raised = True
        return is_raised


def _until(last: ExchangeNumber, steps: Sequence[Step]) -> Iterator[Step]:
    return takewhile(lambda step: step.number <= last, steps)
