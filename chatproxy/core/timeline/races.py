"""Contests: whether the answer to a read shows what a write did that was on its way at the same time.

A write's answer has the whole object, so a read shows its effect if it shows the object as the write left it, and as
no answer before showed it.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus

from chatproxy.core.products.every import LISTS
from chatproxy.core.timeline.traces import Trace
from chatproxy.core.twilio.objects import Page, Shown


class Contest:
    """Judges the reads of one cassette, whose traces are given; ``show`` tells what the answer of a number shows."""

    def __init__(self, traces: Iterable[Trace], show: Callable[[int], Shown]) -> None:
        self._show = show
        self._history = _History()
        for one in traces:
            self._history.add(one, show(one.number))

    def shows(self, read: Trace, write: Trace) -> bool:
        """Tell whether the answer to a read shows the effect of a write."""
        if write.method == "DELETE":
            return self._shows_no_more(read, write)
        seen, left = self._show(read.number), self._show(write.number)
        if any(self._shows_object(sid, read, write) for sid in left.objects.keys() & seen.objects.keys()):
            return True
        return not write.is_member and read.path == write.path and self._shows_more(read, seen.page)

    def _shows_more(self, read: Trace, page: Page | None) -> bool:
        """Tell whether a page says that there are more members where only the one just made is known to be.

        If there are others that no answer has shown, the page was the same before: then it may stand after, too.
        """
        if page is None or page.is_last or not page.indexes or read.descending:
            return False
        last = max(page.indexes)
        return not any(index > last for index in self._history.indexes(read.path, read.asked))

    def _shows_object(self, sid: str, read: Trace, write: Trace) -> bool:
        """Tell whether it shows the object as the write left it, and as it was not before.

        A write's answer has the whole object, so the write that came last before the read left it just so.
        """
        before = self._history.last(sid, min(read.asked, write.asked))
        if before is None and not write.is_member:
            return True
        left, seen = self._show(write.number).objects[sid], self._show(read.number).objects[sid]
        known = before or {}
        shared = left.keys() & seen.keys()
        return all(left[name] == seen[name] for name in shared) and any(
            known.get(name) != left[name] for name in shared
        )

    def _shows_no_more(self, read: Trace, delete: Trace) -> bool:
        sid = delete.member
        before = self._history.last(sid, read.asked)
        if before is None or delete.status >= HTTPStatus.BAD_REQUEST:
            return False
        if read.status == HTTPStatus.NOT_FOUND:
            return read.path == delete.path or read.path.startswith(delete.path + b"/")
        page = self._show(read.number).page
        if read.path != delete.timeline or page is None:
            return False
        return _lacks(page, sid, before.get(LISTS.index), descending=read.descending)


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
    """How each object was shown last, at any moment; the same state twice is held once."""

    def __init__(self) -> None:
        self._moments: dict[str, list[int]] = defaultdict(list)
        self._states: dict[str, list[dict[str, object]]] = defaultdict(list)
        self._members: dict[bytes, dict[str, int]] = defaultdict(dict)
        self._deleted: dict[str, int] = {}

    def add(self, one: Trace, seen: Shown) -> None:
        if one.method == "DELETE" and one.opens:
            self._deleted[one.member] = one.answered
        for sid, fields in seen.objects.items():
            states = self._states[sid]
            state = {**states[-1], **fields} if states else fields
            if not states or state != states[-1]:
                states.append(state)
                self._moments[sid].append(one.answered)
            if isinstance(index := fields.get(LISTS.index), int):
                self._members[one.timeline][sid] = index

    def indexes(self, collection: bytes, moment: int) -> Iterator[int]:
        """Yield the indexes of the members that were shown until a moment, and not deleted by then."""
        for sid, index in self._members[collection].items():
            if self._moments[sid][0] <= moment < self._deleted.get(sid, moment + 1):
                yield index

    def last(self, sid: str, moment: int) -> dict[str, object] | None:
        found = bisect_right(self._moments.get(sid, []), moment)
        return self._states[sid][found - 1] if found else None
