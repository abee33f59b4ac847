"""What compiling a cassette yields, kept beside its exchanges under the fingerprint of the rules."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chatproxy.core.answers.stencil import Stencil
from chatproxy.core.answers.template import Reply
from chatproxy.core.cassette.cassette import Read, Span, Spelled, first_fresh
from chatproxy.core.cassette.codec import damaged, decode_exchange, decode_place, decode_stencil
from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange
from chatproxy.core.scrubbing.scrub import scrubbed_exchange
from chatproxy.core.time.stamps import recording_begin
from chatproxy.core.timeline.epochs import Place
from chatproxy.core.timeline.numbering import Declared, Numbered
from chatproxy.store import layout
from chatproxy.store.environment import Environment, Reading

_CHUNK = 64
"""How many keys are looked up at once."""


class StoredCassette:
    """A compiled cassette in the store; each call is one LMDB look-up."""

    def __init__(
        self, environment: Environment, cassette: int, name: str, rules: Rules, declared: Declared | None = None
    ) -> None:
        self.name = name
        self.declared = declared
        self._environment = environment
        self._scrub = rules.scrub
        self._exchange = layout.exchange_prefix(cassette)
        self._reply = layout.reply_prefix(cassette, rules.fingerprint)
        self._index = layout.index_prefix(cassette, rules.fingerprint)
        self._order = layout.order_prefix(cassette, rules.fingerprint)
        self._places = layout.place_prefix(cassette, rules.fingerprint)
        self._reads = layout.read_prefix(cassette, rules.fingerprint)
        self._touching = layout.touch_prefix(cassette, rules.fingerprint)
        self._sid = layout.sid_prefix(cassette, rules.fingerprint)
        self._ahead: dict[bytes, bytes | None] = {}
        """What was read with the exchange that was found last, since it is about to be asked for, by its key."""
        self.account = environment.get(self._sid)
        first = environment.scan(self._exchange, limit=1)
        self.begun = recording_begin(self.exchange(int.from_bytes(first[0][0][-4:], "big"))) if first else 0
        tally = layout.Tally.unpack(environment.get(layout.compiled_key(cassette, rules.fingerprint)))
        self.last_number = tally.last
        self._count = tally.count

    @staticmethod
    def is_compiled(environment: Environment, cassette: int, rules: Rules) -> bool:
        """Tell whether a cassette is compiled under these rules, with all its exchanges."""
        compiled = environment.get(layout.compiled_key(cassette, rules.fingerprint))
        tally = layout.Tally.unpack(environment.get(layout.tally_key(cassette)))
        return compiled is not None and layout.Tally.unpack(compiled) == tally

    def numbers(self) -> Sequence[int]:
        """Return the numbers of all exchanges, growing; only those with gaps have to be looked up."""
        if self._count == self.last_number:
            return range(1, self.last_number + 1)
        numbers: list[int] = []
        after = b""
        while found := self._environment.scan(self._reply, after=after, limit=_CHUNK):
            keys = [key[len(self._reply) :] for key, _ in found]
            numbers += [int.from_bytes(key, "big") for key in keys]
            after = keys[-1]
        return numbers

    def order(self) -> Iterator[int]:
        """Yield the numbers of all exchanges in canonical order."""
        after = b""
        while found := self._environment.scan(self._order, after=after, limit=_CHUNK):
            yield from (int.from_bytes(number, "big") for _, number in found)
            after = found[-1][0][len(self._order) :]

    def find(self, index: bytes, nth: int) -> int | None:
        """Return the number of the n-th exchange, from 0 and in canonical order, with this key, shape or route."""
        stored = self._environment.get(self._index + index + layout.number(nth))
        return None if stored is None else int.from_bytes(stored[:4], "big")

    def reply(self, number: int) -> Reply:
        """Return what is served for an exchange."""
        return self.stencil(number).reply

    def stencil(self, number: int) -> Stencil:
        """Return what is served for an exchange, ready to be filled."""
        found = decode_stencil(self._stored(self._reply, number))
        if found is None:
            raise damaged(self._place(number))
        return found

    def recorded(self, number: int) -> Exchange:
        """Return an exchange as recorded, which no rule has scrubbed."""
        return decode_exchange(number, self._stored(self._exchange, number), self._place(number))

    def exchange(self, number: int) -> Exchange:
        """Return an exchange as recorded, scrubbed by the rules."""
        return scrubbed_exchange(self.recorded(number), self._scrub)

    def sid(self, number: int) -> bytes | None:
        """Return the recorded SID of this number."""
        return self._environment.get(self._sid + b"n" + layout.sid_number(number))

    def numbered(self, sid: bytes) -> Numbered | None:
        """Return the number of a recorded SID, and whether it was supplied."""
        stored = self._environment.get(self._sid + b"s" + sid)
        return None if stored is None else Numbered(int.from_bytes(stored[:-1], "big"), stored[-1:] == SUPPLIED)

    def fresh(self, sids: Sequence[bytes], spelled: Spelled) -> list[bytes | None]:
        """Return for each recorded SID a fresh one, None for what is supplied or was not recorded."""
        return self._environment.view(self._fresh, sids, spelled)

    def _fresh(self, transaction: Reading, sids: Sequence[bytes], spelled: Spelled) -> list[bytes | None]:
        get: Any = transaction.get  # for lmdb's types it could give views, as it does only where asked for
        prefix, found = self._sid + b"s", []
        for sid in sids:
            stored = get(prefix + sid)
            fresh = None
            if stored is not None and stored[-1:] == GENERATED:
                number = int.from_bytes(stored[:-1], "big")
                fresh = spelled(number, 0)
                if get(prefix + fresh) is not None:
                    fresh = first_fresh(number, spelled, lambda fresh: get(prefix + fresh))
            found.append(fresh)
        return found

    def place(self, number: int) -> Place:
        """Return where an exchange stands in its timeline."""
        return decode_place(self._stored(self._places, number), self._place(number))

    def read(self, key: bytes, epoch: int, nth: int) -> int | None:
        """Return the number of the n-th answer, from 0, to the read with this key in this epoch."""
        stored = self._environment.get(self._reads + key + layout.number(epoch) + layout.number(nth))
        return None if stored is None else int.from_bytes(stored, "big")

    def span(self, key: bytes, epochs: Mapping[int, int]) -> Span | None:
        """Return what a session has to choose from for this read, given its epochs of the timelines."""
        return self._environment.view(self._span, key, epochs)

    def _span(self, transaction: Reading, key: bytes, epochs: Mapping[int, int]) -> Span | None:
        get: Any = transaction.get  # for lmdb's types it could give views, as it does only where asked for
        index = self._index + key
        found = get(index + _FIRST)
        if found is None or len(found) != READ.size:  # there is none, or it is a write
            return None
        number, timeline, member, epoch = READ.unpack(found)
        first = last = Read(epoch, 0, number)
        until = epochs.get(timeline, 0)
        if epoch > until:
            return Span(timeline, member, first, None)
        if get(index + _SECOND) is not None:  # else it is a lone one, as most are
            last = _last(transaction.cursor(), self._reads + key, until)
        reply = self._reply + layout.number(last.number)
        self._ahead = {reply: get(reply)}
        return Span(timeline, member, first, last)

    def write(self, key: bytes, nth: int) -> int | None:
        """Return the number of the n-th write, from 0, with this key: as ``find`` does, about to be replayed."""
        return self._environment.view(self._write, self._index + key + layout.number(nth))

    def _write(self, transaction: Reading, key: bytes) -> int | None:
        get: Any = transaction.get  # as above
        number = get(key)
        if number is None:
            return None
        self._ahead = {key: get(key) for key in (self._reply + number, self._places + number)}
        return int.from_bytes(number, "big")

    def touching(self, timeline: int, member: int, after: int, until: int) -> int | None:
        """Return the first write that touched just this member and opened an epoch in ``(after, until]``."""
        prefix = self._touching + layout.number(timeline) + layout.number(member)
        found = self._environment.scan(prefix, after=layout.number(after), limit=1)
        if not found or int.from_bytes(found[0][0][-4:], "big") > until:
            return None
        return int.from_bytes(found[0][1], "big")

    def _stored(self, prefix: bytes, number: int) -> bytes:
        key = prefix + layout.number(number)
        stored = self._ahead.get(key) or self._environment.get(key)
        if stored is None:
            raise CassetteError(self._place(number), "is not in the store any more; restart the replay")
        return stored

    def _place(self, number: int) -> str:
        return f"{self._environment.folder}: exchange {self.name}/{number}"


READ = struct.Struct(">IIII")
"""Number, timeline, member and epoch of a read."""

_EPOCH_AND_NTH = struct.Struct(">II")
_FIRST, _SECOND = layout.number(0), layout.number(1)


def _last(cursor: Any, prefix: bytes, epoch: int) -> Read:
    """Return the last answer up to an epoch that is none before the first."""
    if cursor.set_range(prefix + layout.number(epoch + 1)):
        cursor.prev()
    else:
        cursor.last()
    key, value = cursor.item()
    found, nth = _EPOCH_AND_NTH.unpack(key[-8:])
    return Read(found, nth, int.from_bytes(value, "big"))


SUPPLIED, GENERATED = b"s", b"g"
"""How the store has it whether a SID was supplied."""
