"""One recording into a store, from the lock that it holds to the cassette that it leaves."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import partial

from chatproxy.core.cassette.codec import encode_exchange
from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_EXCHANGE, Exchange, ExchangeNumber
from chatproxy.core.timeline.known import NO_VARIABLES, Declared
from chatproxy.store import layout
from chatproxy.store.cassettes import Store
from chatproxy.store.chunks import chunks
from chatproxy.store.commit import GroupCommit
from chatproxy.store.environment import Transaction
from chatproxy.store.exchanges import last_write
from chatproxy.store.locks import FileLock
from chatproxy.store.progress import Progress, stepped, unseen
from chatproxy.store.records import PARTIAL, Record, begin_record, check_name
from chatproxy.store.room import SPARE

_Entry = tuple[ExchangeNumber, bytes, bytes]
"""An exchange's number, its key, and the exchange as it is stored."""


class Existing(StrEnum):
    """What to do where a cassette of the name stands already."""

    REFUSE = "refuse"
    APPEND = "append"
    REPLACE = "replace"
    """Also what interrupted recordings left of the name is deleted when this one ends well."""
    RENEW = "renew"
    """Replace it, unless anything is left of interrupted recordings of the name."""


class Recording:
    """A cassette being recorded; only one process at a time has it.

    A new cassette stands as ``NAME.partial`` from its first exchange until ``finish``, and so after a crash; what it
    replaces stays until then. Appending writes to the cassette itself. ``superseded`` names the interrupted recordings
    that a successful end deletes, ``last_write`` is the number of the last write that was there before, 0 without one.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        existing: Existing,
        begun: int,
        *,
        title: str = "",
        declared: Declared | None = None,
        variables: Mapping[str, str] = NO_VARIABLES,
    ) -> None:
        check_name(name)
        self.name = name
        self.superseded: list[str] = []
        self.store = store
        self._begun = begun
        self._title = title if title != name else ""
        self._declared = declared
        self._variables = variables
        self._ended = False
        self._group: GroupCommit[Exchange] | None = None
        self._lock = _locked(store, name)
        try:
            self._at, self._record = self._place(existing)
            self._is_new = self._record is None
            last = store.tally(self._record).last if self._record is not None else NO_EXCHANGE
            self.first_number = ExchangeNumber(last + 1)
            self.last_write = last_write(store.environment, self._record.id, last) if self._record else NO_EXCHANGE
        except BaseException:
            self._lock.release()
            raise

    async def keep(self, exchange: Exchange) -> None:
        """Return when the exchange is on disk; exchanges that come together share one commit."""
        if self._ended:
            raise CassetteError(self.name, "is recorded no more; this exchange came after the end")
        if self._group is None:
            self._group = GroupCommit(self.put)
        await self._group.commit(exchange)

    def put(self, exchanges: list[Exchange]) -> None:
        """Write exchanges, and return when they are on disk."""
        if self._record is not None:
            entries = _entries(self._record, exchanges)
            self.store.environment.write(partial(self._append, self._record, entries), spare=SPARE)
        elif exchanges:
            self._record = self.store.environment.write(partial(self._begin_with, exchanges), spare=SPARE)

    def fill(
        self,
        exchanges: Iterable[Exchange],
        rules: Rules,
        *,
        work: tuple[str, int],
        progress: Progress = unseen,
        keep_empty: bool = False,
    ) -> None:
        """Write all of these and end well; if anything fails, forget them, and what they were to replace stays.

        ``work`` is what this is called, and how many they are, for who shows how far it has come.
        """
        try:
            with progress(*work) as step:
                left = stepped(exchanges, step)
                for chunk in chunks(left, _size, most_bytes=_CHUNK_BYTES, most=_CHUNK_EXCHANGES):
                    self.put(chunk)
            self.finish(rules, keep_empty=keep_empty, progress=progress)
        except BaseException:
            with suppress(CassetteError):  # where even that fails, it stays under the name of an interrupted recording
                self.discard()
            raise

    def finish(self, rules: Rules, *, keep_empty: bool = False, progress: Progress = unseen) -> int:
        """End well: compile, and let a new cassette stand under its name; return how many exchanges it has.

        Without any exchange all is left as it was, unless an empty cassette is wanted. If this fails half way, a
        new recording stays as ``NAME.partial``.
        """
        with self._end():
            if self._record is None and keep_empty:
                self._record = self.store.environment.write(self._begin, spare=SPARE)
            if self._record is None:
                return 0
            count = self.store.tally(self._record).count
            if count or keep_empty:
                self.store.compile(self._at, rules, progress)
                if self._record.interim:
                    self.store.promote(self._at, self.name)
        return count

    def abandon(self) -> None:
        """End badly: what a new recording has stays as ``NAME.partial``; without any exchange there is none."""
        with self._end():
            pass

    def discard(self) -> None:
        """Forget a new recording, as an import that failed does; also one whose ``finish`` failed."""
        with self._end():
            if self._is_new and self._record is not None:
                self.store.drop(self._at)

    @contextmanager
    def _end(self) -> Iterator[None]:
        """Write what is waiting, and free the name, whatever happens."""
        self._ended = True
        try:
            if self._group is not None:
                self._group.close()
            yield
        finally:
            self._lock.release()

    def _place(self, existing: Existing) -> tuple[str, Record | None]:
        """Find the record to write to, or the name that a new one has for now."""
        record = self.store.find(self.name)
        if existing is Existing.REFUSE and record is not None:
            raise CassetteError(self.name, "exists; give --append to add to it or --replace to record it anew")
        if existing is not Existing.REPLACE:
            check_nothing_left(self.store, self.name)
        if existing is Existing.APPEND:
            if record is not None and record.declared is not None:
                raise CassetteError(self.name, _CANONICAL)
            return self.name, record
        self.superseded = _left(self.store, self.name)
        return next(name for name in self._partial_names() if self.store.find(name) is None), None

    def _partial_names(self) -> Iterable[str]:
        yield self.name + PARTIAL
        yield from (f"{self.name}{PARTIAL}-{count}" for count in range(2, 1_000_000))

    def _begin(self, transaction: Transaction) -> Record:
        record = Record(0, self._begun, self._at != self.name, self._title, variables=dict(self._variables))
        return begin_record(transaction, self._at, record.saying(self._declared), str(self.store.folder))

    def _begin_with(self, exchanges: list[Exchange], transaction: Transaction) -> Record:
        """Make the cassette with its first exchanges: without any there is none, whatever ends the recording."""
        record = self._begin(transaction)
        self._append(record, _entries(record, exchanges), transaction)
        return record

    def _append(self, cassette: Record, entries: list[_Entry], transaction: Transaction) -> None:
        key = layout.tally_key(cassette.id)
        tally = layout.Tally.unpack(transaction.get(key), key, f"{self.store.folder}: cassette {self._at}")
        for _, stands, value in entries:
            transaction.put(stands, value)
        last = max([tally.last, *(number for number, _, _ in entries)])
        transaction.put(key, layout.Tally(tally.count + len(entries), last).pack(key))


def _entries(record: Record, exchanges: list[Exchange]) -> list[_Entry]:
    prefix = layout.exchange_prefix(record.id)
    keys = [prefix + layout.number(exchange.number) for exchange in exchanges]
    return [
        (exchange.number, key, encode_exchange(exchange, key)) for exchange, key in zip(exchanges, keys, strict=True)
    ]


def _size(exchange: Exchange) -> int:
    return len(exchange.request.body) + len(exchange.response.body)


_CHUNK_BYTES, _CHUNK_EXCHANGES = 2**21, 2**10


def check_nothing_left(store: Store, name: str) -> None:
    """Raise CassetteError if anything is left of interrupted recordings of this name, which could be lost."""
    for partial_name in _left(store, name):
        raise CassetteError(partial_name, _LEFT.format(partial=partial_name, name=name))


def _left(store: Store, name: str) -> list[str]:
    return [left for left in store.partials(name) if store.count(left)]


_LEFT = (
    "is left of a recording that was interrupted; `chatproxy rename {partial} NAME` keeps it, "
    "`chatproxy rm --partial {name}` deletes it"
)
_CANONICAL = (
    "comes from a canonical fixture, whose SIDs no server knows: nothing can be added; record it anew with --replace"
)


def _locked(store: Store, name: str) -> FileLock:
    lock = store.recording_lock(name)
    if lock is None:
        raise CassetteError(name, "is being recorded by another process; wait for its end or use another name")
    return lock
