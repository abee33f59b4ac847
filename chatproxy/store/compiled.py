"""What compiling a cassette yields, kept beside its exchanges under the fingerprint of the rules."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

from chatproxy.core.codec import decode_exchange, decode_reply, encode_reply
from chatproxy.core.compile import Compiled, compile_exchanges
from chatproxy.core.errors import CassetteError
from chatproxy.core.model import Exchange
from chatproxy.core.normalize import Rules
from chatproxy.core.stamps import recording_begin
from chatproxy.core.template import Reply
from chatproxy.store import layout
from chatproxy.store.environment import Environment, Transaction

_CHUNK = 256


class StoredCassette:
    """A compiled cassette in the store; each call is one LMDB look-up."""

    def __init__(self, environment: Environment, cassette: int, name: str, rules: Rules) -> None:
        self.name = name
        self._environment = environment
        self._exchange = layout.exchange_prefix(cassette)
        self._reply = layout.reply_prefix(cassette, rules.fingerprint)
        self._index = layout.index_prefix(cassette, rules.fingerprint)
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

    def find(self, index: bytes, nth: int) -> int | None:
        """Return the number of the n-th exchange, from 0, with this key, shape or route."""
        stored = self._environment.get(self._index + index + layout.number(nth))
        return None if stored is None else int.from_bytes(stored, "big")

    def reply(self, number: int) -> Reply:
        """Return what is served for an exchange."""
        return decode_reply(self._stored(self._reply, number), self._place(number))

    def exchange(self, number: int) -> Exchange:
        """Return an exchange as recorded."""
        return decode_exchange(number, self._stored(self._exchange, number), self._place(number))

    def _stored(self, prefix: bytes, number: int) -> bytes:
        stored = self._environment.get(prefix + layout.number(number))
        if stored is None:
            raise CassetteError(self._place(number), "is not in the store any more; restart the replay")
        return stored

    def _place(self, number: int) -> str:
        return f"{self._environment.folder}: exchange {self.name}/{number}"


def compile_into(environment: Environment, cassette: int, exchanges: Iterable[Exchange], rules: Rules) -> None:
    """Compile a cassette and store the result.

    It is written piece by piece and counts only once the mark at its end is written, so that an interrupted or
    a simultaneous pass does no harm: both write the same.
    """
    tally = environment.get(layout.tally_key(cassette)) or layout.Tally().pack()
    write = _Writer(cassette, rules)
    compiled = compile_exchanges(exchanges, rules)
    while chunk := list(islice(compiled, _CHUNK)):
        environment.write(partial(_put, list(write.entries(chunk))))
    environment.write(partial(_put, [(layout.compiled_key(cassette, rules.fingerprint), tally)]))


class _Writer:
    """Turns compiled exchanges into entries, counting how often each index has come."""

    def __init__(self, cassette: int, rules: Rules) -> None:
        self._reply = layout.reply_prefix(cassette, rules.fingerprint)
        self._index = layout.index_prefix(cassette, rules.fingerprint)
        self._seen: Counter[bytes] = Counter()

    def entries(self, chunk: list[Compiled]) -> Iterator[tuple[bytes, bytes]]:
        for compiled in chunk:
            number = layout.number(compiled.number)
            yield self._reply + number, encode_reply(compiled.reply)
            for index in (compiled.key, compiled.shape, compiled.route):
                yield self._index + index + layout.number(self._seen[index]), number
                self._seen[index] += 1


def _put(entries: list[tuple[bytes, bytes]], transaction: Transaction) -> None:
    for key, value in entries:
        transaction.put(key, value)
