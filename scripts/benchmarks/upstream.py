"""A stand-in for the service that costs next to nothing: every request gets a message with a SID of its own.

``upstream.py PORT STATUS FILE``: the file is the message, whose SID (``IM`` and 32 digits) is counted up.
"""

import asyncio
import re
import sys
from itertools import count
from pathlib import Path

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class Answering(asyncio.Protocol):
    """One connection; requests may come in pieces or together."""

    def __init__(self, template: bytes, numbers: "count[int]") -> None:
        self._template = template
        self._numbers = numbers
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to write."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        waiting = self._waiting + data
        while (end := waiting.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(waiting, 0, end)
            end += 4 + (int(length[1]) if length else 0)
            if len(waiting) < end:
                break
            waiting = waiting[end:]
            sid = b"%032x" % next(self._numbers)
            self._transport.write(self._template.replace(b"%SID%", sid))  # type: ignore[attr-defined]
        self._waiting = waiting


async def main(port: str, status: str, given: bytes) -> None:
    """Serve until killed."""
    message = re.sub(rb"IM[0-9a-f]{32}", b"IM%SID%", given)
    head = (
        f"HTTP/1.1 {status} CREATED\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nTwilio-Request-Id: RQ{'d' * 32}\r\n"
        f"Content-Length: {len(message.replace(b'%SID%', b'0' * 32))}\r\n\r\n"
    )
    numbers = count(1)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(head.encode() + message, numbers), "127.0.0.1", int(port))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:3], Path(sys.argv[3]).read_bytes()))
