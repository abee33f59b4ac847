import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from json import dumps
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import one_of

from chatproxy.core.credentials.encodings import Glance, Searched, spellings

SECRET = b"0123456789abcdef0123456789abcdef"
UMLAUT = "Schlüssel-für-😀-und-alle"
LATIN = "Schlüssel-für-alle-Türen"

characters = st.characters(min_codepoint=0x20, max_codepoint=0x2FF) | st.sampled_from("€世😀")
texts = st.text(characters, min_size=16, max_size=24)


def hits(secret: bytes, text: bytes) -> bool:
    searched = Searched.of(text)
    found = [spelling.is_in(searched) for spelling in spellings(secret)]
    assert found == [spelling.sign.search(text) is not None for spelling in spellings(secret)]
    assert Glance(spellings(secret)).finds(text) == any(found)
    return any(found)


def blanked(secret: bytes, text: bytes) -> bytes:
    for spelling in spellings(secret):
        text = spelling.whole.sub(b"*", text)
    return text


@pytest.mark.parametrize("secret", [SECRET.decode(), UMLAUT, LATIN])
def test_a_secret_is_found_in_each_encoding(secret: str) -> None:
    plain = secret.encode()
    for text in (
        plain,
        quote(secret).encode(),
        quote(quote(secret)).encode(),
        quote(quote(secret)).lower().encode() if secret.isascii() else plain,
        dumps(secret).encode(),
        dumps(dumps(secret)).encode(),
        re.sub(rb"\\u....", lambda found: found[0][:2] + found[0][2:].upper(), dumps(secret).encode()),
        plain.hex().encode(),
        plain.hex().upper().encode(),
        b64encode(plain),
        urlsafe_b64encode(plain),
        quote(b64encode(b"a" + plain)).encode(),
    ):
        assert hits(plain, b"<" + text + b">"), text
        assert re.fullmatch(rb'<["\\]*Y?\*["\\]*>', blanked(plain, b"<" + text + b">")), text


def slashes_escaped(text: str) -> str:
    return dumps(text.replace("/", "\\/"))


def quote_twice(text: str) -> str:
    return quote(quote(text))


@pytest.mark.parametrize("escape", [quote, quote_twice, slashes_escaped])
def test_signs_of_base64_are_found_in_each_escape_and_its_end_is_blanked_too(escape: Callable[[str], str]) -> None:
    secret = b"\xfb\xff~~??>>~~??>>\xff\xfe\xff"
    for end in (b"", b"\xff", b"\xff\xfb"):
        encoded = b64encode(secret + end).decode()
        assert {"+", "/"} < set(encoded)
        text = escape(f"<{encoded}>").strip('"').encode()
        assert hits(secret + end, text)
        assert re.fullmatch(rb"(?:<|%(?:25)*3C)\*(?:>|%(?:25)*3E)", blanked(secret + end, text))


def test_characters_beyond_ascii_are_found_as_utf_8_and_as_latin_1_whichever_the_client_sent() -> None:
    for sent in (LATIN.encode(), LATIN.encode("latin-1")):
        for written in (LATIN.encode(), LATIN.encode("latin-1")):
            assert hits(sent, written)
            assert hits(sent, quote(written).encode())
            assert hits(sent, b64encode(written))
            assert hits(sent, written.hex().encode())
        assert hits(sent, dumps(LATIN).encode())


def test_a_byte_that_is_no_utf_8_is_found_as_a_fixture_writes_it() -> None:
    text = dumps(LATIN.encode("latin-1").decode("utf-8", "surrogateescape")).encode()
    assert rb"\udcfc" in text
    assert hits(LATIN.encode("latin-1"), text)


def test_hexadecimal_is_blanked_inside_of_more() -> None:
    text = b"AC:" + SECRET + b"."
    assert blanked(SECRET, text.hex().encode()) == b"41433a*2e"


@given(texts, st.data())
def test_law_no_mix_of_spellings_is_missed(secret: str, data: st.DataObject) -> None:
    written = b"".join(data.draw(one_of(*ways(character))) for character in secret)
    assert hits(secret.encode(), written)


def ways(character: str) -> list[bytes]:
    plain = character.encode()
    escaped = dumps(character)[1:-1].encode()
    found = [plain, escaped, "".join(f"%{byte:02X}" for byte in plain).encode()]
    found += ["".join(f"\\u{ord(unit):04x}" for unit in character).encode()] if ord(character) < 0x10000 else []
    return [*found, escaped.replace(b"\\", rb"\\"), b"".join(b"%%25%02x" % byte for byte in plain)]


@given(texts, st.data())
def test_law_what_lacks_a_character_is_no_spelling(secret: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(secret) - 1))
    other = data.draw(st.sampled_from("\x01\x02"))
    assert not hits(secret.encode(), (secret[:place] + other + secret[place + 1 :]).encode())


def test_a_percent_sign_before_digits_of_its_own_is_found() -> None:
    secret = b"100%25 of all that is 25%"
    for text in (secret, quote(secret).encode(), quote(quote(secret)).encode()):
        assert hits(secret, text)
