import asyncio
import resource
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from aiohttp import encode_basic_auth
from cli.commands import DEMO
from integration.processes import Server, Workplace
from integration.twilio_clients import ACCOUNT, CHANNEL, SERVICE, TOKEN
from servers import raw

from chatproxy.config.values import Address
from chatproxy.serve.accepting import accepting
from chatproxy.serve.bound import bound


@contextmanager
def few_descriptors(count: int) -> Iterator[None]:
    """What is started here may open so many descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def created(port: int, *, close: bool = False) -> bytes:
    end = "Connection: close\r\n" if close else ""
    return (
        f"POST /v1/Services/{SERVICE}/Channels/{CHANNEL}/Messages HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: {encode_basic_auth(ACCOUNT, TOKEN)}\r\n{end}Content-Length: 6\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\nBody=a"
    ).encode()


async def statuses(server: Server, count: int = 100) -> Counter[bytes]:
    """Connect so many clients at once, each of which keeps its connection for a moment after its answer."""

    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(created(server.port))
        line = await asyncio.wait_for(reader.readline(), 30)
        await asyncio.sleep(0.1)
        writer.close()
        return line[9:12]

    found = await asyncio.gather(*(ask() for _ in range(count)))
    assert (await raw(server.url, created(server.port, close=True)))[9:12] == found[0]
    return Counter(found)


def said(server: Server) -> list[str]:
    return [line for line in server.stop().splitlines() if ": miss: " not in line]


@pytest.mark.process
@pytest.mark.parametrize("mode", ["replay", "sandbox", "record", "passthrough"])
async def test_where_descriptors_run_out_clients_wait_and_it_is_said_once(tmp_path: Path, mode: str) -> None:
    place = Workplace(tmp_path, fresh=True)
    with Workplace(tmp_path).sandbox("--latency", "0.02:0.02") as upstream:
        arguments = {"replay": (DEMO,), "record": ("many", "--upstream", upstream.url)}
        arguments["passthrough"] = ("--upstream", upstream.url)
        with few_descriptors(64):
            serving = place.serving(mode, *arguments.get(mode, ()))
            server = serving.__enter__()
        try:
            assert await statuses(server) == {b"424" if mode == "replay" else b"201": 100}
            lines = said(server)
        finally:
            serving.__exit__(None, None, None)
    assert lines[1] == (
        "chatproxy: descriptors run out: further clients wait until a connection ends; raise ulimit -n, now 64"
    )
    assert len(lines) <= 3  # the last one is that of the end


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"here")
        transport.close()


@asynccontextmanager
async def listening(host: str, port: int = 0) -> AsyncIterator[list[tuple[str, int]]]:
    with ExitStack() as stack:
        sockets = bound(stack, Address(host, port))
        async with accepting(sockets, Echo, 0):
            yield [one.getsockname()[:2] for one in sockets]


async def test_each_address_of_a_host_is_listened_on() -> None:
    async with listening("") as addresses:
        assert ("0.0.0.0", addresses[0][1]) == addresses[0]
        for host, port in addresses:
            reader, writer = await asyncio.open_connection("127.0.0.1" if host == "0.0.0.0" else "::1", port)
            assert await reader.read() == b"here"
            writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", addresses[0][1])


async def test_a_client_that_has_gone_before_it_is_taken_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async with listening("127.0.0.1") as [(_, port)]:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", port)) as gone:
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b"here"
        writer.close()
    assert caplog.text == ""
