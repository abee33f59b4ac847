"""The exchanges of a cassette in the store, read one by one."""

from collections.abc import Iterator
from dataclasses import dataclass

from chatproxy.core.cassette.codec import decode_exchange
from chatproxy.core.errors import CassetteError
from chatproxy.core.model import Exchange, ExchangeNumber
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
        missing = layout.Tally.unpack(self.environment.get(layout.tally_key(self.record.id))).count
        while found := self.environment.scan(prefix, after=after, limit=_CHUNK):
            missing -= len(found)
            for key, value in found:
                after = key[len(prefix) :]
                number = ExchangeNumber(int.from_bytes(after, "big"))
                yield decode_exchange(number, value, self._place(number))
        if missing > 0:
            where = f"{self.environment.folder}: cassette {self.name}"
            raise CassetteError(where, f"lacks {missing} of its exchanges; {_ANEW}")

    def exchange(self, number: ExchangeNumber) -> Exchange:
        """Return the exchange of a number."""
        stored = self.environment.get(layout.exchange_prefix(self.record.id) + layout.number(number))
        if stored is None:
            raise CassetteError(self._place(number), f"is gone; {_ANEW}")
        return decode_exchange(number, stored, self._place(number))

    def _place(self, number: ExchangeNumber) -> str:
        return f"{self.environment.folder}: exchange {self.name}/{number}"
