"""Processes that are forked from one that has loaded their program already; see ``fork_server``."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, TypedDict, Unpack

from chatproxy.cli.main import COMMANDS

Stream = int | IO[bytes]

_SERVER = Path(__file__).with_name("fork_server.py")
_CHATPROXY = (
    *("chatproxy.cli:main", *(f"chatproxy.cli.{home}" for home in COMMANDS)),
    *("chatproxy.serve.hosting", "chatproxy.serve.listen", "chatproxy.runs.attempt", "chatproxy.cassettes.transfer"),
    "chatproxy.show.run_report",
)
_MITMDUMP = ("mitmproxy.tools.main:mitmdump", "chatproxy.mitm.addon", "chatproxy.cassettes.transfer")


class Run(TypedDict):
    """Where and with what a process runs; an error stream of ``subprocess.STDOUT`` is the output's."""

    cwd: Path
    env: Mapping[str, str]
    stdout: Stream
    stderr: Stream


class Forked:
    """A process, used as one of ``subprocess``; it has ``returncode`` when its end was seen."""

    def __init__(self, pid: int, asked: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._asked = asked

    def poll(self) -> int | None:
        """Return its exit status if it has ended."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and return its exit status, -n for signal n."""
        if self.returncode is None:
            self._asked.settimeout(timeout)
            try:
                told = self._asked.recv(100)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired("a forked process", timeout or 0) from None
            assert told, "the process that forks has died"
            self.returncode = int(told)
            self._asked.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Let it crash."""
        self.send_signal(signal.SIGKILL)


def chatproxy(arguments: Sequence[object], **run: Unpack[Run]) -> Forked:
    """Run the command in a process of its own. Of what it starts, coverage is measured in mitmproxy only."""
    if "--intercept" not in arguments:
        run["env"] = {name: value for name, value in run["env"].items() if not name.startswith("COVERAGE_")}
    return _forked(_CHATPROXY, ["chatproxy", *arguments], **run)


def mitmdump(arguments: Sequence[object], **run: Unpack[Run]) -> Forked:
    """Run mitmproxy's command without a console in a process of its own."""
    return _forked(_MITMDUMP, ["mitmdump", *arguments], **run)


def _forked(program: tuple[str, ...], command: Sequence[object], **run: Unpack[Run]) -> Forked:
    sys.audit("forks.Forked", command)
    ours, theirs = socket.socketpair()
    out = _descriptor(run["stdout"])
    err = out if run["stderr"] == subprocess.STDOUT else _descriptor(run["stderr"])
    request = {"command": list(map(str, command)), "cwd": str(run["cwd"]), "env": dict(run["env"])}
    with theirs, open(os.devnull, "rb") as nothing:
        passed = [nothing.fileno(), out, err, theirs.fileno()]
        socket.send_fds(_server(program).requests, [json.dumps(request).encode()], passed)
    return Forked(int(ours.recv(100)), ours)


def _descriptor(stream: Stream) -> int:
    return stream if isinstance(stream, int) else stream.fileno()


@dataclass(frozen=True)
class _Server:
    requests: socket.socket
    process: subprocess.Popen[bytes]


@cache
def _server(program: tuple[str, ...]) -> _Server:
    """Start a process that forks this program; it ends when the other end of its socket is closed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, str(_SERVER), str(theirs.fileno()), *program]
        made = _Server(ours, subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL))
    atexit.register(_end, made)
    return made


def _end(server: _Server) -> None:
    """Let it end, and wait for that: it has something to write if coverage is measured."""
    server.requests.close()
    server.process.wait()
