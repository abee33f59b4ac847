"""An engine with all that it decides by: its cassette, its sessions, its recording, and its report.

The server and the mitmproxy addon both put one of these behind their edge.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType

from chatproxy.cassettes.names import is_file, open_store
from chatproxy.clock import now
from chatproxy.config.settings import Settings
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.engine import Engine
from chatproxy.core.errors import ConfigError, MissError
from chatproxy.core.model import Headers, Mode
from chatproxy.core.record.recorder import Recorder
from chatproxy.core.replay.journal import Journal
from chatproxy.core.report.report import Report
from chatproxy.core.timeline.known import NO_VARIABLES
from chatproxy.files import make_way, write_json
from chatproxy.store import Existing, Recording, Store
from chatproxy.wiring.sessions import open_several, rules_of, sessions_of

Say = Callable[[str], None]
"""Shows one line to the user."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """An engine at work.

    ``recording`` is none where nothing is recorded, ``replayed`` where nothing is replayed, ``store`` where no store
    is open for either.
    """

    engine: Engine
    report: Report
    recording: Recording | None = None
    replayed: Cassette | None = None
    store: Store | None = None


@contextmanager
def assembled(
    mode: Mode,
    cassette: str | Cassette,
    settings: Settings,
    warn: Say,
    *,
    tied: str | None = None,
    on_miss: Callable[[MissError], None] | None = None,
    environ: Mapping[str, str] = NO_VARIABLES,
) -> Iterator[Assembly]:
    """Put an engine together; on leaving, a recording is ended and the report is written.

    ``cassette`` is a NAME, for replay also a FILE or a cassette that is open, for passthrough nothing. ``warn`` gets
    a line for what a user should know: what became of a recording, and every miss and every SID that is assumed to
    stand for another, unless ``on_miss`` is told of the misses, since a report follows then. With ``tied`` all requests
    belong to the session of that name. ``environ`` is the program's environment, where that is known.
    """
    name = cassette if isinstance(cassette, str) else cassette.name
    rules = rules_of(settings)
    make_way(settings.report, flag="--report")
    with ExitStack() as stack:
        store = _store(stack, mode, cassette, settings)
        recording = None
        if store is not None and mode.records:
            existing = Existing.APPEND if mode is Mode.AUTO else existing_of(settings)
            recording = _record(stack, store, name, existing, settings=settings, warn=warn)
        replayed = _replayed(stack, mode, cassette, settings, store)
        sessions = None
        if replayed:
            if replayed.declared is not None and settings.sids == "recorded":
                warn(f"chatproxy: --sids recorded: {_CANONICAL.format(name=replayed.name)}")
            sessions = sessions_of(replayed, settings, rules, is_auto=mode is Mode.AUTO, tied=tied, environ=environ)
        engine = Engine(
            settings.upstream,
            now,
            sessions=sessions,
            recorder=recorder_of(settings, recording) if recording else None,
            keep_urls=settings.urls == "keep",
            journal=Journal(settings.journal, settings.max_sessions),
            scrub=rules.scrub,
            on_miss=on_miss or (lambda miss: warn(f"chatproxy: miss: {miss}")),
            on_assumed=_untold if on_miss else (lambda live, recorded: warn(f"chatproxy: assumed: {live}={recorded}")),
        )
        report = Report(mode, replayed.name if replayed else name or None, engine, replayed)
        yield Assembly(engine, report, recording, replayed, store)
        content = report.content(whole=True) if settings.report else None  # while the cassette is open
    if settings.report is not None:  # a recording has ended well by now, whatever becomes of this file
        write_json(settings.report, content, flag="--report")


_CANONICAL = (
    "the SIDs of {name!r} are those of its fixture, as IMca765a4cadaca3670000000000000001: the same in every replay, "
    "and not those that were recorded"
)


def _untold(live: str, recorded: str) -> None:
    """Leave what is assumed to a report."""


def unsaid(miss: MissError) -> None:
    """Leave a miss to what is made of the report or of the answer."""


def leave(stack: ExitStack, *, well: bool) -> None:
    """Leave what was entered; a recording in it that did not go well stays as an interrupted one."""
    error = None if well else _InterruptedError()
    with suppress(_InterruptedError):
        stack.__exit__(type(error) if error else None, error, None)


class _InterruptedError(Exception):
    """Ends a recording that is not to stand under its name."""


def _store(stack: ExitStack, mode: Mode, cassette: str | Cassette, settings: Settings) -> Store | None:
    """Open the store if the mode needs it for this cassette; a FILE needs none."""
    if mode is Mode.PASSTHROUGH or not isinstance(cassette, str) or (mode is Mode.REPLAY and is_file(cassette)):
        return None
    store = open_store(settings.store, cassette) if mode is Mode.REPLAY else Store(settings.store)
    stack.callback(store.close)
    return store


def _replayed(
    stack: ExitStack, mode: Mode, cassette: str | Cassette, settings: Settings, store: Store | None
) -> Cassette | None:
    """Open what is replayed, if anything is."""
    if not mode.replays or not isinstance(cassette, str):
        return cassette if mode is Mode.REPLAY and not isinstance(cassette, str) else None
    if mode is Mode.AUTO and store is not None and store.find(cassette) is None:
        from chatproxy.core.cassette.memory import MemoryCassette  # noqa: PLC0415 - a replay needs none

        return MemoryCassette(cassette, [], rules_of(settings))  # the store has none before its first exchange
    (opened,) = open_several(stack, [cassette], settings, rules_of(settings), store)
    return opened


def _record(
    stack: ExitStack, store: Store, name: str, existing: Existing, *, settings: Settings, warn: Say
) -> Recording:
    """Begin a recording that ends well if all does, and else stays as it is."""
    recording = Recording(store, name, existing, now())
    for left in recording.superseded:
        warn(f"chatproxy: {left}, left of an interrupted recording, is deleted when this recording ends well")

    def end(kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            recording.abandon()
        elif recording.finish(rules_of(settings)) == 0:
            result = f"{name} is as it was" if store.find(name) else f"there is no cassette {name}"
            warn(f"chatproxy: nothing was recorded, {result}")

    stack.push(end)
    return recording


def recorder_of(settings: Settings, recording: Recording) -> Recorder:
    """Return what makes exchanges of traffic, numbered on from where a recording stands."""
    last_write, login = recording.last_write, _login_of_proxy(settings)
    return Recorder(recording.name, settings.upstream, recording.first_number, last_write, login)


def _login_of_proxy(settings: Settings) -> Headers:
    """Return the header field by which the proxy on the way to the upstream is told who asks, if it is."""
    proxy = settings.upstream_proxy
    if proxy is None or not proxy.user:
        return ()
    return ((b"Proxy-Authorization", b"Basic " + b64encode(f"{proxy.user}:{proxy.password}".encode())),)


def existing_of(settings: Settings) -> Existing:
    """Return what to do where a cassette of the name stands already."""
    if settings.append and settings.replace:
        raise ConfigError("--append", "contradicts --replace; give one of them")
    if settings.replace:
        return Existing.REPLACE
    return Existing.APPEND if settings.append else Existing.REFUSE
