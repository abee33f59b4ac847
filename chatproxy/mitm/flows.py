"""mitmproxy's flows, to the model and back."""

import json
import time
from dataclasses import replace
from typing import NamedTuple

from mitmproxy import http
from mitmproxy.net.http.url import hostport
from mitmproxy.proxy.mode_specs import ReverseMode

from chatproxy.core.errors import RequestError, UpstreamError
from chatproxy.core.http.admission import check_head, too_large
from chatproxy.core.http.codings import content_codings, decoded, transfer_codings
from chatproxy.core.http.grammar import TOKEN
from chatproxy.core.http.headers import content_length, fields_of_answer, may_have_body, persists
from chatproxy.core.model import Outcome, Request, Response, header_values
from chatproxy.core.replay.marks import EXCHANGE, OUTCOME
from chatproxy.core.twilio.origins import is_twilio, one_host, origin_for
from chatproxy.mitm.codings import CODINGS
from chatproxy.serve.control_token import is_loopback

HOST = "chatproxy_host"
"""Under this name a flow remembers the Host that its client named, which reverse mode writes over."""
ORIGIN = "chatproxy_origin"
"""And under this one the address to which the URLs of its answer were turned."""

MISS, ERROR = ":x:", ":warning:"
_MARKERS = {
    Outcome.HIT: ":white_check_mark:",
    Outcome.MISS: MISS,
    Outcome.RECORDED: ":record_button:",
    Outcome.ERROR: ERROR,
}
"""How a flow is marked for its outcome; one that is passed on is not."""

_PORTS = {"http": 80, "https": 443}


class Target(NamedTuple):
    """Where a connection leads."""

    scheme: str
    host: str
    port: int


def target_of(origin: str) -> Target:
    """Return where an origin leads."""
    scheme, _, rest = origin.partition("://")
    host, _, port = rest.rpartition(":") if rest.rpartition(":")[2].isdigit() else (rest, "", "")
    return Target(scheme, host.strip("[]"), int(port) if port else _PORTS[scheme])


def address(scheme: str, host: str, port: int) -> str:
    """Return a host and its port as URLs name them: IPv6 in brackets, and no port that the scheme has anyway."""
    return hostport(scheme, f"[{host}]" if ":" in host else host, port)


def is_ours(flow: http.HTTPFlow, upstream: Target) -> bool:
    """Tell whether a flow is meant for the service or for the upstream that stands for it."""
    request = flow.request
    target = Target(request.scheme, request.host, request.port)
    return is_twilio(target.host) or target == upstream


def is_reverse(flow: http.HTTPFlow) -> bool:
    """Tell whether the client takes mitmproxy for the server itself."""
    return isinstance(flow.client_conn.proxy_mode, ReverseMode)


def is_local(flow: http.HTTPFlow) -> bool:
    """Tell whether the client is on this machine."""
    peer = flow.client_conn.peername
    return peer is not None and _is_loopback(peer[0])


def is_on_loopback(flow: http.HTTPFlow) -> bool:
    """Tell whether the client reached us by the loopback."""
    return _is_loopback(flow.client_conn.sockname[0])


def _is_loopback(host: str) -> bool:
    return is_loopback(host.partition("%")[0])


def origin_of(flow: http.HTTPFlow) -> str:
    """Return the address by which the client reached the service, as it sees it.

    In reverse mode that is mitmproxy's own. A client of a forward proxy sees the service under its own name, and
    all of its names are one. A flow that was answered remembers it, for mitmproxy may have been told to ask elsewhere.
    """
    if ORIGIN in flow.metadata:
        return str(flow.metadata[ORIGIN])
    if not is_reverse(flow):
        target = Target(flow.request.scheme, flow.request.host, flow.request.port)
        if is_twilio(target.host):
            return f"https://{one_host(target.host)}"
        return f"{target.scheme}://{address(*target)}"
    scheme = "https" if flow.client_conn.tls else "http"
    host = flow.metadata.get(HOST)
    return origin_for(scheme, host or address(scheme, *flow.client_conn.sockname[:2]))


def request_of(flow: http.HTTPFlow) -> Request:
    """Return the request of a flow, as its client sent it."""
    request = flow.request
    method = request.data.method.decode("latin-1")  # as `request.method` it would be in upper case
    fields = tuple(request.headers.fields)
    return Request(method, request.data.path, fields, request.raw_content or b"", origin_of(flow))


def taken(flow: http.HTTPFlow, max_body: int) -> Request:
    """Return the request of a flow, if it can be taken; raises RequestError for one that cannot."""
    request = request_of(flow)
    if not TOKEN.fullmatch(request.method):
        raise RequestError(400, "the method is no token (RFC 9110 section 9.1)")
    check_head(request.origin.partition("://")[2], request.target.decode("latin-1"), request.headers)
    if len(request.body) > max_body:
        raise too_large(max_body)
    return request


def response_of(flow: http.HTTPFlow, max_body: int) -> Response | None:
    """Return the whole answer of a flow, decoded.

    There is none where there is no answer, or its body was streamed, is too large, or cannot be decoded to its end.
    """
    response = flow.response
    if response is None or response.raw_content is None:
        return None
    head = head_of(response, flow.request.method)
    headers = tuple(response.headers.fields)
    codings = content_codings(headers) + transfer_codings(headers)
    try:
        body = decoded(response.raw_content, codings, max_body, CODINGS)
    except UpstreamError:
        return None
    return replace(head, body=body)


def head_of(response: http.Response, method: str) -> Response:
    """Return an answer to this method without its body, and without what frames that."""
    fields = fields_of_answer(tuple(response.headers.fields), method, response.status_code)
    return Response(response.status_code, response.data.reason, fields)


def redirect(flow: http.HTTPFlow, upstream: Target) -> None:
    """Let mitmproxy put a flow's request to the upstream."""
    request = flow.request
    request.scheme, request.host, request.port = upstream


def answer(flow: http.HTTPFlow, response: Response) -> None:
    """Give a flow its answer, and show what became of it."""
    fields = list(response.headers)
    length = content_length(response, flow.request.method)
    if length is not None:
        fields.append((b"Content-Length", b"%d" % length))
    fields += _persistence(flow.request)
    body = response.body if may_have_body(flow.request.method, response.status) else b""
    now = time.time()
    flow.response = http.Response(
        b"HTTP/1.1", response.status, response.reason, http.Headers(fields), body, None, now, now
    )
    show(flow, response)


_PERSISTS_BY_DEFAULT = {"HTTP/1.1": True, "HTTP/1.0": False}


def _persistence(request: http.Request) -> list[tuple[bytes, bytes]]:
    """Say what mitmproxy does not by itself: whether the connection of a client of HTTP/1 goes on after its answer."""
    by_default = _PERSISTS_BY_DEFAULT.get(request.http_version)
    if by_default is None:
        return []
    goes_on = persists(tuple(request.headers.fields), by_default=by_default)
    if not goes_on:
        return [(b"Connection", b"close")]
    return [] if by_default else [(b"Connection", b"keep-alive")]


def show(flow: http.HTTPFlow, response: Response) -> None:
    """Mark a flow by the outcome that its answer tells of; its comment says which exchange it was, or why none."""
    said, exchange = (_text(response, name) for name in (OUTCOME, EXCHANGE))
    if not said:  # the control API's
        return
    outcome = Outcome(said)
    flow.marked = _MARKERS.get(outcome, "")
    flow.is_replay = "response" if outcome is Outcome.HIT else None  # as mitmproxy's own replay says of its answers
    detail = exchange if exchange or outcome is Outcome.PASSED else f": {json.loads(response.body)['message']}"
    flow.comment = f"chatproxy: {outcome}{' ' if exchange else ''}{detail}"


def _text(response: Response, name: bytes) -> str:
    return next(header_values(response.headers, name), b"").decode()
