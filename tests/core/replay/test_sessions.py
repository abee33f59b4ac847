import pytest
from strategies import MESSAGES, basic

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import RequestError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Headers, Request
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import Sessions

ACCOUNT = b"AC" + b"a" * 32
KEY = b"SK" + b"a" * 32
RULES = Rules()


def begin(name: str, restarts: int) -> Session:
    return Session(MemoryCassette("tour", [], RULES), RULES, name, restarts)


def request(*headers: tuple[bytes, bytes]) -> Request:
    return Request("GET", MESSAGES, headers)


def named(name: bytes) -> Request:
    return request((b"X-Chatproxy-Session", name))


def names(sessions: Sessions) -> list[str]:
    return [session.name for session in sessions]


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ((), "default"),
        (((b"X-Chatproxy-Session", b"My_1.2-x"),), "My_1.2-x"),
        (((b"x-chatproxy-session", b"mine"), basic(ACCOUNT, b"x")), "mine"),
        ((basic(ACCOUNT, b"x"),), ACCOUNT.decode()),
        ((basic(KEY, b"x"),), "default"),
        ((basic(b"me", b"x"),), "default"),
        (((b"Authorization", b"Bearer x"),), "default"),
    ],
)
def test_a_session_is_chosen_by_header_then_by_account_else_it_is_the_default(headers: Headers, name: str) -> None:
    assert Sessions(begin).of(request(*headers), 0).name == name


def test_user_names_can_be_ignored() -> None:
    sessions = Sessions(begin, by_user=False)
    assert sessions.of(request(basic(ACCOUNT, b"x")), 0).name == "default"
    assert sessions.of(named(b"mine"), 0).name == "mine"


def test_a_tie_asks_neither_header_nor_user_name() -> None:
    sessions = Sessions(begin, tied="test-1")
    for one in (named(b"mine"), named(b"no name"), request(basic(ACCOUNT, b"x"))):
        assert sessions.of(one, 0).name == "test-1"


@pytest.mark.parametrize("name", [b"", b"a b", b"a/b", b"\xc3\xbc", b"a" * 101, b"a,b"])
def test_what_is_no_name_is_refused(name: bytes) -> None:
    sessions = Sessions(begin)
    with pytest.raises(RequestError, match="x-chatproxy-session is no name for a session") as caught:
        sessions.of(named(name), 0)
    assert caught.value.status == 400
    assert names(sessions) == []


def test_the_same_name_is_the_same_session_and_another_one_is_not() -> None:
    sessions = Sessions(begin)
    first = sessions.of(named(b"a" * 100), 0)
    assert sessions.of(named(b"a" * 100), 1) is first
    assert sessions.of(named(b"b"), 2) is not first


def test_an_ended_session_begins_anew_and_counts_its_restarts() -> None:
    sessions = Sessions(begin)
    first = sessions.of(named(b"a"), 0)
    assert first.restarts == 0
    assert sessions.end("a")
    assert not sessions.end("a")
    assert not sessions.end("b")
    second = sessions.of(named(b"a"), 1)
    assert second is not first
    assert (second.restarts, sessions.restarts("a"), sessions.restarts("b")) == (1, 1, 0)


def test_all_sessions_can_be_ended() -> None:
    sessions = Sessions(begin)
    sessions.of(named(b"a"), 0)
    sessions.of(named(b"b"), 0)
    sessions.end_all()
    assert names(sessions) == []
    assert [sessions.of(named(name), 0).restarts for name in (b"a", b"b", b"c")] == [1, 1, 0]


def test_beyond_the_bound_the_one_used_longest_ago_is_dropped_and_counted() -> None:
    sessions = Sessions(begin, bound=2)
    for moment, name in enumerate((b"a", b"b", b"a", b"c")):
        sessions.of(named(name), moment)
    assert names(sessions) == ["a", "c"]
    assert sessions.dropped == 1
    assert sessions.of(named(b"b"), 9).restarts == 0


def test_an_idle_session_is_dropped_when_another_is_looked_up() -> None:
    sessions = Sessions(begin, idle=10)
    sessions.of(named(b"a"), 0)
    sessions.of(named(b"b"), 10)
    assert names(sessions) == ["a", "b"]
    sessions.of(named(b"b"), 11)
    assert names(sessions) == ["b"]
    assert sessions.dropped == 1


def test_a_lone_session_waits_as_long_as_its_client_likes() -> None:
    sessions = Sessions(begin, idle=10)
    first = sessions.of(named(b"a"), 0)
    assert sessions.of(named(b"a"), 1000) is first
    assert sessions.dropped == 0


def test_as_many_counts_of_restarts_are_kept_as_sessions() -> None:
    sessions = Sessions(begin, bound=2)
    for name in (b"a", b"b", b"c"):
        sessions.of(named(name), 0)
        sessions.end(name.decode())
    assert [sessions.restarts(name) for name in ("a", "b", "c")] == [0, 1, 1]


def test_law_5_a_session_begun_anew_takes_the_place_of_the_one_of_its_name_and_counts() -> None:
    sessions = Sessions(begin, restart=True)
    first = sessions.of(named(b"mine"), 0)
    anew = sessions.anew(first)
    assert anew is not None
    assert (anew.restarts, list(sessions), sessions.restarts("mine")) == (1, [first], 0)
    sessions.replace(anew, 1)
    assert (list(sessions), sessions.restarts("mine")) == ([anew], 1)
    assert sessions.of(named(b"mine"), 2) is anew


def test_law_5_sessions_do_not_begin_anew_unless_they_are_to() -> None:
    sessions = Sessions(begin)
    assert sessions.anew(sessions.of(named(b"mine"), 0)) is None
