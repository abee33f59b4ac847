import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from profiles import many

from chatproxy.core.text.json_text import strings
from chatproxy.core.twilio.urls import EVERY, UrlFields

TEXTS = ["https://chat.twilio.com/v1", "a", '"url": "b"', "{", "[", "a\\", '\\"meta\\": {', "url", "links"]
INVENTED = UrlFields({b"url", b"media_url"}, {b"links", b"media_links"}, {b"meta": b"_url", b"paging": b"_uri"})
"""As if another product had other fields."""
NAMES = [
    *("url", "links", "meta", "next_page_url", "a", 'a"url', 'x\\"links', "messages"),
    *("media_url", "media_links", "paging", "next_page_uri"),
]

values = st.recursive(
    st.sampled_from(TEXTS) | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, min_size=1, max_size=4),
    max_leaves=12,
)


def by_tokens(text: bytes, fields: UrlFields = EVERY) -> list[tuple[int, int]]:
    return [(place.start, place.end) for place in strings(text) if fields.is_url(place)]


def found(text: bytes, fields: UrlFields = EVERY) -> list[tuple[int, int]]:
    return [(place.start, place.end) for place in fields.places(text)]


@settings(max_examples=many(300))
@given(values, st.sampled_from([None, 1]))
@example({"url": ["a"]}, None)
@example({"meta": {"url": {"next_page_url": "a"}}}, None)
@example({"links": ["a"]}, None)
def test_addresses_are_those_that_are_found_token_by_token(value: object, indent: int | None) -> None:
    text = json.dumps([value], indent=indent).encode()
    assert found(text) == by_tokens(text)
    assert found(text, INVENTED) == by_tokens(text, INVENTED)


@pytest.mark.parametrize("end", [b"", b"]", b"\xff]", b"[" * 100_000])
def test_a_text_that_is_no_json_is_read_token_by_token(end: bytes) -> None:
    text = b'[{"url": "a", "b": "c"}' + end
    assert found(text) == by_tokens(text) == [(10, 11)]


def test_what_a_page_links_to_is_found() -> None:
    assert found(json.dumps([{"url": [[1, "a"]]}]).encode()) == [(15, 16)]
    page = {
        "meta": {"url": "a", "next_page_url": "b", "key": "messages"},
        "messages": [{"links": {"x": "c"}, "url": "d"}],
    }
    text = json.dumps(page).encode()
    assert [text[start:end] for start, end in found(text)] == [b"a", b"b", b"c", b"d"]


def test_a_field_of_a_table_is_found_wherever_it_stands() -> None:
    page = {"paging": {"next_page_uri": "a", "key": "b"}, "media_links": {"x": "c"}, "media_url": "d", "url": "e"}
    text = json.dumps(page).encode()
    assert [text[start:end] for start, end in found(text, INVENTED)] == [b"a", b"c", b"d", b"e"]
    assert [text[start:end] for start, end in found(text)] == [b"e"]


@pytest.mark.parametrize("before", [b'{"links": [', b'{"meta":[[', b'{"a": 1, "links" : '])
def test_elements_of_a_holder_are_known_by_what_stands_before_them(before: bytes) -> None:
    assert EVERY.ends_in_holder(before)
    assert not EVERY.ends_in_holder(before.replace(b"links", b"messages").replace(b"meta", b"messages"))
