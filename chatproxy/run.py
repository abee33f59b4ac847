"""The one place that wires parts together: a mode, its cassette, an engine, a server, and their end."""

import asyncio
import json
import os
import secrets
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from aiohttp import web

from chatproxy.config import Settings
from chatproxy.control import Control, is_loopback
from chatproxy.core.engine import Engine
from chatproxy.core.errors import ConfigError
from chatproxy.core.journal import Journal
from chatproxy.core.model import Mode
from chatproxy.core.recorder import Recorder
from chatproxy.core.report import Report
from chatproxy.files import remove_file, write_whole
from chatproxy.library import now
from chatproxy.replay import open_replayed, rules_of, sessions_of
from chatproxy.sandbox import Sandbox, SandboxSettings
from chatproxy.server import Limits, Proxy
from chatproxy.store import Existing, Recording, Store
from chatproxy.upstream import Upstream, UpstreamSettings
from chatproxy.values import Address

Say = Callable[[str], None]
"""Shows one line to the user."""


def run_server(server: AbstractAsyncContextManager["Running"], mode: str, ready_file: Path | None, say: Say) -> None:
    """Run a server on the fastest event loop there is, until SIGTERM or SIGINT.

    A second signal ends the process at once, as a crash would. The ready file is there while the server accepts.
    """

    async def main() -> None:
        _remove(ready_file)
        async with server as running:
            stopped = _on_signal()
            if ready_file is not None:
                token = {"token": running.token} if running.token else {}
                _write_ready_file(ready_file, {"url": running.url, "mode": mode, "pid": os.getpid()} | token)
            say(f"chatproxy: {mode} on {running.url}")
            if running.token:
                say(f"chatproxy: control token {running.token}")
            await stopped.wait()
            _remove(ready_file)
        if running.engine is not None:
            counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(running.engine.counts.items()))
            say(f"chatproxy: {mode} ended: {counts or 'no request came'}")

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main())


@contextmanager
def in_background(server: AbstractAsyncContextManager["Running"]) -> Iterator["Running"]:
    """Run a server in a thread of its own while the block lasts; what goes wrong in it is raised here."""
    started: Future[tuple[Running, Callable[[], object]]] = Future()

    async def main() -> None:
        stopped = asyncio.Event()
        async with server as running:
            loop = asyncio.get_running_loop()
            started.set_result((running, lambda: loop.call_soon_threadsafe(stopped.set)))
            await stopped.wait()

    def work() -> None:
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(main())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    with ThreadPoolExecutor(1, "chatproxy-server") as pool:
        ended = pool.submit(work)
        running, stop = started.result()
        try:
            yield running
        finally:
            stop()
            ended.result()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


def _on_signal() -> asyncio.Event:
    """Return an event that SIGTERM or SIGINT sets; the signal after it is left to the system."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopped.set()
        for number in _STOPPING:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in _STOPPING:
        loop.add_signal_handler(number, stop)
    return stopped


_STOPPING = (signal.SIGTERM, signal.SIGINT)


def _write_ready_file(path: Path, content: dict[str, object]) -> None:
    """Write the file whole, so that who waits for it never reads a part; only its owner may read a token."""
    permissions = 0o600 if "token" in content else None
    write_whole(path, json.dumps(content) + "\n", permissions=permissions, flag="--ready-file")


def _remove(ready_file: Path | None) -> None:
    if ready_file is not None:
        remove_file(ready_file, flag="--ready-file")


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts connections at ``url``; ``engine`` is none for the sandbox.

    ``token`` is what the control API demands, where others than this machine can connect.
    """

    url: str
    engine: Engine | None = None
    token: str | None = None


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
async def proxy(mode: Mode, cassette: str, settings: Settings, warn: Say) -> AsyncIterator[Running]:
    """Serve the proxy; on leaving, requests in flight are answered first, then a recording is ended and reported.

    ``cassette`` is a NAME, for replay also a FILE, for passthrough nothing. ``warn`` gets a line for what a
    user should know: every miss, and what became of a recording.
    """
    rules = rules_of(settings)
    _make_way(settings.report)
    async with AsyncExitStack() as stack:
        recording = replayed = upstream = None
        if mode in {Mode.RECORD, Mode.AUTO}:
            recording = _record(stack, cassette, mode, settings, warn)
        if mode is Mode.AUTO and recording is not None:
            replayed = recording.store.open(cassette, rules)
        if mode is Mode.REPLAY:
            replayed = open_replayed(stack, cassette, settings, rules)
        else:
            upstream = await stack.enter_async_context(Upstream(upstream_settings(settings)))
        engine = Engine(
            settings.upstream,
            now,
            sessions=sessions_of(replayed, settings, rules, is_auto=mode is Mode.AUTO) if replayed else None,
            recorder=Recorder(cassette, settings.upstream, recording.first_number) if recording else None,
            keep_urls=settings.urls == "keep",
            journal=Journal(settings.journal, settings.max_sessions),
            scrub=rules.scrub,
            on_miss=lambda miss: warn(f"chatproxy: miss: {miss}"),
        )
        report = Report(mode, replayed.name if replayed else cassette or None, engine, replayed)
        token = None if is_loopback(settings.listen.host) else secrets.token_urlsafe()
        server = Proxy(
            engine,
            _limits(settings),
            upstream=upstream,
            keep=recording.keep if recording else None,
            control=Control(report, settings.listen.host, token),
        )
        async with _listening(server, settings.listen, "--listen", settings.upstream_timeout + _GRACE) as url:
            yield Running(url, engine, token)
        content = report.content(whole=True) if settings.report else None  # while the cassette is open
    if settings.report is not None:  # a recording has ended well by now, whatever becomes of this file
        write_whole(settings.report, json.dumps(content, indent=2, ensure_ascii=False) + "\n", flag="--report")


_GRACE = 5.0
"""How many seconds longer than an answer may take requests in flight get at the end."""


def _make_way(report: Path | None) -> None:
    """Remove the report of an earlier run, and refuse at once a place where none can be written."""
    if report is None:
        return
    write_whole(report, "", flag="--report")
    remove_file(report, flag="--report")


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
