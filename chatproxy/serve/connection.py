"""One client's connection, as all our servers have it: a client that sends no more gets its answers still.

A client may close its sending side as soon as it has sent its requests (RFC 9112 section 9.6), and aiohttp would then
close the connection at once. A request whose body is not whole by then is one that its client gave up.

What a client that closed its whole side sends is the same: that nothing more comes. It is told from the other by what
comes back to an interim answer (RFC 9110 section 15.2), which a client that reads skips.
"""

import asyncio
import logging
import socket
import sys
from collections.abc import Awaitable, Callable

from aiohttp import HttpVersion, HttpVersion11, web
from aiohttp.http_exceptions import HttpProcessingError, PayloadEncodingError

from chatproxy.core.errors import RequestError, error_json
from chatproxy.core.http.headers import OWN_FIELDS
from chatproxy.core.twilio.visitors import Visitors
from chatproxy.outside import trace

_log = logging.getLogger("chatproxy")


class Connection(web.RequestHandler):
    """Stays open, where the client sends no more, until the last request is answered.

    It uses attributes of aiohttp's that are private; where one of them is missing, it closes at once as aiohttp's does.
    """

    __slots__ = ("_sends_no_more",)

    def eof_received(self) -> bool:  # type: ignore[override]  # aiohttp's never stays open
        """Take in that the client sends no more, and tell whether the connection stays open for answers."""
        if not (has_slots(_USED) and self._is_answering() and self._is_whole()):
            return False
        self._sends_no_more = True
        self._loop.call_soon(self._end, _SOON_SECONDS)
        return True

    async def has_gone(self, version: HttpVersion) -> bool:
        """Tell whether the client reads no more, asked while one of its requests is answered."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return True
        if not getattr(self, "_sends_no_more", False) or version < HttpVersion11:
            return False
        transport.write(_INTERIM)
        for _ in range(_PROBES):
            await asyncio.sleep(_PROBE_SECONDS)
            if transport.is_closing() or _has_failed(transport):
                return True
        return False

    def _end(self, patience: float) -> None:
        """Close the connection once all that came is answered, which is looked for again and again."""
        if self.transport is None:
            return
        if self._is_answering():
            self._loop.call_later(patience, self._end, min(2 * patience, _LATER_SECONDS))
        else:
            self.force_close()

    def _is_answering(self) -> bool:
        return self._request_count > 0 and (self._waiter is None or self._waiter.done())

    def _is_whole(self) -> bool:
        """Tell whether the body of the last request that came is there."""
        try:
            assert self._parser is not None
            self._parser.feed_eof()
        except PayloadEncodingError:
            return False
        except HttpProcessingError:  # the head of one more request has begun, which is no request
            pass
        return True

    def log_exception(self, *args: object, **kw: object) -> None:
        """Report what went wrong outside of any answer; what aiohttp says of it may repeat what was received."""
        error = kw.get("exc_info")
        _log.error("a connection failed\n%s", trace(error if isinstance(error, BaseException) else sys.exception()))

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what went wrong; raises again what says that the client has gone, which is no error."""
        if isinstance(exc, ConnectionError) and self.transport is None:
            raise exc
        return self.refused(request, status, exc, message)

    def refused(
        self, request: web.BaseRequest, status: int, exc: BaseException | None, message: str | None
    ) -> web.StreamResponse:
        """Return the answer to what aiohttp could not parse, or to what failed."""
        return super().handle_error(request, status, exc, message)


class Server(web.Server):
    """A server of such connections, for a handler that needs nothing else."""

    def __call__(self) -> web.RequestHandler:
        """Make the protocol of one connection."""
        return Connection(self, loop=self._loop, access_log=None)  # type: ignore[arg-type]  # documented: no access log


Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def guarded(handle: Handler, visitors: Visitors) -> Handler:
    """Return a handler that refuses with 403 whom ``visitors`` does not take."""

    async def guard(request: web.BaseRequest) -> web.StreamResponse:
        try:
            visitors.check(f"http://{request.host}", tuple(request.raw_headers))
        except RequestError as error:
            fields = {name.decode(): value.decode() for name, value in OWN_FIELDS}
            body = error_json(error.status, str(error))
            return web.Response(status=error.status, body=body, content_type="application/json", headers=fields)
        return await handle(request)

    return guard


def _has_failed(transport: asyncio.BaseTransport) -> bool:
    """Tell whether the other side has refused what was written."""
    held: socket.socket = transport.get_extra_info("socket")
    return held.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


def has_slots(names: frozenset[str]) -> bool:
    """Tell whether this aiohttp's connections have these private attributes."""
    return names <= {name for kind in web.RequestHandler.__mro__ for name in getattr(kind, "__slots__", ())}


_USED = frozenset({"_loop", "_parser", "_request_count", "_waiter"})
_INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
_PROBES, _PROBE_SECONDS = 10, 0.002
"""How often, and after what time each, it is looked for what came back to an interim answer."""
_SOON_SECONDS, _LATER_SECONDS = 0.0002, 0.02
