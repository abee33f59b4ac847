from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.model import NO_EXCHANGE, ExchangeNumber
from chatproxy.core.time.session_clock import Instant, SessionClock
from chatproxy.core.time.timestamps import SECOND

RECORDED = 1_000 * SECOND
BEGIN = 5_000 * SECOND + 300_000
ONE, OTHER = 1, 2


def clock(*, stands: bool = False) -> SessionClock:
    return SessionClock(BEGIN, RECORDED, stands=stands)


def test_law_7_an_instant_is_served_as_the_second_in_which_its_write_was_replayed() -> None:
    session = clock()
    session.wrote(Instant(RECORDED + 3 * SECOND, ExchangeNumber(1), ONE), BEGIN + 7_900_000, opens=True)
    assert session.served(RECORDED + 2 * SECOND, ExchangeNumber(1), ONE) == 5_008 * SECOND
    session.now(BEGIN + 60 * SECOND)
    assert session.served(RECORDED + 2 * SECOND, ExchangeNumber(1), ONE) == 5_008 * SECOND


def test_law_7_what_is_older_than_the_recording_keeps_its_distance_to_the_begin() -> None:
    assert clock().served(RECORDED - 90 * SECOND, NO_EXCHANGE, ONE) == BEGIN - 90 * SECOND


def test_law_7_what_has_no_cause_takes_the_moment_of_the_write_before_it_in_its_timeline() -> None:
    session = clock()
    session.wrote(Instant(RECORDED + 2 * SECOND, ExchangeNumber(1), ONE), BEGIN + 10 * SECOND, opens=True)
    session.wrote(Instant(RECORDED + 8 * SECOND, ExchangeNumber(2), ONE), BEGIN + 20 * SECOND, opens=True)
    session.wrote(Instant(RECORDED + 3 * SECOND, ExchangeNumber(3), OTHER), BEGIN + 30 * SECOND, opens=True)
    assert session.served(RECORDED + 2 * SECOND, NO_EXCHANGE, ONE) == 5_010 * SECOND
    assert session.served(RECORDED + 5 * SECOND, NO_EXCHANGE, ONE) == 5_010 * SECOND
    assert session.served(RECORDED + 9 * SECOND, NO_EXCHANGE, ONE) == 5_020 * SECOND
    assert session.served(RECORDED + SECOND, NO_EXCHANGE, ONE) == 5_000 * SECOND


def test_law_7_what_was_assumed_stays_until_its_write_is_replayed() -> None:
    session = clock()
    instant = Instant(RECORDED + 5 * SECOND, ExchangeNumber(2), ONE)
    assert session.served(*instant) == 5_000 * SECOND
    session.wrote(Instant(RECORDED + SECOND, ExchangeNumber(1), ONE), BEGIN + 10 * SECOND, opens=True)
    assert session.served(*instant) == 5_000 * SECOND
    session.wrote(Instant(RECORDED + 5 * SECOND, ExchangeNumber(2), ONE), BEGIN + 20 * SECOND, opens=True)
    assert session.served(*instant) == 5_020 * SECOND


def test_law_7_a_clock_that_begins_at_a_given_time_moves_by_a_second_for_each_write_that_opens_an_epoch() -> None:
    session = clock(stands=True)
    assert session.now(10**18) == BEGIN
    session.wrote(Instant(RECORDED, ExchangeNumber(1), ONE), 10**18, opens=True)
    assert session.now(10**18) == BEGIN + SECOND
    session.wrote(Instant(RECORDED, ExchangeNumber(2), ONE), 10**18, opens=False)
    assert session.now(10**18) == BEGIN + SECOND
    assert session.served(RECORDED, ExchangeNumber(2), ONE) == 5_001 * SECOND


_moments = st.integers(-100, 100).map(lambda seconds: seconds * SECOND // 2)


@given(st.lists(st.tuples(_moments, st.booleans()), max_size=20), st.lists(_moments, max_size=20))
def test_law_7_time_never_runs_backwards_and_nothing_lies_in_the_future(
    writes: list[tuple[int, bool]], reads: list[int]
) -> None:
    session = clock()
    last = BEGIN
    for number, (moment, opens) in enumerate(writes, 1):
        session.wrote(Instant(RECORDED + number * SECOND, ExchangeNumber(number), ONE), BEGIN + moment, opens=opens)
        assert session.now(BEGIN + moment) >= last
        last = session.now(BEGIN + moment)
    for number, moment in enumerate(reads):
        assert session.served(RECORDED + moment, ExchangeNumber(number % 5), ONE) <= last


@given(st.lists(_moments, max_size=20))
def test_law_7_order_is_kept_weakly_while_writes_come_in_recorded_order(pauses: list[int]) -> None:
    session = clock()
    now = BEGIN
    instants = [
        Instant(RECORDED + number * SECOND, ExchangeNumber(number), ONE) for number in range(1, len(pauses) + 1)
    ]
    for instant, pause in zip(instants, pauses, strict=True):
        now += pause
        session.wrote(instant, now, opens=True)
    served = [session.served(*instant) for instant in instants]
    assert served == sorted(served)
