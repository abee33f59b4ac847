"""What is done with a request that goes to the upstream to be recorded, in the server and in the addon alike."""

import asyncio
from collections.abc import Awaitable, Callable

from chatproxy.core.engine import Engine
from chatproxy.core.model import Exchange, Forward, Response
from chatproxy.upstream import Upstream

Keep = Callable[[Exchange], Awaitable[None]]
"""Stores an exchange; it is on disk when this has ended."""


HasGone = Callable[[], Awaitable[bool]]
"""Tells that nobody waits for an answer any more; it is asked when the answer came."""


async def recorded(forward: Forward, engine: Engine, upstream: Upstream, keep: Keep, has_gone: HasGone) -> Response:
    """Ask the upstream, keep the exchange, and return what the client gets, in this order.

    So nothing that a client has seen is lost, whatever ends the process, and nothing counts as recorded that is not.
    """
    response = await upstream.ask(forward.request)
    kept = _kept(forward, response, engine, keep, has_gone)
    return await asyncio.shield(kept)  # it is written though whoever waits is cancelled


async def _kept(forward: Forward, response: Response, engine: Engine, keep: Keep, has_gone: HasGone) -> Response:
    answer, exchange = engine.on_response(forward, response, abandoned=await has_gone())
    assert exchange is not None, "the engine has no recorder"
    await keep(exchange)
    engine.on_kept(forward, exchange)
    return answer
