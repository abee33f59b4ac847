"""The cassettes of a store: finding, listing, renaming, replacing and dropping them."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange
from chatproxy.store import layout
from chatproxy.store.compiled import StoredCassette
from chatproxy.store.environment import FIRST_MAP_SIZE, Environment, Transaction
from chatproxy.store.exchanges import StoredExchanges, stored_tally
from chatproxy.store.inspection import Inspected, inspect
from chatproxy.store.locks import FileLock
from chatproxy.store.progress import Progress, unseen
from chatproxy.store.reasons import suppress_full
from chatproxy.store.records import (
    KEPT_NAME,
    PARTIAL,
    Record,
    check_name,
    delete_some,
    mark_dropped,
    order_of,
    put_record,
    unpacked,
    whole_of,
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A cassette as a list shows it; ``state`` is complete, recording or interrupted."""

    name: str
    exchanges: int
    begun: int
    state: str


class Store:
    """The cassettes in one folder. One process may have a folder open once; any number of processes may."""

    def __init__(self, folder: Path, *, map_size: int = FIRST_MAP_SIZE, prove: bool = False) -> None:
        self.folder = folder
        self.environment = Environment(folder, map_size=map_size, prove=prove)
        self._reading = ExitStack()
        try:
            self.flaws = self.inspect().flaws if self.environment.is_unproven else []
            self.environment.proven()
            if self.environment.writable:
                self._collect()
        except BaseException:
            self.environment.close()
            raise

    def inspect(self) -> Inspected:
        """Read all that is stored and return what is damaged; what is compiled and damaged is compiled anew."""
        found = inspect(self.environment)
        self.environment.forgotten.update(found.spoilt)
        return found

    def close(self) -> None:
        """Close the store and free what it holds."""
        self._reading.close()
        self.environment.close()

    def listing(self) -> list[Listed]:
        """Return all cassettes, sorted by name, those left of interrupted recordings by their numbers."""
        records = sorted(self._records(), key=lambda one: one[1].id)
        last = {whole_of(name): one.id for name, one in records if PARTIAL in name}
        listed = [Listed(name, self.tally(one).count, one.begun, self._state(name, one, last)) for name, one in records]
        return sorted(listed, key=lambda one: order_of(one.name))

    def find(self, name: str) -> Record | None:
        """Return a cassette's record, or None if there is no such cassette."""
        if not KEPT_NAME.fullmatch(name):
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
        return stored_tally(self.environment, record.id, str(self.folder))

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
                source = StoredExchanges(self.environment, name, record)
                if not self._is_compiled(source, rules, progress):
                    from chatproxy.core.cassette.memory import MemoryCassette  # noqa: PLC0415 - what is compiled needs none

                    return MemoryCassette(title, source, rules, record.declared, record.variables)
            cassette = StoredCassette(self.environment, record.id, title, rules, record.declared, record.variables)
            self._reading.enter_context(held.pop_all())
            return cassette

    def _is_compiled(self, source: StoredExchanges, rules: Rules, progress: Progress) -> bool:
        """Compile a cassette if there is room for that."""
        with suppress_full():
            if self.environment.writable:
                self._compile(source, rules, progress)
                return True
        return False

    def compile(self, name: str, rules: Rules, progress: Progress = unseen) -> None:
        """Compile a cassette and keep the result."""
        with self._held(name) as record:
            self._compile(StoredExchanges(self.environment, name, record), rules, progress)

    def _compile(self, source: StoredExchanges, rules: Rules, progress: Progress) -> None:
        from chatproxy.core.cassette.compile import PASSES  # noqa: PLC0415 - what is compiled needs none
        from chatproxy.store.compiling import compile_into  # noqa: PLC0415 - as above

        record = source.record
        with progress("compile", PASSES * self.tally(record).count) as step:
            compile_into(self.environment, record.id, source, rules, declared=record.declared, step=step)

    def note_variables(self, name: str, variables: Mapping[str, str]) -> None:
        """Add to the names of the environment variables that held a cassette's known SIDs."""
        record = self.existing(name)
        noted = replace(record, variables={**record.variables, **variables})
        self.environment.write(lambda transaction: put_record(transaction, name, noted))

    def promote(self, interim: str, name: str) -> None:
        """Give a partial cassette the name it was begun for; what had that name, and its other partials, go."""
        record = self.existing(interim)
        gone = [found for found in (name, *self.partials(name)) if found != interim]

        def work(transaction: Transaction) -> None:
            for dropped in gone:
                mark_dropped(transaction, dropped)
            transaction.delete(layout.name_key(interim))
            put_record(transaction, name, replace(record, interim=False))

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
            put_record(transaction, new, replace(record, interim=False))
            transaction.delete(layout.name_key(name))

        with self.unrecorded(name, new):
            self.environment.write(work)

    def drop(self, *names: str) -> None:
        """Delete cassettes, all or none; what processes are replaying now is deleted when they are done."""

        def work(transaction: Transaction) -> None:
            for name in names:
                mark_dropped(transaction, name)

        self.environment.write(work)
        self._collect()

    def partials(self, *names: str) -> list[str]:
        """Return the names under which interrupted (or running) recordings stand: those of these names, or all."""
        found = [name for name, _ in self._records() if PARTIAL in name]
        return sorted((name for name in found if not names or whole_of(name) in names), key=order_of)

    def recording_lock(self, name: str) -> FileLock | None:
        """Take the lock of who records this name, or return nothing if another process has it."""
        return FileLock.take_soon(self._recording_path(name))

    @contextmanager
    def unrecorded(self, *names: str) -> Iterator[None]:
        """Keep all from recording to these cassettes while the block lasts; raises CassetteError if one does now."""
        with ExitStack() as locks:
            for name in sorted(set(map(whole_of, names))):
                lock = self.recording_lock(name)
                if lock is None:
                    raise CassetteError(name, "is being recorded; wait for its end")
                locks.callback(lock.release)
            yield

    @contextmanager
    def unrecorded_partials(self) -> Iterator[tuple[list[str], list[str]]]:
        """Give the partial cassettes whose names nobody records while the block lasts, and those of recorded names."""
        with ExitStack() as locks:
            free = set()
            for name in sorted(set(map(whole_of, self.partials()))):
                if lock := self.recording_lock(name):
                    locks.callback(lock.release)
                    free.add(name)
            found = self.partials()
            yield [one for one in found if whole_of(one) in free], [one for one in found if whole_of(one) not in free]

    def _records(self) -> list[tuple[str, Record]]:
        found = [(key[1:].decode(), stored) for key, stored in self.environment.scan(layout.NAMES, limit=1_000_000)]
        return [(name, self._record(name, stored)) for name, stored in found]

    def _record(self, name: str, stored: bytes) -> Record:
        return unpacked(stored, name, f"{self.folder}: cassette {name}")

    def _held_exchanges(self, name: str) -> Iterator[Exchange]:
        with self._held(name) as record:
            yield from StoredExchanges(self.environment, name, record)

    def _state(self, name: str, record: Record, last: Mapping[str, int]) -> str:
        """Tell a cassette's state: only what is not before the ``last`` partial one of a name can be in the making."""
        whole = whole_of(name)
        if record.id >= last.get(whole, 0) and FileLock.is_taken(self._recording_path(whole)):
            return "recording"
        return "interrupted" if record.interim else "complete"

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
                self._leave(record.id, lock)  # it was replaced or renamed just now

    def _leave(self, cassette: int, lock: FileLock) -> None:
        """Release a lock that came too late, and remove its file if it was made anew for a cassette that is deleted.

        A cassette goes from the names to the dropped ones, and from there to nowhere: looked at in this order, one that
        is in neither place is gone for good.
        """
        named = any(record.id == cassette for _, record in self._records())
        if not named and self.environment.get(layout.DROPPED + layout.number(cassette)) is None:
            self._reading_path(cassette).unlink(missing_ok=True)
        lock.release()

    def _recording_path(self, name: str) -> Path:
        return self.folder / "locks" / f"{name}.recording"

    def _reading_path(self, cassette: int) -> Path:
        return self.folder / "locks" / f"{cassette}.replaying"

    def _collect(self) -> None:
        """Delete the dropped cassettes that nobody replays any more.

        What cannot be deleted now, for a full disk say, is deleted another time: nothing else depends on it.
        """
        with suppress(CassetteError):
            dropped = self.environment.scan(layout.DROPPED, limit=1_000)
            named = {record.id for _, record in self._records()} if dropped else set()
            for key, value in dropped:
                cassette = int.from_bytes(key[len(layout.DROPPED) :], "big")
                if layout.is_value(value, key, 0) and cassette not in named:  # else it is damaged
                    self._collect_one(cassette)

    def _collect_one(self, cassette: int) -> None:
        lock = FileLock.take(self._reading_path(cassette))
        if lock is None:
            return
        try:
            while not self.environment.write(partial(delete_some, cassette)):
                pass
            self._reading_path(cassette).unlink(missing_ok=True)  # ids are not given out twice
        finally:
            lock.release()
