"""Telling: what a fixture has to say of an exchange whose state is not just that of the writes above it in the file.

Canonical order puts each exchange after the writes of its state and before the rest, so that little is left to tell:
where these went round in a circle. What the order cannot tell at all is said always: a 4xx that counts as a write, and
a write that answers nothing.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from operator import xor

from chatproxy.core.model import ExchangeNumber, InOrder, is_refused
from chatproxy.core.timeline.places import Places, touches
from chatproxy.core.timeline.precedence import Row, is_done, rows_of
from chatproxy.core.timeline.standing import Role
from chatproxy.core.timeline.standings import Timeline
from chatproxy.core.timeline.traces import Trace


def told(traces: Sequence[Trace], timeline: Timeline, order: Sequence[ExchangeNumber]) -> dict[ExchangeNumber, InOrder]:
    """Return what there is to tell of exchanges, given the numbers of those that a file has in its order.

    The numbers in it are those of the traces. What is not in it has nothing to tell.
    """
    numbers, positions = [one.number for one in traces], [_NOT_IN_IT] * len(traces)
    for position, number in enumerate(order):
        positions[bisect_left(numbers, number)] = position
    kept = [nth for nth, position in enumerate(positions) if position != _NOT_IN_IT]
    found: dict[int, set[tuple[int, bool]]] = {}
    places = Places()
    for row in rows_of(traces, timeline.standings, kept):
        for nth, write, is_with in _exceptions(traces, timeline, row, positions, places):
            found.setdefault(nth, set()).add((write, is_with))
    return dict(_all(traces, timeline, found, kept))


_NOT_IN_IT = -1


def _all(
    traces: Sequence[Trace], timeline: Timeline, found: dict[int, set[tuple[int, bool]]], kept: Sequence[int]
) -> Iterator[tuple[ExchangeNumber, InOrder]]:
    for nth in kept:
        standing, exceptions = timeline.standings[nth], sorted(found.get(nth, ()))
        counts = standing.done is not None and is_refused(traces[nth].status)
        is_doubtful = standing.done is not None and standing.role is Role.DOUBTFUL
        if exceptions or counts or is_doubtful:
            numbers = [(traces[write].number, is_with) for write, is_with in exceptions]
            with_, without = (tuple(of for of, is_with in numbers if is_with is kind) for kind in (True, False))
            yield traces[nth].number, InOrder(with_, without, counts, is_doubtful)


def _exceptions(
    traces: Sequence[Trace], timeline: Timeline, row: Row, positions: Sequence[int], places: Places
) -> Iterator[tuple[int, int, bool]]:
    """Yield who looks at a row, a write that the file has on the wrong side of it, and whether that was done for it."""
    marks = {nth: done.mark for nth in row.writes if (done := timeline.standings[nth].done)}
    recorded, in_file = row.writes, sorted(row.writes, key=positions.__getitem__)
    sums = [list(accumulate((marks[nth] for nth in nths), xor, initial=0)) for nths in (recorded, in_file)]
    before = _counts(recorded, row.lookers, int)
    above = _counts(in_file, row.lookers, positions.__getitem__)
    for nth in row.lookers:
        one, standing = traces[nth], timeline.standings[nth]
        if not (standing.with_ or standing.without) and sums[0][before[nth]] == sums[1][above[nth]]:
            continue
        need = places.need(one, standing.done)
        for write in row.writes:
            done = timeline.standings[write].done
            is_with = is_done(traces[write], one, standing)
            is_seen = done is not None and (touches(done, standing.where, need) or places.unique(one) != 0)
            if write != nth and is_seen and is_with != (positions[write] < positions[nth]):
                yield nth, write, is_with


def _counts(writes: Sequence[int], lookers: Sequence[int], position: Callable[[int], int]) -> dict[int, int]:
    """Return how many writes stand before each looker, given where each exchange stands."""
    at = list(map(position, writes))
    return {nth: bisect_left(at, position(nth)) for nth in lookers}
