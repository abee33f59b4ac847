import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Pairs, spelled_pairs
from strategies import pairs as any_pairs

from chatproxy.core.http.forms import MOST_ESCAPES, MOST_PAIRS, decoded, is_readable, pairs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a+b%20c", b"a b c"),
        (b"%2B%2b", b"++"),
        (b"caf%C3%A9", "café".encode()),
        (b"caf\xc3\xa9", "café".encode()),
        (b"100%", b"100%"),
        (b"%zz%4", b"%zz%4"),
        (b"%ff%00", b"\xff\0"),
        (b"", b""),
    ],
)
def test_names_and_values_are_decoded_to_bytes(text: bytes, expected: bytes) -> None:
    assert decoded(text) == expected


def test_pairs_keep_their_order_and_repeats() -> None:
    assert list(pairs(b"b=1&a=%26&b=&c&=d=e")) == [(b"b", b"1"), (b"a", b"&"), (b"b", b""), (b"c", b""), (b"", b"d=e")]


@given(st.data(), any_pairs)
def test_every_spelling_gives_its_pairs(data: st.DataObject, meant: Pairs) -> None:
    found = [pair for pair in pairs(data.draw(spelled_pairs(meant))) if pair != (b"", b"")]
    expected = [(name, value or b"") for name, value in meant]
    assert sorted(found) == sorted(pair for pair in expected if pair != (b"", b""))


@pytest.mark.parametrize(("sign", "most"), [(b"&", MOST_PAIRS - 1), (b"%", MOST_ESCAPES)])
def test_a_body_of_more_pairs_or_escapes_is_no_form_that_is_read(sign: bytes, most: int) -> None:
    assert is_readable(b"a" + sign * most)
    assert not is_readable(b"a" + sign * (most + 1))
