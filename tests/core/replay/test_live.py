import json

import pytest
from core.recordings import (
    CHANNEL,
    CHANNELS,
    MEMBERS,
    MESSAGES,
    RULES,
    Given,
    delete,
    get,
    message,
    post,
    recorded,
    sid,
)
from exchanges import numbered
from strategies import FORM, JSON, UPSTREAM

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.model import NO_EXCHANGE, Exchange, ExchangeNumber, Forward, Request, Response
from chatproxy.core.replay.live import Live
from chatproxy.core.replay.session import Session
from chatproxy.core.timeline.standing import Role

A, B = (post(body=b"Body=a"), 201, sid("IM", 1)), (post(body=b"Body=b"), 201, sid("IM", 2))


def live(*written: Request) -> Live:
    """Return what is live in a session of an empty cassette that wrote so at the upstream."""
    changed = Live(MemoryCassette("tour", [], RULES))
    for request in written:
        changed.write(normalize(request, RULES))
    return changed


def is_live(changed: Live, request: Request) -> bool:
    return normalize(request, RULES) in changed


def test_before_any_write_nothing_is_live() -> None:
    assert not is_live(live(), get())


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reads_change_nothing(method: str) -> None:
    assert not is_live(live(Request(method, MESSAGES)), get())


def test_law_2_what_a_create_touches_is_live_and_no_sibling() -> None:
    changed = live(post())
    for request in (get(), get(MESSAGES + b"?PageSize=1"), get(CHANNEL), get(CHANNELS), post(CHANNEL)):
        assert is_live(changed, request)
    for request in (get(message(1)), post(message(1)), delete(message(1)), post(), get(MEMBERS), get(MESSAGES + b"x")):
        assert not is_live(changed, request)


def test_law_2_what_an_update_touches_is_live_and_nothing_below() -> None:
    changed = live(post(CHANNEL))
    assert [is_live(changed, request) for request in (get(CHANNEL), delete(CHANNEL), get(CHANNELS))] == [True] * 3
    assert [is_live(changed, request) for request in (get(), get(message(1)), post(), post(CHANNELS))] == [False] * 4


def test_law_2_all_below_what_was_deleted_or_made_is_live() -> None:
    changed = live(delete(CHANNEL))
    assert [is_live(changed, request) for request in (get(), get(message(1)), post(), get(CHANNELS))] == [True] * 4
    changed = live()
    changed.wrote(Forward(post(CHANNELS), 1, NO_EXCHANGE, path=CHANNELS), made(post(CHANNELS), "CH", 2))
    assert [is_live(changed, request) for request in (get(), post(), get(CHANNEL), post(CHANNELS))] == [True] * 3 + [
        False
    ]


def made(request: Request, letters: str, digit: int) -> Exchange:
    body = json.dumps({"sid": sid(letters, digit)}).encode()
    return numbered(9, request, Response(201, b"", (JSON,), body), UPSTREAM, 0, 1)


def test_law_2_a_value_of_a_unique_field_that_was_sent_is_live() -> None:
    changed = live(post(MEMBERS, b"Identity=alice&RoleSid=RL1"))
    assert is_live(changed, post(MEMBERS, b"Identity=alice"))
    assert not is_live(changed, post(MEMBERS, b"Identity=bob"))


def test_law_2_a_channel_is_one_by_its_sid_and_by_its_unique_name() -> None:
    below = (get(CHANNELS + b"/general/Messages/" + sid("IM", 1).encode()), 200)
    exchanges = recorded(below)
    shown = json.dumps({"sid": sid("IM", 1), "channel_sid": sid("CH", 2)}).encode()
    exchanges = [numbered(1, below[0], Response(200, b"", (JSON,), shown), UPSTREAM, 0, 1)]
    changed = Live(MemoryCassette("tour", exchanges, RULES))
    changed.write(normalize(post(CHANNELS + b"/general/Messages"), RULES))
    assert [is_live(changed, request) for request in (get(), get(CHANNELS + b"/general"), get(MEMBERS))] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("request_", "needs"),
    [
        (get(MESSAGES + b"?PageSize=1"), {1, 2}),
        (get(message(1)), {1}),
        (post(message(1), b"Body=c"), {1}),
        (delete(message(1)), {1}),
        (post(body=b"Body=c"), set()),
        (get(CHANNEL), {1, 2}),
        (get(MEMBERS), set()),
    ],
)
def test_law_1_what_is_missing_may_go_to_the_upstream_once_all_that_touches_it_is_done(
    request_: Request, needs: set[int]
) -> None:
    session = Session(MemoryCassette("tour", recorded(A, B), RULES), RULES)
    for number in (0, 1, 2):
        if number:
            session.progress.do(number, session.cassette.standing(number))  # type: ignore[arg-type]
        done = set(range(1, number + 1))
        assert may_go(session, request_) == (needs <= done)


def may_go(session: Session, request: Request) -> bool:
    return session.live.lacking(normalize(request, RULES), session.progress.states) is None


def test_law_1_what_no_session_can_do_lies_behind_the_upstream_too() -> None:
    doubtful = Given(changes={1: lambda one: one._replace(role=Role.DOUBTFUL, states=())})
    session = Session(MemoryCassette("tour", recorded(A), RULES, learnt=doubtful), RULES)
    assert not may_go(session, get())


def form_of(path: bytes, body: bytes) -> Request:
    return Request("POST", path, (FORM,), body)


def test_law_1_a_create_needs_what_was_done_to_what_had_its_unique_value() -> None:
    recording = recorded((post(MEMBERS, b"Identity=alice"), 201, sid("MB", 1)))
    session = Session(MemoryCassette("tour", recording, RULES), RULES)
    assert not may_go(session, form_of(MEMBERS, b"Identity=alice&RoleSid=RL1"))
    assert may_go(session, form_of(MEMBERS, b"Identity=bob&RoleSid=RL1"))


def test_law_1_an_update_needs_what_was_done_to_what_has_the_name_that_it_gives() -> None:
    recording = recorded((form_of(CHANNELS, b"UniqueName=den"), 201, sid("CH", 3)))
    session = Session(MemoryCassette("tour", recording, RULES), RULES)
    assert not may_go(session, form_of(CHANNEL, b"UniqueName=den"))
    assert may_go(session, form_of(CHANNEL, b"UniqueName=other"))
    assert may_go(session, form_of(CHANNEL, b"FriendlyName=den"))


def test_law_4_a_create_where_no_table_says_what_is_unique_needs_all_in_its_collection() -> None:
    things = b"/v1/Services/" + sid("IS", 1).encode() + b"/Things"
    recording = recorded((form_of(things, b"a=1"), 201, sid("TH", 1)))
    session = Session(MemoryCassette("tour", recording, RULES), RULES)
    assert not may_go(session, form_of(things, b"a=2"))
    session.progress.do(ExchangeNumber(1), session.cassette.standing(ExchangeNumber(1)))
    assert may_go(session, form_of(things, b"a=2"))


def test_law_4_what_is_named_by_what_nothing_tells_the_sid_of_may_be_any_member() -> None:
    recording = recorded((get(CHANNELS + b"/den"), 404), (form_of(CHANNELS, b"FriendlyName=x"), 201, sid("CH", 3)))
    session = Session(MemoryCassette("tour", recording, RULES), RULES)
    for path in (CHANNELS + b"/den", CHANNELS + b"/den/Messages"):
        assert not may_go(session, get(path))
    session.progress.do(ExchangeNumber(2), session.cassette.standing(ExchangeNumber(2)))
    for path in (CHANNELS + b"/den", CHANNELS + b"/den/Messages"):
        assert may_go(session, get(path))
    changed = live(form_of(CHANNELS, b"UniqueName=den"))
    assert is_live(changed, get(CHANNELS + b"/den"))
    anywhere = live(form_of(CHANNELS + b"/den/Messages", b"Body=a"))
    assert is_live(anywhere, get(MESSAGES))


def test_law_2_a_name_that_was_given_again_makes_live_what_was_recorded_by_it() -> None:
    body = b'{"sid": "%b", "unique_name": "den 1"}' % sid("CH", 2).encode()
    create = form_of(CHANNELS, b"UniqueName=den+1")
    recording = [numbered(1, create, Response(201, b"", (JSON,), body), UPSTREAM, 0, 1)]
    changed = Live(MemoryCassette("tour", recording, RULES))
    other = form_of(CHANNELS + b"/" + sid("CH", 3).encode(), b"UniqueName=den%201")
    changed.write(normalize(other, RULES))
    assert all(is_live(changed, one) for one in (get(CHANNEL), get(MESSAGES), get(CHANNELS + b"/den%201"), create))


def test_law_2_what_was_done_to_what_had_a_unique_value_makes_live_who_would_have_it() -> None:
    recording = recorded((form_of(CHANNELS, b"UniqueName=den"), 201, sid("CH", 2)))
    changed = Live(MemoryCassette("tour", recording, RULES))
    changed.write(normalize(delete(CHANNEL), RULES))
    assert is_live(changed, form_of(CHANNELS, b"UniqueName=den"))
    assert not is_live(changed, form_of(CHANNELS, b"UniqueName=other"))


def test_law_3_a_rename_that_was_refused_leaves_nothing_live() -> None:
    changed, rename = live(), form_of(CHANNEL, b"UniqueName=den")
    changed.write(normalize(rename, RULES))
    assert is_live(changed, get(MESSAGES))
    forward = Forward(rename, 1, NO_EXCHANGE, path=CHANNEL, unique=b"UniqueName=den")
    changed.wrote(forward, numbered(9, rename, Response(409), UPSTREAM, 0, 1))
    assert not changed.is_any


def test_law_2_what_a_write_changes_in_another_collection_is_live() -> None:
    service = CHANNELS.rpartition(b"/")[0]
    users, invites, role = service + b"/Users", CHANNEL + b"/Invites", sid("RL", 1).encode()
    joined, other = post(MEMBERS, b"Identity=bob"), post(users, b"Identity=alice&RoleSid=" + role)
    bobs = (get(users), get(users + b"/bob"), get(users + b"/bob/Channels"), get(invites), post(invites, b"Identity=z"))
    assert [is_live(live(joined), request) for request in (*bobs, other, post())] == [True] * 5 + [False] * 2
    assert [is_live(live(delete(CHANNEL)), request) for request in (get(users), other)] == [True, False]
    left = live(delete(users + b"/bob"))
    assert [is_live(left, request) for request in (get(MEMBERS), get(CHANNEL), joined, post())] == [True] * 3 + [False]
    gone = live(delete(service + b"/Roles/" + role))
    assert [is_live(gone, request) for request in (other, joined)] == [True, False]


def test_law_2_who_was_deleted_by_name_can_be_made_again() -> None:
    users = CHANNELS.rpartition(b"/")[0] + b"/Users"
    gone = live(delete(users + b"/bob"))
    assert [is_live(gone, post(users, b"Identity=" + name)) for name in (b"bob", b"alice")] == [True, False]
