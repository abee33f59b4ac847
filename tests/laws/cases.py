"""One case of each law, by its seed: a program is recorded, replayed or changed, and what is wrong is told.

A case returns nothing if all is well, else one line for each thing that is not, with a word for its kind in front.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from laws import oracle
from laws.agents import PYTHON
from laws.changes import changed, reordered
from laws.clients import Choices, Log, Polls, Runner
from laws.compare import backwards, difference, exchange_of, reason, times, versions
from laws.files import Source, exported, imported
from laws.programs import COLLIDING, Handles, Op, contended, threads
from laws.runs import BEGIN, NEW_YEAR, Recorded, as_recorded, record, replay, with_other_sids
from laws.scenes import QUIET, Scene, clients, clients_of, misses, recorded_in
from laws.traffic import AT_ONCE, Client, Pace
from laws.upstream import Upstream

from chatproxy.store import Store

# The same program


class Same:
    """Replays of what was recorded: from a store, with other SIDs, with more or fewer polls, from a file."""

    def __init__(self, store: Store, scene: Scene) -> None:
        self._store = store
        self._scene = scene

    def __call__(self, seed: int) -> list[str]:
        """Replay the program of a seed five times."""
        choices: Choices = {}
        program, recorded = recorded_in(self._scene, seed, choices)
        stored = recorded.stored(self._store)
        draw = Random(f"replays {seed}")
        pace = replace(AT_ONCE, sleeps=draw.choice([0, 0, 0.1, 1, 3]))
        found = []
        file = imported(exported(stored))
        late = as_recorded(recorded, NEW_YEAR)
        for name, cassette, setup in (
            ("store", stored, as_recorded(recorded)),
            ("bind", stored, with_other_sids(recorded, draw)),
            ("file", file, as_recorded(recorded)),
            ("new year", file, late),
        ):
            log = replay(cassette, clients(program), setup, draw, pace=pace)
            unequal = _unequal(recorded, log, setup.agent.address, shared=cassette is file)
            found += [f"{name}: {wrong}" for wrong in unequal]
        for name, choice in (("extra", [1, 1, 2, 3]), ("fewer", [0, 1, 1, 1])):
            log = replay(
                stored, clients(program, choices, _polls(draw, choice)), as_recorded(recorded), draw, pace=pace
            )
            allowed = {"others"} if name == "extra" else set()
            found += [f"{name}: {wrong}" for wrong in _polled(recorded, log, allowed)]
        return found


def _polls(draw: Random, choice: list[int]) -> Polls:
    def often(own: str) -> int:
        return max(draw.choice(choice), own.startswith(("poll", "react")))

    return often


def _unequal(recorded: Recorded, log: Log, address: str, *, shared: bool) -> Iterator[str]:
    """Yield what differs from the recorded answers, and what is wrong with times where nothing else is."""
    wrong = difference(recorded.log, log, PYTHON.address, address)
    if wrong:
        yield wrong
        return
    found = times(recorded.log, log, recorded.first_second, recorded.pauses())
    if found.wrong(shared=shared):
        yield f"times: {found}"


def _polled(recorded: Recorded, log: Log, allowed: set[str]) -> Iterator[str]:
    """Yield misses that claim what is not allowed, what goes back in time, and writes answered by others."""
    for entry in log:
        if entry.is_miss and oracle.claim(entry) not in allowed:
            yield f"miss: {entry.op} {entry.call.method} {entry.call.target}: {reason(entry)}"
            return
    wrong = backwards(log, versions(recorded.log, map(exchange_of, recorded.log)))
    if wrong:
        yield wrong
    if not any(entry.is_miss for entry in log) and _writes(log) != _writes(recorded.log):
        yield "differs: a write is answered by another exchange"


def _writes(log: Log) -> list[tuple[str, int]]:
    return [(entry.op, exchange_of(entry)) for entry in log if entry.call.method != "GET"]


# Changed programs


class Changed:
    """Changed programs get what a fresh upstream gives, or a miss that is true.

    That cannot be told where a source has ``renumbered`` exchanges and SIDs, as files have.
    """

    def __init__(self, scene: Scene = QUIET, source: Source = Recorded.cassette, *, renumbered: bool = False) -> None:
        self._scene = scene
        self._source = source
        self._renumbered = renumbered
        self.counts: Counter[str] = Counter()

    def __call__(self, seed: int) -> list[str]:
        """Change the program of a seed."""
        program, recorded = recorded_in(self._scene, seed)
        draw = Random(f"changes {seed}")
        ops = changed(draw, program.ops)
        setup = as_recorded(recorded)
        pace = replace(AT_ONCE, sleeps=draw.choice([0, 0.1, 1]))
        log = replay(self._source(recorded), clients_of(ops), setup, draw, pace=pace)
        judge = oracle.Judge(recorded, setup.known, setup.account, seed + 1)
        found = [judge.judge(log), None if self._renumbered else oracle.untrue(recorded, log, setup.known)]
        self.counts += judge.counts
        self.counts.update(f"claim {oracle.claim(entry)}" for entry in log if entry.is_miss)
        return [wrong for wrong in found if wrong]


class Reordered:
    """Programs in which only calls changed places that do not touch each other have no miss and no wrong answer.

    What is asked for by a name of which no answer tells the SID may be any channel, so any write there touches it; and
    channels that had one name are one place.
    """

    def __init__(self, scene: Scene = QUIET) -> None:
        self._scene = scene

    def __call__(self, seed: int) -> list[str]:
        """Reorder the program of a seed."""
        program, recorded = recorded_in(self._scene, seed)
        draw = Random(f"order {seed}")
        setup = as_recorded(recorded)
        log = replay(recorded.cassette(), clients_of(reordered(draw, program.ops)), setup, draw)
        wrong = oracle.Judge(recorded, setup.known, setup.account, seed + 1).judge(log)
        named = [op.id for op in program.ops if dict(op.pairs).get("UniqueName") == COLLIDING]
        shared = {op.id for op in program.ops if len(named) > 1 and op.channel in named}
        untold = shared | {op.id for op in program.ops if op.alias and not oracle.tells(recorded, op.alias)}
        missed = [one for one in log if one.is_miss and not (one.op in untold and oracle.claim(one) == "state")]
        return [*misses(missed), *([wrong] if wrong else [])]


# Threads


class Threads:
    """Threads with messages of their own in one channel, replayed in any order, have no miss and no wrong answer."""

    def __init__(self, count: int = 4, *, equal: bool, together: int | None = None, replays: int = 16) -> None:
        self._count = count
        self._equal = equal
        self._together = together
        self._replays = replays

    def __call__(self, seed: int) -> list[str]:
        """Record the threads of a seed, and replay them again and again."""
        draw = Random(f"threads {seed}")
        ops = threads(draw, self._count, equal=self._equal)
        begin = BEGIN + draw.randrange(10**9)

        def made(handles: Handles, log: Log, address: str) -> list[Client]:
            return [Runner(handles, log, address).ops(one) for one in ops]

        upstream = Upstream(seed, begin)
        recorded = record(upstream, made, draw, begin, pace=Pace(0.01, 0.4), together=self._together)
        cassette = recorded.cassette()
        for _ in range(self._replays):
            setup = as_recorded(recorded)
            log = replay(cassette, made, setup, draw, pace=Pace(0.001, 0.1, faults=False), together=self._together)
            wrong = oracle.Judge(recorded, setup.known, setup.account, seed + 1).judge(log)
            if found := [*misses(log), *([wrong] if wrong else [])]:
                return found
        return []


class Racing:
    """Threads that share a channel get what a fresh upstream gives, or a miss, in whatever order they replay.

    With a scene they run programs of it, without one they update the channel itself.
    """

    def __init__(self, scene: Scene | None = None, replays: int = 4) -> None:
        self._scene = scene
        self._replays = replays
        self.counts: Counter[str] = Counter()

    def _ops(self, draw: Random, seed: int) -> list[tuple[Op, ...]]:
        count = draw.choice([2, 3, 4])
        if self._scene is None:
            return contended(draw, count)
        styles = [replace(self._scene.style, prefix=f"t{nth}p") for nth in range(count)]
        return [self._scene.programs(8 * seed + nth, style).ops for nth, style in enumerate(styles)]

    def __call__(self, seed: int) -> list[str]:
        """Record some threads whose requests are in flight together, and replay them one after another."""
        draw = Random(f"races {seed}")
        ops = self._ops(draw, seed)
        begin = BEGIN + draw.randrange(10**9)

        def made(handles: Handles, log: Log, address: str) -> list[Client]:
            return [Runner(handles, log, address).ops(one) for one in ops]

        recorded = record(Upstream(seed, begin), made, draw, begin, pace=Pace(0.01, 0.4))
        cassette, setup = recorded.cassette(), as_recorded(recorded)
        for _ in range(self._replays):
            judge = oracle.Judge(recorded, setup.known, setup.account, seed + 1)
            wrong = judge.judge(replay(cassette, made, setup, draw, pace=IN_TURN))
            self.counts += judge.counts
            if wrong:
                return [wrong]
        return []


IN_TURN = Pace(0, 0, faults=False)
"""Each call is answered before the next comes."""
