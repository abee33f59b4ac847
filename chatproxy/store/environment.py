"""The LMDB environment under the store: opening, transactions, growth, and the one place that maps LMDB's errors."""

import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice, takewhile
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import lmdb

from chatproxy.core.cassette.codec import seal
from chatproxy.core.errors import CassetteError
from chatproxy.store.folder import length, prepare
from chatproxy.store.layout import DAMAGED, LAST_WRITTEN
from chatproxy.store.reasons import reason_of
from chatproxy.store.room import Room, taken
from chatproxy.store.use import Use

T = TypeVar("T")
P = ParamSpec("P")
Reading = lmdb.Transaction
"""A transaction that only reads."""
FORMAT = b"3"
"""The version of what the store holds; another one is refused, never read as empty."""
_READ_AS_WELL = {b"1", b"2"}
"""What is read, and becomes of this version where the store can be written."""

_FORMAT_KEY = b"f"
FIRST_MAP_SIZE = 2**20
_META_PAGES = 2


class Transaction:
    """A write transaction: all of what it does is on disk afterwards, or none."""

    def __init__(self, transaction: lmdb.Transaction) -> None:
        self._transaction = transaction
        self._writes = False
        self.size = 0
        """How many bytes what was put takes on disk, at the most."""

    def get(self, key: bytes) -> bytes | None:
        """Return one value."""
        value = self._transaction.get(key)
        return None if value is None else bytes(value)

    def put(self, key: bytes, value: bytes) -> None:
        """Store one value."""
        self._writes = True
        self.size += taken(len(key), len(value))
        self._transaction.put(key, value)

    def is_empty(self) -> bool:
        """Tell whether nothing is stored at all."""
        with self._transaction.cursor() as cursor:
            return not cursor.first()

    def delete(self, *keys: bytes) -> None:
        """Delete values, where they are there."""
        for key in keys:
            self._writes |= self._transaction.delete(key)

    def delete_all(self, prefix: bytes, most: int) -> int:
        """Delete keys that begin so until they had this many bytes, and return how many more it might have been."""
        with self._transaction.cursor() as cursor:
            found = cursor.set_range(prefix)
            while found and most > 0 and bytes(cursor.key()).startswith(prefix):
                most -= taken(len(cursor.key()), len(cursor.value()))
                self._writes |= cursor.delete()
                found = bool(cursor.key())
        return most

    def sign(self) -> None:
        """Store which transaction this is, if it wrote anything, so that an older one is not taken for it."""
        if self._writes:
            self._transaction.put(LAST_WRITTEN, _signed(self._transaction.id()))


class Environment:
    """One folder with an LMDB environment, mode 0700.

    Reads are short and safe from any thread. A write is a function of a transaction that may be called again:
    when the map is full it grows and the write is repeated. ``writable`` is false where the folder can only be
    read. A folder can be open once in a process. To ``prove`` is to read its structure even if it was closed well.
    """

    def __init__(self, folder: Path, *, map_size: int = FIRST_MAP_SIZE, prove: bool = False) -> None:
        self.folder = folder
        self.writable = prepare(folder)
        self._map_gate = threading.Lock()
        self._writing = threading.Lock()
        self._room = Room(folder)
        self.forgotten: set[bytes] = set()
        """Keys whose values count no longer; they are deleted at the end, if that can be done."""
        with ExitStack() as undo:
            self._use = Use(folder, is_writable=self.writable)
            undo.callback(self._use.give_up)
            self.is_unproven = self._use.is_unproven
            if self.is_unproven or (prove and self._use.is_alone):
                with self._errors():
                    _check_structure(folder)
            with self._errors():
                self._env = lmdb.open(
                    str(folder),
                    map_size=max(map_size, length(folder)),
                    mode=0o600,
                    readonly=not self.writable,
                    lock=self.writable,
                    create=self.writable,
                )
            undo.callback(self._env.close)
            with self._errors():
                self._check_size()
                self._env.reader_check()  # who was killed while reading keeps no old pages
            self._check_format()
            if not self.is_unproven:
                self.proven()
            undo.pop_all()

    def close(self) -> None:
        """Close the environment; what was written is on disk already."""
        if self.forgotten:
            with suppress(CassetteError):
                self.write(lambda transaction: transaction.delete(*self.forgotten))
        with suppress(lmdb.Error), self._env.begin() as transaction:  # else it is closed already
            self._use.note(transaction.id())  # as others read it: one that is just being committed, they do not see yet
        self._env.close()
        self._use.end()

    def proven(self) -> None:
        """Let others open it, who had to wait until all that is stored was looked at."""
        self._use.share()

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
            raise CassetteError(str(self.folder), reason_of(error)) from error

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
            raise CassetteError(str(self.folder), reason_of(error)) from error

    def write(self, work: Callable[[Transaction], T], *, spare: int = 0) -> T:
        """Do the work in one transaction and return when it is on disk, where so many bytes more have room."""
        if not self.writable:
            raise CassetteError(str(self.folder), "cannot be written; give another --store or its permissions")
        with self._writing, self._errors():
            while True:
                try:
                    with self._alone() as begun:
                        transaction = Transaction(begun)
                        done = work(transaction)
                        transaction.sign()
                        if spare:
                            self._keep_room(transaction.size, spare)
                        return done
                except lmdb.MapFullError:
                    self._grow()

    def _keep_room(self, size: int, spare: int) -> None:
        """Keep room for what is being written and for more: in pages that are free, the rest behind the last one."""
        info, stat = self._env.info(), self._env.stat()
        page, pages = stat["psize"], info["last_pgno"] + 1
        free = pages - _META_PAGES - stat["branch_pages"] - stat["leaf_pages"] - stat["overflow_pages"]
        end = pages * page + max(size + spare - free * page, 0)
        if end > info["map_size"]:
            raise lmdb.MapFullError("there is no room in it to delete anything")
        self._room.keep(end)

    @contextmanager
    def _alone(self, growth: int = 1) -> Iterator[lmdb.Transaction]:
        """Begin a write transaction in a file as long as the map, or a multiple of it; no process has another one."""
        try:
            transaction = self._env.begin(write=True)
        except lmdb.MapResizedError:
            self._set_map_size(0)
            transaction = self._env.begin(write=True)
        with transaction:
            self._room.lengthen(growth * self._env.info()["map_size"])
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

    def _check_size(self) -> None:
        """Refuse a file that is older than when it was closed, or truncated: reading beyond its end would kill us."""
        with self._env.begin() as transaction:
            last, signed = transaction.id(), transaction.get(LAST_WRITTEN)
        if last < self._use.noted or signed not in (None, _signed(last)):
            raise CassetteError(str(self.folder), DAMAGED)
        needed = (self._env.info()["last_pgno"] + 1) * self._env.stat()["psize"]
        if length(self.folder) < needed:
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

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield all that is stored, sorted by key."""
        with self._read() as transaction, transaction.cursor() as cursor:
            yield from cursor  # type: ignore[misc]  # memoryviews only with buffers=True

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (lmdb.Error, OSError) as error:
            raise CassetteError(str(self.folder), reason_of(error)) from error


def _check_structure(folder: Path) -> None:
    """Refuse data that LMDB would read wrongly, or end the process at; raises CassetteError.

    This reads the file by itself, and leaves to LMDB what it has its own words for: other versions, no data at all.
    """
    from lmdb.verify import VerifyError, verify  # noqa: PLC0415 - seldom needed

    try:
        found: list[str] = verify(str(folder), subdir=True)  # type: ignore[no-untyped-call]  # it is typed nowhere
    except (VerifyError, struct.error, LookupError, OverflowError, MemoryError) as error:
        if "data version" in str(error):
            return
        raise CassetteError(str(folder), DAMAGED) from error
    if found:
        raise CassetteError(str(folder), DAMAGED.replace("damaged", f"damaged ({found[0]})"))


def _signed(transaction: int) -> bytes:
    return seal(transaction.to_bytes(8, "big"), LAST_WRITTEN)


def _mark(transaction: Transaction) -> bytes | None:
    """Mark an empty environment as a store, and one that is read as well as of this version, and return the format.

    Another program's is left alone.
    """
    if transaction.is_empty() or transaction.get(_FORMAT_KEY) in _READ_AS_WELL:
        transaction.put(_FORMAT_KEY, FORMAT)
    return transaction.get(_FORMAT_KEY)
