from strategies import MESSAGES, basic

from chatproxy.core.cassette import MemoryCassette
from chatproxy.core.model import Request
from chatproxy.core.normalize import Rules, normalize
from chatproxy.core.scrub import BLANK
from chatproxy.core.session import Session


def test_a_session_begins_with_nothing_answered_or_written() -> None:
    rules = Rules()
    cassette = MemoryCassette("a", [], rules)
    session = Session(cassette, rules)
    assert (session.cassette, session.rules, session.answered, session.last_write) == (cassette, rules, {}, 0)
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
    one.last_write = 1
    one.live.write(normalize(Request("POST", MESSAGES), rules))
    assert (other.answered, other.last_write) == ({}, 0)
    assert normalize(Request("GET", MESSAGES), rules) not in other.live
