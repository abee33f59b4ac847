"""HTTP as aiohttp speaks it, to the model and back.

Answers are written as bytes, not through aiohttp's own response: what was recorded is served as it was, with
the letter case, the order and the repeats of its header fields and its reason phrase.
"""

import asyncio
import re
from collections.abc import AsyncIterator

from aiohttp import HttpVersion, HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from chatproxy.core.errors import RequestError
from chatproxy.core.http.admission import check_head, too_large
from chatproxy.core.http.headers import NO_CONTENT, content_length, may_have_body
from chatproxy.core.model import Request, Response
from chatproxy.core.replay.rendered import Rendered
from chatproxy.core.twilio.origins import origin_for
from chatproxy.outside import reason

_ABSOLUTE = re.compile(r"(https?)://([^/?#]+)(/.*)?", re.IGNORECASE)


async def read_request(
    request: web.BaseRequest,
    max_body: int,
    timeout: float,  # noqa: ASYNC109 - in a setting's words
    public: str | None = None,
) -> Request:
    """Return the whole request; raises RequestError for one that cannot be taken.

    ``public`` is the address by which clients reach the server, if that is not the one that they name.
    """
    scheme, host, target = _addressed(request)
    headers = tuple(request.raw_headers)
    check_head(host, target, headers)
    try:
        async with asyncio.timeout(None if request.content.is_eof() else timeout):  # most are there: no timer for them
            body = await _read_body(request, max_body)
    except TimeoutError:
        raise RequestError(408, f"the request's body did not come within {timeout:g} s (--client-timeout)") from None
    except web.RequestPayloadError as error:
        raise RequestError(400, f"the request's body is malformed: {reason(error)}") from error
    return Request(request.method, target.encode(), headers, body, origin=origin_for(scheme, host, public))


def named_by(request: web.BaseRequest) -> str:
    """Return the address that the client of a request named, wherever URLs lead in the answer."""
    scheme, host, _ = _addressed(request)
    return f"{scheme}://{host}"


def _addressed(request: web.BaseRequest) -> tuple[str, str, str]:
    """Return scheme, host and origin-form; a target in absolute form overrules Host (RFC 9112 section 3.2.2)."""
    target = request.raw_path
    if absolute := _ABSOLUTE.fullmatch(target):
        return absolute[1].lower(), absolute[2], absolute[3] or "/"
    return request.scheme, request.headers.get("Host", "") or _own_address(request), target


def _own_address(request: web.BaseRequest) -> str:
    """Return the address of our end of the connection, for clients of HTTP/1.0 that name no host."""
    address = request.get_extra_info("sockname")
    if not isinstance(address, tuple):  # a socket in the file system, whose clients name whichever host they like
        return "localhost"
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _read_body(request: web.BaseRequest, limit: int) -> bytes:
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    if request.headers.get("Expect", "").lower() == "100-continue" and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)


class WireResponse(web.StreamResponse):
    """An answer written as recorded, whole, or piece by piece as ``chunks`` come.

    Framing is our own: Content-Length for whole answers, chunks for others (none towards HTTP/1.0, where the
    end of the connection ends the answer). ``close`` ends the connection after it.
    """

    def __init__(self, answer: Response, *, close: bool = False, chunks: AsyncIterator[bytes] | None = None) -> None:
        super().__init__(status=answer.status)
        self._answer = answer
        self._chunks = chunks
        self._close = close
        self._to: web.BaseRequest | None = None
        self._sent = False

    @property
    def keep_alive(self) -> bool | None:
        """Tell whether the connection goes on after this answer."""
        return not self._close and self._to is not None and self._to.keep_alive

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Take the request that is answered; nothing is written yet."""
        self._to = request
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Write the answer, once."""
        request = self._to
        if self._sent or request is None:
            return
        self._sent = True
        if request.transport is None:
            return
        if self._chunks is None:
            persistence = _persistence(keep_alive=bool(self.keep_alive), version=request.version)
            request.transport.write(_whole(self._answer, request.method, persistence))
            await request.writer.drain()
        else:
            await self._write_chunks(request, request.transport, self._chunks)

    async def _write_chunks(
        self, request: web.BaseRequest, transport: asyncio.Transport, chunks: AsyncIterator[bytes]
    ) -> None:
        """Write chunks as they come (RFC 9112 section 7.1), as long as the client is there."""
        is_chunked = request.version >= HttpVersion11
        self._close = self._close or not is_chunked
        framing = _TRANSFER if is_chunked else b""
        transport.write(
            _head(self._answer, framing + _persistence(keep_alive=bool(self.keep_alive), version=request.version))
        )
        try:
            async for chunk in chunks:
                if transport.is_closing() or not await _drained(request):
                    return
                transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if is_chunked else chunk)
        except BaseException:
            transport.abort()  # without its last chunk the client sees that the answer is not whole
            raise
        if is_chunked and not transport.is_closing():
            transport.write(b"0\r\n\r\n")


async def _drained(request: web.BaseRequest) -> bool:
    """Wait until more can be written, and tell whether the client is still there."""
    try:
        await request.writer.drain()
    except ConnectionError:
        return False
    return request.transport is not None


_TRANSFER = b"Transfer-Encoding: chunked\r\n"


def whole_answer(answer: Response, *, close: bool) -> bytes:
    """Return an answer as HTTP/1.1 bytes, outside of any request."""
    return _whole(answer, "GET", _persistence(keep_alive=not close, version=HttpVersion11))


def rendered_answer(answer: Rendered) -> bytes:
    """Return a replayed answer as HTTP/1.1 bytes, to any request but HEAD, on a connection that goes on."""
    status, reason, head, body, *_ = answer
    if status in NO_CONTENT:
        return b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, reason, head)
    return b"HTTP/1.1 %d %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, reason, head, len(body), body)


def _whole(answer: Response, method: str, persistence: bytes) -> bytes:
    """Return head and body."""
    size = content_length(answer, method)
    length = b"" if size is None else b"Content-Length: %d\r\n" % size
    return _head(answer, length + persistence) + (answer.body if may_have_body(method, answer.status) else b"")


def _head(answer: Response, framing: bytes) -> bytes:
    fields = b"".join([b"%b: %b\r\n" % header for header in answer.headers])
    return b"HTTP/1.1 %d %b\r\n%b%b\r\n" % (answer.status, answer.reason, fields, framing)


def _persistence(*, keep_alive: bool, version: HttpVersion) -> bytes:
    """Say what differs from the version's default (RFC 9112 section 9.3)."""
    if not keep_alive:
        return b"Connection: close\r\n"
    return b"" if version >= HttpVersion11 else b"Connection: keep-alive\r\n"
