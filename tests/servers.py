"""Real servers on free loopback ports for tests: the proxy, and an upstream that answers as a test says."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from chatproxy.config.settings import Settings, load
from chatproxy.config.values import Address

FREE = Address("127.0.0.1", 0)
NAMES = frozenset({"a", "here.test"})
"""By which tests call servers besides their address, where they write requests as bytes."""


def settings(folder: Path, **changes: object) -> Settings:
    """Return the default settings with a store in this folder, on free ports."""
    base = replace(load({}, {}, folder), store=folder / "store", listen=FREE, sandbox_listen=FREE, allow_host=NAMES)
    return replace(base, **changes)  # type: ignore[arg-type]


Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def upstream(handler: Handler) -> AsyncIterator[str]:
    """Serve a handler, and give its origin."""
    runner = web.ServerRunner(web.Server(handler, lingering_time=0.1, auto_decompress=False))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site.port}"
    finally:
        await runner.cleanup()


async def raw(url: str, text: bytes, *, half_close: bool = False) -> bytes:
    """Send bytes over a connection of their own, and return all that comes back until the server closes it."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(text)
    if half_close:
        writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()
        await writer.wait_closed()


def accepts(url: str) -> bool:
    """Tell whether a server listens at this URL."""
    host, port = url.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port))).close()
    except ConnectionRefusedError:
        return False
    return True
