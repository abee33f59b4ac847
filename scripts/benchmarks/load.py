"""The load: wrk on a core of its own, and what it saw."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from servers import LOAD_CORE, Server, pinned
from workload import AUTHORIZATION

HERE = Path(__file__).parent
INSTALL = "wrk, which makes the load, is not installed: `apt-get install wrk` on Debian and Ubuntu"


class Wrong(Exception):
    """An answer that is not as it must be; nothing that was measured with it counts."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of the load generator saw; times are in µs, CPU is the server's for one request."""

    requests: int
    rate: float
    p50: float
    p99: float
    cpu: float
    size: float
    passes: int


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked: requests in a file, and how they are taken from there (see ``load.lua``)."""

    file: Path
    count: int
    mode: str = "random"
    number: int = 0

    def once(self) -> "Work":
        """Return the same with each request asked once."""
        return Work(self.file, self.count, "once", self.number)


def work(requests: Iterable[tuple[str, str, bytes]], mode: str = "random", number: int = 0) -> Work:
    """Write requests (method, target, body) to a file."""
    with tempfile.NamedTemporaryFile("w", suffix=".requests", delete=False) as file:
        count = 0
        for method, target, body in requests:
            file.write(f"{method}\t{target}\t{body.decode()}\n")
            count += 1
    return Work(Path(file.name), count, mode, number)


def is_installed() -> bool:
    """Tell whether there is a load generator."""
    return shutil.which("wrk") is not None


def put(server: Server, asked: Work, seconds: float, connections: int = 32) -> Load:
    """Load a server; raises Wrong for any answer that is no 2xx, and any that does not come."""
    longest = 600 if asked.mode == "once" else max(1, round(seconds))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{longest}s", "--timeout", "60s", "-s", HERE / "load.lua"]
    command += [f"http://127.0.0.1:{server.port}", "--", asked.file, asked.mode, asked.number, AUTHORIZATION]
    before = server.cpu
    with pinned(LOAD_CORE):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    cpu = server.cpu - before
    if done.returncode or "RESULT " not in done.stdout:
        raise Wrong(f"wrk failed: {done.stdout}{done.stderr}")
    seen = json.loads(done.stdout.partition("RESULT ")[2])
    bad = {kind: seen[kind] for kind in ("connect", "read", "write", "status", "timeout") if seen[kind]}
    if bad or not seen["requests"]:
        log = server.log.read_text("utf-8", "replace")[-1000:]
        raise Wrong(f"of {seen['requests']} answers of {server.process.args} these are wrong: {bad}; {log}")
    if asked.mode == "once" and not seen["once"]:
        raise Wrong(f"{asked.count} requests were not answered in {longest} s")
    measured = asked.count / seen["once"] if asked.mode == "once" else seen["requests"] / seen["seconds"]
    return Load(
        seen["requests"],
        measured,
        seen["p50"],
        seen["p99"],
        cpu / seen["requests"] * 1e6,
        seen["bytes"] / seen["requests"],
        seen["passes"],
    )
