"""One case of what the laws say of time: a program that goes by dates."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from laws.clients import Bot, Log
from laws.files import Source
from laws.programs import Handles
from laws.resources import SECOND
from laws.runs import BEGIN, LATER, Clock, Recorded, as_recorded, record, replay
from laws.scenes import misses
from laws.traffic import AT_ONCE, Client
from laws.upstream import Other, Upstream


def runs(draw: Random) -> Clock:
    """Let the machine's clock run."""
    return lambda now: now


def stands(draw: Random) -> Clock:
    """Let it stand, as a test does that freezes it."""
    return lambda now: LATER


def jumps(draw: Random) -> Clock:
    """Let it go on by itself, and jump now and then, ahead and back, as a test does that travels in time."""
    by = 0

    def clock(now: int) -> int:
        nonlocal by
        by += draw.choice([0, 0, 0, 1, 3, -2, 3600, -3600, 86_400, -86_400]) * SECOND
        return now + by

    return clock


class Cursors:
    """Programs that take what is newer than what they took take the same as recorded."""

    def __init__(
        self,
        kind: str,
        *,
        sleeps: float,
        clock: Callable[[Random], Clock] = runs,
        strict: bool = True,
        source: Source = Recorded.cassette,
    ) -> None:
        self._kind = kind
        self._sleeps = sleeps
        self._clock = clock
        self._strict = strict
        self._source = source

    def __call__(self, seed: int) -> list[str]:
        """Record a bot among others who write now and then, and replay it."""
        draw = Random(f"cursor {self._kind} {seed}")
        begin = BEGIN + draw.randrange(10**9)
        pause = draw.choice([1.1, 2.0, 2.0, 3.0, 0.5])
        others: list[Other] = []
        then = begin
        while then < begin + 14 * SECOND:
            then += int(draw.uniform(1, 3) * SECOND)
            others.append(Other("hi", len(others), at=then))
        bots: list[Bot] = []

        def made(handles: Handles, log: Log, address: str) -> list[Client]:
            bots.append(Bot(self._kind, handles, log, pause=pause, strict=self._strict))
            return [bots[-1].client()]

        recorded = record(Upstream(seed, begin, others=others), made, draw, begin)
        pace = replace(AT_ONCE, sleeps=self._sleeps)
        setup = replace(as_recorded(recorded), clock=self._clock(draw))
        log = replay(self._source(recorded), made, setup, draw, pace=pace)
        takes = [bot.takes for bot in bots]
        if takes[0] == takes[1]:
            return misses(log)
        return [f"takes: {takes[1]}, recorded {takes[0]}", *misses(log)]
