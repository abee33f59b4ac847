import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Json, json_spellings, json_values

from chatproxy.core.text.json_edit import Value, edited, values


class Members(list[Any]):
    """An object as the list of its members, so that a name may stand twice."""


def parsed(text: bytes) -> Any:
    return json.loads(text, object_pairs_hook=Members)


def found_in(text: bytes) -> list[Value]:
    found = values(text)
    assert found is not None
    return found


def content(value: Any, path: list[int]) -> Any:
    """Return what lies at a path of places."""
    for place in path:
        value = value[place][1] if isinstance(value, Members) else value[place]
    return value


def path(value: Value) -> list[int]:
    found = []
    while value.holder is not None:
        found.append(value.place)
        value = value.holder
    return found[::-1]


def changed(value: Any, changes: dict[tuple[int, ...], bytes | None], at: tuple[int, ...] = ()) -> Any:
    """Edit a parsed value: a model of ``edited``, slow and obviously right."""
    new = changes.get(at)
    if new is not None:
        return parsed(new)
    kept = (
        [place for place in range(len(value)) if changes.get((*at, place), b"") is not None] if is_holder(value) else []
    )
    if isinstance(value, Members):
        return Members((value[place][0], changed(value[place][1], changes, (*at, place))) for place in kept)
    if isinstance(value, list):
        return [changed(value[place], changes, (*at, place)) for place in kept]
    return value


def is_holder(value: Any) -> bool:
    return isinstance(value, list)


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """JSON texts in any spelling, also with a name twice in an object."""
    value = draw(json_values)
    text = draw(json_spellings(value))
    if draw(st.booleans()):
        text = b'{"a":' + text + b', "b" : 1 ,"a":[' + text + b"]}"
    return text


@given(texts())
def test_law_1_every_value_is_found_where_it_stands(text: bytes) -> None:
    found = found_in(text)
    whole = parsed(text)
    for value in found:
        assert parsed(text[value.start : value.end]) == content(whole, path(value))
        assert len(path(value)) == value.depth
    assert [value.start for value in found] == sorted({value.start for value in found})


@given(st.data(), texts())
def test_law_1_an_edited_text_means_the_edited_value(data: st.DataObject, text: bytes) -> None:
    found = [value for value in found_in(text) if value.holder is not None]
    new = st.none() | json_values.flatmap(json_spellings)
    changes = {value: data.draw(new) for value in found if data.draw(st.booleans())}
    model = {tuple(path(value)): new for value, new in changes.items()}
    assert parsed(edited(text, changes)) == changed(parsed(text), model)


@given(st.data(), texts())
def test_law_2_what_is_outside_of_an_edited_value_stays(data: st.DataObject, text: bytes) -> None:
    value = data.draw(st.sampled_from(found_in(text)))
    assert edited(text, {value: b"NEW"}) == text[: value.start] + b"NEW" + text[value.end :]
    assert edited(text, {}) == text


@pytest.mark.parametrize(
    ("dropped", "left"),
    [
        (set(), b'{ "a" :1 , "b": 2,"c":3 }'),
        ({"a"}, b'{ "b": 2,"c":3 }'),
        ({"b"}, b'{ "a" :1,"c":3 }'),
        ({"c"}, b'{ "a" :1 , "b": 2 }'),
        ({"a", "b"}, b'{ "c":3 }'),
        ({"b", "c"}, b'{ "a" :1 }'),
        ({"a", "c"}, b'{ "b": 2 }'),
        ({"a", "b", "c"}, b"{  }"),
    ],
)
def test_a_comma_goes_with_what_is_dropped(dropped: set[str], left: bytes) -> None:
    text = b'{ "a" :1 , "b": 2,"c":3 }'
    assert edited(text, {value: None for value in found_in(text) if value.name in dropped}) == left


def test_law_2_an_outer_edit_takes_inner_ones_along() -> None:
    text = b'{"a": [1, {"b": 2}], "c": 3}'
    root, a, one, obj, b, c = found_in(text)
    assert edited(text, {a: b"0", one: None, b: b"9", c: b"4"}) == b'{"a": 0, "c": 4}'
    assert edited(text, {obj: None, b: b"9"}) == b'{"a": [1], "c": 3}'
    assert edited(text, {root: None}) == b""
    assert edited(b"[1] ", {found_in(b"[1] ")[0]: b"2"}) == b"2 "


def test_pointers_are_those_of_rfc_6901() -> None:
    text = b'{"a/b": [{"m~n": 1}, 2], "": 0, "\\u00e9\\ud800": {"x": 1}, "a": 1, "a": 2}'
    found = {value.pointer: text[value.start : value.end] for value in found_in(text)}
    assert list(found) == ["", "/a~1b", "/a~1b/0", "/a~1b/0/m~0n", "/a~1b/1", "/", "/é\ud800", "/é\ud800/x", "/a"]
    assert found["/a~1b/0/m~0n"] == b"1"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b"[1",
        b"]",
        b"[1}",
        b'{"a":1]',
        b"[1,]",
        b"[,1]",
        b'{"a":1,}',
        b'{"a"}',
        b'{"a":}',
        b"{1:2}",
        b'{"a":1 "b":2}',
        b"[1 2]",
        b"1 2",
        b"[] []",
        b":",
        b",",
        b"01",
        b"[1.]",
        b"[-]",
        b"[+1]",
        b"[NaN]",
        b"truex",
        b'["\n"]',
        b'["\\x"]',
        b'["\\u12g4"]',
        b'["a]',
        b'["\xff"]',
        b"\xef\xbb\xbf[]",
        b"[\x0b1]",
        b"Body=1",
    ],
)
def test_law_3_a_text_that_is_no_json_has_no_values(text: bytes) -> None:
    assert values(text) is None


@given(st.text('{}[]":,\\ta1 ').map(str.encode) | st.binary())
def test_law_3_what_python_reads_and_what_has_values_is_the_same(text: bytes) -> None:
    try:
        json.loads(text.decode())
    except ValueError:
        assert values(text) is None
    else:
        assert values(text) is not None


def test_nesting_may_be_deep() -> None:
    depth = 100_000
    found = found_in(b'[{"a":' * depth + b"1" + b"}]" * depth)
    assert found[-1].depth == 2 * depth
    assert found[-1].pointer == "/0/a" * depth


@given(json_values)
def test_a_scalar_root_has_one_value(value: Json) -> None:
    found = found_in(json.dumps(value).encode())
    assert (len(found) == 1) == (not isinstance(value, dict | list) or not value)
