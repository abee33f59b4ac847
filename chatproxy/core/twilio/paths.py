"""Twilio's paths: after the version, collections and members alternate."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import takewhile

from chatproxy.core.products.every import COLLECTIONS, NAMED, VERSIONS, path_pattern
from chatproxy.core.products.product import Collection
from chatproxy.core.twilio.sids import SID_SEGMENT


def timeline(path: bytes) -> bytes:
    """Return the collection of a decoded path: ``…/Messages`` for itself and for ``…/Messages/IM…``."""
    return path.rpartition(b"/")[0] if path.count(b"/") % 2 else path


def route(method: str, path: bytes) -> str:
    """Return method and collection, as ``POST Messages``, or for a member of it ``POST Messages/Sid``."""
    collection = timeline(path)
    name = collection.rpartition(b"/")[2].decode("utf-8", "replace")
    return f"{method} {name}" if collection == path else f"{method} {name}/Sid"


def path_segment(text: bytes) -> bytes:
    """Return a text as a segment of a decoded path has it: what would read as structure is escaped."""
    return _STRUCTURE.sub(lambda found: b"%%%02x" % ord(found[0]), text)


_STRUCTURE = re.compile(rb"[%/?\n]")


def above(path: bytes) -> list[bytes]:
    """Return the paths of the objects above what a path names, from the top down."""
    first = 4 if path.startswith(tuple(VERSIONS)) else 2
    segments = path.split(b"/")
    return [b"/".join(segments[:length]) for length in range(first, len(segments), 2)]


def any_member(collection: bytes) -> bytes:
    """Return the path that stands for whichever member of a collection: no member has it."""
    return collection + b"/?"


def whichever(collection: bytes) -> bytes:
    """Return the path that stands for each member of a collection to writes in others: no member has it."""
    return collection + b"/*"


def any_name(collection: bytes) -> bytes:
    """Return the path that stands for whichever name of a member of a collection: no member has it."""
    return collection + b"/?name"


def below_any_name(collection: bytes) -> bytes:
    """Return the path that stands for what is below whichever member of a collection: nothing has it."""
    return collection + b"/?/"


@lru_cache(1024)
def beside(path: str, own: str, collection: bytes) -> bytes:
    """Return the path of a table with those members put in that are above a collection, of the table ``own``, too."""
    segments = path.split("/")
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(segments, own.split("/"), strict=False)))
    return b"/".join([*collection.split(b"/")[:same], *(one.encode() for one in segments[same:])])


@lru_cache(1024)
def table_of(collection: bytes) -> Collection:
    """Return the table of the collection at this path; where there is none, what holds for any."""
    found = _COLLECTION.fullmatch(collection)
    return _ANY if found is None or found.lastindex is None else COLLECTIONS[found.lastindex - 1]


_ANY = Collection("")
_COLLECTION = re.compile(b"|".join(b"(%b)" % path_pattern(one.path) for one in COLLECTIONS))


def texts_of(fields: Mapping[str, object]) -> dict[str, str]:
    """Return those fields of an object that tell of names."""
    return {name: value for name in _TOLD if isinstance(value := fields.get(name), str)}


class Spellings:
    """Which names and SIDs are one place, as answers say.

    1. A name is one place with the member that it stands for: an answer to it, below it, or that shows both, says so;
       and so does what was found below the name, where that was shown below the member.
    2. Where a name stood for one object and later for another, all three are one place, which is then *shared*: what
       is done to one of them is taken for done to each, and no delete there is an end. So it is where one was deleted
       twice.
    """

    def __init__(self) -> None:
        self._others: dict[bytes, bytes] = {}
        self._shared: set[bytes] = set()

    def wants(self, path: bytes) -> bool:
        """Tell whether an answer to a request of this path may tell of names: not below what is named by its SID."""
        found = _NAMED.match(path)
        if found is None:
            return _LISTED.fullmatch(path) is not None
        return found.end() == len(path) or not SID_SEGMENT.fullmatch(found[0].rpartition(b"/")[2])

    def learn(self, path: bytes, sid: bytes, tells: Mapping[str, str]) -> None:
        """Take in what an object in the answer to a request of this path said: its SID, and fields of it."""
        if (found := _NAMED.match(path)) is None:
            if (listed := _LISTED.fullmatch(path)) and listed.lastindex:
                self._named(NAMED[listed.lastindex - 1], path, sid, tells)
            return
        kind, parent = NAMED[(found.lastindex or 1) - 1], _parent(found[0])
        if found.end() == len(path):
            self._named(kind, parent, sid, tells)
            self._same(found[0], parent + b"/" + sid)
            return
        told = (tells[name].encode("utf-8", "replace") for name in kind.told_by if name in tells)
        if below := next(filter(SID_SEGMENT.fullmatch, told), None) or _in_url(tells.get(_URL, ""), found[0]):
            self._same(found[0], parent + b"/" + below)

    def learn_below(self, path: bytes, other: bytes) -> None:
        """Take in that two paths are of one object, so that what stands above it is one, too."""
        one, two = _NAMED.match(path), _NAMED.match(other)
        if one and two and _parent(one[0]) == _parent(two[0]) and path[one.end() :] == other[two.end() :]:
            self._same(one[0], two[0])

    def _named(self, kind: Collection, collection: bytes, sid: bytes, tells: Mapping[str, str]) -> None:
        if name := tells.get(kind.named_by):
            self._same(collection + b"/" + path_segment(name.encode("utf-8", "replace")), collection + b"/" + sid)

    def _same(self, name: bytes, path: bytes) -> None:
        """Take in that a name was a SID's; SIDs themselves are never of one object."""
        if name == path or SID_SEGMENT.fullmatch(name.rpartition(b"/")[2]):
            return
        known, other = self._others.get(name), self._root(path)
        if known is None:
            self._others[name] = other
        elif (root := self._root(known)) != other:
            self._others[other] = root
            self._shared |= {root, other}

    def _root(self, path: bytes) -> bytes:
        while (other := self._others.get(path)) is not None:
            path = other
        return path

    def one(self, path: bytes) -> bytes:
        """Return the path in the one spelling that stands for all."""
        return one_spelling(path, self._root)

    @property
    def others(self) -> dict[bytes, bytes]:
        """Those paths that are spelled otherwise, each with the one spelling."""
        return {path: self._root(path) for path in self._others}

    def named(self, path: bytes) -> bytes:
        """Return a path down to a name of which it is known for what it stands, nothing where there is none."""
        found = _NAMED.match(path)
        return found[0] if found is not None and found[0] in self._others else b""

    def forget(self, name: bytes) -> None:
        """Take in that a name stood for an object before of which no answer tells the SID."""
        self._others.pop(name, None)

    def unknown(self, path: bytes) -> bytes | None:
        """Return the collection in which a path in the one spelling names a member that no answer told the SID of."""
        return any_of(path, self._others.get)

    def end(self, paths: Iterable[bytes]) -> None:
        """Take in that what these paths name was deleted, in this order: what was twice has been several objects."""
        ended: set[bytes] = set()
        for path in paths:
            place = self._root(path)
            if place in ended and by_name_in(path) == _parent(path):
                self._shared.add(place)
            ended.add(place)

    @property
    def has_shared(self) -> bool:
        """Whether a name stood for several objects."""
        return bool(self._shared)

    def is_shared(self, path: bytes) -> bool:
        """Tell whether this path, in the one spelling, is of a place that several objects share."""
        return path in self._shared


def _parent(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]


def one_spelling(path: bytes, other: Callable[[bytes], bytes | None]) -> bytes:
    """Return a path in one spelling, given what tells that of the path down to what has a name, if there is another."""
    found = _NAMED.match(path)
    return path if found is None else (other(found[0]) or found[0]) + path[found.end() :]


def named_in(path: bytes) -> bytes | None:
    """Return the collection on a path whose members may be named by other than their SIDs, if there is one."""
    found = _NAMED.match(path)
    return None if found is None else _parent(found[0])


def by_name_in(path: bytes) -> bytes | None:
    """Return the collection in which a path names a member by another than its SID, if there is one."""
    return any_of(path, lambda _: None)


def any_of(path: bytes, other: Callable[[bytes], bytes | None]) -> bytes | None:
    """Return the collection in which a path names a member that may be any, given what tells of the names of others."""
    found = _NAMED.match(path)
    if found is None or SID_SEGMENT.fullmatch(found[0].rpartition(b"/")[2]) or other(found[0]) is not None:
        return None
    return _parent(found[0])


def _in_url(url: str, prefix: bytes) -> bytes | None:
    """Return the SID that an object's own URL has where a path down to a name has the name."""
    segments = url.partition("://")[2].encode("utf-8", "replace").split(b"/")
    place = prefix.count(b"/")
    return segments[place] if len(segments) > place and SID_SEGMENT.fullmatch(segments[place]) else None


_URL = "url"
_TOLD = frozenset({_URL, *(one.named_by for one in NAMED), *(name for one in NAMED for name in one.told_by)})
"""The fields of objects that tell of names."""

_LISTED = re.compile(b"|".join(b"(%b)" % path_pattern(one.path) for one in NAMED))
_NAMED = re.compile(b"(?:%b)[^/]+" % b"|".join(b"(%b/)" % path_pattern(one.path) for one in NAMED))
"""A path down to a member of a collection whose members have names; the group tells which collection."""
