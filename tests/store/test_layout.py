import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.errors import CassetteError
from chatproxy.core.model import NO_EXCHANGE, ExchangeNumber
from chatproxy.core.timeline.numbering import sid_number
from chatproxy.store import layout

ids = st.integers(0, 2**32 - 1)


@given(ids, ids)
def test_keys_sort_as_their_numbers_do(one: int, other: int) -> None:
    assert (layout.number(one) < layout.number(other)) == (one < other)


@given(ids, ids)
def test_a_tally_comes_back_as_it_was_stored(count: int, last: int) -> None:
    tally = layout.Tally(count, ExchangeNumber(last))

    assert layout.Tally.unpack(tally.pack(b"k"), b"k", "here") == tally


@given(ids, ids, st.data())
def test_a_tally_that_is_damaged_or_anothers_is_found_out(one: int, other: int, data: st.DataObject) -> None:
    key, stored = layout.tally_key(one), bytearray(layout.Tally(3, ExchangeNumber(3)).pack(layout.tally_key(one)))
    if one != other:
        with pytest.raises(CassetteError, match="here: is damaged; "):
            layout.Tally.unpack(bytes(stored), layout.tally_key(other), "here")
    stored[data.draw(st.integers(0, len(stored) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CassetteError, match="here: is damaged; "):
        layout.Tally.unpack(bytes(stored), key, "here")


def test_a_tally_of_format_1_is_read() -> None:
    assert layout.Tally.unpack(b"\0\0\0\2\0\0\0\3", b"k", "here") == layout.Tally(2, ExchangeNumber(3))


def test_a_mark_comes_back_and_one_that_is_damaged_is_none() -> None:
    mark = layout.Mark(layout.Tally(2, ExchangeNumber(3)), 9)
    assert layout.Mark.unpack(mark.pack(b"c"), b"c") == mark
    assert layout.Mark.unpack(mark.pack(b"c"), b"x") is None
    assert layout.Mark.unpack(layout.Tally(2, ExchangeNumber(3)).pack(b"c"), b"c") is None
    assert layout.Mark.unpack(None, b"c") is None


def test_nothing_stored_is_a_cassette_without_exchanges() -> None:
    assert layout.Tally.unpack(None, b"k", "here") == layout.Tally(0, NO_EXCHANGE)


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
    assert layout.sid_number(sid_number(b"IM", 1)) == b"IM\0\0\0\0\0\0\1"
