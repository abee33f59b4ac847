from strategies import MESSAGES

from chatproxy.core.cassette import MemoryCassette
from chatproxy.core.model import Request
from chatproxy.core.normalize import Rules, normalize
from chatproxy.core.session import Session


def test_a_session_begins_with_nothing_answered_or_written() -> None:
    rules = Rules()
    cassette = MemoryCassette("a", [], rules)
    session = Session(cassette, rules)
    assert (session.cassette, session.rules, session.answered, session.last_write) == (cassette, rules, {}, 0)
    assert normalize(Request("GET", MESSAGES), rules) not in session.live


def test_sessions_of_one_cassette_share_no_state() -> None:
    rules = Rules()
    cassette = MemoryCassette("a", [], rules)
    one, other = Session(cassette, rules), Session(cassette, rules)
    one.answered[b"key"] = 1
    one.last_write = 1
    one.live.write(normalize(Request("POST", MESSAGES), rules))
    assert (other.answered, other.last_write) == ({}, 0)
    assert normalize(Request("GET", MESSAGES), rules) not in other.live
