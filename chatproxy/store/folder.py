"""The folder of a store: made private, looked at, and locked by who has it open."""

import errno
import os
from pathlib import Path

from chatproxy.core.errors import CassetteError
from chatproxy.store.layout import DAMAGED

DATA = "data.mdb"
IN_USE = "in-use"
_READERS, _READERS_SIZE = "lock.mdb", 2**13
_OWN_ENTRIES = {DATA, IN_USE, _READERS, "locks", "files", ".gitignore"}


def prepare(folder: Path) -> bool:
    """Make the folder if needed, private and ignored by git, and tell whether it can be written."""
    data = folder / DATA
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not data.exists():
            _make_private(folder)
            _give_readers_room(folder)
    except OSError as error:
        if not os.path.exists(data):  # unlike Path.exists this asks in a folder that is closed to us too
            raise CassetteError(str(folder), f"cannot be made a store: {error.strerror}") from error
    if not data.exists():
        return is_writable(folder)
    if (folder / "locks").exists() and not length(folder):  # in this order, since who makes the store fills it first
        raise CassetteError(str(folder), DAMAGED)  # LMDB would begin anew in an empty file
    return is_writable(folder) and is_writable(data) and _have_readers_room(folder)


def _make_private(folder: Path) -> None:
    if strangers := {entry.name for entry in folder.iterdir()} - _OWN_ENTRIES:
        raise CassetteError(
            str(folder), f"is no store: it holds other files ({min(strangers)}); give a folder of its own"
        )
    folder.chmod(0o700)
    ignored = folder / ".gitignore"
    if not ignored.exists() or not ignored.stat().st_size:  # a full disk left it empty
        ignored.write_text("*\n")


def _have_readers_room(folder: Path) -> bool:
    """Give LMDB's table of readers room, and tell whether there is any; what else is wrong with it, LMDB tells."""
    try:
        _give_readers_room(folder)
    except OSError as error:
        return error.errno not in _FULL
    return True


def _give_readers_room(folder: Path) -> None:
    """Take room for LMDB's table of readers if it has none: written as memory, on a full disk it would kill us.

    One in use has room, and is not opened: who closes a file loses all locks of its process on it.
    """
    path = folder / _READERS
    if is_writable(folder) and not (path.exists() and path.stat().st_blocks):
        take_room(path, 0, _READERS_SIZE)


def take_room(path: Path, begin: int, end: int) -> None:
    """Take room on disk for a part of a file, where the system can; raises OSError where the disk is full."""
    if not hasattr(os, "posix_fallocate"):  # macOS has none
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, begin, end - begin)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(descriptor)


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CANNOT = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
"""What file systems say that cannot take room beforehand."""


def is_writable(path: Path) -> bool:
    """Tell whether this process may write there."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def length(folder: Path) -> int:
    """Return how long the data are, 0 where there are none."""
    try:
        return (folder / DATA).stat().st_size
    except FileNotFoundError:
        return 0
