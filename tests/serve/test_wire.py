import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from servers import raw, upstream

from chatproxy.core.errors import RequestError
from chatproxy.core.http.headers import may_have_body
from chatproxy.core.model import Request, Response
from chatproxy.serve.wire import WireResponse, read_request, whole_answer

ANSWER = Response(200, b"FINE", ((b"x-A", b"1"), (b"X-a", b"2")), b"body")


class Edge:
    """A server that reads requests through ``read_request`` and remembers them, or why they could not be read."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Request] = []
        self.errors: list[RequestError] = []


@pytest.fixture
async def edge() -> AsyncIterator[Edge]:
    found = Edge("")

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            found.requests.append(await read_request(request, 100, 0.5))
        except RequestError as error:
            found.errors.append(error)
            return WireResponse(Response(error.status), close=True)
        return WireResponse(ANSWER)

    async with upstream(handle) as url:
        found.url = url
        yield found


async def test_a_request_is_taken_as_it_was_sent(edge: Edge) -> None:
    await raw(
        edge.url,
        b"POST /v1/a%2Fb?x=%7e&x=+ HTTP/1.1\r\nhost: example.test:8765\r\nX-ONE: 1\r\nx-one: 2\r\n"
        b"Content-Length: 3\r\nConnection: close\r\n\r\na+b",
    )
    (request,) = edge.requests
    assert request.method == "POST"
    assert request.target == b"/v1/a%2Fb?x=%7e&x=+"
    assert request.origin == "http://example.test:8765"
    assert request.host == "chat.twilio.com"
    assert request.headers[1:3] == ((b"X-ONE", b"1"), (b"x-one", b"2"))
    assert request.body == b"a+b"


async def test_an_answer_is_written_as_it_was_recorded(edge: Edge) -> None:
    answer = await raw(edge.url, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer == (b"HTTP/1.1 200 FINE\r\nx-A: 1\r\nX-a: 2\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody")


async def test_a_connection_serves_several_requests(edge: Edge) -> None:
    one = b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert (await raw(edge.url, one + one + last)).count(b"HTTP/1.1 200 FINE") == 3


async def test_http_1_0_may_keep_the_connection_and_need_not_name_a_host(edge: Edge) -> None:
    text = b"GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n"
    answer = await raw(edge.url, text)
    assert answer.count(b"Connection: keep-alive\r\n") == answer.count(b"Connection: close\r\n") == 1
    assert {request.origin for request in edge.requests} == {edge.url}


async def test_head_gets_no_body(edge: Edge) -> None:
    answer = await raw(edge.url, b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"Content-Length: 4\r\nConnection: close\r\n\r\n")


async def test_a_target_in_absolute_form_names_the_host(edge: Edge) -> None:
    for target in (b"http://there.test:1/v1?a=1", b"http://there.test:1", b"HTTPS://there.test/v1"):
        await raw(edge.url, b"GET %b HTTP/1.1\r\nHost: here.test\r\nConnection: close\r\n\r\n" % target)
    assert [(one.origin, one.target) for one in edge.requests] == [
        ("http://there.test:1", b"/v1?a=1"),
        ("http://there.test:1", b"/"),
        ("https://there.test", b"/v1"),
    ]


async def test_chunked_bodies_are_joined(edge: Edge) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    await raw(edge.url, head + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
    assert edge.requests[0].body == b"abc"


async def test_who_expects_100_is_told_to_go_on_before_the_body_is_read(edge: Edge) -> None:
    host, port = edge.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"ab")
    assert b"200 FINE" in await reader.read()
    writer.close()
    assert edge.requests[0].body == b"ab"


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "Host header"),
        (b'GET / HTTP/1.1\r\nHost: a"b\r\n\r\n', 400, "Host header"),
        (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "is no path"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: \xff\r\n\r\n", 400, "UTF-8"),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab",
            415,
            "coding 'gzip', and only identity is taken",
        ),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", 413, "larger than 100 bytes"),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + b"a" * 101 + b"\r\n0\r\n\r\n",
            413,
            "larger",
        ),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab", 408, "did not come within 0.5 s"),
    ],
)
async def test_a_request_that_cannot_be_taken_is_refused(edge: Edge, text: bytes, status: int, reason: str) -> None:
    answer = await raw(edge.url, text)
    (error,) = edge.errors
    assert error.status == status
    assert reason in str(error)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"Connection: close" in answer


async def test_too_large_a_body_is_refused_without_asking_for_it(edge: Edge) -> None:
    text = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n"
    assert b"100 Continue" not in await raw(edge.url, text)


async def test_a_client_that_has_gone_is_not_written_to() -> None:
    finished: list[str] = []
    gone = asyncio.Event()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        await gone.wait()
        while request.transport is not None:
            await asyncio.sleep(0.01)
        finished.append(request.method)
        return WireResponse(ANSWER)

    async with upstream(handle) as url:
        host, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        gone.set()
        while not finished:
            await asyncio.sleep(0.01)
    assert finished == ["GET"]


def chunked(chunks: list[bytes]) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    async def pieces() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return WireResponse(ANSWER, chunks=pieces())

    return handle


async def test_a_streamed_answer_is_framed_by_us() -> None:
    async with upstream(chunked([b"ab", b"c"])) as url:
        answer = await raw(url, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer == (
        b"HTTP/1.1 200 FINE\r\nx-A: 1\r\nX-a: 2\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    )


def test_an_answer_outside_of_a_request_is_whole() -> None:
    assert whole_answer(Response(503, b"No", (), b"x"), close=True) == (
        b"HTTP/1.1 503 No\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"
    )


def test_what_has_no_body_has_no_length() -> None:
    assert whole_answer(Response(204, b"NO CONTENT"), close=False) == b"HTTP/1.1 204 NO CONTENT\r\n\r\n"
    assert not may_have_body("GET", 304)
    assert not may_have_body("HEAD", 200)
    assert may_have_body("GET", 200)
