"""Which exchanges a cassette can do without: those that no run was served, if nothing that is kept stands on them.

The laws:

1. A replay that is asked what those runs asked gives the answers that it gave with all exchanges.
2. A write that opened an epoch stays if anything kept stands in or after that epoch, in the write's own timeline or
   in another that it touched.
3. What is kept compiles to the same: it stands in the same epochs, a SID is generated or supplied as it was,
   supplied ones come in the order in which they came, the account and the begin of the recording are the same.
   Whatever exchange it takes for that stays. An instant may lose its cause, if that was never replayed: it is served
   alike without.
4. Where several users made an equal request of which anything is kept, one that each of them made stays, and one of
   each other user: which of them answers whom hangs on who recorded.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from chatproxy.core.answers.template import Slot, Template
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.normal_form import NormalForm, normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, NO_EXCHANGE, Exchange, ExchangeNumber, RecordedSid
from chatproxy.core.time.stamps import Stamp
from chatproxy.core.timeline.epochs import ALL_MEMBERS, COLLECTION, Opening, Place
from chatproxy.core.timeline.numbering import SidNumber
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
        self._places = {number: cassette.place(number) for number in cassette.numbers()}
        self._sids: dict[ExchangeNumber, set[RecordedSid]] = {}
        self._users: dict[str | None, ExchangeNumber] = {}
        self._equal: dict[bytes, dict[str | None, list[ExchangeNumber]]] = defaultdict(lambda: defaultdict(list))
        self._first: dict[RecordedSid, ExchangeNumber] = {}
        self._settled: dict[RecordedSid, tuple[int, ExchangeNumber]] = {}
        for number in self._places:
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
        """Return these exchanges and the writes that opened the epochs in or before which they stand."""
        kept = set(kept)
        furthest: dict[int, int] = {}
        for number in kept:
            _reach(furthest, self._places[number])
        for number, place in reversed(self._places.items()):  # what a write stands on comes before it
            opens = any(opening.epoch <= furthest.get(opening.timeline, 0) for opening in place.opens)
            if number not in kept and opens:
                kept.add(number)
                _reach(furthest, place)
        return kept

    def lacking(self, kept: set[ExchangeNumber], again: Cassette) -> Iterator[set[ExchangeNumber]]:
        """Yield for each way in which the kept ones, compiled again, differ from before, what would mend it."""
        yield from self._changed_sids(kept, again)
        yield from self._gone_users(kept, again)
        if again.account != self._cassette.account:
            account = self._cassette.account or RecordedSid(b"")
            yield {self._users.get(account.decode(), self._first.get(account, NO_EXCHANGE))} & self._places.keys()
        if again.begun != self._cassette.begun:
            yield {min(self._places)}
        changed = self._changed_timelines(kept, again)
        if changed:
            yield {number for number, place in self._places.items() if place.timeline in changed}

    def _changed_sids(self, kept: set[ExchangeNumber], again: Cassette) -> Iterator[set[ExchangeNumber]]:
        """Yield what makes a SID supplied or generated as it was, and lets supplied ones come in their order."""
        supplied = []
        for sid in set().union(*(self._sids[number] for number in kept)):
            before, after = _supplied(self._cassette, sid), _supplied(again, sid)
            if (before is None) != (after is None):
                yield {self._settled[sid][1]}
            if before is not None and after is not None:
                supplied.append((before, after, sid))
        later: dict[bytes, SidNumber] = {}
        for _, number, sid in sorted(supplied, reverse=True):
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

    def _changed_timelines(self, kept: set[ExchangeNumber], again: Cassette) -> set[int]:
        """Return the timelines of kept exchanges that stand elsewhere, open other epochs, or are served otherwise."""
        lines, members = _Renaming(), _Renaming(COLLECTION, ALL_MEMBERS)
        places = {number: (self._places[number], again.place(number)) for number in sorted(kept)}
        changed = set()
        for number, (old, new) in places.items():
            known = lines.knows(old.timeline, new.timeline), members.knows(old.member, new.member)
            if not all(known) or old.epoch != new.epoch or not self._is_served_alike(number, kept, again):
                changed.add(old.timeline)
        for old, new in places.values():
            if _openings(old.opens, lines, members) != set(new.opens):
                changed.add(old.timeline)
        return changed

    def _is_served_alike(self, number: ExchangeNumber, kept: set[ExchangeNumber], again: Cassette) -> bool:
        old, new = self._cassette.reply(number), again.reply(number)
        return new == replace(
            old, timeline=new.timeline, head=_with_causes(old.head, kept), body=_with_causes(old.body, kept)
        )


class _Renaming:
    """Which number stands for which other one, each for one; some are fixed and stand for themselves."""

    def __init__(self, *fixed: int) -> None:
        self.new = {number: number for number in fixed}
        self._old = dict(self.new)

    def knows(self, old: int, new: int) -> bool:
        """Learn that one stands for the other, and tell whether neither stands for a third."""
        return self.new.setdefault(old, new) == new and self._old.setdefault(new, old) == old


def _sids(exchange: Exchange, form: NormalForm) -> Iterator[tuple[RecordedSid, int]]:
    """Yield the SIDs of an exchange, each with the moment at which it was sent or shown."""
    user = (exchange.user or "").encode()
    for sid in (*form.sids, *([user] if is_account(user) else ())):
        yield RecordedSid(sid), exchange.asked
    response = exchange.response
    for text in (*(text for header in response.headers for text in header), response.body):
        for sid in sids_in(text):
            yield RecordedSid(sid), exchange.answered


def _with_causes(template: Template, kept: set[ExchangeNumber]) -> Template:
    """Return a template with those causes alone that are kept; what was never replayed is the cause of nothing."""
    return replace(template, slots=tuple((slot, _cause_kept(slot, packed, kept)) for slot, packed in template.slots))


def _cause_kept(slot: Slot, packed: bytes, kept: set[ExchangeNumber]) -> bytes:
    if slot is not Slot.INSTANT or Stamp.unpack(packed).cause in kept:
        return packed
    return Stamp.unpack(packed)._replace(cause=NO_EXCHANGE).pack()


def _supplied(cassette: Cassette, sid: RecordedSid) -> SidNumber | None:
    """Return the number of a supplied SID, or None for a generated one."""
    known = cassette.numbered(sid)
    return known.number if known is not None and known.supplied else None


def _reach(furthest: dict[int, int], place: Place) -> None:
    """Take in that the timelines must reach as far as this exchange stands, and as the epochs that it opens."""
    reached = [(place.timeline, place.epoch), *((opening.timeline, opening.epoch) for opening in place.opens)]
    for line, epoch in reached:
        furthest[line] = max(epoch, furthest.get(line, 0))


def _openings(opens: Iterable[Opening], lines: _Renaming, members: _Renaming) -> set[Opening]:
    """Return the epochs that are opened in the timelines of kept exchanges, by the new numbers."""
    return {
        Opening(lines.new[opening.timeline], opening.epoch, members.new.get(opening.member, COLLECTION))
        for opening in opens
        if opening.timeline in lines.new
    }
