"""The commands that keep the store in order: what they delete, they delete only when the user says yes."""

import sys
from contextlib import closing
from pathlib import Path

import click

from chatproxy.cassettes.names import open_store
from chatproxy.cassettes.prune import carry_out, plan_pruning
from chatproxy.cli.options import MATCHING, epilog, options, progress, say, warn
from chatproxy.config.settings import Settings
from chatproxy.core.errors import ConfigError
from chatproxy.core.text.excerpts import counted
from chatproxy.wiring.sessions import rules_of

_yes = click.option("--yes", is_flag=True, help="delete without asking")


@click.command(epilog=epilog("chatproxy rename checkout.partial checkout"))
@click.argument("old")
@click.argument("new")
@options("store")
def rename(old: str, new: str, settings: Settings) -> None:
    """Give the cassette OLD the name NEW; an interrupted recording becomes a complete cassette."""
    with closing(open_store(settings.store, old)) as store:
        store.rename(old, new)
        count = store.count(new)
    say(f"chatproxy: renamed {old} to {new}, {counted(count)}")


@click.command(epilog=epilog("chatproxy rm checkout checkout2.partial"))
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@_yes
@options("store")
def rm(names: tuple[str, ...], yes: bool, settings: Settings) -> None:
    """Delete cassettes of the store."""
    given = dict.fromkeys(names)
    with closing(open_store(settings.store, names[0])) as store:
        for name in given:
            store.existing(name)
        with store.unrecorded(*given):
            counts = {name: counted(store.count(name)) for name in given}
            chosen = [name for name in given if confirmed(f"delete {name} ({counts[name]})?", yes=yes)]
            store.drop(*chosen)
    for name in given:
        say(f"chatproxy: deleted {name}, {counts[name]}" if name in chosen else f"chatproxy: {name} is as it was")


@click.command(epilog=epilog("chatproxy prune checkout --report monday.json --report tuesday.json"))
@click.argument("name")
@click.option(
    "--report",
    "reports",
    metavar="FILE",
    multiple=True,
    required=True,
    help="what a replay's --report wrote; repeat it",
)
@_yes
@options(*MATCHING)
def prune(name: str, reports: tuple[str, ...], yes: bool, settings: Settings) -> None:
    """Delete the exchanges of the cassette NAME that were never served in any of the runs reported on."""
    rules = rules_of(settings)
    with closing(open_store(settings.store, name)) as store:
        plan = plan_pruning(store, name, [Path(report) for report in reports], rules)
        for report, misses in zip(reports, plan.misses, strict=True):
            if misses:
                warn(f"chatproxy: {report}: that run missed {misses}; what it asked for may be among what is deleted")
        deleted, needed = len(plan.pruning.deleted), len(plan.pruning.needed)
        total = counted(plan.tally.count)
        if deleted and not confirmed(f"delete {deleted} of {total} of {name}?", yes=yes):
            say(f"chatproxy: {name} is as it was")
            return
        if deleted:
            carry_out(store, plan, rules, progress)
    stay = f", {needed} unused kept because others stand on {'it' if needed == 1 else 'them'}" if needed else ""
    say(f"chatproxy: pruned {name}: {deleted} of {total} deleted{stay}")


def confirmed(question: str, *, yes: bool) -> bool:
    """Ask the user and return the answer, which ``--yes`` gives beforehand; anything but y or yes is no."""
    if yes:
        return True
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        raise ConfigError("--yes", "is needed where nobody can be asked; nothing is deleted")
    click.echo(f"{question} [y/N] ", nl=False, err=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
