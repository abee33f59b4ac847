"""Elsewhere: what writes change in other collections than their own, as the tables say.

1. A member's create makes the member of its unique value in another collection, and its delete changes that one. Where
   no answer told the value of what was deleted, it may be any member there.
2. A write, or a delete, changes each member of some collections, and what a create there gives; a delete counts at each
   member of others.
3. What is below a name that no answer ties to a SID stands in the state of the collection that has the name. A write
   that does not count there changes it, too.
4. What takes its name from an object that no answer showed before changes what is asked for by any name, and what gives
   a name to an object whose SID no answer tells changes what is asked for by this one.
5. A write that sends the SID of an object needs that the object is there.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from chatproxy.core.model import is_read
from chatproxy.core.products.every import COLLECTIONS
from chatproxy.core.products.product import Collection
from chatproxy.core.timeline.traces import Trace
from chatproxy.core.timeline.uniques import is_value, path_by_value
from chatproxy.core.twilio.paths import any_name, below_any_name, beside, named_in, table_of, whichever


def note_elsewhere(traces: Sequence[Trace], spelled: Callable[[bytes], bytes]) -> None:
    """Note of each write what it changes in other collections; which values objects had must be noted before.

    ``spelled`` puts a path into the one spelling.
    """
    for one in traces:
        if not is_read(one.method):
            one.elsewhere = tuple(dict.fromkeys(_changed(one, spelled)))


def _changed(one: Trace, spelled: Callable[[bytes], bytes]) -> Iterator[bytes]:
    table = table_of(one.timeline)
    is_end = one.method == "DELETE" and one.is_member
    for path in (*table.changes, *(table.ends if is_end else ())):
        yield whichever(beside(path, table.path, one.timeline))
    for path in table.counted_by if is_end else ():
        other = beside(path, table.path, one.timeline)
        yield from (other, whichever(other))
    if not table.is_counted and (named := named_in(one.timeline)):
        yield below_any_name(named)
    if table.named_by:
        yield from _names(one, spelled)
    if table.makes:
        other = beside(table.makes, table.path, one.timeline)
        values = one.had if is_end else () if one.is_member else (one.unique,)
        yield from (other,) if values else ()
        for value in values:
            yield spelled(path_by_value(other, value)) if is_value(value) else whichever(other)


def _names(one: Trace, spelled: Callable[[bytes], bytes]) -> Iterator[bytes]:
    if not all(one.had):
        yield any_name(one.timeline)
    if not one.is_member and not one.made and is_value(one.unique):
        yield spelled(path_by_value(one.timeline, one.unique))


def made_in(one: Trace) -> bytes:
    """Return the other collection in which a write makes a member of its unique value, nothing if it makes none."""
    table = table_of(one.timeline)
    return beside(table.makes, table.path, one.timeline) if table.makes and not one.is_member else b""


@lru_cache(1024)
def changed_as(collection: bytes) -> tuple[bytes, ...]:
    """Return the paths that stand for each member of a collection, and creates in it, to writes in others."""
    return _meant(collection, lambda one: (*one.changes, *one.ends))


@lru_cache(1024)
def counted_as(collection: bytes) -> tuple[bytes, ...]:
    """Return the paths that stand for each member of a collection to deletes in others."""
    return _meant(collection, lambda one: (*one.counted_by, one.makes))


def _meant(collection: bytes, named: Callable[[Collection], tuple[str, ...]]) -> tuple[bytes, ...]:
    path = table_of(collection).path
    others = (one.path for one in COLLECTIONS if path and path in named(one))
    return tuple(dict.fromkeys(whichever(beside(path, other, collection)) for other in others))
