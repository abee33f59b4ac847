"""Scenarios: what a client asks for, recorded as often as one likes with other SIDs, dates and delays."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from random import Random
from urllib.parse import urlencode

from exchanges import numbered
from hypothesis import strategies as st
from strategies import FORM

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, Headers, Request, Response, is_read
from chatproxy.core.sharing.canonical import Canonical, numbered_sids
from chatproxy.core.time.timestamps import SECOND, Spelling, spell_instant
from chatproxy.fixture import write_fixture
from chatproxy.sandbox.calls import Call, Target, pairs_of
from chatproxy.sandbox.messages import ApiError, Messages, make_sid
from chatproxy.sandbox.operations import answer, refusal

RULES = Rules()

Step = tuple[str, int, str]
"""What is done to which message (or channel, for a list and a create), with which form or query."""

reads = st.tuples(
    st.sampled_from(["fetch", "list"]), st.integers(0, 3), st.sampled_from(["", "PageSize=1", "Order=desc"])
)
writes = st.tuples(
    st.sampled_from(["create", "create", "update", "delete"]),
    st.integers(0, 3),
    st.sampled_from(["Body=a", "Body=b", "Attributes=%7B%7D&Body=c", "From=x%40example.com&Body=d", "Attributes=no"]),
)
scenarios = st.lists(
    writes.map(lambda write: [write]) | st.lists(reads, min_size=1, max_size=3), min_size=1, max_size=9
)
"""Steps one after another; the reads of one step are asked for at the same time, a moment apart."""


@dataclass
class Recording:
    """One recording of a scenario on a server of its own; everything in ``draw`` differs from run to run."""

    draw: Random
    origin: str = "http://127.0.0.1:8765"
    upstream: str = "http://127.0.0.1:8766"
    longest: float = 2.0
    exchanges: list[Exchange] = field(default_factory=list)

    def run(self, scenario: Sequence[Sequence[Step]]) -> "Recording":
        """Record the steps."""
        self.account, self.service, *channels = (
            prefix + f"{self.draw.getrandbits(128):032x}" for prefix in ("AC", "IS", "CH", "CH")
        )
        self.messages = Messages(self.draw.getrandbits(32))
        self.paths = [f"/v1/Services/{self.service}/Channels/{channel}/Messages" for channel in channels]
        self.channels = channels
        self.known: list[tuple[int, str]] = []
        now = self.draw.randrange(10**9, 2 * 10**9) * SECOND
        for step in scenario:
            now = self._together(step, now) + self.draw.randrange(SECOND)
        return self

    def _together(self, steps: Sequence[Step], now: int) -> int:
        """Ask for all of these a moment apart, and return when the last was answered."""
        after = max((one.number for one in self.exchanges if not is_read(one.request.method)), default=0)
        asked = []
        for nth, step in enumerate(steps):
            sent = now + nth
            there = sent + self._delay()
            asked.append((there + self._delay(), sent, there, step))
        for answered, sent, there, step in sorted(asked):
            self._exchange(step, sent, there, answered, after)
        return max(answered for answered, *_ in asked) + 1

    def _delay(self) -> int:
        return int(self.draw.random() * self.longest / 2 * SECOND) + 1

    def _exchange(self, step: Step, sent: int, there: int, answered: int, after: int) -> None:
        request, target = self._request(step)
        path, _, query = request.target.decode().partition("?")
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=there)
        try:
            call = Call(
                request.method, self.account, target, self.upstream, pairs_of(query), pairs_of(request.body.decode())
            )
            given = answer(self.messages, call, moment)
        except ApiError as error:
            given = refusal(error)
        headers: Headers = (
            (b"Content-Type", b"application/json; charset=utf-8"),
            (b"Date", spell_instant(there, Spelling(1))),
            (b"Twilio-Request-Id", b"RQ%032x" % self.draw.getrandbits(128)),
            (b"Twilio-Request-Duration", b"%.3f" % self.draw.random()),
            (b"X-Amz-Cf-Id", b"%x" % self.draw.getrandbits(64)),
            (b"ETag", b"%x" % self.draw.getrandbits(64)),
        )
        response = Response(given.status, b"", headers, given.body)
        self.exchanges.append(
            numbered(len(self.exchanges) + 1, request, response, self.upstream, sent, answered, after, self.account)
        )
        if request.method == "POST" and given.status == 201:
            self.known.append((self.paths.index(path), json.loads(given.body)["sid"]))

    def _request(self, step: Step) -> tuple[Request, Target]:
        kind, which, text = step
        sid = None
        channel = which % len(self.paths)
        if kind in {"fetch", "update", "delete"}:
            made = make_sid("IM", 0, "unknown")
            channel, sid = self.known[which % len(self.known)] if self.known else (channel, made)
        path = self.paths[channel] + (f"/{sid}" if sid else "")
        method = {"fetch": "GET", "list": "GET", "delete": "DELETE"}.get(kind, "POST")
        query = f"?{text}" if kind == "list" and text else ""
        body = text.encode() if method == "POST" else b""
        if body:
            body += b"&" + urlencode({"Link": f"{self.origin}/a"}).encode()
        headers = ((b"User-Agent", b"client"), *((FORM,) if body else ()))
        request = Request(method, (path + query).encode(), headers, body, self.origin)
        return request, Target(self.paths[channel], self.service, self.channels[channel], sid)

    def cassette(self, name: str = "a", rules: Rules = RULES) -> MemoryCassette:
        """Return the cassette that was recorded."""
        return MemoryCassette(name, self.exchanges, rules)


def exported(
    cassette: Cassette, rules: Rules = RULES, keep: frozenset[str] = frozenset(), *, anonymous: bool = False
) -> str:
    """Return the text of a cassette's canonical fixture."""
    canonical, file = Canonical(cassette, rules, numbered_sids(keep)), StringIO()
    write_fixture(cassette.name, canonical.exchanges(), file, canonical.declared(anonymous=anonymous))
    return file.getvalue()
