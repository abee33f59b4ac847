"""Who has a store open, and how its data were when the last one closed it well.

1. Each process that has a store open shares a lock on a file of its folder, which ends with it, however it ends.
2. Who closes a store well notes in that file how long and how old the data are. Who opens it alone and finds them
   otherwise knows that a process or the machine stopped without closing it, or that the data were changed by others:
   it is *unproven*, and all others wait until it was looked at.
"""

import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path

from chatproxy.core.errors import CassetteError
from chatproxy.store.folder import DATA, IN_USE, length

_NOTE = struct.Struct("<4sQQQ")
_MAGIC = b"cpn1"


class Use:
    """One process's use of a store; ``noted`` is the last transaction before it was closed well, 0 if unknown."""

    def __init__(self, folder: Path, *, is_writable: bool) -> None:
        self._data = folder / DATA
        self._is_writable = is_writable
        self._is_closed = False  # to us: nobody knows who else is at it
        self._descriptor = self._opened(folder / IN_USE)
        try:
            self.is_alone = not self._is_closed and (self._descriptor is None or _alone(self._descriptor))
            long, changed, self.noted = self._note()
            now = self._now()
            self._is_first = self.is_alone and self._descriptor is not None and now[0] == 0
            self.is_unproven = self.is_alone and now[0] > 0 and now != (long, changed)
            if not self.is_alone:
                self.share()
        except OSError as error:
            self.end()
            raise CassetteError(str(folder / IN_USE), f"cannot be locked: {error.strerror}") from error

    def share(self) -> None:
        """Let others open the store, or wait until they let us."""
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def note(self, transaction: int) -> None:
        """Note how the data are, if this can be done: else they are looked at when they are opened next."""
        if self._is_writable and self._descriptor is not None:
            note = _NOTE.pack(_MAGIC, *self._now(), transaction)
            with suppress(OSError):
                if os.pread(self._descriptor, len(note), 0) != note:
                    os.pwrite(self._descriptor, note, 0)

    def give_up(self) -> None:
        """End the use of a store that could not be opened: data that we began for others to wait for are no store."""
        if self._is_first and self._is_writable:
            with suppress(OSError):
                self._data.unlink(missing_ok=True)
        self.end()

    def end(self) -> None:
        """End the use; a second time does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _opened(self, path: Path) -> int | None:
        flags = os.O_RDWR | os.O_CREAT if self._is_writable else os.O_RDONLY
        try:
            return os.open(path, flags | os.O_CLOEXEC, 0o600)
        except PermissionError:
            self._is_closed = True
            return None
        except OSError:  # a full disk, or a store that can only be read and was never written by a chatproxy of today
            return None

    def _note(self) -> tuple[int, int, int]:
        note = b"" if self._descriptor is None else os.pread(self._descriptor, _NOTE.size, 0)
        if len(note) != _NOTE.size or not note.startswith(_MAGIC):
            return 0, 0, 0
        _, long, changed, transaction = _NOTE.unpack(note)
        return long, changed, transaction

    def _now(self) -> tuple[int, int]:
        long = length(self._data.parent)
        return long, os.stat(self._data).st_mtime_ns if long else 0


def _alone(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
