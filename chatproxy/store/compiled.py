"""What compiling a cassette yields, kept beside its exchanges under the fingerprint of the rules."""

import struct
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

from chatproxy.core.cassette import Read, Span, Spelled, first_fresh
from chatproxy.core.codec import damaged, decode_exchange, decode_place, decode_stencil, encode_place, encode_reply
from chatproxy.core.compile import Compiled, Source, compile_exchanges
from chatproxy.core.epochs import COLLECTION, Place
from chatproxy.core.errors import CassetteError
from chatproxy.core.model import Exchange
from chatproxy.core.normalize import Rules
from chatproxy.core.numbering import Declared, Numbered, Numbering
from chatproxy.core.scrubbing import scrubbed_exchange
from chatproxy.core.stamps import recording_begin
from chatproxy.core.stencil import Stencil
from chatproxy.core.template import Reply
from chatproxy.store import layout
from chatproxy.store.chunks import chunks
from chatproxy.store.environment import Environment, Reading, Transaction
from chatproxy.store.progress import stepped

_CHUNK = 64
"""How many keys are looked up at once."""

_Entry = tuple[bytes, bytes]
"""A key and its value."""


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
        return None if stored is None else Numbered(int.from_bytes(stored[:-1], "big"), stored[-1:] == _SUPPLIED)

    def fresh(self, sids: Sequence[bytes], spelled: Spelled) -> list[bytes | None]:
        """Return for each recorded SID a fresh one, None for what is supplied or was not recorded."""
        return self._environment.view(self._fresh, sids, spelled)

    def _fresh(self, transaction: Reading, sids: Sequence[bytes], spelled: Spelled) -> list[bytes | None]:
        get: Any = transaction.get  # for lmdb's types it could give views, as it does only where asked for
        prefix, found = self._sid + b"s", []
        for sid in sids:
            stored = get(prefix + sid)
            fresh = None
            if stored is not None and stored[-1:] == _GENERATED:
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
        if found is None or len(found) != _READ.size:  # there is none, or it is a write
            return None
        number, timeline, member, epoch = _READ.unpack(found)
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


_READ = struct.Struct(">IIII")
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


def compile_into(
    environment: Environment,
    cassette: int,
    source: Source,
    rules: Rules,
    *,
    declared: Declared | None = None,
    step: Callable[[], object] = bool,
) -> None:
    """Compile a cassette and store the result.

    It is written piece by piece and counts only once the mark at its end is written, so that an interrupted or
    a simultaneous pass does no harm: both write the same. ``step`` is called for each exchange in each pass.
    """
    tally = environment.get(layout.tally_key(cassette)) or layout.Tally().pack()
    write = _Writer(cassette, rules)
    numbering = Numbering(declared)
    compiled = compile_exchanges(source, rules, numbering, step)
    entries = chain(
        chain.from_iterable(map(write.entries, stepped(compiled, step))),
        _sid_entries(layout.sid_prefix(cassette, rules.fingerprint), numbering),
    )
    for chunk in chunks(entries, lambda entry: len(entry[1]), most_bytes=_CHUNK_BYTES, most=_CHUNK_ENTRIES):
        environment.write(partial(_put, chunk))
    environment.write(partial(_put, [(layout.compiled_key(cassette, rules.fingerprint), tally)]))


class _Writer:
    """Turns compiled exchanges into entries, counting how often each index has come."""

    def __init__(self, cassette: int, rules: Rules) -> None:
        self._reply = layout.reply_prefix(cassette, rules.fingerprint)
        self._index = layout.index_prefix(cassette, rules.fingerprint)
        self._place = layout.place_prefix(cassette, rules.fingerprint)
        self._read = layout.read_prefix(cassette, rules.fingerprint)
        self._touching = layout.touch_prefix(cassette, rules.fingerprint)
        self._order = layout.order_prefix(cassette, rules.fingerprint)
        self._seen: Counter[bytes] = Counter()
        self._count = 0

    def entries(self, compiled: Compiled) -> Iterator[_Entry]:
        number = layout.number(compiled.number)
        yield self._reply + number, encode_reply(compiled.reply)
        yield self._order + layout.number(self._count), number
        self._count += 1
        place = compiled.place
        standing = _READ.pack(compiled.number, place.timeline, place.member, place.epoch)
        for index in (compiled.key, compiled.shape, compiled.route):
            value = standing if compiled.is_read and index is compiled.key else number
            yield self._index + index + layout.number(self._seen[index]), value
            self._seen[index] += 1
        yield from self._place_entries(compiled, number)

    def _place_entries(self, compiled: Compiled, number: bytes) -> Iterator[_Entry]:
        place = compiled.place
        yield self._place + number, encode_place(place)
        if compiled.is_read:
            read = self._read + compiled.key + layout.number(place.epoch)
            yield read + layout.number(self._seen[read]), number
            self._seen[read] += 1
        for opening in place.opens:
            line = self._touching + layout.number(opening.timeline)
            for member in {COLLECTION, opening.member}:
                yield line + layout.number(member) + layout.number(opening.epoch), number


def _sid_entries(prefix: bytes, numbering: Numbering) -> Iterator[_Entry]:
    if numbering.account is not None:
        yield prefix, numbering.account
    for sid, known in numbering.numbered().items():
        number = layout.sid_number(known.number)
        yield prefix + b"s" + sid, number + (_SUPPLIED if known.supplied else _GENERATED)
        yield prefix + b"n" + number, sid


_SUPPLIED, _GENERATED = b"s", b"g"


_CHUNK_BYTES, _CHUNK_ENTRIES = 2**22, 2**13


def _put(entries: list[_Entry], transaction: Transaction) -> None:
    for key, value in entries:
        transaction.put(key, value)
