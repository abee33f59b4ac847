"""Evidence: whether an answer shows what a write did that was on its way at the same time.

1. A create or a delete is shown by the object, by its absence from a whole list, or by 404 at its place or below it.
2. An update is shown by the object as the update's own answer has it, where it was not so before; its absence by a
   value that the update sends and that the object does not have.
   What another update shows is not judged here.
3. Anything else tells nothing.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus

from chatproxy.core.model import ExchangeNumber, is_read
from chatproxy.core.timeline.sights import What
from chatproxy.core.timeline.states import Done, Effect, Where
from chatproxy.core.timeline.traces import Trace
from chatproxy.core.twilio.objects import Fields, Shown

_NOTHING: Fields = {}


class Evidence:
    """Judges the exchanges of one cassette, given their traces; ``show`` tells what the answer of a number shows."""

    def __init__(self, traces: Sequence[Trace], show: Callable[[ExchangeNumber], Shown]) -> None:
        self._traces = traces
        self._show = show
        self._shown_by: dict[tuple[bytes, str], list[Trace]] | None = None

    def shows(self, one: Trace, where: Where, write: Trace, done: Done) -> bool | None:
        """Tell whether an answer shows the effect of a write, or its absence; None if it tells neither."""
        sid = self._sid(write, done)
        if sid is None or write.is_shared or write.may_be_in:  # which of several objects was shown is not told
            return None
        if write.method == "DELETE" or write.path == write.timeline:
            return self._shows_life(one, where, sid, write, done)
        return self._shows_update(one, write, sid)

    @staticmethod
    def _sid(write: Trace, done: Done) -> str | None:
        """Return the SID of the object that a write is about, or its name; None for an unknown one."""
        if write.path != write.timeline:
            return write.member
        is_made = done.effect is Effect.MAKES and write.made and write.status < HTTPStatus.BAD_REQUEST
        return write.made[0] if is_made else None

    def _shows_life(self, one: Trace, where: Where, sid: str, write: Trace, done: Done) -> bool | None:
        makes = done.effect is Effect.MAKES
        if done.place in (where.place, *where.above) and (where.is_object or done.place != where.place):
            if one.status == HTTPStatus.NOT_FOUND:
                return not makes
            return makes if one.status < HTTPStatus.BAD_REQUEST else None
        if where.is_object or one.path != write.timeline or one.status != HTTPStatus.OK:
            return None
        seen = self._show(one.number)
        if sid in seen.objects:
            return makes
        is_whole = one.is_whole and seen.page is not None and seen.page.is_first and seen.page.is_last
        return not makes if one.method == "GET" and is_whole else None

    def _shows_update(self, one: Trace, write: Trace, sid: str) -> bool | None:
        if one.timeline != write.timeline or not is_read(one.method) or one.status != HTTPStatus.OK:
            return None
        now, left = (self._show(each.number).objects.get(sid) for each in (one, write))
        if now is None or left is None:
            return None
        before = self._before(write, sid)
        sent = [name for name in write.sent if name in left and name in now]
        if before and _agree(now, left) and not _agree(before, left):
            return True
        if any(now[name] != left[name] for name in sent):
            return False
        return True if any(before.get(name, left[name]) != left[name] for name in sent) else None

    def _before(self, write: Trace, sid: str) -> Fields:
        """Return the object as it was shown last before a write was sent."""
        if self._shown_by is None:
            self._shown_by = self._all_shown()
        shown_by = self._shown_by.get((write.timeline, sid), [])
        nth = bisect_left(shown_by, write.asked, key=lambda one: one.answered)
        return self._show(shown_by[nth - 1].number).objects.get(sid, _NOTHING) if nth else _NOTHING

    def _all_shown(self) -> dict[tuple[bytes, str], list[Trace]]:
        """Return for each object the exchanges that showed it with new values."""
        found: defaultdict[tuple[bytes, str], list[Trace]] = defaultdict(list)
        for one in self._traces:
            for sid in one.made if one.abandoned else _newly(one):
                found[one.timeline, sid].append(one)
        return found


def _newly(one: Trace) -> Iterator[str]:
    """Yield the objects that an answer is the first to show with its values."""
    return (new.sid for new in one.news if new.what in _WITH_VALUES)


_WITH_VALUES = frozenset({What.FIRST, What.APPEARED, What.CHANGED})


def _agree(one: Fields, other: Fields) -> bool:
    return all(one[name] == other[name] for name in one.keys() & other.keys())
