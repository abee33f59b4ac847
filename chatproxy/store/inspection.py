"""All that a store holds, held against its checksums: after an unclean stop, and when a user asks."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from chatproxy.core.cassette.codec import is_record, is_sound
from chatproxy.core.errors import CassetteError
from chatproxy.store import layout
from chatproxy.store.environment import Environment
from chatproxy.store.records import unpacked


@dataclass(slots=True)
class Inspected:
    """What was found in a store; each of ``flaws`` says what is damaged, ``spoilt`` are marks of what is compiled."""

    cassettes: int = 0
    exchanges: int = 0
    flaws: list[str] = field(default_factory=list)
    spoilt: list[bytes] = field(default_factory=list)


def inspect(environment: Environment) -> Inspected:
    """Read all that a store holds, and return what is damaged."""
    inspection = _Inspection()
    for key, value in environment.entries():
        inspection.kinds.get(key[0], inspection.take_nothing)(key, value)
    return inspection.result()


class _Inspection:
    """What has been seen so far, as the keys come."""

    def __init__(self) -> None:
        self._flaws: list[str] = []
        self._damaged: list[tuple[int, int]] = []
        self._marks: dict[bytes, layout.Mark | None] = {}
        self._entries: Counter[bytes] = Counter()
        self._spoilt: set[bytes] = set()
        self._names: dict[int, str] = {}
        self._tallies: dict[int, int] = {}
        self._exchanges: Counter[int] = Counter()
        self.kinds: dict[int, Callable[[bytes, bytes], None]] = {
            **{kind[0]: self._take_compiled for kind in layout.COMPILED},
            layout.EXCHANGES[0]: self._take_exchange,
            layout.MARKS[0]: self._take_mark,
            layout.NAMES[0]: self._take_name,
            layout.TALLIES[0]: self._take_tally,
            layout.DROPPED[0]: self._take_plain,
            layout.LAST_ID[0]: self._take_plain,
        }

    def result(self) -> Inspected:
        """Return what came of it, when all was seen."""
        for number, cassette in self._damaged:
            self._flaws.append(f"exchange {number} of cassette {self._names.get(cassette, f'number {cassette}')}")
        for cassette, name in self._names.items():
            count, tally = self._exchanges[cassette], self._tallies.get(cassette, 0)
            if count != tally:
                self._flaws.append(f"cassette {name} ({count} of its {tally} exchanges are there)")
        spoilt = [
            layout.MARKS + within
            for within, mark in self._marks.items()
            if mark is None or within in self._spoilt or self._entries[within] < mark.entries
        ]
        return Inspected(len(self._names), self._exchanges.total(), self._flaws, spoilt)

    def take_nothing(self, key: bytes, value: bytes) -> None:
        """Take the format, and whatever is no entry of ours."""

    def _take_compiled(self, key: bytes, value: bytes) -> None:
        within = key[1:_WITHIN]
        self._entries[within] += 1
        if not is_sound(value, key):
            self._spoilt.add(within)

    def _take_exchange(self, key: bytes, value: bytes) -> None:
        cassette = int.from_bytes(key[1:5], "big")
        self._exchanges[cassette] += 1
        if not is_record(value, key):
            self._damaged.append((int.from_bytes(key[5:], "big"), cassette))

    def _take_mark(self, key: bytes, value: bytes) -> None:
        self._marks[key[1:]] = layout.Mark.unpack(value, key)

    def _take_name(self, key: bytes, value: bytes) -> None:
        name = key[1:].decode("utf-8", "backslashreplace")
        try:
            self._names[unpacked(value, name, name).id] = name
        except CassetteError:
            self._flaws.append(f"the record of cassette {name}")

    def _take_tally(self, key: bytes, value: bytes) -> None:
        if key == layout.LAST_WRITTEN:
            return self._take_plain(key, value)
        cassette = int.from_bytes(key[1:], "big")
        try:
            self._tallies[cassette] = layout.Tally.unpack(value, key, "").count
        except CassetteError:
            self._flaws.append(f"the tally of cassette number {cassette}")

    def _take_plain(self, key: bytes, value: bytes) -> None:
        if not layout.is_value(value, key, _PLAIN[key[:1]]):
            self._flaws.append(f"the entry {key!r}")


_PLAIN = {layout.DROPPED: 0, layout.LAST_ID: 4, layout.LAST_WRITTEN: 8}
"""How long values are that are numbers or nothing."""

_WITHIN = 1 + 4 + 8
"""Where in the key of what is compiled the cassette and the rules end."""
