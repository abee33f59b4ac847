"""The cassettes of a store: finding, listing, beginning, replacing and dropping them."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from json import dumps, loads
from pathlib import Path

from chatproxy.core.cassette import Cassette, MemoryCassette
from chatproxy.core.codec import decode_exchange
from chatproxy.core.errors import CassetteError
from chatproxy.core.model import Exchange
from chatproxy.core.normalize import Rules
from chatproxy.store import layout
from chatproxy.store.compiled import StoredCassette, compile_into
from chatproxy.store.environment import Environment, Transaction
from chatproxy.store.locks import FileLock

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
PARTIAL = ".partial"

_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Record:
    """What the store knows of a cassette besides its exchanges; ``begun`` is in microseconds since 1970."""

    id: int
    begun: int
    interim: bool = False
    title: str = ""
    """The name to go by, where it is not the one that it is kept under."""


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
        self._reading: list[FileLock] = []
        if self.environment.writable:
            self._collect()

    def close(self) -> None:
        """Close the store and free what it holds."""
        for lock in self._reading:
            lock.release()
        self.environment.close()

    def listing(self) -> list[Listed]:
        """Return all cassettes, sorted by name."""
        return [self._listed(name, record) for name, record in self._records()]

    def find(self, name: str) -> Record | None:
        """Return a cassette's record, or None if there is no such cassette."""
        stored = self.environment.get(layout.name_key(name))
        return None if stored is None else Record(**loads(stored))

    def tally(self, record: Record) -> layout.Tally:
        """Return how many exchanges a cassette has, and the last one's number."""
        return layout.Tally.unpack(self.environment.get(layout.tally_key(record.id)))

    def count(self, name: str) -> int:
        """Return how many exchanges a cassette has; raises CassetteError if there is no such cassette."""
        return self.tally(self._existing(name)).count

    def exchanges(self, name: str) -> Iterator[Exchange]:
        """Yield a cassette's exchanges in order; raises CassetteError if there is no such cassette."""
        return self._exchanges(name, self._existing(name))

    def open(self, name: str, rules: Rules) -> Cassette:
        """Open a cassette for replay, compiling it first if nobody has; in memory if the store cannot be written."""
        record = self._held(name)
        if not StoredCassette.is_compiled(self.environment, record.id, rules):
            if not self.environment.writable:
                return MemoryCassette(name, self._exchanges(name, record), rules)
            compile_into(self.environment, record.id, self._exchanges(name, record), rules)
        return StoredCassette(self.environment, record.id, record.title or name, rules)

    def compile(self, name: str, rules: Rules) -> None:
        """Compile a cassette and keep the result."""
        record = self._existing(name)
        compile_into(self.environment, record.id, self._exchanges(name, record), rules)

    def begin(self, name: str, begun: int, *, interim: bool, title: str = "") -> Record:
        """Make a cassette without exchanges under a free name."""

        def work(transaction: Transaction) -> Record:
            number = int.from_bytes(transaction.get(layout.LAST_ID) or b"", "big") + 1
            transaction.put(layout.LAST_ID, layout.number(number))
            record = Record(number, begun, interim, title)
            _put_record(transaction, name, record)
            return record

        return self.environment.write(work)

    def promote(self, interim: str, name: str) -> None:
        """Give a partial cassette the name it was begun for; what had that name, and its other partials, go."""
        record = self._existing(interim)
        gone = [found for found in (name, *self.partials(name)) if found != interim]

        def work(transaction: Transaction) -> None:
            for dropped in gone:
                _mark_dropped(transaction, dropped)
            transaction.delete(layout.name_key(interim))
            _put_record(transaction, name, replace(record, interim=False))

        self.environment.write(work)
        self._collect()

    def drop(self, name: str) -> None:
        """Delete a cassette; what processes are replaying now is deleted when they are done."""
        self.environment.write(lambda transaction: _mark_dropped(transaction, name))
        self._collect()

    def partials(self, name: str) -> list[str]:
        """Return the names under which interrupted (or running) recordings of this name stand."""
        pattern = re.compile(re.escape(name + PARTIAL) + r"(-\d+)?")
        return [found for found, _ in self._records() if pattern.fullmatch(found)]

    def recording_lock(self, name: str) -> FileLock | None:
        """Take the lock of who records this name, or return nothing if another process has it."""
        return FileLock.take(self.folder / "locks" / f"{name}.recording")

    def _records(self) -> list[tuple[str, Record]]:
        found = self.environment.scan(layout.NAMES, limit=1_000_000)
        return [(key[1:].decode(), Record(**loads(value))) for key, value in found]

    def _existing(self, name: str) -> Record:
        record = self.find(name)
        if record is None:
            raise CassetteError(name, f"there is no such cassette in {self.folder}; `chatproxy list` shows what is")
        return record

    def _exchanges(self, name: str, record: Record) -> Iterator[Exchange]:
        prefix, after = layout.exchange_prefix(record.id), b""
        while found := self.environment.scan(prefix, after=after, limit=_CHUNK):
            for key, value in found:
                after = key[len(prefix) :]
                number = int.from_bytes(after, "big")
                yield decode_exchange(number, value, f"{self.folder}: exchange {name}/{number}")

    def _listed(self, name: str, record: Record) -> Listed:
        state = "complete"
        if record.interim:
            lock = self.recording_lock(name.partition(PARTIAL)[0])
            state = "interrupted" if lock else "recording"
            if lock:
                lock.release()
        return Listed(name, self.tally(record).count, record.begun, state)

    def _held(self, name: str) -> Record:
        """Return a cassette's record, with others kept from deleting what this process replays."""
        record = self._existing(name)
        if not self.environment.writable:
            return record
        lock = FileLock.take(self._reading_path(record.id), shared=True)
        if lock is None or self.find(name) != record:
            return self._held(name)  # it was replaced just now
        self._reading.append(lock)
        return record

    def _reading_path(self, cassette: int) -> Path:
        return self.folder / "locks" / f"{cassette}.replaying"

    def _collect(self) -> None:
        """Delete the dropped cassettes that nobody replays any more."""
        for key, _ in self.environment.scan(layout.DROPPED, limit=1_000):
            cassette = int.from_bytes(key[len(layout.DROPPED) :], "big")
            if lock := FileLock.take(self._reading_path(cassette)):
                self.environment.write(partial(_delete, cassette))
                self._reading_path(cassette).unlink()
                lock.release()


def _put_record(transaction: Transaction, name: str, record: Record) -> None:
    transaction.put(layout.name_key(name), dumps(asdict(record)).encode())


def _mark_dropped(transaction: Transaction, name: str) -> None:
    stored = transaction.get(layout.name_key(name))
    if stored is not None:
        transaction.delete(layout.name_key(name))
        transaction.put(layout.DROPPED + layout.number(loads(stored)["id"]), b"")


def _delete(cassette: int, transaction: Transaction) -> None:
    for prefix in layout.all_prefixes(cassette):
        transaction.delete_all(prefix)
    transaction.delete(layout.DROPPED + layout.number(cassette))
