"""The exchanges of a cassette in the store, read one by one."""

from collections.abc import Iterator
from dataclasses import dataclass

from chatproxy.core.cassette.codec import decode_exchange
from chatproxy.core.errors import CassetteError
from chatproxy.core.model import NO_EXCHANGE, Exchange, ExchangeNumber, is_read
from chatproxy.store import layout
from chatproxy.store.environment import Environment
from chatproxy.store.records import Record

_CHUNK = 256
_ANEW = "record it again, or import its fixture"


@dataclass(frozen=True, slots=True)
class StoredExchanges:
    """The exchanges of a record, in the order of their numbers; who reads keeps others from deleting it."""

    environment: Environment
    name: str
    record: Record

    def __iter__(self) -> Iterator[Exchange]:
        """Yield all; raises CassetteError if one is damaged, or missing at the end."""
        prefix, after = layout.exchange_prefix(self.record.id), b""
        missing = stored_tally(self.environment, self.record.id, self._cassette).count
        while found := self.environment.scan(prefix, after=after, limit=_CHUNK):
            missing -= len(found)
            for key, value in found:
                after = key[len(prefix) :]
                number = ExchangeNumber(int.from_bytes(after, "big"))
                yield decode_exchange(number, value, self._place(number), key)
        if missing > 0:
            raise CassetteError(self._cassette, f"lacks {missing} of its exchanges; {_ANEW}")

    def exchange(self, number: ExchangeNumber) -> Exchange:
        """Return the exchange of a number."""
        key = layout.exchange_prefix(self.record.id) + layout.number(number)
        stored = self.environment.get(key)
        if stored is None:
            raise CassetteError(self._place(number), f"is gone; {_ANEW}")
        return decode_exchange(number, stored, self._place(number), key)

    @property
    def _cassette(self) -> str:
        return f"{self.environment.folder}: cassette {self.name}"

    def _place(self, number: ExchangeNumber) -> str:
        return f"{self.environment.folder}: exchange {self.name}/{number}"


def stored_tally(environment: Environment, cassette: int, place: str) -> layout.Tally:
    """Return how many exchanges a cassette has, and the last one's number; ``place`` names it in errors.

    Format 1 has none for a cassette without exchanges.
    """
    key = layout.tally_key(cassette)
    stored = environment.get(key)
    if stored is None and environment.scan(layout.exchange_prefix(cassette), limit=1):
        raise CassetteError(place, layout.DAMAGED)
    return layout.Tally.unpack(stored, key, place)


def last_write(environment: Environment, cassette: int, last: ExchangeNumber) -> ExchangeNumber:
    """Return the number of the last write of a cassette, given that of the last exchange; 0 if there is none."""
    prefix = layout.exchange_prefix(cassette)
    for number in map(ExchangeNumber, range(last, NO_EXCHANGE, -1)):
        key = prefix + layout.number(number)
        stored = environment.get(key)
        if stored is None:
            continue
        exchange = decode_exchange(number, stored, f"{environment.folder}: exchange {number}", key)
        if not is_read(exchange.request.method):
            return number
    return NO_EXCHANGE
