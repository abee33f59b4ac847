from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.time.timestamps import SECOND
from chatproxy.core.time.upstream_clock import UpstreamClock

NOW = 1_000 * SECOND


def test_clocks_of_which_nothing_was_seen_are_one() -> None:
    assert UpstreamClock().ahead == 0


def test_clocks_are_one_where_nothing_says_otherwise() -> None:
    clock = UpstreamClock()
    clock.created(NOW, NOW + 300_000, NOW + 400_000)
    clock.dated(NOW + SECOND, NOW + 900_000, NOW + SECOND)
    assert clock.ahead == 0


def test_creates_count_before_dates() -> None:
    clock = UpstreamClock()
    clock.dated(NOW + 5 * SECOND, NOW, NOW + 10_000)
    assert clock.ahead == 5 * SECOND - 10_000
    clock.created(NOW + 999_999, NOW + 300_000, NOW + 400_000)
    assert clock.ahead == 0


def test_dates_are_wanted_until_a_create_was_seen() -> None:
    clock = UpstreamClock()
    clock.dated(NOW, NOW, NOW)
    assert clock.wants_dates
    clock.created(NOW, NOW, NOW)
    assert not clock.wants_dates


def test_where_no_distance_fits_half_of_what_was_seen_lies_on_each_side() -> None:
    clock = UpstreamClock()
    for second in (-3600, 7, 7):
        clock.created(NOW + second * SECOND, NOW, NOW)
    assert clock.ahead == 7_500_000


@given(
    st.integers(-100 * SECOND, 100 * SECOND),
    st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 10**6)), min_size=1),
)
def test_law_7_the_distance_found_fits_all_that_was_seen(ahead: int, requests: list[tuple[int, int]]) -> None:
    clock = UpstreamClock()
    seen = [((NOW + asked + took // 2 + ahead), NOW + asked, NOW + asked + took) for asked, took in requests]
    for moment, asked, answered in seen:
        clock.created(moment, asked, answered)
    for moment, asked, answered in seen:
        second = moment // SECOND * SECOND
        assert asked + clock.ahead <= second + SECOND
        assert answered + clock.ahead >= second
    assert abs(clock.ahead) <= abs(ahead)


def test_of_many_seconds_that_fit_no_distance_the_first_count() -> None:
    clock = UpstreamClock()
    for second in range(3000):
        clock.created(NOW + second * SECOND, NOW, NOW)
    assert clock.ahead == 500 * SECOND + SECOND // 2
