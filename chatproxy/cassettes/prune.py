"""Pruning a cassette of the store: what no run was served goes, and what is left replaces the cassette whole."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange
from chatproxy.core.report.report import read_report
from chatproxy.core.sharing.pruning import Pruning, prune
from chatproxy.files import read_json
from chatproxy.store import Existing, Progress, Recording, Store, check_nothing_left, unseen
from chatproxy.store.layout import Tally
from chatproxy.store.records import Record, check_name


@dataclass(frozen=True, slots=True)
class Plan:
    """What pruning would do to a cassette as it stands; ``misses`` are how many requests missed in each run."""

    name: str
    record: Record
    tally: Tally
    pruning: Pruning
    misses: tuple[int, ...]


def plan_pruning(store: Store, name: str, reports: Sequence[Path], rules: Rules) -> Plan:
    """Decide what goes of a cassette, by the files in which its runs were reported; nothing is changed."""
    check_name(name)
    record = store.existing(name)
    tally = store.tally(record)
    check_nothing_left(store, name)
    cassette = store.open(name, rules)
    runs = [read_report(read_json(path), cassette, str(path)) for path in reports]
    unused = frozenset.intersection(*(run.unused for run in runs))
    if unused.issuperset(cassette.numbers()):
        raise CassetteError(name, f"no run was served any of it; delete it with `chatproxy rm {name}` if that is meant")
    return Plan(name, record, tally, prune(cassette, unused, rules), tuple(run.misses for run in runs))


def carry_out(store: Store, plan: Plan, rules: Rules, progress: Progress = unseen) -> None:
    """Replace a cassette by what is left of it; until that is whole, and if it fails, the cassette is as it was."""
    record = plan.record
    recording = Recording(
        store, plan.name, Existing.RENEW, record.begun, declared=record.declared, variables=record.variables
    )
    left = plan.tally.count - len(plan.pruning.deleted)
    recording.fill(_kept(store, plan), rules, work=("prune", left), progress=progress)


def _kept(store: Store, plan: Plan) -> Iterator[Exchange]:
    """Yield what is left, after a look at whether the plan still holds now that nobody else can record."""
    if store.find(plan.name) != plan.record or store.tally(plan.record) != plan.tally:
        raise CassetteError(plan.name, "was changed meanwhile; nothing is deleted, prune it again")
    deleted = frozenset(plan.pruning.deleted)
    for exchange in store.exchanges(plan.name):
        if exchange.number not in deleted:
            yield exchange
