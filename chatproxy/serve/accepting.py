"""Connections of clients, which are taken while descriptors last.

Of those that the process may open, some are kept for files and for connections to the upstream. Further clients wait
until a connection ends. Event loops do otherwise: asyncio's prints a trace for each connection that it cannot take,
uvloop's closes it unanswered.
"""

import asyncio
import errno
import logging
import os
import resource
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from chatproxy.serve.bound import BACKLOG

_log = logging.getLogger("chatproxy")

_OWN = 16
"""How many descriptors are kept for files and the like."""

_RETRY_SECONDS = 0.05
Factory = Callable[[], asyncio.BaseProtocol]


@asynccontextmanager
async def accepting(sockets: Sequence[socket.socket], factory: Factory, upstream: int) -> AsyncIterator[None]:
    """Take connections to these sockets, with a protocol of the factory for each, while the block lasts.

    ``upstream`` is how many connections to the upstream there may be at once.
    """
    acceptor = _Acceptor(sockets, factory, _highest(sockets[0].fileno(), upstream))
    acceptor.resume()
    try:
        yield
    finally:
        await acceptor.stop()


def _highest(used: int, upstream: int) -> int | None:
    """Return the highest descriptor that a client's connection may have, none where all may be had.

    Where there are few, clients and upstream get as many each.
    """
    limit = _limit()
    if limit is None:
        return None
    left = max(limit - used, 0)
    own = min(_OWN, left // 2)
    return limit - 1 - own - min(upstream, (left - own) // 2)


def _limit() -> int | None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


class _Acceptor:
    """Takes connections, or waits until there are descriptors again, which is said once."""

    def __init__(self, sockets: Sequence[socket.socket], factory: Factory, highest: int | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._sockets = sockets
        self._factory = factory
        self._highest = highest
        self._taken: set[asyncio.Task[None]] = set()
        self._retry: asyncio.TimerHandle | None = None
        self._said = False

    def resume(self) -> None:
        """Take what comes from now on, if there are descriptors."""
        self._retry = None
        if self._is_full(self._probe()):
            self._wait()
            return
        for one in self._sockets:
            self._loop.add_reader(one, self._accept, one)

    async def stop(self) -> None:
        """Take no more."""
        self._pause()
        if self._retry is not None:
            self._retry.cancel()
        if self._taken:
            await asyncio.wait(self._taken)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(BACKLOG):
            try:
                connection, _address = listening.accept()
            except OSError as error:  # also one that has gone again, or that none is there
                if error.errno in _EXHAUSTED:
                    self._wait()
                return
            self._take(connection)
            if self._is_full(connection.fileno()):
                self._wait()
                return

    def _take(self, connection: socket.socket) -> None:
        task = self._loop.create_task(self._serve(connection))
        self._taken.add(task)
        task.add_done_callback(self._taken.discard)

    async def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setblocking(False)
            await self._loop.connect_accepted_socket(self._factory, connection)
        except OSError:  # it has gone again
            connection.close()

    def _is_full(self, descriptor: int | None) -> bool:
        """Tell whether too few descriptors are left, by the one that was opened last, none if it could not be."""
        return descriptor is None or (self._highest is not None and descriptor >= self._highest)

    def _probe(self) -> int | None:
        """Return the next descriptor."""
        try:
            descriptor = os.dup(self._sockets[0].fileno())
        except OSError:
            return None
        os.close(descriptor)
        return descriptor

    def _pause(self) -> None:
        for one in self._sockets:
            self._loop.remove_reader(one)

    def _wait(self) -> None:
        self._pause()
        self._retry = self._loop.call_later(_RETRY_SECONDS, self.resume)
        if not self._said:
            self._said = True
            _log.warning(
                "chatproxy: descriptors run out: further clients wait until a connection ends; raise ulimit -n, now %s",
                _limit(),
            )


_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
