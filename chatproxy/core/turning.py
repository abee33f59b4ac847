"""Turns an upstream's URLs in an answer that comes from it now, as a replay turns those of a recorded one."""

from chatproxy.core.model import Response
from chatproxy.core.origins import upstream_pattern
from chatproxy.core.template import Addresses, Slot, body_origins, cut, origin_filler


def turned(response: Response, upstream: str, origin: str) -> Response:
    """Return an answer with the addresses that this upstream calls its own led to the origin."""
    filler = origin_filler(origin)
    body = cut(response.body, body_origins(response, upstream, Addresses())).render({Slot.ORIGIN: filler})
    pattern = upstream_pattern(upstream)

    def led(value: bytes) -> bytes:
        found = pattern.match(value)
        return filler(found[0]) + value[found.end() :] if found else value

    headers = [(name, led(value) if name.lower() == b"location" else value) for name, value in response.headers]
    return Response(response.status, response.reason, tuple(headers), body)
