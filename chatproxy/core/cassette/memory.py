"""A cassette compiled in memory, for where the store cannot be written."""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from chatproxy.core.answers.stencil import Stencil, stencil
from chatproxy.core.answers.template import Reply
from chatproxy.core.cassette.cassette import Read, Span, Spelled, first_fresh
from chatproxy.core.cassette.compile import compile_exchanges
from chatproxy.core.cassette.index import Indexed, Indexer
from chatproxy.core.matching.rules import Rules
from chatproxy.core.matching.users import Users
from chatproxy.core.model import NO_EXCHANGE, Exchange, ExchangeNumber, LiveSid, RecordedSid
from chatproxy.core.scrubbing.scrub import scrubbed_exchange
from chatproxy.core.time.stamps import recording_begin
from chatproxy.core.timeline.epochs import Place
from chatproxy.core.timeline.numbering import Declared, Numbered, Numbering, SidNumber


class MemoryCassette:
    """All of a cassette in memory."""

    def __init__(
        self, name: str, exchanges: Iterable[Exchange], rules: Rules, declared: Declared | None = None
    ) -> None:
        self.name = name
        self.declared = declared
        self._recorded = {one.number: one for one in exchanges}
        self._exchanges = {number: scrubbed_exchange(one, rules.scrub) for number, one in self._recorded.items()}
        self._index: dict[bytes, list[ExchangeNumber]] = defaultdict(list)
        self._replies: dict[ExchangeNumber, Reply] = {}
        self._stencils: dict[ExchangeNumber, Stencil] = {}
        self._places: dict[ExchangeNumber, Place] = {}
        self._reads: dict[bytes, list[Read]] = defaultdict(list)
        self._touching: dict[tuple[int, int], list[tuple[int, ExchangeNumber]]] = defaultdict(list)
        numbering, indexer = Numbering(declared), Indexer()
        for compiled in compile_exchanges(self, rules, numbering):
            self._take(indexer.index(compiled))
        for reads in self._reads.values():
            reads.sort()
        self.last_number = max(self._exchanges, default=NO_EXCHANGE)
        self.begun = recording_begin(self._exchanges[min(self._exchanges)]) if self._exchanges else 0
        self.account = numbering.account
        self.users = Users(numbering.users)
        self._numbered = numbering.numbered()
        self._sids = {known.number: sid for sid, known in self._numbered.items()}

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._exchanges.values())

    def numbers(self) -> Sequence[ExchangeNumber]:
        """Return the numbers of all exchanges, growing."""
        return sorted(self._exchanges)

    def order(self) -> Iterator[ExchangeNumber]:
        """Yield the numbers of all exchanges in canonical order."""
        return iter(self._replies)

    def find(self, index: bytes, nth: int) -> ExchangeNumber | None:
        """Return the number of the n-th exchange, from 0, with this key, shape or route."""
        numbers = self._index.get(index, [])
        return numbers[nth] if nth < len(numbers) else None

    def reply(self, number: ExchangeNumber) -> Reply:
        """Return what is served for an exchange."""
        return self._replies[number]

    def stencil(self, number: ExchangeNumber) -> Stencil:
        """Return what is served for an exchange, ready to be filled."""
        if number not in self._stencils:
            self._stencils[number] = stencil(self._replies[number])
        return self._stencils[number]

    def recorded(self, number: ExchangeNumber) -> Exchange:
        """Return an exchange as recorded, which no rule has scrubbed."""
        return self._recorded[number]

    def exchange(self, number: ExchangeNumber) -> Exchange:
        """Return an exchange as recorded, scrubbed by the rules."""
        return self._exchanges[number]

    def sid(self, number: SidNumber) -> RecordedSid | None:
        """Return the recorded SID of this number."""
        return self._sids.get(number)

    def numbered(self, sid: bytes) -> Numbered | None:
        """Return the number of a SID and whether it was supplied, if it is a recorded one."""
        return self._numbered.get(RecordedSid(sid))

    def fresh(self, sids: Sequence[RecordedSid], spelled: Spelled) -> list[LiveSid | None]:
        """Return for each recorded SID a fresh one, None for what is supplied or was not recorded."""
        known = map(self._numbered.get, sids)
        return [
            None if one is None or one.supplied else first_fresh(one.number, spelled, self._numbered.__contains__)
            for one in known
        ]

    def place(self, number: ExchangeNumber) -> Place:
        """Return where an exchange stands in its timeline."""
        return self._places[number]

    def read(self, key: bytes, epoch: int, nth: int) -> ExchangeNumber | None:
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

    def write(self, key: bytes, nth: int) -> ExchangeNumber | None:
        """Return the number of the n-th write, from 0, with this key."""
        return self.find(key, nth)

    def touching(self, timeline: int, member: int, after: int, until: int) -> ExchangeNumber | None:
        """Return the first write that touched just this member and opened an epoch in ``(after, until]``."""
        writes = self._touching.get((timeline, member), [])
        found = bisect_right(writes, after, key=lambda write: write[0])
        return writes[found][1] if found < len(writes) and writes[found][0] <= until else None

    def _take(self, indexed: Indexed) -> None:
        compiled = indexed.compiled
        self._replies[compiled.number] = compiled.reply
        self._places[compiled.number] = compiled.place
        for index, _ in indexed.nth:  # they come in their order
            self._index[index].append(compiled.number)
        for key, read in indexed.reads:
            self._reads[key].append(read)
        for timeline, member, epoch in indexed.touches:
            insort(self._touching[timeline, member], (epoch, compiled.number))
