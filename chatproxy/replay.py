"""A replay as the settings want it: its cassette, its rules, and its sessions."""

from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chatproxy.config import Settings
from chatproxy.core.bindings import Bindings, Choice, Given, Owner
from chatproxy.core.cassette import Cassette
from chatproxy.core.clock import SessionClock
from chatproxy.core.normalize import Rules
from chatproxy.core.scrubrules import Scrub
from chatproxy.core.session import DEFAULT, Session
from chatproxy.core.sessions import Sessions
from chatproxy.library import is_file, now, open_file, open_store


def rules_of(settings: Settings) -> Rules:
    """Return what shapes keys, and what is scrubbed."""
    return Rules(settings.match_headers, settings.ignore, Scrub(settings.scrub, settings.salt or ""))


def open_replayed(stack: ExitStack | AsyncExitStack, argument: str, settings: Settings, rules: Rules) -> Cassette:
    """Open what is to be replayed, a NAME or a FILE; ``stack`` closes it."""
    if not is_file(argument):
        store = open_store(settings.store, argument)
        stack.callback(store.close)
        return store.open(argument, rules)
    cassette, cache = open_file(Path(argument), settings.store, rules, now())
    if cache is not None:
        stack.callback(cache.close)
    return cassette


def open_compared(
    stack: ExitStack | AsyncExitStack, arguments: tuple[str, str], settings: Settings, rules: Rules
) -> tuple[Cassette, Cassette]:
    """Open two cassettes, each a NAME or a FILE; ``stack`` closes them. Two NAMEs share a store, which is open once."""
    one, other = arguments
    if is_file(one) or is_file(other):
        return open_replayed(stack, one, settings, rules), open_replayed(stack, other, settings, rules)
    store = open_store(settings.store, one)
    stack.callback(store.close)
    return store.open(one, rules), store.open(other, rules)


def sessions_of(replayed: Cassette, settings: Settings, rules: Rules, *, is_auto: bool = False) -> Sessions:
    """Hold the sessions of a replay.

    Auto has one, since the upstream that it asks has one state, and serves all as recorded, since that upstream knows
    only those SIDs.
    """
    clock = "recorded" if is_auto else settings.clock
    recorded = is_auto or settings.sids == "recorded"
    choice = Choice(settings.seed, recorded, settings.keep, settings.bind)
    given = Given()

    def begin(name: str, restarts: int) -> Session:
        sids = Bindings(replayed, rules, choice, Owner(name, restarts), given)
        return Session(replayed, rules, name, restarts, _clock(clock, replayed), sids=sids)

    return Sessions(
        begin,
        tied=DEFAULT if is_auto else None,
        by_user=settings.sessions == "user",
        bound=settings.max_sessions,
        idle=int(settings.session_idle * 10**6),
        restart=settings.on_exhausted == "restart",
    )


def _clock(clock: str | datetime, cassette: Cassette) -> SessionClock | None:
    """Make a session's clock, or none where times are served as recorded."""
    if isinstance(clock, datetime):
        begin = (clock - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        return SessionClock(begin, cassette.begun, stands=True)
    return SessionClock(now(), cassette.begun) if clock == "now" else None
