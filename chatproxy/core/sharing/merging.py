"""Merging: the exchanges of several cassettes as one canonical cassette, in the order in which they are given.

The n-th account and the n-th service of each are one. Any other SID of a recording is what it is called, so that
two recordings of one channel are one timeline, where the later one goes on after the epochs of the earlier. A
canonical fixture has no names but numbers, which mean nothing beyond it: its channels and what it made stay its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange
from chatproxy.core.products.sid_types import ACCOUNT, SERVICE
from chatproxy.core.sharing.canonical import Canonical, Naming
from chatproxy.core.timeline.numbering import Declared, Numbered, nth_of
from chatproxy.core.twilio.objects import shown
from chatproxy.core.twilio.paths import Spellings

_SHARED = (ACCOUNT.encode(), SERVICE.encode())


class Merged:
    """Several cassettes as one; all must be compiled under these rules."""

    def __init__(self, cassettes: Sequence[Cassette], rules: Rules) -> None:
        self.count = sum(len(cassette.numbers()) for cassette in cassettes)
        self._cassettes = cassettes
        self._rules = rules
        self._namings = [_naming(place, cassette) for place, cassette in enumerate(cassettes)]

    def declared(self) -> Declared:
        """Return what the merged cassette says of its SIDs."""
        said = [self._canonical(place).declared() for place in range(len(self._cassettes))]
        account = next((one.account for one in said if one.account), None)
        return Declared(account, tuple(dict.fromkeys(sid for one in said for sid in one.supplied)))

    def exchanges(self) -> Iterator[Exchange]:
        """Yield all exchanges, numbered from 1 on."""
        spellings, reached, number = self._spellings(), dict[bytes, int](), 0
        for place in range(len(self._cassettes)):
            plain = self._canonical(place)
            paths = {line: spellings.one(plain.path(line)) for line in plain.epochs()}
            merged = self._canonical(place, {line: reached.get(path, 0) for line, path in paths.items()})
            for exchange in merged.exchanges():
                number += 1
                yield replace(exchange, number=number)
            for line, epoch in merged.epochs().items():
                reached[paths[line]] = max(epoch, reached.get(paths[line], 0))

    def _canonical(self, place: int, shifts: dict[int, int] | None = None) -> Canonical:
        return Canonical(self._cassettes[place], self._rules, self._namings[place], shifts)

    def _spellings(self) -> Spellings:
        """Learn from all answers which unique names and SIDs are one channel."""
        spellings = Spellings()
        for place in range(len(self._cassettes)):
            for exchange in self._canonical(place).exchanges():
                path = normalize(exchange.request, self._rules).path
                for fields in shown(exchange.response).objects.values():
                    spellings.learn(path, fields)
        return spellings


def _naming(place: int, cassette: Cassette) -> Naming:
    is_canonical = cassette.declared is not None

    def name(recorded: bytes, known: Numbered) -> bytes:
        prefix = recorded[:2]
        if prefix in _SHARED:
            return prefix + b"%032d" % nth_of(known.number)
        if not is_canonical:
            return recorded
        return prefix + blake2b(b"%d:%b" % (place, recorded), digest_size=16).hexdigest().encode()

    return name
