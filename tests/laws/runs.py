"""Recording programs with the engine, replaying them, and running them without a proxy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from laws.agents import OTHER_AGENT, PYTHON, Agent
from laws.clients import Log
from laws.programs import Handles
from laws.resources import SECOND
from laws.traffic import AT_ONCE, Call, Client, Fault, Got, Pace, Traffic
from laws.upstream import Given, Upstream
from laws.world import ACCOUNTS

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.engine import Engine
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, Forward, Request, Response
from chatproxy.core.record.recorder import Recorder
from chatproxy.core.replay.bindings import Bindings, Choice, Owner
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import Sessions
from chatproxy.core.time.session_clock import SessionClock
from chatproxy.store import Existing, Recording, Store

RULES = Rules()
NAME = "laws"
UPSTREAM = "https://chat.twilio.com"
BEGIN = 1_767_225_600 * SECOND
"""About when programs are recorded: 2026-01-01T00:00:00Z."""
LATER = 1_800_000_000 * SECOND + 250_000
"""When they are replayed, if nothing else is said."""
NEW_YEAR = 1_893_455_998 * SECOND + 400_000
"""A second and a half before 2030 begins."""


def handles_of(upstream: Upstream) -> Handles:
    """Return the SIDs that a program knows from its configuration."""
    seeds = {f"seed{nth}": sid for nth, sid in enumerate(upstream.seeds)}
    return {"service": upstream.world.service, "role": upstream.world.role, **seeds}


Clients = Callable[[Handles, Log, str], Sequence[Client]]
"""Makes the clients of one run: from what they know, into which log, by which address of the proxy."""


@dataclass(slots=True)
class Flight:
    """A call on its way through the engine."""

    call: Call
    decided: Request | Forward | Response
    answer: Response | None = None


@dataclass(slots=True)
class Recorded:
    """What a recording left: its exchanges, and what its clients got."""

    upstream: Upstream
    known: Handles
    begin: int
    exchanges: list[Exchange] = field(default_factory=list)
    log: Log = field(default_factory=list)

    @property
    def gone(self) -> set[int]:
        """The exchanges whose answers nobody waited for any more."""
        return {one.number for one in self.exchanges if one.abandoned}

    @property
    def account(self) -> str:
        """The account that recorded."""
        return self.upstream.world.account

    @property
    def first_second(self) -> int:
        """When it began, by the service's clock."""
        return (self.begin + self.upstream.quirks.ahead) // SECOND

    def pauses(self) -> list[int]:
        """Return the ends of pauses of a second or more without any request, in the service's seconds."""
        found, last = [], self.begin
        for one in sorted(self.exchanges, key=lambda one: one.asked):
            if one.asked - last >= SECOND and not one.abandoned:
                found.append((one.asked + self.upstream.quirks.ahead) // SECOND)
            last = max(last, one.answered)
        return found

    def cassette(self) -> MemoryCassette:
        """Return what was recorded as a cassette in memory."""
        return MemoryCassette(NAME, self.exchanges, RULES)

    def stored(self, store: Store, name: str = NAME) -> Cassette:
        """Return what was recorded by way of a store."""
        recording = Recording(store, name, Existing.REPLACE, 1)
        recording.put(self.exchanges)
        recording.finish(RULES, keep_empty=True)
        return store.open(name, RULES)


class RecordingServer:
    """The engine that records, before an upstream."""

    def __init__(self, recorded: Recorded, agent: Agent) -> None:
        self._recorded = recorded
        self._agent = agent
        self._now = recorded.begin
        self._engine = Engine(UPSTREAM, lambda: self._now, recorder=Recorder(NAME, UPSTREAM))

    def ask(self, call: Call, now: int) -> Flight:
        """Let the engine decide."""
        self._now = now
        return Flight(call, self._engine.on_request(self._agent.request(call, self._recorded.account)))

    def process(self, token: Flight, fault: Fault | None, now: int) -> None:
        """Let the upstream do it, or fail."""
        assert isinstance(token.decided, Forward)
        upstream, request = self._recorded.upstream, token.decided.request
        if fault in {Fault.UNAVAILABLE, Fault.BUSY}:
            token.answer = response(upstream.fail(fault.value, now))
            return
        given = upstream.answer(request.method, request.target.decode(), request.body, now)
        token.answer = response(upstream.fail(500, now) if fault is Fault.BROKEN else given)

    def answer(self, token: Flight, now: int, *, gone: bool) -> Got:
        """Keep the exchange, and let the client have its answer."""
        self._now = now
        assert isinstance(token.decided, Forward)
        assert token.answer is not None
        answer, exchange = self._engine.on_response(token.decided, token.answer, abandoned=gone)
        assert exchange is not None
        self._engine.on_kept(token.decided, exchange)
        self._recorded.exchanges.append(exchange)
        return Got(answer.status, answer.headers, answer.body, now)


def response(given: Given) -> Response:
    """Return what an upstream gives as the edge takes it in."""
    headers = tuple((name.encode(), value.encode()) for name, value in given.headers)
    return Response(given.status, given.reason.encode(), headers, given.body)


def record(
    upstream: Upstream,
    clients: Clients,
    draw: Random,
    begin: int,
    *,
    pace: Pace | None = None,
    agent: Agent = PYTHON,
    together: int | None = None,
) -> Recorded:
    """Record clients from this moment on."""
    recorded = Recorded(upstream, handles_of(upstream), begin)
    traffic = Traffic(RecordingServer(recorded, agent), draw, begin, pace or Pace())
    traffic.run(clients(dict(recorded.known), recorded.log, agent.address), together)
    return recorded


# Replay


Clock = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Setup:
    """How a session replays: whose SIDs the client has, what is bound to what, when it begins.

    ``clock`` is what the machine's clock shows at a moment.
    """

    known: Handles
    account: str
    bind: Mapping[str, str] = field(default_factory=dict)
    begin: int = LATER
    agent: Agent = PYTHON
    clock: Clock = lambda now: now


def as_recorded(recorded: Recorded, begin: int = LATER) -> Setup:
    """Replay with the recorder's own SIDs."""
    return Setup(recorded.known, recorded.account, begin=begin)


def with_other_sids(recorded: Recorded, draw: Random) -> Setup:
    """Replay with SIDs that stand for the recorded ones by ``bind``."""
    known = {name: f"{sid[:2]}{draw.getrandbits(128):032x}" for name, sid in recorded.known.items()}
    bind = {known[name]: recorded.known[name] for name in known}
    return Setup(known, next(one for one in ACCOUNTS if one != recorded.account), bind, agent=OTHER_AGENT)


class ReplayingServer:
    """The engine that replays in one session."""

    def __init__(self, cassette: Cassette, setup: Setup) -> None:
        self._setup = setup
        self._now = setup.begin

        def begin(name: str, restarts: int) -> Session:
            sids = Bindings(cassette, Choice(bind=setup.bind), Owner(name, restarts))
            return Session(cassette, RULES, name, restarts, SessionClock(self._now), sids=sids)

        self._engine = Engine(UPSTREAM, lambda: self._now, sessions=Sessions(begin, tied="default"))

    def ask(self, call: Call, now: int) -> Flight:
        """Let the engine answer."""
        self._now = self._setup.clock(now)
        return Flight(call, self._engine.on_request(self._setup.agent.request(call, self._setup.account)))

    def process(self, token: Flight, fault: Fault | None, now: int) -> None:
        """Nothing is left to do."""

    def answer(self, token: Flight, now: int, *, gone: bool) -> Got:
        """Let the client have its answer."""
        answer: Any = token.decided
        return Got(answer.status, answer.headers, answer.body, now)


def replay(
    cassette: Cassette,
    clients: Clients,
    setup: Setup,
    draw: Random,
    *,
    pace: Pace = AT_ONCE,
    together: int | None = None,
) -> Log:
    """Replay clients, and return what they got."""
    log: Log = []
    traffic = Traffic(ReplayingServer(cassette, setup), draw, setup.begin, pace)
    traffic.run(clients(dict(setup.known), log, setup.agent.address), together)
    return log


# Without a proxy


class DirectServer:
    """An upstream that is asked without a proxy: what a replay is to be like."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._number = 0

    def ask(self, call: Call, now: int) -> Flight:
        """Take a call in."""
        return Flight(call, PYTHON.request(call, self._upstream.world.account))

    def process(self, token: Flight, fault: Fault | None, now: int) -> None:
        """Let the upstream do it."""
        assert isinstance(token.decided, Request)
        request = token.decided
        given = self._upstream.answer(request.method, request.target.decode(), request.body, now)
        body = given.body.replace(f"{UPSTREAM}/v1".encode(), f"{PYTHON.address}/v1".encode())
        token.answer = replace(response(given), body=body)

    def answer(self, token: Flight, now: int, *, gone: bool) -> Got:
        """Let the client have its answer, with a number as replays have."""
        assert token.answer is not None
        self._number += 1
        number = (b"x-chatproxy-exchange", b"laws/%d" % self._number)
        return Got(token.answer.status, (*token.answer.headers, number), token.answer.body, now)


def direct(upstream: Upstream, clients: Clients, draw: Random, begin: int, *, pace: Pace = AT_ONCE) -> Log:
    """Run clients without a proxy, and return what they got."""
    log: Log = []
    traffic = Traffic(DirectServer(upstream), draw, begin, pace)
    traffic.run(clients(handles_of(upstream), log, PYTHON.address))
    return log
