import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from servers import raw, settings, upstream

from chatproxy.core.model import Mode
from chatproxy.serve.connection import has_slots
from chatproxy.serve.hosting import Background
from chatproxy.serve.listen import Running, proxy, sandbox
from chatproxy.store import Store

GET = b"GET /v1/x HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD /v1/x HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na"
CHUNKED = b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
OLD = b"GET /v1/x HTTP/1.0\r\n\r\n"
CONTROL = b"GET /__chatproxy/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
SECRET = b"?Token=a-secret-of-the-client"


async def slow(request: web.BaseRequest) -> web.StreamResponse:
    """Answer a moment after the client may have closed its side."""
    await request.read()
    await asyncio.sleep(0.05)
    return web.Response(text="fine", content_type="text/plain")


@asynccontextmanager
async def serving(folder: Path, mode: Mode, *, apart: bool = False) -> AsyncIterator[Running]:
    """Serve in this mode; what is replayed was recorded just before."""
    async with upstream(slow) as url:
        here = settings(folder, upstream=url)
        if mode is Mode.REPLAY:
            async with proxy(Mode.RECORD, "c", here, print) as recording:
                for text in (GET, POST):
                    await raw(recording.url, text.replace(b"Host: a", b"Host: a\r\nConnection: close"))
        server = proxy(mode, "c", here, print)
        async with beside(server) if apart else server as running:
            yield running


@asynccontextmanager
async def beside(server: AbstractAsyncContextManager[Running]) -> AsyncIterator[Running]:
    """Run a server in a thread of its own, whose event loop is of another kind."""
    with Background() as background:
        serving = background.serving(server)
        running = await asyncio.to_thread(serving.__enter__)
        yield running
        await asyncio.to_thread(serving.__exit__, None, None, None)


def counts(running: Running) -> dict[str, int]:
    assert running.engine is not None
    return {outcome.value: count for outcome, count in running.engine.counts.items()}


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("mode", [Mode.REPLAY, Mode.RECORD, Mode.AUTO, Mode.PASSTHROUGH])
@pytest.mark.parametrize("texts", [(GET,), (POST,), (CHUNKED,), (OLD,), (CONTROL,), (GET, GET, CONTROL, GET)])
async def test_who_closes_the_sending_side_gets_each_answer(
    tmp_path: Path, mode: Mode, texts: tuple[bytes, ...], *, apart: bool
) -> None:
    async with serving(tmp_path, mode, apart=apart) as running:
        answers = await asyncio.wait_for(raw(running.url, b"".join(texts), half_close=True), 5)
    assert answers.count(b"HTTP/1.1 200 ") == len(texts)


async def test_who_closes_the_sending_side_gets_what_is_no_hit(tmp_path: Path) -> None:
    async with serving(tmp_path, Mode.REPLAY) as running:
        missed = await raw(running.url, GET.replace(b"/x", b"/y"), half_close=True)
        refused = await raw(running.url, b"hello\r\n\r\n", half_close=True)
    assert missed.startswith(b"HTTP/1.1 424 ")
    assert refused.startswith(b"HTTP/1.1 400 ")


async def test_who_closes_the_sending_side_gets_the_sandboxes_answer(tmp_path: Path) -> None:
    async with sandbox(settings(tmp_path, sandbox_latency=(0.05, 0.05))) as running:
        answers = await asyncio.wait_for(raw(running.url, GET + GET, half_close=True), 5)
    assert answers.count(b"HTTP/1.1 401 ") == 2


async def test_a_connection_without_a_request_ends_with_its_client(tmp_path: Path) -> None:
    async with serving(tmp_path, Mode.REPLAY) as running:
        assert await asyncio.wait_for(raw(running.url, b"", half_close=True), 5) == b""
        assert await asyncio.wait_for(raw(running.url, b"GET /v1/x HT", half_close=True), 5) == b""


async def abort(url: str, text: bytes, *, reset: bool) -> None:
    """Send a part of a request, and go: by the end of what is sent, or by a reset."""
    host, port = url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(text)
    await writer.drain()
    await asyncio.sleep(0.05)
    if reset:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)


ABORTED = [
    b"POST /v1/x%b HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc" % SECRET,
    b"POST /v1/x%b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc" % SECRET,
    b"POST /v1/x%b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n" % SECRET,
    b"POST /v1/x%b HTTP/1.1\r\nHost: a\r\n" % SECRET,
]


@pytest.mark.parametrize("mode", [Mode.REPLAY, Mode.RECORD, Mode.AUTO, Mode.PASSTHROUGH, None])
@pytest.mark.parametrize("reset", [False, True])
async def test_a_client_that_goes_in_the_middle_of_a_request_is_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: Mode | None, *, reset: bool
) -> None:
    caplog.set_level(logging.WARNING)
    async with sandbox(settings(tmp_path)) if mode is None else serving(tmp_path, mode) as running:
        for text in ABORTED:
            await abort(running.url, text, reset=reset)
        if mode is not None:
            assert counts(running) == {}
        assert await asyncio.wait_for(raw(running.url, GET, half_close=True), 5)
    assert caplog.text == ""


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("pause", [0.0, 0.002])
@pytest.mark.parametrize("apart", [False, True])
async def test_a_client_that_goes_in_the_middle_of_an_answer_is_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, reset: bool, pause: float, apart: bool
) -> None:
    caplog.set_level(logging.WARNING)

    async def long(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        with suppress(ConnectionError):
            for _ in range(200):
                await response.write(b"x" * 65536)
                await asyncio.sleep(pause)
        return response

    async with upstream(long) as url, AsyncExitStack() as stack:
        serving = proxy(Mode.PASSTHROUGH, "", settings(tmp_path, upstream=url), print)
        running = await stack.enter_async_context(beside(serving) if apart else serving)
        for _ in range(3):
            await abort(running.url, GET.replace(b"/x", b"/x" + SECRET), reset=reset)
        await asyncio.sleep(0.3 + 200 * pause)
        assert counts(running) == {"passed": 3}
        async with ClientSession() as client, client.get(running.url + "/v1/x") as answer:
            assert len(await answer.read()) == 200 * 65536
    assert caplog.text == ""


VANISHING = "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1])));"
"""A program that sends a request and says so, and then waits for ever."""
VANISHING += f"s.sendall({POST!r}); print('sent', flush=True); s.recv(9)"


async def vanish(url: str, how: str) -> None:
    """Send a request, and go while the upstream answers."""
    if how == "killed":
        arguments = (sys.executable, "-c", VANISHING, url.rpartition(":")[2])
        process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        await process.stdout.readline()
        process.kill()
        await process.wait()
    else:
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(POST)
        await writer.drain()
        if how == "reset":
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.close()
        await writer.wait_closed()


async def abandoned(folder: Path, text: bytes, how: str, *, apart: bool) -> list[bool]:
    """Record two requests, of which the first's client goes, and tell whose client gave up."""
    async with upstream(slower) as url:
        server = proxy(Mode.RECORD, "c", settings(folder, upstream=url), print)
        async with beside(server) if apart else server as running:
            if how == "half":
                assert b"HTTP/1.1 200 " in await asyncio.wait_for(raw(running.url, text, half_close=True), 5)
            elif how == "stays":
                await raw(running.url, text.replace(b"Host: a", b"Host: a\r\nConnection: close"))
            else:
                await vanish(running.url, how)
                await asyncio.sleep(0.4)
            await raw(running.url, GET.replace(b"Host: a", b"Host: a\r\nConnection: close"))
    with closing(Store(folder / "store")) as store:
        return [one.abandoned for one in store.exchanges("c")]


async def slower(request: web.BaseRequest) -> web.StreamResponse:
    """Answer when a client that goes has gone."""
    await request.read()
    await asyncio.sleep(0.2)
    return web.Response(text="fine", content_type="text/plain")


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(
    ("text", "how"), [(POST, "half"), (CHUNKED, "half"), (OLD, "half"), (GET + GET, "half"), (POST, "stays")]
)
async def test_who_reads_on_has_not_given_up(tmp_path: Path, text: bytes, how: str, *, apart: bool) -> None:
    found = await abandoned(tmp_path, text, how, apart=apart)
    assert found == [False] * (3 if text == GET + GET else 2)


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("how", ["closed", "reset"])
async def test_who_goes_while_the_upstream_answers_has_given_up(tmp_path: Path, how: str, *, apart: bool) -> None:
    assert await abandoned(tmp_path, POST, how, apart=apart) == [True, False]


@pytest.mark.process
async def test_who_is_killed_while_the_upstream_answers_has_given_up(tmp_path: Path) -> None:
    assert await abandoned(tmp_path, POST, "killed", apart=False) == [True, False]


def test_what_a_later_aiohttp_lacks_is_seen() -> None:
    assert has_slots(frozenset({"_messages"}))
    assert not has_slots(frozenset({"_messages", "_no_such"}))
