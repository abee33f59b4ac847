"""The commands that move cassettes between the store and files."""

from contextlib import closing
from pathlib import Path

import click

from chatproxy.cli.options import counted, epilog, options, say, watch
from chatproxy.config import Settings
from chatproxy.core.errors import ConfigError
from chatproxy.core.model import Exchange
from chatproxy.core.timestamps import instant
from chatproxy.library import (
    export_cassette,
    fixture_path,
    has_store,
    import_fixture,
    is_file,
    now,
    open_store,
    read_document,
)
from chatproxy.store import Store
from chatproxy.table import table


@click.command(epilog=epilog("chatproxy export checkout cassettes/checkout.json"))
@click.argument("name")
@click.argument("file", required=False)
@options("store")
def export(name: str, file: str | None, settings: Settings) -> None:
    """Write the cassette NAME as a fixture; FILE is cassettes/NAME.json unless given."""
    path = Path(file) if file else fixture_path(name)
    with closing(open_store(settings.store, name)) as store:
        count = export_cassette(store, name, path, watch("export"))
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
            document = import_fixture(
                store, Path(file), now(), name=name, replace=settings.replace, watch=watch("import")
            )
            say(f"chatproxy: imported {file} as {document.name}, {counted(len(document.exchanges))}")


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
@options("store")
def show(cassette: str, settings: Settings) -> None:
    """Show the exchanges of a cassette or a fixture, one a line."""
    if is_file(cassette):
        rows = [_row(exchange) for exchange in read_document(Path(cassette)).exchanges]
    else:
        with closing(open_store(settings.store, cassette)) as store:
            rows = [_row(exchange) for exchange in store.exchanges(cassette)]
    say(table(("NO", "ASKED", "REQUEST", "STATUS", "BYTES"), rows, right=("NO", "STATUS", "BYTES")))


def _row(exchange: Exchange) -> tuple[object, ...]:
    response = exchange.response
    return (
        exchange.number,
        instant(exchange.asked)[:19] + "Z",
        exchange.request.line,
        response.status,
        len(response.body),
    )
