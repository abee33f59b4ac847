"""A command that runs as a child of this process: its environment, the signals that reach it, its exit status."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

NOT_EXECUTABLE = 126
NOT_FOUND = 127
_OF_SIGNAL = 128
"""Exit statuses as shells give them (POSIX, Shell Command Language, section 2.8.2)."""

_NAMES = {"SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2"}
_PASSED_ON = tuple(one for one in signal.Signals if one.name in _NAMES)
_TYPED = {signal.SIGINT, signal.SIGQUIT}
"""What a terminal sends to all processes in its foreground, to the child as well."""


class NotStartedError(Exception):
    """A command could not be started: with ``status`` 127 it was not found, with 126 it cannot be executed."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


def run_child(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command to its end, passing on the signals that come; return its exit status, 128 + n for signal n.

    Raises NotStartedError if it does not begin.
    """
    child: subprocess.Popen[bytes] | None = None
    waiting: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        if child is None:
            waiting.append(number)
        elif number not in _TYPED or not _is_in_foreground():
            child.send_signal(number)

    with _handled(pass_on):
        try:
            child = subprocess.Popen(command, env=environ)
        except FileNotFoundError as error:
            raise NotStartedError(f"{command[0]}: is not found", NOT_FOUND) from error
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise NotStartedError(f"{command[0]}: cannot be executed: {reason}", NOT_EXECUTABLE) from error
        for number in waiting:
            child.send_signal(number)
        status = child.wait()
    return status if status >= 0 else _OF_SIGNAL - status


def _is_in_foreground() -> bool:
    """Tell whether a terminal sends its signals to this process and its children."""
    try:
        terminal = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle the signals that are passed on while the block lasts; those that are ignored stay so, for a child too."""
    before = {one: signal.getsignal(one) for one in _PASSED_ON}
    handled = [one for one, old in before.items() if old is not signal.SIG_IGN]
    try:
        for one in handled:
            signal.signal(one, handler)
        yield
    finally:
        for one in handled:
            signal.signal(one, before[one])
