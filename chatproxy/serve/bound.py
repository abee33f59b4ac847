"""Sockets that are listened at: those of a host, all at one port, or one in the file system."""

import errno
import os
import socket
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from chatproxy.config.addresses import Listener, SocketFile

BACKLOG = 1024


def bound(stack: ExitStack, place: Listener) -> list[socket.socket]:
    """Bind a socket at each address of a host, or one in the file system; ``stack`` closes them.

    A host that is empty is all addresses. Raises OSError where one cannot be bound. A family that this machine does not
    have is left out.
    """
    if isinstance(place, SocketFile):
        return [_at_path(stack, place.path)]
    addresses = _addresses(place.host)
    for attempt in range(_ATTEMPTS):
        with ExitStack() as one:
            try:
                sockets = _at_addresses(one, addresses, place.port)
            except OSError as error:  # a free port of the first may not be free at the second
                if error.errno != errno.EADDRINUSE or place.port or attempt == _ATTEMPTS - 1:
                    raise
                continue
            stack.enter_context(one.pop_all())
            return sockets
    raise AssertionError("the last attempt returns or raises")


_ATTEMPTS = 20


_Address = tuple[int, tuple[Any, ...]]
"""A family, and an address as its sockets take it."""


def _addresses(host: str) -> list[_Address]:
    """Return the addresses of a host; ``localhost`` is both loopbacks, whatever a resolver says (RFC 6761)."""
    if host == "localhost":
        return [(socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_INET6, ("::1", 0))]
    found = socket.getaddrinfo(host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _at_addresses(stack: ExitStack, addresses: Sequence[_Address], port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    left_out = None
    for family, (host, _, *scope) in addresses:
        try:
            one = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((host, port, *scope))
            _listen(one)
        except OSError as error:
            if error.errno not in _NO_FAMILY:
                raise
            left_out = error
            continue
        port = one.getsockname()[1]
        sockets.append(one)
    if left_out is not None and not sockets:
        raise left_out
    return sockets


_NO_FAMILY = frozenset({errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EADDRNOTAVAIL})


def _at_path(stack: ExitStack, path: Path) -> socket.socket:
    """Bind a socket that its owner alone can use, in place of one at which nobody listens any more."""
    one = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    if _is_left(path):
        path.unlink()
    try:
        one.bind(os.fspath(path))
    except OSError as error:
        if error.errno is None:  # Python has a text of its own alone for a path that is too long
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG)) from error
        raise
    stack.callback(_remove, path, path.stat().st_ino)
    path.chmod(0o600)  # before anybody can connect, which takes a socket that listens
    _listen(one)
    return one


def _is_left(path: Path) -> bool:
    """Tell whether a socket stands here at which nobody listens, as after a crash."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.setblocking(False)
            client.connect(os.fspath(path))
    except ConnectionRefusedError:
        return True
    except OSError:  # none is there, or it cannot be asked: binding says what is wrong
        return False
    return False


def _remove(path: Path, inode: int) -> None:
    """Remove the socket, unless another one stands there by now."""
    try:
        if path.stat().st_ino == inode:
            path.unlink()
    except OSError:  # it is gone already
        pass


def _listen(one: socket.socket) -> None:
    one.listen(BACKLOG)
    one.setblocking(False)
