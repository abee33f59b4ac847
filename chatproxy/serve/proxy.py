"""The reverse proxy: reads a request, does what the engine decides, writes the answer."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from chatproxy.core.engine import Engine
from chatproxy.core.errors import ChatproxyError, RequestError
from chatproxy.core.http.admission import TOLD_BY, spoken
from chatproxy.core.http.codings import content_codings
from chatproxy.core.http.headers import is_json, may_have_body
from chatproxy.core.model import Forward, Response
from chatproxy.core.twilio.visitors import ANYBODY, Visitors
from chatproxy.outside import reason, trace
from chatproxy.serve.control import Control
from chatproxy.serve.fast_path import FastConnection, FastPath, is_possible
from chatproxy.serve.wire import WireResponse, named_by, read_request, whole_answer
from chatproxy.upstream import Upstream
from chatproxy.wiring.forwarding import Keep, recorded

_log = logging.getLogger("chatproxy")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may ask of the server: sizes in bytes, the time for a request's body in seconds."""

    max_body: int = 16 * 2**20
    max_header: int = 32 * 2**10
    max_connections: int = 1000
    client_timeout: float = 60.0


class Proxy(web.Server):
    """Serves one engine. ``upstream`` is none in replay, where nothing goes out; ``keep`` stores an exchange.

    What ``control`` answers never gets to the engine, nor do requests that ``visitors`` refuses.
    """

    def __init__(
        self,
        engine: Engine,
        limits: Limits,
        *,
        upstream: Upstream | None = None,
        keep: Keep | None = None,
        control: Control | None = None,
        visitors: Visitors = ANYBODY,
    ) -> None:
        super().__init__(self._handle)
        self.limits = limits
        self.engine = engine
        self._upstream = upstream
        self._keep = keep
        self._control = control
        self._visitors = visitors
        self.fast = None
        if upstream is None and is_possible():
            self.fast = FastPath(engine, control, limits.max_body, visitors=visitors)

    def __call__(self) -> "Connection":
        """Make the protocol of one connection."""
        return Connection(self)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        live = None
        try:
            live = await read_request(request, self.limits.max_body, self.limits.client_timeout, self._visitors.public)
            named = named_by(request)
            if self._control is not None and (answer := self._control.answer(live, named)) is not None:
                return WireResponse(answer)
            self._visitors.check(named, live.headers)
            decision = self.engine.on_request(live)
            if isinstance(decision, Response):
                return WireResponse(decision)
            if self._keep is None:
                return await self._pass_on(decision, request)
            assert self._upstream is not None
            has_gone = partial(_has_gone, request)
            return WireResponse(await recorded(decision, self.engine, self._upstream, self._keep, has_gone))
        except RequestError as error:
            return WireResponse(self.engine.on_error(error, live), close=True)
        except ChatproxyError as error:
            return WireResponse(self.engine.on_error(error, live))

    async def _pass_on(self, decision: Forward, request: web.BaseRequest) -> web.StreamResponse:
        """Pass an answer through as it comes; JSON is read whole where it can be, so that its URLs lead back here.

        What kept its content coding is passed on unread.
        """
        assert self._upstream is not None
        async with self._upstream.stream(decision.request) as (head, chunks):
            body, rest = b"", cast(AsyncIterator[bytes] | None, chunks)
            is_read = is_json(head.headers) and not content_codings(head.headers)
            if is_read or not may_have_body(request.method, head.status):
                body, rest = await _read_up_to(self.limits.max_body, chunks)
            if rest is None:
                answer, _ = self.engine.on_response(decision, replace(head, body=body))
                return WireResponse(answer)
            answer, _ = self.engine.on_response(decision, head)
            streamed = WireResponse(answer, chunks=_after(body, rest))
            await streamed.prepare(request)
            await streamed.write_eof()
            return streamed


async def _has_gone(request: web.BaseRequest) -> bool:
    """Tell whether the client of a request has gone; one that only sends no more has not."""
    return not isinstance(request.protocol, Connection) or await request.protocol.has_gone(request.version)


async def _read_up_to(limit: int, chunks: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes] | None]:
    """Return the body and nothing if it ends within the limit, else what was read and the rest."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            return bytes(body), chunks
    return bytes(body), None


async def _after(begin: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if begin:
        yield begin
    async for chunk in chunks:
        yield chunk


class Connection(FastConnection):
    """One client's connection: refused beyond the limit, and answered in Twilio's error JSON when malformed."""

    __slots__ = ("_begin", "_proxy")

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._fast = proxy.fast
        self._begin = b""
        super().__init__(
            proxy,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # documented: no access log
            keepalive_timeout=_IDLE_SECONDS,
            lingering_time=_LINGER_SECONDS,
            auto_decompress=False,
            max_line_size=proxy.limits.max_header,
            max_field_size=proxy.limits.max_header,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or answer 503 at once if there are too many."""
        super().connection_made(transport)
        limit = self._proxy.limits.max_connections
        if len(self._proxy.connections) > limit:
            error = RequestError(503, f"more than {limit} connections at once (--max-connections)")
            cast(asyncio.Transport, transport).write(whole_answer(self._proxy.engine.on_error(error), close=True))
            self.force_close()

    def data_received(self, data: bytes) -> None:
        """Take in bytes, and remember how the connection begins: not every client speaks HTTP/1.1."""
        if len(self._begin) < TOLD_BY:
            self._begin += data[:TOLD_BY]
        super().data_received(data)

    def refused(
        self, request: web.BaseRequest, status: int, exc: BaseException | None, message: str | None
    ) -> web.StreamResponse:
        """Return the answer to what aiohttp could not parse, or to what is a mistake of ours."""
        if status == _INTERNAL:
            return WireResponse(self.failed(request.method, exc), close=True)
        if message == _TOO_MANY:
            status, said = 431, "the request has too many header fields"
        elif isinstance(exc, LineTooLong):
            status, said = (
                431,
                f"the request line or a header is larger than {self.max_field_size} bytes (--max-header)",
            )
        else:
            detail = "it is malformed" if exc is None else reason(exc)
            said = spoken(self._begin) or f"the request is no HTTP/1.1 ({detail})"
        return WireResponse(self._proxy.engine.on_error(RequestError(status, said)), close=True)

    def failed(self, method: str, error: BaseException | None) -> Response:
        """Report a mistake of ours, without the target, which may hold a secret, and return what the client gets."""
        _log.error("a %s request failed\n%s", method, trace(error))
        return self._proxy.engine.on_error(
            RequestError(_INTERNAL, "chatproxy failed; its standard error has the trace")
        )


_INTERNAL = 500
_TOO_MANY = "Too many headers received"
_IDLE_SECONDS = 75.0
_LINGER_SECONDS = 2.0
"""How long a refused body is still read, so that the client gets to see the answer (RFC 9112 section 9.6)."""
