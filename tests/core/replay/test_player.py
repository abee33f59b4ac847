from collections import Counter

import pytest
from exchanges import numbered
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, MESSAGES, UPSTREAM, basic

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.credentials.blanking import user_of
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import (
    NO_CREDENTIALS,
    NO_EXCHANGE,
    OTHER_CREDENTIALS,
    Exchange,
    ExchangeNumber,
    Forward,
    RecordedSid,
    Request,
    Response,
    is_read,
)
from chatproxy.core.record.recorder import Recorder
from chatproxy.core.replay.bindings import Bindings, Given, Owner
from chatproxy.core.replay.player import Answer, Miss, Why, decide, play_fetch, play_request
from chatproxy.core.replay.session import Session

CREATE = Request("POST", MESSAGES, (FORM,), b"Body=a")
OTHER = Request("POST", MESSAGES, (FORM,), b"Body=b")
LIST = Request("GET", MESSAGES)
RULES = Rules()


def session(*recorded: Request) -> Session:
    exchanges = [numbered(place, request, Response(200), UPSTREAM, 0, 0) for place, request in enumerate(recorded, 1)]
    return Session(MemoryCassette("a", exchanges, RULES), RULES)


def played(replay: Session, *requests: Request) -> list[int | None]:
    return [play_request(replay, replay.blanked(request), user_of(request.headers)).number for request in requests]


def test_equal_requests_are_answered_in_recorded_order() -> None:
    assert played(session(CREATE, OTHER, CREATE), CREATE, CREATE, OTHER) == [1, 3, 2]


def test_a_read_repeats_its_last_answer() -> None:
    assert played(session(LIST, LIST), LIST, LIST, LIST, LIST) == [1, 2, 2, 2]


def test_a_fetch_by_its_key_is_replayed_as_any_read() -> None:
    replay, key = session(LIST, LIST), normalize(LIST, RULES).key
    assert [play_fetch(replay, key) for _ in range(3)] == [
        Answer(ExchangeNumber(1), key + bytes(4)),
        Answer(ExchangeNumber(2)),
        Answer(ExchangeNumber(2)),
    ]
    assert play_fetch(replay, normalize(CREATE, RULES).key) is None


def test_law_4_a_read_after_a_write_since_is_a_miss() -> None:
    assert played(session(LIST, CREATE), LIST, CREATE, LIST) == [1, 2, None]


def test_one_write_more_is_a_miss() -> None:
    assert played(session(CREATE, CREATE), CREATE, CREATE, CREATE, CREATE) == [1, 2, None, None]


def test_what_was_never_recorded_is_a_miss() -> None:
    replay = session(LIST)
    assert played(replay, CREATE, Request("HEAD", MESSAGES)) == [None, None]
    assert replay.answered == {}


def test_the_last_write_is_the_furthest_one_replayed() -> None:
    replay = session(LIST, CREATE, OTHER)
    last_writes = []
    for request in (LIST, OTHER, CREATE, CREATE):
        played(replay, request)
        last_writes.append(replay.writes.of(MESSAGES))
    assert last_writes == [0, 3, 3, 3]


@given(st.lists(st.sampled_from([CREATE, OTHER])), st.lists(st.sampled_from([CREATE, OTHER])))
def test_each_answer_is_the_next_one_recorded_for_an_equal_request(
    recorded: list[Request], live: list[Request]
) -> None:
    numbers = {
        request: [place for place, one in enumerate(recorded, 1) if one is request] for request in (CREATE, OTHER, LIST)
    }
    replay, asked = session(*recorded), Counter[Request]()
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
    assert played(replay, sent(b"password-of-today")) == [1]


MEMBERS = [MESSAGES + b"/IM" + digit * 32 for digit in (b"1", b"2")]
FETCH, FETCH_OTHER = (Request("GET", member) for member in MEMBERS)
UPDATE, UPDATE_OTHER = (Request("POST", member, (FORM,), b"Body=c") for member in MEMBERS)


def in_order(*recorded: Request) -> Session:
    """Replay requests that were recorded one after the other."""
    return of_users(*((request, None, 200) for request in recorded))


def of_users(*recorded: tuple[Request, str | None, int]) -> Session:
    """Replay requests that these users made one after the other, and how each was answered."""
    exchanges: list[Exchange] = []
    for number, (request, user, status) in enumerate(recorded, 1):
        after = next((one.number for one in reversed(exchanges) if not is_read(one.request.method)), 0)
        exchanges.append(numbered(number, request, Response(status), UPSTREAM, number, number, after, user))
    return Session(MemoryCassette("a", exchanges, RULES), RULES)


def test_law_4_a_read_gets_the_answers_of_its_epoch_in_order_and_the_last_one_repeats() -> None:
    replay = in_order(LIST, LIST, CREATE, LIST, LIST)
    assert played(replay, LIST, LIST, LIST, CREATE, LIST, LIST, LIST) == [1, 2, 2, 3, 4, 5, 5]
    assert played(in_order(LIST, LIST, CREATE, LIST), LIST, CREATE, LIST) == [1, 3, 4]


def test_law_4_a_read_with_no_answer_in_its_epoch_gets_the_last_earlier_one_of_an_untouched_member() -> None:
    assert played(in_order(FETCH, FETCH, UPDATE_OTHER), FETCH, UPDATE_OTHER, FETCH) == [1, 3, 2]
    assert played(in_order(FETCH, CREATE), CREATE, FETCH) == [2, 1]


def test_law_4_since_counts_writes_replayed_or_not() -> None:
    replay = in_order(FETCH, UPDATE, CREATE)
    assert played(replay, FETCH, CREATE, FETCH) == [1, 3, None]
    assert replay.skipped == [2]


def test_law_4_writes_that_a_session_skips_count_as_done() -> None:
    assert played(in_order(LIST, CREATE, LIST, OTHER, LIST), OTHER, LIST, CREATE, LIST) == [4, 5, 2, 5]


def test_law_4_a_read_that_comes_too_early_is_a_miss() -> None:
    assert played(in_order(CREATE, LIST), LIST, CREATE, LIST) == [None, 1, 2]


def test_law_4_the_miss_names_the_write() -> None:
    replay = in_order(FETCH, UPDATE, CREATE, LIST)
    early = decide(replay, normalize(LIST, RULES), NO_CREDENTIALS)
    assert early == Miss(Why.EARLY, ExchangeNumber(3))
    played(replay, CREATE)
    assert decide(replay, normalize(FETCH, RULES), NO_CREDENTIALS) == Miss(Why.CHANGED, ExchangeNumber(2))


def test_law_4_a_write_to_the_channel_touches_every_member() -> None:
    channel = Request("POST", MESSAGES.rpartition(b"/")[0], (FORM,), b"FriendlyName=x")
    assert played(in_order(FETCH, channel, LIST), FETCH, channel, FETCH, LIST) == [1, 2, None, 3]


def test_law_6_another_timeline_disturbs_none() -> None:
    elsewhere = Request("POST", MESSAGES.replace(b"CH2", b"CH3"), (FORM,), b"Body=a")
    assert played(in_order(LIST, elsewhere, CREATE, LIST), elsewhere, LIST, CREATE, elsewhere, LIST) == [
        2,
        1,
        3,
        None,
        4,
    ]


# Users

ONE, TWO, THREE, KEY = "AC" + "1" * 32, "AC" + "2" * 32, "AC" + "3" * 32, "SK" + "1" * 32


def asked(replay: Session, *requests: tuple[Request, str]) -> list[int | None]:
    return [play_request(replay, request, user).number for request, user in requests]


def test_what_was_recorded_with_credentials_never_answers_without_nor_the_other_way_round() -> None:
    with_them = of_users((LIST, ONE, 200), (CREATE, ONE, 201))
    assert asked(with_them, (LIST, NO_CREDENTIALS), (CREATE, NO_CREDENTIALS), (LIST, ONE)) == [None, None, 1]
    without = of_users((LIST, NO_CREDENTIALS, 200), (CREATE, NO_CREDENTIALS, 201))
    assert asked(without, (LIST, ONE), (CREATE, KEY), (LIST, NO_CREDENTIALS)) == [None, None, 1]
    assert asked(of_users((LIST, None, 200)), (LIST, NO_CREDENTIALS), (LIST, ONE)) == [1, 1]


def test_a_request_that_was_refused_for_want_of_credentials_is_refused_whatever_was_written_since() -> None:
    refused = [(LIST, NO_CREDENTIALS, 401), (CREATE, NO_CREDENTIALS, 401)]
    replay = of_users((CREATE, ONE, 201), *refused, (LIST, ONE, 200), (OTHER, ONE, 201), (LIST, ONE, 200))
    without = [(LIST, NO_CREDENTIALS), (CREATE, NO_CREDENTIALS)]
    assert asked(replay, *without, *without) == [2, 3, 2, 3]
    assert asked(replay, (CREATE, ONE), *without, (LIST, ONE), (OTHER, ONE), *without, (LIST, ONE)) == [
        *(1, 2, 3, 4),
        *(5, 2, 3, 6),
    ]
    assert (replay.skipped, replay.writes.of(MESSAGES)) == ([], 5)


def test_a_refused_write_is_answered_again_with_nothing_done() -> None:
    replay = of_users((CREATE, NO_CREDENTIALS, 401), (CREATE, ONE, 201))
    state = replay.state
    played = [play_request(replay, CREATE, NO_CREDENTIALS) for _ in range(2)]
    assert [(one.number, one.repeats) for one in played] == [(1, True)] * 2
    assert (replay.state, replay.done, replay.epochs) == (state, set(), {})
    assert decide(replay, normalize(CREATE, RULES), ONE) == Answer(ExchangeNumber(2), replay_key(replay), writes=True)


def of_path(channel: bytes, method: str = "GET") -> Request:
    return Request(method, b"/v1/Services/IS" + b"0" * 32 + b"/Channels/CH" + channel * 32)


def with_bindings(*recorded: tuple[Request, str | None, int]) -> Session:
    cassette = of_users(*recorded).cassette
    return Session(cassette, RULES, sids=Bindings(cassette, RULES))


def test_what_asks_for_credentials_binds_nothing() -> None:
    replay = with_bindings(
        (of_path(b"1", "POST"), ONE, 200),
        (of_path(b"1"), NO_CREDENTIALS, 401),
        (of_path(b"1"), ONE, 200),
        (of_path(b"2"), NO_CREDENTIALS, 401),
        (of_path(b"2"), ONE, 200),
    )
    write = (of_path(b"a", "POST"), TWO)
    found = asked(replay, (of_path(b"b"), NO_CREDENTIALS), (of_path(b"a"), NO_CREDENTIALS), write)
    assert found == [2, 4, 1]
    assert asked(replay, (of_path(b"b"), NO_CREDENTIALS), (of_path(b"b"), TWO), (of_path(b"a"), TWO)) == [4, 5, 3]


@given(st.lists(st.sampled_from([b"a", b"b", b"1", b"2"]), max_size=6))
def test_law_2_whatever_is_sent_without_credentials_first_changes_no_answer_to_those_with_them(
    channels: list[bytes],
) -> None:
    recorded = [
        *((of_path(channel), NO_CREDENTIALS, 401) for channel in (b"1", b"2")),
        *((of_path(channel), ONE, 200) for channel in (b"1", b"2")),
    ]
    live = [(of_path(channel), TWO) for channel in (b"a", b"b")]
    replay, disturbed = with_bindings(*recorded), with_bindings(*recorded)
    assert None not in asked(disturbed, *((of_path(channel), NO_CREDENTIALS) for channel in channels))
    assert asked(disturbed, *live) == asked(replay, *live) == [3, 4]


def test_credentials_are_asked_for_on_a_path_with_a_sid_that_another_session_was_given() -> None:
    message, given = b"IM" + b"3" * 32, Given()
    member = Request("GET", MESSAGES + b"/" + message)
    recorded = [
        numbered(1, CREATE, Response(201, b"", (), message), UPSTREAM, 1, 1, 0, ONE),
        numbered(2, member, Response(401), UPSTREAM, 2, 2, 1, NO_CREDENTIALS),
        numbered(3, member, Response(200), UPSTREAM, 3, 3, 1, ONE),
    ]
    cassette = MemoryCassette("a", recorded, RULES)
    first, other = (
        Session(cassette, RULES, name, sids=Bindings(cassette, RULES, None, Owner(name), given))
        for name in ("first", "other")
    )
    live = Request("GET", member.target.replace(message, first.sids.to_live(RecordedSid(message))))
    refused = play_request(other, live, NO_CREDENTIALS)
    assert (refused.number, refused.refusal, refused.form) == (2, None, normalize(live, RULES))
    assert (play_request(other, live, ONE).number, play_request(other, live, ONE).elsewhere) == (None, "first")
    assert asked(first, (live, NO_CREDENTIALS), (CREATE, ONE), (live, NO_CREDENTIALS), (live, ONE)) == [2, 1, 2, 3]


def test_several_requests_for_credentials_of_one_shape_come_in_recorded_order_and_the_last_one_repeats() -> None:
    replay = of_users(*((of_path(channel), NO_CREDENTIALS, 401) for channel in (b"1", b"2")))
    first, *others = (play_request(replay, of_path(channel), NO_CREDENTIALS) for channel in (b"2", b"1", b"3"))
    assert (first.number, first.repeats) == (1, False)
    assert [(one.number, one.repeats) for one in others] == [(2, True)] * 2
    assert asked(replay, (Request("GET", MESSAGES), NO_CREDENTIALS), (of_path(b"1"), ONE)) == [None, None]


def test_credentials_are_asked_for_also_where_a_write_at_the_upstream_has_changed_what_is_asked_for() -> None:
    replay = of_users((LIST, NO_CREDENTIALS, 401), (LIST, ONE, 200))
    replay.live.write("POST", MESSAGES)
    assert asked(replay, (LIST, NO_CREDENTIALS), (LIST, ONE)) == [1, None]


def test_an_account_that_was_only_refused_is_refused_again_and_a_made_up_one_replays_what_the_other_recorded() -> None:
    recorded = [(LIST, TWO, 401), (LIST, ONE, 200), (CREATE, ONE, 201)]
    assert asked(with_bindings(*recorded), (LIST, TWO), (LIST, THREE), (CREATE, THREE)) == [1, 2, 3]
    assert asked(with_bindings(*recorded), (LIST, ONE), (LIST, TWO), (CREATE, ONE)) == [2, 1, 3]
    several = [(FETCH, KEY, 200), *recorded]
    assert asked(with_bindings(*several), (LIST, TWO), (LIST, THREE), (FETCH, KEY)) == [2, 3, 1]


@pytest.mark.parametrize("user", [OTHER_CREDENTIALS, KEY])
def test_who_was_only_refused_uses_up_nothing_of_who_recorded_nor_the_other_way_round(user: str) -> None:
    replay = of_users((CREATE, user, 401), (CREATE, ONE, 201))
    assert asked(replay, (CREATE, THREE), (CREATE, user)) == [2, 1]
    again = of_users((CREATE, user, 401), (CREATE, ONE, 201))
    assert asked(again, (CREATE, user), (CREATE, ONE)) == [1, 2]


def replay_key(replay: Session) -> bytes:
    """Return the key of a create in the space of all."""
    key = normalize(CREATE, RULES).key
    assert replay.cassette.find(key, 0) is not None
    return key


def test_each_user_gets_its_own_answers_in_recorded_order() -> None:
    replay = of_users((LIST, ONE, 200), (LIST, KEY, 200), (LIST, ONE, 200), (LIST, KEY, 200))
    assert asked(replay, (LIST, KEY), (LIST, ONE), (LIST, KEY), (LIST, ONE), (LIST, ONE)) == [2, 1, 4, 3, 3]
    assert asked(replay, (LIST, OTHER_CREDENTIALS), (LIST, TWO)) == [1, 1]


def test_one_of_several_accounts_is_never_given_what_another_was() -> None:
    replay = of_users((LIST, ONE, 200), (FETCH, TWO, 200))
    assert asked(replay, (LIST, TWO), (FETCH, ONE), (LIST, ONE), (FETCH, TWO)) == [None, None, 1, 2]
    assert asked(replay, (LIST, THREE), (FETCH, THREE), (LIST, KEY)) == [1, None, 1]


def test_a_write_that_answered_one_user_answers_no_other() -> None:
    replay = of_users((CREATE, ONE, 201), (CREATE, KEY, 201))
    assert asked(replay, (CREATE, OTHER_CREDENTIALS), (CREATE, ONE)) == [1, None]
    assert decide(replay, normalize(CREATE, RULES), ONE) == Miss(Why.USED, given=1)
    assert asked(replay, (CREATE, OTHER_CREDENTIALS), (CREATE, KEY)) == [2, None]
    assert decide(replay, normalize(CREATE, RULES), OTHER_CREDENTIALS) == Miss(Why.USED, given=2)
    again = of_users((CREATE, ONE, 201), (CREATE, KEY, 201))
    assert asked(again, (CREATE, KEY), (CREATE, OTHER_CREDENTIALS), (CREATE, OTHER_CREDENTIALS)) == [2, 1, None]


_users = [ONE, TWO, KEY, OTHER_CREDENTIALS, NO_CREDENTIALS]


@given(
    st.lists(st.tuples(st.sampled_from([CREATE, OTHER]), st.sampled_from([None, *_users]), st.just(201)), max_size=8),
    st.lists(st.tuples(st.sampled_from([CREATE, OTHER]), st.sampled_from(_users)), max_size=12),
)
def test_law_every_write_is_replayed_once_whoever_asks(
    recorded: list[tuple[Request, str | None, int]], live: list[tuple[Request, str]]
) -> None:
    replay = of_users(*recorded)
    found = [number for number in asked(replay, *live) if number is not None]
    assert len({*found}) == len(found)


@given(st.lists(st.tuples(st.sampled_from([CREATE, OTHER, LIST]), st.sampled_from(_users), st.just(200)), max_size=8))
def test_law_those_who_recorded_are_answered_as_they_were(recorded: list[tuple[Request, str | None, int]]) -> None:
    replay = of_users(*recorded)
    live = [(request, user or "") for request, user, _ in recorded]
    assert asked(replay, *live) == list(range(1, len(recorded) + 1))


def test_what_was_played_tells_who_asked() -> None:
    replay = of_users((LIST, ONE, 200))
    assert [play_request(replay, LIST, user).user for user in (ONE, NO_CREDENTIALS)] == [ONE, NO_CREDENTIALS]
