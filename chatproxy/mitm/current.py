"""The engine in force, which changes with the options while mitmproxy runs.

1. A change waits for the requests in flight, and new requests wait for the change.
2. A recording that is changed away from ends well, and so is there to be replayed next.
3. What cannot be put in force leaves a trouble in its place, with which requests are answered.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from chatproxy.core.errors import ChatproxyError
from chatproxy.core.model import Forward, Mode, Response
from chatproxy.core.twilio.visitors import Visitors, visitors
from chatproxy.mitm.options import Choice
from chatproxy.serve.control import Control
from chatproxy.upstream import Upstream
from chatproxy.wiring.assembly import Assembly, assembled, leave, unsaid
from chatproxy.wiring.forwarding import HasGone, recorded

_log = logging.getLogger(__name__)


class Works:
    """An engine with what it works with, for one choice."""

    def __init__(self, choice: Choice, assembly: Assembly, stack: ExitStack, upstream: Upstream | None) -> None:
        self.choice = choice
        self.assembly = assembly
        self.engine = assembly.engine
        self.control = Control(assembly.report, self.visitors(is_loopback=True), None)
        self._stack = stack
        self._upstream = upstream
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def visitors(self, *, is_loopback: bool) -> Visitors:
        """Return whose requests are taken over connections to the loopback, or to another address."""
        settings = self.choice.settings
        return visitors("", settings.allow_host, settings.upstream, is_loopback=is_loopback)

    def begin(self) -> None:
        """Take in that a request is in flight."""
        self._in_flight += 1
        self._idle.clear()

    def end(self) -> None:
        """Take in that a request has its answer."""
        self._in_flight -= 1
        if not self._in_flight:
            self._idle.set()

    async def ask(self, forward: Forward, has_gone: HasGone) -> Response | None:
        """Put a request to the upstream; return its answer once what is recorded is on disk, none in passthrough.

        ``has_gone`` tells that nobody waits for it any more.
        """
        recording = self.assembly.recording
        if self._upstream is None or recording is None:
            return None
        return await recorded(forward, self.engine, self._upstream, recording.keep, has_gone)

    async def close(self, *, well: bool) -> None:
        """Wait for the requests in flight, then end; a recording that does not end well stays as an interrupted one."""
        await self._idle.wait()
        if self._upstream is not None:
            await self._upstream.__aexit__(None, None, None)
        await asyncio.to_thread(leave, self._stack, well=well)


async def _begun(choice: Choice) -> Works:
    stack = ExitStack()
    entered = assembled(choice.mode, choice.cassette, choice.settings, _warn, on_miss=unsaid, environ=choice.environ)
    assembly = await asyncio.to_thread(stack.enter_context, entered)
    try:
        # what it records it asks for itself, under the same limits and laws as the server
        upstream = await _upstream(choice) if choice.mode.records else None
    except BaseException as error:
        stack.__exit__(type(error), error, error.__traceback__)
        raise
    return Works(choice, assembly, stack, upstream)


async def _upstream(choice: Choice) -> Upstream:
    from chatproxy.wiring.upstream import upstream_settings  # noqa: PLC0415 - the HTTP server is loaded late

    return await Upstream(upstream_settings(choice.settings)).__aenter__()


def _warn(line: str) -> None:
    _log.warning(line)


class Current:
    """Holds what is in force; ``trouble`` says why nothing is."""

    def __init__(self) -> None:
        self.works: Works | None = None
        self.trouble: ChatproxyError | None = None
        self.is_changing = False
        self._wanted: Choice | ChatproxyError | None = None
        self._found: Choice | ChatproxyError | None = None
        self._lock = asyncio.Lock()

    def want(self, choice: Choice | ChatproxyError) -> None:
        """Ask for another choice, or for the trouble that there is with it, from the next request on."""
        is_tried_anew = self.trouble is not None  # what was missing may be there by now
        if choice != self._wanted or is_tried_anew:  # mitmproxy tells of options that it has set back, too
            self._wanted = choice

    def renew(self) -> None:
        """Begin a replay anew with the next request, or try again to begin one: its cassette is another now."""
        if self.works is None or self.works.choice.mode is Mode.REPLAY:
            self._found = None

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Works]:
        """Give what is in force, for a request; raises what is wrong with it."""
        works = await self.take()
        try:
            yield works
        finally:
            works.end()

    async def take(self) -> Works:
        """Return what is in force, for a request that ends with ``end``; raises what is wrong with it."""
        async with self._lock:
            if self._wanted is not self._found:
                await self._change()
            if self.works is None:
                raise self.trouble or ChatproxyError("chatproxy has ended")
            self.works.begin()
            return self.works

    async def close(self, *, well: bool) -> None:
        """End what is in force; nothing is after that."""
        async with self._lock:
            self._wanted = self._found = None
            await self._end(well=well)

    async def _change(self) -> None:
        self.is_changing = True
        try:
            wanted = self._found = self._wanted
            await self._end(well=True)
            try:
                if isinstance(wanted, ChatproxyError):
                    raise wanted
                assert wanted is not None
                self.works, self.trouble = await _begun(wanted), None
            except ChatproxyError as error:
                self.trouble = error
                _log.warning("chatproxy: %s", error)
            else:
                _log.info("chatproxy: %s %s", wanted.mode.value, wanted.cassette)
        finally:
            self.is_changing = False

    async def _end(self, *, well: bool) -> None:
        ending, self.works = self.works, None
        if ending is None:
            return
        try:
            await ending.close(well=well)
        except ChatproxyError as error:
            _log.error("chatproxy: %s", error)
