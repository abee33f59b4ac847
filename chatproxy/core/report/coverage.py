"""Coverage: which exchanges of which cassettes were never served, over several runs.

Reports of runs are put together by what was replayed: a recording is told from others by its cassette's name and its
digest, so that runs on several machines count as one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.errors import CassetteError
from chatproxy.core.model import ExchangeNumber, Outcome
from chatproxy.core.report.report import REPLAYING, recording_of

_FIXTURES = "fixtures"


@dataclass(frozen=True, slots=True)
class Covered:
    """What runs served of one recording; ``requests`` are those of unused exchanges, the first ones of many."""

    cassette: str
    file: str | None
    recording: Mapping[str, Any]
    exchanges: int
    unused: frozenset[ExchangeNumber]
    requests: Mapping[ExchangeNumber, str] = field(default_factory=dict)
    runs: int = 1
    misses: int = 0

    @property
    def shown(self) -> str:
        """The file or the cassette, for a person to read."""
        return self.file or self.cassette

    def joined(self, other: "Covered") -> "Covered":
        """Return what both served."""
        unused = self.unused & other.unused
        requests = {number: line for number, line in {**self.requests, **other.requests}.items() if number in unused}
        return Covered(
            self.cassette,
            self.file or other.file,
            self.recording,
            self.exchanges,
            unused,
            requests,
            self.runs + other.runs,
            self.misses + other.misses,
        )


def never_run(cassette: Cassette, file: str) -> Covered:
    """Return what no run at all served of a file."""
    numbers = cassette.numbers()
    requests = {number: cassette.exchange(number).request.line for number in numbers}
    return Covered(cassette.name, file, recording_of(cassette), len(numbers), frozenset(numbers), requests, runs=0)


def merged(covered: Iterable[Covered]) -> list[Covered]:
    """Put together what was served of the same recording, sorted by file and name.

    Raises CassetteError if two recordings of one file were replayed.
    """
    found: dict[tuple[str, object], Covered] = {}
    for one in covered:
        key = one.cassette, one.recording.get("digest")
        found[key] = found[key].joined(one) if key in found else one
    by_file: dict[str, Covered] = {}
    for one in found.values():
        if by_file.setdefault(one.shown, one) is not one:
            raise CassetteError(one.shown, "was recorded anew between these runs; give reports of one recording")
    return [by_file[shown] for shown in sorted(by_file)]


def coverage_json(covered: Iterable[Covered]) -> dict[str, object]:
    """Return coverage as JSON has it, and as ``read_coverage`` reads it."""
    return {
        _FIXTURES: [
            {
                "cassette": one.cassette,
                "file": one.file,
                "recording": one.recording,
                "runs": one.runs,
                "misses": one.misses,
                "exchanges": one.exchanges,
                "unused": sorted(one.unused),
                "unused_requests": {str(number): line for number, line in sorted(one.requests.items())},
            }
            for one in covered
        ]
    }


def read_coverage(content: object, place: str) -> list[Covered]:
    """Read coverage, or the whole report of one run; raises CassetteError at ``place`` for anything else."""
    report = content if isinstance(content, dict) else {}
    try:
        if _FIXTURES in report:
            return [_covered(one, one["runs"], one["misses"], one["exchanges"]) for one in report[_FIXTURES]]
        totals, served = report["totals"], report["served"]
        if report["mode"] not in REPLAYING:
            return []
        return [_covered(report, 1, totals.get(Outcome.MISS, 0), served + report["unused_total"])]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CassetteError(place, "is no report of a run; `--report` writes one, and so does pytest") from error


def _covered(one: Mapping[str, Any], runs: int, misses: int, exchanges: int) -> Covered:
    requests = {ExchangeNumber(int(number)): str(line) for number, line in one["unused_requests"].items()}
    return Covered(
        str(one["cassette"]),
        None if one.get("file") is None else str(one["file"]),
        {"last": int(one["recording"]["last"]), "digest": str(one["recording"]["digest"])},
        int(exchanges),
        frozenset(ExchangeNumber(int(number)) for number in one["unused"]),
        requests,
        int(runs),
        int(misses),
    )
