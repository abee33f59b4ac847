"""What LMDB's errors, by the names of their classes, mean to the user and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

from chatproxy.core.errors import CassetteError
from chatproxy.store.layout import DAMAGED

_SAME_NUMBER = (
    "is open in another container, in a process of this one's number, and LMDB knows processes by their numbers; "
    "replay a FILE, give each container a --store of its own, or let them share the process numbers (--pid)"
)
_OTHER_LMDB = "was written by another version of LMDB; export its cassettes with that one"
_REASONS: list[tuple[set[str], str]] = [
    ({"InvalidError", "CorruptedError", "PageNotFoundError"}, DAMAGED),
    ({"PanicError"}, "could not be written, the disk fails; see to the disk, then start anew"),
    ({"VersionMismatchError"}, _OTHER_LMDB),
    ({"ReadersFullError"}, "is open in too many processes; stop some of them"),
    ({"LockError"}, _SAME_NUMBER),
]
_SIGNS = [
    (("LMDB data format",), _OTHER_LMDB),
    (("Permission denied",), "cannot be opened: Permission denied; give another --store, or its permissions"),
    (
        ("Input/output error",),  # LMDB's word for what was written in part only
        "cannot grow, the disk is full or fails; nothing recorded before is lost, see to the disk and go on",
    ),
    (
        ("No space left", "File too large", "Disk quota", "quota exceeded"),
        "cannot grow, the disk is full; nothing recorded before is lost, free some space and go on",
    ),
]
"""What the texts of errors without a class of their own mean."""


@contextmanager
def suppress_full() -> Iterator[None]:
    """End the block where there is no room to write more, instead of raising that."""
    try:
        yield
    except CassetteError as error:
        if not error.reason.startswith("cannot grow"):
            raise


def reason_of(error: Exception) -> str:
    """Say what an error of LMDB or of its file means to the user and what to do."""
    text = str(error)
    by_text = (reason for signs, reason in _SIGNS if any(sign in text for sign in signs))
    names = {kind.__name__ for kind in type(error).__mro__}
    by_kind = (reason for kinds, reason in _REASONS if kinds & names)
    return next(chain(by_text, by_kind), f"cannot be used: {text}")
