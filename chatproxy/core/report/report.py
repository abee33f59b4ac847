"""The report of a run: what each session hit, missed and left unused; and what can be read back from one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import Any

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.engine import Engine
from chatproxy.core.errors import CassetteError
from chatproxy.core.model import Exchange, ExchangeNumber, Mode, Outcome
from chatproxy.core.replay.journal import Kind, Tally
from chatproxy.core.replay.numbers import Numbers
from chatproxy.core.text.excerpts import counted, printable
from chatproxy.core.timeline.standing import Role

_UNUSED = 1000
"""How many numbers of exchanges are listed that were unused, skipped, reordered or in doubt."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A request that got no recorded answer: why, how often it came, and from the miss of which it ``follows``."""

    request: str
    reason: str
    count: int
    follows: str | None = None

    @property
    def text(self) -> str:
        """The trouble for a person to read."""
        return printable(f"{self.request}: {self.reason}" + (f" ({self.count} times)" if self.count > 1 else ""))


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What came of a run: how many requests of each outcome, what went wrong, and what was never served.

    ``unused`` has the first 1000 exchanges that were not served, by number, each with its request; ``unused_total``
    counts all of them, of ``exchanges`` in the cassette. ``assumed`` are the SIDs of the program that were assumed to
    stand for recorded ones, each with that. Of the misses so many were ``following`` from others.
    Where it recorded anything, it ``left_out`` so many writes that were recorded before.
    """

    mode: Mode
    cassette: str | None
    counts: Mapping[str, int]
    misses: tuple[Trouble, ...]
    errors: tuple[Trouble, ...]
    exchanges: int
    unused: Mapping[ExchangeNumber, str]
    unused_total: int
    assumed: Mapping[str, str] = field(default_factory=dict)
    following: int = 0
    left_out: int = 0

    @property
    def mixture(self) -> str | None:
        """Say that the cassette holds parts of several runs, if this run made it so."""
        if not self.left_out:
            return None
        left, more = counted(self.left_out, "recorded write"), counted(self.counts[Outcome.RECORDED])
        return f"the cassette is no recording of one run any more: this one left out {left}, and recorded {more}"

    @property
    def is_idle(self) -> bool:
        """Tell whether it is a replay that nobody asked anything."""
        return self.mode is Mode.REPLAY and not self.counts


class Report:
    """Reports on a run of an engine, at any moment; ``cassette`` is what it replays, if it does."""

    def __init__(self, mode: Mode, name: str | None, engine: Engine, cassette: Cassette | None = None) -> None:
        self.mode = mode
        self.name = name
        self.engine = engine
        self._cassette = cassette
        self.ended: RunOutcome | None = None
        """What came of the run, once it has ended."""

    def end(self) -> None:
        """Keep the outcome of the run, which has ended; the cassette must be open still."""
        self.ended = self.outcome()

    def outcome(self) -> RunOutcome:
        """Return what came of the run so far."""
        numbers, total = self._numbers(), self.engine.journal.total
        unused = islice(total.served.missing(numbers), _UNUSED)
        return RunOutcome(
            self.mode,
            self.name,
            _counts(self.engine.counts),
            tuple(troubles(total.misses)),
            tuple(troubles(total.errors)),
            len(numbers),
            {number: self._line(number) for number in unused},
            len(numbers) - len(total.served),
            dict(total.assumed),
            total.following,
            self._left_out(),
        )

    def _left_out(self) -> int:
        """Return how many of the writes were not served that a session could have done, if anything was recorded."""
        if self._cassette is None or not self.engine.counts[Outcome.RECORDED]:
            return 0
        unserved = self.engine.journal.total.served.missing(self._numbers())
        return sum(self._cassette.standing(number).role is Role.WRITE for number in unserved)

    def _numbers(self) -> Sequence[ExchangeNumber]:
        return self._cassette.numbers() if self._cassette else ()

    def _line(self, number: ExchangeNumber) -> str:
        return self._cassette.exchange(number).request.line if self._cassette else ""

    def content(self, *, whole: bool = False) -> dict[str, object]:
        """Return the report as JSON has it; a ``whole`` one lists all that is unused, and tells of which recording."""
        numbers = self._numbers()
        journal, sessions = self.engine.journal, self.engine.sessions
        recording: dict[str, object] = {}
        if whole and self._cassette:
            requests = {str(number): line for number, line in self.outcome().unused.items()}
            recording = {"unused_requests": requests, "recording": recording_of(self._cassette)}
        if whole:
            recording["misses"] = [asdict(trouble) for trouble in troubles(journal.total.misses)]
            recording["errors"] = [asdict(trouble) for trouble in troubles(journal.total.errors)]
        return {
            "mode": self.mode.value,
            "cassette": self.name,
            "sessions": {
                name: _of_session(tally, sessions.restarts(name) if sessions else 0, numbers)
                for name, tally in sorted(journal.tallies.items())
            },
            "totals": _counts(self.engine.counts),
            "following": journal.total.following,
            "left_out": self._left_out(),
            "assumed": journal.total.assumed,
            **_unused(journal.total.served, numbers, len(numbers) if whole else _UNUSED),
            **recording,
            "dropped_sessions": sessions.dropped if sessions else 0,
            "unlisted_sessions": journal.unlisted,
        }


def outcome_of(content: Mapping[str, Any]) -> RunOutcome:
    """Return what came of a run, from its whole report."""
    served, unused = content["served"], content["unused_total"]
    return RunOutcome(
        Mode(content["mode"]),
        content["cassette"],
        content["totals"],
        tuple(Trouble(**trouble) for trouble in content["misses"]),
        tuple(Trouble(**trouble) for trouble in content["errors"]),
        served + unused,
        {ExchangeNumber(int(number)): line for number, line in content.get("unused_requests", {}).items()},
        unused,
        content.get("assumed", {}),
        content.get("following", 0),
        content.get("left_out", 0),
    )


def _of_session(tally: Tally, restarts: int, numbers: Sequence[ExchangeNumber]) -> dict[str, object]:
    return {
        "restarts": restarts,
        "outcomes": _counts(tally.outcomes),
        "hits": tally.outcomes[Outcome.HIT],
        "misses": [asdict(trouble) for trouble in troubles(tally.misses)],
        "following": tally.following,
        "errors": [asdict(trouble) for trouble in troubles(tally.errors)],
        **_unused(tally.served, numbers),
        "skipped": list(islice(tally.skipped, _UNUSED)),
        "reordered": list(islice(tally.reordered, _UNUSED)),
        "in_doubt": list(islice(tally.in_doubt, _UNUSED)),
        "assumed": tally.assumed,
    }


def _counts(outcomes: Mapping[Outcome, int]) -> dict[str, int]:
    """Count by the plain words, which are what JSON takes as names."""
    return {outcome.value: count for outcome, count in sorted(outcomes.items())}


def troubles(counted: Mapping[Kind, int]) -> Iterator[Trouble]:
    """Yield what a tally has counted, what follows from others last."""
    in_order = sorted(counted.items(), key=lambda one: one[0].follows is not None)
    return (Trouble(kind.request, kind.reason, count, kind.follows) for kind, count in in_order)


def _unused(served: Numbers, numbers: Sequence[ExchangeNumber], bound: int = _UNUSED) -> dict[str, object]:
    count = len(numbers) - len(served)
    return {
        "served": len(served),
        "unused": list(islice(served.missing(numbers), min(count, bound))),
        "unused_total": count,
    }


@dataclass(frozen=True, slots=True)
class Run:
    """What a whole report says of its run: which exchanges were never served, and how many requests missed."""

    unused: frozenset[ExchangeNumber]
    misses: int


def read_report(content: object, cassette: Cassette, place: str) -> Run:
    """Read a whole report of a replay of this cassette; raises CassetteError at ``place`` for anything else.

    Exchanges may have been added since, but those that were there must be the same ones.
    """
    report = content if isinstance(content, dict) else {}
    totals, unused, recording = (report.get(name) for name in ("totals", "unused", "recording"))
    mode, name = report.get("mode"), report.get("cassette")
    if not isinstance(totals, dict) or not isinstance(unused, list):
        raise CassetteError(place, "is no report of a run; --report writes one")
    if mode not in REPLAYING:
        raise CassetteError(place, f"is the report of a run of {mode}, which serves nothing; give those of replay")
    if name != cassette.name:
        raise CassetteError(place, f"is the report of cassette {name!r}, not of {cassette.name!r}")
    if not isinstance(recording, dict):
        raise CassetteError(place, "does not tell of which recording it is; give the file that --report writes")
    if recording != recording_of(cassette, recording.get("last")):
        raise CassetteError(
            place, f"is the report of another recording of {name!r}; replay this one with --report for a new one"
        )
    numbers = frozenset(ExchangeNumber(number) for number in unused if isinstance(number, int))
    return Run(numbers, totals.get(Outcome.MISS, 0))


REPLAYING = tuple(mode.value for mode in Mode if mode.replays)
"""The modes of runs that serve a cassette, as a report has them."""


def recording_of(cassette: Cassette, last: object = None) -> dict[str, object]:
    """Tell which recording a cassette is, by its exchanges up to the last one or to this number."""
    until = last if isinstance(last, int) else cassette.last_number
    digest = blake2b(digest_size=16)
    for number in cassette.numbers():
        if number <= until:
            digest.update(_identity(cassette.exchange(number)))
    return {"last": until, "digest": digest.hexdigest()}


def _identity(exchange: Exchange) -> bytes:
    """Return what tells an exchange from others of its number."""
    request, response = exchange.request, exchange.response
    parts = (request.method.encode(), request.target, request.body, response.body)
    return repr((exchange.number, exchange.asked, response.status, *parts)).encode()
