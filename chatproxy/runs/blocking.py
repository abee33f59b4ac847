"""Keeps a test run from reaching other machines, by Python's audit events (https://peps.python.org/pep-0578/).

What does not open sockets through Python is not seen, such as uvloop or another process.
"""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

from chatproxy.core.errors import NetworkBlockedError
from chatproxy.environment import THREADS

_ADDRESS = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1}
_HOST = {"socket.getaddrinfo": 0, "socket.gethostbyname": 0}
"""The events that lead out, with the place of the address or the host in what they tell."""


class Blockade:
    """Refuses what leads to other machines while ``closed``; an audit hook cannot be taken away, only left open."""

    def __init__(self) -> None:
        self._closed = False
        self._refused: list[str] = []
        self._own_name = socket.gethostname()
        sys.addaudithook(self._audit)

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Refuse while the block lasts."""
        self._closed = True
        try:
            yield
        finally:
            self._closed = False

    def refused(self) -> list[str]:
        """Return which hosts were refused since the last time."""
        refused, self._refused = self._refused, []
        return list(dict.fromkeys(refused))

    def _audit(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self._closed or not event.startswith("socket."):
            return
        if event in _ADDRESS:
            address = arguments[_ADDRESS[event]]
            host = address[0] if isinstance(address, tuple) and address else None  # else of the machine's own families
        elif event in _HOST:
            host = arguments[_HOST[event]]
        else:
            return
        if host and not self._is_own(_text(host)) and not threading.current_thread().name.startswith(THREADS):
            self._refused.append(_text(host))
            raise NetworkBlockedError(_text(host))

    def _is_own(self, host: str) -> bool:
        if host in {"localhost", self._own_name} or host.endswith(".localhost"):
            return True
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return False
        plain = getattr(address, "ipv4_mapped", None) or address  # an IPv4 address as IPv6 has it
        return bool(plain.is_loopback or plain.is_unspecified)


def _text(host: object) -> str:
    return host.decode("ascii", "backslashreplace") if isinstance(host, bytes | bytearray) else str(host)
