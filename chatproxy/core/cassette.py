"""What a session replays: a compiled cassette, in memory here, in LMDB in the store."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol

from chatproxy.core.compile import compile_exchanges
from chatproxy.core.model import Exchange
from chatproxy.core.normalize import Rules
from chatproxy.core.stamps import recording_begin
from chatproxy.core.template import Reply


class Cassette(Protocol):
    """A compiled cassette; each of these is a look-up or two, whatever its size."""

    @property
    def name(self) -> str:
        """The cassette's name."""
        ...

    @property
    def last_number(self) -> int:
        """The number of the last exchange, 0 if there is none."""
        ...

    @property
    def begun(self) -> int:
        """When the recording began by the upstream's clock, in microseconds since 1970; 0 for an empty one."""
        ...

    def numbers(self) -> Sequence[int]:
        """Return the numbers of all exchanges, growing."""
        ...

    def find(self, index: bytes, nth: int) -> int | None:
        """Return the number of the n-th exchange, from 0, with this key, shape or route."""
        ...

    def reply(self, number: int) -> Reply:
        """Return what is served for an exchange."""
        ...

    def exchange(self, number: int) -> Exchange:
        """Return an exchange as recorded."""
        ...


class MemoryCassette:
    """A cassette compiled in memory, for where the store cannot be written."""

    def __init__(self, name: str, exchanges: Iterable[Exchange], rules: Rules) -> None:
        self.name = name
        self._exchanges = {exchange.number: exchange for exchange in exchanges}
        self._index: dict[bytes, list[int]] = defaultdict(list)
        self._replies: dict[int, Reply] = {}
        for compiled in compile_exchanges(self._exchanges.values(), rules):
            self._replies[compiled.number] = compiled.reply
            for index in (compiled.key, compiled.shape, compiled.route):
                self._index[index].append(compiled.number)
        self.last_number = max(self._exchanges, default=0)
        self.begun = recording_begin(self._exchanges[min(self._exchanges)]) if self._exchanges else 0

    def numbers(self) -> Sequence[int]:
        """Return the numbers of all exchanges, growing."""
        return sorted(self._exchanges)

    def find(self, index: bytes, nth: int) -> int | None:
        """Return the number of the n-th exchange, from 0, with this key, shape or route."""
        numbers = self._index.get(index, [])
        return numbers[nth] if nth < len(numbers) else None

    def reply(self, number: int) -> Reply:
        """Return what is served for an exchange."""
        return self._replies[number]

    def exchange(self, number: int) -> Exchange:
        """Return an exchange as recorded."""
        return self._exchanges[number]
