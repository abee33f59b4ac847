"""Places: where an exchange stands by its path, and what a write does there.

1. A write that was answered below 400, or with 5xx, is done. One answered 4xx is not, unless it repeats a write whose
   client gave up, and says that this was carried out: a delete that finds nothing, a create in conflict.
2. A create makes the object whose SID its answer tells, else an unknown member of its own. A delete of a whole
   collection may have deleted what the object above holds.
3. An update that sends the name by which an object is found touches all below it, as a delete does.
4. Where several objects have had one name, all are one place, and a delete of it is one that may have been done.
5. What is asked for by a name of which no answer tells the SID may be any member: it stands in the collection's state.
"""

from enum import IntEnum
from http import HTTPStatus
from typing import NamedTuple

from chatproxy.core.model import is_read
from chatproxy.core.products.product import Collection
from chatproxy.core.timeline.states import Done, Effect, States, Where, mark, place_digest, unique_digest
from chatproxy.core.timeline.traces import Trace
from chatproxy.core.twilio.paths import above, table_of, timeline


class Need(IntEnum):
    """What an exchange needs to be the same."""

    STATE = 1
    LIFE = 2
    """That the object lives: of a delete that was carried out."""
    ROOM = 3
    """What a create needs."""


class Held(NamedTuple):
    """A collection: the objects above its members and itself, and what a write to one of these touches."""

    above: tuple[int, ...]
    place: int
    touched: tuple[int, ...]
    table: Collection


class Places:
    """The places of one cassette's paths, each worked out once."""

    def __init__(self) -> None:
        self._held: dict[bytes, Held] = {}
        self._where: dict[bytes, Where] = {}

    def collection(self, path: bytes) -> Held:
        """Return what there is to know of the collection at this path."""
        if (held := self._held.get(path)) is None:
            owners, table = above(path), table_of(path)
            touched = [path, owners[-1], timeline(owners[-1])] if owners and table.is_counted else [path]
            held = Held(tuple(map(place_digest, owners)), place_digest(path), tuple(map(place_digest, touched)), table)
            self._held[path] = held
        return held

    def where(self, path: bytes) -> Where:
        """Return the place that a path names."""
        if (where := self._where.get(path)) is None:
            held = self.collection(timeline(path))
            is_object = path != timeline(path)
            where = Where(held.above, place_digest(path) if is_object else held.place, is_object)
            self._where[path] = where
        return where

    def of(self, one: Trace) -> Where:
        """Return the place at which an exchange stands."""
        return self.where(one.may_be_in or one.path)

    def member(self, one: Trace, sid: str) -> int:
        """Return the place of an object that an answer shows."""
        path = one.below(sid)
        return (self.where(path) if path == one.path else Where((), place_digest(path), True)).place

    def unique(self, one: Trace) -> int:
        """Return the digest of the value that a write has of the field that is unique in its collection."""
        return unique_digest(self.collection(one.timeline).place, one.unique) if one.unique else 0

    def done(self, one: Trace, counts: bool = False) -> Done | None:
        """Return what doing a write changes; None for what changes nothing. ``counts`` is said of one answered 4xx."""
        if is_read(one.method) or (is_refused(one.status) and not counts):
            return None
        path, held = one.path, self.collection(one.timeline)
        is_carried_out = one.status < HTTPStatus.INTERNAL_SERVER_ERROR
        if one.is_member:
            effect = self._effect(one, is_carried_out, held.table)
        elif one.method == "DELETE" and held.above:
            path, effect = path.rpartition(b"/")[0], Effect.MAY_DELETE
            held = self.collection(timeline(path))
        else:
            sid = one.made[0] if one.made and one.status < HTTPStatus.BAD_REQUEST else f"?{one.number}"
            path, effect = one.below(sid), Effect.MAKES
        return Done(mark(one.number), effect, held.above, place_digest(path), held.touched, self.unique(one))

    @staticmethod
    def _effect(one: Trace, is_carried_out: bool, table: Collection) -> Effect:
        if one.method == "DELETE":
            return Effect.DELETES if is_carried_out and not one.is_shared else Effect.MAY_DELETE
        if one.unique and table.named_by:
            return Effect.MAKES
        return Effect.CHANGES if is_carried_out else Effect.MAY_CHANGE

    def need(self, one: Trace, done: Done | None) -> Need:
        """Return what an exchange needs to be the same, given what it does, if it does anything."""
        if is_read(one.method) or (one.method == "DELETE") != one.is_member:
            return Need.STATE
        if one.may_be_in:
            return Need.ROOM if done and not one.is_member else Need.STATE
        if one.method == "DELETE":
            return Need.LIFE if one.status < HTTPStatus.BAD_REQUEST else Need.STATE
        return Need.ROOM if done or self.has_table(one.timeline) else Need.STATE

    def has_table(self, collection: bytes) -> bool:
        """Tell whether a table says what is unique in a collection."""
        return bool(self.collection(collection).table.path)


def is_refused(status: int) -> bool:
    """Tell whether a write that was answered so has done nothing."""
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def needed(states: States, where: Where, need: Need, unique: int) -> int:
    """Return the state that an exchange needs."""
    if need is Need.STATE:
        return states.of(where)
    return states.to_delete(where) if need is Need.LIFE else states.to_create(where, unique)


def touches(write: Done, where: Where, need: Need) -> bool:
    """Tell whether a write touches what an exchange needs, except for what is unique."""
    if write.place in where.above:
        return write.touches_below
    if need is Need.STATE:
        return where.place in write.touched or write.place == where.place
    return need is Need.LIFE and write.place == where.place and write.effect is not Effect.CHANGES
