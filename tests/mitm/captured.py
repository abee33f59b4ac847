"""Flows as mitmproxy captures them, of requests to the Message resource and of others."""

from collections.abc import Sequence

from mitmproxy import http
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.test.tflow import tclient_conn, tflow
from strategies import MESSAGES

from chatproxy.core.model import Headers
from chatproxy.core.products.every import TWILIO_ORIGIN
from chatproxy.mitm.flows import target_of

TARGET = MESSAGES.decode()
FORM_TYPE = (b"Content-Type", b"application/x-www-form-urlencoded")
JSON_TYPE = (b"Content-Type", b"application/json")


def flow(
    method: str = "GET",
    target: str = TARGET,
    body: bytes = b"",
    *,
    origin: str = TWILIO_ORIGIN,
    headers: Headers | None = None,
    response: http.Response | None = None,
    mode: str = "regular",
    asked: float = 1.0,
) -> http.HTTPFlow:
    """Return a flow of a request that a proxy of this mode was sent, to an origin, at this second since 1970."""
    scheme, host, port = target_of(origin)
    if headers is None:
        headers = (FORM_TYPE,) if body else ()
    request = http.Request(
        *(host, port, method.encode("latin-1"), scheme.encode(), b"", target.encode("latin-1"), b"HTTP/1.1"),
        *(http.Headers(headers), body, None, asked, asked + 0.1),
    )
    client = tclient_conn()
    client.proxy_mode = ProxyMode.parse(mode)
    client.sockname = ("127.0.0.1", 8080)
    return tflow(client_conn=client, req=request, resp=response or False)


def response(
    body: bytes = b"{}",
    *,
    status: int = 200,
    reason: bytes = b"OK",
    headers: Sequence[tuple[bytes, bytes]] = (JSON_TYPE,),
    answered: float = 2.0,
) -> http.Response:
    """Return an answer that came whole at this second since 1970."""
    return http.Response(b"HTTP/1.1", status, reason, http.Headers(headers), body, None, answered - 0.1, answered)
