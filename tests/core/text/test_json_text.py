import json
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Json, json_containers, json_spellings, json_values

from chatproxy.core.text.json_text import MOST_VALUES, canonical, has_many_values, members, parsed, read, strings


def nested(depth: int) -> bytes:
    return b'{"a":[' * (depth // 2) + b"]}" * (depth // 2)


def test_a_text_is_parsed_once_for_those_who_look_at_it_one_after_the_other() -> None:
    text, long = b'{"a": [1]}', b'{"a": "%b"}' % (b"b" * 3000)
    assert read(text) == {"a": [1]}
    assert read(b"".join((text,))) is read(text)
    assert read(long) == json.loads(long)
    for other in (b"{", '{"a": 1}'.encode("utf-16"), b"\xef\xbb\xbf{}", b'{"a": "\xff"}'):
        with pytest.raises(ValueError, match=r"."):
            read(other)


@given(st.data(), json_containers)
def test_all_spellings_of_a_content_have_one_canonical_text(data: st.DataObject, value: Json) -> None:
    text = canonical(data.draw(json_spellings(value)))
    assert text is not None
    assert text == canonical(data.draw(json_spellings(value)))
    assert text == canonical(text)
    assert json.loads(text, parse_int=float) == json.loads(json.dumps(value), parse_int=float)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b' {"b" : 1.0, "a":[-0.0, 1E2, 1.50]} ', b'{"a":[0,100,1.5],"b":1}'),
        (b'["\\u00e9", "\xc3\xa9", "\\/", "\\ud83d\\ude00"]', b'["\\u00e9","\\u00e9","/","\\ud83d\\ude00"]'),
        (b'["\\ud800"]', b'["\\ud800"]'),
        (b"[1e23]", b"[100000000000000000000000]"),
        (b"[-1e23]", b"[-100000000000000000000000]"),
        (b"[99999999999999991611392]", b"[99999999999999991611392]"),
        (b"[12345678901234567890]", b"[12345678901234567890]"),
        (b"[0e99999]", b"[0]"),
        (b"[5e-324, 0.0000001]", b"[5e-324,1e-07]"),
        (b"[true, 1, null]", b"[true,1,null]"),
        (b"{}", b"{}"),
    ],
)
def test_examples_of_canonical_texts(text: bytes, expected: bytes) -> None:
    assert canonical(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"1",
        b'"a"',
        b"null",
        b"{",
        b"[1] x",
        b"[1,]",
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":1}',
        b"[NaN]",
        b"[-Infinity]",
        b"[1e400]",
        b"[1e-400]",
        b"[0.10000000000000001]",
        b"[1e" + b"9" * 5000 + b"]",
        b"[" + b"1" * 5000 + b"]",
        b'["\xff"]',
        b'["\n"]',
        b"\xef\xbb\xbf[]",
        b"[\x0b1]",
    ],
)
def test_a_text_whose_content_is_not_certain_has_no_canonical_text(text: bytes) -> None:
    assert canonical(text) is None


def test_deep_nesting_is_refused_by_a_bound_of_our_own() -> None:
    assert canonical(nested(128)) == nested(128)
    assert canonical(nested(130)) is None
    assert canonical(nested(2 * sys.getrecursionlimit())) is None
    assert canonical(b"[" * 1_000_000) is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_text_is_parsed_unless_it_nests_too_deep(encoding: str) -> None:
    assert parsed('{"a": [1, "é["]}'.encode(encoding)) == {"a": [1, "é["]}
    for depth in (129, 900, 100_000):
        with pytest.raises(ValueError, match=r"^it nests too deep$"):
            parsed(("[" * depth + "]" * depth).encode(encoding))


def test_brackets_that_another_encoding_hides_are_no_way_past_the_bound() -> None:
    text = '["\u2200", ' + "[" * 100_000  # one of its two bytes is that of a quote
    with pytest.raises(ValueError, match=r"^it nests too deep$"):
        parsed(text.encode("utf-16"))


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"9" * 5000])
def test_what_is_no_json_is_not_parsed(text: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parsed(text)


def test_many_shallow_brackets_are_not_deep() -> None:
    text = b"[" + b",".join([b"[]", b"{}"] * 200) + b"]"
    assert canonical(text) == text
    text = b'["' + b"[" * 500 + b'"]'
    assert canonical(text) == text


def places(text: bytes) -> list[tuple[bytes, bytes, bytes]]:
    return [(place.parent, place.name, text[place.start : place.end]) for place in strings(text)]


def test_strings_go_by_the_names_of_their_field_and_of_the_object_around() -> None:
    text = (
        b'{"a": "1", "o" :{"b":"2", "n": 3, "c":[{"d":"4"}, "5", ["6"]], "e":"7"}, "f":"", "g": true, "h": "\\"x\\\\"}'
    )
    assert places(text) == [
        (b"", b"a", b"1"),
        (b"o", b"b", b"2"),
        (b"c", b"d", b"4"),
        (b"c", b"c", b"5"),
        (b"c", b"c", b"6"),
        (b"o", b"e", b"7"),
        (b"", b"f", b""),
        (b"", b"h", b'\\"x\\\\'),
    ]


@given(st.data(), json_values)
def test_strings_finds_every_string_of_a_json_text(data: st.DataObject, value: Json) -> None:
    text = data.draw(json_spellings(value))
    found = [json.loads(b'"' + text[place.start : place.end] + b'"') for place in strings(text)]
    assert found == list(_strings(json.loads(text)))


def _strings(value: Json) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _strings(one)]


@given(st.text('{}[]":,\\a ').map(str.encode) | st.binary())
def test_places_never_overlap_whatever_the_text(text: bytes) -> None:
    end = 0
    for place in strings(text):
        assert end <= place.start <= place.end <= len(text)
        end = place.end


def test_an_unclosed_string_goes_to_the_end_in_one_step() -> None:
    text = b'{"a": "x' + b'\\"' * 200_000 + b"\\"
    (place,) = strings(text)
    assert (place.name, place.end) == (b"a", len(text) - 1)


@given(
    st.dictionaries(st.sampled_from(["a", "sid", 'a"b', "a b", ":", ", ", "a\\"]), json_values, max_size=5), st.data()
)
def test_members_are_the_strings_of_an_object_without_others(value: dict[str, Json], data: st.DataObject) -> None:
    text = data.draw(json_spellings(value))
    found = members(text)
    if any(isinstance(one, dict | list) for one in value.values()):
        assert found is None
        return
    assert found is not None
    expected = [place for place in strings(text) if re.fullmatch(rb"\w+", place.name)]
    assert [(one.name, one.start, one.end) for one in found] == [(one.name, one.start, one.end) for one in expected]
    assert len({(one.parent, one.holder) for one in found}) <= 1


@pytest.mark.parametrize("text", [b"", b"[]", b"1", b'{"a": "b"', b"\xff", b'{"a": {}}', b"[" * 100_000])
def test_other_texts_have_no_members(text: bytes) -> None:
    assert members(text) is None


def test_of_more_values_than_are_read_no_content_is_certain() -> None:
    most = b"[" + b"1," * (MOST_VALUES - 1) + b"1]"
    assert canonical(most) == most
    assert not has_many_values(most)
    assert canonical(most[:-1] + b",1]") is None
    assert has_many_values(most[:-1] + b",1]")
