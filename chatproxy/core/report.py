"""The report of a run: what each session hit, missed and left unused."""

from collections.abc import Sequence
from itertools import islice

from chatproxy.core.bindings import Ambiguity
from chatproxy.core.cassette import Cassette
from chatproxy.core.engine import Engine
from chatproxy.core.journal import Numbers, Tally
from chatproxy.core.model import Mode

_UNUSED = 1000
"""How many numbers of unused exchanges, and of skipped ones, are listed."""


class Report:
    """Reports on a run of an engine, at any moment; ``cassette`` is what it replays, if it does."""

    def __init__(self, mode: Mode, name: str | None, engine: Engine, cassette: Cassette | None = None) -> None:
        self.mode = mode
        self.name = name
        self.engine = engine
        self._cassette = cassette

    def content(self) -> dict[str, object]:
        """Return the report as JSON has it."""
        numbers = self._cassette.numbers() if self._cassette else ()
        journal, sessions = self.engine.journal, self.engine.sessions
        return {
            "mode": self.mode.value,
            "cassette": self.name,
            "sessions": {
                name: _of_session(tally, sessions.restarts(name) if sessions else 0, numbers)
                for name, tally in sorted(journal.tallies.items())
            },
            "totals": dict(sorted(self.engine.counts.items())),
            **_unused(journal.total.served, numbers),
            "dropped_sessions": sessions.dropped if sessions else 0,
            "unlisted_sessions": journal.unlisted,
        }


def _of_session(tally: Tally, restarts: int, numbers: Sequence[int]) -> dict[str, object]:
    return {
        "restarts": restarts,
        "outcomes": dict(sorted(tally.outcomes.items())),
        "hits": tally.outcomes["hit"],
        "misses": [
            {"request": request, "reason": reason, "count": count} for (request, reason), count in tally.misses.items()
        ],
        **_unused(tally.served, numbers),
        "skipped": list(islice(tally.served.missing(tally.skipped), _UNUSED)),
        "ambiguous": [_shown(ambiguity) for ambiguity in tally.ambiguities],
    }


def _shown(ambiguity: Ambiguity) -> dict[str, list[str]]:
    """Show each SID with what it was bound to, and with what it could have been bound to as well."""
    choices = zip(*ambiguity.recorded, strict=True)
    return {
        live.decode(): list(dict.fromkeys(sid.decode() for sid in recorded))
        for live, recorded in zip(ambiguity.live, choices, strict=True)
    }


def _unused(served: Numbers, numbers: Sequence[int]) -> dict[str, object]:
    count = len(numbers) - len(served)
    return {
        "served": len(served),
        "unused": list(islice(served.missing(numbers), min(count, _UNUSED))),
        "unused_total": count,
    }
