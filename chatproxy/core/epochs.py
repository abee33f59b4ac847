"""Epochs: for each exchange its timeline and its place in it, between the writes that change what reads give.

1. A write answered below 400, or with 5xx (it may have been carried out), opens an epoch of its timeline. An update
   or a delete of a member also opens one in every timeline below that member, where it touches all members.
2. A read belongs after the last write that was answered before it was sent, or whose effect its answer shows. Only
   a write that was on its way together with the read needs the second part; where nothing shows which of the two
   came first, the read counts as the first.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple

from chatproxy.core.model import Exchange, is_read
from chatproxy.core.normalize import NormalForm
from chatproxy.core.paths import timeline
from chatproxy.core.shown import Page, Shown, shown
from chatproxy.core.timelines import Spellings

COLLECTION = 0
"""In place of a member: the collection, which every write of its timeline touches."""
ALL_MEMBERS = 2**32 - 1


class Opening(NamedTuple):
    """That a write opens this epoch of this timeline, and which member it touches besides the collection."""

    timeline: int
    epoch: int
    member: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where an exchange stands; a write stands in the epoch that it opens, one that opens none where it was sent."""

    timeline: int
    member: int
    epoch: int
    opens: tuple[Opening, ...] = ()


@dataclass(frozen=True, slots=True)
class _One:
    exchange: Exchange
    path: bytes
    shown: Shown
    descending: bool = False

    @property
    def member(self) -> str:
        return self.path.rpartition(b"/")[2].decode("utf-8", "replace")

    @property
    def is_member(self) -> bool:
        return timeline(self.path) != self.path


def opens_epoch(exchange: Exchange) -> bool:
    """Tell whether a write may have had an effect: it was answered below 400, or with 5xx."""
    status = exchange.response.status
    is_refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return not is_read(exchange.request.method) and not is_refused


@dataclass(slots=True)
class _Line:
    """The writes that open epochs of one timeline, in order; the n-th opens epoch n + 1."""

    writes: list[_One] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    earliest: list[int] = field(default_factory=list)
    """When the first of this write and all later ones was asked."""

    def close(self) -> None:
        asked = [write.exchange.asked for write in self.writes]
        for place in range(len(asked) - 2, -1, -1):
            asked[place] = min(asked[place : place + 2])
        self.earliest = asked


def place(exchanges: Iterable[tuple[Exchange, NormalForm]]) -> list[Place]:
    """Place the exchanges of one cassette, which must come in the order of their numbers."""
    recorded = [(exchange, form, shown(exchange.response)) for exchange, form in exchanges]
    spellings = Spellings()
    for _, form, seen in recorded:
        for fields in seen.objects.values():
            spellings.learn(form.path, str(fields.get("channel_sid", "")))
    ones = [
        _One(exchange, spellings.one(form.path), seen, b"Order=desc" in form.query) for exchange, form, seen in recorded
    ]
    return _Placing(ones).places()


class _Placing:
    def __init__(self, ones: Sequence[_One]) -> None:
        self._ones = ones
        self._timelines: dict[bytes, int] = {}
        self._members: dict[bytes, int] = {}
        self._below: dict[bytes, list[int]] = defaultdict(list)
        self._lines: dict[int, _Line] = defaultdict(_Line)
        self._history = _History()
        for one in ones:
            self._number(one)

    def places(self) -> list[Place]:
        writes = {one.exchange.number: tuple(self._opened(one)) for one in self._ones if opens_epoch(one.exchange)}
        for line in self._lines.values():
            line.close()
        for one in self._ones:
            self._history.add(one)
        return [self._placed(one, writes.get(one.exchange.number, ())) for one in self._ones]

    def _number(self, one: _One) -> None:
        path = timeline(one.path)
        if path not in self._timelines:
            self._timelines[path] = len(self._timelines)
            segments = path.split(b"/")
            for length in range(len(segments) - 1, 1, -2):
                self._below[b"/".join(segments[:length])].append(self._timelines[path])
        if one.is_member:
            self._members.setdefault(one.path, len(self._members) + 1)

    def _opened(self, write: _One) -> Iterable[Opening]:
        yield self._opening(write, self._timelines[timeline(write.path)], self._touched(write))
        for below in self._below.get(write.path, ()):
            yield self._opening(write, below, ALL_MEMBERS)

    def _opening(self, write: _One, line: int, member: int) -> Opening:
        writes = self._lines[line]
        writes.writes.append(write)
        writes.numbers.append(write.exchange.number)
        writes.answered.append(write.exchange.answered)
        return Opening(line, len(writes.writes), member)

    def _touched(self, write: _One) -> int:
        """Return the member that was written, or made."""
        if write.is_member:
            return self._members[write.path]
        paths = (write.path + b"/" + sid.encode("utf-8", "surrogatepass") for sid in write.shown.objects)
        return next((self._members[path] for path in paths if path in self._members), COLLECTION)

    def _placed(self, one: _One, opens: tuple[Opening, ...]) -> Place:
        line = self._timelines[timeline(one.path)]
        member = self._members.get(one.path, COLLECTION)
        epoch = opens[0].epoch if opens else self._epoch(one, self._lines[line])
        return Place(line, member, epoch, opens)

    def _epoch(self, one: _One, line: _Line) -> int:
        epoch = bisect_right(line.numbers, one.exchange.after)
        if not is_read(one.exchange.request.method):
            return epoch
        first = max(epoch, bisect_left(line.answered, one.exchange.asked))
        for place in range(first, len(line.writes)):
            if line.earliest[place] >= one.exchange.answered:
                break
            if self._shows(one, line.writes[place]):
                epoch = place + 1
        return epoch

    def _shows(self, read: _One, write: _One) -> bool:
        """Tell whether the answer to a read shows the effect of a write that was on its way at the same time."""
        if write.exchange.asked >= read.exchange.answered:
            return False
        if write.exchange.request.method == "DELETE":
            return self._shows_no_more(read, write)
        if any(self._shows_object(sid, read, write) for sid in write.shown.objects.keys() & read.shown.objects.keys()):
            return True
        return not write.is_member and self._shows_more(read, write)

    def _shows_more(self, read: _One, create: _One) -> bool:
        """Tell whether a page says that there are more members where only the one just made is known to be.

        If there are others that no answer has shown, the page was the same before: then it may stand after, too.
        """
        page = read.shown.page
        if read.path != create.path or page is None or page.is_last or not page.indexes or read.descending:
            return False
        last = max(page.indexes)
        return not any(index > last for index in self._history.indexes(read.path, read.exchange.asked))

    def _shows_object(self, sid: str, read: _One, write: _One) -> bool:
        """Tell whether it shows the object as the write left it, and as it was not before.

        A write's answer has the whole object, so the write that came last before the read left it just so.
        """
        before = self._history.last(sid, min(read.exchange.asked, write.exchange.asked))
        if before is None and not write.is_member:
            return True
        left, seen = write.shown.objects[sid], read.shown.objects[sid]
        known = before or {}
        shared = left.keys() & seen.keys()
        return all(left[name] == seen[name] for name in shared) and any(
            known.get(name) != left[name] for name in shared
        )

    def _shows_no_more(self, read: _One, delete: _One) -> bool:
        sid = delete.member
        before = self._history.last(sid, read.exchange.asked)
        if before is None or delete.exchange.response.status >= HTTPStatus.BAD_REQUEST:
            return False
        if read.exchange.response.status == HTTPStatus.NOT_FOUND:
            return read.path == delete.path or read.path.startswith(delete.path + b"/")
        page = read.shown.page
        if read.path != timeline(delete.path) or page is None:
            return False
        return _lacks(page, sid, before.get("index"), descending=read.descending)


def _lacks(page: Page, sid: str, index: object, *, descending: bool) -> bool:
    """Tell whether a page of a list would show the member of this index, if it were still there."""
    if sid in page.sids or not isinstance(index, int):
        return False
    if page.is_first and page.is_last:
        return True
    if not page.indexes:
        return False
    begin, end = page.indexes[0], page.indexes[-1]
    sign = -1 if descending else 1
    after_begin = page.is_first or sign * index > sign * begin
    before_end = page.is_last or sign * index < sign * end
    return after_begin and before_end


class _History:
    """How each object was shown last, at any moment."""

    def __init__(self) -> None:
        self._moments: dict[str, list[int]] = defaultdict(list)
        self._states: dict[str, list[dict[str, object]]] = defaultdict(list)
        self._members: dict[bytes, dict[str, int]] = defaultdict(dict)
        self._deleted: dict[str, int] = {}

    def add(self, one: _One) -> None:
        if one.exchange.request.method == "DELETE" and opens_epoch(one.exchange):
            self._deleted[one.member] = one.exchange.answered
        for sid, fields in one.shown.objects.items():
            states = self._states[sid]
            states.append({**states[-1], **fields} if states else fields)
            self._moments[sid].append(one.exchange.answered)
            if isinstance(index := fields.get("index"), int):
                self._members[timeline(one.path)][sid] = index

    def indexes(self, collection: bytes, moment: int) -> Iterator[int]:
        """Yield the indexes of the members that were shown until a moment, and not deleted by then."""
        for sid, index in self._members[collection].items():
            if self._moments[sid][0] <= moment < self._deleted.get(sid, moment + 1):
                yield index

    def last(self, sid: str, moment: int) -> dict[str, object] | None:
        found = bisect_right(self._moments.get(sid, []), moment)
        return self._states[sid][found - 1] if found else None
