"""The mitmproxy addon: ``mitmdump -s "$(chatproxy addon-path)" --set chatproxy_cassette=NAME``.

It puts chatproxy's engine into mitmproxy, in reverse and in forward mode. The laws:

1. Only what is meant for the service, or for the upstream that stands for it, is touched; all other flows pass.
2. But in passthrough, mitmproxy opens no connection to these hosts, and resolves none of their names. What is to be
   recorded the addon asks for itself, under the same limits and laws as the server.
3. Whatever goes wrong answers the flow, and says so in mitmproxy's event log; mitmproxy goes on.
"""

import asyncio
import json
import logging
import os
from functools import partial
from typing import TYPE_CHECKING

from mitmproxy import ctx, http
from mitmproxy.connection import ConnectionState
from mitmproxy.exceptions import OptionsError

from chatproxy.clock import now
from chatproxy.core.engine import Engine
from chatproxy.core.errors import ChatproxyError, ConfigError, RequestError, UpstreamError
from chatproxy.core.model import Forward, Mode, Request, Response
from chatproxy.core.products.every import TWILIO_ORIGIN
from chatproxy.core.twilio.origins import is_twilio
from chatproxy.files import remove_file, write_whole
from chatproxy.mitm import flows, others
from chatproxy.mitm.commands import Commands
from chatproxy.mitm.current import Current, Works
from chatproxy.mitm.options import NAMES, Choice, add_options, choice_of
from chatproxy.mitm.own_options import OwnOptions, misled, say_what_is_left_alone
from chatproxy.mitm.view import add_view, remove_view

if TYPE_CHECKING:
    from mitmproxy.addonmanager import Loader
    from mitmproxy.proxy.server_hooks import ServerConnectionHookData

_log = logging.getLogger(__name__)


class Chatproxy(Commands):
    """The addon; ``ends_well`` tells whether a recording that is running at mitmproxy's end is a whole one.

    With a ``task`` it does just that, whatever its options say.
    """

    def __init__(self, task: Choice | None = None) -> None:
        super().__init__(Current())
        self.ends_well = True
        self._task = task
        self._is_running = False
        self._upstream = flows.target_of(TWILIO_ORIGIN)
        self._mode = Mode.REPLAY
        self._own = OwnOptions()
        self._trouble: ConfigError | None = None
        self._passing: dict[str, tuple[Works, Forward]] = {}
        self._settling: set[asyncio.Task[None]] = set()

    # -- how it begins, changes and ends

    def load(self, loader: "Loader") -> None:
        """Add what mitmproxy is to know."""
        add_options(loader)
        add_view()

    def configure(self, updated: set[str]) -> None:
        """Take in options before mitmproxy serves, and others while it runs; wrong ones are refused then."""
        if self._own.is_setting:
            return
        self._own.note(updated)
        if not self._is_running:
            self._prepare()
            return
        self._own.set(self._mode)
        if updated & NAMES and self._task is None:
            try:
                choice = choice_of(ctx.options)
            except ConfigError as error:
                raise OptionsError(str(error)) from error
            self._refuse_if_misled(choice.mode, flows.target_of(choice.settings.upstream))
            self._choose(choice)
            self._settle()
        if updated & {"mode", "stream_large_bodies"}:
            self._refuse_if_misled(self._mode, self._upstream)
            say_what_is_left_alone(self._mode, self._upstream)

    def _prepare(self) -> None:
        """Choose, so that the first connection is served as all others; what is wrong is said once mitmproxy runs."""
        self.choice = None
        try:
            self._choose(self._task or choice_of(ctx.options))
            self._trouble = misled(self._mode, self._upstream)
        except ConfigError as error:
            self._trouble = error
            self._own.set(self._mode)
        if self._trouble is not None:
            self.current.want(self._trouble)

    def running(self) -> None:
        """Begin with what was chosen; what is wrong with it is what flows are answered with."""
        if not self._own.is_known:
            self._own.note(set())
            self._prepare()
        self._is_running = True
        if self.choice is not None and self._trouble is not None:
            _log.error("chatproxy: %s", self._trouble)  # with one at its start mitmproxy ends
            return
        self._settle()
        say_what_is_left_alone(self._mode, self._upstream)

    def _refuse_if_misled(self, mode: Mode, upstream: flows.Target) -> None:
        if error := misled(mode, upstream):
            raise OptionsError(str(error))

    def done(self) -> "asyncio.Future[None]":
        """End; mitmproxy waits for what this returns."""
        remove_view()
        return asyncio.ensure_future(self._end())

    async def _end(self) -> None:
        if self.choice is not None and self.choice.settings.ready_file is not None:
            remove_file(self.choice.settings.ready_file, flag="chatproxy_ready_file")
        await self.current.close(well=self.ends_well)

    def _choose(self, choice: Choice) -> None:
        self.choice = choice
        self._mode = choice.mode
        self._upstream = flows.target_of(choice.settings.upstream)
        self._trouble = None
        self._own.set(self._mode)
        self.current.want(choice)

    def _settle(self) -> None:
        """Put what was chosen in force now, without waiting for a request."""
        task = asyncio.ensure_future(self._put_in_force())
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _put_in_force(self) -> None:
        try:
            async with self.current.use():
                pass
        except ChatproxyError as error:
            self._write_ready_file(str(error))
        else:
            self._write_ready_file(None)

    def _write_ready_file(self, trouble: str | None) -> None:
        if self.choice is None or self.choice.settings.ready_file is None:
            return
        host, port = next(iter(ctx.master.addons.get("proxyserver").listen_addrs()), ("", 0))[:2]
        content = {"url": f"http://{flows.address('', host, port)}", "mode": self._mode.value, "pid": os.getpid()}
        content |= {"error": trouble} if trouble else {}
        try:
            write_whole(self.choice.settings.ready_file, json.dumps(content) + "\n", flag="chatproxy_ready_file")
        except ChatproxyError as error:
            _log.error("chatproxy: %s", error)

    # -- what it does with flows

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Note by which name the client reached us, and name the server as mitmproxy would have."""
        if flows.is_reverse(flow):
            request = flow.request
            flow.metadata[flows.HOST] = request.host_header
            if self._own.rewrites_host:
                request.host_header = flows.address(request.scheme, request.host, request.port)

    async def http_connect(self, flow: http.HTTPFlow) -> None:
        """Refuse a tunnel to another host, if a run is to reach none."""
        if not self._answers_for(flow.request.host, flow.request.port):
            await self._refuse_other(flow)

    async def request(self, flow: http.HTTPFlow) -> None:
        """Answer a flow of ours, or let mitmproxy pass it on."""
        if flow.response is not None or flow.error is not None:
            return
        if not flows.is_ours(flow, self._upstream):
            if self._trouble is not None and flows.is_reverse(flow):  # it may be meant for the cassette
                flows.answer(flow, _bare.on_error(self._trouble))
            await self._refuse_other(flow)
            return
        try:
            works = await self.current.take()
        except ChatproxyError as error:
            flows.answer(flow, _bare.on_error(error))
            return
        try:
            answer = await self._answer(works, flow)
        finally:
            if flow.id not in self._passing:
                works.end()
        if answer is not None:
            flows.answer(flow, answer)
            _tell(flow)

    async def _refuse_other(self, flow: http.HTTPFlow) -> None:
        if self._task is None or others.passes(self._task, flow.request.host):
            return
        error, request = others.refusal(flow)
        try:
            async with self.current.use() as works:
                flows.answer(flow, works.engine.on_error(error, request))
        except ChatproxyError as trouble:
            flows.answer(flow, _bare.on_error(trouble))

    async def _answer(self, works: Works, flow: http.HTTPFlow) -> Response | None:
        """Return the answer, or none where mitmproxy passes the request on itself."""
        request: Request | None = None
        try:
            request = flows.taken(flow, works.choice.settings.max_body)
            if (answer := self._control(works, flow, request)) is not None:
                return answer
            if flows.is_reverse(flow):  # what a forward proxy gets, a browser was told to send there
                works.visitors(is_loopback=flows.is_on_loopback(flow)).check(request.origin, request.headers)
            decision = works.engine.on_request(request)
            if isinstance(decision, Response):
                return decision
            if (answer := await works.ask(decision, partial(_has_gone, flow))) is not None:
                flow.metadata[flows.ORIGIN] = request.origin
                return answer
        except ChatproxyError as error:
            return works.engine.on_error(error, request)
        self._passing[flow.id] = (works, decision)
        flows.redirect(flow, self._upstream)
        return None

    def _control(self, works: Works, flow: http.HTTPFlow, request: Request) -> Response | None:
        """Answer what is meant for the control API, to this machine alone: mitmproxy may listen to all."""
        answer = works.control.answer(request, request.origin)
        if answer is not None and not flows.is_local(flow):
            raise RequestError(403, "the control API of the addon is open to this machine only")
        return answer

    def response(self, flow: http.HTTPFlow) -> None:
        """Turn the URLs of an answer that mitmproxy has passed on; one that cannot be read stays as it came."""
        works, forward = self._passing.pop(flow.id, (None, None))
        if works is None or forward is None:
            return
        works.end()
        assert flow.response is not None
        response = flows.response_of(flow, works.choice.settings.max_body)
        try:
            answer, _ = works.engine.on_response(forward, response or flows.head_of(flow.response, flow.request.method))
        except UpstreamError as error:
            flows.answer(flow, works.engine.on_error(error, forward.request))
            _tell(flow)
            return
        if response is None:  # it went by as a stream, or is in a coding that nobody here knows
            flows.show(flow, answer)
            return
        flow.metadata[flows.ORIGIN] = forward.request.origin
        flows.answer(flow, answer)

    def error(self, flow: http.HTTPFlow) -> None:
        """Note that a request that was passed on got no answer."""
        works, forward = self._passing.pop(flow.id, (None, None))
        if works is None or forward is None or flow.error is None:
            return
        works.end()
        error = UpstreamError(
            502, f"{works.choice.settings.upstream} gave no answer: it cannot be reached, or sends no HTTP"
        )
        flows.show(flow, works.engine.on_error(error, forward.request))
        _tell(flow)

    def server_connect(self, data: "ServerConnectionHookData") -> None:
        """Open no connection to the hosts that the addon answers for, whoever asks for it."""
        if self._mode is Mode.PASSTHROUGH or data.server.address is None:
            return
        host, port = data.server.address[:2]
        if self._answers_for(host, port):
            data.server.error = f"chatproxy answers for {host}:{port}, and connects to nothing in mode {self._mode}"

    def _answers_for(self, host: str, port: int) -> bool:
        return is_twilio(host) or (host, port) == (self._upstream.host, self._upstream.port)


_bare = Engine(TWILIO_ORIGIN, now)
"""Words the error where no engine could be put together."""


async def _has_gone(flow: http.HTTPFlow) -> bool:
    """Tell whether a client's connection is closed; one that only sends no more can be written to still."""
    return not flow.client_conn.state & ConnectionState.CAN_WRITE


def _tell(flow: http.HTTPFlow) -> None:
    """Say in the event log what went wrong."""
    if flow.marked in {flows.MISS, flows.ERROR}:
        _log.warning("%s", flow.comment)


addons = [Chatproxy()]
