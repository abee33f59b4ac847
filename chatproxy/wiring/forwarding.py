"""What is done with a request that goes to the upstream to be recorded, in the server and in the addon alike."""

import asyncio
from collections.abc import Awaitable, Callable

from chatproxy.core.engine import Engine
from chatproxy.core.model import Exchange, Forward, Response
from chatproxy.upstream import Upstream

Keep = Callable[[Exchange], Awaitable[None]]
"""Stores an exchange; it is on disk when this has ended."""


async def recorded(
    forward: Forward, engine: Engine, upstream: Upstream, keep: Keep, has_gone: Callable[[], bool]
) -> Response:
    """Ask the upstream, keep the exchange, and return what the client gets, in this order.

    So nothing that a client has seen is lost, whatever ends the process, and nothing counts as recorded that is not.
    ``has_gone`` is asked when the answer came, and tells that nobody waits for it any more.
    """
    response = await upstream.ask(forward.request)
    answer, exchange = engine.on_response(forward, response, abandoned=has_gone())
    assert exchange is not None, "the engine has no recorder"
    await asyncio.shield(_keep(forward, exchange, engine, keep))  # it is written though whoever waits is cancelled
    return answer


async def _keep(forward: Forward, exchange: Exchange, engine: Engine, keep: Keep) -> None:
    await keep(exchange)
    engine.on_kept(forward, exchange)
