"""Whether answers are right: what a replay must answer is worked out here anew, from the recorded answer alone."""

import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection

import workload
from load import Wrong
from workload import AUTHORIZATION, Asked

_IM = re.compile(rb"IM[0-9a-f]{32}")
_TIME = re.compile(rb"2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_BEHIND = range(-1, 6)
"""How many seconds from when a session began to our looking at what it serves; its begin counts in whole seconds."""


class Client:
    """A client of one session, on one connection."""

    def __init__(self, port: int, session: str | None = None) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self.origin = f"http://127.0.0.1:{port}"
        self._headers = {"Authorization": AUTHORIZATION, "Accept": "application/json"}
        if session:
            self._headers["x-chatproxy-session"] = session

    def ask(self, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
        """Return an answer's status and body."""
        form = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        self._connection.request(method, target, body=body or None, headers=self._headers | form)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@dataclass
class Oracle:
    """What a session must be served: which SID stands for each recorded one, and by how much times are moved."""

    origin: str
    sids: dict[bytes, bytes] = field(default_factory=dict)
    moved: int | None = None

    def learn(self, recorded: bytes, served: bytes) -> None:
        """Take over the SIDs and the times of an answer; raises Wrong if they contradict those of earlier ones."""
        for mine, theirs in zip(_IM.findall(recorded), _IM.findall(served), strict=True):
            if self.sids.setdefault(mine, theirs) != theirs:
                raise Wrong(f"{mine!r} was served as {self.sids[mine]!r}, now as {theirs!r}")
        if self.moved is None:
            self.moved = _seconds(_TIME.search(served)) - _seconds(_TIME.search(recorded))
            if int(time.time()) - workload.BEGIN - self.moved not in _BEHIND:
                raise Wrong(f"times are moved by {self.moved} s, which is not from the recording to now")

    def expected(self, recorded: bytes) -> bytes:
        """Return what must be served for a recorded answer."""
        local = recorded.replace(workload.UPSTREAM.encode(), self.origin.encode())
        local = _IM.sub(lambda found: self.sids.get(found[0], found[0]), local)
        return _TIME.sub(lambda found: _moved(found[0], self.moved or 0), local)

    def target(self, asked: Asked) -> str:
        """Return the target as this session's client asks for it."""
        return _IM.sub(lambda found: self.sids.get(found[0], found[0]), asked.target.encode()).decode()

    def check(self, client: Client, asked: Asked) -> None:
        """Ask, and raise Wrong unless every byte is right."""
        status, body = client.ask(asked.method, self.target(asked), asked.body)
        compare(asked, status, body, self.expected(asked.answer))


def compare(asked: Asked, status: int, body: bytes, expected: bytes) -> None:
    """Raise Wrong unless an answer is the expected one."""
    if (status, body) != (asked.status, expected):
        raise Wrong(
            f"{asked.method} {asked.target}: {status} {body[:1000]!r} instead of {asked.status} {expected[:1000]!r}"
        )


def learn_lists(client: Client, listed: Iterator[Asked], every: int = 1) -> Oracle:
    """Ask for lists as the recorded program did; compare every n-th of them byte for byte, after it was learnt from."""
    oracle = Oracle(client.origin)
    for number, asked in enumerate(listed):
        status, body = client.ask(asked.method, asked.target)
        if status != asked.status:
            raise Wrong(f"{asked.method} {asked.target}: {status} {body[:1000]!r}")
        oracle.learn(asked.answer, body)
        if number % every == 0:
            compare(asked, status, body, oracle.expected(asked.answer))
    fresh = set(oracle.sids.values())
    if len(fresh) < len(oracle.sids) or fresh & oracle.sids.keys():
        raise Wrong("SIDs of the replay are not fresh and different")
    return oracle


def check_creates(client: Client, count: int) -> dict[str, object]:
    """Create messages, and raise Wrong unless each is right and made now; return the last one.

    The session's clock may run ahead of the machine's by a second for each message, as they were recorded.
    """
    seen: dict[str, object] = {}
    for index in range(count):
        asked = workload.create(index)
        status, body = client.ask(asked.method, asked.target, asked.body)
        oracle = Oracle(client.origin)
        oracle.sids = dict(zip(_IM.findall(asked.answer), _IM.findall(body), strict=False))
        oracle.moved = _seconds(_TIME.search(body)) - _seconds(_TIME.search(asked.answer))
        compare(asked, status, body, oracle.expected(asked.answer))
        message = json.loads(body)
        behind = time.time() - _seconds(_TIME.search(body))
        if (
            message["sid"] in seen
            or _IM.search(asked.answer)[0] == message["sid"].encode()
            or not -count <= behind <= 2
        ):
            raise Wrong(f"a create was answered with {message}")
        seen[message["sid"]] = message
    return seen


@contextmanager
def watched(check: Callable[[Client, random.Random], None], port: int, pause: float = 0.05) -> Iterator[None]:
    """Check answers while the block loads the server; what is wrong is raised when it ends."""
    found: list[BaseException] = []
    over = threading.Event()

    def watch() -> None:
        client, chance = Client(port), random.Random(0)
        try:
            while not over.wait(pause):
                check(client, chance)
        except (Wrong, OSError) as error:
            found.append(error)
        finally:
            client.close()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if found:
        raise found[0]


def check_outcomes(log: str, at_least: int) -> None:
    """Raise Wrong unless a replay says at its end that all it answered was hits, and no fewer than were counted."""
    told = log.strip().splitlines()[-1].partition(" ended: ")[2]
    hits, _, rest = told.partition(" hit")
    if rest or not hits.isdigit() or int(hits) < at_least:
        raise Wrong(f"of {at_least} answers the replay says {told!r}: {log[-1000:]}")


def sample(several: Sequence[Asked], size: int) -> list[Asked]:
    """Return so many of several, always the same."""
    return random.Random(1).sample(several, min(size, len(several)))


def _seconds(found: "re.Match[bytes] | None") -> int:
    if found is None:
        raise Wrong("an answer has no time")
    return int(datetime.strptime(found[0].decode(), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())


def _moved(instant: bytes, seconds: int) -> bytes:
    known = _MOVED.get((instant, seconds))
    if known is None:
        at = int(datetime.strptime(instant.decode(), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()) + seconds
        known = _MOVED[instant, seconds] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)).encode()
    return known


_MOVED: dict[tuple[bytes, int], bytes] = {}
