"""The commands that look into cassettes."""

import os
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import click

from chatproxy.cassettes.leak_gate import ADVICE, findings, gate_of, leaks_of
from chatproxy.cassettes.merge_driver import merge
from chatproxy.cassettes.names import files_of, has_store
from chatproxy.cassettes.transfer import check_if_fixture
from chatproxy.cli.options import FINDINGS, MATCHING, SIDS, epilog, options
from chatproxy.cli.streams import say, standard_input, warn
from chatproxy.clock import now
from chatproxy.config.settings import Settings
from chatproxy.core.errors import CassetteError, ChatproxyError, LeakError
from chatproxy.core.http.request_text import read_http
from chatproxy.core.replay.explain import explain as explain_request
from chatproxy.core.review.comparison import compare, summary
from chatproxy.core.review.findings import Severity
from chatproxy.core.text.excerpts import counted
from chatproxy.show.differences import review_json, review_text
from chatproxy.show.explanation import explanation_json, explanation_text
from chatproxy.show.known_sids import bind_block
from chatproxy.store import Store
from chatproxy.wiring.sessions import open_replayed, open_several, rules_of, sessions_of


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


@click.command(epilog=epilog("chatproxy sids cassettes/checkout.json >> chatproxy.toml"))
@click.argument("cassette", metavar="NAME|FILE")
@options(*MATCHING)
def sids(cassette: str, settings: Settings) -> None:
    """Print the known SIDs of a cassette as the block for `bind` that another environment fills in."""
    with ExitStack() as stack:
        replayed = open_replayed(stack, cassette, settings, rules_of(settings))
        shown = bind_block(replayed)
    say(shown)


@click.command(epilog=epilog("chatproxy diff checkout cassettes/checkout.json"))
@click.argument("a", metavar="NAME|FILE")
@click.argument("b", metavar="NAME|FILE")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@options(*MATCHING, "fail-on")
def diff(a: str, b: str, as_json: bool, settings: Settings) -> None:
    """Show in what two cassettes differ, SIDs and times aside."""
    rules = rules_of(settings)
    with ExitStack() as stack:
        one, other = open_several(stack, (a, b), settings, rules)
        found = list(compare(one, other, rules))
    say(review_json(found, a, b) if as_json else review_text(found))
    if summary(found).reaches(Severity(settings.fail_on)):
        sys.exit(FINDINGS)


@click.command("merge-driver", epilog=epilog('git config merge.chatproxy.driver "chatproxy merge-driver %O %A %B %P"'))
@click.argument("base")
@click.argument("ours")
@click.argument("theirs")
@click.argument("path", required=False)
@options("match-headers", "ignore")
def merge_driver(base: str, ours: str, theirs: str, path: str | None, settings: Settings) -> None:
    """Merge fixtures for git: take the side that changed; if both did, leave OURS and say so."""
    merge(Path(base), Path(ours), Path(theirs), path or ours, rules_of(settings))


@click.command(epilog=epilog("chatproxy check cassettes"))
@click.argument("files", metavar="[FILE|FOLDER...]", nargs=-1)
@click.option("--store", "whole_store", is_flag=True, help="read all of the store for damage, in place of files")
@options("allow", "strict")
def check(files: tuple[str, ...], whole_store: bool, settings: Settings) -> None:
    """Look for secrets in files, whether fixtures or others, and show where they stand; read fixtures whole.

    A folder stands for all below it that ends in .json.
    The exit status is 5 if there are any. With --store, look for damage in the store, and show what is damaged.
    """
    if whole_store == bool(files):
        raise click.UsageError("give files, or --store alone")
    if whole_store:
        _check_store(settings.store)
    else:
        _check_files(files, settings)


def _check_store(folder: Path) -> None:
    if not has_store(folder):
        say(f"chatproxy: no cassettes in {folder}")
        return
    with closing(Store(folder, prove=True)) as store:
        found = store.inspect()
    for flaw in found.flaws:
        say(f"{folder}: {flaw} is damaged")
    if found.flaws:
        raise CassetteError(
            str(folder), "is damaged; the lines before say where: rm these cassettes, then import or record them again"
        )
    anew = ", what was compiled is damaged and is compiled anew" if found.spoilt else ""
    say(f"chatproxy: no damage in {folder}: {found.cassettes} cassettes, {counted(found.exchanges)}{anew}")


def _check_files(given: tuple[str, ...], settings: Settings) -> None:
    gate = gate_of(settings.allow, settings.strict, os.environ)
    files, unread = _files(given)
    count, total = 0, len(files) + unread
    for file in files:
        try:
            for leak in leaks_of(Path(file), gate):
                say(f"{file}:{leak}")
                count += 1
            check_if_fixture(Path(file))
        except CassetteError as error:
            warn(f"chatproxy: {error}")
            unread += 1
    if unread:
        raise ChatproxyError(f"{findings(count)}, but {unread} of {total} files could not be read")
    if count:
        raise LeakError(f"{findings(count)}; {ADVICE}")
    of_folders = f": {counted(total, 'file')}" if files != list(given) else ""
    say(f"chatproxy: no findings in {', '.join(given)}{of_folders}")


def _files(given: tuple[str, ...]) -> tuple[list[str], int]:
    """Return the files that are meant, and how many folders could not be read, of which it warns."""
    files, unread = [], 0
    for one in given:
        try:
            files += files_of([one])
        except CassetteError as error:
            warn(f"chatproxy: {error}")
            unread += 1
    return files, unread
