"""Programs that are changed and run in auto: what is recorded is answered, what is missing comes from the upstream."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from laws import oracle
from laws.agents import PYTHON
from laws.changes import changed
from laws.clients import Log
from laws.compare import difference
from laws.programs import Op
from laws.resources import SECOND
from laws.runs import (
    NAME,
    RULES,
    UPSTREAM,
    Flight,
    Recorded,
    as_recorded,
    replay,
    response,
)
from laws.scenes import QUIET, Scene, clients_of, recorded_in
from laws.traffic import AT_ONCE, Call, Fault, Got, Traffic

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.engine import Engine
from chatproxy.core.model import Exchange, ExchangeNumber, Forward, is_read
from chatproxy.core.record.recorder import Recorder
from chatproxy.core.replay.session import DEFAULT, Session
from chatproxy.core.replay.sessions import Sessions

PAUSE = 3600 * SECOND


class AutoServer:
    """The engine that replays, and records what is missing, before the upstream that was recorded."""

    def __init__(self, recorded: Recorded, begin: int) -> None:
        self._recorded = recorded
        self._now = begin
        self.new: list[Exchange] = []
        cassette = recorded.cassette()
        last = max((one.number for one in recorded.exchanges), default=0)
        writes = [one.number for one in recorded.exchanges if not is_read(one.request.method)]
        recorder = Recorder(NAME, UPSTREAM, ExchangeNumber(last + 1), max(writes, default=ExchangeNumber(0)))

        def begun(name: str, restarts: int) -> Session:
            return Session(cassette, RULES, name, restarts)

        sessions = Sessions(begun, tied=DEFAULT)
        self._engine = Engine(UPSTREAM, lambda: self._now, sessions=sessions, recorder=recorder)

    def ask(self, call: Call, now: int) -> Flight:
        """Let the engine decide."""
        self._now = now
        return Flight(call, self._engine.on_request(PYTHON.request(call, self._recorded.account)))

    def process(self, token: Flight, fault: Fault | None, now: int) -> None:
        """Let the upstream do it, if it is put to it."""
        if isinstance(token.decided, Forward):
            request = token.decided.request
            given = self._recorded.upstream.answer(request.method, request.target.decode(), request.body, now)
            token.answer = response(given)

    def answer(self, token: Flight, now: int, *, gone: bool) -> Got:
        """Keep the exchange, if there is one, and let the client have its answer."""
        self._now = now
        if not isinstance(token.decided, Forward):
            answer: Any = token.decided
            return Got(answer.status, answer.headers, answer.body, now)
        assert token.answer is not None
        answer, exchange = self._engine.on_response(token.decided, token.answer)
        assert exchange is not None
        self._engine.on_kept(token.decided, exchange)
        self.new.append(exchange)
        return Got(answer.status, answer.headers, answer.body, now)


class Extended:
    """A changed program that is run in auto gets what a fresh upstream gives, or a miss.

    Where it had none, it has none either when it is replayed afterwards, and gets the same answers.
    """

    def __init__(self, scene: Scene = QUIET) -> None:
        self._scene = scene
        self.counts: Counter[str] = Counter()

    def __call__(self, seed: int) -> list[str]:
        """Change the program of a seed, run it in auto, and replay it."""
        program, recorded = recorded_in(self._scene, seed)
        draw = Random(f"extended {seed}")
        ops = more(draw, program.ops, self._scene, seed)
        begin = max((one.answered for one in recorded.exchanges), default=recorded.begin) + PAUSE
        server, log = AutoServer(recorded, begin), Log()
        runs = clients_of(ops)
        Traffic(server, draw, begin, AT_ONCE).run(runs(dict(recorded.known), log, PYTHON.address))
        judge = oracle.Judge(recorded, recorded.known, recorded.account, seed + 1)
        if wrong := judge.judge(log):
            return [wrong]
        self.counts += judge.counts
        self.counts["recorded"] += len(server.new)
        if any(entry.is_miss for entry in log):
            self.counts["programs with misses"] += 1
            return []
        self.counts["programs replayed"] += 1
        cassette = MemoryCassette(NAME, [*recorded.exchanges, *server.new], RULES)
        again = replay(cassette, runs, as_recorded(recorded), draw)
        if unequal := difference(log, again, PYTHON.address, PYTHON.address):
            return [f"again: {unequal}"]
        return []


def more(draw: Random, ops: Sequence[Op], scene: Scene, seed: int) -> tuple[Op, ...]:
    """Return a program with other calls at its end or anywhere, with other values, or changed otherwise."""
    found = list(changed(draw, ops) if draw.random() < 0.5 else ops)
    other = list(scene.programs(seed + 10**6, replace(scene.style, prefix="n")).ops)
    if draw.random() < 0.4:
        return (*found, *other)
    at = sorted(draw.randrange(len(found) + 1) for _ in other)
    for nth, place in enumerate(at):
        found.insert(place + nth, other[nth])
    return tuple(found)
