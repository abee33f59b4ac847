import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from servers import upstream

from chatproxy.core.errors import ConfigError, UpstreamError
from chatproxy.core.model import Request, Response
from chatproxy.upstream import Upstream, UpstreamSettings

GET = Request("GET", b"/v1/a%2Fb?x=%7e+", ((b"Host", b"proxy"), (b"X-Mine", "é".encode()), (b"X-Mine", b"2")))


async def ask(request: Request, origin: str, **changes: object) -> Response:
    async with Upstream(UpstreamSettings(origin, **changes)) as server:  # type: ignore[arg-type]
        return await server.ask(request)


async def test_a_request_goes_out_as_it_came_but_for_what_is_ours() -> None:
    seen: list[tuple[str, tuple[tuple[bytes, bytes], ...]]] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        seen.append((request.raw_path, tuple(request.raw_headers)))
        return web.Response()

    headers = (
        (b"Host", b"proxy"),
        (b"Accept-Encoding", b"br"),
        (b"Connection", b"X-Hop"),
        (b"X-Hop", b"1"),
        (b"x-chatproxy-session", b"s"),
        (b"Authorization", b"Basic abc"),
        (b"X-mine", "é".encode()),
    )
    async with upstream(handle) as origin:
        await ask(Request("GET", GET.target, headers), origin)
    ((path, sent),) = seen
    assert path == "/v1/a%2Fb?x=%7e+"
    assert dict(sent) == {
        b"Host": origin.removeprefix("http://").encode(),
        b"Authorization": b"Basic abc",
        b"X-mine": "é".encode(),
        b"Accept-Encoding": b"gzip, deflate",
    }


@pytest.mark.parametrize(
    ("coding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)]
)
async def test_an_answer_comes_decoded(coding: str, encode: type[bytes]) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=404, reason="NOT HERE", body=encode(b"body"), headers={"Content-Encoding": coding})

    async with upstream(handle) as origin:
        answer = await ask(GET, origin)
    assert (answer.status, answer.reason, answer.body) == (404, b"NOT HERE", b"body")
    assert not {b"content-encoding", b"content-length"} & {name.lower() for name, _ in answer.headers}


async def test_redirects_are_passed_on() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "https://elsewhere.test/"})

    async with upstream(handle) as origin:
        assert (await ask(GET, origin)).status == 307


async def test_too_large_an_answer_is_a_502() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"a" * 101)

    async with upstream(handle) as origin:
        assert len((await ask(GET, origin, max_body=101)).body) == 101
        with pytest.raises(UpstreamError, match="larger than 100 bytes") as caught:
            await ask(GET, origin, max_body=100)
    assert caught.value.status == 502


async def test_an_answer_in_pieces_is_measured_as_a_whole() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(10):
            await response.write(b"a" * 10)
            await asyncio.sleep(0.01)  # else they come as one
        await response.write_eof()
        return response

    async with upstream(handle) as origin:
        assert (await ask(GET, origin, max_body=100)).body == b"a" * 100
        with pytest.raises(UpstreamError, match="larger than 99 bytes"):
            await ask(GET, origin, max_body=99)


async def test_an_answer_that_breaks_off_is_a_502() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
        request.transport.close()
        return web.Response()

    async with upstream(handle) as origin:
        with pytest.raises(UpstreamError, match=r"gave no usable answer|cannot be reached") as caught:
            await ask(GET, origin)
    assert caught.value.status == 502


async def test_a_late_answer_is_a_504() -> None:
    given_up = asyncio.Event()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        await given_up.wait()
        return web.Response()

    async with upstream(handle) as origin:
        with pytest.raises(UpstreamError, match="did not answer in time") as caught:
            await ask(GET, origin, timeout=0.1)
        given_up.set()
    assert caught.value.status == 504


async def test_nobody_there_is_a_502() -> None:
    with pytest.raises(UpstreamError, match="cannot be reached") as caught:
        await ask(GET, "http://127.0.0.1:9")
    assert caught.value.status == 502


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def tls_origin(authority: trustme.CA) -> AsyncIterator[str]:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="over TLS")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    yield f"https://localhost:{site.port}"
    await runner.cleanup()


async def test_a_certificate_is_verified_by_the_given_authority(
    tls_origin: str, authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    answer = await ask(GET, tls_origin, ca_file=tmp_path / "ca.pem")
    assert answer.body == b"over TLS"
    with pytest.raises(UpstreamError, match="certificate"):
        await ask(GET, tls_origin)
    with pytest.raises(UpstreamError, match="certificate"):
        await ask(GET, tls_origin.replace("localhost", "127.0.0.1"), ca_file=tmp_path / "ca.pem")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_unreadable_authority_is_refused_at_once(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=r"--upstream-ca: .*cannot be read as PEM"):
        Upstream(UpstreamSettings("https://localhost", ca_file=path))
