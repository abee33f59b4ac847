from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.time.ranks import Busy, Span, ranks
from chatproxy.core.time.timestamps import SECOND


def span(begin: float, end: float) -> Span:
    return Span(int(begin * SECOND), int(end * SECOND))


def busy(*spans: Span) -> Busy:
    made = Busy()
    for one in spans:
        made.learn(one)
    return made


def test_law_7_seconds_of_others_have_ranks_of_their_own() -> None:
    assert ranks([9, 5, 6], {}, None) == {5: 0, 6: 1, 9: 2}


def test_law_7_neighbouring_seconds_of_own_writes_are_one_rank_without_a_pause() -> None:
    own = {5: span(5.1, 5.2), 6: span(6.0, 6.1), 8: span(8.2, 8.3), 9: span(9.3, 9.4)}
    worked = busy(*own.values())
    assert ranks(own, own, worked) == {5: 0, 6: 0, 8: 1, 9: 2}
    assert ranks(own, own, None) == {5: 0, 6: 0, 8: 0, 9: 0}


def test_law_7_a_second_with_anothers_instant_between_own_ones_is_a_rank() -> None:
    own = {5: span(5.1, 5.2), 7: span(6.0, 7.1)}
    assert ranks([5, 6, 7], own, busy(*own.values())) == {5: 0, 6: 1, 7: 2}


def test_law_7_a_request_in_the_meantime_is_no_pause() -> None:
    own = {5: span(5.1, 5.2), 7: span(7.1, 7.2)}
    assert ranks(own, own, busy(own[5], span(6.1, 6.15), own[7])) == {5: 0, 7: 0}
    assert ranks(own, own, busy(own[5], span(6.25, 6.3), own[7])) == {5: 0, 7: 1}


_spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=12).map(
    lambda found: sorted(
        (Span(begin * SECOND // 4, (begin + took) * SECOND // 4) for begin, took in found), key=lambda one: one.end
    )
)


@given(_spans, st.integers(0, 80), st.integers(0, 80))
def test_law_7_a_pause_is_a_second_without_any_request(spans: list[Span], begin: int, end: int) -> None:
    one, other = begin * SECOND // 4, end * SECOND // 4
    last, pauses = None, []
    for taken in sorted(spans):
        if last is not None and taken.begin - last >= SECOND:
            pauses.append((last, taken.begin))
        last = max(taken.end, last or 0)
    assert busy(*spans).pauses_between(one, other) == any(one <= left and right <= other for left, right in pauses)
