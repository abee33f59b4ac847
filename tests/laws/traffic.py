"""Clients on their way to a server and back, by a clock of its own: requests are in flight together, and get lost.

A client is a generator that yields what it asks for and is sent what it got. Nothing waits: moments are taken from a
queue of events. It imports nothing of the package.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from enum import Enum
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Generic, Protocol, TypeVar

from laws.resources import SECOND


class Fault(Enum):
    """What goes wrong with a call: its status where the service says so, and whether it is done nonetheless."""

    UNAVAILABLE = 503
    BUSY = 429
    BROKEN = 500
    """It is done, and the answer says that it failed."""
    LOST = 1
    """It is done, and the client has given up before the answer comes."""
    LATE = 2
    """It reaches the service long after the client has given up."""

    @property
    def is_lost(self) -> bool:
        """Whether the client never sees the answer."""
        return self in {Fault.LOST, Fault.LATE}


@dataclass(frozen=True, slots=True)
class Call:
    """A call as a program means it; ``pairs`` are its form."""

    method: str
    target: str
    pairs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What a client does next: it sleeps for so many seconds, then calls."""

    sleep: float
    call: Call
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Got:
    """What a client gets, and when."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    moment: int


Client = Generator[Step, Got, None]
Token = TypeVar("Token")


class Server(Protocol[Token]):
    """Where calls go. What ``ask`` returns stands for the call until its answer is there."""

    def ask(self, call: Call, now: int) -> Token:
        """Take a call in."""
        ...

    def process(self, token: Token, fault: Fault | None, now: int) -> None:
        """Do what it asks for."""
        ...

    def answer(self, token: Token, now: int, *, gone: bool) -> Got:
        """Return what the client gets, or would get that is gone."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast things go: seconds of a way there and back together, how long sleeps are, how long clients wait."""

    least: float = 0.01
    most: float = 0.05
    sleeps: float = 1.0
    patience: float = 0.5
    faults: bool = True


AT_ONCE = Pace(0.001, 0.002, faults=False)
"""As a replay answers: at once, and nothing goes wrong."""


@dataclass(slots=True)
class _Flight(Generic[Token]):
    client: Client
    step: Step
    token: Token | None = None
    back: int = 0


class Traffic(Generic[Token]):
    """Lets clients run against a server, at most ``together`` of them at the same time."""

    def __init__(self, server: Server[Token], draw: Random, begin: int, pace: Pace) -> None:
        self._server = server
        self._draw = draw
        self._pace = pace
        self.now = begin
        self._nth = count()
        self._queue: list[tuple[int, int, str, _Flight[Token]]] = []

    def run(self, clients: Sequence[Client], together: int | None = None) -> int:
        """Run all clients to their ends, and return when the last answer came."""
        waiting = list(clients)
        for _ in range(together or len(waiting)):
            self._begin(waiting)
        while self._queue:
            self.now, _, event, flight = heappop(self._queue)
            if event == "ask":
                self._ask(flight)
            elif event == "process":
                fault = flight.step.fault if self._pace.faults else None
                assert flight.token is not None
                self._server.process(flight.token, fault, self.now)
                self._push(flight.back, "answer", flight)
            else:
                self._answer(flight, waiting)
        return self.now

    def _begin(self, waiting: list[Client]) -> None:
        """Let the next client begin that has anything to ask for."""
        while waiting:
            client = waiting.pop(0)
            step = next(client, None)
            if step is not None:
                self._send(client, step, self._random(0, 0.01))
                return

    def _send(self, client: Client, step: Step, after: int = 0) -> None:
        sleep = int(step.sleep * self._pace.sleeps * SECOND)
        self._push(after + sleep + self._random(0.0005, 0.002), "ask", _Flight(client, step))

    def _ask(self, flight: _Flight[Token]) -> None:
        flight.token = self._server.ask(flight.step.call, self.now)
        fault = flight.step.fault if self._pace.faults else None
        there, flight.back = (self._random(self._pace.least / 2, self._pace.most / 2) for _ in range(2))
        if fault is not None and fault.is_lost:
            patience = int(self._pace.patience * SECOND)
            there += self._random(1, 8) if fault is Fault.LATE else 0
            flight.back += self._random(self._pace.patience, 4)
            again = Step(0, flight.step.call)
            self._push(patience, "ask", _Flight(flight.client, again))
        self._push(there, "process", flight)

    def _answer(self, flight: _Flight[Token], waiting: list[Client]) -> None:
        gone = self._pace.faults and flight.step.fault is not None and flight.step.fault.is_lost
        assert flight.token is not None
        got = self._server.answer(flight.token, self.now, gone=gone)
        if gone:
            return
        try:
            step = flight.client.send(got)
        except StopIteration:
            self._begin(waiting)
        else:
            self._send(flight.client, step)

    def _random(self, least: float, most: float) -> int:
        return int(self._draw.uniform(least, most) * SECOND)

    def _push(self, after: int, event: str, flight: _Flight[Token]) -> None:
        heappush(self._queue, (self.now + after, next(self._nth), event, flight))
