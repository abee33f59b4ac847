"""A replay as the settings want it: its cassette, its rules, and its sessions."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chatproxy.cassettes.names import is_file, open_store
from chatproxy.clock import now
from chatproxy.config.settings import Settings
from chatproxy.config.values import NO_ASSUMPTION
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.matching.rules import Rules
from chatproxy.core.replay.bindings import Bindings, Choice, Given, Owner
from chatproxy.core.replay.session import DEFAULT, Session
from chatproxy.core.replay.sessions import Sessions
from chatproxy.core.scrubbing.rules import Scrub
from chatproxy.core.time.session_clock import SessionClock
from chatproxy.core.time.timestamps import SECOND
from chatproxy.core.timeline.known import NO_VARIABLES
from chatproxy.store import Store


def rules_of(settings: Settings) -> Rules:
    """Return what shapes keys, and what is scrubbed."""
    return Rules(settings.match_headers, settings.ignore, Scrub(settings.scrub, settings.salt or ""))


def open_replayed(stack: ExitStack | AsyncExitStack, argument: str, settings: Settings, rules: Rules) -> Cassette:
    """Open what is to be replayed, a NAME or a FILE; ``stack`` closes it."""
    (cassette,) = open_several(stack, [argument], settings, rules)
    return cassette


def open_several(
    stack: ExitStack | AsyncExitStack,
    arguments: Sequence[str],
    settings: Settings,
    rules: Rules,
    store: Store | None = None,
) -> list[Cassette]:
    """Open cassettes, each a NAME or a FILE; ``stack`` closes them. A store that is open already is given."""
    files = _files(stack, [Path(argument) for argument in arguments if is_file(argument)], settings, rules)
    opened = []
    for argument in arguments:
        if is_file(argument):
            opened.append(files[Path(argument)])
            continue
        if store is None:
            store = open_store(settings.store, argument)
            stack.callback(store.close)
        opened.append(store.open(argument, rules))
    return opened


def _files(
    stack: ExitStack | AsyncExitStack, paths: Sequence[Path], settings: Settings, rules: Rules
) -> dict[Path, Cassette]:
    if not paths:
        return {}
    from chatproxy.cassettes.transfer import open_cache, open_file  # noqa: PLC0415 - a fifth of what a replay would load

    cache = open_cache(settings.store)
    if cache is not None:
        stack.callback(cache.close)
    return {path: open_file(path, cache, rules, now()) for path in paths}


def sessions_of(
    replayed: Cassette,
    settings: Settings,
    rules: Rules,
    *,
    is_auto: bool = False,
    tied: str | None = None,
    environ: Mapping[str, str] = NO_VARIABLES,
) -> Sessions:
    """Hold the sessions of a replay.

    Auto has one, since the upstream that it asks has one state, and serves all as recorded, since that upstream knows
    only those SIDs. With ``tied`` there is only the session of that name. ``environ`` is the program's environment,
    where that is known.
    """
    clock = "recorded" if is_auto else settings.clock
    recorded = is_auto or settings.sids == "recorded"
    choice = Choice(
        settings.seed, recorded, settings.keep, settings.bind, environ, assumes=NO_ASSUMPTION not in settings.bind
    )
    given = Given()

    def begin(name: str, restarts: int) -> Session:
        sids = Bindings(replayed, choice, Owner(name, restarts), given)
        is_tied, skips = tied is not None, settings.skipped == "done" and not is_auto
        return Session(replayed, rules, name, restarts, _clock(clock, replayed), sids=sids, tied=is_tied, skips=skips)

    return Sessions(
        begin,
        tied=DEFAULT if is_auto else tied,
        by_user=settings.sessions == "user",
        bound=settings.max_sessions,
        idle=int(settings.session_idle * 10**6),
        restart=settings.on_exhausted == "restart",
    )


def _clock(clock: str | datetime, cassette: Cassette) -> SessionClock | None:
    """Make a session's clock, or none where times are served as recorded."""
    if isinstance(clock, datetime):
        begin = (clock - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        return SessionClock(begin, stands=True)
    if clock == "shift":
        begin = now()
        return SessionClock(begin, shift=begin // SECOND - cassette.times.last)
    return SessionClock(now()) if clock == "now" else None
