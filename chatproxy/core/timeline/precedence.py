"""Precedence: what has to come before what, for canonical order.

What an exchange needs are the writes to some few places. For each place these stand in a row, and an exchange comes
after a first part of the row, and before the rest. Posts between the writes stand for all before them, so that there
are as many edges as exchanges and writes, and not as many as pairs of them.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from chatproxy.core.model import ExchangeNumber
from chatproxy.core.timeline.places import Need, Places
from chatproxy.core.timeline.standing import Standing, Step
from chatproxy.core.timeline.standings import Timeline
from chatproxy.core.timeline.states import Effect
from chatproxy.core.timeline.traces import Trace


@dataclass(slots=True)
class Row:
    """The writes to a place in recorded order, and who looks at them."""

    writes: list[int] = field(default_factory=list)
    lookers: list[int] = field(default_factory=list)


class Precedence:
    """Which exchanges come before which; each is named by its place among all, and only those kept take part."""

    def __init__(self, traces: Sequence[Trace], timeline: Timeline, kept: Sequence[int]) -> None:
        self._traces, self._standings, self._kept = traces, timeline.standings, kept
        self._waiting = [0] * len(traces)
        """How much has to come before each exchange or post."""
        self._after: list[list[int] | None] = [None] * len(traces)
        self._numbers = [one.number for one in traces]
        for row in rows_of(traces, timeline.standings, kept):
            self._line_up(row)
        self._chain(kept)
        self._part(timeline.steps)

    def first(self) -> Iterator[int]:
        """Yield the exchanges that nothing comes before."""
        posts = [nth for nth in range(len(self._traces), len(self._waiting)) if not self._waiting[nth]]
        ready = [nth for nth in self._kept if not self._waiting[nth]]
        yield from ready
        for post in posts:
            yield from self.after(post)

    def after(self, nth: int) -> Iterator[int]:
        """Yield the exchanges that nothing is left to come before, now that this one stands."""
        left = [nth]
        while left:
            last = left.pop()
            behind, self._after[last] = self._after[last] or (), None  # whoever walks needs room for what is to come
            for following in behind:
                self._waiting[following] -= 1
                if self._waiting[following] == 0:
                    if following < len(self._traces):
                        yield following
                    else:
                        left.append(following)

    def _nth(self, number: ExchangeNumber) -> int:
        return bisect_left(self._numbers, number)

    def _edge(self, before: int, after: int) -> None:
        self._waiting[after] += 1
        if (following := self._after[before]) is None:
            self._after[before] = [after]
        else:
            following.append(after)

    def _post(self) -> int:
        self._waiting.append(0)
        self._after.append(None)
        return len(self._waiting) - 1

    def _line_up(self, row: Row) -> None:
        """Have those who look at a row come after what was done for them, and before the rest."""
        if len(row.writes) == 1:  # as most are; posts would say the same
            for nth in row.lookers:
                self._part_at(row.writes[0], nth)
            return
        ends = {nth: self._ends(row.writes, nth) for nth in row.lookers}
        until = self._posts(row.writes, sorted({end for end, _ in ends.values()}), is_end=True)
        since = self._posts(row.writes, sorted({begin for _, begin in ends.values()}), is_end=False)
        for nth, (end, begin) in ends.items():
            self._edge(until[end], nth)
            self._edge(nth, since[begin])
            for write in row.writes[end:begin]:
                self._part_at(write, nth)

    def _part_at(self, write: int, nth: int) -> None:
        """Have an exchange come after a write that was done for it, and before any other."""
        if write != nth:
            is_first = is_done(self._traces[write], self._traces[nth], self._standings[nth])
            self._edge(*((write, nth) if is_first else (nth, write)))

    def _ends(self, writes: list[int], nth: int) -> tuple[int, int]:
        """Return how many writes of a row were done for an exchange without gap, and after how many none was."""
        standing, own = self._standings[nth], bisect_left(writes, nth)
        without = [bisect_left(writes, self._nth(number)) for number in standing.without]
        with_ = [bisect_left(writes, self._nth(number)) + 1 for number in standing.with_]
        begin = own + (own < len(writes) and writes[own] == nth)
        return min([own, *without]), min(max([begin, *with_]), len(writes))

    def _posts(self, writes: list[int], places: list[int], *, is_end: bool) -> dict[int, int]:
        """Set posts into a row: at an end comes each after all writes before it, else before all that follow."""
        posts = {place: self._post() for place in places}
        for place, following in zip(places, [*places[1:], len(writes)], strict=True):
            if place != following and following in posts:
                self._edge(posts[place], posts[following])
            for nth in () if is_end else writes[place:following]:
                self._edge(posts[place], nth)
        for place, before in zip(places, [0, *places[:-1]], strict=True) if is_end else ():
            for nth in writes[before:place]:
                self._edge(nth, posts[place])
        return posts

    def _chain(self, kept: Iterable[int]) -> None:
        """Have the exchanges of each key come in recorded order."""
        last: dict[int, int] = {}
        for nth in kept:
            key = self._traces[nth].key
            if key in last:
                self._edge(last[key], nth)
            last[key] = nth

    def _part(self, steps: dict[int, list[Step]]) -> None:
        """Have what was asked before a step, at its object, what shows that, or below it, come before the rest.

        Of the rest comes first what was the first to show it.
        """
        posts = {step: self._post() for step in dict.fromkeys(chain.from_iterable(steps.values()))}
        first = self._first_after(posts)
        of_object = {place: [one for one in at if one.floors[0] == place] for place, at in steps.items()}
        own = {place: some for place, some in of_object.items() if some}
        near: defaultdict[int, list[int]] = defaultdict(list)
        below: defaultdict[int, list[int]] = defaultdict(list)
        for nth in self._kept if steps else ():
            where = self._standings[nth].where
            if where.place in steps:
                near[where.place].append(nth)
            for place in where.above:
                if place in own:
                    below[place].append(nth)
        for place, nths in near.items():
            self._line_up_at(nths, steps[place], posts, first)
        for place, nths in below.items():
            self._line_up_at(nths, own[place], posts, first)

    def _first_after(self, posts: dict[Step, int]) -> dict[Step, int]:
        """Return what comes first after each step: the exchange that showed it, its post where that is left out."""
        kept, first = set(self._kept), {}
        for step, post in posts.items():
            nth = self._nth(step.number)
            first[step] = nth if nth in kept else post
            if nth in kept:
                self._edge(post, nth)
        return first

    def _line_up_at(
        self, nths: Sequence[int], steps: Sequence[Step], posts: dict[Step, int], first: dict[Step, int]
    ) -> None:
        begin = 0
        last: int | None = None
        for step in steps:
            end = bisect_left(nths, self._nth(step.number))
            self._between(last, nths[begin:end], posts[step])
            begin, last = end, first[step]
        self._between(last, nths[begin:], None)

    def _between(self, last: int | None, nths: Sequence[int], post: int | None) -> None:
        """Have these come after a post or an exchange, and before another post."""
        for before, after in ((last, nths), *((nth, (post,)) for nth in nths), (last, (post,))):
            for one in after:
                if before is not None and one is not None and before != one:
                    self._edge(before, one)


def rows_of(traces: Sequence[Trace], standings: Sequence[Standing], kept: Sequence[int]) -> list[Row]:
    """Return the rows of writes that exchanges look at, of those that are kept."""
    at, below, of_value = defaultdict[int, Row](Row), defaultdict[int, Row](Row), defaultdict[int, Row](Row)
    places, uniques = Places(), _uniques(standings, kept)
    for nth in kept:
        one, standing = traces[nth], standings[nth]
        where, done = standing.where, standing.done
        for place in where.above:
            below[place].lookers.append(nth)
        if places.need(one, done) is not Need.ROOM:
            at[where.place].lookers.append(nth)
        if unique := places.unique(one):
            of_value[unique].lookers.append(nth)
            of_value[where.any_value].lookers.append(nth)
        for place in done.places if done else ():
            at[place].writes.append(nth)
        for place in done.places_below if done else ():
            below[place].writes.append(nth)
        for value in uniques.get(done.place, ()) if done and done.effect is not Effect.CHANGES else ():
            of_value[value].writes.append(nth)
    return [row for rows in (at, below, of_value) for row in rows.values() if row.writes and row.lookers]


def is_done(write: Trace, one: Trace, standing: Standing) -> bool:
    """Tell whether a write is done for an exchange that looks at it, given where that stands."""
    return standing.follows(write.number, one.number)


def _uniques(standings: Sequence[Standing], kept: Sequence[int]) -> dict[int, set[int]]:
    """Return for each place the values that it had, or may have had."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for nth in kept:
        if done := standings[nth].done:
            found[done.place].update(done.values)
    return found
