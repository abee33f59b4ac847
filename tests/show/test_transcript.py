from dataclasses import replace

import pytest
from exchanges import numbered
from hypothesis import given
from strategies import FORM, JSON, MULTIPART, exchanges, multipart

from chatproxy.core.model import Exchange, Headers, Request, Response
from chatproxy.show.transcript import transcript


def exchange(body: bytes = b"", *, sent: bytes = b"", headers: Headers = (FORM,), reason: bytes = b"OK") -> Exchange:
    request = Request("POST", b"/v1/Messages?a=%20b", headers, sent)
    return numbered(3, request, Response(200, reason, (JSON,), body), "https://chat.twilio.com", 1, 2)


def test_a_block_has_the_request_with_its_parameters_and_the_answer_with_its_body() -> None:
    shown = transcript(exchange('{"b": "Grüße", "a": [1.5, {}]}'.encode(), sent=b"To=%22x%22&Body=Gr%C3%BC%C3%9Fe+%26"))
    assert shown.split("\n") == [
        "# 3",
        "POST /v1/Messages?a=%20b",
        '  To = "\\"x\\""',
        "  Body = Grüße &",
        "200 OK",
        "  {",
        '    "b": "Grüße",',
        '    "a": [',
        "      1.5,",
        "      {}",
        "    ]",
        "  }",
    ]


def test_what_is_empty_takes_no_line() -> None:
    assert transcript(exchange(reason=b"")) == "# 3\nPOST /v1/Messages?a=%20b\n200"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"a=two%0Alines", 'a = "two\\nlines"'),
        (b"a=", 'a = ""'),
        (b"a=+x", 'a = " x"'),
        (b"a=%1b[31m", 'a = "\\u001b[31m"'),
        (b"a=%ff", 'a = "\\udcff"'),
        (b'a={"b": 1}', 'a = {"b": 1}'),
    ],
)
def test_a_value_that_is_no_plain_line_is_quoted(sent: bytes, shown: str) -> None:
    assert transcript(exchange(sent=sent)).split("\n")[2] == f"  {shown}"


def test_other_bodies_are_shown_as_text() -> None:
    shown = transcript(exchange(b"one\r\n\xff", sent=b'{"a": 1}', headers=(JSON,)))
    assert shown.split("\n")[2:] == ["  {", '    "a": 1', "  }", "200 OK", "  one\\r", "  \\udcff"]
    assert transcript(exchange(b'{"a": 1, "a": 2}')).split("\n")[3:] == ['  {"a": 1, "a": 2}']


@given(exchanges)
def test_every_line_is_printable_and_moments_and_headers_do_not_show(one: Exchange) -> None:
    shown = transcript(one)
    assert all(line.isprintable() for line in shown.split("\n"))
    shown.encode()
    later = replace(one, asked=one.asked + 1, answered=one.answered + 1, response=replace(one.response, headers=()))
    assert transcript(later) == shown


def test_a_multipart_form_has_its_parts_and_no_boundary() -> None:
    body = multipart([(b"Body", None, None, b"Hello"), (b"File", b"a.txt", b"text/plain", b"two\nlines")])
    shown = transcript(exchange(sent=body, headers=(MULTIPART,))).split("\n")[2:-1]
    assert shown == [
        "  Body = Hello",
        '  File = "two\\nlines"',
        "  File; content-type = text/plain",
        "  File; filename = a.txt",
    ]


def test_nothing_sent_or_answered_is_a_command() -> None:
    shown = transcript(exchange(b"::error::a\n##[error]b", sent=b"::a=##[b]&c=%26+100%25", reason=b"##[c]"))
    assert shown.split("\n")[2:] == [
        '  "::a" = "\\u0023#[b]"',
        "  c = & 100%",
        "200 \\u0023#[c]",
        "  \\u003a:error::a",
        "  \\u0023#[error]b",
    ]
