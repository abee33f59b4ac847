"""The command that runs another one against a cassette."""

import os
import shlex
import sys

import click

from chatproxy.cli.options import MATCHING, SIDS, UNUSED, epilog, options
from chatproxy.cli.serving import LIMITS, RECORDING, SESSIONS
from chatproxy.cli.streams import annotate, warn
from chatproxy.config.settings import Settings, private
from chatproxy.core.model import Mode, Outcome
from chatproxy.core.report.report import RunOutcome
from chatproxy.core.text.excerpts import counted
from chatproxy.environment import FORWARD, URL
from chatproxy.files import make_way, write_whole
from chatproxy.runs.child import NotStartedError, run_child
from chatproxy.show.junit import junit

ERRORS = 1
MISSES = 3
"""Exit statuses of a run whose command succeeded: chatproxy had to refuse a request, or had no answer to one, or was
asked nothing."""

NOT_STARTED = 1


@click.command(epilog=epilog("chatproxy run cassettes/reference.json -- npm test"))
@click.argument("cassette", metavar="NAME|FILE")
@click.argument("command", metavar="-- COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@options(
    *(
        "mode",
        "intercept",
        "others",
        "append",
        "replace",
        "journal",
        "report",
        "junit",
        "fail-on-unused",
        "allow-idle",
        "clock",
        "allow",
        "strict",
    ),
    *LIMITS,
    *RECORDING,
    *SESSIONS,
    *MATCHING,
    *SIDS,
)
def run(cassette: str, command: tuple[str, ...], settings: Settings) -> None:
    """Run COMMAND with a proxy whose address it finds in CHATPROXY_URL.

    The exit status is the command's, else 3 if requests missed or none came to a replay, and 4 for unused exchanges
    with --fail-on-unused. A FILE that is recorded is replaced if the command succeeds.
    """
    from chatproxy.show.run_report import annotations, cases, lines  # noqa: PLC0415 - loaded for this command only

    ways = FORWARD if settings.intercept else URL
    outcome, status = _run(cassette, command, private(settings))
    is_idle = status == 0 and outcome.is_idle and not settings.allow_idle
    for line in lines(outcome, ways, is_idle=is_idle):
        warn(f"chatproxy: {line}")
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotations(outcome, is_idle=is_idle):
            annotate(line)
    if settings.junit is not None:
        fails = settings.fail_on_unused
        found = cases(outcome, shlex.join(command), status, fail_on_unused=fails, ways=ways, is_idle=is_idle)
        write_whole(settings.junit, junit("chatproxy run", list(found)), flag="--junit")
    sys.exit(status or (MISSES if is_idle else _verdict(outcome, fail_on_unused=settings.fail_on_unused)))


def _run(cassette: str, command: tuple[str, ...], settings: Settings) -> tuple[RunOutcome, int]:
    """Run the command, keep what was recorded if all went well, and return what came of it with the exit status."""
    from chatproxy.runs.attempt import Attempt, mode_of_run, subject_of  # noqa: PLC0415 - the HTTP library is loaded late
    from chatproxy.runs.intercept import Interceptor  # noqa: PLC0415 - as above
    from chatproxy.runs.served import InBackground  # noqa: PLC0415 - as above
    from chatproxy.serve.hosting import Background  # noqa: PLC0415 - as above

    for path, flag in ((settings.report, "--report"), (settings.junit, "--junit")):
        make_way(path, flag=flag)
    subject = subject_of(cassette, settings)
    mode = mode_of_run(Mode(settings.mode), subject)
    with Background() as background:
        host = Interceptor() if settings.intercept else InBackground(background)
        attempt = Attempt(subject, mode, settings, host, warn=warn)
        status = NOT_STARTED
        try:
            status = run_child(command, attempt.served.environment(os.environ))
        except NotStartedError as error:
            status = error.status
            warn(f"chatproxy: {error}")
        finally:
            outcome = attempt.end(passed=status == 0)
    count = attempt.write()
    if count is not None:
        warn(f"chatproxy: recorded {subject.shown}, {counted(count)}")
    elif mode is not Mode.REPLAY and subject.path is not None:
        kept = "; what was recorded is in the store" if outcome.counts.get(Outcome.RECORDED) else ""
        warn(f"chatproxy: {subject.shown} is as it was{kept}")
    return outcome, status


def _verdict(outcome: RunOutcome, *, fail_on_unused: bool) -> int:
    """Return the exit status of a run whose command succeeded."""
    if outcome.counts.get(Outcome.MISS):
        return MISSES
    if outcome.counts.get(Outcome.ERROR):
        return ERRORS
    return UNUSED if fail_on_unused and outcome.unused_total else 0
