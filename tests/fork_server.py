"""A process that has loaded a program's modules and forks for each run of it: a start without the time for loading.

Each child is a process like any other: its streams, folder, environment, arguments and signals are its own, and it ends
as Python does. What it does not show is the start of the interpreter and what is loaded when; tests of that start one.
"""

import gc
import io
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from importlib import import_module, util
from pathlib import Path
from typing import Any

SIZE = 2**18
"""Bytes of a request at most: arguments and environment."""


class Server:
    """Forks for each request, and tells each asker its child's number and then its end."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._askers: dict[int, socket.socket] = {}
        self._wake, self._woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._woken)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)

    def serve(self) -> dict[str, Any] | None:
        """Serve until nobody can ask any more; returns the request in each child."""
        channel = self._requests.fileno()
        while True:
            ready, _, _ = select.select([channel, self._wake], [], [])
            if self._wake in ready:
                os.read(self._wake, 4096)
                self._tell()
            if channel in ready:
                content, passed, _, _ = socket.recv_fds(self._requests, SIZE, 4)
                if not content:
                    return None
                pid = os.fork()
                if pid == 0:
                    self._leave(passed)
                    return dict(json.loads(content))
                for descriptor in passed[:3]:
                    os.close(descriptor)
                self._askers[pid] = socket.socket(fileno=passed[3])
                self._askers[pid].send(b"%d\n" % pid)

    def _tell(self) -> None:
        while self._askers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with self._askers.pop(pid) as asker:
                asker.send(b"%d\n" % os.waitstatus_to_exitcode(status))

    def _leave(self, passed: list[int]) -> None:
        """Keep nothing of the server in a child but its streams."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, descriptor in enumerate(passed[:3]):
            os.dup2(descriptor, number)
        for descriptor in (*passed, self._wake, self._woken):
            os.close(descriptor)
        for one in (self._requests, *self._askers.values()):
            one.close()


def become(request: dict[str, Any]) -> None:
    """Let this process have the folder, environment, arguments and streams that it would have been started with."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = request["command"]
    raw = bool(os.environ.get("PYTHONUNBUFFERED"))
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stdout = _writer(1, "strict", raw=raw, lines=os.isatty(1))
    sys.stderr = _writer(2, "backslashreplace", raw=raw, lines=True)
    for folder in filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)):
        sys.path.insert(0, folder)
        if (Path(folder) / "sitecustomize.py").exists():  # a start would run it
            spec = util.spec_from_file_location("sitecustomize", Path(folder) / "sitecustomize.py")
            assert spec is not None
            assert spec.loader is not None
            spec.loader.exec_module(util.module_from_spec(spec))


def _writer(number: int, errors: str, *, raw: bool, lines: bool) -> io.TextIOWrapper:
    buffer = open(number, "wb", buffering=0 if raw else -1, closefd=False)  # noqa: SIM115 - it is the stream
    return io.TextIOWrapper(buffer, "utf-8", errors, line_buffering=lines, write_through=raw)


def main() -> None:
    """Load the modules that are named, then serve; a child runs what the first one names, MODULE:FUNCTION."""
    channel, entry, *modules = sys.argv[1:]
    home, _, name = entry.partition(":")
    for module in (home, *modules):
        import_module(module)
    run: Callable[[], None] = getattr(sys.modules[home], name)
    gc.collect()
    gc.freeze()  # else each child's first search for garbage would copy what they all share
    request = Server(socket.socket(fileno=int(channel))).serve()
    if request is not None:
        gc.unfreeze()
        become(request)
        run()


if __name__ == "__main__":
    main()
