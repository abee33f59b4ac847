"""The command as a user types it: in this process, or in one of its own."""

import gc
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryFile

import forks

from chatproxy.cli import main

REFERENCE = Path(__file__).parents[2] / "cassettes" / "reference.json"
DEMO = REFERENCE.with_name("demo.json")

Done = subprocess.CompletedProcess[str]


def chatproxy(*arguments: str | Path, cwd: Path, stdin: str = "", **environ: str) -> Done:
    """Run the command to its end in this process, as its script does: what it prints, and its exit status."""
    return within(arguments, cwd, os.environ | environ, stdin)


def within(arguments: tuple[object, ...], cwd: Path, environ: Mapping[str, str], stdin: str = "") -> Done:
    """Run the command to its end in this process, with this environment and nothing else."""
    command = ["chatproxy", *map(str, arguments)]
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with _as_started(command, environ, stdin), chdir(cwd), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            status = ended.code
    assert isinstance(status, int)
    return Done(command, status, *(one.buffer.getvalue().decode() for one in (out, err)))


@contextmanager
def _as_started(command: list[str], environ: Mapping[str, str], stdin: str) -> Iterator[None]:
    before = sys.argv, sys.stdin, dict(os.environ)
    with _standard_input(stdin), open(0, encoding="utf-8", closefd=False) as typed:
        sys.argv, sys.stdin = command, typed
        _set_environment(environ)
        try:
            yield
        finally:
            sys.argv, sys.stdin, kept = before
            _set_environment(kept)
            gc.unfreeze()  # a command that serves leaves the collector as it is good for a process that ends with it


@contextmanager
def _standard_input(text: str) -> Iterator[None]:
    """Let this text come from descriptor 0, since not all that reads it asks ``sys.stdin``."""
    before = os.dup(0)
    with TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        os.dup2(file.fileno(), 0)
    try:
        yield
    finally:
        os.dup2(before, 0)
        os.close(before)


def _set_environment(environ: Mapping[str, str]) -> None:
    for name in os.environ.keys() - environ.keys():
        del os.environ[name]
    os.environ.update(environ)


def apart(*arguments: str | Path, cwd: Path, **environ: str) -> Done:
    """Run the command to its end in a process of its own, as one must that starts others and passes its streams on."""
    return to_end(arguments, cwd, os.environ | environ)


def to_end(arguments: tuple[object, ...], cwd: Path, environ: Mapping[str, str]) -> Done:
    """Run the command to its end in a process of its own, with this environment and nothing else."""
    with TemporaryFile() as out, TemporaryFile() as err:
        process = forks.chatproxy(arguments, cwd=cwd, env=environ, stdout=out, stderr=err)
        try:
            status = process.wait(60)
        finally:
            process.kill()
        for stream in (out, err):
            stream.seek(0)
        return Done(["chatproxy", *map(str, arguments)], status, out.read().decode(), err.read().decode())
