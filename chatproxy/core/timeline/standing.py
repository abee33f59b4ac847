"""Where an exchange stands: what it is, the states in which it answers, and what it does to them."""

from collections import Counter
from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from chatproxy.core.model import NO_EXCHANGE, ExchangeNumber
from chatproxy.core.timeline.states import Done, Effect, Where


class Role(IntEnum):
    """What an exchange is to a replay; the numbers are stored."""

    READ = 1
    WRITE = 2
    REFUSAL = 3
    """A write that was answered 4xx: a read that takes its turn among the writes of its key."""
    CHALLENGE = 4
    """A 401 to a request without credentials, which answers in any state."""
    DOUBTFUL = 5
    """It answers nothing, since its state is not known; a write of this role is never done."""
    ABANDONED = 6
    """Its client gave up, and an equal one follows: never an answer, and a write is another party's change."""


def below(place: int) -> int:
    """Return what stands for all that is below an object, where there is one number for each place."""
    return place ^ _BELOW


_BELOW = 0x5BD1_E995_9E37_79B9


class Step(NamedTuple):
    """A change by others: the exchange that is the first to show it, and the places that get it for a floor.

    ``floors`` are the object that was changed, its collection, and what else shows it; all below it too, where it came
    or went. A session that is served an
    exchange of this number or a later one at one of these places, or below the object, gets nothing earlier at any of
    them.
    """

    number: ExchangeNumber
    floors: tuple[int, ...]


class Standing(NamedTuple):
    """Where an exchange stands, as it is compiled.

    It answers in each of ``states``: none where it answers nothing, or in any state, several where its answer fits
    several. ``done`` is what a write changes. ``step`` is the number of the last exchange, up to this one, that showed
    a change by others of what this one shows or could show. ``with_`` and ``without`` are the writes in which its state
    differs from that of all writes with lower numbers. ``nth`` tells of a create how many others made members of its
    collection before.
    """

    role: Role
    where: Where
    states: tuple[int, ...]
    done: Done | None = None
    step: ExchangeNumber = NO_EXCHANGE
    with_: tuple[ExchangeNumber, ...] = ()
    without: tuple[ExchangeNumber, ...] = ()
    nth: int = 0

    def shows(self, write: ExchangeNumber, number: ExchangeNumber) -> bool:
        """Tell whether a write was done for the exchange of this number, which stands here, or is that itself."""
        return write == number or self.follows(write, number)

    def follows(self, write: ExchangeNumber, number: ExchangeNumber) -> bool:
        """Tell whether a write was done for the exchange of this number, which stands here."""
        return write in self.with_ or (write < number and write not in self.without)


def with_siblings(standings: Iterable[Standing]) -> list[Standing]:
    """Count for each create the ones in its collection that come before it."""
    made: Counter[int] = Counter()
    counted = []
    for one in standings:
        found = one
        if one.done is not None and one.done.effect is Effect.MAKES:
            found = one._replace(nth=made[one.done.touched[0]])
            made[one.done.touched[0]] += 1
        counted.append(found)
    return counted
