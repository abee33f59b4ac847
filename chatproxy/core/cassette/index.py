"""Under what an exchange is found in a compiled cassette: the rules, the same in memory and in the store.

1. An exchange is found by its key in each of its spaces, by its shape and by its route, as the n-th one of these in
   canonical order. What all requests of a key ask for is found with the first one of the key.
2. An answer is found by its key and each state in which it answers, in recorded order.
3. A write that does anything is found by its place and by each other place that it touches; one with a value of a
   unique field also by that, and by those that its object may have had.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from chatproxy.core.cassette.compile import Compiled
from chatproxy.core.cassette.records import ANY_STATE, First
from chatproxy.core.timeline.standing import Role, Standing

ANSWERING = frozenset({Role.READ, Role.WRITE, Role.REFUSAL, Role.CHALLENGE})
"""What can be an answer."""


class Indexed(NamedTuple):
    """A compiled exchange, and what it is found by.

    ``nth`` has the indexes under which it is the n-th one, ``firsts`` the keys of which it is the first one,
    ``states`` the keys and states in which it answers, ``touches`` the places and values that it touches.
    """

    compiled: Compiled
    nth: tuple[tuple[bytes, int], ...]
    firsts: dict[bytes, First]
    states: tuple[tuple[bytes, int], ...]
    touches: tuple[int, ...]


class Indexer:
    """Indexes the exchanges of one cassette, which must come in canonical order."""

    def __init__(self) -> None:
        self._seen: Counter[bytes] = Counter()

    def index(self, compiled: Compiled) -> Indexed:
        """Index the next exchange."""
        standing = compiled.standing
        nth = tuple(self._next(index) for index in (*compiled.keys, compiled.shape, compiled.route))
        first = First(
            compiled.number,
            standing.role,
            standing.where,
            tuple(_states(standing)),
            standing.step,
            compiled.unique,
            compiled.by_collection,
        )
        firsts = {index: first for index, count in nth if not count and index in compiled.keys}
        states = tuple((key, state) for key in compiled.keys for state in _states(standing))
        done = standing.done
        touches = {*done.places, *done.values} if done else ()
        return Indexed(compiled, nth, firsts, states, tuple(sorted(touches)))

    def _next(self, index: bytes) -> tuple[bytes, int]:
        count = self._seen[index]
        self._seen[index] = count + 1
        return index, count


def _states(standing: Standing) -> Iterator[int]:
    if standing.role is Role.CHALLENGE:
        yield ANY_STATE
    elif standing.role in ANSWERING:
        yield from standing.states
