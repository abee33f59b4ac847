"""Asks the real server: the only module that goes out."""

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import (
    ClientConnectionError,
    ClientConnectorDNSError,
    ClientError,
    ClientHandlerType,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    encode_basic_auth,
)
from multidict import CIMultiDict
from yarl import URL

from chatproxy.core.errors import ConfigError, UpstreamError
from chatproxy.core.http.codings import Decoding, can_decode, content_codings, transfer_codings
from chatproxy.core.http.headers import end_to_end, fields_of_answer
from chatproxy.core.model import Headers, Request, Response, is_read
from chatproxy.outside import reason

_ASKED_CODINGS = "gzip, deflate"
"""The content codings that are asked for."""


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """``origin`` is asked, nothing else; sizes are in bytes, timeouts in seconds.

    ``proxy`` is the origin of the proxy through which it is asked, if it is through one, ``proxy_login`` the user and
    the password for that. ``passed_over`` names a variable of the environment that has a proxy which is not used.
    """

    origin: str
    ca_file: Path | None = None
    max_body: int = 16 * 2**20
    connect_timeout: float = 10.0
    timeout: float = 60.0
    max_connections: int = 100
    proxy: str | None = None
    proxy_login: tuple[str, str] | None = field(default=None, repr=False)
    passed_over: str | None = None


class Upstream:
    """The real server; an async context manager that keeps connections open between requests."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._settings = settings
        self._tls = _tls(settings.ca_file)
        login = {"Proxy-Authorization": encode_basic_auth(*settings.proxy_login)} if settings.proxy_login else {}
        self._is_tunnelled = settings.origin.startswith("https:")  # all that comes is the upstream's then
        self._login, self._login_of_tunnel = ({}, login) if self._is_tunnelled else (login, {})
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Make the connector; no connection is opened yet."""
        settings = self._settings
        self._session = ClientSession(
            connector=TCPConnector(limit=settings.max_connections, ssl=self._tls),
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=settings.timeout, connect=settings.connect_timeout),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            trust_env=False,
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def ask(self, request: Request) -> Response:
        """Return the whole answer, decoded; raises UpstreamError if there is none, it is late or too large."""
        with _errors(self._settings):
            async with self._asked(request) as answer:
                headers = answer.raw_headers
                codings = content_codings(headers) + transfer_codings(headers)
                decoding = Decoding(codings, self._settings.max_body)
                body = b"".join([piece async for piece in self._decoded(answer, decoding)])
        return _answer(answer, fields_of_answer(headers, answer.method, answer.status), body)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[tuple[Response, AsyncIterator[bytes]]]:
        """Give the head of the answer, and its body as it comes.

        What cannot be decoded keeps its content coding, and the fields that name it.
        """
        with _errors(self._settings):
            async with self._asked(request) as answer:
                headers = answer.raw_headers
                codings, transfer = content_codings(headers), transfer_codings(headers)
                passed = fields_of_answer(headers, answer.method, answer.status)
                if not can_decode(codings):
                    passed += tuple((name, value) for name, value in headers if name.lower() == b"content-encoding")
                    codings = []
                yield _answer(answer, passed), self._decoded(answer, Decoding(codings + transfer))

    async def _decoded(self, answer: ClientResponse, decoding: Decoding) -> AsyncIterator[bytes]:
        """Yield the body as it comes, without these codings; raises UpstreamError for one that is not whole."""
        try:
            async for chunk in answer.content.iter_any():
                for piece in decoding.feed(chunk):
                    yield piece
            decoding.end()
        except UpstreamError as error:
            raise UpstreamError(error.status, f"{self._settings.origin} gave no usable answer: {error}") from error

    @asynccontextmanager
    async def _asked(self, request: Request) -> AsyncIterator[ClientResponse]:
        """Give the answer; what the proxy on the way answers itself is an error."""
        async with self._sent(request) as answer:
            if self._settings.proxy is not None and not self._is_tunnelled and _is_proxys(answer):
                raise _refused(self._settings, answer.status)
            yield answer

    def _sent(self, request: Request) -> AbstractAsyncContextManager[ClientResponse]:
        assert self._session is not None
        return self._session.request(
            request.method,
            _url(self._settings.origin, request.target),
            headers=_sent_headers(request.headers, self._login),
            proxy=self._settings.proxy,
            proxy_headers=self._login_of_tunnel,
            data=request.body or None,
            allow_redirects=False,
            middlewares=() if is_read(request.method) or request.method in _ONCE_ANYWAY else (self._once,),
        )

    async def _once(self, request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
        """Send a write once: its effect may be there though no answer came.

        aiohttp repeats DELETE and PUT after a connection error (as RFC 9110 section 9.2.2 allows), but no error
        of another kind.
        """
        with _errors(self._settings):
            return await send(request)


_ONCE_ANYWAY = frozenset({"POST", "PATCH"})
"""Methods of which aiohttp repeats no request."""


@lru_cache(256)  # programs that poll ask for the same again and again
def _url(origin: str, target: bytes) -> URL:
    return URL(origin + target.decode("ascii"), encoded=True)


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    """Verify certificates by the system's authorities, or by those of a PEM file alone."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # an SSLError is one too
        raise ConfigError("--upstream-ca", f"{ca_file} cannot be read as PEM certificates: {reason(error)}") from error


def _sent_headers(headers: Headers, login: Mapping[str, str]) -> CIMultiDict[str]:
    sent = CIMultiDict(
        (name.decode(), value.decode()) for name, value in end_to_end(headers) if name.lower() != b"accept-encoding"
    )
    sent.add("Accept-Encoding", _ASKED_CODINGS)
    sent.update(login)
    return sent


def _answer(answer: ClientResponse, headers: Headers, body: bytes = b"") -> Response:
    phrase = (answer.reason or "").encode("utf-8", "surrogateescape")
    return Response(answer.status, phrase, headers, body)


@contextmanager
def _errors(settings: UpstreamSettings) -> Iterator[None]:
    """Turn what can go wrong outside into an UpstreamError: late is 504, all else 502."""
    origin = settings.origin
    try:
        yield
    except TimeoutError as error:  # those of aiohttp are such too
        late = f"{origin} did not answer in time (--upstream-timeout, --connect-timeout)"
        raise UpstreamError(504, late + _hint(settings)) from error
    except ClientHttpProxyError as error:
        raise _refused(settings, error.status) from error
    except ClientConnectionError as error:
        raise UpstreamError(502, _unreached(settings, error)) from error
    except ClientError as error:
        raise UpstreamError(502, f"{origin} gave no usable answer: {reason(error)}") from error


def _unreached(settings: UpstreamSettings, error: ClientConnectionError) -> str:
    """Say what cannot be reached; with a proxy there is no other name to be looked up than its own."""
    if settings.proxy is not None and isinstance(error, ClientProxyConnectionError | ClientConnectorDNSError):
        return f"the proxy {settings.proxy} cannot be reached (--upstream-proxy): {reason(error)}"
    return f"{settings.origin} cannot be reached: {reason(error)}{_hint(settings)}"


def _is_proxys(answer: ClientResponse) -> bool:
    """Tell whether a proxy that is asked in plain HTTP gave this answer itself.

    One that it passed on has Via (RFC 9110 section 7.6.3), which Squid sends with its own too.
    """
    fields = answer.headers
    return answer.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED or "Via" not in fields or "X-Squid-Error" in fields


def _refused(settings: UpstreamSettings, status: int) -> UpstreamError:
    """Return the error for a proxy that gave an answer itself."""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED}:
        what = "did not take the user and password" if settings.proxy_login else "demands a user and password"
    elif status < HTTPStatus.BAD_REQUEST:
        what = "gave an answer without Via, so that it may be its own,"
    else:
        what = "did not connect"
    proxy, origin = settings.proxy, settings.origin
    return UpstreamError(502, f"the proxy {proxy} {what} when {origin} was asked, status {status} (--upstream-proxy)")


def _hint(settings: UpstreamSettings) -> str:
    if settings.passed_over is None or settings.proxy is not None:
        return ""
    return f"; {settings.passed_over} is set and not used: give --upstream-proxy URL to ask through that proxy"
