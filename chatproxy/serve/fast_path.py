"""Replay's fast path: an ordinary request is answered while its bytes are taken in, without a task for it.

Its laws:

1. aiohttp parses; what is answered here is, byte for byte, what the ordinary path answers.
2. It takes a whole request of HTTP/1.1 that is alone on an open connection with nothing left to be written, and whose
   handler waits for the next one. Whatever else comes goes the ordinary way: a second request in the same bytes, a body
   to come, HEAD, another version, ``Connection: close``, ``Expect``, an upgrade, chunks, a coding, a bad ``Host``, a
   visitor that is refused.
3. It uses attributes of aiohttp's that are private. Where one of them is missing, every request goes the ordinary way.
4. An answer that is kept is given only while the engine says that it repeats, and the engine counts it like any other.
   What is kept is bounded in bytes.

Measured without sockets, where aiohttp's parser alone takes 7 microseconds: an answer that is kept takes 13, a fetch
that is decided anew 72, a create 160.
"""

from abc import abstractmethod
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from aiohttp import HttpVersion11, web
from aiohttp.http_parser import HttpRequestParser, RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from chatproxy.core.engine import Engine
from chatproxy.core.errors import ChatproxyError, RequestError
from chatproxy.core.http.admission import check_headers
from chatproxy.core.http.grammar import TARGET
from chatproxy.core.model import Headers, Request, Response
from chatproxy.core.replay.askers import Asker
from chatproxy.core.replay.rendered import Rendered, Repeat
from chatproxy.core.replay.session import Session
from chatproxy.core.time.timestamps import SECOND
from chatproxy.core.twilio.origins import origin_for
from chatproxy.core.twilio.visitors import ANYBODY, Visitors
from chatproxy.serve.connection import Connection, has_slots
from chatproxy.serve.control import Control
from chatproxy.serve.wire import rendered_answer, whole_answer

KEPT_BYTES = 16 * 2**20
"""How many bytes of answers are kept, with what is needed to find them."""

_OWN_BYTES = 1000
"""What one kept answer takes besides its texts, at most."""
_SEEN = 8192
"""Of how many requests it is remembered that they came once: an answer is kept from the second time on, so that many
different requests do not push out those that come again and again."""
_SENDERS, _SENDER_BYTES = 1000, 2**20
_METHODS = frozenset({"GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"})
"""Whose answers have a body: HEAD has none, and CONNECT is no request to us."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sender:
    """What a header list that is ordinary tells: what its client calls us, where URLs lead in answers, who it is."""

    named: str
    origin: str
    asker: Asker


class _Kept:
    """An answer that repeats, as it was written last: at which place it shows which moment, and in which second."""

    __slots__ = ("begin", "moment", "repeat", "second", "whole")

    def __init__(self, repeat: Repeat, whole: bytes, moment: bytes) -> None:
        self.repeat = repeat
        self.whole = whole
        self.moment = moment
        self.begin = whole.index(moment, whole.index(b"\r\n"))
        self.second = -1

    def at(self, session: Session, now: int) -> bytes:
        """Return the answer for this moment; within a second it is the same bytes, unless it shows parts of one."""
        second = now // SECOND
        if second == self.second and session.clock.is_now(now):
            return self.whole
        (moment,) = session.clock.moments(self.repeat.nows, now) or (b"",)
        if moment != self.moment:
            end = self.begin + len(self.moment)
            self.whole = self.whole[: self.begin] + moment + self.whole[end:]
            self.moment = moment
        self.second = -1 if any(digits for _, _, _, _, digits, _ in self.repeat.nows) else second
        return self.whole


class FastPath:
    """Answers for an engine that forwards nothing, ``size`` being how many bytes of answers are kept."""

    def __init__(
        self,
        engine: Engine,
        control: Control | None,
        max_body: int,
        size: int = KEPT_BYTES,
        visitors: Visitors = ANYBODY,
    ) -> None:
        self._engine = engine
        self._control = control
        self._max_body = max_body
        self._bound = size
        self._visitors = visitors
        self._size = 0
        self._kept: OrderedDict[tuple[_Sender, str], _Kept] = OrderedDict()
        self._seen: set[int] = set()
        self._senders: dict[Headers, _Sender | Literal[False]] = {}
        self._senders_size = 0

    def answer(self, message: RawRequestMessage, payload: StreamReader) -> bytes | None:
        """Return the answer to a request, or none if it is to go the ordinary way, with nothing done yet."""
        if message.should_close or message.upgrade or message.chunked or message.version != HttpVersion11:
            return None
        headers = message.raw_headers
        sender = self._senders.get(headers)
        if sender is None:
            sender = self._sender(message)
        if not sender:
            return None
        if message.method == "GET" and payload is EMPTY_PAYLOAD:
            return self._read(message, sender)
        if message.method not in _METHODS or not payload.is_eof() or not TARGET.fullmatch(message.path):
            return None
        answer, _ = self._decide(message, payload.read_nowait(), sender)
        return answer

    def _read(self, message: RawRequestMessage, sender: _Sender) -> bytes | None:
        key = sender, message.path
        kept = self._kept.get(key)
        if kept is not None:
            again = self._engine.again(kept.repeat)
            if again is not None:
                return kept.at(*again)
            self._forget(key)
        decision: Rendered | Response | None = None
        if message.path.isascii():
            decision = self._engine.fetch(message.path.encode(), sender.asker, sender.origin)
        if isinstance(decision, Rendered):
            answer = rendered_answer(decision)
        elif TARGET.fullmatch(message.path):
            answer, decision = self._decide(message, b"", sender)
        else:
            return None
        if isinstance(decision, Rendered) and decision.repeat is not None:
            self._keep(key, decision, decision.repeat, answer)
        return answer

    def _sender(self, message: RawRequestMessage) -> _Sender | Literal[False]:
        """Look at a header list for the first time, or again if it was forgotten."""
        headers = message.raw_headers
        size = sum(len(name) + len(value) for name, value in headers)
        if len(self._senders) >= _SENDERS or self._senders_size + size > _SENDER_BYTES:
            self._senders.clear()
            self._senders_size = 0
        self._senders_size += size
        sender = self._senders[headers] = self._read_sender(message) or False
        return sender

    def _read_sender(self, message: RawRequestMessage) -> _Sender | None:
        fields = message.headers
        host = fields.get("Host", "")
        named = f"http://{host}"
        try:
            check_headers(host, message.raw_headers)
            self._visitors.check(named, message.raw_headers)
        except RequestError:
            return None
        asker = self._engine.asker(message.raw_headers)
        if asker.session is None:
            return None
        if "Expect" in fields or int(fields.get("Content-Length", "0")) > self._max_body:
            return None
        return _Sender(named, origin_for("http", host, self._visitors.public), asker)

    def _decide(self, message: RawRequestMessage, body: bytes, sender: _Sender) -> tuple[bytes, Rendered | Response]:
        request = Request(message.method, message.path.encode(), message.raw_headers, body, sender.origin)
        try:
            answer = self._control.answer(request, sender.named) if self._control is not None else None
            decision = answer or self._engine.decide(request, sender.asker)
        except ChatproxyError as error:
            decision = self._engine.on_error(error, request)
        assert isinstance(decision, Rendered | Response)
        if isinstance(decision, Rendered):
            return rendered_answer(decision), decision
        return whole_answer(decision, close=False), decision

    def _keep(self, key: tuple[_Sender, str], decision: Rendered, repeat: Repeat, answer: bytes) -> None:
        """Keep an answer that is given the second time, if it is clear where it shows its moment."""
        sign = hash(key)
        if sign not in self._seen:
            if len(self._seen) >= _SEEN:
                self._seen.clear()
            self._seen.add(sign)
            return
        moment = decision.moments[0] if decision.moments else b""
        size = len(answer) + len(key[1]) + _OWN_BYTES
        if len(decision.moments) > 1 or (moment and decision.head.count(moment) != 1) or size > self._bound // 8:
            return
        while self._size + size > self._bound:
            self._forget(next(iter(self._kept)))
        self._kept[key] = _Kept(repeat, answer, moment)
        self._size += size

    def _forget(self, key: tuple[_Sender, str]) -> None:
        kept = self._kept.pop(key)
        self._size -= len(kept.whole) + len(key[1]) + _OWN_BYTES


_receive = web.RequestHandler.data_received


class FastConnection(Connection):
    """One client's connection, on which ordinary requests take the fast path if there is one."""

    __slots__ = ("_fast",)

    _fast: FastPath | None

    def data_received(self, data: bytes) -> None:
        """Take in bytes; the handler that waits for a request is only woken for what it has to answer."""
        waiter = self._waiter
        if self._fast is None or waiter is None or waiter.done() or self._messages or not self._is_idle():
            super().data_received(data)
            return
        self._waiter = None  # super() would wake the handler
        try:
            _receive(self, data)
        finally:
            self._waiter = waiter
        if len(self._messages) == 1:
            self._answer(self._fast)
        if self._messages and not waiter.done():
            waiter.set_result(None)

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on reading where it was paused; aiohttp asks for it with every body, and parses nothing each time."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def _is_idle(self) -> bool:
        transport = self.transport
        return transport is not None and not self._upgraded and not transport.get_write_buffer_size()

    def _answer(self, fast: FastPath) -> None:
        """Answer the one request that came, if it is ordinary, and leave everything as the ordinary path would."""
        message, payload = self._messages[0]
        transport, parser, server = self.transport, self._parser, self._manager
        if not isinstance(message, RawRequestMessage) or transport is None or parser is None or server is None:
            return
        try:
            answer = fast.answer(message, payload)
        except Exception as error:  # a mistake of ours, whatever it is
            transport.write(whole_answer(self.failed(message.method, error), close=True))
            self.force_close()
            self._messages.clear()
            return
        if answer is None:
            return
        self._messages.popleft()
        parser.message_consumed()
        server.requests_count += 1
        transport.write(answer)
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout

    @abstractmethod
    def failed(self, method: str, error: BaseException | None) -> Response:
        """Report a mistake of ours, and return what the client gets."""


def is_possible() -> bool:
    """Tell whether this aiohttp has what the fast path uses of it."""
    return has_slots(_USED) and hasattr(HttpRequestParser, "message_consumed")


_USED = frozenset(
    {
        "_keepalive_timeout",
        "_loop",
        "_manager",
        "_messages",
        "_next_keepalive_close_time",
        "_parser",
        "_reading_paused",
        "_upgraded",
        "_waiter",
    }
)
