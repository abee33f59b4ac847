"""The least that forwards with aiohttp: an application and a client session that keep nothing.

``forwarder.py PORT UPSTREAM``
"""

import sys
from collections.abc import AsyncIterator

import uvloop
from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host", "server"}
SESSION = web.AppKey("session", ClientSession)


async def forward(request: web.Request) -> web.Response:
    """Put the request to the upstream, and its answer to the client."""
    body = await request.read()
    headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
    asking = request.app[SESSION].request(
        request.method, request.rel_url, data=body or None, headers=headers, allow_redirects=False
    )
    async with asking as answer:
        passed = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
        return web.Response(body=await answer.read(), status=answer.status, headers=passed)


def main(port: str, upstream: str) -> None:
    """Serve until killed."""

    async def session(app: web.Application) -> AsyncIterator[None]:
        connector = TCPConnector(limit=1000)
        async with ClientSession(upstream, connector=connector, cookie_jar=DummyCookieJar()) as app[SESSION]:
            yield

    app = web.Application()
    app.cleanup_ctx.append(session)
    app.router.add_route("*", "/{path:.*}", forward)
    web.run_app(app, host="127.0.0.1", port=int(port), access_log=None, print=None, loop=uvloop.new_event_loop())


if __name__ == "__main__":
    main(*sys.argv[1:])
