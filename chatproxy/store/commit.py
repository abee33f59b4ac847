"""Group commit: whatever waits to be stored is written in one transaction, with one fsync, in a thread of its own."""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")

_Waiting = tuple[T, asyncio.Future[None]]


class GroupCommit(Generic[T]):
    """Commits items in the order in which they came; many that come during one commit share the next.

    What comes in one round of the event loop is handed over at its end, so that it shares a commit as well, and the
    thread is woken once: with 32 clients that are answered within a millisecond this halves the work.

    ``write`` gets a list of items, and returns when they are on disk; what it raises reaches everybody who
    waits for one of them.
    """

    def __init__(self, write: Callable[[list[T]], None]) -> None:
        self._write = write
        self._closed = False
        self._gathered: deque[_Waiting[T]] = deque()
        self._queue: queue.SimpleQueue[list[_Waiting[T]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="chatproxy-commit", daemon=True)
        self._thread.start()

    async def commit(self, item: T) -> None:
        """Return when the item is on disk. It is written even if whoever waits is cancelled."""
        if self._closed:
            raise RuntimeError("closed: nothing more can be committed")
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._gathered.append((item, done))
        if len(self._gathered) == 1:
            loop.call_soon(self._hand_over)
        await done

    def close(self) -> None:
        """Write what is waiting, and end; a second time does nothing."""
        self._closed = True
        self._hand_over()
        self._queue.put(None)
        self._thread.join()

    def _hand_over(self) -> None:
        batch = []
        with suppress(IndexError):  # whoever closes may do so in another thread: each item is taken once
            while True:
                batch.append(self._gathered.popleft())
        if batch:
            self._queue.put(batch)

    def _run(self) -> None:
        going = True
        while going:
            batches = [self._queue.get()]
            with suppress(queue.Empty):
                while True:
                    batches.append(self._queue.get_nowait())
            going = None not in batches
            waiting = [entry for batch in batches if batch is not None for entry in batch]
            if waiting:
                self._commit(waiting)

    def _commit(self, batch: list[_Waiting[T]]) -> None:
        error: Exception | None = None
        try:
            self._write([item for item, _ in batch])
        except Exception as raised:
            error = raised
        futures = [done for _, done in batch]
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            futures[0].get_loop().call_soon_threadsafe(_tell, futures, error)


def _tell(futures: list[asyncio.Future[None]], error: Exception | None) -> None:
    for done in futures:
        if done.done():  # whoever waited was cancelled
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
