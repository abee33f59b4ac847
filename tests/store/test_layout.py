from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.timeline.numbering import sid_number
from chatproxy.store import layout

ids = st.integers(0, 2**32 - 1)


@given(ids, ids)
def test_keys_sort_as_their_numbers_do(one: int, other: int) -> None:
    assert (layout.number(one) < layout.number(other)) == (one < other)


@given(ids, ids)
def test_a_tally_comes_back_as_it_was_stored(count: int, last: int) -> None:
    tally = layout.Tally(count, last)

    assert layout.Tally.unpack(tally.pack()) == tally


def test_nothing_stored_is_a_cassette_without_exchanges() -> None:
    assert layout.Tally.unpack(None) == layout.Tally(0, 0)


@given(ids, ids)
def test_all_that_belongs_to_a_cassette_and_only_that_has_one_of_its_prefixes(one: int, other: int) -> None:
    rules = b"12345678"
    keys = [
        layout.tally_key(other),
        layout.exchange_prefix(other) + layout.number(1),
        layout.compiled_key(other, rules),
        layout.reply_prefix(other, rules) + layout.number(1),
        layout.index_prefix(other, rules) + b"k" * 17 + layout.number(0),
    ]

    belongs = [key.startswith(tuple(layout.all_prefixes(one))) for key in keys]

    assert belongs == [one == other] * len(keys)


@given(st.text("abc.", min_size=1), ids)
def test_no_name_is_taken_for_anything_else(name: str, number: int) -> None:
    key = layout.name_key(name)

    assert key.startswith(layout.NAMES)
    assert not key.startswith((*layout.all_prefixes(number), layout.DROPPED, layout.LAST_ID))


def test_the_number_of_a_sid_is_stored_with_the_letters_of_its_type() -> None:
    assert layout.sid_number(sid_number(b"IM", 1)) == b"IM\0\0\0\0\0\1"
