"""File locks that the system frees when a process dies, however it dies."""

import fcntl
import os
from pathlib import Path
from typing import Self


class FileLock:
    """An advisory lock on a file, held from construction to ``release``: exclusive, or shared among readers."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path, *, shared: bool = False) -> Self | None:
        """Take the lock at once, or return nothing if another holder is in the way."""
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(descriptor)

    def release(self) -> None:
        """Free the lock; the file stays, since removing it would race with who takes it next."""
        os.close(self._descriptor)
