"""Which places of two sequences belong together: equal values in an order common to both, and the rest by position."""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Hashable, Iterator, Sequence
from itertools import takewhile, zip_longest


def aligned(one: Sequence[Hashable], other: Sequence[Hashable]) -> Iterator[tuple[int | None, int | None]]:
    """Yield each place of both once, alone or with one of the other, both growing; takes time of n log n.

    First both are followed from their begin and from their end as far as they are equal. Of what is left, the n-th of
    equal values in one stands for the n-th in the other, where that keeps the order; between two such pairs, the
    places are paired from the first on.
    """
    begin = _alike(one, other)
    end = min(_alike(one[::-1], other[::-1]), len(one) - begin, len(other) - begin)
    middle, middle_of_other = len(one) - end, len(other) - end
    common = [(left + begin, right + begin) for left, right in _common(one[begin:middle], other[begin:middle_of_other])]
    last = last_of_other = begin
    yield from zip(range(begin), range(begin), strict=True)
    for place, place_of_other in [*common, (middle, middle_of_other)]:
        yield from zip_longest(range(last, place), range(last_of_other, place_of_other))
        if place < middle:
            yield place, place_of_other
        last, last_of_other = place + 1, place_of_other + 1
    yield from zip(range(middle, len(one)), range(middle_of_other, len(other)), strict=True)


def _alike(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Return how many values both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _common(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return the longest growing part of the pairs of equal values."""
    places: dict[Hashable, deque[int]] = defaultdict(deque)
    for place, value in enumerate(other):
        places[value].append(place)
    pairs = [(place, places[value].popleft()) for place, value in enumerate(one) if places[value]]
    ends: list[int] = []  # where in other the best part of each length ends,
    last: list[int] = []  # and the pair that ends it
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1], last[length : length + 1] = [place], [number]
    found = []
    number = last[-1] if last else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]
