"""Between which seconds a rank lies, given those that other ranks have.

The distance between two seconds should be the difference of their ranks at least. So what counts of a second is what it
is more than its rank: the *lead*. No rank may have less lead than the greatest below it, nor more than the least above
it. Of all leads only those are kept that can be either; where each second lies as far above the last as its rank does,
that is one. What is looked for is found by bisection, and without where ranks come in their order.
"""

from bisect import bisect_left, bisect_right


class Ladder:
    """The seconds of ranks."""

    def __init__(self) -> None:
        self._below: list[int] = []
        self._greatest: list[int] = []
        """Ranks, and their leads: each greater than all before it."""
        self._above: list[int] = []
        self._least: list[int] = []
        """Ranks, and their leads: each less than all after it."""

    @property
    def held(self) -> int:
        """How many leads are kept."""
        return len(self._greatest) + len(self._least)

    def floor(self, rank: int) -> int | None:
        """Return the least second that a rank can have for those below it, None if there is none."""
        ranks = self._below
        place = len(ranks) if ranks and ranks[-1] < rank else bisect_left(ranks, rank)
        return self._greatest[place - 1] + rank if place else None

    def ceiling(self, rank: int) -> int | None:
        """Return the greatest second that a rank can have for those above it, None if there is none."""
        ranks = self._above
        if not ranks or ranks[-1] <= rank:
            return None
        return self._least[bisect_right(ranks, rank)] + rank

    def add(self, rank: int, second: int) -> None:
        """Take in that a rank has a second, which may be one more."""
        lead = second - rank
        self._add_below(rank, lead)
        self._add_above(rank, lead)

    def _add_below(self, rank: int, lead: int) -> None:
        ranks, leads = self._below, self._greatest
        place = bisect_right(ranks, rank)
        if place and leads[place - 1] >= lead:
            return
        begin, end = bisect_left(ranks, rank), bisect_right(leads, lead, place)
        ranks[begin:end], leads[begin:end] = [rank], [lead]

    def _add_above(self, rank: int, lead: int) -> None:
        ranks, leads = self._above, self._least
        place = bisect_left(ranks, rank)
        if place < len(ranks) and leads[place] <= lead:
            return
        begin, end = bisect_left(leads, lead, 0, place), bisect_right(ranks, rank)
        ranks[begin:end], leads[begin:end] = [rank], [lead]
