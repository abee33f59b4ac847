"""Start and memory: how long until the first answer, and what a replay holds."""

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile

import servers
import stores
import workload
from load import put
from replaying import check_some, primed, replayed
from rounds import Line, Say, Size, paired, ratio
from servers import LOAD_CORE, children_cpu, pinned
from stores import stored, unlisted

AUTHORIZED = {"Authorization": workload.AUTHORIZATION}


@dataclass(frozen=True, slots=True)
class Start:
    """How long it took from a server's start to its first answer, and how much CPU."""

    seconds: float
    cpu: float


def first_answer(command: Callable[[int], list[object]], path: str) -> Start:
    """Start a server, and end it when it has answered once."""
    port = servers.free_port()
    begun = time.perf_counter()
    server = servers.start(command(port), port)
    try:
        status, body = servers.wait_for_answer(server, path, AUTHORIZED)
        took = Start(time.perf_counter() - begun, server.cpu)
        assert status == 200, (status, body)
    finally:
        server.kill()
        server.log.unlink()
    return took


def sizes(largest: int) -> list[int]:
    """Return the numbers of exchanges that starts are measured with."""
    return [count for count in (1, 1_000, 100_000, 1_000_000) if count < largest] + [largest]


def starting(size: Size, say: Say) -> Iterator[Line]:
    """Start replays of cassettes of several sizes."""
    contestants: dict[str, Callable[[], Start]] = {}
    with NamedTemporaryFile(suffix=".body") as file, pinned(LOAD_CORE):
        file.write(workload.fetch(0, 1).answer)
        file.flush()
        body = Path(file.name)
        for count in sizes(size.huge):
            cassette = stores.fetches_of(count)
            store, path = stored(cassette, say), unlisted(count).target
            contestants[f"start, {count:,} exchange{'s' * (count > 1)}"] = _started(store, cassette.name, path)
        contestants["bare"] = lambda: first_answer(lambda port: servers.bare(port, 200, body), "/")
        for start in contestants.values():
            start()  # files are read once
        taken = paired(2 * size.rounds + 1, contestants)
    bare = taken.pop("bare")
    for name, several in taken.items():
        (ours, our_cpu), (theirs, their_cpu) = (
            ([one.seconds for one in starts], [one.cpu for one in starts]) for starts in (several, bare)
        )
        shown = [f"{median(one):.3f} s" for one in (ours, theirs)]
        by_cpu = ratio(our_cpu, their_cpu)
        yield Line(
            name, ratio(ours, theirs), "× bare", 1.3, at_least=False, ours=shown[0], other=shown[1], by_cpu=by_cpu
        )
    cpu = median(_version() for _ in range(2 * size.rounds + 1))
    yield Line("`chatproxy --version`", cpu, "s of CPU", 0.1, at_least=False, ours=f"{cpu:.3f} s", other="")


def _started(store: Path, name: str, path: str) -> Callable[[], Start]:
    return lambda: first_answer(lambda port: servers.replay(store, name, port), path)


def _version() -> float:
    before = children_cpu()
    subprocess.run([str(part) for part in servers.chatproxy("--version")], check=True, stdout=subprocess.DEVNULL)
    return children_cpu() - before


def holding(size: Size, say: Say) -> Iterator[Line]:
    """Look at the private memory of a replay after its start, and while it is loaded with many requests."""
    cassette = stores.fetches_of(size.huge)
    listed = stores.listed_of(size.huge)
    with replayed(cassette, say) as replay:
        begun = replay.server.private_memory
        oracle, asked, jobs = primed(replay, listed, 10_000)
        seen = [(0, replay.server.private_memory)]
        while seen[-1][0] < size.flat:
            load = put(replay.server, jobs, size.seconds)
            replay.counted += load.requests
            seen.append((replay.counted, replay.server.private_memory))
        check_some(replay, oracle, asked)
    jobs.file.unlink()
    work = f"memory, {size.huge:,} exchanges"
    yield Line(work, begun, "MB", 70, at_least=False, ours=f"{begun:.1f} MB")
    tenth = next(memory for count, memory in seen if count >= size.flat / 10)
    grown = seen[-1][1] - tenth
    shown = f"{tenth:.1f} MB, then {seen[-1][1]:.1f} MB"
    work = f"more memory after {seen[-1][0]:,} requests than after a tenth of them"
    yield Line(work, grown, "MB", 2, at_least=False, ours=shown)
    most = max(memory for _, memory in seen)
    yield Line("memory under load", most, "MB", 70, at_least=False, ours=f"{most:.1f} MB at most")
