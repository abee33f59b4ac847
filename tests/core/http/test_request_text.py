import pytest

from chatproxy.core.errors import ConfigError
from chatproxy.core.http.request_text import read_http
from chatproxy.core.model import Request


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [b"", b"\n", b"\r\n"])
def test_a_request_is_read_whatever_its_line_ends(end: bytes, last: bytes) -> None:
    lines = [b"POST /v1/x?a=1 HTTP/1.1", b"Host: here:1", b"X-A:  b c ", b"", b"Body=a b"]
    request = Request("POST", b"/v1/x?a=1", ((b"Host", b"here:1"), (b"X-A", b"b c")), b"Body=a b", "http://here:1")
    assert read_http(end.join(lines) + last) == request


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        (b"GET /x", Request("GET", b"/x", origin="http://127.0.0.1")),
        (b"GET /x HTTP/1.1\n\n", Request("GET", b"/x", origin="http://127.0.0.1")),
        (b"GET https://chat.twilio.com/x HTTP/1.0\n", Request("GET", b"/x", origin="http://chat.twilio.com")),
    ],
)
def test_host_and_version_may_be_left_out(text: bytes, request_: Request) -> None:
    assert read_http(text) == request_


def test_a_body_has_the_length_that_is_given() -> None:
    assert read_http(b"POST /x HTTP/1.1\nContent-Length: 3\n\nab\ncd").body == b"ab\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "line 1 is no request line"),
        (b"GET", "line 1 is no request line"),
        (b"GET x HTTP/1.1", "line 1 is no request line"),
        (b"G(T /x HTTP/1.1", "line 1 is no request line"),
        (b"GET /\xff HTTP/1.1", "line 1 is no request line"),
        (b"GET /x HTTP/1.1\nA: 1\nnonsense", "line 3 is no header"),
        (b"GET /x HTTP/1.1\nHost: a b", "'a b' is no host"),
        (b"GET /x HTTP/1.1\nContent-Length: 3\n\nab", "the body has 2 bytes, and Content-Length is 3"),
        (b"GET /x HTTP/1.1\nContent-Length: x\n\nab", "the body has 2 bytes, and Content-Length is x"),
    ],
)
def test_what_is_no_request_is_refused_with_the_line(text: bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^standard input: {message}"):
        read_http(text)
