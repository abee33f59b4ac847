"""The command line: each command reads its settings, calls one part, and shows what came of it."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from functools import wraps
from pathlib import Path
from typing import NoReturn

import click

from chatproxy import __version__
from chatproxy.config import SETTINGS, Setting, Settings, load
from chatproxy.core.errors import ChatproxyError, ConfigError
from chatproxy.core.explain import explain as explain_request
from chatproxy.core.httptext import read_http
from chatproxy.core.model import Exchange, Mode
from chatproxy.core.timestamps import instant
from chatproxy.explanation import explanation_json, explanation_text
from chatproxy.library import (
    Watch,
    export_cassette,
    fixture_path,
    has_store,
    import_fixture,
    is_file,
    now,
    open_store,
    read_document,
)
from chatproxy.replay import open_replayed, rules_of, sessions_of
from chatproxy.store import Store
from chatproxy.table import table

_RECORDING = ("upstream", "upstream-ca", "connect-timeout", "upstream-timeout")
_SERVING = ("listen", "urls", "ready-file", "max-body", "max-header", "max-connections", "client-timeout")
_REPORTING = ("journal", "report")
_SESSIONS = ("sessions", "max-sessions", "session-idle", "on-exhausted")
_MATCHING = ("store", "match-headers", "ignore")
_SIDS = ("sids", "seed", "keep", "bind")
_SANDBOX = tuple(setting.name for setting in SETTINGS if setting.name.startswith("sandbox-"))

_BAR_FROM = 500
"""From how many exchanges on a progress bar is worth showing."""


def main() -> NoReturn:
    """Run the command line and exit: 0, or 1 for an error, 2 for wrong usage; errors are one line."""
    try:
        cli(prog_name="chatproxy", standalone_mode=False)
    except click.ClickException as error:
        _fail(f"{error.format_message().rstrip('.')}; `{_command_of(error)} --help` shows how", error.exit_code)
    except ChatproxyError as error:
        _fail(str(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    sys.exit(0)


def _command_of(error: click.ClickException) -> str:
    """Return the command whose help tells how to do better."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return context.command_path if context else "chatproxy"


def _fail(message: str, exit_code: int) -> NoReturn:
    click.echo(f"chatproxy: {message}", err=True)
    sys.exit(exit_code)


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()


def _warn(line: str) -> None:
    click.echo(line, err=True)


def _options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the flags of these settings, and the settings that hold as its ``settings``."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def with_settings(**arguments: object) -> None:
            flags = {name: arguments.pop(name.replace("-", "_")) for name in names}
            given = {name: value for name, value in flags.items() if value is not None}
            command(settings=load(given, os.environ, Path()), **arguments)

        decorated: Callable[..., None] = with_settings
        for setting in reversed([setting for setting in SETTINGS if setting.name in names]):
            decorated = _option(setting)(decorated)
        return decorated

    return decorate


def _option(setting: Setting) -> Callable[[Callable[..., None]], Callable[..., None]]:
    shown = f" [default: {setting.default}]" if setting.default and setting.metavar else ""
    names = (setting.flag, setting.name.replace("-", "_"))
    if setting.metavar:
        return click.option(*names, metavar=setting.metavar, help=setting.help + shown)
    return click.option(*names, is_flag=True, default=None, help=setting.help)


def _epilog(example: str) -> str:
    return f"\b\nExample:\n  {example}"


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, invoke_without_command=True
)
@click.version_option(__version__, prog_name="chatproxy", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Record and replay Twilio Programmable Chat v1 messages.

    Each flag can also be set as CHATPROXY_… in the environment, or in chatproxy.toml.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def _serve_proxy(mode: Mode, cassette: str, settings: Settings) -> None:
    from chatproxy.run import proxy, run_server  # noqa: PLC0415 - the HTTP library is loaded for servers only

    run_server(proxy(mode, cassette, settings, _warn), mode, settings.ready_file, _say)


@cli.command(epilog=_epilog("chatproxy record checkout --replace"))
@click.argument("name")
@_options(*_SERVING, *_REPORTING, *_RECORDING, *_MATCHING, "append", "replace")
def record(name: str, settings: Settings) -> None:
    """Ask the upstream, and record each exchange in the cassette NAME.

    The cassette stands under its name once the recording has ended well.
    """
    _serve_proxy(Mode.RECORD, name, settings)


@cli.command(epilog=_epilog("chatproxy replay cassettes/reference.json"))
@click.argument("cassette", metavar="NAME|FILE")
@_options(*_SERVING, *_REPORTING, *_SESSIONS, *_MATCHING, *_SIDS, "clock")
def replay(cassette: str, settings: Settings) -> None:
    """Answer from a cassette of the store or a fixture; nothing goes out.

    A request without a recorded answer gets status 424 and the reason.
    """
    _serve_proxy(Mode.REPLAY, cassette, settings)


@cli.command(epilog=_epilog("chatproxy auto checkout"))
@click.argument("name")
@_options(*_SERVING, *_REPORTING, *_RECORDING, *_MATCHING)
def auto(name: str, settings: Settings) -> None:
    """Answer from the cassette NAME; ask the upstream for what is missing, and record it."""
    _serve_proxy(Mode.AUTO, name, settings)


@cli.command(epilog=_epilog("chatproxy passthrough --upstream http://127.0.0.1:8766"))
@_options(*_SERVING, *_REPORTING, *_RECORDING)
def passthrough(settings: Settings) -> None:
    """Ask the upstream and record nothing."""
    _serve_proxy(Mode.PASSTHROUGH, "", settings)


@cli.command(epilog=_epilog("chatproxy sandbox --latency 0.05:0.2"))
@_options(*_SANDBOX)
def sandbox(settings: Settings) -> None:
    """Serve a stand-in for the Message resource of Programmable Chat, in memory."""
    from chatproxy import run  # noqa: PLC0415 - as above

    run.run_server(run.sandbox(settings), "sandbox", settings.sandbox_ready_file, _say)


@cli.command(epilog=_epilog("chatproxy export checkout cassettes/checkout.json"))
@click.argument("name")
@click.argument("file", required=False)
@_options("store")
def export(name: str, file: str | None, settings: Settings) -> None:
    """Write the cassette NAME as a fixture; FILE is cassettes/NAME.json unless given."""
    path = Path(file) if file else fixture_path(name)
    with closing(open_store(settings.store, name)) as store:
        count = export_cassette(store, name, path, _watch("export"))
    _say(f"chatproxy: exported {name} to {path}, {_exchanges(count)}")


@cli.command("import", epilog=_epilog("chatproxy import cassettes/checkout.json --name checkout2"))
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--name", help="the name to import under; the name inside the file by default")
@_options("store", "replace")
def import_(files: tuple[str, ...], name: str | None, settings: Settings) -> None:
    """Put fixtures into the store, each under the name inside the file."""
    if name is not None and len(files) > 1:
        raise ConfigError("--name", "names one cassette, but there are several files; import them one by one")
    with closing(Store(settings.store)) as store:
        for file in files:
            document = import_fixture(
                store, Path(file), now(), name=name, replace=settings.replace, watch=_watch("import")
            )
            _say(f"chatproxy: imported {file} as {document.name}, {_exchanges(len(document.exchanges))}")


@cli.command("list", epilog=_epilog("chatproxy list"))
@_options("store")
def list_(settings: Settings) -> None:
    """List the cassettes of the store."""
    rows: list[tuple[object, ...]] = []
    if has_store(settings.store):
        with closing(Store(settings.store)) as store:
            rows = [(one.name, one.exchanges, instant(one.begun)[:19] + "Z", one.state) for one in store.listing()]
    if not rows:
        _say(f"chatproxy: no cassettes in {settings.store}")
        return
    _say(table(("NAME", "EXCHANGES", "BEGUN", "STATE"), rows, right=("EXCHANGES",)))


@cli.command(epilog=_epilog("chatproxy show cassettes/reference.json"))
@click.argument("cassette", metavar="NAME|FILE")
@_options("store")
def show(cassette: str, settings: Settings) -> None:
    """Show the exchanges of a cassette or a fixture, one a line."""
    if is_file(cassette):
        rows = [_row(exchange) for exchange in read_document(Path(cassette)).exchanges]
    else:
        with closing(open_store(settings.store, cassette)) as store:
            rows = [_row(exchange) for exchange in store.exchanges(cassette)]
    _say(table(("NO", "ASKED", "REQUEST", "STATUS", "BYTES"), rows, right=("NO", "STATUS", "BYTES")))


@cli.command(epilog=_epilog("chatproxy explain checkout < request.http"))
@click.argument("cassette", metavar="NAME|FILE")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@_options(*_MATCHING, *_SIDS)
def explain(cassette: str, as_json: bool, settings: Settings) -> None:
    """Explain what replay makes of a request, read from standard input as HTTP/1.1 text."""
    request = read_http(_standard_input())
    rules = rules_of(settings)
    with ExitStack() as stack:
        replayed = open_replayed(stack, cassette, settings, rules)
        session = sessions_of(replayed, settings, rules).of(request, now())
        found = explain_request(session, request)
        shown = explanation_json(found, replayed.name) if as_json else explanation_text(found, replayed.name)
    _say(shown)


@cli.command(epilog=_epilog("chatproxy demo"))
@click.argument("file", required=False)
def demo(file: str | None) -> None:
    """Record the twilio client against the sandbox, stop the sandbox, and replay.

    The fixture goes to FILE, or to a temporary folder.
    """
    from chatproxy.demo import run_demo  # noqa: PLC0415 - as above

    run_demo(Path(file) if file else None, _say)


def _standard_input() -> bytes:
    try:
        with open(0, "rb", closefd=False) as stream:  # sys.stdin is None where it is closed
            return stream.read()
    except OSError as error:
        raise ConfigError("standard input", f"cannot be read: {error.strerror}") from error


def _row(exchange: Exchange) -> tuple[object, ...]:
    response = exchange.response
    return (
        exchange.number,
        instant(exchange.asked)[:19] + "Z",
        exchange.request.line,
        response.status,
        len(response.body),
    )


def _exchanges(count: int) -> str:
    return f"{count} exchange" if count == 1 else f"{count} exchanges"


def _watch(label: str) -> Watch:
    """Show a progress bar on standard error if there is much to do and a person to see it."""

    def watch(exchanges: Iterable[Exchange], count: int) -> Iterable[Exchange]:
        if count < _BAR_FROM or not sys.stderr.isatty():
            return exchanges
        return _with_bar(exchanges, count, label)

    return watch


def _with_bar(exchanges: Iterable[Exchange], count: int, label: str) -> Iterator[Exchange]:
    with click.progressbar(exchanges, length=count, label=label, file=sys.stderr) as bar:
        yield from bar
