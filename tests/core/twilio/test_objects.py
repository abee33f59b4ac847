import pytest
from strategies import JSON

from chatproxy.core.model import Response
from chatproxy.core.twilio.objects import Page, Shown, made_by, shown


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"[" * 100_000, b'{"a": [1]}'])
def test_an_answer_without_objects_shows_nothing(body: bytes) -> None:
    assert shown(Response(200, b"", (JSON,), body)) == shown(Response(200, b"", (), b'{"sid": "a"}')) == Shown()


def test_an_object_is_shown_without_what_is_null() -> None:
    assert shown(Response(200, b"", (JSON,), b'{"sid": "a", "b": null, "c": 1}')).objects == {"a": {"sid": "a", "c": 1}}


def test_a_page_says_whether_it_is_the_first_and_the_last() -> None:
    body = b'{"meta": {"previous_page_url": null, "next_page_url": "x"}, "m": [{"sid": "a", "index": 1}]}'
    assert shown(Response(200, b"", (JSON,), body)).page == Page(frozenset({"a"}), [1], True, False)


def test_what_is_not_a_sid_was_not_made() -> None:
    sid = "IM" + "1" * 32
    assert made_by(Response(201, b"", (JSON,), b'{"sid": "%b"}' % sid.encode())) == sid.encode()
    for other in (sid + "1", "\\ud800", sid[:-1] + "\\udfff"):
        assert made_by(Response(201, b"", (JSON,), b'{"sid": "%b"}' % other.encode())) is None


def test_an_answer_is_read_in_whichever_encoding_json_may_have() -> None:
    sid = "IM" + "1" * 32
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        answer = Response(201, b"", (JSON,), f'{{"sid": "{sid}", "body": "\u00e9"}}'.encode(encoding))
        assert made_by(answer) == sid.encode()
        assert shown(answer).objects == {sid: {"sid": sid, "body": "\u00e9"}}
