"""An engine with all that it decides by: its cassette, its sessions, its recording, and its report.

The server and the mitmproxy addon both put one of these behind their edge.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType

from chatproxy.config import Settings
from chatproxy.core.cassette import Cassette
from chatproxy.core.engine import Engine
from chatproxy.core.errors import ConfigError, MissError
from chatproxy.core.journal import Journal
from chatproxy.core.model import Mode
from chatproxy.core.recorder import Recorder
from chatproxy.core.report import Report
from chatproxy.files import make_way, write_json
from chatproxy.library import now
from chatproxy.replay import open_replayed, rules_of, sessions_of
from chatproxy.store import Existing, Recording, Store

Say = Callable[[str], None]
"""Shows one line to the user."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """An engine at work; ``recording`` is none where nothing is recorded, ``replayed`` where nothing is replayed."""

    engine: Engine
    report: Report
    recording: Recording | None = None
    replayed: Cassette | None = None


@contextmanager
def assembled(
    mode: Mode,
    cassette: str | Cassette,
    settings: Settings,
    warn: Say,
    *,
    tied: str | None = None,
    on_miss: Callable[[MissError], None] | None = None,
) -> Iterator[Assembly]:
    """Put an engine together; on leaving, a recording is ended and the report is written.

    ``cassette`` is a NAME, for replay also a FILE or a cassette that is open, for passthrough nothing. ``warn`` gets
    a line for what a user should know: what became of a recording, and every miss, unless ``on_miss`` is told of
    these. With ``tied`` all requests belong to the session of that name.
    """
    name = cassette if isinstance(cassette, str) else cassette.name
    rules = rules_of(settings)
    make_way(settings.report, flag="--report")
    with ExitStack() as stack:
        recording = replayed = None
        if mode in {Mode.RECORD, Mode.AUTO}:
            recording = _record(stack, name, mode, settings, warn)
        if mode is Mode.AUTO and recording is not None:
            replayed = recording.store.open(name, rules)
        if mode is Mode.REPLAY:
            replayed = open_replayed(stack, cassette, settings, rules) if isinstance(cassette, str) else cassette
        engine = Engine(
            settings.upstream,
            now,
            sessions=sessions_of(replayed, settings, rules, is_auto=mode is Mode.AUTO, tied=tied) if replayed else None,
            recorder=Recorder(name, settings.upstream, recording.first_number) if recording else None,
            keep_urls=settings.urls == "keep",
            journal=Journal(settings.journal, settings.max_sessions),
            scrub=rules.scrub,
            on_miss=on_miss or (lambda miss: warn(f"chatproxy: miss: {miss}")),
        )
        report = Report(mode, replayed.name if replayed else name or None, engine, replayed)
        yield Assembly(engine, report, recording, replayed)
        content = report.content(whole=True) if settings.report else None  # while the cassette is open
    if settings.report is not None:  # a recording has ended well by now, whatever becomes of this file
        write_json(settings.report, content, flag="--report")


def _record(stack: ExitStack, name: str, mode: Mode, settings: Settings, warn: Say) -> Recording:
    """Begin a recording that ends well if all does, and else stays as it is."""
    existing = Existing.APPEND if mode is Mode.AUTO else _existing(settings)
    store = Store(settings.store)
    stack.callback(store.close)
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


def _existing(settings: Settings) -> Existing:
    if settings.append and settings.replace:
        raise ConfigError("--append", "contradicts --replace; give one of them")
    if settings.replace:
        return Existing.REPLACE
    return Existing.APPEND if settings.append else Existing.REFUSE
