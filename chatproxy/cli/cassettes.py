"""The commands that keep the cassettes of the store: they bring them in and out, list, rename and delete them.

What they delete, they delete only when the user says yes.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from itertools import chain, repeat
from pathlib import Path

import click

from chatproxy.cassettes.leak_gate import gate_of
from chatproxy.cassettes.names import files_of, fixture_path, has_store, is_file, open_store
from chatproxy.cassettes.prune import carry_out, plan_pruning
from chatproxy.cassettes.transfer import (
    canonical_fixture,
    exact_fixture,
    export_cassette,
    import_fixture,
    merge_cassettes,
    open_document,
)
from chatproxy.cli.options import MATCHING, epilog, options, progress
from chatproxy.cli.streams import say, warn
from chatproxy.clock import now
from chatproxy.config.settings import Settings
from chatproxy.core.errors import ConfigError
from chatproxy.core.model import Exchange
from chatproxy.core.sharing.merging import Merged
from chatproxy.core.text.excerpts import counted
from chatproxy.core.time.timestamps import instant
from chatproxy.show.overlaps import overlap_lines
from chatproxy.show.table import table
from chatproxy.show.transcript import transcript
from chatproxy.store import Store
from chatproxy.store.records import check_name, whole_of
from chatproxy.wiring.sessions import open_several, rules_of


@click.command(epilog=epilog("chatproxy export checkout cassettes/checkout.json"))
@click.argument("name")
@click.argument("file", required=False)
@click.option("--exact", is_flag=True, help="write what was on the wire, with its SIDs and times")
@click.option("--anonymous", is_flag=True, help="leave out the recorder's own SIDs")
@click.option(
    "--without-retries", is_flag=True, help="leave out what was answered 429 or 503 and sent again by its client"
)
@options(*MATCHING, "keep", "bind", "allow", "strict")
def export(
    name: str, file: str | None, *, exact: bool, anonymous: bool, without_retries: bool, settings: Settings
) -> None:
    """Write the cassette NAME as a fixture; FILE is cassettes/NAME.json unless given.

    Recording the same scenario again gives the same file.
    """
    for flag, is_given in (("--anonymous", anonymous), ("--without-retries", without_retries)):
        if exact and is_given:
            raise ConfigError(flag, "contradicts --exact, which writes what was on the wire; give one of them")
    path = Path(file) if file else fixture_path(name)
    gate = gate_of(settings.allow, settings.strict, os.environ)
    with closing(open_store(settings.store, name)) as store:
        if exact:
            count, rest = (
                export_cassette(exact_fixture(store, name, rules_of(settings).scrub), path, gate, progress),
                "",
            )
        else:
            said = {"anonymous": anonymous, "without_retries": without_retries}
            fixture = canonical_fixture(store, name, rules_of(settings), settings.keep, progress, **said)
            count, rest = export_cassette(fixture, path, gate, progress, settings.bind), fixture.left_out_text
    say(f"chatproxy: exported {name} to {path}, {counted(count)}{rest}")


@click.command("import", epilog=epilog("chatproxy import cassettes/checkout.json --name checkout2"))
@click.argument("given", metavar="FILE|FOLDER...", nargs=-1, required=True)
@click.option("--name", help="the name to import under; the name inside the file by default")
@options("store", "replace")
def import_(given: tuple[str, ...], name: str | None, settings: Settings) -> None:
    """Put fixtures into the store, each under the name inside the file.

    A folder stands for all below it that ends in .json.
    """
    files = files_of(given)
    if name is not None and len(files) > 1:
        raise ConfigError("--name", "names one cassette, but there are several files; import them one by one")
    with closing(Store(settings.store)) as store:
        for file in files:
            known, count = import_fixture(
                store, Path(file), now(), name=name, replace=settings.replace, progress=progress
            )
            say(f"chatproxy: imported {file} as {known}, {counted(count)}")


@click.command(epilog=epilog("chatproxy merge tour cassettes/one.json cassettes/two.json"))
@click.argument("name")
@click.argument("cassettes", metavar="NAME|FILE...", nargs=-1, required=True)
@options(*MATCHING, "replace")
def merge(name: str, cassettes: tuple[str, ...], settings: Settings) -> None:
    """Put the exchanges of several cassettes or fixtures into one, NAME, which is canonical."""
    rules = rules_of(settings)
    with ExitStack() as stack:
        store = stack.enter_context(closing(Store(settings.store)))
        merged = Merged(open_several(stack, cassettes, settings, rules, store), rules)
        merge_cassettes(store, name, merged, now(), replace=settings.replace, progress=progress)
        overlaps = merged.overlaps(store.open(name, rules))
    for line in overlap_lines(overlaps, cassettes):
        warn(f"chatproxy: {name}: {line}")
    say(f"chatproxy: merged {len(cassettes)} cassettes into {name}, {counted(merged.count)}")


@click.command("list", epilog=epilog("chatproxy list"))
@options("store")
def list_(settings: Settings) -> None:
    """List the cassettes of the store."""
    rows: list[tuple[object, ...]] = []
    if has_store(settings.store):
        with closing(Store(settings.store)) as store:
            rows = [(one.name, one.exchanges, instant(one.begun)[:19] + "Z", one.state) for one in store.listing()]
    if not rows:
        say(f"chatproxy: no cassettes in {settings.store}")
        return
    say(table(("NAME", "EXCHANGES", "BEGUN", "STATE"), rows, right=("EXCHANGES",)))


@click.command(epilog=epilog("chatproxy show cassettes/reference.json"))
@click.argument("cassette", metavar="NAME|FILE")
@click.option("--bodies", is_flag=True, help="show what was sent and answered, in a block for each exchange")
@options("store")
def show(cassette: str, bodies: bool, settings: Settings) -> None:
    """Show the exchanges of a cassette or a fixture, one a line."""
    with ExitStack() as stack:
        exchanges = _shown(stack, cassette, settings)
        if bodies:
            for separator, exchange in zip(chain([""], repeat("\n")), exchanges, strict=False):
                say(separator + transcript(exchange))
        else:
            rows = [_row(exchange) for exchange in exchanges]
            say(table(("NO", "ASKED", "REQUEST", "STATUS", "BYTES"), rows, right=("NO", "STATUS", "BYTES")))


def _shown(stack: ExitStack, cassette: str, settings: Settings) -> Iterable[Exchange]:
    if is_file(cassette):
        return stack.enter_context(open_document(Path(cassette))).exchanges
    store = stack.enter_context(closing(open_store(settings.store, cassette)))
    return store.exchanges(cassette)


def _row(exchange: Exchange) -> tuple[object, ...]:
    response = exchange.response
    return (
        exchange.number,
        instant(exchange.asked)[:19] + "Z",
        exchange.request.line,
        response.status,
        len(response.body),
    )


_yes = click.option("--yes", is_flag=True, help="delete without asking")


@click.command(epilog=epilog("chatproxy rename checkout.partial checkout"))
@click.argument("old")
@click.argument("new")
@options("store")
def rename(old: str, new: str, settings: Settings) -> None:
    """Give the cassette OLD the name NEW; an interrupted recording becomes a complete cassette."""
    with closing(open_store(settings.store, old)) as store:
        store.rename(old, new)
        count = store.count(new)
    say(f"chatproxy: renamed {old} to {new}, {counted(count)}")


@click.command(epilog=epilog("chatproxy rm checkout checkout2.partial\n  chatproxy rm --partial"))
@click.argument("names", metavar="[NAME...]", nargs=-1)
@click.option(
    "--partial", is_flag=True, help="delete what interrupted recordings left, NAME.partial: those of each NAME, or all"
)
@_yes
@options("store")
def rm(names: tuple[str, ...], partial: bool, yes: bool, settings: Settings) -> None:
    """Delete cassettes of the store."""
    given = tuple(dict.fromkeys(names))
    if partial:
        _delete_partials(given, settings, yes=yes)
    elif given:
        with closing(open_store(settings.store, given[0])) as store:
            for name in given:
                store.existing(name)
            with store.unrecorded(*given):
                _delete(store, given, yes=yes)
    else:
        raise click.UsageError("Missing argument 'NAME...', or --partial", click.get_current_context())


def _delete_partials(given: tuple[str, ...], settings: Settings, *, yes: bool) -> None:
    for name in given:
        check_name(name)
    with ExitStack() as stack:
        found: list[str] = []
        if has_store(settings.store):
            store = stack.enter_context(closing(Store(settings.store)))
            if given:
                stack.enter_context(store.unrecorded(*given))
                left, recorded = store.partials(*given), list[str]()
            else:
                left, recorded = stack.enter_context(store.unrecorded_partials())
            _delete(store, left, yes=yes)
            for name in recorded:
                say(f"chatproxy: {name} is kept, {whole_of(name)} is being recorded")
            found = [*left, *recorded]
    if not found:
        whose = f" of {', '.join(given)}" if given else ""
        say(f"chatproxy: nothing is left of interrupted recordings{whose} in {settings.store}")


def _delete(store: Store, names: Sequence[str], *, yes: bool) -> None:
    """Delete those of these cassettes to which the user says yes, all at the end, and say what became of each."""
    counts = {name: counted(store.count(name)) for name in names}
    chosen = [name for name in names if confirmed(f"delete {name} ({counts[name]})?", yes=yes)]
    store.drop(*chosen)
    for name in names:
        say(f"chatproxy: deleted {name}, {counts[name]}" if name in chosen else f"chatproxy: {name} is as it was")


@click.command(epilog=epilog("chatproxy prune checkout --report monday.json --report tuesday.json"))
@click.argument("name")
@click.option(
    "--report",
    "reports",
    metavar="FILE",
    multiple=True,
    required=True,
    help="what a replay's --report wrote; repeat it",
)
@_yes
@options(*MATCHING)
def prune(name: str, reports: tuple[str, ...], yes: bool, settings: Settings) -> None:
    """Delete the exchanges of the cassette NAME that were never served in any of the runs reported on."""
    rules = rules_of(settings)
    with closing(open_store(settings.store, name)) as store:
        plan = plan_pruning(store, name, [Path(report) for report in reports], rules)
        for report, misses in zip(reports, plan.misses, strict=True):
            if misses:
                warn(f"chatproxy: {report}: that run missed {misses}; what it asked for may be among what is deleted")
        deleted, needed = len(plan.pruning.deleted), len(plan.pruning.needed)
        total = counted(plan.tally.count)
        if deleted and not confirmed(f"delete {deleted} of {total} of {name}?", yes=yes):
            say(f"chatproxy: {name} is as it was")
            return
        if deleted:
            carry_out(store, plan, rules, progress)
    stay = f", {needed} unused kept because others stand on {'it' if needed == 1 else 'them'}" if needed else ""
    say(f"chatproxy: pruned {name}: {deleted} of {total} deleted{stay}")


def confirmed(question: str, *, yes: bool) -> bool:
    """Ask the user and return the answer, which ``--yes`` gives beforehand; anything but y or yes is no."""
    if yes:
        return True
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        raise ConfigError("--yes", "is needed where nobody can be asked; nothing is deleted")
    click.echo(f"{question} [y/N] ", nl=False, err=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
