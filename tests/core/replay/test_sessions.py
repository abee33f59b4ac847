import pytest
from exchanges import numbered
from strategies import MESSAGES, UPSTREAM, basic

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import RequestError
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_EXCHANGE, Forward, Headers, Request, Response
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import OF_KEYS, Sessions

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
        ((basic(KEY, b"x"), (b"x-chatproxy-session", b"mine")), "mine"),
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


# API keys


OTHER = b"AC" + b"b" * 32


def by(user: bytes) -> Request:
    return request(basic(user, b"x"))


def session_of_keys(sessions: Sessions) -> str:
    return sessions.of(by(KEY), 9).name


def test_an_api_key_belongs_to_the_session_of_the_only_account_seen_else_to_the_default() -> None:
    sessions = Sessions(begin)
    assert session_of_keys(sessions) == "default"
    sessions.of(by(ACCOUNT), 0)
    assert session_of_keys(sessions) == ACCOUNT.decode()
    sessions.of(by(OTHER), 1)
    assert session_of_keys(sessions) == "default"
    sessions.end(ACCOUNT.decode())
    assert session_of_keys(sessions) == OTHER.decode()
    sessions.end_all()
    assert session_of_keys(sessions) == "default"


def test_a_session_that_was_named_counts_as_no_account_unless_its_name_is_one() -> None:
    sessions = Sessions(begin)
    for name in (b"mine", b"IM" + b"a" * 32, KEY):
        sessions.of(named(name), 0)
    assert sessions.held(OF_KEYS) is None
    assert session_of_keys(sessions) == "default"
    sessions.of(named(ACCOUNT), 0)
    assert session_of_keys(sessions) == ACCOUNT.decode()


@pytest.mark.parametrize(
    ("headers", "choice"),
    [
        ((basic(KEY, b"x"),), OF_KEYS),
        ((basic(ACCOUNT, b"x"),), ACCOUNT.decode()),
        ((), "default"),
        ((basic(b"me", b"x"),), "default"),
        (((b"x-chatproxy-session", b"mine"), basic(KEY, b"x")), "mine"),
        (((b"x-chatproxy-session", b"*"), basic(KEY, b"x")), None),
    ],
)
def test_what_headers_choose_stays_while_the_session_of_keys_becomes_another(
    headers: Headers, choice: str | None
) -> None:
    sessions = Sessions(begin)
    assert sessions.choice_of(headers) == choice
    assert sessions.name_of(headers) == ("default" if choice == OF_KEYS else choice)
    sessions.of(by(ACCOUNT), 0)
    assert sessions.choice_of(headers) == choice
    assert sessions.name_of(headers) == (ACCOUNT.decode() if choice == OF_KEYS else choice)


def test_the_session_of_keys_is_held_as_the_one_that_it_is_now() -> None:
    sessions = Sessions(begin)
    assert sessions.held(OF_KEYS) is None
    first = sessions.of(by(KEY), 0)
    assert sessions.held(OF_KEYS) is sessions.held("default") is first
    account = sessions.of(by(ACCOUNT), 1)
    assert sessions.held(OF_KEYS) is sessions.held(ACCOUNT.decode()) is account


@pytest.mark.parametrize("by_user", [True, False])
def test_where_user_names_do_not_choose_an_api_key_does_not_either(by_user: bool) -> None:
    sessions = Sessions(begin, by_user=by_user, tied=None if not by_user else "test-1")
    sessions.of(by(ACCOUNT), 0)
    assert session_of_keys(sessions) == ("test-1" if by_user else "default")


def test_no_answer_is_given_again_to_a_key_that_belongs_to_another_session_now() -> None:
    sessions = Sessions(begin)
    default = sessions.of(request(), 0)
    before = default.state
    account = sessions.of(by(ACCOUNT), 1)  # keys belong to it from now on
    assert default.state is not before
    states = default.state, account.state
    other = sessions.of(by(OTHER), 2)  # keys belong to the default again
    assert default.state is not states[0]
    assert account.state is not states[1]
    states = default.state, account.state
    mine = sessions.of(named(b"mine"), 3)
    assert (default.state, account.state) == states
    held = mine.state, other.state
    sessions.end(ACCOUNT.decode())  # keys belong to the other account
    assert default.state is not states[0]
    assert other.state is not held[1]
    assert mine.state is held[0]
    assert states[1].session is None


def test_no_answer_is_given_again_where_an_account_is_dropped_or_begun_anew() -> None:
    sessions = Sessions(begin, bound=2, restart=True)
    account, default = sessions.of(by(ACCOUNT), 0), sessions.of(request(), 1)
    anew = sessions.anew(account)
    assert anew is not None
    sessions.replace(anew, 2)
    assert session_of_keys(sessions) == ACCOUNT.decode()
    state = default.state
    sessions.of(request(), 3)
    sessions.of(named(b"mine"), 4)
    sessions.of(request(), 5)
    assert names(sessions) == ["mine", "default"]
    assert sessions.held(OF_KEYS) is default
    assert default.state is not state


def test_the_sessions_that_a_program_may_have_begun_by_another_user_name_are_all_others() -> None:
    sessions = Sessions(begin)
    one, other = sessions.of(by(ACCOUNT), 0), sessions.of(request(), 1)
    assert list(sessions.others(one)) == [other]
    for alone in (Sessions(begin, by_user=False), Sessions(begin, tied="a")):
        first = alone.of(by(ACCOUNT), 0)
        assert list(alone.others(first)) == list(alone.others(other)) == []


WRITE, READ = normalize(Request("POST", MESSAGES), RULES), normalize(request(), RULES)


def answered(sessions: Sessions, session: Session, life: object, status: int) -> None:
    """Take in what the upstream answered to a session's write."""
    forward = Forward(Request("POST", MESSAGES), 1, NO_EXCHANGE, session.name, MESSAGES, life=life)
    sessions.wrote(forward, numbered(7, forward.request, Response(status), UPSTREAM, 1, 1))


@pytest.mark.parametrize(("status", "is_live"), [(201, True), (401, False), (404, False), (500, True)])
def test_a_write_put_to_the_upstream_has_changed_something_unless_it_was_refused(status: int, is_live: bool) -> None:
    sessions = Sessions(begin)
    session = sessions.of(named(b"mine"), 0)
    sessions.write(session, WRITE)
    assert READ in session.live
    answered(sessions, session, session.life, status)
    assert (READ in session.live) is is_live


def test_a_write_that_was_refused_to_a_session_before_it_began_anew_leaves_what_the_new_one_changed() -> None:
    sessions = Sessions(begin)
    before = sessions.of(named(b"mine"), 0)
    sessions.write(before, WRITE)
    sessions.end("mine")
    session = sessions.of(named(b"mine"), 1)
    sessions.write(session, WRITE)
    assert sessions.is_ahead(session, READ)
    answered(sessions, before, before.life, 401)
    assert READ in session.live
    assert not sessions.is_ahead(session, READ)


def test_what_an_earlier_session_changed_at_the_upstream_is_ahead_of_a_later_one() -> None:
    sessions = Sessions(begin)
    before = sessions.of(named(b"mine"), 0)
    assert not sessions.is_ahead(before, READ)
    sessions.write(before, WRITE)
    assert not sessions.is_ahead(before, READ)
    sessions.end("mine")
    answered(sessions, before, before.life, 201)
    session = sessions.of(named(b"mine"), 1)
    assert sessions.is_ahead(session, READ)
    assert READ not in session.live
    other = Request("GET", MESSAGES.rpartition(b"/")[0] + b"/Members")
    assert not sessions.is_ahead(session, normalize(other, RULES))
