"""The folder of a store: made private, looked at, and locked by who has it open."""

import os
from pathlib import Path

from chatproxy.core.errors import CassetteError
from chatproxy.store.layout import DAMAGED

DATA = "data.mdb"
IN_USE = "in-use"
_OWN_ENTRIES = {DATA, IN_USE, "lock.mdb", "locks", "files", ".gitignore"}


def prepare(folder: Path) -> bool:
    """Make the folder if needed, private and ignored by git, and tell whether it can be written."""
    data = folder / DATA
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not data.exists():
            _make_private(folder)
    except OSError as error:
        if not os.path.exists(data):  # unlike Path.exists this asks in a folder that is closed to us too
            raise CassetteError(str(folder), f"cannot be made a store: {error.strerror}") from error
    if not data.exists():
        return is_writable(folder)
    if (folder / "locks").exists() and not length(folder):  # in this order, since who makes the store fills it first
        raise CassetteError(str(folder), DAMAGED)  # LMDB would begin anew in an empty file
    return is_writable(folder) and is_writable(data)


def _make_private(folder: Path) -> None:
    if strangers := {entry.name for entry in folder.iterdir()} - _OWN_ENTRIES:
        raise CassetteError(
            str(folder), f"is no store: it holds other files ({min(strangers)}); give a folder of its own"
        )
    folder.chmod(0o700)
    if not (folder / ".gitignore").exists():
        (folder / ".gitignore").write_text("*\n")


def is_writable(path: Path) -> bool:
    """Tell whether this process may write there."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def length(folder: Path) -> int:
    """Return how long the data are, 0 where there are none."""
    try:
        return (folder / DATA).stat().st_size
    except FileNotFoundError:
        return 0
