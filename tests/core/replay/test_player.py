import json
from collections import Counter
from dataclasses import replace
from typing import Any

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
    play,
    played,
    post,
    recorded,
    session,
    sid,
    where,
)
from core.scenarios import exported
from exchanges import numbered
from fixture.fixtures import read
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, UPSTREAM, basic

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.model import (
    NO_CREDENTIALS,
    NO_EXCHANGE,
    OTHER_CREDENTIALS,
    ExchangeNumber,
    Forward,
    RecordedSid,
    Request,
    Response,
)
from chatproxy.core.record.recorder import Recorder
from chatproxy.core.replay.bindings import Bindings, Owner
from chatproxy.core.replay.bindings import Given as GivenSids
from chatproxy.core.replay.player import decide, play_fetch, play_request
from chatproxy.core.replay.session import Session
from chatproxy.core.timeline.standing import Role, Standing, Step

LIST = get()
A, B = post(body=b"Body=a"), post(body=b"Body=b")
MADE_A, MADE_B = (A, 201, sid("IM", 1)), (B, 201, sid("IM", 2))
FETCH_A, FETCH_B = get(message(1)), get(message(2))
EDIT_A, EDIT_B = post(message(1), b"Body=c"), post(message(2), b"Body=c")
GONE_A, GONE_B = (delete(message(1)), 204), (delete(message(2)), 204)


def as_role(role: Role) -> Given:
    """Let the first exchange have another role; one that is in doubt answers in no state."""
    states: dict[str, Any] = {"states": ()} if role is Role.DOUBTFUL else {}
    return Given(changes={1: lambda one: one._replace(role=role, **states)})


# Reads


def test_law_4_a_read_is_answered_in_an_equal_state() -> None:
    assert played(session(LIST, MADE_A, LIST), LIST, LIST, A, LIST, LIST) == [1, 1, 2, 3, 3]


def test_law_4_reads_of_one_state_come_in_recorded_order_and_the_last_repeats() -> None:
    replay = session(LIST, LIST, MADE_A, LIST, LIST)
    assert played(replay, LIST, LIST, LIST, A, LIST, LIST, LIST) == [1, 2, 2, 3, 4, 5, 5]


def test_law_4_a_read_is_not_answered_in_another_state() -> None:
    assert played(session(LIST, MADE_A), LIST, A, LIST) == [1, 2, None]
    assert played(session(MADE_A, LIST), LIST, A, LIST) == [None, 1, 2]


def test_law_4_the_order_of_writes_makes_no_state() -> None:
    replay = session(MADE_A, MADE_B, EDIT_A, EDIT_B, LIST)
    assert played(replay, B, EDIT_B, A, EDIT_A, LIST) == [2, 4, 1, 3, 5]


def test_law_4_siblings_are_not_touched() -> None:
    assert played(session(MADE_A, MADE_B, FETCH_A, EDIT_B), B, EDIT_B, A, FETCH_A) == [2, 4, 1, 3]
    assert played(session(MADE_A, MADE_B, FETCH_A, GONE_B), A, FETCH_A) == [1, 3]
    assert played(session(MADE_A, FETCH_A, MADE_B), B, A, FETCH_A) == [3, 1, 2]


def test_law_4_updates_touch_the_collection_and_owners_that_show_counts_but_nothing_below() -> None:
    replay = session(get(CHANNEL), MADE_A, get(CHANNEL), get(CHANNELS))
    assert played(replay, get(CHANNEL), A, get(CHANNEL), get(CHANNELS)) == [1, 2, 3, 4]
    assert played(session(get(CHANNEL), MADE_A), A, get(CHANNEL)) == [2, None]
    named = post(CHANNEL, b"FriendlyName=x")
    assert played(session(named, MADE_A, FETCH_A, LIST), A, FETCH_A, LIST, named) == [2, 3, 4, None]


def test_law_4_creates_and_deletes_touch_all_below() -> None:
    gone = (delete(CHANNEL), 204)
    replay = session(MADE_A, FETCH_A, gone, (FETCH_A, 404), (LIST, 404))
    assert played(replay, A, FETCH_A, delete(CHANNEL), FETCH_A, LIST) == [1, 2, 3, 4, 5]
    made = (post(CHANNELS, b"FriendlyName=x"), 201, sid("CH", 2))
    assert played(session(made, LIST), LIST, made[0], LIST) == [None, 1, 2]


def test_law_4_a_delete_makes_what_was_done_there_forgotten() -> None:
    replay = session(MADE_A, EDIT_A, GONE_A, (FETCH_A, 404), LIST)
    assert played(replay, A, GONE_A[0], FETCH_A, LIST) == [1, 3, 4, 5]


def test_law_4_another_collection_disturbs_none() -> None:
    joined = (post(MEMBERS, b"Identity=x"), 201, sid("MB", 1))
    assert played(session(LIST, MADE_A, LIST, joined), joined[0], LIST, A, LIST) == [4, 1, 2, 3]


# Writes


def test_law_4_equal_writes_are_answered_in_recorded_order_once_each() -> None:
    replay = session(MADE_A, MADE_B, (A, 201, sid("IM", 3)))
    assert played(replay, A, A, B, A, B) == [1, 3, 2, None, None]


def test_law_4_an_update_needs_the_state_of_its_place() -> None:
    other = post(message(1), b"Body=d")
    replay = session(MADE_A, EDIT_A, other, EDIT_A)
    assert played(replay, A, other, EDIT_A, other, EDIT_A, EDIT_A) == [1, None, 2, 3, 4, None]


def test_law_4_a_delete_needs_only_that_the_object_lives() -> None:
    assert played(session(MADE_A, EDIT_A, GONE_A), GONE_A[0], A, GONE_A[0]) == [None, 1, 3]
    failed = (EDIT_A, 500)
    assert played(session(MADE_A, failed, GONE_A), A, GONE_A[0]) == [1, None]


def test_law_4_a_create_needs_what_was_done_above_and_to_what_had_its_unique_value() -> None:
    alice, bob = post(MEMBERS, b"Identity=alice"), post(MEMBERS, b"Identity=bob")
    first = MEMBERS + b"/" + sid("MB", 1).encode()
    replay = session(
        (alice, 201, sid("MB", 1)),
        (bob, 201, sid("MB", 2)),
        (delete(first), 204),
        (alice, 201, sid("MB", 3)),
    )
    assert played(replay, bob, alice, alice, delete(first), alice) == [2, 1, None, 3, 4]


def test_law_4_a_refused_write_takes_its_turn_and_repeats_until_a_later_one_is_done() -> None:
    replay = session((A, 429), (A, 429), MADE_A)
    assert played(replay, A, A, A, A) == [1, 2, 3, None]
    assert played(session(MADE_A, (A, 409)), A, A, A) == [1, 2, 2]
    assert played(session((A, 400)), A, A) == [1, 1]
    gone_again = session(MADE_A, GONE_A, (GONE_A[0], 404))
    assert played(gone_again, GONE_A[0], A, GONE_A[0], GONE_A[0], GONE_A[0]) == [None, 1, 2, 3, 3]


def test_law_4_a_refused_write_needs_the_state_that_it_would_need_if_it_were_done() -> None:
    alice = post(MEMBERS, b"Identity=alice")
    other = post(MEMBERS, b"Identity=alice&RoleSid=RL" + b"1" * 32)
    replay = session((alice, 201, sid("MB", 1)), (other, 409))
    assert played(replay, other, alice, other, other) == [None, 1, 2, 2]
    assert played(session(MADE_A, GONE_A, (EDIT_A, 404)), A, EDIT_A, GONE_A[0], EDIT_A) == [1, None, 2, 3]


@pytest.mark.parametrize("status", [400, 409])
def test_law_4_a_refused_create_of_which_no_table_tells_needs_the_state_of_its_collection(status: int) -> None:
    things = CHANNEL + b"/Things"
    one, other = post(things, b"Name=x"), post(things, b"Name=y")
    replay = session((one, 201, sid("XX", 1)), (other, status), (other, 201, sid("XX", 2)))
    assert played(replay, one, other, other, other) == [1, 2, 3, None]
    replay = session((one, 201, sid("XX", 1)), (other, status))
    assert played(replay, other, one, other, other) == [None, 1, 2, 2]


def test_law_4_what_is_in_doubt_or_given_up_never_answers() -> None:
    for role in (Role.DOUBTFUL, Role.ABANDONED):
        assert played(session((A, 201, sid("IM", 1)), MADE_B, given=as_role(role)), A, B) == [None, 2]
    assert played(session(LIST, given=as_role(Role.DOUBTFUL)), LIST) == [None]


def test_law_4_what_asks_for_credentials_answers_in_any_state() -> None:
    exchanges = [
        *recorded((LIST, 401), (A, 401), user=NO_CREDENTIALS),
        *(one for one in recorded(LIST, LIST, MADE_A, LIST, user="AC" + "1" * 32) if one.number > 2),
    ]
    replay = Session(MemoryCassette("tour", exchanges, RULES), RULES)

    def asked(request: Request, user: str) -> int | None:
        return play_request(replay, request, user).number

    account = "AC" + "1" * 32
    assert [asked(LIST, NO_CREDENTIALS), asked(A, account), asked(LIST, NO_CREDENTIALS)] == [1, 3, 1]
    assert [asked(A, NO_CREDENTIALS), asked(A, NO_CREDENTIALS), asked(LIST, account)] == [2, 2, 4]


def test_law_4_a_write_is_done_once_whoever_asks_for_it() -> None:
    first, key = "AC" + "1" * 32, "SK" + "2" * 32
    exchanges = [
        *recorded(MADE_A, user=first),
        *(one for one in recorded(LIST, (A, 201, sid("IM", 2)), user=key) if one.number == 2),
    ]
    replay = Session(MemoryCassette("tour", exchanges, RULES), RULES)
    asked = [play_request(replay, A, user).number for user in (key, key, OTHER_CREDENTIALS, OTHER_CREDENTIALS)]
    assert asked == [2, None, 1, None]


def test_law_4_a_miss_does_nothing() -> None:
    replay = session(MADE_A, LIST, EDIT_A, GONE_A)
    before = replay.state
    assert played(replay, B, EDIT_A, GONE_A[0], LIST, Request("HEAD", MESSAGES)) == [None] * 5
    assert (replay.state, len(replay.progress.done), replay.progress.furthest) == (before, 0, 0)
    assert played(replay, A, LIST) == [1, 2]


def test_law_4_a_write_that_a_session_skips_is_not_done() -> None:
    assert played(session(MADE_A, MADE_B, LIST), B, LIST) == [2, None]


# Reads that are to be answered as recorded


def test_law_4_a_session_may_be_answered_as_recorded_where_it_has_skipped_what_was_done() -> None:
    replay = session(MADE_A, MADE_B, LIST, LIST, skips=True)
    assert played(replay, LIST) == [None]
    (made, first, second) = (play(replay, request) for request in (B, LIST, LIST))
    assert (made.number, made.skipped) == (2, ())
    assert (first.number, first.skipped, first.repeats) == (3, (1,), False)
    assert (second.number, second.skipped, second.repeats) == (4, (1,), False)
    assert played(replay, LIST, A, LIST) == [4, 1, 4]


def test_law_4_only_reads_are_answered_past_what_was_skipped_and_only_that() -> None:
    skipping = session(MADE_A, EDIT_A, MADE_B, post(message(1), b"Body=e"), FETCH_A, LIST, skips=True)
    assert played(skipping, A, B, post(message(1), b"Body=e"), FETCH_A) == [1, 3, None, None]
    ahead = session(MADE_A, LIST, MADE_B, (post(body=b"Body=c"), 201, sid("IM", 3)), skips=True)
    assert played(ahead, B, LIST) == [3, None]
    doubtful = session(MADE_A, MADE_B, LIST, given=as_role(Role.DOUBTFUL), skips=True)
    assert played(doubtful, B, LIST) == [2, None]


# Changes by others


def by_others(*steps: Step, place: bytes = MESSAGES, **at: int) -> Given:
    """Let exchanges stand at or after changes by others, each of them by its number: ``n3=2``."""

    def stepped(step: int) -> Standing:
        return lambda one: one._replace(step=ExchangeNumber(step))  # type: ignore[return-value]

    changes = {int(name[1:]): stepped(step) for name, step in at.items()}
    return Given(changes=changes, given={where(place).place: steps})  # type: ignore[arg-type]


LISTED, FETCHED = where(MESSAGES).place, where(message(1)).place


def test_law_6_who_was_shown_a_change_by_others_gets_no_earlier_read_of_it() -> None:
    change = by_others(Step(ExchangeNumber(2), (LISTED, FETCHED)), n2=2)
    recording = (FETCH_A, LIST, FETCH_A, FETCH_B)
    assert played(session(*recording, given=change), FETCH_A, FETCH_A) == [1, 3]
    assert played(session(*recording, given=change), LIST, FETCH_A, FETCH_A) == [2, 3, 3]
    assert played(session(*recording[:2], FETCH_B, given=change), FETCH_A, LIST, FETCH_A, FETCH_B) == [1, 2, None, 3]


def test_law_6_each_change_is_looked_at_once_and_none_that_came_later() -> None:
    first, second = Step(ExchangeNumber(1), (LISTED,)), Step(ExchangeNumber(3), (FETCHED,))
    change = by_others(first, second, n1=1, n3=3, n4=3)
    replay = session(LIST, FETCH_A, LIST, LIST, given=change)
    assert [played(replay, LIST), dict(replay.progress.floors)] == [[1], {LISTED: 1}]
    states = replay.state
    assert played(replay, LIST) == [3]
    assert replay.state is not states
    assert replay.progress.floors == {LISTED: 1, FETCHED: 3}
    states = replay.state
    assert played(replay, FETCH_A, LIST, LIST) == [None, 4, 4]
    assert replay.state is states


def test_law_6_an_answer_past_skipped_writes_is_not_from_before_a_change_that_was_shown() -> None:
    change = by_others(Step(ExchangeNumber(4), (FETCHED,)), n4=4)
    replay = session(MADE_A, FETCH_A, MADE_B, LIST, given=change, skips=True)
    assert played(replay, A, B, LIST, FETCH_A) == [1, 3, 4, None]
    skipped = session(EDIT_A, FETCH_A, MADE_B, LIST, given=change, skips=True)
    assert played(skipped, B, FETCH_A, LIST, FETCH_A) == [3, 2, 4, None]


def test_law_6_sessions_never_disturb_each_other() -> None:
    change = by_others(Step(ExchangeNumber(2), (FETCHED,)), n2=2)
    cassette = MemoryCassette("tour", recorded(FETCH_A, LIST), RULES, learnt=change)
    one, other = Session(cassette, RULES, "one"), Session(cassette, RULES, "other")
    assert [played(one, LIST, FETCH_A), played(other, FETCH_A)] == [[2, None], [1]]


ROOM, ROOM_PATH = sid("CH", 7), CHANNELS + b"/room"
SHOWS_ROOM = json.dumps({"sid": ROOM, "unique_name": "room"}).encode()
_META = {"page": 0, "previous_page_url": None, "next_page_url": None}
LISTS_ROOM = json.dumps({"meta": _META, "channels": [{"sid": ROOM, "unique_name": "room"}]}).encode()
HEAD_ROOM, BY_SID = Request("HEAD", ROOM_PATH), get(CHANNELS + b"/" + ROOM.encode())


@pytest.mark.parametrize(
    "answers",
    [
        [(get(ROOM_PATH), 404, b"{}"), (get(CHANNELS), 200, LISTS_ROOM)],
        [(get(ROOM_PATH), 404, b"{}"), (get(ROOM_PATH), 200, SHOWS_ROOM)],
        [(get(ROOM_PATH + b"/Messages"), 404, b"{}"), (get(CHANNELS), 200, LISTS_ROOM)],
        [(get(ROOM_PATH + b"/Messages"), 404, b"{}"), (get(ROOM_PATH), 200, SHOWS_ROOM)],
        [(BY_SID, 404, b"{}"), (get(CHANNELS), 200, LISTS_ROOM)],
        [(HEAD_ROOM, 404, b""), (HEAD_ROOM, 200, b""), (get(ROOM_PATH), 200, SHOWS_ROOM)],
        [(HEAD_ROOM, 404, b""), (get(ROOM_PATH), 200, SHOWS_ROOM)],
        [(get(CHANNELS), 200, LISTS_ROOM), (get(ROOM_PATH), 404, b"{}")],
        [(BY_SID, 200, SHOWS_ROOM), (get(ROOM_PATH), 404, b"{}")],
    ],
)
def test_law_6_what_was_not_found_and_is_there_later_was_made_by_others(
    answers: list[tuple[Request, int, bytes]],
) -> None:
    exchanges = [
        numbered(number, request, Response(status, b"", (JSON,), body), UPSTREAM, 2 * number, 2 * number)
        for number, (request, status, body) in enumerate(answers, 1)
    ]
    cassette = MemoryCassette("tour", exchanges, RULES)
    document = read(exported(cassette), "tour.json")
    for held in (cassette, MemoryCassette("tour", document.exchanges, RULES, document.declared)):
        numbers = played(fresh_session(held), *(request for request, _, _ in answers), answers[-1][0])
        statuses = [number and held.reply(ExchangeNumber(number)).status for number in numbers]
        assert statuses == [*(status for _, status, _ in answers), answers[-1][1]]
        last, first = answers[-1][0], answers[0][0]
        backwards = played(fresh_session(held), last, first)
        if first != last and first.target != last.target:
            assert backwards[0] is not None
            assert backwards[1] is None


def fresh_session(held: Cassette) -> Session:
    return Session(held, RULES, sids=Bindings(held))


# The rest


def test_a_fetch_by_its_key_is_replayed_as_any_read() -> None:
    replay, key = session(LIST, LIST), normalize(LIST, RULES).key
    found = [play_fetch(replay, key) for _ in range(3)]
    assert [one and one.number for one in found] == [1, 2, 2]
    assert play_fetch(replay, normalize(FETCH_A, RULES).key) is None


def test_what_decides_changes_nothing() -> None:
    replay = session(MADE_A, LIST)
    assert [decide(replay, normalize(A, RULES), NO_CREDENTIALS) for _ in range(2)] == [
        decide(replay, normalize(A, RULES), NO_CREDENTIALS)
    ] * 2
    assert played(replay, A) == [1]


def test_what_was_made_in_another_order_than_recorded_is_said() -> None:
    replay = session(MADE_A, MADE_B, (post(body=b"Body=c"), 201, sid("IM", 3)))
    asked = [play(replay, request) for request in (B, A, post(body=b"Body=c"))]
    assert [(one.number, one.reordered) for one in asked] == [(2, True), (1, True), (3, False)]


@given(st.lists(st.sampled_from([A, B])), st.lists(st.sampled_from([A, B])))
def test_each_answer_is_the_next_one_recorded_for_an_equal_request(made: list[Request], live: list[Request]) -> None:
    numbers = {request: [place for place, one in enumerate(made, 1) if one is request] for request in (A, B)}
    replay, asked = session(*((one, 201, f"IM{place:032x}") for place, one in enumerate(made, 1))), Counter[Request]()
    for request in live:
        (number,) = played(replay, request)
        rest = numbers[request][asked[request] :]
        assert number == (rest[0] if rest else None)
        asked[request] += 1


def test_law_2_a_live_request_is_blanked_before_its_key_is_made() -> None:
    def sent(password: bytes) -> Request:
        return Request("POST", MESSAGES, (FORM, basic(b"me", password)), b"Body=my+token:+" + password)

    recorder = Recorder("a", UPSTREAM)
    exchange = recorder.exchange(Forward(sent(b"recorded-password"), 0, NO_EXCHANGE), Response(201), 1)
    replay = Session(MemoryCassette("a", [exchange], RULES), RULES)
    assert play_request(replay, replay.blanked(sent(b"password-of-today")), "other").number == 1


# Users

ONE, TWO, THREE, KEY = "AC" + "1" * 32, "AC" + "2" * 32, "AC" + "3" * 32, "SK" + "1" * 32


def of_users(*steps: tuple[Request, str | None, int]) -> Session:
    """Replay requests that these users made one after the other, and how each was answered."""
    exchanges = [one for request, user, status in steps for one in recorded((request, status), user=user)]
    numbers = range(1, len(steps) + 1)
    exchanges = [
        replace(one, number=ExchangeNumber(number), asked=2 * number, answered=2 * number + 1)
        for number, one in zip(numbers, exchanges, strict=True)
    ]
    return Session(MemoryCassette("a", exchanges, RULES), RULES)


def asked(replay: Session, *requests: tuple[Request, str]) -> list[int | None]:
    return [play_request(replay, request, user).number for request, user in requests]


def test_what_was_recorded_with_credentials_never_answers_without_nor_the_other_way_round() -> None:
    with_them = of_users((LIST, ONE, 200), (A, ONE, 201))
    assert asked(with_them, (LIST, NO_CREDENTIALS), (A, NO_CREDENTIALS), (LIST, ONE)) == [None, None, 1]
    without = of_users((LIST, NO_CREDENTIALS, 200), (A, NO_CREDENTIALS, 201))
    assert asked(without, (LIST, ONE), (A, KEY), (LIST, NO_CREDENTIALS)) == [None, None, 1]
    assert asked(of_users((LIST, None, 200)), (LIST, NO_CREDENTIALS), (LIST, ONE)) == [1, 1]


def test_a_request_that_was_refused_for_want_of_credentials_is_refused_whatever_was_written_since() -> None:
    refused = [(LIST, NO_CREDENTIALS, 401), (A, NO_CREDENTIALS, 401)]
    replay = of_users((A, ONE, 201), *refused, (LIST, ONE, 200), (B, ONE, 201), (LIST, ONE, 200))
    without = [(LIST, NO_CREDENTIALS), (A, NO_CREDENTIALS)]
    assert asked(replay, *without, *without) == [2, 3, 2, 3]
    assert asked(replay, (A, ONE), *without, (LIST, ONE), (B, ONE), *without, (LIST, ONE)) == [
        *(1, 2, 3, 4),
        *(5, 2, 3, 6),
    ]
    assert replay.progress.furthest == 5


def test_a_refused_write_is_answered_again_with_nothing_done() -> None:
    replay = of_users((A, NO_CREDENTIALS, 401), (A, ONE, 201))
    state = replay.state
    played = [play_request(replay, A, NO_CREDENTIALS) for _ in range(2)]
    assert [(one.number, one.repeats) for one in played] == [(1, True)] * 2
    assert (replay.state, [*replay.progress.done]) == (state, [])
    assert asked(replay, (A, ONE)) == [2]


def of_path(channel: bytes, method: str = "GET") -> Request:
    service = b"0" if channel.isdigit() else b"f"  # as recorded, or of the program that asks again
    return Request(method, b"/v1/Services/IS" + service * 32 + b"/Channels/CH" + channel * 32)


def with_bindings(*recorded: tuple[Request, str | None, int]) -> Session:
    cassette = of_users(*recorded).cassette
    return Session(cassette, RULES, sids=Bindings(cassette))


def test_what_asks_for_credentials_settles_nothing() -> None:
    replay = with_bindings(
        (of_path(b"1", "POST"), ONE, 200),
        (of_path(b"1"), NO_CREDENTIALS, 401),
        (of_path(b"1"), ONE, 200),
    )
    write = (of_path(b"a", "POST"), TWO)
    assert asked(replay, (of_path(b"b"), NO_CREDENTIALS), (of_path(b"a"), NO_CREDENTIALS), write) == [2, 2, 1]
    assert asked(replay, (of_path(b"b"), NO_CREDENTIALS), (of_path(b"b"), TWO), (of_path(b"a"), TWO)) == [2, None, 3]


@given(st.lists(st.sampled_from([b"a", b"b", b"1", b"2"]), max_size=6))
def test_law_2_whatever_is_sent_without_credentials_first_changes_no_answer_to_those_with_them(
    channels: list[bytes],
) -> None:
    recorded = [(of_path(b"1"), NO_CREDENTIALS, 401), (of_path(b"1"), ONE, 200)]
    live = (of_path(b"a"), TWO)
    replay, disturbed = with_bindings(*recorded), with_bindings(*recorded)
    assert None not in asked(disturbed, *((of_path(channel), NO_CREDENTIALS) for channel in channels))
    assert asked(disturbed, live) == asked(replay, live) == [2]


def test_credentials_are_asked_for_on_a_path_with_a_sid_that_another_session_was_given() -> None:
    message, given = b"IM" + b"3" * 32, GivenSids()
    member = Request("GET", MESSAGES + b"/" + message)
    recorded = [
        numbered(1, A, Response(201, b"", (), message), UPSTREAM, 1, 1, 0, ONE),
        numbered(2, member, Response(401), UPSTREAM, 2, 2, 1, NO_CREDENTIALS),
        numbered(3, member, Response(200), UPSTREAM, 3, 3, 1, ONE),
    ]
    cassette = MemoryCassette("a", recorded, RULES)
    first, other = (
        Session(cassette, RULES, name, sids=Bindings(cassette, None, Owner(name), given)) for name in ("first", "other")
    )
    live = Request("GET", member.target.replace(message, first.sids.to_live(RecordedSid(message))))
    refused = play_request(other, live, NO_CREDENTIALS)
    assert (refused.number, refused.refusal, refused.form) == (2, None, normalize(live, RULES))
    assert (play_request(other, live, ONE).number, play_request(other, live, ONE).elsewhere) == (None, "first")
    assert asked(first, (live, NO_CREDENTIALS), (A, ONE), (live, NO_CREDENTIALS), (live, ONE)) == [2, 1, 2, 3]


def test_several_requests_for_credentials_of_one_shape_come_in_recorded_order_and_the_last_one_repeats() -> None:
    replay = of_users(*((of_path(channel), NO_CREDENTIALS, 401) for channel in (b"1", b"2")))
    first, *others = (play_request(replay, of_path(channel), NO_CREDENTIALS) for channel in (b"2", b"1", b"3"))
    assert (first.number, first.repeats) == (1, False)
    assert [(one.number, one.repeats) for one in others] == [(2, True)] * 2
    assert asked(replay, (Request("GET", MESSAGES), NO_CREDENTIALS), (of_path(b"1"), ONE)) == [None, None]


def test_credentials_are_asked_for_also_where_a_write_at_the_upstream_has_changed_what_is_asked_for() -> None:
    replay = of_users((LIST, NO_CREDENTIALS, 401), (LIST, ONE, 200))
    replay.live.write(normalize(A, RULES))
    assert asked(replay, (LIST, NO_CREDENTIALS), (LIST, ONE)) == [1, None]


def test_an_account_that_was_only_refused_is_refused_again_and_a_made_up_one_replays_what_the_other_recorded() -> None:
    recorded = [(LIST, TWO, 401), (LIST, ONE, 200), (A, ONE, 201)]
    assert asked(with_bindings(*recorded), (LIST, TWO), (LIST, THREE), (A, THREE)) == [1, 2, 3]
    assert asked(with_bindings(*recorded), (LIST, ONE), (LIST, TWO), (A, ONE)) == [2, 1, 3]
    several = [(FETCH_A, KEY, 200), *recorded]
    assert asked(with_bindings(*several), (LIST, TWO), (LIST, THREE), (FETCH_A, KEY)) == [2, 3, 1]


@pytest.mark.parametrize("user", [OTHER_CREDENTIALS, KEY])
def test_who_was_only_refused_uses_up_nothing_of_who_recorded_nor_the_other_way_round(user: str) -> None:
    replay = of_users((A, user, 401), (A, ONE, 201))
    assert asked(replay, (A, THREE), (A, user)) == [2, 1]
    again = of_users((A, user, 401), (A, ONE, 201))
    assert asked(again, (A, user), (A, ONE)) == [1, 2]


def test_each_user_gets_its_own_answers_in_recorded_order() -> None:
    replay = of_users((LIST, ONE, 200), (LIST, KEY, 200), (LIST, ONE, 200), (LIST, KEY, 200))
    assert asked(replay, (LIST, KEY), (LIST, ONE), (LIST, KEY), (LIST, ONE), (LIST, ONE)) == [2, 1, 4, 3, 3]
    assert asked(replay, (LIST, OTHER_CREDENTIALS), (LIST, TWO)) == [1, 1]


def test_one_of_several_accounts_is_never_given_what_another_was() -> None:
    replay = of_users((LIST, ONE, 200), (FETCH_A, TWO, 200))
    assert asked(replay, (LIST, TWO), (FETCH_A, ONE), (LIST, ONE), (FETCH_A, TWO)) == [None, None, 1, 2]
    assert asked(replay, (LIST, THREE), (FETCH_A, THREE), (LIST, KEY)) == [1, None, 1]


def test_a_write_that_answered_one_user_answers_no_other() -> None:
    replay = of_users((A, ONE, 201), (A, KEY, 201))
    assert asked(replay, (A, OTHER_CREDENTIALS), (A, ONE)) == [1, None]
    assert asked(replay, (A, OTHER_CREDENTIALS), (A, KEY)) == [2, None]
    again = of_users((A, ONE, 201), (A, KEY, 201))
    assert asked(again, (A, KEY), (A, OTHER_CREDENTIALS), (A, OTHER_CREDENTIALS)) == [2, 1, None]


_users = [ONE, TWO, KEY, OTHER_CREDENTIALS, NO_CREDENTIALS]


@given(
    st.lists(st.tuples(st.sampled_from([A, B]), st.sampled_from([None, *_users]), st.just(201)), max_size=8),
    st.lists(st.tuples(st.sampled_from([A, B]), st.sampled_from(_users)), max_size=12),
)
def test_law_every_write_is_replayed_once_whoever_asks(
    recorded: list[tuple[Request, str | None, int]], live: list[tuple[Request, str]]
) -> None:
    replay = of_users(*recorded)
    found = [number for number in asked(replay, *live) if number is not None]
    assert len({*found}) == len(found)


@given(st.lists(st.tuples(st.sampled_from([A, B, LIST]), st.sampled_from(_users), st.just(200)), max_size=8))
def test_law_those_who_recorded_are_answered_as_they_were(recorded: list[tuple[Request, str | None, int]]) -> None:
    replay = of_users(*recorded)
    live = [(request, user or "") for request, user, _ in recorded]
    assert asked(replay, *live) == list(range(1, len(recorded) + 1))


def test_what_was_played_tells_who_asked() -> None:
    replay = of_users((LIST, ONE, 200))
    assert [play_request(replay, LIST, user).user for user in (ONE, NO_CREDENTIALS)] == [ONE, NO_CREDENTIALS]
