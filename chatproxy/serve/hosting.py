"""Where servers run: in this process until a signal ends it, or in a thread beside the program that uses them."""

import asyncio
import json
import logging
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from chatproxy.environment import THREADS
from chatproxy.files import remove_file, write_whole
from chatproxy.outside import trace
from chatproxy.serve.listen import Running
from chatproxy.wiring.assembly import Say

T = TypeVar("T")

_log = logging.getLogger("chatproxy")


def run_server(server: AbstractAsyncContextManager[Running], mode: str, ready_file: Path | None, say: Say) -> None:
    """Run a server on the fastest event loop there is, until SIGTERM or SIGINT.

    A second signal ends the process at once, as a crash would. The ready file is there while the server accepts.
    """

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(_report)
        _remove(ready_file)
        async with server as running:
            stopped = _on_signal()
            try:
                if ready_file is not None:
                    token = {"token": running.token} if running.token else {}
                    _write_ready_file(ready_file, {"url": running.url, "mode": mode, "pid": os.getpid()} | token)
                say(f"chatproxy: {mode} on {running.url}")
                if running.token:
                    say(f"chatproxy: control token {running.token}")
                await stopped.wait()
            finally:
                _remove(ready_file)
        if running.engine is not None:
            counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(running.engine.counts.items()))
            say(f"chatproxy: {mode} ended: {counts or 'no request came'}")
        ended = running.report and running.report.ended
        if ended and ended.mixture:
            say(f"chatproxy: {ended.mixture}; `chatproxy record --replace` records it anew")

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main())


class Background:
    """A thread with an event loop, in which any number of servers run; a context manager that ends it."""

    def __init__(self) -> None:
        self._loop = (_loop_factory() or asyncio.new_event_loop)()
        self._loop.set_exception_handler(_report)
        self._loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix=THREADS))
        self._thread = threading.Thread(target=self._loop.run_forever, name=THREADS, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def serving(self, server: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """Run a server while the block lasts; what goes wrong in it is raised here."""
        running = self._result(server.__aenter__())
        try:
            yield running
        except BaseException as error:
            if not self._result(server.__aexit__(type(error), error, error.__traceback__)):
                raise
        else:
            self._result(server.__aexit__(None, None, None))

    def close(self) -> None:
        """End the thread; its servers must have ended."""
        self._result(self._loop.shutdown_asyncgens())
        self._result(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _result(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


@contextmanager
def in_background(server: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Run a server in a thread of its own while the block lasts; what goes wrong in it is raised here."""
    with Background() as background, background.serving(server) as running:
        yield running


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report an error outside of any request; what asyncio says of it may show what was received."""
    if (error := context.get("exception")) is not None:
        _log.error("a task of the server failed\n%s", trace(error))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


def _on_signal() -> asyncio.Event:
    """Return an event that SIGTERM or SIGINT sets; the signal after it is left to the system."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopped.set()
        for number in _STOPPING:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in _STOPPING:
        loop.add_signal_handler(number, stop)
    return stopped


_STOPPING = (signal.SIGTERM, signal.SIGINT)


def _write_ready_file(path: Path, content: dict[str, object]) -> None:
    """Write the file whole, so that who waits for it never reads a part; only its owner may read a token."""
    permissions = 0o600 if "token" in content else None
    write_whole(path, json.dumps(content) + "\n", permissions=permissions, flag="--ready-file")


def _remove(ready_file: Path | None) -> None:
    if ready_file is not None:
        remove_file(ready_file, flag="--ready-file")
