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
from chatproxy.core.model import Exchange, Request, Response
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
    changed.wrote(CHANNELS, made(post(CHANNELS), "CH", 2))
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
    need = session.live.need(normalize(request_, RULES))
    for number in (0, 1, 2):
        if number:
            session.progress.do(number, session.cassette.standing(number))  # type: ignore[arg-type]
        done = set(range(1, number + 1))
        assert session.live.may_go(need, session.progress.states) == (needs <= done)


def test_law_1_what_no_session_can_do_lies_behind_the_upstream_too() -> None:
    doubtful = Given(changes={1: lambda one: one._replace(role=Role.DOUBTFUL, states=())})
    session = Session(MemoryCassette("tour", recorded(A), RULES, learnt=doubtful), RULES)
    assert not session.live.may_go(session.live.need(normalize(get(), RULES)), session.progress.states)


def test_law_1_a_create_needs_what_was_done_to_what_had_its_unique_value() -> None:
    recording = recorded((post(MEMBERS, b"Identity=alice"), 201, sid("MB", 1)))
    session = Session(MemoryCassette("tour", recording, RULES), RULES)
    alice, bob = (
        session.live.need(normalize(Request("POST", MEMBERS, (FORM,), b"Identity=" + who + b"&RoleSid=RL1"), RULES))
        for who in (b"alice", b"bob")
    )
    assert [session.live.may_go(need, session.progress.states) for need in (alice, bob)] == [False, True]
