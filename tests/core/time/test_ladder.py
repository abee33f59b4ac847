from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.time.ladder import Ladder

_ranks = st.integers(0, 12)
_added = st.lists(st.tuples(_ranks, st.integers(90, 120)), max_size=25)


def plain_floor(added: list[tuple[int, int]], rank: int) -> int | None:
    return max((second + rank - other for other, second in added if other < rank), default=None)


def plain_ceiling(added: list[tuple[int, int]], rank: int) -> int | None:
    return min((second - (other - rank) for other, second in added if other > rank), default=None)


@given(_added, _ranks)
def test_law_7_a_rank_lies_between_its_neighbours_as_a_look_at_all_of_them_says(
    added: list[tuple[int, int]], rank: int
) -> None:
    ladder = Ladder()
    for other, second in added:
        ladder.add(other, second)
    assert ladder.floor(rank) == plain_floor(added, rank)
    assert ladder.ceiling(rank) == plain_ceiling(added, rank)


def test_seconds_as_far_apart_as_their_ranks_are_one_to_remember() -> None:
    ladder = Ladder()
    for rank in range(1000):
        ladder.add(rank, 5000 + rank)
    assert ladder.held == 2
    assert (ladder.floor(1000), ladder.ceiling(0)) == (6000, 5000)
