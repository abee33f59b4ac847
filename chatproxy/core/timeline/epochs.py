"""Epochs: for each exchange its timeline and its place in it, between the writes that change what reads give.

1. A write answered below 400, or with 5xx (it may have been carried out), opens an epoch of its timeline. An update
   or a delete of a member also opens one in every timeline below that member, where it touches all members.
2. A read belongs after the last write that was answered before it was sent, or whose effect its answer shows. Only
   a write that was on its way together with the read needs the second part; where nothing shows which of the two
   came first, the read counts as the first. A write that opens none stands where it was answered.
3. A canonical fixture says where each of its exchanges stands, and that is not derived again.
4. An answer that asks for credentials stands in a timeline that nothing touches.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from chatproxy.core.errors import CassetteError
from chatproxy.core.model import ExchangeNumber, is_read
from chatproxy.core.timeline.races import Contest
from chatproxy.core.timeline.traces import Trace
from chatproxy.core.twilio.objects import Shown

UNTOUCHED = 2**32 - 1
"""In place of a timeline: the one of what holds in any state."""
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
    """Where an exchange stands; a write in the epoch that it opens, one that opens none where it was answered."""

    timeline: int
    member: int
    epoch: int
    opens: tuple[Opening, ...] = ()


@dataclass(slots=True)
class _Line:
    """The writes that open epochs of one timeline, in order; the n-th opens epoch n + 1."""

    writes: list[Trace] = field(default_factory=list)
    numbers: list[ExchangeNumber] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    earliest: list[int] = field(default_factory=list)
    """When the first of this write and all later ones was asked."""

    def close(self) -> None:
        asked = [write.asked for write in self.writes]
        for place in range(len(asked) - 2, -1, -1):
            asked[place] = min(asked[place : place + 2])
        self.earliest = asked


def place(traces: Sequence[Trace], show: Callable[[ExchangeNumber], Shown]) -> list[Place]:
    """Place the exchanges of one cassette, which must come in the order of their numbers.

    ``show`` tells what the answer of a number shows; it is asked only where a read and a write came together.
    Raises CassetteError for a fixture whose epochs contradict each other.
    """
    return _Placing(traces, show).places()


class _Placing:
    def __init__(self, traces: Sequence[Trace], show: Callable[[ExchangeNumber], Shown]) -> None:
        self._traces = traces
        self._show = show
        self._timelines: dict[bytes, int] = {}
        self._members: dict[bytes, int] = {}
        self._below: dict[bytes, list[int]] = defaultdict(list)
        self._lines: dict[int, _Line] = defaultdict(_Line)
        self._contest: Contest | None = None
        self._reached: dict[int, int] = {}
        for one in traces:
            self._number(one)

    def places(self) -> list[Place]:
        opened = {one.number: tuple(self._opened(one)) for one in self._traces if one.opens}
        for line in self._lines.values():
            line.close()
        return [self._placed(one, opened.get(one.number, ())) for one in self._traces]

    def _number(self, one: Trace) -> None:
        path = one.timeline
        if path not in self._timelines:
            self._timelines[path] = len(self._timelines)
            segments = path.split(b"/")
            for length in range(len(segments) - 1, 1, -2):
                self._below[b"/".join(segments[:length])].append(self._timelines[path])
        if one.is_member:
            self._members.setdefault(one.path, len(self._members) + 1)

    def _opened(self, write: Trace) -> Iterable[Opening]:
        own = self._timelines[write.timeline]
        if write.standing is None:
            yield self._opening(write, own, self._touched(write))
            for below in self._below.get(write.path, ()):
                yield self._opening(write, below, ALL_MEMBERS)
            return
        yield Opening(own, write.standing.epoch, self._touched(write))
        for path, epoch in write.standing.below:
            if path in self._timelines:
                yield Opening(self._timelines[path], epoch, ALL_MEMBERS)

    def _opening(self, write: Trace, line: int, member: int) -> Opening:
        writes = self._lines[line]
        writes.writes.append(write)
        writes.numbers.append(write.number)
        writes.answered.append(write.answered)
        return Opening(line, len(writes.writes), member)

    def _touched(self, write: Trace) -> int:
        """Return the member that was written, or made."""
        if write.is_member:
            return self._members[write.path]
        paths = (write.path + b"/" + sid.encode("utf-8", "surrogatepass") for sid in write.made)
        return next((self._members[path] for path in paths if path in self._members), COLLECTION)

    def _placed(self, one: Trace, opens: tuple[Opening, ...]) -> Place:
        if one.is_challenge:
            return Place(UNTOUCHED, COLLECTION, 0)
        line = self._timelines[one.timeline]
        member = self._members.get(one.path, COLLECTION)
        if one.standing is not None:
            epoch = self._given(one, line, one.standing.epoch)
        else:
            epoch = opens[0].epoch if opens else self._epoch(one, self._lines[line])
        return Place(line, member, epoch, opens)

    def _given(self, one: Trace, line: int, epoch: int) -> int:
        """Check the epoch that a fixture gives: a write opens a new one, and none stands before another's."""
        least = self._reached.get(line, 0) + one.opens
        if epoch < least:
            raise CassetteError(
                "",  # whoever reads the fixture knows where it is
                f"exchange {one.number} is said to stand in epoch {epoch} of its collection, "
                f"but those before it make it {least} at least",
            )
        self._reached[line] = epoch
        return epoch

    def _epoch(self, one: Trace, line: _Line) -> int:
        if not is_read(one.method):
            return bisect_right(line.numbers, one.number)
        epoch = bisect_right(line.numbers, one.after)
        first = max(epoch, bisect_left(line.answered, one.asked))
        for place in range(first, len(line.writes)):
            if line.earliest[place] >= one.answered:
                break
            write = line.writes[place]
            if write.asked < one.answered and self._shows(one, write):
                epoch = place + 1
        return epoch

    def _shows(self, read: Trace, write: Trace) -> bool:
        """Tell which came first of a read and a write that came together; most recordings have no such two."""
        if self._contest is None:
            self._contest = Contest(self._traces, self._show)
        return self._contest.shows(read, write)
