"""Merging: the exchanges of several cassettes as one canonical cassette, in the order in which they are given.

The n-th account and the n-th service of each are one. Any other SID of a recording is what it is called, so that
two recordings of one channel are of one place, where the later one goes on after the writes of the earlier. A
canonical fixture has the recorder's own name for what is known, and else numbers, which mean nothing beyond it: what it
made stays its own.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, RecordedSid
from chatproxy.core.products.sid_types import ACCOUNT, SERVICE
from chatproxy.core.sharing.canonical import Canonical, Naming
from chatproxy.core.timeline.known import Declared, Known
from chatproxy.core.timeline.numbering import Numbered, nth_of
from chatproxy.core.twilio.canonical_sids import canonical_sid, is_old_canonical

_SHARED = (ACCOUNT.encode(), SERVICE.encode())


class Merged:
    """Several cassettes as one; all must be compiled under these rules."""

    def __init__(self, cassettes: Sequence[Cassette], rules: Rules) -> None:
        self._cassettes = cassettes
        self._rules = rules
        self._namings = [_naming(place, cassette) for place, cassette in enumerate(cassettes)]
        self.count = sum(len(self._canonical(place).numbers) for place in range(len(cassettes)))

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

    def _canonical(self, place: int, *, after: int = 0, later: int = 0) -> Canonical:
        return Canonical(self._cassettes[place], self._rules, self._namings[place], after=after, later=later)


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
