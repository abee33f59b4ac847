"""Under what an exchange is found in a compiled cassette: the rules, the same in memory and in the store.

1. An exchange is found by its key in each of its spaces, by its shape and by its route, as the n-th one of these in
   canonical order.
2. A read is found by its key, its epoch, and which of these it is.
3. A write is found by each timeline in which it opens an epoch, there as one that touched the collection, and as one
   that touched the member that it is about.
"""

from collections import Counter
from typing import NamedTuple

from chatproxy.core.cassette.cassette import Read
from chatproxy.core.cassette.compile import Compiled
from chatproxy.core.timeline.epochs import COLLECTION


class Touch(NamedTuple):
    """That a write opened this epoch of a timeline and touched this member."""

    timeline: int
    member: int
    epoch: int


class Indexed(NamedTuple):
    """A compiled exchange, under which indexes it is the n-th one, which read of each key it is, what it touches."""

    compiled: Compiled
    nth: tuple[tuple[bytes, int], ...]
    reads: tuple[tuple[bytes, Read], ...]
    touches: tuple[Touch, ...]


class Indexer:
    """Indexes the exchanges of one cassette, which must come in canonical order."""

    def __init__(self) -> None:
        self._seen: Counter[bytes] = Counter()
        self._reads: Counter[tuple[bytes, int]] = Counter()

    def index(self, compiled: Compiled) -> Indexed:
        """Index the next exchange."""
        nth = tuple(self._next(index) for index in (*compiled.keys, compiled.shape, compiled.route))
        touches = tuple(
            Touch(opening.timeline, member, opening.epoch)
            for opening in compiled.place.opens
            for member in sorted({COLLECTION, opening.member})
        )
        reads = tuple((key, self._read(key, compiled)) for key in compiled.keys) if compiled.is_read else ()
        return Indexed(compiled, nth, reads, touches)

    def _next(self, index: bytes) -> tuple[bytes, int]:
        count = self._seen[index]
        self._seen[index] = count + 1
        return index, count

    def _read(self, key: bytes, compiled: Compiled) -> Read:
        within = key, compiled.place.epoch
        nth = self._reads[within]
        self._reads[within] = nth + 1
        return Read(compiled.place.epoch, nth, compiled.number)
