"""Fetches are keyed by their SIDs alone, and just as if they were taken apart; what may be none is left to that."""

import pytest
from core.programs import PATH
from exchanges import numbered
from strategies import basic

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.credentials.blanking import Blanker, user_of
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, OTHER_CREDENTIALS, Exchange, Headers, RecordedSid, Request, Response
from chatproxy.core.replay.askers import Askers
from chatproxy.core.replay.bindings import Bindings, Choice
from chatproxy.core.replay.fetches import Lanes
from chatproxy.core.replay.player import translated
from chatproxy.core.replay.session import Session

MESSAGE = b"IM" + b"a" * 32
OTHER = b"IM" + b"b" * 32
RULES = Rules()
TARGET = PATH.encode()


def exchange(number: int, target: bytes, body: bytes, user: str | None = None) -> Exchange:
    response = Response(200, b"OK", ((b"Content-Type", b"application/json"),), body)
    at = 1_767_225_600_000_000 + number * 1_000_000
    return numbered(number, Request("GET", target), response, "https://chat.twilio.com", at, at + 1000, user=user)


def session(rules: Rules = RULES, user: str | None = None) -> Session:
    """Return a session that was shown the message in a list, as a SID of its own."""
    shown = b'{"messages": [{"sid": "%b"}]}' % MESSAGE
    recorded = [exchange(1, TARGET, shown, user), exchange(2, TARGET + b"/" + MESSAGE, b'{"sid": "%b"}' % MESSAGE)]
    cassette = MemoryCassette("tour", recorded, rules)
    held = Session(cassette, rules, sids=Bindings(cassette, Choice()))
    translated(held, normalize(Request("GET", TARGET), rules), user or NO_CREDENTIALS)
    held.sids.to_live(RecordedSid(MESSAGE))
    return held


def lanes(headers: Headers = ()) -> Lanes:
    return Askers(lambda headers: "default").of(headers).lanes


def secret(password: str) -> Headers:
    return ((b"Authorization", b"Bearer " + password.encode()),)


def test_a_fetch_has_the_key_that_it_has_when_it_is_taken_apart() -> None:
    held, known = session(), lanes()
    live = held.sids.to_live(RecordedSid(MESSAGE))
    assert live != MESSAGE
    for _ in range(2):
        key = known.key(held, TARGET + b"/" + live)
        form = normalize(Request("GET", TARGET + b"/" + live), RULES)
        assert (
            key
            == translated(held, form, NO_CREDENTIALS).form.key
            == normalize(Request("GET", TARGET + b"/" + MESSAGE), RULES).key
        )


def test_a_lane_is_of_one_session() -> None:
    first, second, known = session(), session(), lanes()
    live = first.sids.to_live(RecordedSid(MESSAGE))
    assert known.key(first, TARGET + b"/" + live) == known.key(
        second, TARGET + b"/" + second.sids.to_live(RecordedSid(MESSAGE))
    )


@pytest.mark.parametrize(
    "target",
    [
        TARGET,
        TARGET + b"?PageSize=50",
        TARGET + b"/" + OTHER,
        b"/v2" + TARGET[3:] + b"/{live}",
        b"/v1/Services/IS" + b"9" * 32 + b"/Things/{live}",
        b"/v1/a%20b/{live}",
        b"/v1/a?b/{live}",
        b"/v1/\xff/{live}",
    ],
)
def test_what_may_be_no_fetch_has_no_key_here(target: bytes) -> None:
    held = session()
    assert lanes().key(held, target.replace(b"{live}", held.sids.to_live(RecordedSid(MESSAGE)))) is None


def test_rules_that_look_at_more_leave_no_lane() -> None:
    rules = Rules(match_headers=("accept",))
    held = session(rules)
    assert lanes().key(held, TARGET + b"/" + held.sids.to_live(RecordedSid(MESSAGE))) is None


def test_there_is_no_lane_until_the_account_is_bound() -> None:
    account = "AC" + "c" * 32
    cassette = session(user=account).cassette
    assert cassette.account == account.encode()
    held = Session(cassette, RULES, sids=Bindings(cassette, Choice()))
    live = held.sids.to_live(RecordedSid(MESSAGE))
    known = lanes((basic(b"AC" + b"d" * 32, b"x"),))
    assert known.key(held, b"/v1/Things/" + live) is None
    translated(held, normalize(Request("GET", TARGET), RULES), "AC" + "d" * 32)
    assert known.key(held, b"/v1/Things/" + live) is not None


def test_a_secret_in_the_path_leaves_no_lane() -> None:
    held = session()
    live = held.sids.to_live(RecordedSid(MESSAGE))
    for password in (live.decode()[:20], "a/secret/with/slashes", "Services/" + TARGET.decode()[13:30]):
        known = Lanes(Blanker(secret(password)))
        assert known.key(held, TARGET + b"/" + live) is None
    assert Lanes(Blanker(secret("things-of-no-account"))).key(held, b"/v1/Things/" + live) is not None
    assert Lanes(Blanker(secret("things-of-no-account"))).key(held, b"/v1/things-of-no-account/" + live) is None


def test_so_many_paths_are_remembered_and_no_more() -> None:
    held, known = session(), lanes()
    live = held.sids.to_live(RecordedSid(MESSAGE))
    keys = [known.key(held, b"/v1/Things%d/%b" % (nth, live)) for nth in range(200)]
    assert None not in keys
    assert len(set(keys)) == 200
    assert len(known._known) <= 16


ACCOUNT, KEY = "AC" + "c" * 32, "SK" + "c" * 32


@pytest.mark.parametrize(
    ("recorded", "live", "has_lane"),
    [
        ([None], (), True),
        ([None], (basic(ACCOUNT.encode(), b"x"),), True),
        ([KEY], (basic(KEY.encode(), b"x"),), True),
        ([KEY], secret("x"), True),
        ([KEY], (), False),
        ([NO_CREDENTIALS], (), False),
        ([KEY, OTHER_CREDENTIALS], (basic(KEY.encode(), b"x"),), False),
    ],
)
def test_a_client_has_a_lane_where_all_that_was_recorded_may_answer_it(
    recorded: list[str | None], live: Headers, has_lane: bool
) -> None:
    shown = b'{"messages": [{"sid": "%b"}]}' % MESSAGE
    cassette = MemoryCassette("tour", [exchange(n, TARGET, shown, user) for n, user in enumerate(recorded, 1)], RULES)
    held = Session(cassette, RULES, sids=Bindings(cassette, Choice()))
    translated(held, normalize(Request("GET", TARGET), RULES), user_of(live))
    sid = held.sids.to_live(RecordedSid(MESSAGE))
    assert (lanes(live).key(held, b"/v1/Things/" + sid) is not None) is has_lane


@pytest.mark.parametrize("name", [b"If-None-Match", b"range", b"IF-MODIFIED-SINCE"])
def test_a_fetch_with_a_condition_is_taken_apart(name: bytes) -> None:
    held = session()
    live = held.sids.to_live(RecordedSid(MESSAGE))
    assert lanes(((name, b"x"),)).key(held, TARGET + b"/" + live) is None
    assert lanes(((b"Accept", b"x"),)).key(held, TARGET + b"/" + live) is not None
