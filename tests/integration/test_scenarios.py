"""Random programs of overlapping requests, recorded against the sandbox and replayed in every way that users do."""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

from exchanges import numbered
from fixture.fixtures import read
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from profiles import many
from strategies import FORM, JSON, UPSTREAM, basic

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.engine import Engine
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, Forward, Request, Response, is_read
from chatproxy.core.record.recorder import Recorder
from chatproxy.core.replay.bindings import Bindings, Choice, Given, Owner
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import SESSION, Sessions
from chatproxy.core.time.dates import DateField, date_fields
from chatproxy.core.time.session_clock import SessionClock
from chatproxy.core.time.timestamps import SECOND, Spelling, spell_instant
from chatproxy.fixture import write_fixture
from chatproxy.sandbox.calls import Call, pairs_of, target_of
from chatproxy.sandbox.messages import ApiError, Messages
from chatproxy.sandbox.operations import answer, refusal
from chatproxy.store import Existing, Recording, Store

T = TypeVar("T")
RULES = Rules()
ACCOUNT, SERVICE = "AC" + "1" * 32, "IS" + "1" * 32
CHANNELS = ("CH" + "2" * 32, "CH" + "3" * 32)
OTHERS = {sid: sid[:2] + "d" + sid[3:] for sid in (ACCOUNT, SERVICE, *CHANNELS)}
"""Another account, service and channels than those recorded."""
BOUND = {other: sid for sid, other in OTHERS.items() if sid != ACCOUNT}
"""Which of two channels is which, only ``bind`` tells where others than those recorded are sent."""
BEGIN = 1_767_225_600 * SECOND
LATER = BEGIN + 90 * 86_400 * SECOND + 123_456
_SID = re.compile("(?:AC|IS|CH|IM)[0-9a-f]{32}")


@dataclass(frozen=True)
class Step:
    """A request of the program, with the SIDs of the recording."""

    method: str
    channel: int
    member: str | None = None
    query: str = ""
    body: str = ""

    @property
    def path(self) -> str:
        path = f"/v1/Services/{SERVICE}/Channels/{CHANNELS[self.channel]}/Messages"
        return f"{path}/{self.member}" if self.member else path

    def request(self, live: Mapping[str, str], session: str = "") -> Request:
        """Return the request of a client that has these SIDs in the place of those recorded."""
        target = _SID.sub(lambda found: live.get(found[0], found[0]), self.path + self.query)
        user = basic(live.get(ACCOUNT, ACCOUNT).encode(), b"a token that is long enough")
        headers = (user, FORM, *(((SESSION, session.encode()),) if session else ()))
        return Request(self.method, target.encode(), headers, self.body.encode())


@dataclass
class Flight:
    """A request on its way; it has a response once the sandbox has carried it out."""

    step: Step
    forward: Forward
    response: Response | None = None


@dataclass
class Recorded:
    """A program with what was recorded of it: its steps in the order of their answers, and what the sandbox held."""

    exchanges: list[Exchange] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    epochs: dict[int, int] = field(default_factory=dict)
    """The epoch that each write opened, by its number."""
    states: list[list[Messages]] = field(default_factory=lambda: [[Messages(7)] for _ in CHANNELS])
    """What the sandbox held in each epoch of each channel."""

    def overlaps_a_write(self, number: int) -> bool:
        """Tell whether a write of the same channel was on its way together with this request."""
        one = self.exchanges[number - 1]
        return any(
            not is_read(other.request.method)
            and other is not one
            and step.channel == self.steps[number - 1].channel
            and other.asked < one.answered
            and one.asked < other.answered
            for other, step in zip(self.exchanges, self.steps, strict=True)
        )


def carried_out(world: Messages, step: Step, moment: int) -> Response:
    """Let the sandbox answer."""
    queried, form = pairs_of(step.query.removeprefix("?")), pairs_of(step.body)
    call = Call(step.method, ACCOUNT, target_of(step.path), UPSTREAM, queried, form)
    try:
        result = answer(world, call, datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment))
    except ApiError as error:
        result = refusal(error)
    date = (b"Date", spell_instant(moment, Spelling(1)))
    return Response(result.status, b"", (JSON, date), result.body)


class Client:
    """A client with a session of its own, which knows what it may be answered."""

    def __init__(self, recorded: Recorded, engine: Engine, name: str, live: Mapping[str, str]) -> None:
        self.recorded = recorded
        self.engine = engine
        self.name = name
        self.live = dict(live)
        self.epochs = [0 for _ in CHANNELS]
        self.instants: list[dict[tuple[bytes, bytes, int], tuple[int, int]]] = [{} for _ in CHANNELS]
        self.answers: list[tuple[Step, str]] = []
        self.responses: list[Response] = []

    def can_ask(self, step: Step) -> bool:
        """Tell whether the client was given the member's SID."""
        return step.member is None or step.member in self.live

    def ask(self, step: Step) -> int | None:
        """Ask, and check that the answer is what the sandbox would have given, or a miss; return its number."""
        served = self.engine.on_request(step.request(self.live, self.name))
        assert isinstance(served, Response)
        self.responses.append(served)
        marks = dict(served.headers)
        if marks[b"x-chatproxy-outcome"] == b"miss":
            assert served.status == 424
            return None
        number = int(marks[b"x-chatproxy-exchange"].rpartition(b"/")[2])
        if is_read(step.method):
            state = self.recorded.states[step.channel][self.epochs[step.channel]]
            self._check(step, carried_out(deepcopy(state), step, BEGIN), served)
        else:
            epoch = self.recorded.epochs.get(number, 0)
            self.epochs[step.channel] = max(self.epochs[step.channel], epoch)
            self._check(step, self.recorded.exchanges[number - 1].response, served)
        self.answers.append((step, str(number)))
        return number

    def _check(self, step: Step, expected: Response, served: Response) -> None:
        assert served.status == expected.status
        dates = [list(date_fields(_exchange(one))) for one in (expected, served)]
        texts = [_without_dates(one.body, found).decode() for one, found in zip((expected, served), dates, strict=True)]
        for one, other in zip(*(_SID.findall(text) for text in texts), strict=True):
            assert self.live.setdefault(one, other) == other
        assert len(set(self.live.values())) == len(self.live)
        assert _SID.sub(lambda found: self.live[found[0]], texts[0]) == texts[1]
        self._check_instants(step.channel, *dates)

    def _check_instants(self, channel: int, recorded: list[DateField], served: list[DateField]) -> None:
        """Check that an instant changes only when a write does, which may be in the recorded second of another."""
        instants, epoch = self.instants[channel], self.epochs[channel]
        for one, other in zip(recorded, served, strict=True):
            place, moment = (one.sid, one.name, one.value.moment), other.value.moment
            since, before = instants.get(place, (epoch, moment))
            assert before == moment or (since < epoch and before < moment)
            instants[place] = (epoch, moment)
        in_order = sorted((place[2], moment) for place, (_, moment) in instants.items())
        for (early, first), (late, second) in pairwise(in_order):
            assert early == late or first <= second


def _exchange(response: Response) -> Exchange:
    return numbered(1, Request("GET", b"/"), response, UPSTREAM, 0, 0)


def _without_dates(body: bytes, dates: Sequence[DateField]) -> bytes:
    for found in reversed(dates):
        body = body[: found.start] + b"DATE" + body[found.end :]
    return body


def engine_of(cassette: Cassette, choice: Choice | None = None, *, stands: bool = False) -> Engine:
    """Replay a cassette at a time of its own, which goes on with each request."""
    moments = iter(range(LATER, LATER * 2, 1_300_000))
    given = Given()

    def begin(name: str, restarts: int) -> Session:
        clock = SessionClock(LATER, stands=stands)
        sids = Bindings(cassette, choice, Owner(name, restarts), given)
        return Session(cassette, RULES, name, restarts, clock, sids=sids)

    return Engine(UPSTREAM, moments.__next__, sessions=Sessions(begin), keep_urls=True)


class Scenarios(RuleBasedStateMachine):
    """Records a program; in the end it is replayed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGIN
        self.world = Messages(7)
        self.engine = Engine(UPSTREAM, lambda: self.now, recorder=Recorder("c", UPSTREAM))
        self.recorded = Recorded()
        self.flights: list[Flight] = []
        self.known: list[list[str]] = [[] for _ in CHANNELS]
        self.opened: dict[int, int] = {}
        self.random = Random(0)

    @initialize(random=st.randoms(use_true_random=False))
    def begin(self, random: Random) -> None:
        self.random = random

    @rule(
        kind=st.sampled_from(["list", "page", "create", "fetch", "update", "delete"]),
        channel=st.integers(0, len(CHANNELS) - 1),
        which=st.integers(0, 3),
        body=st.sampled_from(["Body=a", "Body=b", "Attributes=%7B%7D"]),
        waits=st.booleans(),
        pause=st.sampled_from([0, SECOND // 3, 2 * SECOND]),
    )
    def send(self, *, kind: str, channel: int, which: int, body: str, waits: bool, pause: int) -> None:
        step = self._step(kind, channel, which, body)
        in_flight = [flight.step for flight in self.flights if flight.step.channel == channel]
        if step is None or (not is_read(step.method) and any(not is_read(one.method) for one in in_flight)):
            return  # the order of concurrent writes to one collection is outside the promise
        self.now += pause + 1
        forward = self.engine.on_request(step.request({}))
        assert isinstance(forward, Forward)
        self.flights.append(Flight(step, forward))
        if not waits:
            self._finish(self.flights.pop())

    @precondition(lambda self: self.flights)
    @rule(which=st.integers(0, 3), pause=st.sampled_from([0, SECOND]))
    def carry_out(self, which: int, pause: int) -> None:
        self.now += pause + 1
        self._carry_out(self.flights[which % len(self.flights)])

    @precondition(lambda self: self.flights)
    @rule(which=st.integers(0, 3), pause=st.sampled_from([0, SECOND]))
    def finish(self, which: int, pause: int) -> None:
        self.now += pause + 1
        self._finish(self.flights.pop(which % len(self.flights)))

    def _step(self, kind: str, channel: int, which: int, body: str) -> Step | None:
        known = self.known[channel]
        if kind in {"list", "page"}:
            return Step("GET", channel, query="?PageSize=1" if kind == "page" else "")
        if kind == "create":
            return Step("POST", channel, body=body)
        if not known:
            return None
        member = known[which % len(known)]
        method = {"fetch": "GET", "update": "POST", "delete": "DELETE"}[kind]
        return Step(method, channel, member, body=body if kind == "update" else "")

    def _carry_out(self, flight: Flight) -> None:
        if flight.response is not None:
            return
        flight.response = carried_out(self.world, flight.step, self.now)
        if not is_read(flight.step.method) and flight.response.status < 400:
            states = self.recorded.states[flight.step.channel]
            self.opened[id(flight)] = len(states)
            states.append(deepcopy(self.world))

    def _finish(self, flight: Flight) -> None:
        self._carry_out(flight)
        assert flight.response is not None
        self.now += 1
        _, exchange = self.engine.on_response(flight.forward, flight.response)
        assert exchange is not None
        self.engine.on_kept(flight.forward, exchange)
        self.recorded.exchanges.append(exchange)
        self.recorded.steps.append(flight.step)
        if id(flight) in self.opened:
            self.recorded.epochs[exchange.number] = self.opened.pop(id(flight))
        if flight.step.method == "POST" and flight.step.member is None:
            self.known[flight.step.channel] += re.findall('{"sid": "(IM[0-9a-f]{32})"', exchange.response.body.decode())

    def teardown(self) -> None:
        while self.flights:
            self._finish(self.flights.pop(0))
        cassette = MemoryCassette("c", self.recorded.exchanges, RULES)
        plain = self._as_it_was(cassette, {}, None)
        assert self._as_it_was(cassette, OTHERS, Choice(bind=BOUND)) == plain
        self._with_more_reads(cassette)
        self._two_sessions(cassette)
        for live in ({}, OTHERS):
            self._other_interleaving(cassette, plain, live)
        self._store_and_fixture(cassette)

    def _client(self, engine: Engine, name: str, live: Mapping[str, str]) -> Client:
        return Client(self.recorded, engine, name, {sid: live.get(sid, sid) for sid in OTHERS})

    def _as_it_was(self, cassette: Cassette, live: Mapping[str, str], choice: Choice | None) -> list[tuple[Step, str]]:
        """Replay the program (a), with these SIDs of its own (e)."""
        client = self._client(engine_of(cassette, choice), "one", live)
        for number, step in enumerate(self.recorded.steps, 1):
            found = client.ask(step)
            if is_read(step.method):  # an equal one, that came too early then, may answer it
                assert found is not None or self.recorded.overlaps_a_write(number)
            else:
                assert found == number
        return client.answers

    def _with_more_reads(self, cassette: Cassette) -> None:
        """Replay the program with extra reads anywhere (b)."""
        client = self._client(engine_of(cassette), "one", {})
        reads = [step for step in self.recorded.steps if is_read(step.method)]
        for number, step in enumerate(self.recorded.steps, 1):
            for extra in self.random.choices(reads, k=self.random.randrange(3)) if reads else ():
                if client.can_ask(extra):
                    client.ask(extra)
            assert client.ask(step) == number or is_read(step.method)

    def _two_sessions(self, cassette: Cassette) -> None:
        """Replay the program in two sessions that are interleaved (c)."""
        engine = engine_of(cassette)
        clients = [self._client(engine, name, {}) for name in ("one", "two")]
        rest = [iter(self.recorded.steps) for _ in clients]
        for which in self._interleaved([0] * len(self.recorded.steps), [1] * len(self.recorded.steps)):
            clients[which].ask(next(rest[which]))
        given = [set(client.live.values()) - set(OTHERS) for client in clients]
        assert not given[0] & given[1]
        assert clients[0].answers == clients[1].answers

    def _other_interleaving(self, cassette: Cassette, plain: list[tuple[Step, str]], live: Mapping[str, str]) -> None:
        """Replay the program with its channels interleaved differently (d), also with other SIDs (e) and bind."""
        choice = Choice(bind=BOUND) if live else None
        client = self._client(engine_of(cassette, choice), "one", live)
        by_channel = [[step for step in self.recorded.steps if step.channel == nth] for nth in range(len(CHANNELS))]
        for step in self._interleaved(*by_channel):
            client.ask(step)
        for nth in range(len(CHANNELS)):
            one, other = ([pair for pair in pairs if pair[0].channel == nth] for pairs in (plain, client.answers))
            assert one == other

    def _interleaved(self, *sequences: list[T]) -> Iterator[T]:
        rest = [list(reversed(sequence)) for sequence in sequences]
        while rest := [sequence for sequence in rest if sequence]:
            yield self.random.choice(rest).pop()

    def _store_and_fixture(self, cassette: Cassette) -> None:
        """Replay from the store and from the fixture: the answers are the same bytes."""
        file = StringIO()
        write_fixture("c", self.recorded.exchanges, file)
        with TemporaryDirectory() as folder:
            store = Store(Path(folder) / "store")
            recording = Recording(store, "c", Existing.REPLACE, 1)
            recording.put(self.recorded.exchanges)
            if recording.finish(RULES):
                document = read(file.getvalue(), "c.json")
                shared = MemoryCassette(document.name, document.exchanges, RULES)
                one, *others = (self._bytes(each) for each in (cassette, store.open("c", RULES), shared))
                assert others == [one, one]
            store.close()

    def _bytes(self, cassette: Cassette) -> list[Response]:
        client = self._client(engine_of(cassette, stands=True), "one", {})
        for step in self.recorded.steps:
            if client.can_ask(step):
                client.ask(step)
        return client.responses


Scenarios.TestCase.settings = settings(max_examples=many(25), stateful_step_count=20)
TestScenarios = Scenarios.TestCase
