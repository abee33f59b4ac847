import lmdb
import pytest

from chatproxy.store.reasons import reason_of


@pytest.mark.parametrize(
    ("error", "begin"),
    [
        (lmdb.CorruptedError("x"), "is damaged; "),
        (lmdb.PanicError("x"), "could not be written, the disk fails; "),
        (lmdb.LockError("mdb_txn_begin: Resource temporarily unavailable"), "is open in another container, "),
        (OSError(28, "No space left on device"), "cannot grow, the disk is full; "),
        (lmdb.Error(".chatproxy: Permission denied"), "cannot be opened: Permission denied; give another --store, "),
        (lmdb.Error("what nobody knows"), "cannot be used: what nobody knows"),
    ],
)
def test_what_lmdb_says_is_said_with_what_to_do(error: Exception, begin: str) -> None:
    assert reason_of(error).startswith(begin)
