"""A cassette compiled in memory, for where the store cannot be written."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from chatproxy.core.answers.stencil import Stencil, stencil
from chatproxy.core.answers.template import Reply
from chatproxy.core.cassette.cassette import Spelled, first_fresh
from chatproxy.core.cassette.compile import Learnt, compile_exchanges
from chatproxy.core.cassette.index import Indexed, Indexer
from chatproxy.core.cassette.records import Asked, Candidate
from chatproxy.core.matching.rules import Rules
from chatproxy.core.matching.users import Users
from chatproxy.core.model import NO_EXCHANGE, Exchange, ExchangeNumber, LiveSid, RecordedSid
from chatproxy.core.scrubbing.scrub import scrubbed_exchange
from chatproxy.core.timeline.known import NO_VARIABLES, Declared, held_by
from chatproxy.core.timeline.numbering import Numbered, Numbering, SidNumber
from chatproxy.core.timeline.standing import Standing, Step


class MemoryCassette:
    """All of a cassette in memory; ``learnt`` places its exchanges."""

    def __init__(
        self,
        name: str,
        exchanges: Iterable[Exchange],
        rules: Rules,
        declared: Declared | None = None,
        variables: Mapping[str, str] = NO_VARIABLES,
        *,
        learnt: Learnt | None = None,
    ) -> None:
        self.name = name
        self.declared = declared
        self._recorded = {one.number: one for one in sorted(exchanges, key=lambda one: one.number)}
        self._exchanges = {number: scrubbed_exchange(one, rules.scrub) for number, one in self._recorded.items()}
        self._index: dict[bytes, list[ExchangeNumber]] = defaultdict(list)
        self._replies: dict[ExchangeNumber, Reply] = {}
        self._stencils: dict[ExchangeNumber, Stencil] = {}
        self._standings: dict[ExchangeNumber, Standing] = {}
        self._asked: dict[bytes, Asked] = {}
        self._answers: dict[tuple[bytes, int], list[ExchangeNumber]] = defaultdict(list)
        self._touching: dict[int, list[ExchangeNumber]] = defaultdict(list)
        numbering, learnt, indexer = Numbering(declared), learnt or Learnt(), Indexer()
        for compiled in compile_exchanges(self, rules, numbering, learnt=learnt):
            self._take(indexer.index(compiled))
        self.writes, self._steps, self._names = learnt.writes, learnt.steps, learnt.names
        self.last_number = max(self._exchanges, default=NO_EXCHANGE)
        self.times, self.told = learnt.instants.times, learnt.told
        self.account = numbering.account
        self.users = Users(numbering.users)
        self._numbered = numbering.numbered()
        self.known = held_by(variables, numbering.known())
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
        """Return the number of a SID and where it comes from, if it is a recorded one."""
        return self._numbered.get(RecordedSid(sid))

    def fresh(self, sids: Sequence[RecordedSid], spelled: Spelled) -> list[LiveSid | None]:
        """Return for each recorded SID a fresh one, None for what was not recorded."""
        known = map(self._numbered.get, sids)
        return [one and first_fresh(one.number, spelled, self._numbered.__contains__) for one in known]

    def standing(self, number: ExchangeNumber) -> Standing:
        """Return where an exchange stands."""
        return self._standings[number]

    def asked(self, key: bytes) -> Asked | None:
        """Return what is known of a key; None if it was never recorded."""
        return self._asked.get(key)

    def candidate(self, key: bytes, state: int, at_least: ExchangeNumber) -> Candidate | None:
        """Return the first answer to a key in a state, from a number on."""
        numbers = self._answers.get((key, state), [])
        found = bisect_left(numbers, at_least)
        if found == len(numbers):
            return None
        standing = self._standings[numbers[found]]
        return Candidate(numbers[found], standing.role, standing.step, found == len(numbers) - 1)

    def touching(self, digest: int) -> Iterator[ExchangeNumber]:
        """Yield the numbers of the writes that touch a place, or make an object with a unique value, growing."""
        return iter(self._touching.get(digest, ()))

    def steps(self, place: int, after: ExchangeNumber) -> Sequence[Step]:
        """Return the changes by others at which an answer of a place has to look, those after a number, growing."""
        return [step for step in self._steps.get(place, ()) if step.number > after]

    def spelling(self, path: bytes) -> bytes | None:
        """Return the one spelling of the path of what is named by its unique name, if there is another."""
        return self._names.get(path)

    def _take(self, indexed: Indexed) -> None:
        compiled = indexed.compiled
        self._replies[compiled.number] = compiled.reply
        self._standings[compiled.number] = compiled.standing
        for index, _ in indexed.nth:  # they come in their order
            self._index[index].append(compiled.number)
        for key in compiled.keys:
            first = indexed.firsts.get(key)
            self._asked[key] = Asked.alone(first) if first else Asked(self._asked[key].first, None)
        for answers in indexed.states:
            insort(self._answers[answers], compiled.number)
        for digest in indexed.touches:
            insort(self._touching[digest], compiled.number)
