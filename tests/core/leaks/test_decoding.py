import gzip
import zlib
from base64 import b64encode, urlsafe_b64encode
from hashlib import sha512
from json import dumps, loads
from textwrap import wrap
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.leaks.decoding import base64_content, contents, has_escape, origins, runs, unescaped, without_sids

TEXT = b"to be or not to be, that is the question"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", b""),
        (b"plain %, \\ and \\x 100%", b"plain %, \\ and \\x 100%"),
        (b"%41%4a%4A", b"AJJ"),
        (b"%2541", b"%41"),
        (rb"\u0041\u00e9\u4e16", "Aé世".encode()),
        (rb"\uD83D\uDE00\ud83d\ude00", "😀😀".encode()),
        (rb"\ud83dx", rb"\ud83dx"),
        (rb"\udcff\udc80", b"\xff\x80"),
        (rb"\udc41", rb"\udc41"),
        (rb"\" \\ \/ \b \f \n \r \t", b'" \\ / \b \f \n \r \t'),
        (rb"\\u0041", rb"\u0041"),
        (rb"%5Cu0041", rb"\u0041"),
        (b"a+b", b"a+b"),
        (b"&amp;&quot;&lt;&gt;&apos;&commat;&colon;", b"&\"<>'@:"),
        (b"&#65;&#065;&#x41;&#X0041;&#8364;", "AAAA€".encode()),
        (b"&amp;amp;", b"&amp;"),
        (b"a&b=c; &; &#; &x; &nosuch; &#xD800; &#1114112;", b"a&b=c; &; &#; &x; &nosuch; &#xD800; &#1114112;"),
    ],
)
def test_one_layer_of_escapes_is_undone(text: bytes, expected: bytes) -> None:
    assert unescaped(text) == expected


@given(st.text(st.characters(codec="utf-8").filter(lambda character: character not in '%\\"')))
def test_unescaped_undoes_what_json_and_urls_do(text: str) -> None:
    assert unescaped(dumps(text)[1:-1].encode()) == text.encode()
    assert unescaped(quote(text, safe="").encode()) == text.encode() == unquote_to_bytes(quote(text, safe=""))
    assert loads(dumps(text)) == text


escaped = st.lists(
    st.sampled_from([b"a", b"%41", rb"\u0041", rb"\u00e9", rb"\ud83d\ude00", rb"\n", b"%", b"\\", "é".encode()]),
    max_size=12,
).map(b"".join)


@given(escaped, st.data())
def test_law_a_place_of_the_unescaped_text_leads_to_what_stands_for_it(text: bytes, data: st.DataObject) -> None:
    plain = unescaped(text)
    if not plain:
        return
    places = data.draw(st.lists(st.integers(0, len(plain) - 1)))
    found = origins(text, places)
    assert found.keys() == set(places)
    for place, (start, end) in found.items():
        assert 0 <= start < end <= len(text)
        assert plain[place : place + 1] in unescaped(text[start:end])
        assert len(unescaped(text[:start])) <= place < len(unescaped(text[:start])) + len(unescaped(text[start:end]))


def held(text: bytes) -> list[bytes]:
    return [content for start, end in runs(without_sids(text)) for content in contents(text[start:end])]


@pytest.mark.parametrize("before", [b"", b" ", b'"', b"=", b"a/b/", b"x", b"x-", b"xyz_", b"/v1/Services/x/"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode, lambda text: text.hex().encode()])
def test_what_base64_and_hexadecimal_hold_is_found_whatever_stands_before(before: bytes, encode: object) -> None:
    assert callable(encode)
    for text in (TEXT, TEXT + b"?", TEXT + b"??", "ÿ~ÿ?".encode() + TEXT):
        assert any(TEXT in content for content in held(before + encode(text) + b" and more"))


def test_base64_that_is_broken_into_lines_is_read_as_one() -> None:
    for ending in (b"\n", b"\r\n"):
        broken = ending.join(line.encode() for line in wrap(b64encode(TEXT * 4).decode(), 76))
        assert TEXT * 4 in held(broken)
        assert TEXT in held(b"some-words-that-come-before" + ending + b64encode(TEXT))


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress], ids=["gzip", "zlib"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode, lambda text: text.hex().encode()])
def test_what_is_compressed_in_base64_or_hexadecimal_is_found(compress: object, encode: object) -> None:
    assert callable(compress)
    assert callable(encode)
    packed = encode(compress(TEXT * 3))
    assert TEXT * 3 in held(packed)
    assert TEXT * 3 in held(b"a: " + packed + b", b")


def test_what_is_compressed_is_inflated_up_to_a_bound_and_what_is_damaged_not_at_all() -> None:
    packed = gzip.compress(b"a" * 50_000_000)
    assert max(map(len, held(b64encode(packed)))) <= 100 * len(packed)
    assert held(b64encode(zlib.compress(TEXT)[:6] + b"\xff" * 30)) == []


def test_a_text_has_an_escape_where_one_is_undone() -> None:
    for text in (b"%41", rb"\u0041", b"&#65;", b"&amp;"):
        assert has_escape(text)
    for text in (b"a&b=c", b"a & b", b"&&", b"nothing"):
        assert not has_escape(text)


def test_short_runs_and_what_is_no_text_are_left_out() -> None:
    assert held(b"Y291bGQgYmUgaXQ aGVsbG8= " + b"deadbeef") == []
    assert held(b"IM" + b"0123456789abcdef" * 2) == []
    assert held(b64encode(sha512(b"").digest())) == []
    assert held(b"") == []


def test_what_is_left_over_in_base64_is_left_out() -> None:
    for length in range(1, 10):
        encoded = b64encode(TEXT[:length])
        assert base64_content(encoded) == base64_content(encoded.rstrip(b"=")) == TEXT[:length]
    assert base64_content(b"QUJDR") == b"ABC"
    assert base64_content(b"Q") == b""
