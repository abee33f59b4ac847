"""Merging: the exchanges of several cassettes as one canonical cassette, in the order in which they are given.

The n-th account and the n-th service of each are one. Any other SID of a recording is what it is called, so that
two recordings of one channel are of one place, where the later one goes on after the writes of the earlier. A
canonical fixture has the recorder's own name for what is known, and else numbers, which mean nothing beyond it: what it
made stays its own.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, ExchangeNumber, RecordedSid
from chatproxy.core.products.sid_types import ACCOUNT, SERVICE
from chatproxy.core.sharing.canonical import Canonical, Naming
from chatproxy.core.timeline.known import Declared, Known
from chatproxy.core.timeline.numbering import Numbered, nth_of
from chatproxy.core.timeline.states import Effect
from chatproxy.core.twilio.canonical_sids import canonical_sid, is_old_canonical
from chatproxy.core.twilio.paths import timeline

_SHARED = (ACCOUNT.encode(), SERVICE.encode())


class Overlap(NamedTuple):
    """A place to which several of the merged cassettes write: what each answers there may need what others wrote.

    ``writes`` are the numbers that the writes have in each cassette, in their order.
    """

    path: bytes
    writes: tuple[tuple[ExchangeNumber, ...], ...]


class Merged:
    """Several cassettes as one; all must be compiled under these rules."""

    def __init__(self, cassettes: Sequence[Cassette], rules: Rules) -> None:
        self._cassettes = cassettes
        self._rules = rules
        self._namings = [_naming(place, cassette) for place, cassette in enumerate(cassettes)]
        self._origins = [
            (place, number) for place in range(len(cassettes)) for number in self._canonical(place).numbers
        ]
        self.count = len(self._origins)

    def declared(self) -> Declared:
        """Return what the merged cassette says of its SIDs."""
        said = [self._canonical(place).declared() for place in range(len(self._cassettes))]
        account = next((one.account for one in said if one.account), None)
        known: dict[RecordedSid, Known] = {}
        for one in (one for each in said for one in each.known):
            known.setdefault(one.sid, one)
        return Declared(account, tuple(known.values()))

    def exchanges(self) -> Iterator[Exchange]:
        """Yield all exchanges, numbered from 1 on."""
        count = later = 0
        for place in range(len(self._cassettes)):
            merged = self._canonical(place, after=count, later=later)
            yield from merged.exchanges()
            count += len(merged.numbers)
            later = max(later, merged.ended)

    def overlaps(self, merged: Cassette) -> list[Overlap]:
        """Return to which places several of them write, given what was merged, compiled.

        That is a collection, or an object that one deletes while another writes below it.
        """
        groups: dict[int, _Writes] = defaultdict(_Writes)
        deleted: dict[int, _Writes] = defaultdict(_Writes)
        below: dict[int, _Writes] = defaultdict(_Writes)
        for (place, number), position in zip(self._origins, merged.order(), strict=True):
            done = merged.standing(position).done
            if done is None:
                continue
            path = merged.exchange(position).request.path
            groups[done.touched[0]].add(timeline(path), place, number)
            if done.effect in _DELETES:
                deleted[done.place].add(path, place, number)
            for above in done.above:
                below[above].add(path, place, number)
        both = (deleted[place].and_below(below[place]) for place in deleted.keys() & below.keys())
        found = (one.overlap(len(self._cassettes)) for one in (*groups.values(), *both))
        return sorted(one for one in found if sum(map(bool, one.writes)) > 1)

    def _canonical(self, place: int, *, after: int = 0, later: int = 0) -> Canonical:
        return Canonical(self._cassettes[place], self._rules, self._namings[place], after=after, later=later)


_DELETES = frozenset({Effect.DELETES, Effect.MAY_DELETE})


class _Writes:
    """The writes to one place: its path as the first has it, and of which cassette each is."""

    def __init__(self) -> None:
        self.path = b""
        self.all: list[tuple[int, ExchangeNumber]] = []

    def add(self, path: bytes, place: int, number: ExchangeNumber) -> None:
        """Add a write."""
        self.path = self.path or path
        self.all.append((place, number))

    def and_below(self, below: "_Writes") -> "_Writes":
        """Return deletes with those writes of other cassettes that are below the object."""
        both = _Writes()
        both.path = self.path
        deleting = {place for place, _ in self.all}
        both.all = self.all + [one for one in below.all if one[0] not in deleting]
        return both

    def overlap(self, count: int) -> Overlap:
        """Return the numbers by cassettes, of which there are so many."""
        return Overlap(
            self.path, tuple(tuple(number for at, number in self.all if at == place) for place in range(count))
        )


def _naming(place: int, cassette: Cassette) -> Naming:
    is_canonical = cassette.declared is not None
    own = {known.sid: known.own for known in cassette.known if known.own and not is_old_canonical(known.own)}

    def name(recorded: RecordedSid, known: Numbered) -> RecordedSid:
        prefix = recorded[:2]
        if prefix in _SHARED:
            return RecordedSid(canonical_sid(prefix, nth_of(known.number)))
        if not is_canonical:
            return recorded
        if recorded in own:
            return RecordedSid(own[recorded])
        digest = blake2b(b"%d:%b" % (place, recorded), digest_size=16)
        return RecordedSid(prefix + digest.hexdigest().encode())

    return name
