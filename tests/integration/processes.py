"""The real command in processes of its own: started, awaited by its ready file, and stopped as a user would."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import forks
from cli.commands import within
from forks import Forked

PATIENCE = 30.0
"""Seconds that a process gets to start or to end; only a hanging one needs as many."""

WITHOUT_PLUGINS = tuple(f"-pno:{plugin}" for plugin in ("aiohttp", "asyncio", "hypothesispytest", "timeout"))
"""Options of a pytest that leave out what takes three quarters of its start and no user of chatproxy has to have."""

_LEFT_OUT = ("TWILIO_", "CHATPROXY_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NODE_")


def environment() -> dict[str, str]:
    """Return the environment without whatever would lead a client or the command elsewhere.

    What a Python program prints to a file or a pipe, as mitmdump its log, stands there at once. A pytest does not load
    plugins that only chatproxy's own tests need.
    """
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_LEFT_OUT)}
    return kept | {"PYTHONUNBUFFERED": "1", "PYTEST_ADDOPTS": " ".join(WITHOUT_PLUGINS)}


def unmeasured() -> dict[str, str]:
    """Return that environment for a program that is not chatproxy: measuring coverage would double its start."""
    return {name: value for name, value in environment().items() if not name.startswith("COVERAGE_")}


Process = subprocess.Popen[bytes] | Forked


@dataclass
class Server:
    """A command that serves at ``url``; what it writes goes to a file."""

    process: Process
    url: str
    log: Path

    @property
    def port(self) -> int:
        """The port that was free."""
        return int(self.url.rpartition(":")[2])

    @property
    def output(self) -> str:
        """All that the process has written so far."""
        return self.log.read_text()

    def stop(self) -> str:
        """End it as a service manager does, and return what it wrote; its exit status must be 0."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> str:
        """Wait for its end, and return what it wrote; its exit status must be 0."""
        assert self.process.wait(PATIENCE) == 0, self.output
        return self.output

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def count(self, outcome: str) -> int:
        """Return how many answers of this outcome it says to have given; it must have ended."""
        ended = self.output.splitlines()[-1].partition(" ended: ")[2]
        counts = [one.split(" ", 1) for one in ended.split(", ")]
        return next((int(count) for count, counted in counts if counted == outcome), 0)


@dataclass(frozen=True)
class Workplace:
    """A folder in which commands run; the store is where it is by default.

    What serves has a process of its own: a forked one, or with ``fresh`` one for which the interpreter starts.
    """

    folder: Path
    fresh: bool = False

    @property
    def store(self) -> Path:
        """The store's folder."""
        return self.folder / ".chatproxy"

    def run(self, *arguments: object, status: int = 0) -> str:
        """Run a command to its end in this process: its standard output, or its standard error if it is to fail."""
        done = within(arguments, self.folder, environment())
        assert done.returncode == status, done.stderr
        return done.stderr if status else done.stdout

    @contextmanager
    def serving(self, *arguments: object, listen: str = "127.0.0.1:0") -> Iterator[Server]:
        """Run a command that serves while the block lasts, unless the block ends it."""
        log = self._free("log")
        ready = log.with_suffix(".ready")
        with log.open("wb") as output:
            process = self._start((*arguments, "--listen", listen, "--ready-file", ready), output)
        try:
            server = Server(process, _url(process, ready, log), log)
            yield server
            if process.poll() is None:
                server.stop()
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(PATIENCE)

    def _start(self, arguments: tuple[object, ...], output: IO[bytes]) -> Process:
        if not self.fresh:
            return forks.chatproxy(
                arguments, cwd=self.folder, env=environment(), stdout=output, stderr=subprocess.STDOUT
            )
        command = [str(Path(sys.executable).with_name("chatproxy")), *map(str, arguments)]
        return subprocess.Popen(command, cwd=self.folder, env=environment(), stdout=output, stderr=subprocess.STDOUT)

    def sandbox(self, *flags: object) -> AbstractContextManager[Server]:
        """Serve the stand-in for Twilio."""
        return self.serving("sandbox", *flags)

    def record(self, name: str, upstream: str, *flags: object) -> AbstractContextManager[Server]:
        """Record a cassette of this upstream."""
        return self.serving("record", name, "--upstream", upstream, *flags)

    def replay(self, cassette: object, *flags: object, listen: str = "127.0.0.1:0") -> AbstractContextManager[Server]:
        """Replay a cassette or a fixture, with times as recorded, unless another clock is asked for."""
        clock = () if "--clock" in flags else ("--clock", "recorded")
        return self.serving("replay", cassette, *clock, *flags, listen=listen)

    def _free(self, suffix: str) -> Path:
        return self.folder / f"{len(list(self.folder.glob(f'*.{suffix}')))}.{suffix}"


def _url(process: Process, ready: Path, log: Path) -> str:
    until = time.monotonic() + PATIENCE
    while not ready.exists():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, f"not ready after {PATIENCE} s: {log.read_text()}"
        time.sleep(0.005)
    written = json.loads(ready.read_text())
    assert written["pid"] == process.pid
    return str(written["url"])
