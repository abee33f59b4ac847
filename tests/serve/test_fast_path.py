import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, cycle
from typing import Any

import pytest
from core.programs import BEGIN, PATH, Program, Step, steps
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import many

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.engine import Engine
from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, OTHER_CREDENTIALS, Mode
from chatproxy.core.replay.askers import Askers
from chatproxy.core.replay.bindings import Bindings, Choice, Given, Owner
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import Sessions
from chatproxy.core.report.report import Report
from chatproxy.core.time.session_clock import SessionClock
from chatproxy.core.time.timestamps import SECOND
from chatproxy.core.twilio.visitors import ANYBODY
from chatproxy.serve import fast_path as fastpath
from chatproxy.serve.control import Control
from chatproxy.serve.fast_path import FastPath, is_possible
from chatproxy.serve.proxy import Connection, Limits, Proxy

RULES = Rules()
UPSTREAM = "https://chat.twilio.com"


class Transport(asyncio.Transport):
    """A connection of a client that reads at once, or not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.waiting = 0
        self.closed = False

    def write(self, data: Any) -> None:
        if not self.closed:
            self.written += data

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 8765) if name in {"sockname", "peername"} else default

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


@dataclass
class Served:
    """One proxy of a cassette, whose time is what a test says, and a connection to it."""

    cassette: Cassette
    kept: int | None = fastpath.KEPT_BYTES
    """How many bytes of answers may be kept; None for a proxy without a fast path."""
    stands: bool = False
    now: int = BEGIN + 10**12
    transport: Transport = field(default_factory=Transport)

    def __post_init__(self) -> None:
        given = Given()

        def begin(name: str, restarts: int) -> Session:
            clock = SessionClock(self.now, stands=self.stands)
            sids = Bindings(self.cassette, Choice(), Owner(name, restarts), given)
            return Session(self.cassette, RULES, name, restarts, clock, sids=sids)

        self.engine = Engine(UPSTREAM, lambda: self.now, sessions=Sessions(begin, restart=True))
        self.report = Report(Mode.REPLAY, self.cassette.name, self.engine, self.cassette)
        control = Control(self.report, ANYBODY, None)
        self.proxy = Proxy(self.engine, Limits(max_body=1000), control=control)
        size = self.kept
        self.proxy.fast = None if size is None else FastPath(self.engine, control, self.proxy.limits.max_body, size)

    async def connect(self) -> Connection:
        self.transport = Transport()
        connection = self.proxy()
        connection.connection_made(self.transport)
        await settled()
        return connection

    async def exchange(self, parts: Sequence[bytes]) -> bytes:
        """Send these parts over a connection of their own, and return all that comes back."""
        connection = await self.connect()
        for part in parts:
            if not self.transport.closed:
                connection.data_received(part)
            await settled()
        answers = bytes(self.transport.written) + (b"(closed)" if self.transport.closed else b"")
        connection.connection_lost(None)
        await settled()
        return answers

    async def at_once(self, request: bytes) -> bytes:
        """Send a request, and return what has been written before anything else could run."""
        connection = await self.connect()
        connection.data_received(request)
        written = bytes(self.transport.written)
        await settled()
        connection.connection_lost(None)
        await settled()
        return written


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(12):
        await asyncio.sleep(0)


def run(program: Sequence[Step], users: Sequence[str | None] = (None,)) -> MemoryCassette:
    """Return the cassette of a program whose requests these users sent in turn."""
    exchanges = Program().run(list(program)).exchanges
    recorded = [replace(one, user=user) for one, user in zip(exchanges, cycle(users), strict=False)]
    return MemoryCassette("tour", recorded, RULES)


def asking(method: str = "GET", target: str = PATH, *fields: str, body: str = "", version: str = "1.1") -> bytes:
    form = ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([f"{method} {target} HTTP/{version}", *fields, *form, "", body]).encode()


HERE = "Host: 127.0.0.1:8765"
ONE = run([("list", 0, {}, 0)])
LIST = asking("GET", PATH, HERE)
CREATE = asking("POST", PATH, HERE, body="Body=hello")


# Law 1: both paths answer alike

_fields = st.sampled_from(
    [
        (HERE,),
        (HERE,),
        (HERE,),
        (HERE, "x-chatproxy-session: one"),
        (HERE, "x-chatproxy-session: two"),
        (HERE, "x-chatproxy-session: no name"),
        (HERE, "Authorization: Basic QUMxMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTphLXNlY3JldC1vZi1zaXh0ZWVu"),
        (HERE, "Authorization: Basic U0sxMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTphLXNlY3JldC1vZi1zaXh0ZWVu"),
        (HERE, "Authorization: Bearer x"),
        (HERE, "Connection: close"),
        (HERE, "Expect: 100-continue"),
        (HERE, "Content-Encoding: gzip"),
        (HERE, "X-Latin: \xe9"),
        (HERE, "Upgrade: websocket", "Connection: Upgrade"),
        ("Host: other.example",),
        ("Host: no host",),
        (),
    ]
)
_users = st.sampled_from([NO_CREDENTIALS, OTHER_CREDENTIALS, "AC" + "1" * 32, "SK" + "1" * 32])
_methods = st.sampled_from(["GET", "GET", "GET", "GET", "HEAD", "OPTIONS", "PUT", "BREW"])
_tails = st.sampled_from(["", "", "?PageSize=50", "?Order=desc", "?a=%20", "/IM" + "9" * 32])
_controls = st.sampled_from(
    [
        ("GET", "/__chatproxy/health"),
        ("GET", "/__chatproxy/report"),
        ("GET", "/%5f_chatproxy/health"),
        ("DELETE", "/__chatproxy/sessions/one"),
        ("DELETE", "/__chatproxy/sessions"),
        ("GET", "http://elsewhere.example" + PATH),
        ("GET", "*"),
    ]
)


@st.composite
def questions(draw: st.DrawFn, cassette: MemoryCassette) -> bytes:
    """A request: one that was recorded, or another one."""
    exchanges = [cassette.recorded(number) for number in cassette.numbers()]
    if draw(st.integers(0, 3)) and exchanges:
        recorded = draw(st.sampled_from(exchanges)).request
        target, body = recorded.target.decode(), recorded.body.decode()
        return asking(recorded.method, target, *draw(_fields), body=body)
    if draw(st.booleans()):
        method, target = draw(_controls)
        return asking(method, target, HERE)
    version = draw(st.sampled_from(["1.1", "1.1", "1.0"]))
    body = draw(st.sampled_from(["", "", "Body=a", "x" * 1001]))
    return asking(draw(_methods), PATH + draw(_tails), *draw(_fields), body=body, version=version)


@st.composite
def talks(draw: st.DrawFn, cassette: MemoryCassette) -> list[tuple[int, list[bytes]]]:
    """Connections, each some time after the one before, on which requests come whole, together or in parts."""
    found = []
    for _ in range(draw(st.integers(1, 8))):
        text = b"".join(draw(st.lists(questions(cassette), min_size=1, max_size=3)))
        cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=2)))
        apart = draw(st.booleans())
        parts = [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        pause = draw(st.sampled_from([0, 1, SECOND, -SECOND]))  # clocks are set back, too
        repeats = draw(st.sampled_from([1, 1, 3]))
        found += [(pause, [part for part in parts if part] if apart else [text])] * repeats
    return found


@settings(max_examples=many(150))
@given(st.data(), steps, st.booleans())
def test_law_1_both_paths_and_all_caches_give_the_same_bytes(
    data: st.DataObject, program: list[Step], stands: bool
) -> None:
    cassette = run(program, data.draw(st.just([None]) | st.lists(st.none() | _users, min_size=1, max_size=3)))
    talk = data.draw(talks(cassette))

    async def served(kept: int | None) -> tuple[list[bytes], Any]:
        proxy = Served(cassette, kept, stands)
        if kept == 0:
            assert proxy.engine.sessions is not None
            proxy.engine._askers = Askers(proxy.engine.sessions.choice_of, entries=0)
        answers = []
        for pause, parts in talk:
            proxy.now += pause
            answers.append(await proxy.exchange(parts))
        return answers, json.dumps(proxy.report.content(whole=True), default=str)

    ordinary = asyncio.run(served(None))
    assert asyncio.run(served(fastpath.KEPT_BYTES)) == ordinary
    assert asyncio.run(served(0)) == ordinary


# Law 2: what is ordinary is answered at once, and nothing else


async def test_law_2_an_ordinary_request_is_answered_before_anything_else_runs() -> None:
    served = Served(ONE)
    for request in (CREATE, LIST, LIST, LIST, asking("GET", "/__chatproxy/health", HERE)):
        assert (await served.at_once(request)).startswith(b"HTTP/1.1 20")
    assert (await served.at_once(asking("GET", "/v1/none", HERE))).startswith(b"HTTP/1.1 424")


@pytest.mark.parametrize(
    "request_",
    [
        LIST + LIST,
        LIST[:-1],
        CREATE[:-1],
        asking("HEAD", PATH, HERE),
        asking("GET", PATH, HERE, version="1.0"),
        asking("GET", PATH, HERE, "Connection: close"),
        asking("GET", PATH, HERE, "Upgrade: websocket", "Connection: Upgrade"),
        asking("POST", PATH, HERE, "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        asking("POST", PATH, HERE, "Expect: 100-continue", body="Body=hello"),
        asking("POST", PATH, HERE, body="x" * 1001),
        asking("GET", PATH, HERE, "Content-Encoding: gzip"),
        asking("GET", PATH, HERE, "x-chatproxy-session: no name"),
        asking("GET", PATH, "Host: no host"),
        asking("GET", "*", HERE),
        asking("POST", "*", HERE, body="Body=hello"),
        b"no HTTP\r\n\r\n",
    ],
)
async def test_law_2_whatever_is_unusual_goes_the_ordinary_way(request_: bytes) -> None:
    assert await Served(ONE).at_once(request_) == b""


async def test_law_2_a_client_that_does_not_read_is_waited_for() -> None:
    served = Served(ONE)
    connection = await served.connect()
    served.transport.waiting = 1
    connection.data_received(LIST)
    assert not served.transport.written
    await settled()
    assert served.transport.written


async def test_law_2_a_request_behind_one_that_is_being_answered_waits() -> None:
    served = Served(ONE)
    connection = await served.connect()
    connection.data_received(LIST + CREATE)
    connection.data_received(LIST)
    assert not served.transport.written
    await settled()
    assert served.transport.written.count(b"HTTP/1.1 ") == 3


async def test_law_2_a_client_that_has_gone_gets_nothing() -> None:
    served = Served(ONE)
    connection = await served.connect()
    connection.connection_lost(None)
    connection.data_received(LIST)
    await settled()
    assert not served.transport.written


async def test_a_request_counts_as_use_of_its_connection() -> None:
    served = Served(ONE)
    connection = await served.connect()
    before = connection._next_keepalive_close_time
    await asyncio.sleep(0.01)
    connection.data_received(LIST)
    assert connection._next_keepalive_close_time > before
    assert served.proxy.requests_count == 1


# Law 3: without the attributes there is no fast path


async def test_law_3_without_what_it_uses_of_aiohttp_there_is_no_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_possible()
    monkeypatch.setattr(fastpath, "_USED", {"_gone"})
    assert not is_possible()
    proxy = Proxy(Served(ONE).engine, Limits())
    assert proxy.fast is None


# Law 4: what is kept


def kept(served: Served) -> dict[Any, Any]:
    assert served.proxy.fast is not None
    return served.proxy.fast._kept


async def asked(served: Served, *requests: bytes) -> list[bytes]:
    return [await served.at_once(request) for request in requests]


def without_date(answer: bytes) -> list[bytes]:
    return [line for line in answer.split(b"\r\n") if not line.startswith(b"Date:")]


async def test_law_4_an_answer_that_repeats_is_kept_from_the_second_time_on_and_shows_its_moment() -> None:
    served = Served(ONE)
    first, second = await asked(served, CREATE, LIST)
    assert not kept(served)
    await asked(served, LIST)
    assert len(kept(served)) == 1
    served.now += 61 * SECOND
    late, again = await asked(served, LIST, LIST)
    assert late == again != second
    assert without_date(late) == without_date(second)
    assert served.engine.counts == {"hit": 5}
    assert served.engine.journal.total.outcomes == {"hit": 5}
    assert first.startswith(b"HTTP/1.1 201")


async def test_law_4_what_is_kept_never_shows_an_earlier_moment_than_another_answer_did() -> None:
    both = []
    other = asking("GET", PATH, HERE, "X-Other: 1")
    for size in (fastpath.KEPT_BYTES, None):
        served = Served(ONE, size)
        for pause, request in ((0, CREATE), (0, LIST), (0, LIST), (0, LIST), (10, other), (-10, LIST), (0, LIST)):
            served.now += pause * SECOND
            last = await served.exchange([request])
        both.append(last)
    assert both[0] == both[1]


async def test_law_4_a_write_ends_what_was_kept() -> None:
    served = Served(run([("list", 0, {}, 0), ("create", 0, {}, 0), ("list", 0, {}, 0)]))
    one, *_ = (await asked(served, CREATE, LIST, LIST, LIST))[1:]
    assert kept(served)
    _, two = await asked(served, CREATE, LIST)
    assert (
        json.loads(one.partition(b"\r\n\r\n")[2])["messages"] != json.loads(two.partition(b"\r\n\r\n")[2])["messages"]
    )


async def test_law_4_the_end_of_a_session_ends_what_was_kept() -> None:
    served = Served(ONE)
    await asked(served, CREATE, LIST, LIST, LIST)
    _, miss = await asked(served, asking("DELETE", "/__chatproxy/sessions", HERE), LIST)
    assert miss.startswith(b"HTTP/1.1 424")
    assert not kept(served)


async def test_law_4_what_is_kept_is_bounded_in_bytes() -> None:
    served = Served(ONE, kept=40_000)
    await asked(served, CREATE)
    for number in range(200):
        host = f"Host: h{number}.example"
        await asked(served, *[asking("GET", PATH, host)] * 2)
    fast = served.proxy.fast
    assert fast is not None
    assert 10 < len(fast._kept) < 40
    assert fast._size == sum(len(one.whole) + len(key[1]) + 1000 for key, one in fast._kept.items()) <= 40_000
    small = Served(ONE, kept=10_000)
    assert len({*await asked(small, CREATE, LIST, LIST, LIST)}) == 2
    assert not kept(small)


async def test_only_so_much_is_remembered_of_senders_and_of_what_came_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastpath, "_SENDERS", 4)
    monkeypatch.setattr(fastpath, "_SEEN", 4)
    served = Served(ONE)
    fast = served.proxy.fast
    assert fast is not None
    await asked(served, CREATE)
    for number in range(20):
        (answer,) = await asked(served, asking("GET", PATH, HERE, f"X-Number: {number}"))
        assert answer.startswith(b"HTTP/1.1 200")
        assert len(fast._senders) <= 4
        assert len(fast._seen) <= 4


# What goes wrong


class Broken(MemoryCassette):
    """A cassette that cannot be read any more."""

    trouble: Callable[[], Exception] = RuntimeError

    def stencil(self, number: int) -> Any:
        raise self.trouble()


@pytest.mark.parametrize("kept", [None, 0])
async def test_a_mistake_of_ours_is_a_500_and_ends_the_connection(
    kept: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    cassette = Broken("tour", Program().run([]).exchanges, RULES)
    answer = await Served(cassette, kept).exchange([CREATE, CREATE])
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert answer.endswith(b"(closed)")
    assert answer.count(b"HTTP/1.1") == answer.count(b"Connection: close\r\n") == 1
    assert [record.levelno for record in caplog.records if record.name == "chatproxy"] == [logging.ERROR]


@pytest.mark.parametrize("kept", [None, 0])
async def test_a_store_that_cannot_be_read_is_an_error_on_a_connection_that_goes_on(kept: int | None) -> None:
    cassette = Broken("tour", Program().run([]).exchanges, RULES)
    numbers = count(1)
    cassette.trouble = lambda: CassetteError("here", f"is damaged {next(numbers)}")
    answer = await Served(cassette, kept).exchange([CREATE, LIST, CREATE])
    assert answer.count(b"HTTP/1.1 ") == 3
    assert b"is damaged 1" in answer
    assert not answer.endswith(b"(closed)")
