"""The commands that look into cassettes."""

from contextlib import ExitStack

import click

from chatproxy.cli.options import MATCHING, SIDS, epilog, options, say, standard_input
from chatproxy.config import Settings
from chatproxy.core.explain import explain as explain_request
from chatproxy.core.httptext import read_http
from chatproxy.explanation import explanation_json, explanation_text
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
