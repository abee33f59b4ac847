"""The commands that move cassettes between the store and files."""

import os
from collections.abc import Iterable
from contextlib import ExitStack, closing
from itertools import chain, repeat
from pathlib import Path

import click

from chatproxy.cassettes.leak_gate import gate_of
from chatproxy.cassettes.names import fixture_path, has_store, is_file, open_store
from chatproxy.cassettes.transfer import (
    canonical_fixture,
    exact_fixture,
    export_cassette,
    import_fixture,
    merge_cassettes,
    open_document,
)
from chatproxy.cli.options import MATCHING, epilog, options, progress, say
from chatproxy.clock import now
from chatproxy.config.settings import Settings
from chatproxy.core.errors import ConfigError
from chatproxy.core.model import Exchange
from chatproxy.core.sharing.merging import Merged
from chatproxy.core.text.excerpts import counted
from chatproxy.core.time.timestamps import instant
from chatproxy.show.table import table
from chatproxy.show.transcript import transcript
from chatproxy.store import Store
from chatproxy.wiring.sessions import open_several, rules_of


@click.command(epilog=epilog("chatproxy export checkout cassettes/checkout.json"))
@click.argument("name")
@click.argument("file", required=False)
@click.option("--exact", is_flag=True, help="write what was on the wire, with its SIDs and times")
@options(*MATCHING, "keep", "allow", "strict")
def export(name: str, file: str | None, exact: bool, settings: Settings) -> None:
    """Write the cassette NAME as a fixture; FILE is cassettes/NAME.json unless given.

    Recording the same scenario again gives the same file.
    """
    path = Path(file) if file else fixture_path(name)
    gate = gate_of(settings.allow, settings.strict, os.environ)
    with closing(open_store(settings.store, name)) as store:
        fixture = (
            exact_fixture(store, name)
            if exact
            else canonical_fixture(store, name, rules_of(settings), settings.keep, progress)
        )
        count = export_cassette(fixture, path, gate, progress)
    say(f"chatproxy: exported {name} to {path}, {counted(count)}")


@click.command("import", epilog=epilog("chatproxy import cassettes/checkout.json --name checkout2"))
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--name", help="the name to import under; the name inside the file by default")
@options("store", "replace")
def import_(files: tuple[str, ...], name: str | None, settings: Settings) -> None:
    """Put fixtures into the store, each under the name inside the file."""
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
