"""What tests of the store need: exchanges, whole recordings, other processes, missing rights, full disks."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from exchanges import numbered

from chatproxy.core.cassette.cassette import Cassette, answer_in
from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_EXCHANGE, Exchange, ExchangeNumber, LiveSid, RecordedSid, Request, Response
from chatproxy.store import Existing, Recording, Store
from chatproxy.store.environment import Environment

RULES = Rules()
PAGE = os.sysconf("SC_PAGE_SIZE")
NOBODY = 65534
_JSON = ((b"Content-Type", b"application/json"),)
_FORM = ((b"Content-Type", b"application/x-www-form-urlencoded"),)


def exchange(number: int = 1, body: bytes = b"{}") -> Exchange:
    """Return a create whose request is unlike that of any other number."""
    request = Request("POST", b"/v1/Services/IS1/Channels/general/Messages", _FORM, b"Body=%d" % number)
    return numbered(number, request, Response(201, b"Created", _JSON, body), "https://chat.twilio.com", number, number)


def exchanges(count: int, body: bytes = b"{}") -> list[Exchange]:
    """Return so many exchanges, from number 1 on."""
    return [exchange(number, body) for number in range(1, count + 1)]


def record(store: Store, name: str, recorded: Iterable[Exchange], existing: Existing = Existing.REPLACE) -> None:
    """Record a cassette and end well."""
    recording = Recording(store, name, existing, 1)
    recording.put(list(recorded))
    recording.finish(RULES)


class Child:
    """Another process that runs a script; it is killed in the end, if it still lives."""

    def __init__(self, script: str, arguments: Sequence[object], within: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            [*within, sys.executable, "-c", _IMPORTS + script, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        )

    def line(self) -> str:
        """Return the next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def rest(self) -> list[str]:
        """Return all further lines, when it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.read().splitlines()

    def go_on(self) -> None:
        """Let it go on that waits for ``input()``."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """Let it crash."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        """Let it go on, and wait until it has ended well."""
        self.go_on()
        assert self.process.wait(20) == 0


_IMPORTS = """
import asyncio, itertools, os, sys
from pathlib import Path
from chatproxy.core.errors import CassetteError
from chatproxy.store import Existing, Recording, Store
from chatproxy.store.environment import Environment
from chatproxy.store.environment import Environment
from chatproxy.store.locks import FileLock
from store.stores import RULES, exchange, exchanges, record
"""


def everything(cassette: Cassette) -> object:
    """Return all that a compiled cassette of the exchanges of these tests answers."""
    numbers = list(cassette.numbers())
    found: list[object] = [cassette.account, list(cassette.order()), dict(cassette.told)]
    for number in numbers:
        exchange = cassette.recorded(number)
        form, standing = normalize(exchange.request, RULES), cassette.standing(number)
        found += [exchange, cassette.stencil(number), standing]
        found += [cassette.find(index, nth) for index in (form.key, form.shape, form.route) for nth in range(4)]
        found.append(asked := cassette.asked(form.key))
        for state in standing.states:
            found += [cassette.candidate(form.key, state, ExchangeNumber(number)) for number in (0, 2)]
            found.append(asked and answer_in(cassette, form.key, asked, state, NO_EXCHANGE))
        touched = (standing.done.place, *standing.done.touched) if standing.done else (standing.where.place,)
        found += [list(cassette.touching(place)) for place in touched]
        for sid in re.findall(rb"IM[0-9a-f]{32}", exchange.response.body):
            known = cassette.numbered(sid)
            found += [known, known and cassette.sid(known.number)]
            found.append(cassette.fresh([RecordedSid(sid)], lambda number, _: LiveSid(b"IM%032x" % (number + 10**9))))
    return found


@contextmanager
def child(script: str, *arguments: object, within: Sequence[str] = ()) -> Iterator[Child]:
    """Run a script in another process while the block lasts, which a command starts if one is given."""
    running = Child(script, arguments, within)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


def on_small_disk(folder: Path) -> list[str]:
    """Return the command that starts another in a place where this folder is a disk of 1 MB; no rights are needed."""
    within = ["unshare", "--map-root-user", "--mount", "sh", "-c", _MOUNTS, str(folder)]
    if not shutil.which("unshare") or subprocess.run([*within, "true"], capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system is not allowed here")
    return within


_MOUNTS = 'mount -t tmpfs -o size=1m small "$0" && cd "$0" && exec "$@"'


def error_of_opening(folder: Path) -> str:
    """Return what a store that cannot be opened is refused with, its folder aside."""
    with pytest.raises(CassetteError) as raised:
        Environment(folder)
    text = str(raised.value)
    assert "\n" not in text
    assert text.startswith(f"{folder}: ")
    return text.removeprefix(f"{folder}: ")


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let a folder and all in it be readable only, and drop the rights of root, who could write nonetheless."""
    inside = list(folder.rglob("*"))
    for path in (*inside, folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for parent in folder.parents:
        if parent.owner() == "root" and not parent.stat().st_mode & 0o001:
            parent.chmod(0o711)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        for path in (folder, *inside):
            path.chmod(0o700 if path.is_dir() else 0o600)


@contextmanager
def disk_full_beyond(size: int) -> Iterator[None]:
    """Let no file grow beyond this size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
