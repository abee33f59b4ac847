"""The cassettes of a store: finding, listing, beginning, replacing and dropping them."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from json import dumps, loads
from pathlib import Path

from chatproxy.core.cassette import Cassette, MemoryCassette
from chatproxy.core.codec import decode_exchange, pack, unpack
from chatproxy.core.compile import PASSES
from chatproxy.core.errors import CassetteError
from chatproxy.core.grammar import CASSETTE_NAME
from chatproxy.core.model import Exchange
from chatproxy.core.normalize import Rules
from chatproxy.core.numbering import Declared
from chatproxy.store import layout
from chatproxy.store.compiled import StoredCassette, compile_into
from chatproxy.store.environment import Environment, Transaction
from chatproxy.store.locks import FileLock
from chatproxy.store.progress import Progress, unseen

PARTIAL = ".partial"

_KEPT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
"""A cassette's name, or that of a recording that was interrupted."""
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Record:
    """What the store knows of a cassette besides its exchanges; ``begun`` is in microseconds since 1970."""

    id: int
    begun: int
    interim: bool = False
    title: str = ""
    """The name to go by, where it is not the one that it is kept under."""
    account: str | None = None
    supplied: tuple[str, ...] | None = None
    """What a canonical fixture declared that the cassette comes from."""

    @property
    def declared(self) -> Declared | None:
        """What a canonical fixture declared; none for what was recorded."""
        return None if self.supplied is None else Declared(self.account, tuple(self.supplied))


@dataclass(frozen=True, slots=True)
class Listed:
    """A cassette as a list shows it; ``state`` is complete, recording or interrupted."""

    name: str
    exchanges: int
    begun: int
    state: str


class Store:
    """The cassettes in one folder. One process may have a folder open once; any number of processes may."""

    def __init__(self, folder: Path, *, map_size: int | None = None) -> None:
        self.folder = folder
        self.environment = Environment(folder) if map_size is None else Environment(folder, map_size=map_size)
        self._reading = ExitStack()
        if self.environment.writable:
            self._collect()

    def close(self) -> None:
        """Close the store and free what it holds."""
        self._reading.close()
        self.environment.close()

    def listing(self) -> list[Listed]:
        """Return all cassettes, sorted by name."""
        return [self._listed(name, record) for name, record in self._records()]

    def find(self, name: str) -> Record | None:
        """Return a cassette's record, or None if there is no such cassette."""
        if not _KEPT_NAME.fullmatch(name):
            return None
        stored = self.environment.get(layout.name_key(name))
        return None if stored is None else self._record(name, stored)

    def existing(self, name: str) -> Record:
        """Return a cassette's record; raises CassetteError if there is no such cassette."""
        record = self.find(name)
        if record is None:
            raise CassetteError(name, f"there is no such cassette in {self.folder}; `chatproxy list` shows what is")
        return record

    def tally(self, record: Record) -> layout.Tally:
        """Return how many exchanges a cassette has, and the last one's number."""
        return layout.Tally.unpack(self.environment.get(layout.tally_key(record.id)))

    def count(self, name: str) -> int:
        """Return how many exchanges a cassette has; raises CassetteError if there is no such cassette."""
        return self.tally(self.existing(name)).count

    def exchanges(self, name: str) -> Iterator[Exchange]:
        """Yield a cassette's exchanges in order; raises CassetteError if there is no such cassette."""
        self.existing(name)
        return self._held_exchanges(name)

    def open(self, name: str, rules: Rules, progress: Progress = unseen) -> Cassette:
        """Open a cassette for replay, compiling it first if nobody has; in memory if the store cannot be written."""
        with ExitStack() as held:
            record = held.enter_context(self._held(name))
            title = record.title or name
            if not StoredCassette.is_compiled(self.environment, record.id, rules):
                source = _Source(self, name, record)
                if not self.environment.writable:
                    return MemoryCassette(title, source, rules, record.declared)
                self._compile(source, rules, progress)
            cassette = StoredCassette(self.environment, record.id, title, rules, record.declared)
            self._reading.enter_context(held.pop_all())
            return cassette

    def compile(self, name: str, rules: Rules, progress: Progress = unseen) -> None:
        """Compile a cassette and keep the result."""
        with self._held(name) as record:
            self._compile(_Source(self, name, record), rules, progress)

    def _compile(self, source: "_Source", rules: Rules, progress: Progress) -> None:
        record = source.record
        with progress("compile", PASSES * self.tally(record).count) as step:
            compile_into(self.environment, record.id, source, rules, declared=record.declared, step=step)

    def begin(
        self, name: str, begun: int, *, interim: bool, title: str = "", declared: Declared | None = None
    ) -> Record:
        """Make a cassette without exchanges under a free name."""

        def work(transaction: Transaction) -> Record:
            number = int.from_bytes(transaction.get(layout.LAST_ID) or b"", "big") + 1
            transaction.put(layout.LAST_ID, layout.number(number))
            said = (declared.account, declared.supplied) if declared else (None, None)
            record = Record(number, begun, interim, title, *said)
            _put_record(transaction, name, record)
            return record

        return self.environment.write(work)

    def promote(self, interim: str, name: str) -> None:
        """Give a partial cassette the name it was begun for; what had that name, and its other partials, go."""
        record = self.existing(interim)
        gone = [found for found in (name, *self.partials(name)) if found != interim]

        def work(transaction: Transaction) -> None:
            for dropped in gone:
                _mark_dropped(transaction, dropped)
            transaction.delete(layout.name_key(interim))
            _put_record(transaction, name, replace(record, interim=False))

        self.environment.write(work)
        self._collect()

    def rename(self, name: str, new: str) -> None:
        """Give a cassette another name, by which an interrupted recording becomes a complete cassette.

        Processes that replay it go on. Raises CassetteError if either name is being recorded or the new one is taken.
        """
        check_name(new)

        def work(transaction: Transaction) -> None:
            record = self.existing(name)
            if transaction.get(layout.name_key(new)) is not None:
                raise CassetteError(new, f"exists; give another name, or delete it first with `chatproxy rm {new}`")
            _put_record(transaction, new, replace(record, interim=False))
            transaction.delete(layout.name_key(name))

        with self.unrecorded(name, new):
            self.environment.write(work)

    def drop(self, *names: str) -> None:
        """Delete cassettes, all or none; what processes are replaying now is deleted when they are done."""

        def work(transaction: Transaction) -> None:
            for name in names:
                _mark_dropped(transaction, name)

        self.environment.write(work)
        self._collect()

    def partials(self, name: str) -> list[str]:
        """Return the names under which interrupted (or running) recordings of this name stand."""
        pattern = re.compile(re.escape(name + PARTIAL) + r"(-\d+)?")
        return [found for found, _ in self._records() if pattern.fullmatch(found)]

    def recording_lock(self, name: str) -> FileLock | None:
        """Take the lock of who records this name, or return nothing if another process has it."""
        return FileLock.take_soon(self._recording_path(name))

    @contextmanager
    def unrecorded(self, *names: str) -> Iterator[None]:
        """Keep all from recording to these cassettes while the block lasts; raises CassetteError if one does now."""
        with ExitStack() as locks:
            for name in sorted({name.partition(PARTIAL)[0] for name in names}):
                lock = self.recording_lock(name)
                if lock is None:
                    raise CassetteError(name, "is being recorded; wait for its end")
                locks.callback(lock.release)
            yield

    def _records(self) -> list[tuple[str, Record]]:
        found = [(key[1:].decode(), stored) for key, stored in self.environment.scan(layout.NAMES, limit=1_000_000)]
        return [(name, self._record(name, stored)) for name, stored in found]

    def _record(self, name: str, stored: bytes) -> Record:
        return _unpacked(stored, f"{self.folder}: cassette {name}")

    def _held_exchanges(self, name: str) -> Iterator[Exchange]:
        with self._held(name) as record:
            yield from self.read(name, record)

    def read(self, name: str, record: Record) -> Iterator[Exchange]:
        """Yield the exchanges of a record; who reads keeps others from deleting it."""
        prefix, after = layout.exchange_prefix(record.id), b""
        missing = self.tally(record).count
        while found := self.environment.scan(prefix, after=after, limit=_CHUNK):
            missing -= len(found)
            for key, value in found:
                after = key[len(prefix) :]
                number = int.from_bytes(after, "big")
                yield decode_exchange(number, value, self._place(name, number))
        if missing > 0:
            raise CassetteError(f"{self.folder}: cassette {name}", f"lacks {missing} of its exchanges; {_ANEW}")

    def read_one(self, name: str, record: Record, number: int) -> Exchange:
        """Return one exchange of a cassette."""
        stored = self.environment.get(layout.exchange_prefix(record.id) + layout.number(number))
        if stored is None:
            raise CassetteError(self._place(name, number), f"is gone; {_ANEW}")
        return decode_exchange(number, stored, self._place(name, number))

    def _place(self, name: str, number: int) -> str:
        return f"{self.folder}: exchange {name}/{number}"

    def _listed(self, name: str, record: Record) -> Listed:
        return Listed(name, self.tally(record).count, record.begun, self._state(name, record))

    def _state(self, name: str, record: Record) -> str:
        """Tell a cassette's state: of several partial ones of a name, only the last can be in the making."""
        if not record.interim:
            return "complete"
        whole = name.partition(PARTIAL)[0]
        is_last = all(other.id <= record.id for other in map(self.find, self.partials(whole)) if other)
        is_running = is_last and FileLock.is_taken(self._recording_path(whole))
        return "recording" if is_running else "interrupted"

    @contextmanager
    def _held(self, name: str) -> Iterator[Record]:
        """Give a cassette's record, and keep others from deleting its data meanwhile."""
        record, lock = self._hold(name)
        try:
            yield record
        finally:
            if lock is not None:
                lock.release()

    def _hold(self, name: str) -> tuple[Record, FileLock | None]:
        while True:
            record = self.existing(name)
            if not self.environment.writable:
                return record, None
            lock = FileLock.take(self._reading_path(record.id), shared=True)
            if lock is not None:
                if self.find(name) == record:
                    return record, lock
                lock.release()  # it was replaced just now

    def _recording_path(self, name: str) -> Path:
        return self.folder / "locks" / f"{name}.recording"

    def _reading_path(self, cassette: int) -> Path:
        return self.folder / "locks" / f"{cassette}.replaying"

    def _collect(self) -> None:
        """Delete the dropped cassettes that nobody replays any more.

        What cannot be deleted now, for a full disk say, is deleted another time: nothing else depends on it.
        """
        with suppress(CassetteError):
            for key, _ in self.environment.scan(layout.DROPPED, limit=1_000):
                self._collect_one(int.from_bytes(key[len(layout.DROPPED) :], "big"))

    def _collect_one(self, cassette: int) -> None:
        lock = FileLock.take(self._reading_path(cassette))
        if lock is None:
            return
        try:
            self.environment.write(partial(_delete, cassette))
            self._reading_path(cassette).unlink(missing_ok=True)  # ids are not given out twice
        finally:
            lock.release()


@dataclass(frozen=True, slots=True)
class _Source:
    """The exchanges of a cassette, for compiling it."""

    store: Store
    name: str
    record: Record

    def __iter__(self) -> Iterator[Exchange]:
        return self.store.read(self.name, self.record)

    def exchange(self, number: int) -> Exchange:
        """Return the exchange of a number."""
        return self.store.read_one(self.name, self.record, number)


_ANEW = "record it again, or import its fixture"


def check_name(name: str) -> None:
    """Raise CassetteError for what is no name of a whole cassette."""
    if not CASSETTE_NAME.fullmatch(name) or PARTIAL in name:
        raise CassetteError(
            name, f"is no name for a cassette: up to 100 letters, digits, '.', '_', '-', without {PARTIAL!r}"
        )


def _packed(record: Record) -> bytes:
    return pack([dumps(asdict(record)).encode()])


def _unpacked(stored: bytes, place: str) -> Record:
    return Record(**loads(unpack(stored, place)[0]))


def _put_record(transaction: Transaction, name: str, record: Record) -> None:
    transaction.put(layout.name_key(name), _packed(record))


def _mark_dropped(transaction: Transaction, name: str) -> None:
    stored = transaction.get(layout.name_key(name))
    if stored is not None:
        transaction.delete(layout.name_key(name))
        transaction.put(layout.DROPPED + layout.number(_unpacked(stored, name).id), b"")


def _delete(cassette: int, transaction: Transaction) -> None:
    for prefix in layout.all_prefixes(cassette):
        transaction.delete_all(prefix)
    transaction.delete(layout.DROPPED + layout.number(cassette))
