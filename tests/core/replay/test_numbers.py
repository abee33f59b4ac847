from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.model import ExchangeNumber
from chatproxy.core.replay.numbers import Numbers


@given(st.lists(st.integers(1, 2**32 - 1) | st.integers(250, 260)), st.lists(st.integers(250, 260)))
def test_numbers_are_a_set(added: list[int], asked: list[int]) -> None:
    numbers = Numbers()
    for number in added:
        numbers.add(ExchangeNumber(number))
    assert len(numbers) == len(set(added))
    missing = numbers.missing(map(ExchangeNumber, asked + added))
    assert list(missing) == [number for number in asked if number not in added]


@given(st.sets(st.integers(0, 5000)))
def test_numbers_come_back_in_their_order(numbers: set[int]) -> None:
    held = Numbers()
    for number in numbers:
        held.add(ExchangeNumber(number))
    assert list(held) == sorted(numbers)
