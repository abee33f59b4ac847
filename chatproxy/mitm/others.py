"""Which hosts besides the service a run's command reaches through the proxy; what it reaches past it is its own."""

from mitmproxy import http

from chatproxy.core.errors import RequestError
from chatproxy.core.model import Request
from chatproxy.mitm.flows import address
from chatproxy.mitm.options import Choice


def passes(choice: Choice, host: str) -> bool:
    """Tell whether a host that is not the service may be reached; by default in a recording only."""
    others = choice.settings.others or ("pass" if choice.mode.records else "refuse")
    return others == "pass" or (isinstance(others, frozenset) and host.lower() in others)


def refusal(flow: http.HTTPFlow) -> tuple[RequestError, Request]:
    """Return the error for a request to a host that is not to be reached, and the request as far as it is told of."""
    request = flow.request
    where = address(request.scheme or "https", request.host, request.port)
    error = RequestError(403, f"{where} is not Twilio's chat, nor --upstream (--others {request.host}, or pass)")
    target = where if request.method == "CONNECT" else f"{request.scheme}://{where}"
    return error, Request(request.method, target.encode(), tuple(request.headers.fields))
