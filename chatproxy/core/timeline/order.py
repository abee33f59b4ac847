"""Canonical order: one order for all recordings of a scenario, whatever the delays and SIDs were.

1. Again and again comes the smallest exchange whose predecessors stand already, by path, method, query, body and
   status, the SIDs in the path by their numbers so far, one without a number first; then by its answer without times.
   Of equal ones the first that was sent comes first.
2. Predecessors are: the writes of its state; for a write, what it touches and what was recorded without it; earlier
   ones of its key; and what lies before a step, for what lies after. In a circle the first recorded comes first.
3. What a file leaves out comes after all else, in recorded order: reads that answer nothing, and what a client gave
   up and sent again.
4. The exchanges of a fixture are in that order already.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush

from chatproxy.core.model import ExchangeNumber, is_read
from chatproxy.core.products.every import DATES
from chatproxy.core.timeline.precedence import Precedence
from chatproxy.core.timeline.standing import Role, Standing
from chatproxy.core.timeline.standings import Timeline
from chatproxy.core.timeline.traces import Trace
from chatproxy.core.twilio.objects import Shown
from chatproxy.core.twilio.sids import mask, replace_in_path

NumberOf = Callable[[bytes], int | None]
"""Tells the number that a SID has so far."""

Tie = Callable[[ExchangeNumber], bytes]
"""Tells what decides between exchanges that are equal except for SIDs and answers; it is seldom asked."""


def canonical_order(
    traces: Sequence[Trace], timeline: Timeline, number_of: NumberOf, tie: Tie
) -> Iterator[ExchangeNumber]:
    """Yield the numbers of all exchanges in canonical order.

    ``number_of`` is asked as the order is made, so that SIDs can be numbered by it: what was yielded must be numbered
    before the next is asked for.
    """
    if any(one.standing is not None or one.in_order is not None for one in traces):
        yield from (one.number for one in traces)
        return
    kept = [nth for nth, one in enumerate(traces) if not is_left_out(timeline.standings[nth], one.method)]
    for nth in _ordered(traces, timeline, kept, number_of, tie):
        yield traces[nth].number
    left = set(kept)
    yield from (one.number for nth, one in enumerate(traces) if nth not in left)


def is_left_out(standing: Standing, method: str) -> bool:
    """Tell whether a canonical fixture leaves an exchange out: it answers nothing, and nothing hangs on it."""
    return standing.role is Role.ABANDONED or (standing.role is Role.DOUBTFUL and is_read(method))


def _ordered(
    traces: Sequence[Trace], timeline: Timeline, kept: Sequence[int], number_of: NumberOf, tie: Tie
) -> Iterator[int]:
    precedence = Precedence(traces, timeline, kept)
    heap: list[tuple[bytes, str, bytes, bytes, int, _Tie, int, int]] = []

    paths = _Paths(number_of)

    def push(nth: int) -> None:
        one = traces[nth]
        path = paths.numbered(one.path)
        heappush(heap, (path, one.method, one.query, one.content, one.status, _Tie(one.number, tie), one.asked, nth))

    for nth in precedence.first():
        push(nth)
    recorded, placed = iter(kept), set[int]()
    while len(placed) < len(kept):
        if not heap:  # a circle
            push(next(nth for nth in recorded if nth not in placed))
        path, *_, nth = heappop(heap)
        if nth in placed:
            continue
        if _UNKNOWN in path and path != paths.numbered(traces[nth].path):
            push(nth)
            continue
        placed.add(nth)
        yield nth
        for following in precedence.after(nth):
            push(following)


_UNKNOWN = b"!"
"""After the type of a SID without a number, and before all digits."""


class _Paths:
    """Puts numbers in the place of the SIDs of paths; most are of one collection, which is looked at once."""

    def __init__(self, number_of: NumberOf) -> None:
        self._number_of = number_of
        self._collections: dict[bytes, bytes] = {}

    def numbered(self, path: bytes) -> bytes:
        """Return a path with the numbers so far."""
        place, slash, last = path.rpartition(b"/")
        if (above := self._collections.get(place)) is None:
            above = replace_in_path(place, self._number)
            if _UNKNOWN not in above:
                self._collections[place] = above
        return above + slash + replace_in_path(last, self._number)

    def _number(self, sid: bytes) -> bytes:
        number = self._number_of(sid)
        return sid[:2] + (_UNKNOWN if number is None else b"%020d" % number)


class _Tie:
    """What decides between two exchanges of which all else is equal, looked at once, and only then."""

    __slots__ = ("_number", "_text", "_tie")

    def __init__(self, number: ExchangeNumber, tie: Tie) -> None:
        self._number, self._tie = number, tie
        self._text: bytes | None = None

    @property
    def text(self) -> bytes:
        """The text that is compared."""
        if self._text is None:
            self._text = self._tie(self._number)
        return self._text

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, _Tie) and self.text == other.text)

    def __lt__(self, other: "_Tie") -> bool:
        return self.text < other.text

    __hash__ = None  # type: ignore[assignment]  # it is compared, and nothing else


def untimed(seen: Shown) -> bytes:
    """Return what an answer shows without times, and without which SIDs, as text to compare."""
    fields = (
        (name, value) for one in seen.objects.values() for name, value in one.items() if not _DATES.fullmatch(name)
    )
    return mask(repr(sorted(map(repr, fields))).encode("utf-8", "backslashreplace"))


_DATES = re.compile(DATES)
