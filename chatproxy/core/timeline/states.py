"""States: what has been done at a place, as one number, the same wherever the same writes were done.

The laws:

1. The place of a write is the object that it makes, changes or deletes; that of a read is what its path names.
2. A write touches its place, the collection that holds it and, where the owner shows counts of what is below it, the
   owner and the owner's collection. A create, a delete, and a delete that may have been done touch all below, too.
3. The state of a place is the set of writes done that touch it. A delete makes all at and below its place forgotten;
   the delete itself stays, and nothing there counts after it.
4. An update needs the state of its place. A delete needs that the object lives: the writes that made it and those
   that may have deleted it, here and above. A create needs those above and, where a field is unique, the room for
   its value: what made, renamed or deleted the objects that had it, or may have had it. An update that sends such a
   value needs that, too. The four are never taken for each other.

A set of writes is the exclusive or of a random number for each of them, so that each step takes the same time however
many there are. Two different sets are taken for one in one of 2**64 cases.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from hashlib import blake2b
from typing import NamedTuple

from chatproxy.core.model import ExchangeNumber, is_read


class Effect(IntEnum):
    """What a write does to its object; the numbers are stored."""

    MAKES = 1
    CHANGES = 2
    DELETES = 3
    MAY_CHANGE = 4
    """It was answered 5xx: it may have been carried out."""
    MAY_DELETE = 5


class Where(NamedTuple):
    """A place by digests of paths: the objects above it from the top down, the place, and whether it is an object.

    Above an object that may have a name stands last whichever member of its collection.
    """

    above: tuple[int, ...]
    place: int
    is_object: bool

    @property
    def any_value(self) -> int:
        """The digest that stands for any value of the unique field of what a create or an update is about."""
        return self.above[-1] if self.is_object and self.above else self.place


class Done(NamedTuple):
    """What doing a write changes: its mark, its object with those above, and what it touches besides.

    ``touched`` has the collection first, then the owner and the owner's collection where they are touched. ``unique``
    is a digest of the value that the write gives to the unique field, 0 without one. ``frees`` are those that its
    object may have had before: where that is not known, the digests that stand for any value. ``elsewhere`` is what it
    changes in other collections.
    """

    mark: int
    effect: Effect
    above: tuple[int, ...]
    place: int
    touched: tuple[int, ...]
    unique: int = 0
    frees: tuple[int, ...] = ()
    elsewhere: tuple[int, ...] = ()

    @property
    def places(self) -> tuple[int, ...]:
        """All places that it touches."""
        return (self.place, *self.touched, *self.elsewhere)

    @property
    def places_below(self) -> tuple[int, ...]:
        """The places of which it touches what is below, too."""
        return (self.place, *self.elsewhere) if self.touches_below else self.elsewhere

    @property
    def values(self) -> tuple[int, ...]:
        """The digests of all values that its object has, had or may have had."""
        return (self.unique, *self.frees) if self.unique else self.frees

    @property
    def touches_below(self) -> bool:
        """Whether it touches what is below its object, too."""
        return self.effect not in _ONLY_HERE


_ONLY_HERE = frozenset({Effect.CHANGES, Effect.MAY_CHANGE})


def is_create(method: str, where: Where) -> bool:
    """Tell whether a request asks for a new member of a collection."""
    return not where.is_object and method != "DELETE" and not is_read(method)


def mark(number: ExchangeNumber) -> int:
    """Return the random number of a write: never 0, and the same wherever its cassette is compiled."""
    return _digest(b"%d" % number) | 1


def place_digest(path: bytes) -> int:
    """Return the digest of a place's path."""
    return _digest(b"/" + path)


def unique_digest(collection: int, value: bytes) -> int:
    """Return the digest of a value of the unique field of a collection's members."""
    return _digest(b"=%d=%b" % (collection, value)) | 1


_TO_DELETE, _TO_CREATE, _TO_NAME = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
"""Random numbers that tell what a delete, a create or an update of a name needs from a state."""

_NOBODY: frozenset[int] = frozenset()
_DIGEST = 2**64 - 1


def _digest(text: bytes) -> int:
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


class States:
    """The states of all places, given the writes done."""

    def __init__(self) -> None:
        self._at: defaultdict[int, int] = defaultdict(int)
        """The writes at each object: its delete alone, once it is deleted."""
        self._touching: defaultdict[int, int] = defaultdict(int)
        """The writes that touch a collection, or an owner from below."""
        self._changes: dict[int, int] = {}
        """Those of the writes at an object that only change it."""
        self._may_change: dict[int, int] = {}
        """Those that may have changed it; they are few, and so have no room among the others."""
        self._deleted: set[int] = set()
        self._had: dict[int, set[int]] = {}
        """The objects that had a value of a unique field."""

    def do(self, write: Done) -> None:
        """Take in that a write is done."""
        mark, effect, above, place, touched, *_ = write
        if self._deleted and (place in self._deleted or not self._deleted.isdisjoint(above)):
            return  # nothing there counts any more
        for value in write.values:
            self._had.setdefault(value, set()).add(place)
        if effect is Effect.DELETES:
            self._delete(write)
            return
        self._at[place] ^= mark
        for one in touched:
            self._touching[one] ^= mark
        self._do_elsewhere(write)
        if effect is Effect.CHANGES:
            self._changes[place] = self._changes.get(place, 0) ^ mark
        elif effect is Effect.MAY_CHANGE:
            self._may_change[place] = self._may_change.get(place, 0) ^ mark

    def _do_elsewhere(self, write: Done) -> None:
        """Take in what a write changes in other collections, which no delete of its object makes forgotten.

        Its mark is another at each place there, so that what two of them touch does not look as if it were not done.
        """
        for one in write.elsewhere:
            self._at[one] ^= (write.mark * (one | 1)) & _DIGEST

    def _delete(self, write: Done) -> None:
        place = write.place
        forgotten = self._at[place] ^ write.mark
        for touched in write.touched:
            self._touching[touched] ^= forgotten
        self._touching[write.touched[0]] ^= self._touching.pop(place, 0)  # by what was below
        self._at[place] = write.mark
        self._deleted.add(place)
        self._do_elsewhere(write)
        self._changes.pop(place, None)
        self._may_change.pop(place, None)

    def of(self, where: Where) -> int:
        """Return the state of a place: what a read and an update need."""
        above, is_deleted = self._above(where)
        if is_deleted:
            return above
        return above ^ self._touching.get(where.place, 0) ^ self._at.get(where.place, 0)

    def to_delete(self, where: Where) -> int:
        """Return what a delete of an object needs."""
        above, is_deleted = self._above(where)
        if is_deleted:
            return above ^ _TO_DELETE
        return above ^ self._at.get(where.place, 0) ^ self._changes.get(where.place, 0) ^ _TO_DELETE

    def to_create(self, where: Where, unique: int = 0) -> int:
        """Return what a create in a collection needs, with the digest of its value of the unique field."""
        above, is_deleted = self._above(where)
        return above ^ _TO_CREATE if is_deleted or not unique else above ^ _TO_CREATE ^ self._room(where, unique)

    def to_name(self, where: Where, unique: int) -> int:
        """Return what an update of an object needs that sends the unique field, with the digest of its value."""
        is_deleted = self._above(where)[1]
        return self.of(where) ^ _TO_NAME ^ (0 if is_deleted else self._room(where, unique))

    def _room(self, where: Where, unique: int) -> int:
        """Return what was done to the objects that had a value, or may have had it, besides the one at this place."""
        state = 0
        for place in self._had.get(unique, _NOBODY) | self._had.get(where.any_value, _NOBODY):
            if place != where.place and place not in where.above:
                state ^= self._at[place] ^ self._changes.get(place, 0)
        return state

    def needed(self, method: str, where: Where, unique: int = 0) -> int:
        """Return the state that a request needs if it is carried out, with the digest of a unique value that it sends.

        A delete that was not, and the refusal of a create where no table says what is unique, need that of the place.
        """
        if where.is_object:
            if method == "DELETE":
                return self.to_delete(where)
            return self.to_name(where, unique) if unique else self.of(where)
        return self.to_create(where, unique) if is_create(method, where) else self.of(where)

    @contextmanager
    def also(self, writes: Sequence[Done]) -> Iterator[None]:
        """Have these writes done, too, as long as this lasts."""
        places = {place for write in writes for place in write.places}
        tables = (self._at, self._touching, self._changes, self._may_change)
        held = [{place: table[place] for place in places if place in table} for table in tables]
        deleted = places & self._deleted
        had = {value: set(self._had.get(value, _NOBODY)) for write in writes for value in write.values}
        for write in writes:
            self.do(write)
        yield
        for table, before in zip(tables, held, strict=True):
            for place in places - before.keys():
                table.pop(place, None)
            table.update(before)
        self._deleted -= places - deleted
        self._had.update(had)

    def _above(self, where: Where) -> tuple[int, bool]:
        """Return what was done above a place and touches it, and whether that, or the object itself, was deleted."""
        state = 0
        for object_ in where.above:
            if object_ in self._at:  # most objects above were there before
                state ^= self._at[object_] ^ self._changes.get(object_, 0) ^ self._may_change.get(object_, 0)
                if object_ in self._deleted:
                    return state, True
        if where.is_object and where.place in self._deleted:
            return state ^ self._at[where.place], True
        return state, False
