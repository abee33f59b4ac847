import json
from dataclasses import replace
from typing import Any

import pytest
from core.programs import BEGIN, PATH, Program, Step, programs, steps
from exchanges import numbered
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, MESSAGES, UPSTREAM, basic

from chatproxy.core.answers.template import as_recorded
from chatproxy.core.cassette.codec import encode_reply
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.credentials.blanking import BLANK
from chatproxy.core.engine import Engine
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_EXCHANGE, Exchange, ExchangeNumber, LiveSid, Request, Response
from chatproxy.core.replay.bindings import Bindings
from chatproxy.core.replay.explain import explain
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import Sessions
from chatproxy.core.scrubbing.pseudonyms import Pseudonyms
from chatproxy.core.scrubbing.rules import Action, LooksAt, Scrub, ScrubRule
from chatproxy.core.time.dates import answered_at, date_fields
from chatproxy.core.time.instants import Instants
from chatproxy.core.time.session_clock import SessionClock
from chatproxy.core.time.timestamps import SECOND


def test_a_session_begins_with_nothing_answered_or_written() -> None:
    rules = Rules()
    cassette = MemoryCassette("a", [], rules)
    session = Session(cassette, rules)
    assert (session.cassette, session.rules, session.skips) == (cassette, rules, False)
    assert (len(session.progress.done), session.progress.given, session.progress.floors) == (0, {}, {})
    assert normalize(Request("GET", MESSAGES), rules) not in session.live


def test_a_session_blanks_the_secrets_of_a_live_request() -> None:
    session = Session(MemoryCassette("a", [], Rules()), Rules())
    request = Request(
        "GET", MESSAGES + b"?a=password-of-today", (basic(b"me", b"password-of-today"),), b"password-of-today"
    )
    blanked = session.blanked(request)
    assert (blanked.target, blanked.body) == (MESSAGES + b"?a=" + BLANK, BLANK)


def test_sessions_of_one_cassette_share_no_state() -> None:
    rules = Rules()
    cassette = MemoryCassette("a", [], rules)
    one, other = Session(cassette, rules), Session(cassette, rules)
    one.progress.given[b"key"] = one.progress.floors[1] = ExchangeNumber(1)
    one.progress.done.add(ExchangeNumber(1))
    one.live.write(normalize(Request("POST", MESSAGES), rules))
    assert (len(other.progress.done), other.progress.given, other.progress.floors) == (0, {}, {})
    assert normalize(Request("GET", MESSAGES), rules) not in other.live


class Replay:
    """A program replayed through an engine, at moments of its own."""

    def __init__(self, program: Program, clock: SessionClock | None) -> None:
        self.now = LATER
        rules = Rules()
        cassette = MemoryCassette("c", program.exchanges, rules)
        sessions = Sessions(lambda name, restarts: Session(cassette, rules, name, restarts, clock))
        self.engine = Engine("https://chat.twilio.com", lambda: self.now, sessions=sessions)

    def ask(self, exchange: Exchange) -> Exchange:
        """Ask a recorded request again, and return the exchange as it is replayed."""
        answer = self.engine.on_request(exchange.request)
        assert isinstance(answer, Response)
        return replace(exchange, response=answer)


LATER = BEGIN + 90 * 86_400 * SECOND + 123_456


@given(programs)
def test_law_7_an_own_instant_is_served_as_the_second_in_which_it_is_served_first(program: Program) -> None:
    replay = Replay(program, SessionClock(LATER))
    instants = Instants()
    for exchange in program.exchanges:
        instants.learn(exchange)
    instants.settle()
    seconds: dict[int, int] = {}
    for exchange in program.exchanges:
        replay.now += 3_700_000
        served = replay.ask(exchange)
        assert answered_at(served) == replay.now // SECOND * SECOND
        for recorded, shown in zip(date_fields(exchange), date_fields(served), strict=True):
            number = instants.of(recorded.known_by, exchange).number
            assert shown.value.moment == seconds.setdefault(number, replay.now // SECOND * SECOND)


@given(programs)
def test_law_7_a_recorded_clock_leaves_every_byte_as_recorded(program: Program) -> None:
    replay = Replay(program, None)
    for exchange in program.exchanges:
        served = replay.ask(exchange).response
        assert served.body == exchange.response.body
        assert served.headers[: len(exchange.response.headers)] == exchange.response.headers


@given(programs)
def test_law_7_a_clock_that_stands_gives_the_same_bytes_whenever_it_runs(program: Program) -> None:
    one, other = (Replay(program, SessionClock(BEGIN, stands=True)) for _ in range(2))
    for exchange in program.exchanges:
        other.now += 7_777_777
        assert one.ask(exchange) == other.ask(exchange)


def test_the_time_of_a_session_is_ahead_where_the_clock_was_set_back() -> None:
    cassette = MemoryCassette("c", [], Rules())
    clock = SessionClock(LATER)
    session, unclocked = Session(cassette, Rules(), clock=clock), Session(cassette, Rules())
    clock.now(LATER + 5)
    assert [session.clock.is_now(LATER + moment) for moment in (4, 5, 6)] == [False, True, True]
    assert unclocked.clock.is_now(0)


# Scrubbing

SALT = "a salt of the team"
MADE = Pseudonyms(SALT)


def named(*rules: tuple[str, str, str | None]) -> Rules:
    """Return rules that replace, or make pseudonyms where there is no text."""
    return Rules(
        scrub=Scrub(
            tuple(
                ScrubRule(LooksAt(looks_at), name, Action.PSEUDONYM if text is None else Action.REPLACE, text or "")
                for looks_at, name, text in rules
            ),
            SALT,
        )
    )


BY_NAME = named(
    *(("parameter", name, None) for name in ("Body", "Attributes")),
    ("field", "body", None),
    ("field", "attributes", None),
)
BY_PATTERN = named(("pattern", "hello|^[ab]x", None), ("pattern", r'["\\\t\n\]{}é世\U0001f600]+', None))


class Client:
    """A client of a replay under these rules."""

    def __init__(self, exchanges: list[Exchange], rules: Rules, *, fresh: bool = False) -> None:
        self.rules = rules
        cassette = self.cassette = MemoryCassette("c", exchanges, rules)

        def begin(name: str, restarts: int) -> Session:
            return Session(cassette, rules, name, restarts, sids=Bindings(cassette) if fresh else None)

        self.sessions = Sessions(begin, restart=True)
        self.engine = Engine(UPSTREAM, lambda: 0, sessions=self.sessions, scrub=rules.scrub)

    def answer(self, request: Request) -> Response:
        answer = self.engine.on_request(request)
        assert isinstance(answer, Response)
        return answer

    def ask(self, request: Request) -> Any:
        answer = self.answer(request)
        assert (b"x-chatproxy-outcome", b"hit") in answer.headers, answer.body
        return json.loads(answer.body) if answer.body else None


@given(steps, st.sampled_from([BY_NAME, BY_PATTERN]), st.sampled_from(["x", ' "\\\n\té世\U0001f600', "{}", '"]']))
def test_a_client_that_sends_what_was_recorded_gets_what_was_recorded(
    steps: list[Step], rules: Rules, suffix: str
) -> None:
    program = Program(suffix=suffix).run(steps)
    client = Client(program.exchanges, rules)
    for exchange in program.exchanges:
        recorded = json.loads(exchange.response.body) if exchange.response.body else None
        assert client.ask(exchange.request) == recorded


@given(steps, st.sampled_from([BY_NAME, BY_PATTERN]))
def test_no_value_that_is_scrubbed_is_in_a_compiled_answer(steps: list[Step], rules: Rules) -> None:
    program = Program(suffix="secret").run(steps)
    rules = replace(
        rules,
        scrub=replace(
            rules.scrub, rules=(*rules.scrub.rules, ScrubRule(LooksAt.PATTERN, "[a-z]*secret[0-9]*", Action.PSEUDONYM))
        ),
    )
    cassette = MemoryCassette("c", program.exchanges, rules)
    assert any(b"secret" in exchange.response.body for exchange in program.exchanges)
    for number in cassette.numbers():
        assert b"secret" not in encode_reply(cassette.reply(number))
        assert b"secret" not in repr(cassette.exchange(number)).encode()
        assert cassette.reply(number).render(as_recorded(UPSTREAM)) == cassette.exchange(number).response


def chat() -> Program:
    """Two persons write, the first one twice."""
    program = Program()
    attributes = json.dumps({"phone": "+15551234567", "n": 42, "who": ["alice@corp.example"]})
    for who, text in (("alice@corp.example", "call +15551234567"), ("bob", "at 5551234"), ("alice@corp.example", "ok")):
        program.call("POST", From=who, Body=text)
    first = json.loads(program.exchanges[0].response.body)["sid"]
    program.call("POST", first, Attributes=attributes)
    program.call("GET")
    program.call("GET", first)
    return program


RULES = named(
    ("parameter", "From", None),
    ("field", "from", None),
    ("field", "last_updated_by", None),
    ("field", "n", None),
    ("pattern", r"\+[0-9]{11}", None),
    ("pattern", r"alice@[a-z.]+", None),
    ("pattern", "[0-9]{7}", "0"),
)


def test_a_client_sees_its_own_values_where_pseudonyms_stand() -> None:
    exchanges = chat().exchanges
    client = Client(exchanges, RULES, fresh=True)
    sids = [client.ask(exchange.request)["sid"] for exchange in exchanges[:3]]
    update = exchanges[3].request
    updated = client.ask(replace(update, target=f"{PATH}/{sids[0]}".encode()))
    listed = client.ask(exchanges[4].request)["messages"]
    assert [one["sid"] for one in listed] == sids
    assert set(sids).isdisjoint({json.loads(one.response.body)["sid"] for one in exchanges[:3]})
    assert [one["from"] for one in listed] == ["alice@corp.example", "bob", "alice@corp.example"]
    assert [one["body"] for one in listed] == ["call +15551234567", "at 0", "ok"]
    assert json.loads(updated["attributes"]) == {"phone": "+15551234567", "n": 42, "who": ["alice@corp.example"]}


def test_a_value_that_the_client_did_not_send_is_served_as_its_pseudonym() -> None:
    reads = [
        replace(one, number=ExchangeNumber(number), after=NO_EXCHANGE)
        for number, one in enumerate(chat().exchanges[4:], 1)
    ]
    client = Client(reads, RULES)
    listed, fetched = client.ask(reads[0].request)["messages"], client.ask(reads[1].request)
    alice, phone = MADE.of_text("alice@corp.example"), MADE.of_text("+15551234567")
    assert [one["from"] for one in listed] == [alice, MADE.of_text("bob"), alice]
    assert listed[0]["body"] == fetched["body"] == f"call {phone}"
    attributes = {"phone": phone, "n": int(MADE.of_number(b"42")), "who": [alice]}
    assert json.loads(fetched["attributes"]) == attributes


def test_a_client_with_another_value_misses_and_neither_value_is_shown() -> None:
    program = chat()
    client = Client(program.exchanges, RULES)
    other = program.exchanges[0].request
    answer = client.answer(
        replace(other, target=other.target + b"?q=%2B15559999999", body=other.body.replace(b"alice", b"carol"))
    )
    assert answer.status == 424
    (entry,) = client.engine.journal.entries()
    shown = answer.body.decode() + json.dumps(entry)
    assert str(entry["target"]).endswith("?q=%2B" + MADE.of_text("+15559999999")[1:])
    assert MADE.of_text("carol@corp.example") in shown
    assert [value for value in ("alice", "carol", "5551234567", "5559999999") if value in shown] == []


def test_explain_shows_the_scrubbed_form() -> None:
    program = chat()
    client = Client(program.exchanges, RULES)
    request = program.exchanges[0].request
    found = explain(client.sessions.of(request, 0), request)
    assert found.number == 1
    assert MADE.of_text("alice@corp.example").encode() in found.form.text
    assert b"alice" not in found.form.text
    assert found.nearest[0].differences == []
    assert found.rules[0] == "the request is scrubbed by 7 rules"


def test_a_session_begun_anew_knows_the_value_that_began_it() -> None:
    made = Program().call("POST", From="alice", Body="a")
    client = Client([made], named(("parameter", "From", None), ("field", "from", None)))
    assert [client.ask(made.request)["from"] for _ in range(3)] == ["alice"] * 3
    assert client.sessions.restarts("default") == 2


def test_a_sid_may_have_a_pseudonym_that_the_client_never_sees() -> None:
    recorded, other = ("US" + digit * 32 for digit in "56")
    program = Program()
    program.call("POST", From=recorded, Body="a")
    program.call("GET")
    rules = named(("parameter", "From", None), ("field", "from", None))
    client = Client(program.exchanges, rules, fresh=True)
    made = client.ask(program.exchanges[0].request)
    assert made["from"] == client.ask(program.exchanges[1].request)["messages"][0]["from"] == recorded
    asked = replace(program.exchanges[0].request, body=f"From={other}&Body=a".encode())
    assert Client(program.exchanges, rules, fresh=True).answer(asked).status == 424
    assert recorded.encode() not in encode_reply(client.cassette.reply(ExchangeNumber(1)))


def test_a_header_may_show_what_the_client_sent() -> None:
    answer = Response(200, b"", ((b"Location", b"https://chat.twilio.com/u/a%20b"), (b"X-Who", b"a b")), b"a b")
    request = Request("GET", MESSAGES + b"?who=a+b", (FORM, (b"X-Who", b"a b")))
    rules = replace(
        named(("parameter", "who", None), ("header", "x-who", None), ("pattern", "a b", None)), match_headers=("X-Who",)
    )
    client = Client([numbered(1, request, answer, UPSTREAM, 1, 1)], rules)
    served = client.answer(replace(request, origin="http://here:1"))
    assert served.headers[:2] == ((b"Location", b"http://here:1/u/a%20b"), (b"X-Who", b"a b"))
    assert served.body == b"a b"
    assert b"a b" not in encode_reply(client.cassette.reply(ExchangeNumber(1)))
    assert client.answer(replace(request, headers=())).status == 424


@pytest.mark.parametrize("sent", ["Body=hello", "Body=bye", ""])
def test_an_ignored_parameter_that_is_scrubbed_is_echoed_as_it_was_sent(sent: str) -> None:
    made = Program().call("POST", Body="hello", From="alice")
    rules = replace(BY_NAME, ignore=frozenset({("", "Body")}))
    client = Client([made], rules)
    shown = client.ask(replace(made.request, body=f"From=alice&{sent}".encode()))["body"]
    assert shown == (sent.removeprefix("Body=") or MADE.of_text("hello"))


def test_without_rules_a_live_request_is_not_scrubbed() -> None:
    session = Session(MemoryCassette("a", [], Rules()), Rules())
    request = Request("GET", MESSAGES, ((b"X-Request-Id", b"1"),))
    assert session.blanked(request) == request


# Users


def of_users(*users: str | None) -> Session:
    request = Request("GET", MESSAGES)
    recorded = [numbered(n, request, Response(200), UPSTREAM, n, n, user=user) for n, user in enumerate(users, 1)]
    cassette = MemoryCassette("a", recorded, Rules())
    return Session(cassette, Rules(), sids=Bindings(cassette))


def test_a_live_user_is_answered_in_the_space_of_the_recorded_one_that_it_stands_for() -> None:
    one, key, live, live_key = "AC" + "1" * 32, "SK" + "1" * 32, "AC" + "2" * 32, "SK" + "2" * 32
    session = of_users(one, key)
    request = normalize(Request("GET", MESSAGES), Rules())
    for user, recorded in ((live, one), (live_key, key)):
        assert session.sids.translation(request, user).refusal is None
        assert session.sids.to_recorded(LiveSid(user.encode())) == recorded.encode()
        assert session.spaces(user) == session.spaces(recorded)


def test_the_recording_begins_with_its_first_exchanges_but_those_that_asked_for_credentials() -> None:
    account = "AC" + "1" * 32
    sent = [
        ("GET", 401, None),
        ("GET", 401, "none"),
        ("GET", 200, account),
        ("POST", 401, "none"),
        ("POST", 201, account),
    ]
    recorded = [
        numbered(n, Request(method, MESSAGES), Response(status), UPSTREAM, n, n, user=user)
        for n, (method, status, user) in enumerate([*sent, *sent], 1)
    ]
    assert Session(MemoryCassette("a", recorded, Rules()), Rules()).opening == (1, 3, 5)
    refused = [replace(recorded[1], number=ExchangeNumber(n)) for n in range(1, 4)]
    assert Session(MemoryCassette("a", refused, Rules()), Rules()).opening == ()


def test_the_spaces_of_so_many_users_are_remembered_and_no_more() -> None:
    session = of_users("AC" + "1" * 32, "SK" + "1" * 32)
    for number in range(2500):
        assert session.spaces(f"SK{number:032x}") == ("SK", "")
    assert len(session._spaces) <= 1000


def test_a_secret_in_a_condition_is_blanked_before_its_key_is_made() -> None:
    session = Session(MemoryCassette("a", [], Rules()), Rules())
    token = b"the-auth-token-of-the-account"
    request = Request("GET", MESSAGES, (basic(b"AC" + b"1" * 32, token), (b"If-None-Match", token)))
    assert session.blanked(request).headers == ((b"If-None-Match", BLANK),)
