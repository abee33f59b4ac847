"""The commands that look into cassettes."""

import os
from contextlib import ExitStack
from pathlib import Path

import click

from chatproxy.cli.options import MATCHING, SIDS, epilog, options, say, standard_input, warn
from chatproxy.config import Settings
from chatproxy.core.errors import CassetteError, ChatproxyError, LeakError
from chatproxy.core.explain import explain as explain_request
from chatproxy.core.httptext import read_http
from chatproxy.explanation import explanation_json, explanation_text
from chatproxy.leakgate import ADVICE, findings, gate_of, leaks_of
from chatproxy.library import now
from chatproxy.replay import open_replayed, rules_of, sessions_of


@click.command(epilog=epilog("chatproxy explain checkout < request.http"))
@click.argument("cassette", metavar="NAME|FILE")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@options(*MATCHING, *SIDS)
def explain(cassette: str, as_json: bool, settings: Settings) -> None:
    """Explain what replay makes of a request, read from standard input as HTTP/1.1 text."""
    request = read_http(standard_input())
    rules = rules_of(settings)
    with ExitStack() as stack:
        replayed = open_replayed(stack, cassette, settings, rules)
        session = sessions_of(replayed, settings, rules).of(request, now())
        found = explain_request(session, request)
        shown = explanation_json(found, replayed.name) if as_json else explanation_text(found, replayed.name)
    say(shown)


@click.command(epilog=epilog("chatproxy check cassettes/*.json"))
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@options("allow", "strict")
def check(files: tuple[str, ...], settings: Settings) -> None:
    """Look for secrets in files, whether fixtures or others, and show where they stand.

    The exit status is 5 if there are any.
    """
    gate = gate_of(settings.allow, settings.strict, os.environ)
    count = unread = 0
    for file in files:
        try:
            for leak in leaks_of(Path(file), gate):
                say(f"{file}:{leak}")
                count += 1
        except CassetteError as error:
            warn(f"chatproxy: {error}")
            unread += 1
    if unread:
        raise ChatproxyError(f"{findings(count)}, but {unread} of {len(files)} files could not be read")
    if count:
        raise LeakError(f"{findings(count)}; {ADVICE}")
    say(f"chatproxy: no findings in {', '.join(files)}")
