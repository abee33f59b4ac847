"""Ranks: the positions of those recorded seconds that a recording tells apart.

1. Neighbouring seconds have different ranks, unless both hold own instants only and there was no pause between.
2. A pause is a second or more without any request. How long own writes took, and on which side of a second's end they
   fell, differs from recording to recording; what another party did, and when the program waited, does not.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from chatproxy.core.time.timestamps import SECOND


class Ranking(Enum):
    """What seconds tell, by what the exchanges come from."""

    RECORDED = "the upstream's clock, and the moments of requests"
    WRITES = "in a canonical fixture of version 2: how many writes came before"
    RANKS = "in a later one: ranks"


class Span(NamedTuple):
    """From when to when, in microseconds since 1970."""

    begin: int
    end: int

    def around(self, other: "Span") -> "Span":
        """Return the span of both."""
        return Span(min(self.begin, other.begin), max(self.end, other.end))


class Busy:
    """When there were requests, given each of them in the order of their answers."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        """With a pause between each two."""

    def learn(self, request: Span) -> None:
        """Take in from when to when a request took."""
        while self._spans and request.begin - self._spans[-1].end < SECOND:
            request = request.around(self._spans.pop())
        self._spans.append(request)

    def pauses_between(self, begin: int, end: int) -> bool:
        """Tell whether a pause lay between two moments."""
        after = bisect_left(self._spans, begin, key=lambda span: span.end)
        return after + 1 < len(self._spans) and self._spans[after + 1].begin <= end


def ranks(seconds: Iterable[int], own: Mapping[int, Span], busy: Busy | None) -> dict[int, int]:
    """Return the ranks of seconds, from 0 on.

    ``own`` are those that hold own instants only, each with when their writes were sent and answered. Without ``busy``
    there were no pauses.
    """
    found: dict[int, int] = {}
    rank, last = -1, None
    for second in sorted(seconds):
        span = own.get(second)
        is_one = span is not None and last is not None and not (busy and busy.pauses_between(last.end, span.begin))
        rank += not is_one
        found[second], last = rank, span
    return found
