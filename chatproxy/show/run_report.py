"""What came of a run of a program: as text, as JUnit test cases, and as annotations of GitHub Actions."""

from collections.abc import Iterator

from chatproxy.core.model import Outcome
from chatproxy.core.report.report import RunOutcome
from chatproxy.core.text.excerpts import counted
from chatproxy.environment import URL
from chatproxy.show.junit import Case

_NOTHING = "no request came (does the command use {}?)"
_IDLE = "no request came to the replay; --allow-idle takes that for a success"
_SHOWN = 20
"""How many unused exchanges are shown as text."""


def lines(outcome: RunOutcome, ways: str = URL, *, is_idle: bool = False) -> Iterator[str]:
    """Show the counts, then a line for each thing to be told: assumed SIDs, misses, errors, and what was never served.

    Before them stands whether the cassette holds several runs now. ``ways`` are the variables by which the command
    finds the proxy; a run ``is_idle`` that fails for want of requests.
    """
    counts = [_count(outcome, what, count) for what, count in outcome.counts.items()] or [_NOTHING.format(ways)]
    if outcome.mode.replays:
        counts.append(f"{outcome.unused_total} of {counted(outcome.exchanges)} unused")
    cassette = f" {outcome.cassette}" if outcome.cassette else ""
    yield f"{outcome.mode}{cassette}: {', '.join(counts)}"
    yield from (f"{mixture}; --replace records it anew" for mixture in [outcome.mixture] if mixture)
    yield from (f"assumed: {live}={recorded}" for live, recorded in outcome.assumed.items())
    yield from (f"miss: {miss.text}" for miss in outcome.misses)
    yield from (f"error: {error.text}" for error in outcome.errors)
    if is_idle:
        yield f"error: {_IDLE}"
    if outcome.mode.replays:
        for number, request in list(outcome.unused.items())[:_SHOWN]:
            yield f"unused: {outcome.cassette}/{number} {request}"
        if outcome.unused_total > _SHOWN:
            yield f"unused: and {outcome.unused_total - _SHOWN} more"


def _count(outcome: RunOutcome, what: str, count: int) -> str:
    """Show how many requests had an outcome, and how many of the misses only follow from others."""
    follow = f" ({outcome.following} following from another)" if what == Outcome.MISS and outcome.following else ""
    return f"{count} {what}{follow}"


def cases(
    outcome: RunOutcome, command: str, status: int, *, fail_on_unused: bool, ways: str = URL, is_idle: bool = False
) -> Iterator[Case]:
    """Yield test cases: the command itself, each miss, each error, and each exchange that was never served."""
    suite = outcome.cassette or outcome.mode.value
    what_failed = f"exit status {status}" if status else _IDLE
    failure = (what_failed, "\n".join(lines(outcome, ways, is_idle=is_idle))) if status or is_idle else None
    yield Case(suite, command, failure=failure)
    for what, troubles in ((Outcome.MISS, outcome.misses), (Outcome.ERROR, outcome.errors)):
        for trouble in troubles:
            message = what if trouble.follows is None else f"{what}, follows from the miss of {trouble.follows}"
            yield Case(suite, trouble.request, failure=(message, trouble.text))
    if not outcome.mode.replays:
        return
    for number, request in outcome.unused.items():
        name = f"{suite}/{number} {request}"
        yield Case(suite, name, **({"failure": _UNUSED} if fail_on_unused else {"skipped": _UNUSED[0]}))


_UNUSED = ("never served", "no request of this run was answered by this exchange")


def annotations(outcome: RunOutcome, *, is_idle: bool = False) -> Iterator[str]:
    """Yield the workflow commands that show each miss as an error of the run, and that no request came.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    title = _escaped(f"chatproxy: miss in {outcome.cassette}").replace(":", "%3A").replace(",", "%2C")
    yield from (f"::error title={title}::{_escaped(miss.text)}" for miss in outcome.misses)
    if is_idle:
        yield f"::error title=chatproxy::{_escaped(f'{outcome.cassette}: {_IDLE}')}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
