import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Pairs, spelled_pairs
from strategies import pairs as any_pairs

from chatproxy.core.http.forms import decoded, pairs


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
