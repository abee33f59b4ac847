"""The standard streams: where results and warnings go, and what a closed or a full one means.

1. A result that cannot be printed is an error of one line; where its reader has gone, the command ends without one.
2. A warning that cannot be printed changes nothing.
3. No file and no connection gets the descriptor of a standard stream that is closed.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any, TextIO, cast

import click

from chatproxy.core.errors import ChatproxyError, ConfigError
from chatproxy.core.text.excerpts import without_commands


def claim_streams() -> None:
    """Take the streams of this process as a command uses them; ``sys.stdout`` raises ChatproxyError from then on."""
    for descriptor, way in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_RDWR)):
        _fill(descriptor, way)
    sys.stdout = cast("TextIO", _Output(sys.stdout))


def _fill(descriptor: int, way: int) -> None:
    """Put the null device in the place of a closed descriptor, open in the wrong way, so that its use still fails.

    What standard error would say goes nowhere. The lowest free number is this one, as those below it are in use.
    """
    try:
        os.fstat(descriptor)
    except OSError:
        os.set_inheritable(os.open(os.devnull, way), True)


class _Output:
    """Standard output, which may be closed, with errors that say what is wrong with it."""

    buffer = None
    """Where this is another encoding than UTF-8, click would write to what lies below."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file's name may have bytes that are no text

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        if text == "":
            return 0  # click tries so what a stream takes, and hides what goes wrong
        if self._stream is None:
            raise ChatproxyError(_failure("it is closed"))
        with _errors(self._stream):
            return self._stream.write(text)

    def flush(self) -> None:
        if self._stream is not None:
            with _errors(self._stream):
                self._stream.flush()


@contextmanager
def _errors(stream: TextIO) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        _give_up(stream)
        raise  # click ends with status 1 then
    except OSError as error:
        _give_up(stream)
        raise ChatproxyError(_failure(error.strerror)) from error


def _failure(reason: str | None) -> str:
    return f"standard output: cannot be written: {reason}; lead it to where there is room"


def _give_up(stream: TextIO) -> None:
    """Lead a stream to the null device: Python would else try to write what is left once more at its end, and fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def say(text: str) -> None:
    """Show lines as the command's result, so that no CI system takes one for a command."""
    annotate(without_commands(text))


def annotate(line: str) -> None:
    """Show a line that may be a command to a CI system."""
    click.echo(line)
    sys.stdout.flush()


def warn(text: str) -> None:
    """Show lines that the user should know of, so that no CI system takes one for a command."""
    try:
        click.echo(without_commands(text), err=True)
    except OSError:
        _give_up(sys.stderr)


def standard_input() -> bytes:
    """Return all that is given on standard input."""
    try:
        with open(0, "rb", closefd=False) as stream:  # sys.stdin is None where it is closed
            return stream.read()
    except OSError as error:
        raise ConfigError("standard input", f"cannot be read: {error.strerror}") from error
