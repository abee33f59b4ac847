"""How far the upstream's clock is ahead of ours, which moments and seconds of both tell.

The second that a create set, and that of a ``Date``, each lie between when the request was sent and when its answer
came. What creates set counts first: a server in front can have another clock. Where nothing says otherwise the clocks
are one, and where what was seen fits no one distance, as with a clock that was set meanwhile, half of it lies on each
side.
"""

from chatproxy.core.time.timestamps import SECOND

_HELD = 1001
"""Of how many seconds the one in the middle is looked for."""


class _Distance:
    """What seconds tell of how far the other clock is ahead."""

    def __init__(self) -> None:
        self._least: int | None = None
        self._most = 0
        self._middles: list[int] = []

    def learn(self, second: int, asked: int, answered: int) -> None:
        least, most = second - answered, second + SECOND - asked
        self._least, self._most = (
            (least, most) if self._least is None else (max(self._least, least), min(self._most, most))
        )
        if len(self._middles) < _HELD:
            self._middles.append((least + most) // 2)

    def value(self) -> int | None:
        """Return the distance in microseconds, the nearest to none that fits; None where nothing was seen."""
        if self._least is None:
            return None
        if self._least <= self._most:
            return min(max(0, self._least), self._most)
        return sorted(self._middles)[len(self._middles) // 2]


class UpstreamClock:
    """The upstream's clock, by what was seen of it."""

    def __init__(self) -> None:
        self._creates = _Distance()
        self._dates = _Distance()

    def created(self, moment: int, asked: int, answered: int) -> None:
        """Take in what moment a create set, which was sent and answered at these moments of our clock."""
        self._creates.learn(moment // SECOND * SECOND, asked, answered)

    def dated(self, moment: int, asked: int, answered: int) -> None:
        """Take in the moment of a ``Date``, likewise."""
        self._dates.learn(moment, asked, answered)

    @property
    def wants_dates(self) -> bool:
        """Whether a ``Date`` can count: not after a create."""
        return self._creates.value() is None

    @property
    def ahead(self) -> int:
        """How many microseconds it is ahead."""
        return next((found for one in (self._creates, self._dates) if (found := one.value()) is not None), 0)
