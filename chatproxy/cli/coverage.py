"""The commands that say what several runs served of the recordings."""

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from chatproxy.cassettes.names import files_of
from chatproxy.cli.options import MATCHING, UNUSED, epilog, options
from chatproxy.cli.streams import say
from chatproxy.config.settings import Settings
from chatproxy.core.report.coverage import Covered, coverage_json, merged, never_run, read_coverage
from chatproxy.core.text.excerpts import counted
from chatproxy.files import read_json, write_json
from chatproxy.show.table import table
from chatproxy.wiring.sessions import open_several, rules_of


@click.group(invoke_without_command=True)
@click.pass_context
def coverage(context: click.Context) -> None:
    """Say which exchanges were served, and which never."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@coverage.command("merge", epilog=epilog("chatproxy coverage merge shard-*.json --fixture cassettes"))
@click.argument("reports", metavar="REPORT...", nargs=-1, required=True)
@click.option(
    "--fixture",
    "fixtures",
    metavar="FILE|FOLDER",
    multiple=True,
    help="a fixture that counts also if unused, or a folder of such; repeat it",
)
@options(*MATCHING, "report", "fail-on-unused")
def _merge(reports: tuple[str, ...], fixtures: tuple[str, ...], settings: Settings) -> None:
    """Put together the reports of several runs, workers or machines.

    The exit status is 4 if an exchange was never served and --fail-on-unused is given.
    """
    found = [one for report in reports for one in read_coverage(read_json(Path(report)), report)]
    rules = rules_of(settings)
    with ExitStack() as stack:
        files = files_of(fixtures)
        opened = open_several(stack, files, settings, rules)
        unrun = [never_run(cassette, file) for cassette, file in zip(opened, files, strict=True)]
    covered = merged([*found, *unrun])
    if settings.report is not None:
        write_json(settings.report, coverage_json(covered), flag="--report")
    say(_shown(covered))
    if settings.fail_on_unused and any(one.unused for one in covered):
        sys.exit(UNUSED)


def _shown(covered: list[Covered]) -> str:
    if not covered:
        return "no replay is in these reports"
    rows = [(one.shown, one.runs, one.exchanges, one.exchanges - len(one.unused), one.misses) for one in covered]
    numbers = ("RUNS", "EXCHANGES", "SERVED", "MISSES")
    lines = [table(("CASSETTE", *numbers), rows, right=numbers)]
    for one in covered:
        for number in sorted(one.unused):
            lines.append(f"never served: {one.cassette}/{number} {one.requests.get(number, '')}")
    total = sum(one.exchanges for one in covered)
    unused = sum(len(one.unused) for one in covered)
    return "\n".join([*lines, f"{total - unused} of {counted(total)} served"])
