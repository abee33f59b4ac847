import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import json_values

from chatproxy.show.message_text import message_text

MESSAGE = {
    "sid": "IM1",
    "index": 0,
    "body": "Grüße\nan alle",
    "attributes": '{"mood": "ü", "tags": [1, 2]}',
    "from": None,
    "media": {"size": 1},
    "was_edited": False,
    "links": {},
}


def shown(content: object) -> list[str]:
    text = message_text(json.dumps(content).encode())
    assert text is not None
    return text.split("\n")


def test_a_message_shows_its_fields_in_their_order_and_json_laid_out() -> None:
    assert shown(MESSAGE) == [
        "sid         IM1",
        "index       0",
        "body        Grüße\\nan alle",
        "attributes  {",
        '              "mood": "ü",',
        '              "tags": [',
        "                1,",
        "                2",
        "              ]",
        "            }",
        "from        null",
        "media       {",
        '              "size": 1',
        "            }",
        "was_edited  false",
        "links       {}",
    ]


def test_attributes_that_are_no_json_are_shown_as_they_are() -> None:
    assert shown({"attributes": "{a"}) == ["attributes  {a"]
    assert shown({"attributes": '"a"'}) == ["attributes  a"]
    assert shown({"attributes": {"a": 1}}) == ["attributes  {", '              "a": 1', "            }"]


def test_a_list_tells_of_its_page_first_and_then_shows_its_members() -> None:
    url = "https://chat.twilio.com/v1/Services/IS1/Channels/CH1/Messages?PageSize=2&Page=1&PageToken=PT"
    meta = {"page": 0, "page_size": 2, "key": "messages", "previous_page_url": None, "next_page_url": url}
    assert shown({"meta": meta, "messages": [{"sid": "IM1", "body": "a"}, {"sid": "IM2", "body": "b"}]}) == [
        "page 0; 2 messages, 2 at most; no previous page; next page: ?PageSize=2&Page=1&PageToken=PT",
        "",
        "sid   IM1",
        "body  a",
        "",
        "sid   IM2",
        "body  b",
    ]


def test_a_page_whose_url_is_none_is_shown_nonetheless() -> None:
    (first,) = shown({"meta": {"key": "messages", "next_page_url": "http://[?Page=\x1b"}, "messages": []})
    assert first == "page null; 0 messages, null at most; no previous page; next page: ?Page=\\u001b"


def test_what_else_a_list_has_is_shown_after_its_members() -> None:
    (first, *others) = shown({"meta": {"key": "messages", "page": 3, "page_size": 1}, "messages": [5], "more": 1})
    assert first == "page 3; 1 message, 1 at most; no previous page; no next page"
    assert others == ["", "5", "", "more  1"]


def test_what_only_looks_like_a_list_is_shown_field_by_field() -> None:
    assert shown({"meta": {"key": "messages"}, "messages": 5})[-1] == "messages  5"
    assert shown({"meta": {"key": 5}, "messages": []})[-1] == "messages  []"
    assert shown({"meta": [], "messages": []}) == ["meta      []", "messages  []"]


def test_an_error_shows_its_fields() -> None:
    assert shown({"code": 20404, "message": "was not found", "status": 404}) == [
        "code     20404",
        "message  was not found",
        "status   404",
    ]


def test_a_form_shows_its_parameters_decoded_and_those_of_one_name_together() -> None:
    form = b"Body=a%26b+c&Tag=1&Attributes=%7B%22a%22%3A1%7D&Empty=&Tag=2"
    assert message_text(form, is_form=True) == "\n".join(
        [
            "Body        a&b c",
            "Tag         [",
            '              "1",',
            '              "2"',
            "            ]",
            "Attributes  {",
            '              "a": 1',
            "            }",
            "Empty       ",
        ]
    )


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"5", b'"a"', b"{}", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_not_shown(body: bytes) -> None:
    assert message_text(body) is None


def test_no_form_is_shown_where_there_is_none() -> None:
    assert message_text(b"", is_form=True) is None
    assert message_text(b"\xff=1", is_form=True) is None


def test_law_what_is_nested_too_deeply_is_not_shown_but_never_fails() -> None:
    depth = 1000
    while message_text(b'{"a":' + b"[" * depth + b"1" + b"]" * depth + b"}") is None:
        depth -= 1
    assert depth > 100


@given(st.dictionaries(st.text(max_size=6) | st.sampled_from(["meta", "attributes", "a"]), json_values, max_size=5))
def test_law_whatever_comes_is_shown_without_what_a_terminal_obeys(content: dict[str, object]) -> None:
    for ascii_only in (True, False):
        text = message_text(json.dumps(content, ensure_ascii=ascii_only).encode("utf-8", "replace"))
        assert (text is None) == (not content)
        assert all(line.isprintable() for line in (text or "").split("\n"))


@given(st.binary(max_size=40), st.booleans())
def test_law_any_bytes_are_shown_or_not_but_never_fail(body: bytes, is_form: bool) -> None:
    text = message_text(body, is_form=is_form)
    assert text is None or text.encode()
