"""Which exchanges a cassette can do without: those that no run was served, if nothing that is kept stands on them.

The laws:

1. A replay that is asked what those runs asked gives the answers that it gave with all exchanges.
2. A write stays if anything kept needs that it is done.
3. What is kept compiles to the same: it answers in the same states, a SID is known or not as it was,
   known ones come in the order in which they came, the account and the begin of the recording are the same.
   Whatever exchange it takes for that stays. Ranks may be others, since those of seconds that nothing shows are gone.
4. Where several users made an equal request of which anything is kept, one that each of them made stays, and one of
   each other user: which of them answers whom hangs on who recorded.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from chatproxy.core.answers.template import Reply, Slot
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.normal_form import NormalForm, normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, NO_EXCHANGE, Exchange, ExchangeNumber, RecordedSid
from chatproxy.core.time.instants import UNKNOWN
from chatproxy.core.time.stamps import Stamp
from chatproxy.core.timeline.numbering import SidNumber
from chatproxy.core.timeline.standing import Standing
from chatproxy.core.timeline.states import Done, Effect
from chatproxy.core.twilio.sids import is_account, sids_in


@dataclass(frozen=True, slots=True)
class Pruning:
    """The numbers of the exchanges to delete, and of those that stay unused, since kept ones stand on them."""

    deleted: tuple[ExchangeNumber, ...]
    needed: tuple[ExchangeNumber, ...]


def prune(cassette: Cassette, unused: Iterable[ExchangeNumber], rules: Rules) -> Pruning:
    """Decide which of the exchanges that were never served go; ``rules`` are those of the cassette."""
    whole = _Whole(cassette, rules)
    everything = set(cassette.numbers())
    candidates = everything.intersection(unused)
    kept = whole.with_writes(everything - candidates)
    while kept < everything:
        exchanges = (cassette.exchange(number) for number in sorted(kept))
        left = MemoryCassette(cassette.name, exchanges, rules, cassette.declared)
        lacking = list(whole.lacking(kept, left))
        if not lacking:
            break
        kept = whole.with_writes(kept | (set().union(*lacking) - kept or everything))
    return Pruning(tuple(sorted(everything - kept)), tuple(sorted(candidates & kept)))


class _Whole:
    """What is known of the cassette with all its exchanges."""

    def __init__(self, cassette: Cassette, rules: Rules) -> None:
        self._cassette = cassette
        self._standings = {number: cassette.standing(number) for number in cassette.numbers()}
        self._had: dict[int, set[int]] = defaultdict(set)
        """The objects that had a value of a unique field."""
        for standing in self._standings.values():
            if (done := standing.done) is not None:
                for value in done.values:
                    self._had[value].add(done.place)
        self._sids: dict[ExchangeNumber, set[RecordedSid]] = {}
        self._users: dict[str | None, ExchangeNumber] = {}
        self._equal: dict[bytes, dict[str | None, list[ExchangeNumber]]] = defaultdict(lambda: defaultdict(list))
        self._first: dict[RecordedSid, ExchangeNumber] = {}
        self._settled: dict[RecordedSid, tuple[int, ExchangeNumber]] = {}
        for number in self._standings:
            self._learn(cassette.exchange(number), rules)

    def _learn(self, exchange: Exchange, rules: Rules) -> None:
        number = exchange.number
        self._users.setdefault(exchange.user, number)
        form = normalize(exchange.request, rules)
        if len(self._cassette.users.all) > 1:
            self._equal[form.key][exchange.user].append(number)
        self._sids[number] = set()
        for sid, moment in _sids(exchange, form):
            self._sids[number].add(sid)
            self._first.setdefault(sid, number)
            self._settled[sid] = min(self._settled.get(sid, (moment, number)), (moment, number))

    def with_writes(self, kept: set[ExchangeNumber]) -> set[ExchangeNumber]:
        """Return these exchanges and the writes that were done when they were answered."""
        kept, reach = set(kept), _Reach(self._had)
        for number in kept:
            reach.take(number, self._standings[number])
        for number, standing in reversed(self._standings.items()):  # what is done for a write comes before it, mostly
            if number not in kept and standing.done is not None and reach.has(number, standing.done):
                kept.add(number)
                reach.take(number, standing)
        return kept

    def lacking(self, kept: set[ExchangeNumber], again: Cassette) -> Iterator[set[ExchangeNumber]]:
        """Yield for each way in which the kept ones, compiled again, differ from before, what would mend it."""
        yield from self._changed_sids(kept, again)
        yield from self._gone_users(kept, again)
        if again.account != self._cassette.account:
            account = self._cassette.account or RecordedSid(b"")
            yield {self._users.get(account.decode(), self._first.get(account, NO_EXCHANGE))} & self._standings.keys()
        if again.times.begin != self._cassette.times.begin:
            first = min(self._standings)
            yield {first} if first not in kept else {*self._creates()}
        changed = {self._standings[number].where.place for number in kept if not self._is_same(number, kept, again)}
        if changed:
            yield {number for number, one in self._standings.items() if not changed.isdisjoint(_shown_by(one))}

    def _creates(self) -> Iterator[ExchangeNumber]:
        """Yield the creates, by which the upstream's clock is known."""
        for number, one in self._standings.items():
            if one.done is not None and one.done.effect is Effect.MAKES:
                yield number

    def _changed_sids(self, kept: set[ExchangeNumber], again: Cassette) -> Iterator[set[ExchangeNumber]]:
        """Yield what makes a SID known or not as it was, and lets known ones come in their order."""
        known = []
        for sid in set().union(*(self._sids[number] for number in kept)):
            before, after = _known(self._cassette, sid), _known(again, sid)
            if (before is None) != (after is None):
                yield {self._settled[sid][1]}
            if before is not None and after is not None:
                known.append((before, after, sid))
        later: dict[bytes, SidNumber] = {}
        for _, number, sid in sorted(known, reverse=True):
            if number > later.get(sid[:2], number):
                yield {self._first[sid]}
            later[sid[:2]] = min(number, later.get(sid[:2], number))

    def _gone_users(self, kept: set[ExchangeNumber], again: Cassette) -> Iterator[set[ExchangeNumber]]:
        """Yield what lets those who made equal requests be told apart as before."""
        for users in self._equal.values():
            made = [numbers for user, numbers in users.items() if user != NO_CREDENTIALS or None in users]
            if len(made) == 1 or all(map(kept.isdisjoint, made)):
                continue
            yield from ({numbers[0]} for numbers in made if kept.isdisjoint(numbers))
            yield from ({self._users[user]} for user in self._cassette.users.all if user not in again.users.all)

    def _is_same(self, number: ExchangeNumber, kept: set[ExchangeNumber], again: Cassette) -> bool:
        """Tell whether an exchange answers in the same states, and is served alike."""
        old, new = self._standings[number], again.standing(number)
        with_, without = ({*one} & kept for one in (old.with_, old.without))
        same = old._replace(nth=new.nth, with_=tuple(sorted(with_)), without=tuple(sorted(without)))
        return new == same and self._is_served_alike(number, again)

    def _is_served_alike(self, number: ExchangeNumber, again: Cassette) -> bool:
        return _without_ranks(self._cassette.reply(number)) == _without_ranks(again.reply(number))


class _Reach:
    """Up to which kept exchange a write is needed that touches a place, or an object that others are below."""

    def __init__(self, had: Mapping[int, set[int]]) -> None:
        self._had = had
        self._at: dict[int, ExchangeNumber] = {}
        self._below: dict[int, ExchangeNumber] = {}
        self._with: set[ExchangeNumber] = set()

    def take(self, number: ExchangeNumber, standing: Standing) -> None:
        """Take in that an exchange is kept."""
        self._with.update(standing.with_)
        where, done = standing.where, standing.done
        looked_at = set() if done is not None and not where.is_object else {where.place}
        for value in (done.unique, where.any_value) if done is not None and done.unique else ():
            looked_at |= self._had.get(value, set())
        for place in looked_at:
            self._at[place] = max(number, self._at.get(place, NO_EXCHANGE))
        for place in where.above:
            self._below[place] = max(number, self._below.get(place, NO_EXCHANGE))

    def has(self, number: ExchangeNumber, done: Done) -> bool:
        """Tell whether a write was done for anything kept."""
        touches = any(self._at.get(place, NO_EXCHANGE) > number for place in done.places)
        touches |= any(self._below.get(place, NO_EXCHANGE) > number for place in done.elsewhere)
        is_update = done.effect in {Effect.CHANGES, Effect.MAY_CHANGE}
        return touches or number in self._with or (not is_update and self._below.get(done.place, NO_EXCHANGE) > number)


def _shown_by(standing: Standing) -> set[int]:
    """Return the places that an exchange shows, or changes."""
    done = standing.done
    return {standing.where.place, *(done.places if done is not None else ())}


def _sids(exchange: Exchange, form: NormalForm) -> Iterator[tuple[RecordedSid, int]]:
    """Yield the SIDs of an exchange, each with the moment at which it was sent or shown."""
    user = (exchange.user or "").encode()
    for sid in (*form.sids, *([user] if is_account(user) else ())):
        yield RecordedSid(sid), exchange.asked
    response = exchange.response
    for text in (*(text for header in response.headers for text in header), response.body):
        for sid in sids_in(text):
            yield RecordedSid(sid), exchange.answered


def _without_ranks(reply: Reply) -> Reply:
    """Return a reply with what its instants are on their own, without their place among all others."""
    head, body = (
        replace(template, slots=tuple((slot, _without_rank(slot, packed)) for slot, packed in template.slots))
        for template in (reply.head, reply.body)
    )
    return replace(reply, head=head, body=body)


def _without_rank(slot: Slot, packed: bytes) -> bytes:
    return Stamp.unpack(packed)._replace(instant=UNKNOWN).pack() if slot is Slot.INSTANT else packed


def _known(cassette: Cassette, sid: RecordedSid) -> SidNumber | None:
    """Return the number of a known SID, or None for another one."""
    known = cassette.numbered(sid)
    return known.number if known is not None and known.is_known else None
