import pytest
from core.leaks.samples import Made

from chatproxy.core.leaks.randomness import is_random, is_wordless

WORDS = [
    b"",
    b"Verantwortungsbewusstsein",
    b"getUserChannelsByUniqueNameV2Foo",
    b"responsibilities-of-the-shareholder-2024",
    b"understanding_of_everything",
    b"com.twilio.rest.chat.v1.service.channel",
    b"1234567890123456",
    b"aaaaaaaa11111111",
    b"ABABABAB",
]


@pytest.mark.parametrize("text", WORDS)
def test_names_and_words_are_not_random(text: bytes) -> None:
    assert not is_random(text)


@pytest.mark.parametrize(
    "text",
    [b"Tr0ub4dor-3xY", b"k3j5h2g4kj6h7d9s8", b"0f1e2d3c4b5a6978", b"b3746014043133fb544268cd", b"QUMwMTIzNDU2Nzg5"],
)
def test_passwords_keys_and_digits_are(text: bytes) -> None:
    assert is_random(text)


def test_of_keys_by_lot_hardly_one_is_missed() -> None:
    made = Made(5)
    keys = [make(length).encode() for make in (made.letters, made.url_safe, made.hex) for length in [24, 32] * 500]
    assert sum(not is_random(key) for key in keys) <= len(keys) // 200


def test_base64_is_wordless_and_a_path_is_not() -> None:
    assert is_wordless(Made(6).base64(b"", 90).encode())
    assert is_wordless(b"AAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    assert not is_wordless(b"/v1/Services//Channels/general/Messages/")
