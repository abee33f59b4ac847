"""The command that writes fixtures of older versions anew."""

import os
from collections.abc import Iterator
from json import dumps
from pathlib import Path

import click

from chatproxy.cassettes.leak_gate import gate_of
from chatproxy.cassettes.names import files_of
from chatproxy.cassettes.upgrade import Upgraded
from chatproxy.cassettes.upgrade import upgrade as upgrade_files
from chatproxy.cli.options import epilog, options
from chatproxy.cli.streams import say
from chatproxy.config.settings import Settings
from chatproxy.core.text.excerpts import counted
from chatproxy.fixture.document import CURRENT
from chatproxy.wiring.sessions import rules_of


@click.command(epilog=epilog("chatproxy upgrade cassettes"))
@click.argument("files", metavar="FILE|FOLDER...", nargs=-1, required=True)
@options("match-headers", "ignore", "scrub", "salt", "keep", "bind", "allow", "strict")
def upgrade(files: tuple[str, ...], settings: Settings) -> None:
    """Rewrite fixtures of older versions in the current one, in place; they replay as before.

    A folder stands for all below it that ends in .json.
    Of several files all are rewritten, or none is changed.
    """
    gate = gate_of(settings.allow, settings.strict, os.environ)
    for done in upgrade_files([Path(file) for file in files_of(files)], rules_of(settings), gate):
        if done.is_changed:
            say(f"chatproxy: upgraded {done.path} from version {done.version} to {CURRENT}, {counted(done.count)}")
            for line in _lines(done, settings):
                say(line)
        else:
            say(f"chatproxy: {done.path} is of version {CURRENT} already, and is as it was")


def _lines(done: Upgraded, settings: Settings) -> Iterator[str]:
    """Say what bind and keep name by old numbers: first each number, then the lines that the settings have of these."""
    for old, new in done.to_say:
        yield f"in bind and keep, write {new} for {old}"
    bind = {live: done.names[recorded] for live, recorded in settings.bind.items() if recorded in done.names}
    keep = sorted(done.names[sid] for sid in settings.keep if sid in done.names)
    if bind:
        yield f"bind = {{ {', '.join(f'{live} = {dumps(recorded)}' for live, recorded in bind.items())} }}"
    if keep:
        yield f"keep = {dumps(keep)}"
