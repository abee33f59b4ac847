"""Recordings of one client that asks one thing after the other, and sessions that replay them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exchanges import numbered
from strategies import FORM, JSON, UPSTREAM

from chatproxy.core.cassette.compile import Learnt
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.credentials.blanking import user_of
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, ExchangeNumber, Request, Response, is_read
from chatproxy.core.replay.player import Played, play_request
from chatproxy.core.replay.session import Session
from chatproxy.core.timeline.places import Places
from chatproxy.core.timeline.standing import Standing, Step
from chatproxy.core.timeline.standings import Timeline
from chatproxy.core.timeline.states import Where
from chatproxy.core.timeline.traces import Trace
from chatproxy.core.twilio.objects import Shown
from chatproxy.core.twilio.paths import Spellings

CHANNELS = b"/v1/Services/IS" + b"1" * 32 + b"/Channels"
CHANNEL = CHANNELS + b"/CH" + b"2" * 32
MESSAGES, MEMBERS = CHANNEL + b"/Messages", CHANNEL + b"/Members"
RULES = Rules()


def sid(letters: str, digit: int) -> str:
    return letters + f"{digit:x}" * 32


def message(digit: int) -> bytes:
    return MESSAGES + b"/" + sid("IM", digit).encode()


def get(path: bytes = MESSAGES) -> Request:
    return Request("GET", path)


def post(path: bytes = MESSAGES, body: bytes = b"Body=a") -> Request:
    return Request("POST", path, (FORM,), body)


def delete(path: bytes) -> Request:
    return Request("DELETE", path)


Step_ = Request | tuple[Request, int] | tuple[Request, int, str]
"""A request, the status of its answer, and the SID of the object that the answer shows."""


def where(path: bytes) -> Where:
    return Places().where(path)


def recorded(*steps: Step_, user: str | None = None) -> list[Exchange]:
    """Return what is recorded of a client that asks one thing after the other; a create is answered 201."""
    exchanges: list[Exchange] = []
    for number, step in enumerate(steps, 1):
        request, status, *shown = step if isinstance(step, tuple) else (step, 200)
        after = next((one.number for one in reversed(exchanges) if not is_read(one.request.method)), 0)
        body = json.dumps({"sid": shown[0]}).encode() if shown else b""
        answer = Response(status, b"", (JSON,), body)
        exchanges.append(numbered(number, request, answer, UPSTREAM, 2 * number, 2 * number + 1, after, user))
    return exchanges


@dataclass(slots=True)
class Given(Learnt):
    """Places some exchanges otherwise than they would be: what was in doubt, given up, or changed by others."""

    changes: Mapping[int, Callable[[Standing], Standing]] = field(default_factory=dict)
    given: Mapping[int, Sequence[Step]] = field(default_factory=dict)

    def ordered(
        self, traces: Sequence[Trace], show: Callable[[ExchangeNumber], Shown], spellings: Spellings
    ) -> Timeline:
        found = Learnt.ordered(self, traces, show, spellings)
        self.steps = self.given
        changed = [
            self.changes[trace.number](one) if trace.number in self.changes else one
            for trace, one in zip(traces, found.standings, strict=True)
        ]
        return found._replace(standings=changed)


def session(*steps: Step_, given: Given | None = None, **options: Any) -> Session:
    cassette = MemoryCassette("tour", recorded(*steps), RULES, learnt=given)
    return Session(cassette, RULES, **options)


def play(replay: Session, request: Request) -> Played:
    return play_request(replay, replay.blanked(request), user_of(request.headers))


def played(replay: Session, *requests: Request) -> list[int | None]:
    """Return the numbers of what answers requests, one after the other."""
    return [play(replay, request).number for request in requests]
