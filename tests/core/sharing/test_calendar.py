from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.sharing.calendar import Calendar, old_seconds
from chatproxy.core.time.instants import Instant
from chatproxy.core.time.stamps import Stamp
from chatproxy.core.time.timestamps import CANONICAL_BEGIN, SECOND, Spelling


@given(st.sets(st.integers(-20_000, 5)))
def test_what_is_older_keeps_its_order_before_the_begin(ranks: set[int]) -> None:
    found = old_seconds(ranks)
    old = sorted(rank for rank in ranks if rank < 0)
    assert found.keys() == set(old)
    assert [found[rank] for rank in old] == sorted(set(found.values()))
    assert all(second < 0 for second in found.values())


def test_what_is_hours_old_keeps_whole_hours() -> None:
    assert old_seconds([-1, -3599, -3600, -7000, -7300, 4]) == {
        -1: -1,
        -3599: -2,
        -3600: -3600,
        -7000: -3601,
        -7300: -7200,
    }


def test_an_instant_is_written_as_its_rank_and_a_moment_that_no_answer_shows_is_not() -> None:
    calendar = Calendar(5)
    assert (calendar.ended, calendar.shows(7)) == (5, False)
    calendar.learn(Stamp(7, Instant(1, 3), Spelling(0)).pack())
    calendar.learn(Stamp(2 * SECOND + 9, Instant(2, -8), Spelling(0)).pack())
    assert (calendar.ended, calendar.shows(7)) == (9, True)
    assert calendar.moment(7) == CANONICAL_BEGIN + 8 * SECOND
    assert calendar.moment(2 * SECOND + 9) == CANONICAL_BEGIN - SECOND + 9
