"""The LMDB environment under the store: opening, transactions, growth, and the one place that maps LMDB's errors."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, islice, takewhile
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import lmdb

from chatproxy.core.errors import CassetteError
from chatproxy.store.layout import DAMAGED

T = TypeVar("T")
P = ParamSpec("P")
Reading = lmdb.Transaction
"""A transaction that only reads."""
FORMAT = b"2"
"""The version of what the store holds; another one is refused, never read as empty."""
_READ_AS_WELL = {b"1"}
"""What is read, and becomes of this version where the store can be written."""

_FORMAT_KEY = b"f"
_DATA = "data.mdb"
_OWN_ENTRIES = {_DATA, "lock.mdb", "locks", "files", ".gitignore"}
_FIRST_MAP_SIZE = 2**20


class Transaction:
    """A write transaction: all of what it does is on disk afterwards, or none."""

    def __init__(self, transaction: lmdb.Transaction) -> None:
        self._transaction = transaction

    def get(self, key: bytes) -> bytes | None:
        """Return one value."""
        value = self._transaction.get(key)
        return None if value is None else bytes(value)

    def put(self, key: bytes, value: bytes) -> None:
        """Store one value."""
        self._transaction.put(key, value)

    def is_empty(self) -> bool:
        """Tell whether nothing is stored at all."""
        with self._transaction.cursor() as cursor:
            return not cursor.first()

    def delete(self, *keys: bytes) -> None:
        """Delete values, where they are there."""
        for key in keys:
            self._transaction.delete(key)

    def delete_all(self, prefix: bytes) -> None:
        """Delete every key that begins so."""
        with self._transaction.cursor() as cursor:
            found = cursor.set_range(prefix)
            while found and bytes(cursor.key()).startswith(prefix):
                cursor.delete()
                found = bool(cursor.key())


class Environment:
    """One folder with an LMDB environment, mode 0700.

    Reads are short and safe from any thread. A write is a function of a transaction that may be called again:
    when the map is full it grows and the write is repeated. ``writable`` is false where the folder can only be
    read. A folder can be open once in a process.
    """

    def __init__(self, folder: Path, *, map_size: int = _FIRST_MAP_SIZE) -> None:
        self.folder = folder
        self.writable = _prepare(folder)
        self._map_gate = threading.Lock()
        self._writing = threading.Lock()
        self._forgotten: set[bytes] = set()
        with self._errors():
            self._env = lmdb.open(
                str(folder),
                map_size=max(map_size, _size(folder)),
                mode=0o600,
                readonly=not self.writable,
                lock=self.writable,
                create=self.writable,
            )
        try:
            with self._errors():
                self._check_size()
                self._env.reader_check()  # who was killed while reading keeps no old pages
            self._check_format()
        except BaseException:
            self._env.close()
            raise

    def close(self) -> None:
        """Close the environment; what was written is on disk already."""
        if self._forgotten:
            with suppress(CassetteError):
                self.write(lambda transaction: transaction.delete(*self._forgotten))
        self._env.close()

    def forget(self, key: bytes) -> None:
        """Have a value deleted at the end, if that can be done."""
        self._forgotten.add(key)

    def get(self, key: bytes) -> bytes | None:
        """Return one value."""
        try:  # spelled out, since this is replay's hot path
            with self._map_gate:
                transaction = self._begin()
                try:
                    return transaction.get(key)  # type: ignore[return-value]  # a memoryview only with buffers=True
                finally:
                    transaction.abort()
        except lmdb.Error as error:
            raise CassetteError(str(self.folder), _reason(error)) from error

    def scan(self, prefix: bytes, *, after: bytes = b"", limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to ``limit`` entries under a prefix, sorted by key, those behind ``prefix + after``."""
        with self._read() as transaction, transaction.cursor() as cursor:
            if not cursor.set_range(prefix + after + b"\0" if after else prefix):
                return []
            entries = ((bytes(key), bytes(value)) for key, value in cursor)
            return list(islice(takewhile(lambda entry: entry[0].startswith(prefix), entries), limit))

    def view(self, work: Callable[Concatenate[Reading, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read what it takes several look-ups to find, in one transaction: another one takes as long as two of them."""
        try:
            with self._map_gate:
                transaction = self._begin()
                try:
                    return work(transaction, *args, **kwargs)
                finally:
                    transaction.abort()
        except lmdb.Error as error:
            raise CassetteError(str(self.folder), _reason(error)) from error

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Do the work in one transaction and return when it is on disk."""
        if not self.writable:
            raise CassetteError(str(self.folder), "cannot be written; give another --store or its permissions")
        with self._writing, self._errors():
            while True:
                try:
                    with self._alone() as transaction:
                        return work(Transaction(transaction))
                except lmdb.MapFullError:
                    self._grow()

    @contextmanager
    def _alone(self, growth: int = 1) -> Iterator[lmdb.Transaction]:
        """Begin a write transaction in a file as long as the map, or a multiple of it; no process has another one."""
        try:
            transaction = self._env.begin(write=True)
        except lmdb.MapResizedError:
            self._set_map_size(0)
            transaction = self._env.begin(write=True)
        with transaction:
            self._lengthen(growth * self._env.info()["map_size"])
            yield transaction

    def _grow(self) -> None:
        with self._alone(growth=2):
            pass
        self._set_map_size(2 * self._env.info()["map_size"])

    @contextmanager
    def _read(self) -> Iterator[lmdb.Transaction]:
        with self._map_gate, self._errors():
            transaction = self._begin()
            try:
                yield transaction
            finally:
                transaction.abort()

    def _begin(self) -> lmdb.Transaction:
        try:
            return self._env.begin()
        except lmdb.MapResizedError:
            self._env.set_mapsize(0)
        except lmdb.ReadersFullError:
            self._env.reader_check()
        return self._env.begin()

    def _set_map_size(self, size: int) -> None:
        """Resize the map, 0 to adopt another process's size; no transaction of this process may be open."""
        with self._map_gate:
            self._env.set_mapsize(size)

    def _lengthen(self, size: int) -> None:
        """Make the file as long as its map before anything is written; what is not used takes no room on disk.

        LMDB leaves pages at the end unwritten that a transaction took and gave back, so that without this the
        file of a sound store can be as short as that of a truncated one. To be called within a write transaction:
        another process that made the file grow between the look at its size and the change would lose what it wrote.
        """
        if size > _size(self.folder):
            os.truncate(self.folder / _DATA, size)

    def _check_size(self) -> None:
        """Refuse a truncated file: reading beyond its end would kill the process."""
        needed = (self._env.info()["last_pgno"] + 1) * self._env.stat()["psize"]
        if _size(self.folder) < needed:
            raise CassetteError(str(self.folder), DAMAGED)

    def _check_format(self) -> None:
        found = self.get(_FORMAT_KEY)
        if self.writable and (found is None or found in _READ_AS_WELL):
            found = self.write(_mark)
        if found is None:
            raise CassetteError(str(self.folder), "is no store of chatproxy; give a folder of its own")
        if found != FORMAT and found not in _READ_AS_WELL:
            version = found.decode("ascii", "backslashreplace")
            raise CassetteError(
                str(self.folder),
                f"is of format {version}, this chatproxy reads format {FORMAT.decode()}; "
                "use the chatproxy that wrote it to export its cassettes, or give another --store",
            )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (lmdb.Error, OSError) as error:
            raise CassetteError(str(self.folder), _reason(error)) from error


def _mark(transaction: Transaction) -> bytes | None:
    """Mark an empty environment as a store, and one that is read as well as of this version, and return the format.

    Another program's is left alone.
    """
    if transaction.is_empty() or transaction.get(_FORMAT_KEY) in _READ_AS_WELL:
        transaction.put(_FORMAT_KEY, FORMAT)
    return transaction.get(_FORMAT_KEY)


_SAME_NUMBER = (
    "is open in another container, in a process of this one's number, and LMDB knows processes by their numbers; "
    "replay a FILE, give each container a --store of its own, or let them share the process numbers (--pid)"
)
_OTHER_LMDB = "was written by another version of LMDB; export its cassettes with that one"
_REASONS: list[tuple[tuple[type[lmdb.Error], ...], str]] = [
    ((lmdb.InvalidError, lmdb.CorruptedError, lmdb.PageNotFoundError), DAMAGED),
    ((lmdb.PanicError,), "could not be written, the disk fails; see to the disk, then start anew"),
    ((lmdb.VersionMismatchError,), _OTHER_LMDB),
    ((lmdb.ReadersFullError,), "is open in too many processes; stop some of them"),
    ((lmdb.LockError,), _SAME_NUMBER),
]
_SIGNS = [
    (("LMDB data format",), _OTHER_LMDB),
    (
        ("No space left", "File too large", "Disk quota", "quota exceeded"),
        "cannot grow, the disk is full; nothing recorded before is lost, free some space and go on",
    ),
]
"""What the texts of errors without a class of their own mean."""


def _reason(error: Exception) -> str:
    """Say what an error of LMDB or of its file means to the user and what to do."""
    text = str(error)
    by_text = (reason for signs, reason in _SIGNS if any(sign in text for sign in signs))
    by_kind = (reason for kinds, reason in _REASONS if isinstance(error, kinds))
    return next(chain(by_text, by_kind), f"cannot be used: {text}")


def _prepare(folder: Path) -> bool:
    """Make the folder if needed, private and ignored by git, and tell whether it can be written."""
    data = folder / _DATA
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not data.exists():
            _make_private(folder)
    except OSError as error:
        if not os.path.exists(data):  # unlike Path.exists this asks in a folder that is closed to us too
            raise CassetteError(str(folder), f"cannot be made a store: {error.strerror}") from error
    if not data.exists():
        return _is_writable(folder)
    if (folder / "locks").exists() and not _size(folder):  # in this order, since who makes the store fills it first
        raise CassetteError(str(folder), DAMAGED)  # LMDB would begin anew in an empty file
    return _is_writable(folder) and _is_writable(data)


def _make_private(folder: Path) -> None:
    if strangers := {entry.name for entry in folder.iterdir()} - _OWN_ENTRIES:
        raise CassetteError(
            str(folder), f"is no store: it holds other files ({min(strangers)}); give a folder of its own"
        )
    folder.chmod(0o700)
    if not (folder / ".gitignore").exists():
        (folder / ".gitignore").write_text("*\n")


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _size(folder: Path) -> int:
    """Return how long the data are, 0 where there are none."""
    try:
        return (folder / _DATA).stat().st_size
    except FileNotFoundError:
        return 0
