"""How the instants of a cassette are written in a fixture.

Each stands as many seconds after the begin as its rank says. What is older than the recording stands before the begin:
one that is hours old stays so many hours old, to the hour, so that it does not matter how long after its making the
recording began; others of the same hour stand a second before the next one each, as all do that are younger.
"""

from collections.abc import Iterable
from functools import cached_property

from chatproxy.core.time.stamps import Stamp
from chatproxy.core.time.timestamps import CANONICAL_BEGIN, SECOND

_HOUR = 3600


class Calendar:
    """The written moments of a cassette, ``later`` by so many ranks; it must have learnt all before it is asked."""

    def __init__(self, later: int = 0) -> None:
        self._later = later
        self._ranks: dict[int, int] = {}

    def learn(self, packed: bytes) -> None:
        """Take in the argument of an instant's slot."""
        stamp = Stamp.unpack(packed)
        self._ranks[stamp.moment] = stamp.instant.rank

    def shows(self, recorded: int) -> bool:
        """Tell whether any answer shows a recorded moment."""
        return recorded in self._ranks

    def moment(self, recorded: int) -> int:
        """Return how a recorded moment is written that an answer shows."""
        rank = self._ranks[recorded]
        part = recorded % SECOND if rank < 0 else 0
        return CANONICAL_BEGIN + self._old.get(rank, rank + self._later) * SECOND + part

    @property
    def ended(self) -> int:
        """How many ranks there are, up to the last one."""
        return self._later + max(self._ranks.values(), default=-1) + 1

    @cached_property
    def _old(self) -> dict[int, int]:
        return old_seconds(self._ranks.values())


def old_seconds(ranks: Iterable[int]) -> dict[int, int]:
    """Return where those of these ranks stand that are less than 0: how many seconds before the begin."""
    found: dict[int, int] = {}
    last = 0
    for rank in sorted({rank for rank in ranks if rank < 0}, reverse=True):
        last = found[rank] = min(-(-rank // _HOUR) * _HOUR, last - 1)
    return found
