"""Compiling a cassette into the store: what ``compiled`` reads is written here."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain

from chatproxy.core.cassette.codec import encode_known, encode_reply, encode_told, encode_users, seal
from chatproxy.core.cassette.compile import Compiled, Learnt, Source, compile_exchanges
from chatproxy.core.cassette.index import Indexer
from chatproxy.core.cassette.records import encode_candidate, encode_first, encode_standing
from chatproxy.core.matching.rules import Rules
from chatproxy.core.time.instants import Instants
from chatproxy.core.timeline.known import Declared
from chatproxy.core.timeline.numbering import Numbering
from chatproxy.store import layout
from chatproxy.store.chunks import chunks
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
    numbering, learnt = Numbering(declared), Learnt()
    compiled = compile_exchanges(source, rules, numbering, step, learnt)
    entries = chain(
        chain.from_iterable(map(write.entries, stepped(compiled, step))),
        _time_entries(layout.sid_prefix(cassette, rules.fingerprint), learnt.instants),
        _sid_entries(layout.sid_prefix(cassette, rules.fingerprint), numbering),
        _learnt_entries(cassette, rules, learnt),
    )
    count = 0
    with _spared_collector():
        for chunk in chunks(entries, lambda entry: len(entry[1]), most_bytes=_CHUNK_BYTES, most=_CHUNK_ENTRIES):
            environment.write(partial(_put, chunk), spare=SPARE)
            count += len(chunk)
    key = layout.compiled_key(cassette, rules.fingerprint)
    environment.write(partial(_put, [(key, layout.Mark(tally, count).pack(key))]))
    environment.forgotten.discard(key)


@contextmanager
def _spared_collector() -> Iterator[None]:
    """Search for no garbage meanwhile: what compiling holds is none, and looking at it takes a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Writer:
    """Turns compiled exchanges into entries."""

    def __init__(self, cassette: int, rules: Rules) -> None:
        self._reply = layout.reply_prefix(cassette, rules.fingerprint)
        self._index = layout.index_prefix(cassette, rules.fingerprint)
        self._standing = layout.standing_prefix(cassette, rules.fingerprint)
        self._answer = layout.answer_prefix(cassette, rules.fingerprint)
        self._touching = layout.touch_prefix(cassette, rules.fingerprint)
        self._order = layout.order_prefix(cassette, rules.fingerprint)
        self._indexer = Indexer()
        self._count = 0

    def entries(self, compiled: Compiled) -> Iterator[_Entry]:
        number, standing = layout.number(compiled.number), compiled.standing
        yield (reply := self._reply + number), encode_reply(compiled.reply, reply)
        yield _sealed(self._order + layout.number(self._count), number)
        self._count += 1
        yield _sealed(self._standing + number, encode_standing(standing))
        _, nth, firsts, states, touches = self._indexer.index(compiled)
        for index, count in nth:
            first = None if count else firsts.get(index)
            value = number if first is None else encode_first(first)
            yield _sealed(self._index + index + layout.number(count), value)
        candidate = encode_candidate(standing.role, standing.step)
        for key, state in states:
            yield _sealed(self._answer + key + layout.digest(state) + number, candidate)
        for touched in touches:
            yield _sealed(self._touching + layout.digest(touched) + number, b"")


def _learnt_entries(cassette: int, rules: Rules, learnt: Learnt) -> Iterator[_Entry]:
    """Yield what is known of the order of a cassette, when all of it is compiled."""
    sids = layout.sid_prefix(cassette, rules.fingerprint)
    yield _sealed(sids + layout.WRITES, layout.number(learnt.writes))
    if learnt.told:
        yield _sealed(sids + layout.TOLD, encode_told(learnt.told))
    for path, one in learnt.names.items():
        yield _sealed(layout.spelling_key(sids, path), one)
    prefix = layout.step_prefix(cassette, rules.fingerprint)
    for place, steps in learnt.steps.items():
        for step in steps:
            key = prefix + layout.digest(place) + layout.number(step.number) + layout.digest(step.floors[0])
            yield _sealed(key, b"".join(map(layout.digest, step.floors)))


def _time_entries(prefix: bytes, instants: Instants) -> Iterator[_Entry]:
    yield _sealed(prefix + layout.TIMES, layout.WHEN.pack(*instants.times))


def _sid_entries(prefix: bytes, numbering: Numbering) -> Iterator[_Entry]:
    if numbering.account is not None:
        yield _sealed(prefix, numbering.account)
    yield _sealed(prefix + layout.USERS, encode_users(numbering.users))
    yield _sealed(prefix + layout.KNOWN, encode_known(numbering.known()))
    for sid, known in numbering.numbered().items():
        number = layout.sid_number(known.number)
        yield _sealed(prefix + b"s" + sid, number + known.origin.value)
        yield _sealed(prefix + b"n" + number, sid)


def _sealed(key: bytes, value: bytes) -> _Entry:
    return key, seal(value, key)


_CHUNK_BYTES, _CHUNK_ENTRIES = 2**22, 2**13


def _put(entries: list[_Entry], transaction: Transaction) -> None:
    for key, value in entries:
        transaction.put(key, value)
