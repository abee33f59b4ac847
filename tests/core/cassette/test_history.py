import pytest
from core.recordings import CHANNEL, CHANNELS, MEMBERS, MESSAGES, Given, delete, get, message, post, session, sid, where

from chatproxy.core.cassette.history import Need, before, counting, need_of, remembered, whole
from chatproxy.core.model import ExchangeNumber
from chatproxy.core.timeline.standing import Role, Standing
from chatproxy.core.timeline.states import States, unique_digest

ALICE = post(MEMBERS, b"Identity=alice")
REPLAY = session(
    (post(CHANNELS), 201, sid("CH", 2)),
    post(CHANNEL, b"FriendlyName=x"),
    (post(), 201, sid("IM", 1)),
    post(message(1)),
    (delete(message(1)), 503),
    (ALICE, 201, sid("MB", 1)),
    (post(MEMBERS, b"Identity=bob"), 201, sid("MB", 2)),
    (delete(message(1)), 204),
    get(),
)


@pytest.mark.parametrize(
    ("need", "numbers"),
    [
        (Need("GET", where(MESSAGES)), [1, 3, 4, 5, 8]),
        (Need("GET", where(message(1))), [1, 3, 4, 5, 8]),
        (Need("GET", where(CHANNEL)), [1, 2, 3, 4, 5, 6, 7, 8]),
        (Need("POST", where(MESSAGES)), [1]),
        (Need("POST", where(MEMBERS), unique_digest(where(MEMBERS).place, b"Identity=alice")), [1, 6]),
        (Need("DELETE", where(message(1))), [1, 3, 5, 8]),
        (Need("PUT", where(MESSAGES)), [1]),
    ],
)
def test_the_writes_that_count_are_those_of_the_state_as_one_number(need: Need, numbers: list[int]) -> None:
    found = counting(REPLAY.cassette, need)
    assert list(found) == numbers
    some, all_ = States(), States()
    for write in found.values():
        some.do(write)
    for number in REPLAY.cassette.numbers():
        if (done := REPLAY.cassette.standing(number).done) is not None:
            all_.do(done)
    assert some.needed(*need) == all_.needed(*need)


def test_a_delete_makes_what_was_done_before_and_is_done_after_forgotten() -> None:
    writes = counting(REPLAY.cassette, Need("GET", where(MESSAGES)))
    assert remembered(writes) == {1, 8}
    gone_twice = session((delete(CHANNEL), 204), (delete(message(1)), 204), (delete(CHANNEL), 204))
    assert remembered(counting(gone_twice.cassette, Need("GET", where(CHANNEL)))) == {1}


def test_what_was_done_for_an_exchange_is_told_by_numbers_and_what_differs() -> None:
    writes = counting(REPLAY.cassette, Need("GET", where(MEMBERS)))
    standing = Standing(Role.READ, where(MEMBERS), ())
    assert list(writes) == [1, 6, 7]
    assert before(standing, ExchangeNumber(7), writes) == {1, 6}
    other = standing._replace(with_=(ExchangeNumber(7),), without=(ExchangeNumber(6),))
    assert before(other, ExchangeNumber(6), writes) == {1, 7}


def test_a_refused_create_of_which_no_table_tells_needs_the_collection() -> None:
    refused, made = (Standing(role, where(MEMBERS), ()) for role in (Role.REFUSAL, Role.WRITE))
    assert need_of("POST", refused, 7, by_collection=True) == Need("GET", where(MEMBERS), 7)
    assert need_of("POST", refused, 7, by_collection=False) == Need("POST", where(MEMBERS), 7)
    assert need_of("POST", made, 7, by_collection=True) == Need("POST", where(MEMBERS), 7)


def test_the_whole_has_what_no_session_can_do() -> None:
    doubtful = Given(changes={1: lambda one: one._replace(role=Role.DOUBTFUL, states=())})
    made = (post(), 201, sid("IM", 1))
    found = (whole(session(made, get(), given=one).cassette) for one in (doubtful, None))
    assert len({states.of(where(MESSAGES)) for states in found}) == 1
