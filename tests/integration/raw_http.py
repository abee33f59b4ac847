"""HTTP as bytes: an upstream that answers with just the bytes that a test gives, and a client that hides nothing."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from integration.processes import PATIENCE


@dataclass(frozen=True)
class Message:
    """A request or an answer as it stood on the wire, with its body out of chunks."""

    start: str
    fields: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def status(self) -> int:
        """The status of an answer."""
        return int(self.start.split(" ")[1])

    def values(self, name: str) -> list[str]:
        """Return all values of a field."""
        return [value for field, value in self.fields if field.lower() == name.lower()]

    @property
    def outcome(self) -> str:
        """What the proxy says to have done."""
        return self.values("x-chatproxy-outcome")[0]


class Stream:
    """One connection, read message by message."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._bytes = connection.makefile("rb")

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._connection.sendall(data)

    def read(self, *, has_body: bool = True) -> Message | None:
        """Return the next message, or None at the end."""
        head = []
        while (line := self._bytes.readline()) not in {b"\r\n", b""}:
            head.append(line.rstrip(b"\r\n").decode(errors="surrogateescape"))
        if not head:
            return None
        fields = tuple((name, value) for name, _, value in (one.partition(": ") for one in head[1:]))
        lower = {name.lower(): value for name, value in fields}
        return Message(head[0], fields, self._body(lower) if has_body else b"")

    def _body(self, fields: dict[str, str]) -> bytes:
        if fields.get("transfer-encoding") == "chunked":
            return b"".join(self._chunks())
        return self._bytes.read(int(fields.get("content-length", 0)))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._bytes.readline(), 16):
            yield self._bytes.read(size)
            self._bytes.readline()
        self._bytes.readline()

    def ended(self) -> bool:
        """Wait for the end of the connection; False if something else comes."""
        return self._bytes.read(1) == b""


@contextmanager
def connected(port: int) -> Iterator[Stream]:
    """Connect to a server on this machine."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        yield Stream(connection)


def request(target: str, *fields: str, method: str = "GET", body: bytes = b"") -> bytes:
    """Return a request's bytes."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def ask_raw(port: int, data: bytes, *, has_body: bool = True) -> Message:
    """Send a request on a connection of its own, and return the answer."""
    with connected(port) as stream:
        stream.send(data)
        answer = stream.read(has_body=has_body)
    assert answer is not None
    return answer


@dataclass
class RawUpstream:
    """Answers each request with the bytes for its path, a pause where they are None; notes what came."""

    port: int
    answers: dict[str, list[bytes | float]] = field(default_factory=dict)
    received: list[Message] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        """Answer one request and close."""
        with connection, suppress(OSError):
            asked = Stream(connection).read()
            if asked is None:
                return
            self.received.append(asked)
            for part in self.answers[asked.start.split(" ")[1]]:
                if isinstance(part, bytes):
                    connection.sendall(part)
                else:
                    time.sleep(part)


@contextmanager
def raw_upstream(tls: ssl.SSLContext | None = None) -> Iterator[RawUpstream]:
    """Serve an upstream in threads."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        upstream = RawUpstream(listener.getsockname()[1])

        def serve(connection: socket.socket) -> None:
            with suppress(OSError):  # no TLS, or a client that does not trust us
                upstream.serve(tls.wrap_socket(connection, server_side=True) if tls else connection)
            connection.close()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection = listener.accept()[0]
                    threading.Thread(target=serve, args=(connection,), daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield upstream
        listener.shutdown(socket.SHUT_RDWR)
    accepting.join(PATIENCE)
