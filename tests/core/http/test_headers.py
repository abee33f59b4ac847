import pytest
from hypothesis import given
from strategies import headers

from chatproxy.core.http.headers import (
    FRAMING,
    HOP_BY_HOP,
    OWN_PREFIX,
    content_length,
    end_to_end,
    fields_of_answer,
    is_form,
    is_json,
    may_have_body,
    persists,
)
from chatproxy.core.model import Headers, Response


@pytest.mark.parametrize(
    "name",
    [
        b"Connection",
        b"Keep-Alive",
        b"Proxy-Authenticate",
        b"Proxy-Authorization",
        b"Proxy-Connection",
        b"TE",
        b"Trailer",
        b"Transfer-Encoding",
        b"Upgrade",
        b"Content-Length",
        b"Content-Encoding",
        b"Expect",
        b"Host",
        b"Forwarded",
        b"X-Forwarded-For",
        b"X-Forwarded-Proto",
        b"X-Real-IP",
        b"X-Chatproxy-Session",
        b"x-chatproxy-outcome",
    ],
)
def test_what_belongs_to_one_connection_to_a_forwarder_or_to_us_does_not_pass(name: bytes) -> None:
    assert end_to_end(((name, b"x"), (b"Date", b"now"))) == ((b"Date", b"now"),)


def test_fields_named_by_connection_do_not_pass() -> None:
    fields = ((b"connection", b"close, X-Hop"), (b"x-hop", b"1"), (b"Connection", b" y-hop ,"), (b"Y-Hop", b"2"))
    assert end_to_end((*fields, (b"X-Hope", b"3"))) == ((b"X-Hope", b"3"),)


def test_what_passes_keeps_its_order_its_repeats_and_its_letter_case() -> None:
    fields = ((b"Set-Cookie", b"a"), (b"Date", b"now"), (b"set-cookie", b"b"), (b"X-Chat", b""))
    assert end_to_end(fields) == fields


@given(headers)
def test_end_to_end_drops_and_adds_nothing_else(fields: Headers) -> None:
    passed = end_to_end(fields)
    assert end_to_end(passed) == passed
    remaining = iter(fields)
    assert all(field in remaining for field in passed)
    assert not {name.lower() for name, _ in passed} & (HOP_BY_HOP | FRAMING)
    assert not any(name.lower().startswith(OWN_PREFIX) for name, _ in passed)


@pytest.mark.parametrize(
    ("value", "form", "json"),
    [
        (b"application/x-www-form-urlencoded", True, False),
        (b"Application/X-WWW-Form-Urlencoded; charset=UTF-8", True, False),
        (b"application/json", False, True),
        (b"application/json ;charset=utf-8", False, True),
        (b"application/scim+JSON", False, True),
        (b"application/jsonp", False, False),
        (b"text/plain", False, False),
        (b"multipart/form-data; boundary=x", False, False),
        (b"", False, False),
    ],
)
def test_the_media_type_tells_forms_and_json(value: bytes, form: bool, json: bool) -> None:
    fields = ((b"CONTENT-TYPE", value), (b"Content-Type", b"application/json"))
    assert (is_form(fields), is_json(fields)) == (form, json)


def test_without_a_media_type_a_body_is_neither() -> None:
    assert not is_form(())
    assert not is_json(())


@pytest.mark.parametrize(
    ("method", "status", "body", "length", "sent"),
    [
        ("GET", 200, b"{}", 2, True),
        ("GET", 200, b"", 0, True),
        ("HEAD", 200, b"{}", 2, False),
        ("HEAD", 200, b"", None, False),
        ("DELETE", 204, b"", None, False),
        ("GET", 304, b"{}", None, False),
    ],
)
def test_an_answer_has_a_length_where_it_may_have_a_body(
    method: str, status: int, body: bytes, length: int | None, sent: bool
) -> None:
    assert content_length(Response(status, body=body), method) == length
    assert may_have_body(method, status) is sent


LENGTH = (b"content-LENGTH", b"5")


@pytest.mark.parametrize(
    ("method", "status", "more", "keeps"),
    [
        ("HEAD", 200, (), True),
        ("HEAD", 404, ((b"Connection", b"close"),), True),
        ("GET", 200, (), False),
        ("HEAD", 204, (), False),
        ("HEAD", 304, (), False),
        ("HEAD", 200, ((b"Content-Encoding", b"gzip"),), False),
    ],
)
def test_an_answer_to_head_keeps_the_length_that_its_body_would_have(
    method: str, status: int, more: Headers, keeps: bool
) -> None:
    kept = fields_of_answer(((b"X-A", b"1"), LENGTH, (b"X-B", b"2"), *more), method, status)
    assert kept == ((b"X-A", b"1"), *([LENGTH] if keeps else []), (b"X-B", b"2"))


def test_a_length_that_is_no_number_is_not_kept() -> None:
    assert fields_of_answer(((b"Content-Length", b"5, 5"),), "HEAD", 200) == ()


@pytest.mark.parametrize(
    ("fields", "in_1_1", "in_1_0"),
    [
        ((), True, False),
        (((b"Connection", b"close"),), False, False),
        (((b"connection", b"Keep-Alive , CLOSE"),), False, False),
        (((b"Connection", b"keep-alive"), (b"Connection", b"close")), False, False),
        (((b"Connection", b"x, Keep-Alive"),), True, True),
        (((b"Connection", b"closed"), (b"Keep-Alive", b"5")), True, False),
    ],
)
def test_a_connection_goes_on_as_its_version_and_its_options_say(fields: Headers, in_1_1: bool, in_1_0: bool) -> None:
    assert persists(fields, by_default=True) == in_1_1
    assert persists(fields, by_default=False) == in_1_0
