"""Sights: what each answer shows that no answer before it has shown.

Polling shows the same objects again and again, and most of their bytes have been looked at. So a body is taken apart
into the elements of its list, and an element whose bytes were seen is not read again; of the values of an object only
hashes are kept.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache, partial
from http import HTTPStatus
from json import loads
from typing import NamedTuple

from chatproxy.core.http.headers import is_json
from chatproxy.core.model import Exchange, Response
from chatproxy.core.products.every import LISTS, SID_FIELD
from chatproxy.core.twilio.objects import ends, shown
from chatproxy.core.twilio.paths import table_of, texts_of, timeline


class What(IntEnum):
    """What is new of an object."""

    FIRST = 1
    """It is shown for the first time."""
    APPEARED = 2
    """Likewise, and a whole list was without it before, or it was not found."""
    CHANGED = 3
    """It has other values than it had when it was shown last."""
    AGAIN = 4
    """It is as it was shown last, though it was written since."""
    GONE = 5
    """It was shown before, and now a whole list is without it, or it is not found."""
    LISTED = 6
    """A part of a list shows it that did not when it was asked for last."""


class News(NamedTuple):
    """What is new of the object with this SID in the collection that was asked for; ``changed`` are names of fields."""

    sid: str
    what: What
    changed: tuple[str, ...] = ()


class Sight(NamedTuple):
    """One object as an answer has it: its fields, each as a number of its name and value, and what tells of names."""

    sid: str
    fields: "array[int]"
    tells: dict[str, str]


class Seen(NamedTuple):
    """What an answer shows, whether it is a page of a list, and whether that is the first and the last one."""

    objects: tuple[Sight, ...] = ()
    is_page: bool = False
    is_first: bool = False
    is_last: bool = False


@dataclass(slots=True)
class _Collection:
    """What was shown of a collection: each member's fields, and which were written since.

    ``named_by`` is the field by whose value a member may be asked for, ``absent`` what was not found, by SID or name.
    """

    named_by: str | None = None
    absent: set[str] = field(default_factory=set)
    known: dict[str, "array[int]"] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    is_listed: bool = False
    changes: int = 0


_NOTHING = Seen()
_BITS = 48
_VALUE = (1 << _BITS) - 1


class _Numbers(dict[str, int]):
    """A number for each name, in the order in which they are first asked for."""

    def __missing__(self, name: str) -> int:
        return self.setdefault(name, len(self))


def _hash(value: object) -> int:
    return hash(value if isinstance(value, str) else repr(value))


_KEPT, _LONGEST_KEPT = 2048, 2048
_SID = SID_FIELD.decode()
_PAGE = f'"{LISTS.page}"'.encode()


class Sights:
    """Looks at the answers of one cassette, which must come in the order of their numbers."""

    def __init__(self) -> None:
        self._names = _Numbers()
        self._collections: dict[bytes, _Collection] = {}
        self._bodies: dict[int, tuple[int, _Collection, int]] = {}
        self._pages: dict[int, frozenset[str]] = {}
        self._open: set[int] = set()
        self._sight = partial(_sight, self._names)
        self._kept = lru_cache(_KEPT)(self._sight)
        self._frame = lru_cache(_KEPT)(_frame)

    def is_as_before(self, key: int, answer: int) -> bool:
        """Tell whether an answer is that to the last request of its key, and nothing was shown or written since."""
        found = self._bodies.get(key)
        return found is not None and found[0] == answer and found[2] == found[1].changes

    def has_more(self, key: int) -> bool:
        """Tell whether the last answer to the request of this key was a list that has further pages."""
        return key in self._open

    def seen(self, response: Response) -> Seen:
        """Read an answer; one that is not a JSON object shows nothing."""
        text = response.body
        if not text or not is_json(response.headers):
            return _NOTHING
        if _PAGE not in text:
            one = self._one(text)
            return self._read(response) if one is None else Seen((one,))
        before, elements, after = _apart(text)
        page = self._frame(before, after)
        objects = tuple(filter(None, map(self._one, elements)))
        if page is None or len(objects) != len(elements):
            return self._read(response)
        return Seen(objects, True, *page)

    def _one(self, text: bytes) -> Sight | None:
        return self._kept(text) if len(text) <= _LONGEST_KEPT else self._sight(text)

    def _read(self, response: Response) -> Seen:
        """Read an answer as a whole."""
        found = shown(response)
        objects = tuple(_sight_of(self._names, {**fields, _SID: sid}) for sid, fields in found.objects.items())
        page = found.page
        return Seen(objects) if page is None else Seen(objects, True, page.is_first, page.is_last)

    def news(self, exchange: Exchange, path: bytes, key: int, seen: Seen, is_whole: bool) -> tuple[News, ...]:
        """Return what is new in an answer; ``is_whole`` tells that what was asked for leaves no member out."""
        above = timeline(path)
        collection = self._of(above)
        status, is_list = exchange.response.status, above == path and exchange.request.method == "GET"
        found: list[News] = []
        member = path[len(above) + 1 :].decode("utf-8", "replace")
        if status == HTTPStatus.NOT_FOUND and member:
            found = [News(member, What.GONE)] if collection.known.pop(member, None) is not None else []
            collection.absent.add(member)
        elif status == HTTPStatus.NOT_FOUND:
            self._note_absent(above.rpartition(b"/")[0])
        elif status in _SHOWING:
            found = list(self._shown(collection, exchange, seen))
            if member in collection.absent and not seen.objects:  # a HEAD shows no more than that it is there
                collection.absent.remove(member)
                found.append(News(member, What.APPEARED))
            if is_list:
                found += self._list(collection, key, seen, is_whole)
        if found:
            collection.changes += 1
        self._bodies[key] = hash((status, exchange.response.body)), collection, collection.changes
        return tuple(found)

    def _of(self, line: bytes) -> _Collection:
        if (collection := self._collections.get(line)) is None:
            collection = self._collections[line] = _Collection(table_of(line).named_by)
        return collection

    def _note_absent(self, owner: bytes) -> None:
        """Take in that the list below an owner was not found."""
        above = timeline(owner)
        self._of(above).absent.add(owner[len(above) + 1 :].decode("utf-8", "replace"))

    def _shown(self, collection: _Collection, exchange: Exchange, seen: Seen) -> Iterator[News]:
        known, written = collection.known, collection.written
        for sid, fields, tells in seen.objects:
            before = known.get(sid)
            if before == fields and not written:
                continue
            known[sid] = fields
            if before is None:
                was_absent = collection.is_listed or not collection.absent.isdisjoint(_called(collection, sid, tells))
                collection.absent.difference_update(_called(collection, sid, tells))
                yield News(sid, What.APPEARED if was_absent else What.FIRST)
            elif changed := self._changed(before, fields):
                yield News(sid, What.CHANGED, changed)
            elif sid in written:
                yield News(sid, What.AGAIN)
            if written.get(sid, exchange.asked + 1) <= exchange.asked:
                del written[sid]

    def _changed(self, before: "array[int]", after: "array[int]") -> tuple[str, ...]:
        """Return the names of the fields that both have, with other values."""
        if before == after:
            return ()
        was, now = set(before), set(after)
        others = {one >> _BITS for one in was - now} & {one >> _BITS for one in now - was}
        return tuple(name for name, nth in self._names.items() if nth in others) if others else ()

    def _list(self, collection: _Collection, key: int, seen: Seen, is_whole: bool) -> Iterable[News]:
        (self._open.discard if seen.is_last or not seen.is_page else self._open.add)(key)
        return _gone(collection, seen) if is_whole and seen.is_first and seen.is_last else self._listed(key, seen)

    def _listed(self, key: int, seen: Seen) -> Iterator[News]:
        before, now = self._pages.get(key), frozenset(one.sid for one in seen.objects)
        self._pages[key] = now
        return (News(sid, What.LISTED) for sid in sorted(now - before)) if before is not None else iter(())

    def written(self, exchange: Exchange, path: bytes, seen: Seen) -> None:
        """Note what a write may have changed without showing it: its object, and the one above."""
        above = timeline(path)
        owner = above.rpartition(b"/")[0]
        for place in (owner,) if path == above or seen.objects else (path, owner):
            collection = self._collections.get(timeline(place))
            if collection is not None and place != timeline(place):
                collection.written[place.rpartition(b"/")[2].decode("utf-8", "replace")] = exchange.answered
                collection.changes += 1


def _called(collection: _Collection, sid: str, tells: dict[str, str]) -> tuple[str, ...]:
    """Return how an object may be asked for."""
    name = tells.get(collection.named_by) if collection.named_by else None
    return (sid,) if name is None else (sid, name)


def _sight(names: _Numbers, text: bytes) -> Sight | None:
    try:
        one = loads(text)
    except (ValueError, RecursionError):
        return None
    return _sight_of(names, one) if isinstance(one, dict) and isinstance(one.get(_SID), str) else None


def _sight_of(names: _Numbers, one: dict[str, object]) -> Sight:
    numbers = [names[name] << _BITS | _hash(value) & _VALUE for name, value in one.items() if value is not None]
    return Sight(str(one[_SID]), array("Q", numbers), texts_of(one))


_SHOWING = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})


def _gone(collection: _Collection, seen: Seen) -> list[News]:
    collection.is_listed = True
    if len(collection.known) == len(seen.objects):
        return []
    listed = {one.sid for one in seen.objects}
    gone = [sid for sid in collection.known if sid not in listed]
    for sid in gone:
        del collection.known[sid]
    return [News(sid, What.GONE) for sid in gone]


def _apart(text: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Return what stands before the elements of a list, the elements, and what stands after them.

    Where it takes for a list what is something else, some element is not a JSON object.
    """
    array_ = text.find(b"[{") + 1
    end = text.rfind(b"}]")
    if not 0 < array_ < end:
        return text, [], b""
    inner = text[array_ + 1 : end]
    elements = inner.split(b"}, {" if b"}, {" in inner else b"},{")
    return text[:array_], [b"{%b}" % element for element in elements], text[end + 1 :]


def _frame(before: bytes, after: bytes) -> tuple[bool, bool] | None:
    """Return whether a page is the first and the last one; None where what is around its elements is not a page."""
    try:
        content = loads(before + b"{}" + after if after else before)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or _SID in content or not isinstance(page := content.get(LISTS.page), dict):
        return None
    return ends(page)
