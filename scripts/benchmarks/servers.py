"""Servers as processes of their own on a core of their own, and what they cost there."""

import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

HERE = Path(__file__).parent
PYTHON = sys.executable
PATIENCE = 120.0
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
_LEFT_OUT = ("TWILIO_", "CHATPROXY_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NODE_", "PYTHON")
"""What would lead a process elsewhere or, as PYTHONDONTWRITEBYTECODE, make it start as no installed program does."""


def environment() -> dict[str, str]:
    """Return the environment without whatever would lead a process elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(_LEFT_OUT)}


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Let processes that are started meanwhile run on this core alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def cpu(self) -> float:
        """How many seconds of CPU it and its children had."""
        return sum(_cpu(process) for process in _with_children(self.process.pid))

    @property
    def private_memory(self) -> float:
        """Its own memory in MB; files that it maps are not its own."""
        return sum(_anonymous(process) for process in _with_children(self.process.pid)) / 1024

    def stop(self) -> str:
        """End it as a service manager does, and return what it wrote."""
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE)
        self.kill()
        return self.log.read_text("utf-8", "replace")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        for process in reversed(_with_children(self.process.pid)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait()


def start(command: Sequence[object], port: int, *, core: int = SERVER_CORE, cwd: Path | None = None) -> Server:
    """Start a server, without waiting for it."""
    log = Path(tempfile.mkstemp(suffix=".log")[1])
    with log.open("wb") as output, pinned(core):
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd or log.parent,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Server(process, port, log)


@contextmanager
def running(command: Sequence[object], port: int, *, core: int = SERVER_CORE, path: str = "/") -> Iterator[Server]:
    """Run a server while the block lasts, from its first answer on, whatever that is."""
    server = start(command, port, core=core)
    try:
        wait_for_answer(server, path)
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()
        server.log.unlink()


def wait_for_answer(server: Server, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Ask until there is an answer, and return its status and body."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if server.process.poll() is not None:
            raise RuntimeError(f"{server.process.args} has ended: {server.log.read_text('utf-8', 'replace')[-2000:]}")
        connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        try:
            connection.connect()
        except OSError:
            time.sleep(0.001)
            continue
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            time.sleep(0.001)
        finally:
            connection.close()
    raise RuntimeError(f"{server.process.args} does not answer")


def children_cpu() -> float:
    """Return how many seconds of CPU all processes had that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def chatproxy(*arguments: object) -> list[object]:
    """Return the command line of chatproxy."""
    return [Path(PYTHON).with_name("chatproxy"), *arguments]


def replay(store: Path, name: str, port: int) -> list[object]:
    """Return the command that replays a cassette of a store."""
    return chatproxy("replay", name, "--store", store, "--listen", f"127.0.0.1:{port}")


def record(store: Path, port: int, upstream: int) -> list[object]:
    """Return the command that records from a port."""
    asked = f"http://127.0.0.1:{upstream}"
    return chatproxy("record", "made", "--store", store, "--listen", f"127.0.0.1:{port}", "--upstream", asked)


def bare(port: int, status: int, body: Path) -> list[object]:
    """Return the command of the application that answers with constant bytes."""
    return [PYTHON, HERE / "bare.py", port, status, body]


def forwarder(port: int, upstream: int) -> list[object]:
    """Return the command of the application that forwards and keeps nothing."""
    return [PYTHON, HERE / "forwarder.py", port, f"http://127.0.0.1:{upstream}"]


def canned(port: int, status: int, body: Path) -> list[object]:
    """Return the command of the upstream that costs next to nothing."""
    return [PYTHON, HERE / "upstream.py", port, status, body]


def _with_children(process: int) -> list[int]:
    found = [process]
    for one in found:
        with suppress(OSError):
            for thread in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (thread / "children").read_text().split())
    return found


def _cpu(process: int) -> float:
    with suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _anonymous(process: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{process}/status").read_text().partition("RssAnon:")[2].split()[0])
    return 0
