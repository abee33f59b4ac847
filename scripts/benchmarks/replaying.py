"""The hot path: what a replay serves, against an application that serves constant bytes of that size."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile

import checks
import servers
import stores
import workload
from checks import Client, Oracle
from load import Load, Work, Wrong, put, work
from rounds import Line, Say, Size, paired, ratio
from servers import Server
from stores import Cassette, stored
from workload import Asked

CREATES = 1_000
"""How many messages a session of the creating program makes."""

HEALTH = "/__chatproxy/health"


@dataclass
class Replay:
    """A replay that is loaded, and how many answers the load counted."""

    server: Server
    counted: int = 0

    def put(self, asked: Work, seconds: float, connections: int = 32) -> Load:
        """Load it."""
        load = put(self.server, asked, seconds, connections)
        self.counted += load.requests
        return load

    def end(self) -> None:
        """Stop it; raises Wrong unless all answers were hits."""
        checks.check_outcomes(self.server.stop(), self.counted)


@contextmanager
def replayed(cassette: Cassette, say: Say) -> Iterator[Replay]:
    """Replay a cassette while the block lasts; raises Wrong unless all answers were hits."""
    store = stored(cassette, say)
    port = servers.free_port()
    with servers.running(servers.replay(store, cassette.name, port), port, path=HEALTH) as server:
        replay = Replay(server)
        yield replay
        replay.end()


@contextmanager
def bare(answer: bytes, status: int = 200) -> Iterator[Server]:
    """Run the application that answers with these bytes."""
    with NamedTemporaryFile(suffix=".body") as file:
        file.write(answer)
        file.flush()
        port = servers.free_port()
        with servers.running(servers.bare(port, status, Path(file.name)), port) as server:
            yield server


def primed(replay: Replay, total: int, some: int | None = None) -> tuple[Oracle, list[Asked], Work]:
    """List all messages, or the first, so that the session has their SIDs, and return what to ask in which order."""
    client = Client(replay.server.port)
    shown = islice(workload.pages(total), some and -(-some // workload.PAGE))
    oracle = checks.learn_lists(client, shown, every=10)
    client.close()
    asked = [workload.fetch(index, total) for index in range(min(total, some or total))]
    random.Random(2).shuffle(asked)
    return oracle, asked, work((one.method, oracle.target(one), b"") for one in asked)


def check_some(replay: Replay, oracle: Oracle, asked: list[Asked], count: int = 100) -> None:
    """Compare some answers byte for byte."""
    client = Client(replay.server.port)
    for one in checks.sample(asked, count):
        oracle.check(client, one)
    client.close()


def watching(oracle: Oracle, asked: list[Asked]) -> Callable[[Client, random.Random], None]:
    """Return what compares any one answer byte for byte."""
    return lambda client, chance: oracle.check(client, chance.choice(asked))


def fetching(total: int, size: Size, say: Say) -> Iterator[Line]:
    """Fetch messages of which so many are recorded, in random order."""
    cassette = stores.fetches(total)
    with replayed(cassette, say) as ours, bare(workload.fetch(0, total).answer) as constant:
        oracle, asked, jobs = primed(ours, total)
        check_some(ours, oracle, asked)
        ours.put(jobs.once(), 0)  # every cache has been asked once
        put(constant, jobs, 1)
        loads = _watched_pair(ours, constant, watching(oracle, asked), jobs, size)
        yield versus(f"fetch among {total:,}", loads, 1.8)
        if total == 1_000:
            alone = paired(
                size.rounds,
                {"ours": lambda: ours.put(jobs, size.seconds, 1), "bare": lambda: put(constant, jobs, size.seconds, 1)},
            )
            yield latency("one connection, p50", alone, "p50")
            yield latency("one connection, p99", alone, "p99")
        check_some(ours, oracle, asked)
    jobs.file.unlink()


def fetching_cold(total: int, size: Size, say: Say) -> Iterator[Line]:
    """Fetch each message once from a replay just started: nothing that is asked for has been asked for before."""
    cassette = stores.fetches(total)

    def ours() -> Load:
        with replayed(cassette, say) as replay:
            oracle, asked, jobs = primed(replay, total)
            load = replay.put(jobs.once(), 0)
            check_some(replay, oracle, asked)
            jobs.file.unlink()
            return load

    def constant() -> Load:
        jobs = work(("GET", workload.fetch(index, total).target, b"") for index in range(total))
        with bare(workload.fetch(0, total).answer) as server:
            load = put(server, jobs.once(), 0)
            jobs.file.unlink()
            return load

    yield versus(f"fetch among {total:,}, caches cold", paired(size.rounds, {"ours": ours, "bare": constant}), 1.1)


def listing(size: Size, say: Say) -> Iterator[Line]:
    """List 50 messages of one channel again and again."""
    one = workload.channel_list(0)
    with replayed(stores.lists(size.channels), say) as ours, bare(one.answer) as constant:
        client = Client(ours.server.port)
        oracle = checks.learn_lists(client, iter([one]))
        client.close()
        jobs = work([(one.method, one.target, b"")])
        ours.put(jobs, 1)
        put(constant, jobs, 1)
        yield versus("list of 50 messages", _watched_pair(ours, constant, watching(oracle, [one]), jobs, size), 1.4)
        check_some(ours, oracle, [one])
    jobs.file.unlink()


def listing_cold(size: Size, say: Say) -> Iterator[Line]:
    """List 50 messages of each of many channels, each once, from a replay just started."""
    everything = [workload.channel_list(number) for number in range(size.channels)]
    jobs = work((one.method, one.target, b"") for one in everything)

    def ours() -> Load:
        with replayed(stores.lists(size.channels), say) as replay:
            load = replay.put(jobs.once(), 0)
            client = Client(replay.server.port)
            checks.learn_lists(client, iter(checks.sample(everything, 50)))
            client.close()
            return load

    def constant() -> Load:
        with bare(everything[0].answer) as server:
            return put(server, jobs.once(), 0)

    yield versus("list of 50 messages, caches cold", paired(size.rounds, {"ours": ours, "bare": constant}), 0.45)
    jobs.file.unlink()


def creating(size: Size, say: Say) -> Iterator[Line]:
    """Create messages; each pass through the recorded ones is a session of its own."""
    everything = list(workload.creates(CREATES))
    jobs = work(((one.method, one.target, one.body) for one in everything), "passes")
    with replayed(stores.creates(CREATES), say) as ours, bare(everything[0].answer, 201) as constant:
        begun = 0

        def ours_once() -> Load:
            nonlocal begun
            load = ours.put(Work(jobs.file, jobs.count, jobs.mode, begun), size.seconds)
            begun += load.passes
            return load

        ours_once()
        put(constant, jobs, 1)
        with checks.watched(create_in_new_session(), ours.server.port):
            loads = paired(size.rounds, {"ours": ours_once, "bare": lambda: put(constant, jobs, size.seconds)})
        yield versus("create", loads, 1.0)
        create_in_new_session("after")(Client(ours.server.port), random.Random())
    jobs.file.unlink()


def create_in_new_session(prefix: str = "watch") -> Callable[[Client, random.Random], None]:
    """Return what creates a few messages in a session of its own and compares them, and their SIDs with the last's."""
    number, before = 0, set[str]()

    def check(client: Client, _: random.Random) -> None:
        nonlocal number, before
        number += 1
        own = Client(int(client.origin.rpartition(":")[2]), f"{prefix}-{number}")
        made = checks.check_creates(own, 3).keys()
        own.close()
        if before & made:
            raise Wrong(f"two sessions were served the same SIDs: {before & made}")
        before = set(made)

    return check


def versus(name: str, loads: dict[str, list[Load]], goal: float) -> Line:
    """Return the line of a rate that is to be so many times the other's."""
    (mine, ours), (other, theirs) = loads.items()
    del mine
    return Line(
        name,
        ratio([load.rate for load in ours], [load.rate for load in theirs]),
        f"× {other}",
        goal,
        ours=shown_rate(ours),
        other=shown_rate(theirs),
        by_cpu=ratio([load.cpu for load in theirs], [load.cpu for load in ours]),
    )


def shown_rate(loads: list[Load]) -> str:
    """Return a rate, and the CPU that one request took, as the table shows them."""
    return f"{median(load.rate for load in loads):,.0f}/s, {median(load.cpu for load in loads):,.0f} µs"


def latency(name: str, loads: dict[str, list[Load]], which: str) -> Line:
    """Return the line of a latency that is to be no more than the other's."""
    ours, theirs = ([getattr(load, which) for load in several] for several in loads.values())
    shown = [f"{median(several):,.0f} µs" for several in (ours, theirs)]
    return Line(name, ratio(ours, theirs), "× bare", 1.0, at_least=False, ours=shown[0], other=shown[1])


def _watched_pair(
    ours: Replay, constant: Server, check: Callable[[Client, random.Random], None], jobs: Work, size: Size
) -> dict[str, list[Load]]:
    def ours_once() -> Load:
        with checks.watched(check, ours.server.port):
            return ours.put(jobs, size.seconds)

    return paired(size.rounds, {"ours": ours_once, "bare": lambda: put(constant, jobs, size.seconds)})
