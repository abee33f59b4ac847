"""The command that holds a cassette against what is true today."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from chatproxy.cli.options import FINDINGS, MATCHING, epilog, options
from chatproxy.cli.streams import say
from chatproxy.config.settings import Settings
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.matching.rules import Rules
from chatproxy.core.review.findings import Checked, Severity
from chatproxy.show import checked as verification
from chatproxy.wiring.sessions import open_replayed, rules_of

_ASKING = ("upstream", "upstream-ca", "upstream-proxy", "connect-timeout", "upstream-timeout", "max-body")


@click.command(epilog=epilog("chatproxy verify checkout --writes --format junit > verify.xml"))
@click.argument("cassette", metavar="NAME|FILE")
@click.option("--writes", is_flag=True, help="ask for writes too; the upstream carries them out")
@click.option("--openapi", metavar="FILE", help="hold the cassette against this OpenAPI document, and ask nobody")
@options(*MATCHING, *_ASKING, "bind", "fail-on", "format")
def verify(cassette: str, writes: bool, openapi: str | None, settings: Settings) -> None:
    """Ask the upstream again, and show what it answers otherwise today.

    Credentials are those of the environment: TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN. The exit status is 5 if
    there is a finding at or above --fail-on.
    """
    rules, bound = rules_of(settings), Severity(settings.fail_on)
    with ExitStack() as stack:
        opened = open_replayed(stack, cassette, settings, rules)
        if openapi is None:
            checked = _asked_again(opened, rules, settings, writes=writes)
        else:
            checked = _documented(opened, rules, Path(openapi))
    if settings.format == "text":
        say(verification.text(checked))
    else:
        is_json = settings.format == "json"
        say(verification.as_json(checked) if is_json else verification.junit(checked, opened.name, bound))
    if verification.reaches(checked, bound):
        sys.exit(FINDINGS)


def _asked_again(cassette: Cassette, rules: Rules, settings: Settings, *, writes: bool) -> list[Checked]:
    from chatproxy.checks.upstream_again import ask_again, credentials_of  # noqa: PLC0415 - as above
    from chatproxy.wiring.upstream import upstream_settings  # noqa: PLC0415 - the HTTP library is loaded only where it is used

    credentials = credentials_of(os.environ)
    return ask_again(cassette, rules, upstream_settings(settings), credentials, bind=settings.bind, writes=writes)


def _documented(cassette: Cassette, rules: Rules, document: Path) -> list[Checked]:
    from chatproxy.checks.apart import check_apart  # noqa: PLC0415 - an extra

    return list(check_apart(cassette, rules, document))
