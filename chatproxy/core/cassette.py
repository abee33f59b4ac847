"""What a session replays: a compiled cassette, in memory here, in LMDB in the store."""

from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import NamedTuple, Protocol

from chatproxy.core.compile import Compiled, compile_exchanges
from chatproxy.core.epochs import COLLECTION, Place
from chatproxy.core.model import Exchange
from chatproxy.core.normalize import Rules
from chatproxy.core.numbering import Declared, Numbered, Numbering
from chatproxy.core.scrubbing import scrubbed_exchange
from chatproxy.core.stamps import recording_begin
from chatproxy.core.stencil import Stencil, stencil
from chatproxy.core.template import Reply

Spelled = Callable[[int, int], bytes]
"""Makes a fresh SID of a recorded one's number, another one in each attempt, from 0."""


def first_fresh(number: int, spelled: Spelled, is_recorded: Callable[[bytes], object]) -> bytes:
    """Return the first fresh SID for a number that was not recorded, as one could be where a replay was recorded."""
    return next(fresh for attempt in count() if not is_recorded(fresh := spelled(number, attempt)))


class Read(NamedTuple):
    """A recorded answer to a read: the n-th one, from 0, with its key in an epoch."""

    epoch: int
    nth: int
    number: int


class Span(NamedTuple):
    """What a session has to choose from for a read of a timeline's member.

    ``first`` is the first recorded answer, ``last`` the last one up to the session's epoch, if there is any.
    """

    timeline: int
    member: int
    first: Read
    last: Read | None


class Cassette(Protocol):
    """A compiled cassette; each of these is a look-up or two, whatever its size."""

    @property
    def name(self) -> str:
        """The cassette's name."""
        ...

    @property
    def last_number(self) -> int:
        """The number of the last exchange, 0 if there is none."""
        ...

    @property
    def begun(self) -> int:
        """When the recording began by the upstream's clock, in microseconds since 1970; 0 for an empty one."""
        ...

    @property
    def declared(self) -> Declared | None:
        """What the canonical fixture declared that it comes from; none for what was recorded."""
        ...

    @property
    def account(self) -> bytes | None:
        """The SID of the recorded account, if one was seen."""
        ...

    def sid(self, number: int) -> bytes | None:
        """Return the recorded SID of this number."""
        ...

    def numbered(self, sid: bytes) -> Numbered | None:
        """Return the number of a recorded SID, and whether it was supplied."""
        ...

    def fresh(self, sids: Sequence[bytes], spelled: Spelled) -> list[bytes | None]:
        """Return for each recorded SID a fresh one, which is none of the recorded ones; None for what is supplied.

        So it is for what was not recorded at all.
        """
        ...

    def numbers(self) -> Sequence[int]:
        """Return the numbers of all exchanges, growing."""
        ...

    def order(self) -> Iterator[int]:
        """Yield the numbers of all exchanges in canonical order."""
        ...

    def find(self, index: bytes, nth: int) -> int | None:
        """Return the number of the n-th exchange, from 0 and in canonical order, with this key, shape or route."""
        ...

    def reply(self, number: int) -> Reply:
        """Return what is served for an exchange."""
        ...

    def stencil(self, number: int) -> Stencil:
        """Return what is served for an exchange, ready to be filled."""
        ...

    def recorded(self, number: int) -> Exchange:
        """Return an exchange as recorded, which no rule has scrubbed."""
        ...

    def exchange(self, number: int) -> Exchange:
        """Return an exchange as recorded, scrubbed by the rules."""
        ...

    def place(self, number: int) -> Place:
        """Return where an exchange stands in its timeline."""
        ...

    def read(self, key: bytes, epoch: int, nth: int) -> int | None:
        """Return the number of the n-th answer, from 0, to the read with this key in this epoch."""
        ...

    def span(self, key: bytes, epochs: Mapping[int, int]) -> Span | None:
        """Return what a session has to choose from for this read, given its epochs of the timelines."""
        ...

    def write(self, key: bytes, nth: int) -> int | None:
        """Return the number of the n-th write, from 0, with this key: as ``find`` does, about to be replayed."""
        ...

    def touching(self, timeline: int, member: int, after: int, until: int) -> int | None:
        """Return the first write that touched just this member and opened an epoch in ``(after, until]``."""
        ...


class MemoryCassette:
    """A cassette compiled in memory, for where the store cannot be written."""

    def __init__(
        self, name: str, exchanges: Iterable[Exchange], rules: Rules, declared: Declared | None = None
    ) -> None:
        self.name = name
        self.declared = declared
        self._recorded = {one.number: one for one in exchanges}
        self._exchanges = {number: scrubbed_exchange(one, rules.scrub) for number, one in self._recorded.items()}
        self._index: dict[bytes, list[int]] = defaultdict(list)
        self._replies: dict[int, Reply] = {}
        self._stencils: dict[int, Stencil] = {}
        self._places: dict[int, Place] = {}
        self._reads: dict[bytes, list[Read]] = defaultdict(list)
        self._counts: Counter[tuple[bytes, int]] = Counter()
        self._touching: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        numbering = Numbering(declared)
        for compiled in compile_exchanges(self, rules, numbering):
            self._replies[compiled.number] = compiled.reply
            for index in (compiled.key, compiled.shape, compiled.route):
                self._index[index].append(compiled.number)
            self._take_place(compiled)
        for reads in self._reads.values():
            reads.sort()
        self.last_number = max(self._exchanges, default=0)
        self.begun = recording_begin(self._exchanges[min(self._exchanges)]) if self._exchanges else 0
        self.account = numbering.account
        self._numbered = numbering.numbered()
        self._sids = {known.number: sid for sid, known in self._numbered.items()}

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._exchanges.values())

    def numbers(self) -> Sequence[int]:
        """Return the numbers of all exchanges, growing."""
        return sorted(self._exchanges)

    def order(self) -> Iterator[int]:
        """Yield the numbers of all exchanges in canonical order."""
        return iter(self._replies)

    def find(self, index: bytes, nth: int) -> int | None:
        """Return the number of the n-th exchange, from 0, with this key, shape or route."""
        numbers = self._index.get(index, [])
        return numbers[nth] if nth < len(numbers) else None

    def reply(self, number: int) -> Reply:
        """Return what is served for an exchange."""
        return self._replies[number]

    def stencil(self, number: int) -> Stencil:
        """Return what is served for an exchange, ready to be filled."""
        if number not in self._stencils:
            self._stencils[number] = stencil(self._replies[number])
        return self._stencils[number]

    def recorded(self, number: int) -> Exchange:
        """Return an exchange as recorded, which no rule has scrubbed."""
        return self._recorded[number]

    def exchange(self, number: int) -> Exchange:
        """Return an exchange as recorded, scrubbed by the rules."""
        return self._exchanges[number]

    def sid(self, number: int) -> bytes | None:
        """Return the recorded SID of this number."""
        return self._sids.get(number)

    def numbered(self, sid: bytes) -> Numbered | None:
        """Return the number of a recorded SID, and whether it was supplied."""
        return self._numbered.get(sid)

    def fresh(self, sids: Sequence[bytes], spelled: Spelled) -> list[bytes | None]:
        """Return for each recorded SID a fresh one, None for what is supplied or was not recorded."""
        known = map(self._numbered.get, sids)
        return [
            None if one is None or one.supplied else first_fresh(one.number, spelled, self._numbered.__contains__)
            for one in known
        ]

    def place(self, number: int) -> Place:
        """Return where an exchange stands in its timeline."""
        return self._places[number]

    def read(self, key: bytes, epoch: int, nth: int) -> int | None:
        """Return the number of the n-th answer, from 0, to the read with this key in this epoch."""
        reads = self._reads.get(key, [])
        found = bisect_left(reads, (epoch, nth), key=lambda read: read[:2])
        return reads[found].number if found < len(reads) and reads[found][:2] == (epoch, nth) else None

    def span(self, key: bytes, epochs: Mapping[int, int]) -> Span | None:
        """Return what a session has to choose from for this read, given its epochs of the timelines."""
        reads = self._reads.get(key)
        if not reads:
            return None
        place = self._places[reads[0].number]
        found = bisect_right(reads, epochs.get(place.timeline, 0), key=lambda read: read.epoch)
        return Span(place.timeline, place.member, reads[0], reads[found - 1] if found else None)

    def write(self, key: bytes, nth: int) -> int | None:
        """Return the number of the n-th write, from 0, with this key."""
        return self.find(key, nth)

    def touching(self, timeline: int, member: int, after: int, until: int) -> int | None:
        """Return the first write that touched just this member and opened an epoch in ``(after, until]``."""
        writes = self._touching.get((timeline, member), [])
        found = bisect_right(writes, after, key=lambda write: write[0])
        return writes[found][1] if found < len(writes) and writes[found][0] <= until else None

    def _take_place(self, compiled: Compiled) -> None:
        place = self._places[compiled.number] = compiled.place
        if compiled.is_read:
            reads = self._reads[compiled.key]
            nth = self._counts[compiled.key, place.epoch]
            self._counts[compiled.key, place.epoch] += 1
            reads.append(Read(place.epoch, nth, compiled.number))
        for opening in place.opens:
            for member in {COLLECTION, opening.member}:
                insort(self._touching[opening.timeline, member], (opening.epoch, compiled.number))
