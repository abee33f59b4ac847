"""Places: where an exchange stands by its path, and what a write does there.

1. A write that was answered below 400, or with 5xx, is done. One answered 4xx is not, unless it repeats a write whose
   client gave up, and says that this was carried out: a delete that finds nothing, a create in conflict.
2. A create makes the object whose SID its answer tells, else an unknown member of its own. A delete of a whole
   collection may have deleted what the object above holds.
3. An update that sends the name by which an object is found touches all below it, as a delete does.
4. Where several objects have had one name, all are one place, and a delete of it is one that may have been done.
5. What is asked for by a name of which no answer tells the SID may be any member: it stands in the collection's state.
   What is done by such a name, or below it, may have been done to any member, and below any.
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from http import HTTPStatus
from typing import NamedTuple

from chatproxy.core.model import is_read, is_refused
from chatproxy.core.products.product import Collection
from chatproxy.core.timeline.elsewhere import changed_as, counted_as, made_in
from chatproxy.core.timeline.states import Done, Effect, States, Where, mark, place_digest, unique_digest
from chatproxy.core.timeline.traces import Trace
from chatproxy.core.timeline.uniques import is_value
from chatproxy.core.twilio.paths import above, any_member, any_name, below_any_name, beside, table_of, timeline


class Need(IntEnum):
    """What an exchange needs to be the same."""

    STATE = 1
    LIFE = 2
    """That the object lives: of a delete that was carried out."""
    ROOM = 3
    """What a create needs."""


class Held(NamedTuple):
    """A collection: what stands above it, what above its members, and what a write to one of these touches.

    Above the members of a collection that have names stands, too, what is done to whichever of them.
    """

    above: tuple[int, ...]
    above_members: tuple[int, ...]
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
            over = tuple(map(place_digest, (*_with_any(owners), *changed_as(path))))
            over_members = (*map(place_digest, counted_as(path)), *over)
            over_members += (place_digest(any_member(path)),) if table.named_by else ()
            held = Held(over, over_members, place_digest(path), tuple(map(place_digest, touched)), table)
            self._held[path] = held
        return held

    def where(self, path: bytes) -> Where:
        """Return the place that a path names."""
        if (where := self._where.get(path)) is None:
            held = self.collection(timeline(path))
            is_object = path != timeline(path)
            if is_object:
                where = Where(held.above_members, place_digest(path), is_object=True)
            elif held.table.shows:
                shown = place_digest(beside(held.table.shows, held.table.path, path))
                where = Where(held.above, shown, is_object=False)
            else:
                where = Where(held.above, held.place, is_object=False)
            self._where[path] = where
        return where

    def of(self, one: Trace) -> Where:
        """Return the place at which an exchange stands."""
        where = self.where(one.path)
        if one.may_be_in and not self.collection(one.timeline).table.shows:
            where = self.where(one.may_be_in)
            where = where._replace(above=(*where.above, place_digest(below_any_name(one.may_be_in))))
        elif one.by_name_in:
            where = where._replace(above=(place_digest(any_name(one.by_name_in)), *where.above))
        if one.needs:
            last = 1 if where.is_object and self.collection(one.timeline).table.named_by else 0
            border = len(where.above) - last  # where any member stands, that stays last
            needs = map(place_digest, one.needs)
            where = where._replace(above=(*where.above[:border], *needs, *where.above[border:]))
        return where

    def member(self, one: Trace, sid: str) -> int:
        """Return the place of an object that an answer shows."""
        path = one.below(sid)
        return (self.where(path) if path == one.path else Where((), place_digest(path), True)).place

    def unique(self, one: Trace) -> int:
        """Return the digest of the value for which a create or an update needs room, 0 if it needs none."""
        return 0 if one.may_be_in else self._given(one)

    def _given(self, one: Trace) -> int:
        """Return the digest of the value that a write gives to the field that is unique in its collection."""
        held = self.collection(one.timeline)
        gives = one.method != "DELETE" and (held.table.named_by or not one.is_member) and held.table.unique
        return unique_digest(held.place, one.unique) if gives and is_value(one.unique) else 0

    def _frees(self, one: Trace) -> tuple[int, ...]:
        """Return the digests of the values that the object of a write may have had before."""
        path = one.path if one.is_member else one.owner
        held = self.collection(timeline(path))
        some = tuple(unique_digest(held.place, value) for value in one.had if is_value(value))
        if all(one.had):
            made = made_in(one)
            return (*some, unique_digest(place_digest(made), one.unique)) if made and is_value(one.unique) else some
        return (*some, held.place, held.above_members[-1]) if held.table.named_by else (*some, held.place)

    def done(self, one: Trace, counts: bool = False) -> Done | None:
        """Return what doing a write changes; None for what changes nothing. ``counts`` is said of one answered 4xx."""
        if is_read(one.method) or (is_refused(one.status) and not counts):
            return None
        if one.may_be_in:
            held = self.collection(one.may_be_in)
            place, frees = held.above_members[-1], self._frees(one)
            given = self._given(one), frees, self._elsewhere(one)
            return Done(mark(one.number), Effect.MAY_DELETE, held.above, place, held.touched, *given)
        path, held = one.path, self.collection(one.timeline)
        is_carried_out = one.status < HTTPStatus.INTERNAL_SERVER_ERROR
        if one.is_member:
            effect = self._effect(one, is_carried_out, held.table)
        elif one.method == "DELETE" and held.above:
            path, effect = one.owner, Effect.MAY_DELETE
            held = self.collection(timeline(path))
        else:
            sid = one.made[0] if one.made and one.status < HTTPStatus.BAD_REQUEST else f"?{one.number}"
            path, effect = one.below(sid), Effect.MAKES
        given = self._given(one), self._frees(one), self._elsewhere(one)
        return Done(mark(one.number), effect, held.above, place_digest(path), held.touched, *given)

    @staticmethod
    def _elsewhere(one: Trace) -> tuple[int, ...]:
        return tuple(map(place_digest, one.elsewhere))

    @staticmethod
    def _effect(one: Trace, is_carried_out: bool, table: Collection) -> Effect:
        if one.method == "DELETE":
            return Effect.DELETES if is_carried_out and not one.is_shared else Effect.MAY_DELETE
        if (one.unique and table.named_by) or table.rules_below:
            return Effect.MAKES
        return Effect.CHANGES if is_carried_out else Effect.MAY_CHANGE

    def need(self, one: Trace, done: Done | None) -> Need:
        """Return what an exchange needs to be the same, given what it does, if it does anything."""
        if is_read(one.method) or one.may_be_in or (one.method == "DELETE") != one.is_member:
            return Need.STATE
        if one.method == "DELETE":
            return Need.LIFE if one.status < HTTPStatus.BAD_REQUEST else Need.STATE
        return Need.STATE if not done and self.may_be_refused_by_others(one) else Need.ROOM

    def may_be_refused_by_others(self, one: Trace) -> bool:
        """Tell whether any member of its collection may be why a create was refused, and not one of its value alone."""
        if one.may_be_in or not self.has_table(one.timeline) or one.status == HTTPStatus.FORBIDDEN:  # as of a limit
            return True
        return one.status == HTTPStatus.CONFLICT and not self._given(one)

    def has_table(self, collection: bytes) -> bool:
        """Tell whether a table says what is unique in a collection."""
        return bool(self.collection(collection).table.path)


def _with_any(objects: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the paths of objects, each after that of any member of its collection if these have names."""
    for path in objects:
        collection = timeline(path)
        if table_of(collection).named_by:
            yield any_member(collection)
        yield path


def needed(states: States, where: Where, need: Need, unique: int) -> int:
    """Return the state that an exchange needs."""
    if need is Need.STATE:
        return states.to_name(where, unique) if unique and where.is_object else states.of(where)
    return states.to_delete(where) if need is Need.LIFE else states.to_create(where, unique)


def touches(write: Done, where: Where, need: Need) -> bool:
    """Tell whether a write touches what an exchange needs, except for what is unique."""
    if any(one in where.above or (one == where.place and need is not Need.ROOM) for one in write.elsewhere):
        return True
    if write.place in where.above:
        return write.touches_below
    if need is Need.STATE:
        return where.place in write.touched or write.place == where.place
    return need is Need.LIFE and write.place == where.place and write.effect is not Effect.CHANGES
