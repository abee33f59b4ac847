"""A session's time: what a recorded instant is served as, so that all that is served agrees.

An instant with a cause is served as the whole second in which the session replayed that write, in every later
answer too. One that is older than the recording keeps its distance to the recording's begin, which becomes the
session's begin. Any other takes the moment of the last replayed write of its timeline recorded at or before it, or
the session's begin, and keeps it until its own write is replayed.
"""

from bisect import bisect_right
from typing import NamedTuple

from chatproxy.core.model import ExchangeNumber
from chatproxy.core.time.timestamps import SECOND


class Instant(NamedTuple):
    """A recorded instant, by the upstream's clock: ``cause`` is the number of the write that set it, 0 for none."""

    moment: int
    cause: ExchangeNumber
    timeline: int


class SessionClock:
    """The clock of one session, in microseconds since 1970; it never runs backwards.

    ``begin`` is the session's begin, ``recorded_begin`` the recording's by the upstream's clock. A clock that
    ``stands`` moves by one second for each write that opens an epoch, and by nothing else. ``latest`` is the last
    time that it showed.
    """

    def __init__(self, begin: int, recorded_begin: int, *, stands: bool = False) -> None:
        self._begin = begin
        self._recorded_begin = recorded_begin
        self._stands = stands
        self.latest = begin
        self._replayed: dict[ExchangeNumber, int] = {}
        self._writes: dict[int, list[tuple[int, int]]] = {}
        self._assumed: dict[Instant, int] = {}

    def now(self, moment: int) -> int:
        """Return the time, of which ``moment`` is the real one."""
        if not self._stands:
            self.latest = max(self.latest, moment)
        return self.latest

    def wrote(self, write: Instant, moment: int, *, opens: bool) -> None:
        """Take in that a write is replayed: ``write`` says when it was recorded, and names it as its own cause."""
        if self._stands and opens:
            self.latest += SECOND
        second = self.now(moment) // SECOND * SECOND
        self._replayed[write.cause] = second
        writes = self._writes.setdefault(write.timeline, [])
        writes.insert(bisect_right(writes, (write.moment, second)), (write.moment, second))

    def served(self, moment: int, cause: ExchangeNumber, timeline: int) -> int:
        """Return what a recorded instant is served as, given its parts."""
        if cause in self._replayed:
            return self._replayed[cause]
        if moment < self._recorded_begin:
            return self._begin - (self._recorded_begin - moment)
        instant = Instant(moment, cause, timeline)
        second = self._assumed.get(instant)
        if second is None:
            second = self._assumed[instant] = self._last_write(instant)
        return second

    def _last_write(self, instant: Instant) -> int:
        """Return when the last write recorded at or before an instant was replayed, of those replayed by now."""
        writes = self._writes.get(instant.timeline, [])
        before = bisect_right(writes, instant.moment, key=lambda write: write[0])
        return max((second for _, second in writes[:before]), default=self._begin // SECOND * SECOND)
