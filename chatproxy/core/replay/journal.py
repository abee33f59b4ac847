"""The journal: what was asked and answered in which session, the last of it in full and all of it in numbers.

It is given requests that are blanked of their secrets, and keeps neither headers nor bodies.
"""

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from chatproxy.core.model import ExchangeNumber, Outcome
from chatproxy.core.replay.marks import Assumed
from chatproxy.core.replay.numbers import Numbers
from chatproxy.core.time.timestamps import instant

_TROUBLES = 100
"""How many different misses of a session are kept, and how many errors."""

_ASSUMED = 1000
"""How many of the SIDs are kept that were assumed to stand for recorded ones."""


@dataclass(slots=True)
class Entry:
    """One request and what became of it; ``at`` is in microseconds since 1970.

    ``target`` is that of the blanked request, ``exchange`` the number of what was served or recorded, ``reason``
    why there was no answer, ``skipped`` the writes that its answer shows and the session has skipped, ``in_doubt`` what
    would have answered if it were certain, ``assumed`` which of its SIDs were assumed to stand for which recorded ones.
    It ``follows`` from the miss of the request with that line, if from any.
    It is ``reordered`` if it made an object where others were made in another order than recorded, or not at all.
    """

    at: int
    session: str | None
    method: str
    target: bytes
    outcome: Outcome
    status: int
    exchange: ExchangeNumber | None = None
    reason: str | None = None
    skipped: tuple[ExchangeNumber, ...] = ()
    assumed: Assumed = ()
    reordered: bool = False
    in_doubt: ExchangeNumber | None = None
    follows: str | None = None

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
            "skipped": list(self.skipped),
            "reordered": self.reordered,
            "in_doubt": self.in_doubt,
            "follows": self.follows,
            "assumed": dict(self.assumed),
        }


class Kind(NamedTuple):
    """What troubles have in common that are counted as one; ``follows`` is as in an entry."""

    request: str
    reason: str
    follows: str | None = None


@dataclass(slots=True)
class Tally:
    """What came of the requests of one session: how many of each outcome, the last troubles, what was served.

    Of the misses so many were ``following`` from others.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    misses: dict[Kind, int] = field(default_factory=dict)
    errors: dict[Kind, int] = field(default_factory=dict)
    following: int = 0
    served: Numbers = field(default_factory=Numbers)
    skipped: Numbers = field(default_factory=Numbers)
    reordered: Numbers = field(default_factory=Numbers)
    in_doubt: Numbers = field(default_factory=Numbers)
    assumed: dict[str, str] = field(default_factory=dict)

    def note(self, entry: Entry) -> None:
        """Count an entry."""
        self.outcomes[entry.outcome] += 1
        if entry.assumed and len(self.assumed) < _ASSUMED:
            self.assumed |= entry.assumed
        if entry.outcome is Outcome.HIT and entry.exchange is not None:
            self.served.add(entry.exchange)
            for write in entry.skipped:
                self.skipped.add(write)
            if entry.reordered:
                self.reordered.add(entry.exchange)
        elif entry.outcome in {Outcome.MISS, Outcome.ERROR}:
            if entry.in_doubt is not None:
                self.in_doubt.add(entry.in_doubt)
            troubles = self.misses if entry.outcome is Outcome.MISS else self.errors
            self.following += entry.follows is not None
            kind = Kind(f"{entry.method} {entry.shown_target}", entry.reason or "", entry.follows)
            troubles[kind] = troubles.pop(kind, 0) + 1
            if len(troubles) > _TROUBLES:  # first causes stay as long as they can
                del troubles[next((kind for kind in troubles if kind.follows), next(iter(troubles)))]


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
        if entry.session is None or number is None or entry.skipped or entry.assumed or entry.reordered:
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
