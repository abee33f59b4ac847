"""Compiling a cassette into the store: what ``compiled`` reads is written here."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

from chatproxy.core.cassette.codec import encode_place, encode_reply, encode_users, seal
from chatproxy.core.cassette.compile import Compiled, Source, compile_exchanges
from chatproxy.core.cassette.index import Indexer
from chatproxy.core.matching.rules import Rules
from chatproxy.core.timeline.numbering import Declared, Numbering
from chatproxy.store import layout
from chatproxy.store.chunks import chunks
from chatproxy.store.compiled import GENERATED, READ, SUPPLIED
from chatproxy.store.environment import Environment, Transaction
from chatproxy.store.exchanges import stored_tally
from chatproxy.store.progress import stepped
from chatproxy.store.room import SPARE

_Entry = tuple[bytes, bytes]
"""A key and its value."""


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
    tally = stored_tally(environment, cassette, str(environment.folder))
    write = _Writer(cassette, rules)
    numbering = Numbering(declared)
    compiled = compile_exchanges(source, rules, numbering, step)
    entries = chain(
        chain.from_iterable(map(write.entries, stepped(compiled, step))),
        _sid_entries(layout.sid_prefix(cassette, rules.fingerprint), numbering),
    )
    count = 0
    for chunk in chunks(entries, lambda entry: len(entry[1]), most_bytes=_CHUNK_BYTES, most=_CHUNK_ENTRIES):
        environment.write(partial(_put, chunk), spare=SPARE)
        count += len(chunk)
    key = layout.compiled_key(cassette, rules.fingerprint)
    environment.write(partial(_put, [(key, layout.Mark(tally, count).pack(key))]))
    environment.forgotten.discard(key)


class _Writer:
    """Turns compiled exchanges into entries."""

    def __init__(self, cassette: int, rules: Rules) -> None:
        self._reply = layout.reply_prefix(cassette, rules.fingerprint)
        self._index = layout.index_prefix(cassette, rules.fingerprint)
        self._place = layout.place_prefix(cassette, rules.fingerprint)
        self._read = layout.read_prefix(cassette, rules.fingerprint)
        self._touching = layout.touch_prefix(cassette, rules.fingerprint)
        self._order = layout.order_prefix(cassette, rules.fingerprint)
        self._indexer = Indexer()
        self._count = 0

    def entries(self, compiled: Compiled) -> Iterator[_Entry]:
        number, place = layout.number(compiled.number), compiled.place
        yield (reply := self._reply + number), encode_reply(compiled.reply, reply)
        yield _sealed(self._order + layout.number(self._count), number)
        self._count += 1
        yield (stands := self._place + number), encode_place(place, stands)
        _, nth, reads, touches = self._indexer.index(compiled)
        standing = READ.pack(compiled.number, place.timeline, place.member, place.epoch)
        for index, count in nth:
            value = standing if reads and index in compiled.keys else number
            yield _sealed(self._index + index + layout.number(count), value)
        for key, read in reads:
            yield _sealed(self._read + key + layout.number(read.epoch) + layout.number(read.nth), number)
        for timeline, member, epoch in touches:
            touched = layout.number(timeline) + layout.number(member) + layout.number(epoch)
            yield _sealed(self._touching + touched, number)


def _sid_entries(prefix: bytes, numbering: Numbering) -> Iterator[_Entry]:
    if numbering.account is not None:
        yield _sealed(prefix, numbering.account)
    yield _sealed(prefix + layout.USERS, encode_users(numbering.users))
    for sid, known in numbering.numbered().items():
        number = layout.sid_number(known.number)
        yield _sealed(prefix + b"s" + sid, number + (SUPPLIED if known.supplied else GENERATED))
        yield _sealed(prefix + b"n" + number, sid)


def _sealed(key: bytes, value: bytes) -> _Entry:
    return key, seal(value, key)


_CHUNK_BYTES, _CHUNK_ENTRIES = 2**22, 2**13


def _put(entries: list[_Entry], transaction: Transaction) -> None:
    for key, value in entries:
        transaction.put(key, value)
