from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.review.alignment import aligned

texts = st.text("abcd", max_size=12)


def shown(one: str, other: str) -> str:
    """Write pairs as ``a`` for equal, ``a>b`` for changed, ``-a`` and ``+a`` for what only one has."""
    words = []
    for left, right in aligned(one, other):
        if left is None or right is None:
            words.append(f"-{one[left]}" if left is not None else f"+{other[right or 0]}")
        else:
            words.append(one[left] if one[left] == other[right] else f"{one[left]}>{other[right]}")
    return " ".join(words)


@given(texts, texts)
def test_law_each_place_comes_once_and_in_its_order(one: str, other: str) -> None:
    pairs = list(aligned(one, other))
    assert [left for left, _ in pairs if left is not None] == list(range(len(one)))
    assert [right for _, right in pairs if right is not None] == list(range(len(other)))
    assert (None, None) not in pairs


@given(texts)
def test_law_equal_sequences_are_paired_place_by_place(one: str) -> None:
    assert list(aligned(one, one)) == [(place, place) for place in range(len(one))]


@given(st.permutations("abcdefgh"), st.integers(0, 8))
def test_law_one_value_more_is_found_where_it_is(values: list[str], place: int) -> None:
    more = [*values[:place], "x", *values[place:]]
    assert [pair for pair in aligned(values, more) if None in pair] == [(None, place)]
    assert [pair for pair in aligned(more, values) if None in pair] == [(place, None)]


def test_what_is_not_common_is_paired_between_what_is() -> None:
    assert shown("", "") == ""
    assert shown("abc", "axc") == "a b>x c"
    assert shown("abcd", "abd") == "a b -c d"
    assert shown("abc", "bca") == "-a b c +a"
    assert shown("apaqa", "aapaqa") == "a +a p a q a"
    assert shown("ab", "xyz") == "a>x b>y +z"
