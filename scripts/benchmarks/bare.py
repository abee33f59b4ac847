"""The least that an aiohttp server does: an application that answers everything with the same bytes.

``bare.py PORT STATUS FILE``
"""

import sys
from pathlib import Path

import uvloop
from aiohttp import web


def main(port: str, status: str, file: str) -> None:
    """Serve until killed."""
    body = Path(file).read_bytes()

    async def read(request: web.Request) -> web.Response:
        return web.Response(body=body, status=int(status), content_type="application/json", charset="utf-8")

    async def write(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=body, status=int(status), content_type="application/json", charset="utf-8")

    app = web.Application()
    app.router.add_get("/{path:.*}", read)
    app.router.add_post("/{path:.*}", write)
    loop = uvloop.new_event_loop()
    web.run_app(app, host="127.0.0.1", port=int(port), access_log=None, print=None, loop=loop)


if __name__ == "__main__":
    main(*sys.argv[1:])
