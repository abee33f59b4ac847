"""Exchanges as tests spell them, and a session that replays them by their states alone."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

from strategies import FORM, JSON, UPSTREAM

from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, ExchangeNumber, InOrder, Request, Response, is_read
from chatproxy.core.timeline.places import Places
from chatproxy.core.timeline.standing import Role, Standing
from chatproxy.core.timeline.standings import Timeline, standings
from chatproxy.core.timeline.states import States
from chatproxy.core.timeline.traces import Trace, trace
from chatproxy.core.twilio.objects import shown
from chatproxy.core.twilio.paths import Spellings

SERVICE = f"/v1/Services/IS{'1' * 32}"
CHANNELS = f"{SERVICE}/Channels"
CHANNEL = f"{CHANNELS}/CH{'1' * 32}"
MESSAGES, MEMBERS = f"{CHANNEL}/Messages", f"{CHANNEL}/Members"
A, B, C = (f"IM{letter * 32}" for letter in "abc")


def compiled(exchanges: Sequence[Exchange]) -> tuple[list[Trace], Timeline]:
    """Return what is known of exchanges, which must come in the order of their numbers."""
    spellings = Spellings()
    traces = trace(((one, normalize(one.request, Rules())) for one in exchanges), spellings)
    held = {one.number: one for one in exchanges}
    return traces, standings(traces, lambda number: shown(held[number].response), spellings)


class Recording:
    """Exchanges in the order of their answers, one each ten microseconds; each is asked when the last was answered."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def add(
        self,
        method: str,
        path: str,
        status: int = 200,
        *,
        asked: int | None = None,
        body: str = "",
        shows: object = None,
        abandoned: bool = False,
        user: str | None = None,
        in_order: InOrder | None = None,
    ) -> Self:
        number, text = len(self.exchanges) + 1, b"" if shows is None else json.dumps(shows).encode()
        asked = 10 * number - 9 if asked is None else asked
        answered = [one.number for one in self.exchanges if not is_read(one.request.method) and one.answered < asked]
        self.exchanges.append(
            Exchange(
                ExchangeNumber(number),
                Request(method, path.encode(), (FORM,), body.encode()),
                Response(status, b"", (JSON,), text),
                UPSTREAM,
                asked,
                10 * number,
                max(answered, default=ExchangeNumber(0)),
                user,
                abandoned=abandoned,
                in_order=in_order,
            )
        )
        return self

    def create(self, sid: str, body: str = "a", *, into: str = MESSAGES, **more: Any) -> Self:
        return self.add("POST", into, 201, body=f"Body={body}", shows={"sid": sid, "body": body}, **more)

    def update(self, sid: str, body: str, *, into: str = MESSAGES, **more: Any) -> Self:
        return self.add("POST", f"{into}/{sid}", body=f"Body={body}", shows={"sid": sid, "body": body}, **more)

    def fetch(self, sid: str, body: str = "a", *, into: str = MESSAGES, **more: Any) -> Self:
        return self.add("GET", f"{into}/{sid}", shows={"sid": sid, "body": body}, **more)

    def delete(self, sid: str, *, into: str = MESSAGES, **more: Any) -> Self:
        return self.add("DELETE", f"{into}/{sid}", 204, **more)

    def page(
        self,
        *members: str | dict[str, Any],
        first: bool = True,
        last: bool = True,
        query: str = "",
        into: str = MESSAGES,
        **more: Any,
    ) -> Self:
        listed = [{"sid": sid, "body": "a"} if isinstance(sid, str) else sid for sid in members]
        urls = {"previous_page_url": None if first else "x", "next_page_url": None if last else "x"}
        return self.add("GET", into + query, shows={"meta": urls, into.rpartition("/")[2].lower(): listed}, **more)

    def told(self, number: int, **told: Any) -> Self:
        """Have a fixture say this of an exchange, and of all others that they stand in order."""
        for nth, one in enumerate(self.exchanges):
            said = InOrder(**told) if one.number == number else one.in_order or InOrder()
            self.exchanges[nth] = replace(one, asked=0, answered=0, after=ExchangeNumber(0), in_order=said)
        return self

    @property
    def timeline(self) -> Timeline:
        return compiled(self.exchanges)[1]

    @property
    def standings(self) -> list[Standing]:
        return self.timeline.standings

    @property
    def roles(self) -> list[Role]:
        return [one.role for one in self.standings]

    @property
    def steps(self) -> list[int]:
        return sorted({step.number for steps in self.timeline.steps.values() for step in steps})

    def exceptions(self, number: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        standing = self.standings[number - 1]
        return standing.with_, standing.without


class Replay:
    """One session: what it is asked is answered by the number of an exchange, or by nothing."""

    def __init__(self, recording: Recording) -> None:
        self._traces, timeline = compiled(recording.exchanges)
        self._exchanges, self._standings = recording.exchanges, timeline.standings
        self._places, self._states = Places(), States()
        self._used: set[int] = set()
        self._last: dict[tuple[int, int], int] = {}

    def ask(self, request: Request) -> int | None:
        key = hash((normalize(request, Rules()), None))
        equal = [nth for nth, one in enumerate(self._traces) if one.key == key]
        if not equal:
            return None
        one = self._traces[equal[0]]
        where = self._standings[equal[0]].where
        wanted = (self._states.needed(one.method, where, self._places.unique(one)), self._states.of(where))
        fits = [nth for nth in equal if set(wanted) & set(self._standings[nth].states)]
        if is_read(one.method):
            return self._read(fits, (key, wanted[0]))
        nth = next((nth for nth in fits if nth not in self._used), None)
        if nth is None:
            refused = [nth for nth in fits if self._standings[nth].role is Role.REFUSAL]
            return refused[-1] + 1 if refused else None
        self._used.add(nth)
        if done := self._standings[nth].done:
            self._states.do(done)
        return nth + 1

    def _read(self, fits: list[int], key: tuple[int, int]) -> int | None:
        later = [nth for nth in fits if nth > self._last.get(key, -1)]
        if not fits:
            return None
        self._last[key] = (later or fits[-1:])[0]
        return self._last[key] + 1

    def again(self, *numbers: int) -> list[int | None]:
        """Ask what these exchanges asked, one after another."""
        return [self.ask(self._exchanges[number - 1].request) for number in numbers]
