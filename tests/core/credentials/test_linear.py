import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from json import dumps
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.credentials.linear import MOST, LinearSearch, Unescaped, unescaped

SECRET = "0123456789abcdef0123456789abcdef"
SIGNS = 'a+b/c"d\\e f%g~~??>>'
BEYOND = "Schlüssel-für-😀-alle"
LATIN = "Schlüssel-für-alle-Türen"


def blanked(secret: bytes, text: bytes) -> bytes:
    return LinearSearch([secret]).blanked(text, b"*")


def in_base64(secret: str) -> str:
    return b64encode(b"abc" + secret.encode() + b"xyz").decode()


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "url": lambda secret: quote(secret, safe=""),
    "url twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "url in lower case": lambda secret: re.sub("%..", lambda found: found[0].lower(), quote(secret)),
    "all of it escaped": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "form": quote_plus,
    "json": lambda secret: dumps(secret)[1:-1],
    "json in json": lambda secret: dumps(dumps(secret))[3:-3],
    "json in a form": lambda secret: quote_plus(dumps(secret)[1:-1]),
    "json with slashes": lambda secret: dumps(secret)[1:-1].replace("/", "\\/"),
    "hex": lambda secret: secret.encode().hex(),
    "hex in upper case": lambda secret: secret.encode().hex().upper(),
}


@pytest.mark.parametrize("secret", [SECRET, SIGNS, BEYOND, LATIN])
@pytest.mark.parametrize("how", SPELLINGS)
def test_a_secret_is_blanked_in_each_encoding(how: str, secret: str) -> None:
    spelled = SPELLINGS[how](secret).encode()
    assert blanked(secret.encode(), b"<" + spelled + b">-%-<" + spelled + b">") == b"<*>-%-<*>"


@pytest.mark.parametrize("secret", [SECRET, SIGNS, BEYOND, LATIN])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("before", [b"", b"a", b"ab"])
@pytest.mark.parametrize("after", [b"", b"y", b"yz"])
def test_base64_is_blanked_with_the_digits_that_share_its_bits_and_no_more(
    secret: str, encode: Callable[[bytes], bytes], before: bytes, after: bytes
) -> None:
    plain = secret.encode()
    for spelled in (encode(before + plain + after), quote(encode(before + plain + after)).encode()):
        left = blanked(plain, b"</" + spelled + b"/>")
        assert re.fullmatch(rb"</\w{0,2}\*(?:\w|=|%3D){0,7}/>", left), left
    assert blanked(plain, encode(plain) + b"/id") == b"*/id"


def test_bytes_that_are_no_utf_8_are_found_as_json_writes_them() -> None:
    secret = LATIN.encode("latin-1")
    for written in (
        secret,
        LATIN.encode(),
        dumps(LATIN).encode()[1:-1],
        dumps(secret.decode("utf-8", "surrogateescape")).encode()[1:-1],
        dumps(LATIN.encode().decode("latin-1")).encode()[1:-1],
    ):
        assert blanked(secret, b"<" + written + b">") == b"<*>"


def test_what_is_only_like_the_secret_stays_as_it_is() -> None:
    text = b"%41%2 \\u00 \\" + SECRET[1:].encode() + b"%" + SECRET.encode()[:-1] + b"\\/%25"
    assert blanked(SECRET.encode(), text) is text


def test_of_a_run_of_signs_before_a_secret_as_many_are_taken_as_json_nests() -> None:
    run = b"\\" * 1000
    rest = SECRET.encode()
    assert blanked(b"A" + rest, run + b"u0041" + rest) == run[7:] + b"*"
    assert blanked(b"A" + rest, b"<\\%" + b"25" * 1000 + b"5cu0041" + rest) == b"<*"


def test_a_secret_that_holds_another_is_blanked_whole() -> None:
    spelled = quote(SIGNS).encode()
    search = LinearSearch([SIGNS.encode() * 2, SIGNS.encode()])
    assert search.blanked(spelled * 2 + b"-" + spelled, b"*") == b"*-*"


def test_of_too_many_secrets_all_from_the_first_on_is_blanked() -> None:
    escaped = b"%41" + SECRET.encode() + b"-"
    assert blanked(b"A" + SECRET.encode(), b"a" + escaped * MOST + b"b") == b"a" + b"*-" * MOST + b"b"
    assert blanked(b"A" + SECRET.encode(), b"a" + escaped * (MOST + 1) + b"b") == b"a*"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (b"%2525%41%4", b"%A%4"),
        (b"%252541", b"A"),
        (b"%25%25%2530", b"%%0"),
        (b'\\\\\\"\\/\\n\\t\\b\\f\\r\\a', b'"/\n\t\b\f\r\\a'),
        (b"\\u0041\\u00e9\\ud83d", "Aé".encode() + b"\xed\xa0\xbd"),
        (b"%5c%5C%255c%22\\%252F", b'"/'),
        (b"\\u004", b"\\u004"),
    ],
)
def test_each_escape_is_what_it_stands_for_in_the_end(text: bytes, meant: bytes) -> None:
    assert unescaped(text) == meant


pieces = st.sampled_from([b"\\", b"%25", b"%", b"5c", b"5C", b"22", b"u0030", b"u00", b"n", b"0", b"-", b"abcdefgh"])


@given(st.lists(pieces, max_size=40).map(b"".join), st.integers(1, 40))
def test_law_read_in_blocks_a_text_says_the_same_at_the_same_places(text: bytes, size: int) -> None:
    whole, read = Unescaped(text), Unescaped(text, size)
    assert read.plain == whole.plain
    places = [(at, at + 1) for at in range(len(whole.plain))]
    assert [read.written(place) for place in places] == [whole.written(place) for place in places]


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2FF), min_size=16), st.data())
def test_law_no_mix_of_spellings_is_missed(secret: str, data: st.DataObject) -> None:
    ways: list[Callable[[str], str]] = [str, quote, lambda one: dumps(one)[1:-1], lambda one: quote(quote(one))]
    secret = re.sub(r"[\\%+]", "-", secret)
    planted = "".join(data.draw(st.sampled_from(ways))(one) for one in secret).encode()
    assert blanked(secret.encode(), b"<" + planted + b">") == b"<*>"
