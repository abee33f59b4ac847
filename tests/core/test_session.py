from dataclasses import replace

from core.programs import BEGIN, Program, programs
from hypothesis import given
from strategies import MESSAGES, basic

from chatproxy.core.cassette import MemoryCassette
from chatproxy.core.causes import answered_at, date_fields
from chatproxy.core.clock import SessionClock
from chatproxy.core.engine import Engine
from chatproxy.core.model import Exchange, Request, Response
from chatproxy.core.normalize import Rules, normalize
from chatproxy.core.scrub import BLANK
from chatproxy.core.session import Session
from chatproxy.core.sessions import Sessions
from chatproxy.core.timestamps import SECOND


def test_a_session_begins_with_nothing_answered_or_written() -> None:
    rules = Rules()
    cassette = MemoryCassette("a", [], rules)
    session = Session(cassette, rules)
    assert (session.cassette, session.rules, session.answered) == (cassette, rules, {})
    assert session.writes.of(MESSAGES) == 0
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
    one.answered[b"key"] = 1
    one.writes.write(MESSAGES, 1)
    one.live.write(normalize(Request("POST", MESSAGES), rules))
    assert (other.answered, other.writes.of(MESSAGES)) == ({}, 0)
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


def begun(program: Program) -> int:
    return MemoryCassette("c", program.exchanges, Rules()).begun


@given(programs)
def test_law_7_an_instant_is_served_as_the_second_in_which_its_write_was_replayed(program: Program) -> None:
    replay = Replay(program, SessionClock(LATER, begun(program)))
    seconds: dict[int, int] = {}
    for exchange in program.exchanges:
        replay.now += 3_700_000
        seconds[exchange.number] = replay.now // SECOND * SECOND
        served = replay.ask(exchange)
        truth = program.truth[exchange.number]
        assert {(field.sid.decode(), field.name.decode()): field.value.moment for field in date_fields(served)} == {
            place: seconds[cause] for place, cause in truth.items() if cause
        }
        assert answered_at(served) == seconds[exchange.number]


@given(programs)
def test_law_7_a_recorded_clock_leaves_every_byte_as_recorded(program: Program) -> None:
    replay = Replay(program, None)
    for exchange in program.exchanges:
        served = replay.ask(exchange).response
        assert served.body == exchange.response.body
        assert served.headers[: len(exchange.response.headers)] == exchange.response.headers


@given(programs)
def test_law_7_a_clock_that_begins_at_a_time_gives_the_same_bytes_whenever_it_runs(program: Program) -> None:
    one, other = (Replay(program, SessionClock(BEGIN, begun(program), stands=True)) for _ in range(2))
    for exchange in program.exchanges:
        other.now += 7_777_777
        assert one.ask(exchange) == other.ask(exchange)
