"""The commands that serve until they are stopped, and the demo."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click

from chatproxy.cli.options import MATCHING, SIDS, epilog, options
from chatproxy.cli.streams import say, warn
from chatproxy.config.settings import SETTINGS, Settings
from chatproxy.core.model import Mode

RECORDING = ("upstream", "upstream-ca", "upstream-proxy", "connect-timeout", "upstream-timeout")
LIMITS = ("allow-host", "urls", "max-body", "max-header", "max-connections", "client-timeout")
SERVING = ("listen", "public-url", "control-token", "control-token-file", "ready-file", *LIMITS)
_REPORTING = ("journal", "report")
SESSIONS = ("sessions", "max-sessions", "session-idle", "on-exhausted", "skipped")
_SANDBOX = tuple(setting.name for setting in SETTINGS if setting.name.startswith("sandbox-"))


def _serve_proxy(mode: Mode, cassette: str, settings: Settings) -> None:
    with _spared_collector(), _no_authorities() if mode is Mode.REPLAY else nullcontext():
        from chatproxy.serve.hosting import run_server  # noqa: PLC0415 - the HTTP library is loaded for servers only
        from chatproxy.serve.listen import proxy  # noqa: PLC0415 - as above

    run_server(proxy(mode, cassette, settings, warn), mode, settings.ready_file, say)


@contextmanager
def _spared_collector() -> Iterator[None]:
    """Load what stays: no search for garbage meanwhile (18 ms of a start), and later none through it (10 ms each)."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _no_authorities() -> Iterator[None]:
    """Have aiohttp load no file of certificate authorities, as it does for its client when it is imported.

    A replay asks nobody, and reading the file is 27 ms of its start. OpenSSL takes the file's name from the environment
    (https://docs.openssl.org/3.0/man3/SSL_CTX_load_verify_locations/).
    """
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = os.devnull
    try:
        yield
    finally:
        if before is None:
            del os.environ["SSL_CERT_FILE"]
        else:
            os.environ["SSL_CERT_FILE"] = before


@click.command(epilog=epilog("chatproxy record checkout --replace"))
@click.argument("name")
@options(*SERVING, *_REPORTING, *RECORDING, *MATCHING, "append", "replace")
def record(name: str, settings: Settings) -> None:
    """Ask the upstream, and record each exchange in the cassette NAME.

    The cassette stands under its name once the recording has ended well.
    """
    _serve_proxy(Mode.RECORD, name, settings)


@click.command(epilog=epilog("chatproxy replay cassettes/reference.json"))
@click.argument("cassette", metavar="NAME|FILE")
@options(*SERVING, *_REPORTING, *SESSIONS, *MATCHING, *SIDS, "clock")
def replay(cassette: str, settings: Settings) -> None:
    """Answer from a cassette of the store or a fixture; nothing goes out.

    A request without a recorded answer gets status 424 and the reason.
    """
    _serve_proxy(Mode.REPLAY, cassette, settings)


@click.command(epilog=epilog("chatproxy auto checkout"))
@click.argument("name")
@options(*SERVING, *_REPORTING, *RECORDING, *MATCHING)
def auto(name: str, settings: Settings) -> None:
    """Answer from the cassette NAME; ask the upstream for what is missing, and record it."""
    _serve_proxy(Mode.AUTO, name, settings)


@click.command(epilog=epilog("chatproxy passthrough --upstream http://127.0.0.1:8766"))
@options(*SERVING, *_REPORTING, *RECORDING)
def passthrough(settings: Settings) -> None:
    """Ask the upstream and record nothing."""
    _serve_proxy(Mode.PASSTHROUGH, "", settings)


@click.command(epilog=epilog("chatproxy sandbox --latency 0.05:0.2"))
@options("allow-host", *_SANDBOX)
def sandbox(settings: Settings) -> None:
    """Serve a stand-in for the Message resource of Programmable Chat, in memory."""
    with _spared_collector():
        from chatproxy.serve import hosting  # noqa: PLC0415 - as above
        from chatproxy.serve import listen as run  # noqa: PLC0415 - as above

    hosting.run_server(run.sandbox(settings), "sandbox", settings.sandbox_ready_file, say)


@click.command(epilog=epilog("chatproxy demo"))
@click.argument("file", required=False)
def demo(file: str | None) -> None:
    """Record the twilio client against the sandbox, stop the sandbox, and replay.

    The fixture goes to FILE, or to a temporary folder.
    """
    from chatproxy.demo import run_demo  # noqa: PLC0415 - as above

    run_demo(Path(file) if file else None, say)


@click.command("addon-path", epilog=epilog('mitmdump -s "$(chatproxy addon-path)" --set chatproxy_cassette=checkout'))
def addon_path() -> None:
    """Print where the mitmproxy addon is."""
    say(str(Path(__file__).parents[1] / "addon.py"))
