import itertools

from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.time.session_clock import RecordedClock, SessionClock
from chatproxy.core.time.stamps import Packed
from chatproxy.core.time.timestamps import SECOND, Spelled, Spelling, read_instant, spell

BEGIN = 5_000 * SECOND + 300_000
RECORDED = 1_000


def stamp(number: int, rank: int, *, own: bool = False, row: int = 0, digits: int = 0, part: int = 0) -> Packed:
    return (RECORDED + rank) * SECOND + part, number, rank, row, digits, own


def served(clock: SessionClock, moment: int, *stamps: Packed) -> list[int]:
    found = map(read_instant, clock.texts(stamps, moment))
    return [one.moment // SECOND for one in found if one is not None]


def test_law_7_an_own_instant_has_the_sessions_time_and_keeps_it() -> None:
    clock = SessionClock(BEGIN)
    assert served(clock, BEGIN + 7_900_000, stamp(1, 0, own=True)) == [5_008]
    assert served(clock, BEGIN + 60 * SECOND, stamp(1, 0, own=True), stamp(2, 0, own=True)) == [5_008, 5_060]


def test_law_7_an_own_instant_lies_above_each_earlier_one_by_the_difference_of_ranks() -> None:
    clock = SessionClock(BEGIN)
    assert served(clock, BEGIN, stamp(1, 0, own=True)) == [5_000]
    assert served(clock, BEGIN, stamp(2, 3, own=True)) == [5_003]
    assert clock.now(BEGIN) == 5_003 * SECOND
    assert clock.now(BEGIN + 60 * SECOND) == BEGIN + 60 * SECOND


def test_law_7_an_own_instant_that_comes_late_lies_above_all_that_was_served() -> None:
    clock = SessionClock(BEGIN)
    assert served(clock, BEGIN, stamp(2, 4, own=True)) == [5_000]
    assert served(clock, BEGIN, stamp(3, 5)) == [5_001]
    assert served(clock, BEGIN, stamp(1, 1, own=True)) == [5_001]
    assert served(clock, BEGIN, stamp(4, 5, own=True)) == [5_005]


def test_law_7_of_several_instants_of_others_in_one_answer_the_latest_has_the_sessions_time() -> None:
    clock = SessionClock(BEGIN)
    assert served(clock, BEGIN, stamp(1, 0), stamp(2, 1), stamp(3, 1), stamp(4, 7)) == [4_993, 4_994, 4_994, 5_000]


def test_law_7_anothers_instant_has_the_latest_second_of_its_rank() -> None:
    clock = SessionClock(BEGIN)
    served(clock, BEGIN, stamp(1, 2, own=True))
    served(clock, BEGIN + 5 * SECOND, stamp(2, 2, own=True))
    assert served(clock, BEGIN + 9 * SECOND, stamp(3, 2)) == [5_005]


def test_law_7_anothers_instant_is_held_between_its_neighbours() -> None:
    clock = SessionClock(BEGIN)
    served(clock, BEGIN, stamp(1, 1, own=True))
    served(clock, BEGIN + 10 * SECOND, stamp(9, 9, own=True))
    assert served(clock, BEGIN + 20 * SECOND, stamp(5, 5)) == [5_006]
    assert served(clock, BEGIN + 20 * SECOND, stamp(10, 10)) == [5_020]


def test_law_7_what_is_older_than_the_recording_keeps_its_distance_to_the_begin() -> None:
    clock = SessionClock(BEGIN)
    old = stamp(1, -90, digits=3, part=123_000)
    assert clock.texts([old], BEGIN + 60 * SECOND) == [spell(4_910 * SECOND + 123_000, 0, 3)]
    assert clock.texts([stamp(2, 0, digits=3, part=123_000)], BEGIN) == [spell(5_060 * SECOND, 0, 3)]


def test_law_7_a_date_is_the_sessions_time_which_is_never_behind_what_was_served() -> None:
    clock = SessionClock(BEGIN)
    now, later = (0, 0, 0, 1, 0, 0), (0, 0, 30, 1, 0, 0)
    assert clock.moments([now], BEGIN) == (spell(5_000 * SECOND, 1, 0),)
    served(clock, BEGIN, stamp(1, 0, own=True))
    served(clock, BEGIN, stamp(2, 8, own=True))
    assert clock.moments([now, later], BEGIN) == (spell(5_008 * SECOND, 1, 0), spell(5_038 * SECOND, 1, 0))
    assert not clock.is_now(BEGIN)
    assert clock.is_now(BEGIN + 9 * SECOND)


def test_law_7_a_clock_that_stands_moves_only_by_what_is_served() -> None:
    clock = SessionClock(BEGIN, stands=True)
    assert clock.now(10**18) == BEGIN
    assert served(clock, 10**18, stamp(1, 0, own=True), stamp(2, 1, own=True)) == [5_000, 5_000]
    assert served(clock, 10**18, stamp(3, 2, own=True)) == [5_002]
    assert clock.now(10**18) == 5_002 * SECOND
    assert not clock.is_now(10**18)


def test_law_7_shifted_instants_are_the_recorded_ones_and_one_constant() -> None:
    clock = SessionClock(BEGIN, shift=5_000 - RECORDED - 9)
    stamps = [stamp(1, -4, own=False), stamp(2, 3, own=True, digits=6, part=5), stamp(3, 9)]
    texts = [spell(4_987 * SECOND, 0, 0), spell(4_994 * SECOND + 5, 0, 6), spell(5_000 * SECOND, 0, 0)]
    assert clock.texts(stamps[:1], BEGIN) == texts[:1]
    assert clock.texts(stamps, BEGIN + SECOND) == texts
    assert list(clock.recorded(_read(texts[1]))) == [1_003 * SECOND + 5]


def test_a_session_without_a_clock_serves_instants_as_recorded() -> None:
    clock, stamps = RecordedClock(), [stamp(1, -4, digits=6, part=5), stamp(2, 3, own=True)]
    texts = [spell(996 * SECOND + 5, 0, 6), spell(1_003 * SECOND, 0, 0)]
    assert clock.texts(stamps, BEGIN) == texts
    assert clock.moments(stamps, BEGIN) == tuple(texts)
    assert clock.is_now(BEGIN)
    assert list(clock.recorded(_read(texts[1]))) == []


def _read(text: bytes) -> Spelled:
    found = read_instant(text)
    assert found is not None
    return found


def test_law_7_what_was_served_leads_back_to_what_was_recorded() -> None:
    clock = SessionClock(BEGIN)
    clock.texts([stamp(1, -4, part=7), stamp(2, 0, own=True), stamp(3, 0, part=500_000)], BEGIN)
    assert sorted(clock.recorded(_read(spell(BEGIN, 0, 0)))) == [RECORDED * SECOND, RECORDED * SECOND + 500_000]
    assert list(clock.recorded(_read(spell(4_996 * SECOND, 1, 0)))) == [996 * SECOND + 7]
    assert list(clock.recorded(_read(spell(4_997 * SECOND, 0, 0)))) == []
    assert list(clock.recorded(_read(spell(4_996 * SECOND, *Spelling(0, 6))))) == []


class Plain:
    """The same laws, by a look at all that was served."""

    def __init__(self) -> None:
        self.latest = BEGIN // SECOND
        self.served: dict[int, tuple[int, int]] = {}

    def serve(self, stamps: list[Packed], now: int) -> list[int]:
        self.latest = now = max(self.latest, now)
        fresh = {(rank, number, own) for _, number, rank, _, _, own in stamps if number not in self.served}
        for rank, number, own in sorted(fresh, reverse=True):
            self.served[number] = rank, self._second(rank, own, now)
        self.latest = max([now, *(self.served[number][1] for _, number, _ in fresh)])
        return [self.served[one[1]][1] for one in stamps]

    def _second(self, rank: int, own: int, now: int) -> int:
        same = [second for other, second in self.served.values() if other == rank]
        if same and not own:
            return max(same)
        low = max((second + rank - other for other, second in self.served.values() if other < rank), default=now)
        high = min((second - other + rank for other, second in self.served.values() if other > rank), default=None)
        second = max(now, low)
        return second if own or high is None else min(second, high)


_numbers = st.lists(st.integers(1, 40), min_size=1, max_size=8)


@given(st.lists(st.tuples(st.integers(0, 5), _numbers), max_size=12), st.integers(1, 4), st.sets(st.integers(1, 40)))
def test_law_7_each_instant_has_the_second_that_a_look_at_all_served_ones_gives(
    answers: list[tuple[int, list[int]]], per_rank: int, own: set[int]
) -> None:
    clock, plain, now = SessionClock(BEGIN), Plain(), BEGIN
    for pause, numbers in answers:
        now += pause * SECOND
        stamps = [stamp(number, number // per_rank, own=number in own) for number in numbers]
        assert served(clock, now, *stamps) == plain.serve(stamps, now // SECOND)
        assert clock.now(now) // SECOND == plain.latest


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.booleans()), max_size=30))
def test_law_7_what_comes_in_recorded_order_keeps_its_order_and_all_distances(
    steps: list[tuple[int, int, bool]],
) -> None:
    clock, now, rank = SessionClock(BEGIN), BEGIN, 0
    found = []
    for number, (pause, more, own) in enumerate(steps, 1):
        now, rank = now + pause * SECOND, rank + more
        found += [(rank, second) for second in served(clock, now, stamp(number, rank, own=own))]
    for (rank, second), (other, later) in itertools.pairwise(found):
        assert later - second >= other - rank
