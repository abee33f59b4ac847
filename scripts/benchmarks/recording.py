"""Recording: what it costs that every answer is on disk before the client has it.

The upstream answers from memory on the load's core. The forwarder does what any proxy must, and keeps nothing.
"""

import json
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median

import checks
import servers
import workload
from checks import Client
from load import Load, Work, Wrong, put, work
from replaying import HEALTH, versus
from rounds import Line, Say, Size, paired
from servers import LOAD_CORE, Server
from stores import KEPT

from chatproxy.store import Store

Recorder = Callable[[int], AbstractContextManager[Server]]
"""Runs what records from an upstream's port."""


def recording(size: Size, mitmdump: Path | None) -> Iterator[Line]:
    """Create messages through a proxy, at 32 connections and at one."""
    jobs = work((one.method, one.target, one.body) for one in workload.creates(1_000))
    with upstream() as port:
        contestants: dict[str, Callable[[], tuple[Load, Load]]] = {
            "ours": lambda: _ours(port, jobs, size),
            "forwarder": lambda: _other(servers.forwarder, port, jobs, size),
        }
        if mitmdump is not None:
            contestants["mitmdump"] = lambda: _mitmdump(mitmdump, port, jobs, size)
        loads = paired(size.rounds, contestants)
    jobs.file.unlink()
    busy = {name: [many for many, _ in several] for name, several in loads.items()}
    yield versus("record", {name: busy[name] for name in ("ours", "forwarder")}, 0.7)
    if mitmdump is not None:
        yield versus("record, against mitmproxy", {"ours": busy["ours"], "`mitmdump -w`": busy["mitmdump"]}, 6.0)
    ours, other = ([alone.p50 for _, alone in loads[name]] for name in ("ours", "forwarder"))
    more = median(mine - theirs for mine, theirs in zip(ours, other, strict=True)) / 1000
    shown = [f"{median(several) / 1000:.2f} ms" for several in (ours, other)]
    yield Line("record, one connection, p50", more, "ms more", 1.5, at_least=False, ours=shown[0], other=shown[1])


@contextmanager
def upstream() -> Iterator[int]:
    """Run the upstream while the block lasts, and give its port."""
    with tempfile.NamedTemporaryFile(suffix=".body") as file:
        file.write(workload.create(0).answer)
        file.flush()
        port = servers.free_port()
        with servers.running(servers.canned(port, 201, Path(file.name)), port, core=LOAD_CORE):
            yield port


def _ours(upstream: int, jobs: Work, size: Size) -> tuple[Load, Load]:
    """Load a recording; after a crash, all that was answered must be in its store."""
    with recorded() as (folder, server_of):
        with server_of(upstream) as server:
            loads = _loads(server, jobs, size)
            server.kill()
        check_kept(folder, sum(load.requests for load in loads))
    return loads[1], loads[2]


@contextmanager
def recorded() -> Iterator[tuple[Path, Recorder]]:
    """Give the folder of a store, on the disk of this repository, and what records into it."""
    KEPT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=KEPT) as name:
        folder = Path(name) / "store"

        def server_of(upstream: int) -> AbstractContextManager[Server]:
            port = servers.free_port()
            return servers.running(servers.record(folder, port, upstream), port, path=HEALTH)

        yield folder, server_of


def check_kept(folder: Path, at_least: int) -> None:
    """Raise Wrong unless a killed recording has all that was answered, each exchange whole."""
    store = Store(folder)
    try:
        count, sids = 0, set[str]()
        for exchange in store.exchanges("made.partial"):
            count += 1
            if exchange.request.method == "POST":
                sids.add(json.loads(exchange.response.body)["sid"])
            else:
                at_least += 1
    finally:
        store.close()
    if count < at_least or len(sids) != count:
        raise Wrong(f"{at_least} exchanges were answered, {count} are in the store, of {len(sids)} messages")


def _other(command: Callable[[int, int], list[object]], upstream: int, jobs: Work, size: Size) -> tuple[Load, Load]:
    port = servers.free_port()
    with servers.running(command(port, upstream), port) as server:
        _, *loads = _loads(server, jobs, size)
    return loads[0], loads[1]


def _mitmdump(program: Path, upstream: int, jobs: Work, size: Size) -> tuple[Load, Load]:
    KEPT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=KEPT) as folder:

        def command(port: int, upstream: int) -> list[object]:
            mode = f"reverse:http://127.0.0.1:{upstream}"
            settings = ["--set", f"confdir={folder}/conf", "--listen-host", "127.0.0.1", "-p", port]
            return [program, "-q", "--mode", mode, *settings, "-w", Path(folder) / "flows"]

        return _other(command, upstream, jobs, size)


def _loads(server: Server, jobs: Work, size: Size) -> tuple[Load, Load, Load]:
    """Warm up, then load with many connections and with one; a client of its own looks at answers."""
    warm = put(server, jobs, 1)
    with checks.watched(_looks_right, server.port, pause=0.1):
        busy = put(server, jobs, size.seconds)
    return warm, busy, put(server, jobs, size.seconds, connections=1)


def _looks_right(client: Client, _: random.Random) -> None:
    asked = workload.create(0)
    status, body = client.ask(asked.method, asked.target, asked.body)
    message = json.loads(body)
    if status != asked.status or message["body"] != workload.text(0) or not message["url"].endswith(message["sid"]):
        raise Wrong(f"{status} {body!r}")


def check_recording(say: Say) -> None:
    """Record a few messages, kill the recording, and look at what it left."""
    with upstream() as port, recorded() as (folder, server_of):
        with server_of(port) as server:
            client = Client(server.port)
            for _ in range(20):
                _looks_right(client, random.Random())
            client.close()
            server.kill()
        check_kept(folder, 20)
    say("record: 20 answers, all in the store after a crash")
