"""Turns an upstream's URLs in an answer that comes from it now, as a replay turns those of a recorded one."""

from chatproxy.core.answers.template import (
    Addresses,
    Reply,
    Slot,
    body_origins,
    cut,
    head_origins,
    head_text,
    origin_filler,
)
from chatproxy.core.model import Response


def turned(response: Response, upstream: str, origin: str) -> Response:
    """Return an answer with the addresses that this upstream calls its own led to the origin."""
    head = head_text(response.headers)
    reply = Reply(
        response.status,
        response.reason,
        cut(head, head_origins(head, upstream)),
        cut(response.body, body_origins(response, upstream, Addresses())),
    )
    return reply.render({Slot.ORIGIN: origin_filler(origin)})
