"""The journal: what was asked and answered in which session, the last of it in full and all of it in numbers.

It is given requests that are blanked of their secrets, and keeps neither headers nor bodies.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from chatproxy.core.model import Outcome
from chatproxy.core.replay.bindings import Ambiguity
from chatproxy.core.time.timestamps import instant

_TROUBLES = 100
"""How many different misses of a session are kept, and how many errors."""

_AMBIGUITIES = 100
"""How many of a session's ambiguous bindings are kept."""


@dataclass(slots=True)
class Entry:
    """One request and what became of it; ``at`` is in microseconds since 1970.

    ``target`` is that of the blanked request, ``exchange`` the number of what was served or recorded, ``reason``
    why there was no answer, ``skipped`` the writes that count as done by it, ``ambiguity`` what SIDs it has that could
    have stood for others as well.
    """

    at: int
    session: str | None
    method: str
    target: bytes
    outcome: Outcome
    status: int
    exchange: int | None = None
    reason: str | None = None
    skipped: tuple[int, ...] = ()
    ambiguity: Ambiguity | None = None

    @property
    def shown_target(self) -> str:
        """The target for a person to read."""
        return self.target.decode("ascii", "backslashreplace")

    def content(self, number: int) -> dict[str, object]:
        """Return the entry as JSON has it."""
        return {
            "number": number,
            "at": instant(self.at),
            "session": self.session,
            "method": self.method,
            "target": self.shown_target,
            "outcome": self.outcome,
            "status": self.status,
            "exchange": self.exchange,
            "reason": self.reason,
        }


class Numbers:
    """A set of exchange numbers, one bit each, in pieces: numbers may have gaps of any size."""

    def __init__(self) -> None:
        self._pieces: dict[int, int] = {}
        self._count = 0

    def add(self, number: int) -> bool:
        """Put a number in, and tell whether it is new."""
        piece, bit = number // _PIECE, 1 << number % _PIECE
        bits = self._pieces.get(piece, 0)
        if bits & bit:
            return False
        self._pieces[piece] = bits | bit
        self._count += 1
        return True

    def __contains__(self, number: int) -> bool:
        piece, bit = divmod(number, _PIECE)
        return bool(self._pieces.get(piece, 0) >> bit & 1)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        return (
            piece * _PIECE + bit
            for piece, bits in sorted(self._pieces.items())
            for bit in range(bits.bit_length())
            if bits >> bit & 1
        )

    def missing(self, numbers: Iterable[int]) -> Iterator[int]:
        """Yield those of the numbers that are not in."""
        return (number for number in numbers if number not in self)


_PIECE = 256


@dataclass(slots=True)
class Tally:
    """What came of the requests of one session: how many of each outcome, the last troubles, what was served.

    ``misses`` and ``errors`` count by request and reason.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    misses: dict[tuple[str, str], int] = field(default_factory=dict)
    errors: dict[tuple[str, str], int] = field(default_factory=dict)
    served: Numbers = field(default_factory=Numbers)
    skipped: Numbers = field(default_factory=Numbers)
    ambiguities: deque[Ambiguity] = field(default_factory=lambda: deque(maxlen=_AMBIGUITIES))

    def note(self, entry: Entry) -> None:
        """Count an entry."""
        self.outcomes[entry.outcome] += 1
        if entry.outcome is Outcome.HIT and entry.exchange is not None:
            self.served.add(entry.exchange)
            for write in entry.skipped:
                self.skipped.add(write)
            self.ambiguities += [entry.ambiguity] if entry.ambiguity else []
        elif entry.outcome in {Outcome.MISS, Outcome.ERROR}:
            troubles = self.misses if entry.outcome is Outcome.MISS else self.errors
            trouble = (f"{entry.method} {entry.shown_target}", entry.reason or "")
            troubles[trouble] = troubles.pop(trouble, 0) + 1
            if len(troubles) > _TROUBLES:
                del troubles[next(iter(troubles))]


class Journal:
    """Keeps the last ``bound`` entries, and tallies of the ``sessions`` that were used last."""

    def __init__(self, bound: int = 1000, sessions: int = 10_000) -> None:
        self.count = 0
        self.total = Tally()
        self.tallies: OrderedDict[str, Tally] = OrderedDict()  # the one that was used longest ago comes first
        self.unlisted = 0
        self._entries: deque[Entry] = deque(maxlen=bound)
        self._sessions = sessions

    def note(self, entry: Entry) -> None:
        """Take in what was asked and answered."""
        self.count += 1
        self._entries.append(entry)
        self.total.note(entry)
        if entry.session is not None:
            self._tally(entry.session).note(entry)

    def hit(self, entry: Entry) -> None:
        """Take in an answer of a session: as ``note`` does, in a third of the time, since replay notes little else."""
        number = entry.exchange
        if entry.session is None or number is None or entry.skipped or entry.ambiguity:
            self.note(entry)
            return
        self.count += 1
        self._entries.append(entry)
        tally = self._tally(entry.session)
        tally.outcomes[Outcome.HIT] += 1
        self.total.outcomes[Outcome.HIT] += 1
        if tally.served.add(number):  # else it is in the total, too
            self.total.served.add(number)

    def noted(self) -> list[Entry]:
        """Return the last entries, the oldest first."""
        return list(self._entries)

    def entries(self, session: str | None = None, limit: int | None = None) -> list[dict[str, object]]:
        """Return the last entries as JSON has them, of one session or of all, the oldest first."""
        first = self.count - len(self._entries) + 1
        newest_first = (
            entry.content(first + place)
            for place, entry in zip(range(len(self._entries) - 1, -1, -1), reversed(self._entries), strict=True)
            if session is None or entry.session == session
        )
        return list(islice(newest_first, limit))[::-1]

    def _tally(self, session: str) -> Tally:
        tally = self.tallies.get(session)
        if tally is not None:
            if len(self.tallies) > 1:
                self.tallies.move_to_end(session)
            return tally
        tally = self.tallies[session] = Tally()
        if len(self.tallies) > self._sessions:
            self.tallies.popitem(last=False)
            self.unlisted += 1
        return tally
