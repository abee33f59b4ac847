"""The one place that wires parts together: a mode, its cassette, an engine, a server, and their end."""

import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType

from aiohttp import web

from chatproxy.config import Settings
from chatproxy.control import Control, is_loopback
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
from chatproxy.sandbox import Sandbox, SandboxSettings
from chatproxy.server import Limits, Proxy
from chatproxy.store import Existing, Recording, Store
from chatproxy.upstream import Upstream, UpstreamSettings
from chatproxy.values import Address

Say = Callable[[str], None]
"""Shows one line to the user."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts connections at ``url``; ``engine`` and ``report`` are none for the sandbox.

    ``token`` is what the control API demands, where others than this machine can connect.
    """

    url: str
    engine: Engine | None = None
    token: str | None = None
    report: Report | None = None


@asynccontextmanager
async def sandbox(settings: Settings) -> AsyncIterator[Running]:
    """Serve the sandbox."""
    api = Sandbox(
        SandboxSettings(
            seed=settings.sandbox_seed,
            latency=settings.sandbox_latency,
            fail_rate=settings.sandbox_fail_rate,
            start_time=settings.sandbox_start_time,
        )
    )
    longest = settings.sandbox_latency[1] + _GRACE
    async with _listening(web.Server(api.handle, access_log=None), settings.sandbox_listen, "--listen", longest) as url:
        yield Running(url)


@asynccontextmanager
async def proxy(
    mode: Mode,
    cassette: str | Cassette,
    settings: Settings,
    warn: Say,
    *,
    tied: str | None = None,
    on_miss: Callable[[MissError], None] | None = None,
) -> AsyncIterator[Running]:
    """Serve the proxy; on leaving, requests in flight are answered first, then a recording is ended and reported.

    ``cassette`` is a NAME, for replay also a FILE or a cassette that is open, for passthrough nothing. ``warn`` gets
    a line for what a user should know: what became of a recording, and every miss, unless ``on_miss`` is told of
    these. With ``tied`` all requests belong to the session of that name.
    """
    name = cassette if isinstance(cassette, str) else cassette.name
    rules = rules_of(settings)
    make_way(settings.report, flag="--report")
    async with AsyncExitStack() as stack:
        recording = replayed = upstream = None
        if mode in {Mode.RECORD, Mode.AUTO}:
            recording = _record(stack, name, mode, settings, warn)
        if mode is Mode.AUTO and recording is not None:
            replayed = recording.store.open(name, rules)
        if mode is Mode.REPLAY:
            replayed = open_replayed(stack, cassette, settings, rules) if isinstance(cassette, str) else cassette
        else:
            upstream = await stack.enter_async_context(Upstream(upstream_settings(settings)))
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
        token = None if is_loopback(settings.listen.host) else secrets.token_urlsafe()
        server = Proxy(
            engine,
            _limits(settings),
            upstream=upstream,
            keep=recording.keep if recording else None,
            control=Control(report, settings.listen.host, token),
        )
        async with _listening(server, settings.listen, "--listen", settings.upstream_timeout + _GRACE) as url:
            yield Running(url, engine, token, report)
        content = report.content(whole=True) if settings.report else None  # while the cassette is open
    if settings.report is not None:  # a recording has ended well by now, whatever becomes of this file
        write_json(settings.report, content, flag="--report")


_GRACE = 5.0
"""How many seconds longer than an answer may take requests in flight get at the end."""


def _record(stack: AsyncExitStack, name: str, mode: Mode, settings: Settings, warn: Say) -> Recording:
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


def upstream_settings(settings: Settings) -> UpstreamSettings:
    """Return how the upstream is asked."""
    return UpstreamSettings(
        origin=settings.upstream,
        ca_file=settings.upstream_ca,
        max_body=settings.max_body,
        connect_timeout=settings.connect_timeout,
        timeout=settings.upstream_timeout,
        max_connections=settings.max_connections,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_body=settings.max_body,
        max_header=settings.max_header,
        max_connections=settings.max_connections,
        client_timeout=settings.client_timeout,
    )


@asynccontextmanager
async def _listening(server: web.Server, address: Address, flag: str, patience: float) -> AsyncIterator[str]:
    """Listen, and give the URL; on leaving, let requests in flight be answered for so many seconds."""
    runner = web.ServerRunner(server, shutdown_timeout=patience)
    await runner.setup()
    try:
        try:
            site = web.TCPSite(runner, address.host or None, address.port, backlog=1024)
            await site.start()
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or error
            raise ConfigError(flag, f"cannot listen on {address.host}:{address.port}: {reason}") from error
        yield _url(address.host, _port(runner.addresses))
    finally:
        await runner.cleanup()


def _port(addresses: list[tuple[str, int]]) -> int:
    """Return the port that was bound, IPv4's if a free one was taken for each family."""
    return min(addresses, key=len)[1]


def _url(host: str, port: int) -> str:
    """Return the URL for clients; one that listens on all addresses is reached by the loopback's."""
    reached = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
