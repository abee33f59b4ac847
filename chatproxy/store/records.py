"""Records: what the store knows of each cassette besides its exchanges, and the names that it is kept under."""

import re
from dataclasses import asdict, dataclass, field, replace
from json import dumps, loads

from chatproxy.core.cassette.codec import pack, seal, unpack
from chatproxy.core.errors import CassetteError
from chatproxy.core.http.grammar import CASSETTE_NAME
from chatproxy.core.timeline.known import Declared, Known
from chatproxy.store import layout
from chatproxy.store.environment import Transaction
from chatproxy.store.room import DELETED_AT_ONCE

PARTIAL = ".partial"

KEPT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
"""A cassette's name, or that of a recording that was interrupted."""


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
    """What a canonical fixture of version 2 declared that the cassette comes from."""
    known: tuple[tuple[str | None, ...], ...] | None = None
    """What one of a later version declared."""
    variables: dict[str, str] = field(default_factory=dict)
    """The names of the environment variables that held known SIDs, by these."""

    @property
    def declared(self) -> Declared | None:
        """What a canonical fixture declared; none for what was recorded."""
        if self.known is not None:
            return Declared(self.account, tuple(Known.of(*texts) for texts in self.known))  # type: ignore[arg-type]
        return None if self.supplied is None else Declared.of_supplied(self.account, tuple(self.supplied))

    def saying(self, declared: Declared | None) -> "Record":
        """Return the record with what a canonical fixture declares."""
        if declared is None:
            return self
        if declared.bare:
            supplied = tuple(known.sid.decode() for known in declared.known)
            return replace(self, account=declared.account, supplied=supplied)
        return replace(self, account=declared.account, known=tuple(known.texts() for known in declared.known))


def check_name(name: str) -> None:
    """Raise CassetteError for what is no name of a whole cassette."""
    if not CASSETTE_NAME.fullmatch(name) or PARTIAL in name:
        raise CassetteError(
            name, f"is no name for a cassette: up to 100 letters, digits, '.', '_', '-', without {PARTIAL!r}"
        )


def whole_of(name: str) -> str:
    """Return the name that a partial cassette was begun for; that of any other is its own."""
    return name.partition(PARTIAL)[0]


def order_of(name: str) -> tuple[str, int]:
    """Return what names are sorted by: those of interrupted recordings of one name by their numbers."""
    whole, partial, number = name.partition(PARTIAL + "-")
    return (whole + PARTIAL, int(number)) if partial and number.isdecimal() else (name, 0)


def packed(record: Record, name: str) -> bytes:
    """Return a record as it is stored under a name."""
    return pack([dumps(asdict(record)).encode()], layout.name_key(name))


def unpacked(stored: bytes, name: str, place: str) -> Record:
    """Return a record stored under a name; ``place`` names it in the CassetteError for one that is damaged."""
    return Record(**loads(unpack(stored, place, layout.name_key(name))[0]))


def put_record(transaction: Transaction, name: str, record: Record) -> None:
    """Keep a record under a name."""
    transaction.put(layout.name_key(name), packed(record, name))


def free_id(transaction: Transaction, place: str) -> int:
    """Give out an id that no cassette has, or had; raises CassetteError where that is not known any more."""
    stored = transaction.get(layout.LAST_ID)
    last = layout.opened(stored, layout.LAST_ID, place, 4) if stored is not None else b""
    number = int.from_bytes(last, "big") + 1
    if transaction.get(layout.tally_key(number)) is not None:
        raise CassetteError(place, layout.DAMAGED)
    transaction.put(layout.LAST_ID, seal(layout.number(number), layout.LAST_ID))
    return number


def begin_record(transaction: Transaction, name: str, record: Record, place: str) -> Record:
    """Keep a new record, under a name and with an id of its own, of a cassette without exchanges."""
    record = replace(record, id=free_id(transaction, place))
    tally = layout.tally_key(record.id)
    transaction.put(tally, layout.Tally().pack(tally))
    put_record(transaction, name, record)
    return record


def mark_dropped(transaction: Transaction, name: str) -> None:
    """Take a cassette from its name; its data are deleted once nobody replays it."""
    stored = transaction.get(layout.name_key(name))
    if stored is not None:
        transaction.delete(layout.name_key(name))
        key = layout.DROPPED + layout.number(unpacked(stored, name, name).id)
        transaction.put(key, seal(b"", key))


def delete_some(cassette: int, transaction: Transaction) -> bool:
    """Delete the data of a dropped cassette, as much as goes at once, and tell whether there was nothing left of it.

    The mark goes in a transaction of its own: LMDB gives room to the second one after that which freed it.
    """
    most = DELETED_AT_ONCE
    for prefix in layout.all_prefixes(cassette):
        most = transaction.delete_all(prefix, most)
    if most == DELETED_AT_ONCE:
        transaction.delete(layout.DROPPED + layout.number(cassette))
    return most == DELETED_AT_ONCE
