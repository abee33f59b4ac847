"""A session's time: what a recorded instant is served as, so that all that is served agrees.

1. Each instant has one second, from when it is first served on.
2. An own one has the session's time, or is later so that it lies above each earlier one by the difference of ranks.
3. Another's has the latest second that its rank has already; else the session's time, held between its neighbours by
   the differences of ranks. Of several in one answer the latest comes first.
4. One that is older than the recording keeps its distance to the begin, which is the session's begin.
5. The session's time is the machine's, but never behind a second that was served.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence

from chatproxy.core.time.ladder import Ladder
from chatproxy.core.time.stamps import Packed
from chatproxy.core.time.timestamps import SECOND, Spelled, spell, spell_second


class RecordedClock:
    """The time of a session that serves all instants as recorded."""

    def is_now(self, _moment: int) -> bool:
        """Tell whether the time is not ahead of the machine's, which it is never."""
        return True

    def texts(self, stamps: Sequence[Packed], _moment: int) -> list[bytes]:
        """Serve instants in one answer."""
        return [spell(then, row, digits) for then, _, _, row, digits, _ in stamps]

    def moments(self, stamps: Sequence[Packed], moment: int) -> tuple[bytes, ...]:
        """Return the texts that showed the moment of an answer."""
        return tuple(self.texts(stamps, moment))

    def recorded(self, _served: Spelled) -> Iterator[int]:
        """Yield nothing: no instant was served as another."""
        return iter(())


class SessionClock:
    """The time of one session, which began at ``begin``, in microseconds since 1970; it never runs backwards.

    For one that ``stands`` the machine's clock stands at the begin. With ``shift``, a number of seconds, each instant
    is the recorded one and so many. ``latest`` is the last time that it showed.
    """

    def __init__(self, begin: int, *, stands: bool = False, shift: int | None = None) -> None:
        self.latest = begin
        self._begin = begin // SECOND
        self._stands = stands
        self._shift = shift
        self._seconds: dict[int, int] = {}
        self._recorded = array("q")
        """The recorded moments, in the order of the seconds."""
        self._last_old = 0
        """The greatest number of an instant older than the recording: they come in the order of recorded seconds."""
        self._of_rank: dict[int, int] = {}
        self._ladder = Ladder()

    def now(self, moment: int) -> int:
        """Return the time, of which ``moment`` is the machine's."""
        if moment > self.latest and not self._stands:
            self.latest = moment
        return self.latest

    def is_now(self, moment: int) -> bool:
        """Tell whether the time is the machine's at this moment."""
        return not self._stands and self.latest <= moment

    def texts(self, stamps: Sequence[Packed], moment: int) -> list[bytes]:
        """Serve instants in one answer, at this moment of the machine's clock."""
        seconds = self._seconds
        for stamp in stamps:
            if stamp[1] not in seconds:
                self._serve(stamps, moment)
                break
        return [
            spell(self._moment(number, then), row, digits) if digits else spell_second(seconds[number], row)
            for then, number, _, row, digits, _ in stamps
        ]

    def moments(self, stamps: Iterable[Packed], moment: int) -> tuple[bytes, ...]:
        """Return the texts that show this moment of an answer."""
        now = self.now(moment)
        second = now // SECOND
        return tuple(
            [
                spell(now + later * SECOND, row, digits) if digits else spell_second(second + later, row)
                for _, _, later, row, digits, _ in stamps
            ]
        )

    def recorded(self, served: Spelled) -> Iterator[int]:
        """Yield the recorded moments of the instants that were served as this, to the precision of its spelling."""
        second, row, digits = served.moment // SECOND, *served.spelling
        text = spell(served.moment, row, digits)
        for (number, one), moment in zip(self._seconds.items(), self._recorded, strict=True):
            if one == second and spell(self._moment(number, moment), row, digits) == text:
                yield moment

    def _moment(self, number: int, recorded: int) -> int:
        """Return what an instant is served as: with its part of a second only where all distances stay."""
        stays = self._shift is not None or number <= self._last_old
        return self._seconds[number] * SECOND + (recorded % SECOND if stays else 0)

    def _serve(self, stamps: Sequence[Packed], moment: int) -> None:
        """Give a second to each instant that has none."""
        now = self.now(moment) // SECOND
        if self._shift is not None:
            self._serve_shifted(stamps, self._shift)
            return
        seconds, begin, note = self._seconds, self._begin, self._recorded.append
        ranked, old = [], []
        for then, number, rank, _, _, own in stamps:
            if number in seconds:
                continue
            if rank >= 0:
                ranked.append((rank, number, own, then))
                continue
            seconds[number] = begin + rank
            note(then)
            old.append(number)
        if old:
            self._last_old = max(self._last_old, *old)
        if ranked:
            self._serve_ranked(sorted(ranked, reverse=True), now)

    def _serve_shifted(self, stamps: Sequence[Packed], shift: int) -> None:
        for then, number, *_ in stamps:
            if number not in self._seconds:
                self._seconds[number] = then // SECOND + shift
                self._recorded.append(then)

    def _serve_ranked(self, ranked: Sequence[tuple[int, int, int, int]], now: int) -> None:
        """Give seconds to instants in one answer that are not older than the recording, the latest first."""
        alike, second = (-1, 0), now
        for rank, number, own, then in ranked:
            if number in self._seconds:  # it may stand in one answer in two spellings
                continue
            if (rank, own) != alike:
                alike, second = (rank, own), self._second(rank, own, now)
                self.latest = max(self.latest, second * SECOND)
            self._seconds[number] = second
            self._recorded.append(then)

    def _second(self, rank: int, own: int, now: int) -> int:
        known = self._of_rank.get(rank)
        if known is not None and not own:
            return known
        floor = self._ladder.floor(rank)
        second = now if floor is None or floor < now else floor
        if not own and (ceiling := self._ladder.ceiling(rank)) is not None:
            second = min(second, ceiling)
        if second != known:
            self._ladder.add(rank, second)
            self._of_rank[rank] = second
        return second
