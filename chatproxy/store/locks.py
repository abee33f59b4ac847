"""File locks that the system frees when a process dies, however it dies."""

import fcntl
import os
import time
from pathlib import Path
from typing import Self

from chatproxy.core.errors import CassetteError


class FileLock:
    """An advisory lock on a file, held from construction to ``release``: exclusive, or shared among readers."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path, *, shared: bool = False) -> Self | None:
        """Take the lock at once, or return nothing if another holder is in the way."""
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if _flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
                return cls(descriptor)
        except OSError as error:
            raise CassetteError(str(path), f"cannot be locked: {error.strerror}") from error
        return None

    @classmethod
    def take_soon(cls, path: Path) -> Self | None:
        """Take the lock as ``take`` does, past those who look at it for a moment only."""
        for _ in range(_TRIES):
            if lock := cls.take(path):
                return lock
            time.sleep(_PAUSE)
        return None

    @staticmethod
    def is_taken(path: Path) -> bool:
        """Tell whether somebody holds the lock exclusively; no right to write is needed for that."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # nobody made it, or it is not for us to see
            return False
        if not _flock(descriptor, fcntl.LOCK_SH):
            return True
        os.close(descriptor)
        return False

    def release(self) -> None:
        """Free the lock; a second time does nothing. The file stays: removing it would race with who takes it next."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


_TRIES, _PAUSE = 5, 0.01
"""Who lists cassettes looks at each lock for a moment, which must not keep anybody from recording."""


def _flock(descriptor: int, operation: int) -> bool:
    """Lock at once and tell whether that went well; else the descriptor is closed."""
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    except BaseException:
        os.close(descriptor)
        raise
    return True
