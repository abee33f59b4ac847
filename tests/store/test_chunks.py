from hypothesis import given
from hypothesis import strategies as st

from chatproxy.store.chunks import chunks


@given(st.lists(st.binary(max_size=9)), st.integers(0, 20), st.integers(1, 5))
def test_law_chunks_have_all_items_in_their_order_and_are_bounded(
    items: list[bytes], most_bytes: int, most: int
) -> None:
    found = list(chunks(items, len, most_bytes=most_bytes, most=most))
    assert [item for chunk in found for item in chunk] == items
    for chunk in found:
        assert 0 < len(chunk) <= most
        assert sum(map(len, chunk[:-1])) <= most_bytes


def test_a_chunk_ends_with_the_item_that_exceeds_it() -> None:
    assert list(chunks([b"ab", b"c", b"def", b"g"], len, most_bytes=2, most=9)) == [[b"ab", b"c"], [b"def"], [b"g"]]
