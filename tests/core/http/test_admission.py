import pytest

from chatproxy.core.errors import RequestError, UpstreamError
from chatproxy.core.http.admission import TOLD_BY, check_answer, check_head, spoken, too_large
from chatproxy.core.model import Headers, Response


@pytest.mark.parametrize(
    ("host", "target", "headers"),
    [
        ("127.0.0.1:8765", "/v1/Services", ()),
        ("[::1]:8765", "/", ((b"Content-Encoding", b"Identity"), (b"Transfer-Encoding", b"Chunked"))),
        ("chat.twilio.com", "/v1/Services?PageSize=2", ((b"X-Name", "Zoë".encode()),)),
        ("chat.twilio.com", "/", ((b"Authorization", b"a"), (b"Proxy-Authorization", b"b")) * 2),
    ],
)
def test_what_can_be_read_is_taken(host: str, target: str, headers: Headers) -> None:
    check_head(host, target, headers)


@pytest.mark.parametrize(
    ("host", "target", "headers", "status", "reason"),
    [
        ("a b", "/", (), 400, "Host header"),
        ("chat.twilio.com", "example.com:443", (), 400, "no path"),
        ("chat.twilio.com", "/", ((b"content-encoding", b"br"),), 415, "'br'"),
        ("chat.twilio.com", "/", ((b"Content-Encoding", b"\xff"),), 415, "only identity"),
        ("chat.twilio.com", "/", ((b"Content-Encoding", b"identity, x-gzip"),), 415, "'x-gzip'"),
        (
            *("chat.twilio.com", "/", ((b"Content-Encoding", b"identity"), (b"Content-Encoding", b"gzip"))),
            *(415, "'gzip'"),
        ),
        ("chat.twilio.com", "/", ((b"Transfer-Encoding", b"gzip, chunked"),), 415, "'gzip'"),
        ("chat.twilio.com", "/", ((b"X-Name", b"a\x1bb"),), 400, "field 'X-Name' is malformed"),
        ("chat.twilio.com", "/", ((b"X Name", b"a"),), 400, "field 'X Name' is malformed"),
        ("chat.twilio.com", "/", ((b"X\xff", b"a"),), 400, r"field 'X\\\\xff' is malformed"),
        ("chat.twilio.com", "/", ((b"X-Name", b"\xff"),), 400, "not UTF-8"),
        ("chat.twilio.com", "/", ((b"Authorization", b"a"), (b"proxy-authorization", b"b")) * 3, 400, "more than 4"),
    ],
)
def test_what_cannot_be_read_is_refused(host: str, target: str, headers: Headers, status: int, reason: str) -> None:
    with pytest.raises(RequestError, match=reason) as refused:
        check_head(host, target, headers)
    assert refused.value.status == status


def test_a_body_beyond_the_limit_is_413_and_names_the_flag() -> None:
    error = too_large(10)
    assert error.status == 413
    assert "10 bytes (--max-body)" in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        Response(200),
        Response(599, b"caf\xe9", ((b"X-A", b"caf\xe9"), (b"x-a", "caf\xe9".encode()), (b"X-B", b"")), b"\0"),
    ],
)
def test_an_answer_by_the_grammar_is_taken(answer: Response) -> None:
    check_answer(answer)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Response(0), "with status 000, which no final answer has"),
        (Response(101), "with status 101"),
        (Response(199), "with status 199"),
        (Response(600), "with status 600"),
        (Response(200, b"O\0K"), "the reason phrase"),
        (Response(200, b"O\rK"), "the reason phrase"),
        (Response(200, headers=((b"X-A", b"1"), (b"X-B", b"a\x1bb"))), "the header field 'X-B'"),
        (Response(200, headers=((b"X-A", b"a\nb"),)), "the header field 'X-A'"),
        (Response(200, headers=((b"X A", b"1"),)), "the header field 'X A'"),
        (Response(200, headers=((b"", b"1"),)), "the header field ''"),
    ],
)
def test_an_answer_that_no_fixture_could_hold_is_none(answer: Response, reason: str) -> None:
    with pytest.raises(UpstreamError, match=reason) as refused:
        check_answer(answer)
    assert refused.value.status == 502
    assert "\n" not in str(refused.value)


def test_what_is_refused_gives_no_command() -> None:
    with pytest.raises(RequestError, match=r"coding '\\u0023#\[error\]'"):
        check_head("h", "/", ((b"Content-Encoding", b"##[error]"),))


@pytest.mark.parametrize(
    ("begin", "reason"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", "the client speaks TLS: this is an http address, not https"),
        (b"PRI * HTTP/2.0\r\n\r\nSM", "the client speaks HTTP/2 (PRI * HTTP/2.0), and only HTTP/1.1 is taken"),
        (b"\x16", "the client speaks TLS: this is an http address, not https"),
        (b"\x16\x04", None),
        (b"PRI * HTTP/1.1\r\n", None),
        (b"hello\r\n", None),
        (b"", None),
    ],
)
def test_another_protocol_is_known_by_how_a_connection_begins(begin: bytes, reason: str | None) -> None:
    assert spoken(begin[:TOLD_BY]) == reason
