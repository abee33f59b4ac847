"""Servers of others, as users have them beside chatproxy; where one is not installed, its tests are skipped."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from integration.processes import PATIENCE, environment

PACKAGES = {
    "nginx": "nginx-light",
    "stunnel": "stunnel4",
    "tinyproxy": "tinyproxy",
    "php": "php-cli php-curl",
    "ruby": "ruby",
    "javac": "default-jdk-headless",
    "java": "default-jdk-headless",
    "go": "golang-go",
    "mcs": "mono-mcs libmono-system-net-http4.0-cil",
    "mono": "mono-runtime",
}
"""Programs, and the packages of Debian that have them."""

_PARTS = {"php": ("--modules", "curl")}
"""What a program must name if it is asked, because it comes in a package of its own."""


def installed(program: str) -> str:
    """Return where a program is; the test is skipped if it is nowhere."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None or (program in _PARTS and not _has(found, *_PARTS[program])):
        pytest.skip(f"{program} is not installed (on Debian: apt-get install {PACKAGES[program]})")
    return found


def _has(program: str, asked: str, part: str) -> bool:
    return part in subprocess.run([program, asked], capture_output=True, text=True, check=True).stdout.split()


def free_port() -> int:
    """Return a port that nobody uses; these programs take no free one by themselves."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def serving(command: list[object], port: int, log: Path) -> Iterator[None]:
    """Run a server in the foreground while the block lasts, once it accepts at its port."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(map(str, command)), cwd=log.parent, env=environment(), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        until = time.monotonic() + PATIENCE
        while not _accepts(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.01)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
