"""Measuring in pairs: each round measures every contestant, in turns, so that what slows the machine slows them all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import TypeVar

T = TypeVar("T")

Say = Callable[[str], None]
"""Shows a line to who waits."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    rounds: int
    """How many rounds each line has."""
    seconds: float
    """How long one load lasts."""
    many: int
    """How many messages the larger cassette has."""
    huge: int
    """How many exchanges the largest has."""
    channels: int
    """How many lists of 50 there are."""
    bulk: int
    """How many exchanges are imported, compiled and exported."""
    flat: int
    """After how many requests memory is looked at."""
    sessions: int
    """Up to how many sessions growth is measured."""

    @property
    def thorough(self) -> bool:
        """Whether it may take its time: with rivals that are slow to start, slow to warm up, and slow."""
        return self.many > SHORT.many


SHORT = Size(3, 1, 10_000, 10_000, 200, 2_000, 20_000, 1_000)
FULL = Size(7, 5, 100_000, 1_000_000, 2_000, 100_000, 10_000_000, 10_000)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: what was measured against what, and what is to be reached."""

    work: str
    value: float
    unit: str
    goal: float
    at_least: bool = True
    ours: str = ""
    other: str = ""
    by_cpu: float = 0.0
    """The same ratio by the CPU that an answer took, which other programs disturb less; 0 if there is none."""

    @property
    def reached(self) -> bool:
        """Whether the goal is reached."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal


@dataclass
class Results:
    """All that was measured; each part is as it was measured last."""

    command: str = ""
    machine: dict[str, str] = field(default_factory=dict)
    lines: dict[str, list[Line]] = field(default_factory=dict)
    rivals: list[dict[str, object]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    growth: dict[str, list[dict[str, float]]] = field(default_factory=dict)


def paired(rounds: int, contestants: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
    """Return what each contestant gave in each round; every other round goes backwards."""
    given: dict[str, list[T]] = {name: [] for name in contestants}
    for number in range(rounds):
        names = list(contestants) if number % 2 == 0 else list(contestants)[::-1]
        for name in names:
            given[name].append(contestants[name]())
    return given


def ratio(ours: list[float], others: list[float]) -> float:
    """Return the median of the rounds' ratios."""
    return median(mine / other for mine, other in zip(ours, others, strict=True))
