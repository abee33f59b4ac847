import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from aiohttp import encode_basic_auth, web
from servers import Handler, upstream

from chatproxy.core.errors import ConfigError, UpstreamError
from chatproxy.core.model import Request, Response
from chatproxy.upstream import Upstream, UpstreamSettings


def zipped(body: bytes) -> bytes:
    """Return the same bytes at each moment: tests are named by them."""
    return gzip.compress(body, mtime=0)


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


def answering(head: bytes, body: bytes, status: bytes = b"200 OK", *, sized: bool = True) -> Handler:
    """Answer with bytes as they are, and close."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        length = b"Content-Length: %d\r\n" % len(body) if sized else b""
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 %b\r\n%b%b\r\n%b" % (status, head, length, body))
        request.transport.close()
        return web.Response()

    return handle


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


SECRET = zipped(b"the secret")


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Content-Encoding: x-gzip\r\n", SECRET),
        (b"Content-Encoding: GZIP\r\n", SECRET),
        (b"Content-Encoding: identity, gzip\r\n", SECRET),
        (b"Content-Encoding: gzip, gzip\r\n", zipped(SECRET)),
        (b"Content-Encoding: gzip\r\nContent-Encoding: deflate\r\n", zlib.compress(SECRET)),
    ],
)
async def test_every_way_to_name_codings_is_understood(head: bytes, body: bytes) -> None:
    for sized in (True, False):
        async with upstream(answering(head, body, sized=sized)) as origin:
            answer = await ask(GET, origin)
        assert (answer.headers, answer.body) == ((), b"the secret")


@pytest.mark.parametrize("head", [b"gzip, chunked", b"gzip\r\nTransfer-Encoding: chunked"])
async def test_a_transfer_coding_is_undone_too(head: bytes) -> None:
    async with upstream(answering(b"Transfer-Encoding: %b\r\n" % head, chunked(SECRET), sized=False)) as origin:
        answer = await ask(GET, origin)
    assert (answer.headers, answer.body) == ((), b"the secret")


@pytest.mark.parametrize(
    ("head", "body", "reason"),
    [
        (b"Content-Encoding: gzip\r\n", SECRET[:-9], "cut short"),
        (b"Content-Encoding: gzip\r\n", SECRET + b"rest", "is no gzip"),
        (b"Content-Encoding: deflate\r\n", zlib.compress(b"a")[:-1], "cut short"),
        (b"Content-Encoding: gzip, gzip\r\n", zipped(SECRET[:-9]), "cut short"),
        (b"Content-Encoding: gzip\r\n", b"the secret", "is no gzip"),
        (b"Content-Encoding: compress\r\n", SECRET, "coding 'compress'"),
        (b"Content-Encoding: br\r\n", SECRET, "coding 'br'"),
        (b"Content-Encoding: gzip, unknown\r\n", SECRET, "coding 'unknown'"),
        (b"Content-Encoding: gzip\r\n", zipped(b"a" * 2000), "larger than 1000 bytes"),
        (b"Transfer-Encoding: chunked, gzip\r\n", SECRET, "coding 'chunked'"),
        (b"Transfer-Encoding: br, chunked\r\n", chunked(SECRET), "coding 'br'"),
    ],
)
async def test_what_cannot_be_decoded_to_its_end_is_a_502(head: bytes, body: bytes, reason: str) -> None:
    for sized in (False,) if b"Transfer" in head else (True, False):
        async with upstream(answering(head, body, sized=sized)) as origin:
            with pytest.raises(UpstreamError, match=reason) as caught:
                await ask(GET, origin, max_body=1000)
        assert caught.value.status == 502


@pytest.mark.parametrize(("method", "status"), [("HEAD", b"200 OK"), ("GET", b"304 Not Modified"), ("GET", b"200 OK")])
async def test_where_there_is_no_body_there_is_no_coding_to_undo(method: str, status: bytes) -> None:
    async with upstream(answering(b"Content-Encoding: br\r\n", b"", status)) as origin:
        answer = await ask(Request(method, b"/"), origin)
    assert (answer.headers, answer.body) == ((), b"")


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


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nSet-Cookie: the-secret\r\n",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: the-secret\r\nContent-Length: 9\r\n\r\nthe",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: the-secret\r\nContent-Length: the-secret\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nSet Cookie: the-secret\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: the-secret\0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nthe-secret\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nthe-secret\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nthe-secret\r\n",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: " + b"the-secret" * 1000 + b"\r\n\r\n",
        b"HTTP/1.1 the-secret\r\n\r\n",
        b"the-secret\r\n\r\n",
    ],
)
async def test_an_error_repeats_nothing_of_what_the_upstream_sent(answer: bytes) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(answer)
        request.transport.close()
        return web.Response()

    async with upstream(handle) as origin:
        with pytest.raises(UpstreamError, match=r"gave no usable answer: |cannot be reached: ") as caught:
            await ask(GET, origin)
    assert caught.value.status == 502
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "an error of the kind" not in str(caught.value)


LOGIN = ("DOMAIN\\me", "p@é:")


@asynccontextmanager
async def proxied(answer: Callable[[bytes], bytes | None]) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Serve a proxy that passes on what ``answer`` gives nothing for, and notes the heads of requests."""
    heads: list[bytes] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head)
        refusal = answer(head)
        if refusal is not None:
            writer.write(refusal)
            writer.close()
            return
        method, target, _ = head.split(b" ", 2)
        address = target.removeprefix(b"http://").partition(b"/")[0].decode()
        there, back = await asyncio.open_connection(*address.split(":"))
        if method == b"CONNECT":
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            back.write(head)
        await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
    finally:
        server.close()


def nothing(head: bytes) -> None:
    """Refuse nobody."""


async def test_an_upstream_is_asked_through_a_proxy_and_the_proxys_password_goes_to_the_proxy_alone(
    tls_origin: str, authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with proxied(nothing) as (url, heads):
        through = {"proxy": url, "proxy_login": LOGIN, "ca_file": tmp_path / "ca.pem"}
        request = Request("GET", GET.target, (*GET.headers, (b"Authorization", b"Basic abc")))
        assert (await ask(request, tls_origin, **through)).body == b"over TLS"
    (head,) = heads
    assert head.startswith(b"CONNECT %b HTTP/1.1\r\n" % tls_origin.removeprefix("https://").encode())
    assert f"Proxy-Authorization: {encode_basic_auth(*LOGIN)}\r\n".encode() in head
    assert b"Basic abc" not in head


async def test_an_upstream_in_plain_http_is_asked_through_a_proxy_by_its_whole_url() -> None:
    async with proxied(nothing) as (url, heads), upstream(answering(b"Via: 1.1 x\r\n", b"ok")) as origin:
        assert (await ask(GET, origin, proxy=url, proxy_login=LOGIN)).body == b"ok"
        assert (await ask(GET, origin, proxy=url)).body == b"ok"
    first, second = heads
    assert first.startswith(b"GET %b/v1/a%%2Fb?x=%%7e+ HTTP/1.1\r\n" % origin.encode())
    assert f"Proxy-Authorization: {encode_basic_auth(*LOGIN)}\r\n".encode() in first
    assert b"Proxy-Authorization" not in second


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    ("login", "what"), [(None, "demands a user and password"), (LOGIN, "did not take the user and password")]
)
async def test_a_proxy_that_demands_a_password_is_a_502_and_no_answer_of_the_upstreams(
    tls: bool, login: tuple[str, str] | None, what: str
) -> None:
    refusal = b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\nSet-Cookie: secret\r\nContent-Length: 0\r\n\r\n"
    origin = "https://localhost:1" if tls else "http://localhost:1"
    async with proxied(lambda head: refusal) as (url, _):
        with pytest.raises(UpstreamError) as caught:
            await ask(GET, origin, proxy=url, proxy_login=login)
        with pytest.raises(UpstreamError):
            async with Upstream(UpstreamSettings(origin, proxy=url)) as server, server.stream(GET):
                pytest.fail("it gave an answer")
    assert caught.value.status == 502
    assert str(caught.value) == f"the proxy {url} {what} when {origin} was asked, status 407 (--upstream-proxy)"


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\n", "demands a user and password"),
        (b"HTTP/1.1 500 Unable to connect\r\n", "did not connect"),
        (b"HTTP/1.1 503 Service Unavailable\r\nVia: 1.1 squid\r\nX-Squid-Error: ERR_DNS_FAIL 0\r\n", "did not connect"),
        (b"HTTP/1.1 200 OK\r\n", "gave an answer without Via, so that it may be its own,"),
    ],
)
async def test_what_a_proxy_answers_itself_is_no_answer_of_the_upstreams(head: bytes, what: str) -> None:
    async with proxied(lambda asked: head + b"Content-Length: 0\r\n\r\n") as (url, _):
        with pytest.raises(UpstreamError) as caught:
            await ask(GET, "http://localhost:1", proxy=url)
    assert f"the proxy {url} {what} when http://localhost:1 was asked, status " in str(caught.value)


async def test_a_proxy_that_does_not_connect_is_a_502_that_names_it() -> None:
    async with proxied(lambda head: b"HTTP/1.1 403 secret\r\nContent-Length: 0\r\n\r\n") as (url, _):
        with pytest.raises(UpstreamError) as caught:
            await ask(GET, "https://localhost:1", proxy=url)
    assert str(caught.value) == (
        f"the proxy {url} did not connect when https://localhost:1 was asked, status 403 (--upstream-proxy)"
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "proxy.invalid"])
async def test_a_proxy_that_cannot_be_reached_is_a_502_that_names_it(host: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        await ask(GET, "https://localhost:1", proxy=f"http://{host}:1", proxy_login=("me", "secret"), passed_over="X")
    assert caught.value.status == 502
    assert str(caught.value).startswith(f"the proxy http://{host}:1 cannot be reached (--upstream-proxy): ")
    assert "secret" not in str(caught.value)


async def test_who_cannot_reach_the_upstream_is_told_of_a_proxy_that_is_set_and_not_used() -> None:
    hint = "; HTTPS_PROXY is set and not used: give --upstream-proxy URL to ask through that proxy"
    with pytest.raises(UpstreamError) as caught:
        await ask(GET, "http://127.0.0.1:1", passed_over="HTTPS_PROXY")
    assert str(caught.value).startswith("http://127.0.0.1:1 cannot be reached: ")
    assert str(caught.value).endswith(hint)

    async def never(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with upstream(never) as origin:
        with pytest.raises(UpstreamError) as caught:
            await ask(GET, origin, passed_over="HTTPS_PROXY", timeout=0.1)
    assert caught.value.status == 504
    assert str(caught.value).endswith(hint)
