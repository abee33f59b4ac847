"""Servers: an assembled engine, or the sandbox, behind a listener; and their end."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from chatproxy.config.addresses import Listener, SocketFile
from chatproxy.config.settings import Settings
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.engine import Engine
from chatproxy.core.errors import ConfigError, MissError
from chatproxy.core.model import Mode
from chatproxy.core.report.report import Report
from chatproxy.core.timeline.known import NO_VARIABLES
from chatproxy.core.twilio.visitors import Visitors, visitors
from chatproxy.outside import reason
from chatproxy.serve.accepting import accepting
from chatproxy.serve.bound import bound
from chatproxy.serve.connection import Server, guarded
from chatproxy.serve.control import Control
from chatproxy.serve.control_token import is_loopback, token_of
from chatproxy.serve.proxy import Limits, Proxy
from chatproxy.upstream import Upstream
from chatproxy.wiring.assembly import Say, assembled
from chatproxy.wiring.upstream import upstream_settings


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts connections at ``url``; ``engine`` and ``report`` are none for the sandbox.

    ``url`` is the address that is listened on. ``token`` is what the control API demands, where it was made for that.
    """

    url: str
    engine: Engine | None = None
    token: str | None = None
    report: Report | None = None


@asynccontextmanager
async def sandbox(settings: Settings) -> AsyncIterator[Running]:
    """Serve the sandbox."""
    from chatproxy.sandbox import Sandbox, SandboxSettings  # noqa: PLC0415 - a tenth of what a replay would load

    api = Sandbox(
        SandboxSettings(
            seed=settings.sandbox_seed,
            latency=settings.sandbox_latency,
            fail_rate=settings.sandbox_fail_rate,
            start_time=settings.sandbox_start_time,
        )
    )
    longest = settings.sandbox_latency[1] + _GRACE
    server = Server(guarded(api.handle, _visitors(settings, settings.sandbox_listen)))
    async with _listening(server, settings.sandbox_listen, longest) as url:
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
    environ: Mapping[str, str] = NO_VARIABLES,
) -> AsyncIterator[Running]:
    """Serve the proxy; on leaving, requests in flight are answered first, then a recording is ended and reported.

    The arguments are those of ``assembled``.
    """
    token = token_of(settings)
    async with AsyncExitStack() as stack:
        assembly = stack.enter_context(
            assembled(mode, cassette, settings, warn, tied=tied, on_miss=on_miss, environ=environ)
        )
        upstream, most = None, 0
        if mode is not Mode.REPLAY:
            asked = upstream_settings(settings)
            upstream, most = await stack.enter_async_context(Upstream(asked)), asked.max_connections
        engine, report = assembly.engine, assembly.report
        taken = _visitors(settings, settings.listen, settings.public_url)
        server = Proxy(
            engine,
            _limits(settings),
            upstream=upstream,
            keep=assembly.recording.keep if assembly.recording else None,
            control=Control(report, taken, token.value),
            visitors=taken,
        )
        async with _listening(server, settings.listen, settings.upstream_timeout + _GRACE, most) as url:
            yield Running(url, engine, token.value if token.is_made else None, report)
        if mode is Mode.AUTO:  # what it has made of its cassette is to be said
            report.end()


_GRACE = 5.0
"""How many seconds longer than an answer may take requests in flight get at the end."""


def _visitors(settings: Settings, place: Listener, public: str | None = None) -> Visitors:
    """Return whose requests a server takes that listens here; to a socket in the file system no browser connects."""
    host = "" if isinstance(place, SocketFile) else place.host
    return visitors(host, settings.allow_host, settings.upstream, is_loopback=is_loopback(host), public=public)


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_body=settings.max_body,
        max_header=settings.max_header,
        max_connections=settings.max_connections,
        client_timeout=settings.client_timeout,
    )


@asynccontextmanager
async def _listening(server: web.Server, place: Listener, patience: float, upstream: int = 0) -> AsyncIterator[str]:
    """Listen, and give the URL; on leaving, let requests in flight be answered for so many seconds.

    ``upstream`` is how many connections to the upstream the server may need at once.
    """
    runner = web.ServerRunner(server, shutdown_timeout=patience)
    await runner.setup()
    try:
        with ExitStack() as stack:
            try:
                sockets = await asyncio.to_thread(bound, stack, place)
            except OSError as error:
                raise ConfigError("--listen", f"cannot listen on {_shown(place)}: {reason(error)}") from error
            async with accepting(sockets, server, upstream):
                yield _url(place, sockets)
    finally:
        await runner.cleanup()


def _shown(place: Listener) -> str:
    return f"unix:{place.path}" if isinstance(place, SocketFile) else f"{place.host}:{place.port}"


def _url(place: Listener, sockets: Sequence[socket.socket]) -> str:
    """Return the URL for clients; one that listens on all addresses is reached by the loopback's."""
    if isinstance(place, SocketFile):
        return _shown(place)
    port = sockets[0].getsockname()[1]
    reached = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(place.host, place.host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
