"""Programs that remember the last date they saw, recorded from an upstream with a clock of its own, and replayed.

The upstream is a channel of messages in which others write, too. Time is virtual: what a program waits, and what a
request takes, is added to a number.
"""

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import unquote, urlencode

from exchanges import numbered
from strategies import FORM

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.engine import Engine
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, Request, Response
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import Sessions
from chatproxy.core.time.session_clock import SessionClock
from chatproxy.core.time.timestamps import SECOND, Spelling, spell_instant

BEGIN = 1_767_000_000
PATH = f"/v1/Services/IS{'1' * 32}/Channels/CH{'2' * 32}/Messages"
JSON = (b"Content-Type", b"application/json")

Asked = tuple[float, str, str, dict[str, str]]
"""How long to wait, method, path and form."""
Answered = tuple[int, Any, float]
"""Status, content, and when the answer came."""
Bot = Generator[Asked, Answered, None]


def _text(second: float) -> str:
    return spell_instant(int(second) * SECOND, Spelling(0)).decode()


@dataclass
class Channel:
    """The upstream; ``others`` are what others write, and when."""

    others: list[tuple[float, str]]
    ahead: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, method: str, path: str, form: dict[str, str], now: float) -> tuple[int, Any]:
        while self.others and self.others[0][0] <= now:
            then, body = self.others.pop(0)
            self._write(body, then)
        if method == "POST" and path == PATH:
            return 201, self._write(form["Body"], now)
        if method == "POST":
            (message,) = [one for one in self.messages if path.endswith(one["sid"])]
            message |= {name.lower(): value for name, value in form.items()}
            message["date_updated"] = _text(now + self.ahead)
            return 200, message
        if path.partition("?")[0] == PATH:
            since = unquote(path.partition("?Since=")[2])
            later = [one for one in self.messages if one["date_created"] > since]
            return 200, {"meta": {"page": 0, "next_page_url": None, "url": path}, "messages": later}
        return 200, next(one for one in self.messages if path.endswith(one["sid"]))

    def _write(self, body: str, now: float) -> dict[str, Any]:
        then = _text(now + self.ahead)
        message = {
            "sid": f"IM{len(self.messages) + 16**31:032x}",
            "body": body,
            "index": len(self.messages),
            "date_created": then,
            "date_updated": then,
        }
        self.messages.append(message)
        return message


def record(channel: Channel, bot: Bot, random: Random, slow: tuple[float, float] = (0.01, 0.05)) -> list[Exchange]:
    """Run a program against the upstream."""
    now = BEGIN + random.random()
    exchanges: list[Exchange] = []
    answered: Answered | None = None
    while True:
        try:
            pause, method, path, form = bot.send(answered) if answered else next(bot)
        except StopIteration:
            return exchanges
        sent = now + pause + random.uniform(0.0005, 0.002)
        there = sent + random.uniform(*slow) / 2
        now = there + random.uniform(*slow) / 2
        status, content = channel.answer(method, path, form, there)
        body = json.dumps(content).encode()
        date = spell_instant(int(there + channel.ahead) * SECOND, Spelling(1))
        exchanges.append(
            numbered(
                len(exchanges) + 1,
                Request(method, path.encode(), (FORM,), urlencode(form).encode()),
                Response(status, b"", (JSON, (b"Date", date)), body),
                "https://chat.twilio.com",
                int(sent * SECOND),
                int(now * SECOND),
                max((one.number for one in exchanges if one.request.method == "POST"), default=0),
            )
        )
        answered = status, json.loads(body), now


@dataclass
class Replay:
    """A session of what was recorded; ``ahead`` is how many seconds its time was ahead of the machine's at most."""

    exchanges: Sequence[Exchange]
    now: float = 2 * BEGIN + 0.3
    ahead: int = 0

    def __post_init__(self) -> None:
        rules = Rules()
        self.cassette = MemoryCassette("a", self.exchanges, rules)
        clock = self.clock = SessionClock(int(self.now * SECOND))
        sessions = Sessions(lambda name, restarts: Session(self.cassette, rules, name, restarts, clock))
        self.engine = Engine("https://chat.twilio.com", lambda: int(self.now * SECOND), sessions=sessions)

    def run(self, bot: Bot, wait: Callable[[float], float]) -> None:
        """Run a program whose waits take so long."""
        answered: Answered | None = None
        while True:
            try:
                pause, method, path, form = bot.send(answered) if answered else next(bot)
            except StopIteration:
                return
            self.now += 0.005 + wait(pause)
            answer = self.engine.on_request(Request(method, path.encode(), (FORM,), urlencode(form).encode()))
            assert isinstance(answer, Response)
            self.ahead = max(self.ahead, self.clock.latest // SECOND - int(self.now))
            answered = answer.status, json.loads(answer.body), self.now


def cursor(kind: str, polls: int, pause: float, taken: list[list[str]]) -> Bot:
    """Take the messages that are later than the last one seen.

    It only reads, writes of its own between two polls, or answers what others write.
    """
    _, content, _ = yield 0, "GET", PATH, {}
    last = max((one["date_created"] for one in content["messages"]), default="")
    if kind != "read":
        _, content, _ = yield 0, "POST", PATH, {"Body": "begin"}
        last = max(last, content["date_created"])
    for poll in range(polls):
        status, content, _ = yield pause, "GET", PATH, {}
        if status != 200:
            taken.append([str(content)])
            continue
        new = [one for one in content["messages"] if one["date_created"] > last]
        taken.append([one["body"] for one in new])
        last = max(last, *(one["date_created"] for one in new)) if new else last
        answers = [f"re {one['body']}" for one in new if one["body"].startswith("hi")] if kind == "bot" else []
        for body in [f"own {poll}"] if kind == "own" else answers:
            _, content, _ = yield 0.2 if kind == "own" else 0, "POST", PATH, {"Body": body}
            last = max(last, content.get("date_created", ""))


def others(random: Random, seconds: float = 14) -> list[tuple[float, str]]:
    """Return what others write: something each one to three seconds."""
    found: list[tuple[float, str]] = []
    then = BEGIN + 0.5
    while then < BEGIN + seconds:
        then += random.uniform(1, 3)
        found.append((then, f"hi {len(found)}"))
    return found
