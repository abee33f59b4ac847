from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.timeline.serial import UNKNOWN, Item, Orders, Values, orders

BOTH, FIRST, SECOND, NONE = (True, True), (True, False), (False, True), (False, False)


def relation(items: Sequence[Item], begin: Values = (UNKNOWN,) * 2, end: Values = (UNKNOWN,) * 2) -> object:
    """Tell whether the first of two was done before the second, "never" where no order fits."""
    found = orders(items, begin, end)
    return "never" if found is None else found.is_first(0, 1)


@pytest.mark.parametrize(
    ("one", "other", "begin", "end", "first"),
    [
        ((FIRST, ("x", "1")), (SECOND, ("x", "2")), ("a", "1"), (None, None), True),
        ((FIRST, ("x", "2")), (SECOND, ("a", "2")), ("a", "1"), (None, None), False),
        ((FIRST, ("x", "1")), (SECOND, ("x", "2")), (None, None), (None, None), True),
        ((FIRST, ("x", "2")), (SECOND, ("x", "2")), (None, None), (None, None), None),
        ((FIRST, ("x", "2")), (SECOND, ("x", "2")), ("a", None), (None, None), True),
        ((FIRST, ("x", "1")), (FIRST, ("y", "1")), ("a", "1"), (None, None), None),
        ((FIRST, ("x", "1")), (FIRST, ("y", "1")), ("a", "1"), ("x", None), False),
        ((FIRST, ("x", "1")), (FIRST, ("y", "1")), ("a", "1"), ("y", "1"), True),
        ((FIRST, ("x", "1")), (FIRST, ("y", "1")), ("a", "1"), ("z", None), "never"),
        ((NONE, ("x", "1")), (BOTH, ("x", "1")), ("a", "1"), (None, None), False),
        ((NONE, ("b", "1")), (NONE, ("c", "1")), (None, None), (None, None), "never"),
    ],
)
def test_of_two_writes_the_order_is_known_that_alone_fits_the_answers(
    one: tuple[tuple[bool, ...], Values],
    other: tuple[tuple[bool, ...], Values],
    begin: Values,
    end: Values,
    first: object,
) -> None:
    assert relation([Item(0, *one), Item(0, *other)], begin, end) == first
    turned = first if first in {None, "never"} else not first
    assert relation([Item(0, *other), Item(0, *one)], begin, end) == turned


def test_what_was_answered_before_another_was_sent_was_done_before_it() -> None:
    assert relation([Item(0, BOTH, ("x", "1")), Item(0b01, BOTH, ("y", "1"))]) is True
    assert relation([Item(0b10, BOTH, ("x", "1")), Item(0, BOTH, ("y", "1"))]) is False


def test_of_too_many_nothing_is_known() -> None:
    assert orders([Item(0, (True,), (str(nth),)) for nth in range(6)], (UNKNOWN,), (UNKNOWN,)) is not None
    assert orders([Item(0, (True,), (str(nth),)) for nth in range(12)], (UNKNOWN,), (UNKNOWN,)) is None


@given(
    st.lists(st.tuples(st.sampled_from([BOTH, FIRST, SECOND, NONE]), st.sampled_from("ab")), min_size=1, max_size=5),
    st.data(),
)
def test_law_what_is_known_holds_in_each_order_that_fits_and_the_true_one_fits(
    writes: list[tuple[tuple[bool, bool], str]], data: st.DataObject
) -> None:
    values, items = ("i", "i"), []
    for sets, value in writes:
        values = (value if sets[0] else values[0], value if sets[1] else values[1])
        items.append(Item(0, sets, values))
    begin: Values = ("i", "i") if data.draw(st.booleans()) else (UNKNOWN, UNKNOWN)
    end: Values = values if data.draw(st.booleans()) else (UNKNOWN, UNKNOWN)
    found = orders(items, begin, end)
    assert found is not None
    fitting = [order for order in permutations(range(len(items))) if _fits(items, order, begin, end)]
    assert tuple(range(len(items))) in fitting
    assert found == Orders(*zip(*(_before(nth, fitting) for nth in range(len(items))), strict=True))


def _before(nth: int, fitting: Sequence[tuple[int, ...]]) -> tuple[int, int]:
    sets = [sum(1 << each for each in order[: order.index(nth)]) for order in fitting]
    always, ever = sets[0], 0
    for each in sets:
        always, ever = always & each, ever | each
    return always, ever


def _fits(items: Sequence[Item], order: Sequence[int], begin: Values, end: Values) -> bool:
    values = begin
    for nth in order:
        item = items[nth]
        if any(
            not sets and was not in {None, now} for sets, was, now in zip(item.sets, values, item.shows, strict=True)
        ):
            return False
        values = item.shows
    return all(None in {one, other} or one == other for one, other in zip(values, end, strict=True))
