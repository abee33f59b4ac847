import gzip
import json
import zlib

import pytest
from hypothesis import given
from mitm.captured import FORM_TYPE, JSON_TYPE, TARGET, flow, response
from mitmproxy import http
from mitmproxy.net import encoding
from mitmproxy.utils.emoji import emoji
from strategies import requests

from chatproxy.core.errors import RequestError
from chatproxy.core.model import Request, Response
from chatproxy.core.products.every import TWILIO_ORIGIN
from chatproxy.core.replay.marks import EXCHANGE, OUTCOME
from chatproxy.mitm import flows
from chatproxy.mitm.flows import Target

TWILIO = Target("https", "chat.twilio.com", 443)
MAX_BODY = 1 << 20
STAND_IN = Target("http", "127.0.0.1", 8766)


@pytest.mark.parametrize(
    ("origin", "target"),
    [
        (TWILIO_ORIGIN, TWILIO),
        ("http://127.0.0.1:8766", STAND_IN),
        ("http://a.example", Target("http", "a.example", 80)),
        ("https://[::1]:8443", Target("https", "::1", 8443)),
        ("https://[::1]", Target("https", "::1", 443)),
    ],
)
def test_an_origin_leads_to_a_host_and_a_port(origin: str, target: Target) -> None:
    assert flows.target_of(origin) == target


@pytest.mark.parametrize(
    ("origin", "is_ours"),
    [
        (TWILIO_ORIGIN, True),
        ("https://chat.dublin.ie1.twilio.com", True),
        ("http://CHAT.twilio.com:8080", True),
        ("https://ip-messaging.twilio.com", True),
        ("http://127.0.0.1:8766", True),
        ("http://127.0.0.1:8767", False),
        ("https://127.0.0.1:8766", False),
        ("https://api.twilio.com", False),
        ("https://chat.twilio.com.example", False),
    ],
)
def test_ours_is_what_is_meant_for_the_service_or_its_stand_in(origin: str, is_ours: bool) -> None:
    assert flows.is_ours(flow(origin=origin), STAND_IN) == is_ours


def test_a_client_of_a_forward_proxy_reached_the_service_by_its_own_name() -> None:
    assert flows.origin_of(flow(origin="https://chat.dublin.ie1.twilio.com")) == TWILIO_ORIGIN
    assert flows.origin_of(flow(origin="http://127.0.0.1:8766")) == "http://127.0.0.1:8766"
    assert flows.origin_of(flow(origin="http://[::1]:8766")) == "http://[::1]:8766"
    assert flows.origin_of(flow(origin="http://a.example")) == "http://a.example"


def test_a_client_of_a_reverse_proxy_reached_the_service_by_that_proxys_address() -> None:
    one = flow(mode="reverse:https://chat.twilio.com")
    assert flows.origin_of(one) == "http://127.0.0.1:8080"
    one.metadata[flows.HOST] = "proxy.example:8080"
    assert flows.origin_of(one) == "http://proxy.example:8080"
    one.client_conn.tls = True
    assert flows.origin_of(one) == "https://proxy.example:8080"


def test_a_flow_that_was_answered_remembers_by_which_address_its_client_reached_the_service() -> None:
    one = flow()
    one.metadata[flows.ORIGIN] = flows.origin_of(one)
    flows.redirect(one, STAND_IN)
    assert flows.origin_of(one) == flows.request_of(one).origin == TWILIO_ORIGIN


@given(requests)
def test_law_a_request_is_taken_as_it_was_sent(request: Request) -> None:
    one = flow(request.method, request.target.decode("ascii"), request.body, headers=request.headers)
    assert flows.request_of(one) == Request(request.method, request.target, request.headers, request.body)


@pytest.mark.parametrize(
    ("one", "status", "reason"),
    [
        (flow("G(T"), 400, "the method is no token"),
        (flow("\xff"), 400, "the method is no token"),
        (flow("OPTIONS", "*"), 400, "the target is no path"),
        (flow(target="/\xff"), 400, "the target is no path"),
        (flow(headers=((b"X-A", b"\xff"),)), 400, "a header value is not UTF-8"),
        (flow(headers=((b"Content-Encoding", b"gzip"),)), 415, "coding 'gzip'"),
        (flow("POST", body=b"Body=" + b"a" * 20), 413, r"larger than 20 bytes \(--max-body\)"),
    ],
)
def test_a_request_that_is_malformed_or_too_large_is_not_taken(one: http.HTTPFlow, status: int, reason: str) -> None:
    with pytest.raises(RequestError, match=reason) as refused:
        flows.taken(one, 20)
    assert refused.value.status == status


def test_any_other_request_is_taken() -> None:
    one = flow("POST", body=b"Body=" + b"a" * 15)
    assert flows.taken(one, 20) == flows.request_of(one)


def test_an_answer_is_decoded_and_without_the_fields_that_frame_it() -> None:
    coded = response(
        gzip.compress(b"{}"), headers=(JSON_TYPE, (b"Content-Encoding", b"gzip"), (b"Connection", b"close"))
    )
    assert flows.response_of(flow(response=coded), MAX_BODY) == Response(200, b"OK", (JSON_TYPE,), b"{}")


def test_an_answer_to_head_keeps_the_length_that_its_body_would_have() -> None:
    length = (b"Content-Length", b"5")
    known = flows.response_of(flow("HEAD", response=response(b"", headers=(length, JSON_TYPE))), MAX_BODY)
    assert known == Response(200, b"OK", (length, JSON_TYPE))
    assert answered("HEAD", known) == [length, JSON_TYPE]


def test_there_is_no_whole_answer_before_it_came_or_where_it_was_streamed_or_is_damaged() -> None:
    streamed = response()
    streamed.raw_content = None
    damaged = response(b"no gzip", headers=((b"Content-Encoding", b"gzip"),))
    assert [flows.response_of(flow(response=one), MAX_BODY) for one in (None, streamed, damaged)] == [None] * 3


@pytest.mark.parametrize("coding", [b"gzip", b"x-gzip", b"br", b"zstd", b"gzip, br", b"compress", b"unknown"])
def test_an_answer_that_is_cut_short_or_too_large_or_in_an_unknown_coding_is_none(coding: bytes) -> None:
    whole = b"{}" + b" " * 1000
    coded = {b"br": encoding.encode(whole, "br"), b"zstd": encoding.encode(whole, "zstd")}.get(
        coding, gzip.compress(whole)
    )
    for body in (coded[:-1], coded[: len(coded) // 2], coded):
        answer = response(body, headers=((b"Content-Encoding", coding),))
        assert flows.response_of(flow(response=answer), 1000) is None


def test_an_answer_in_several_codings_is_decoded_in_their_order() -> None:
    body = encoding.encode(gzip.compress(zlib.compress(b"{}")), "br")
    fields = (
        *((b"Content-Encoding", b"deflate, x-gzip"), JSON_TYPE),
        *((b"content-encoding", b"BR"), (b"Transfer-Encoding", b"chunked")),
    )
    answer = flows.response_of(flow(response=response(body, headers=fields)), MAX_BODY)
    assert answer == Response(200, b"OK", (JSON_TYPE,), b"{}")
    sent = response(gzip.compress(b"{}"), headers=(JSON_TYPE, (b"Transfer-Encoding", b"gzip, chunked")))
    assert flows.response_of(flow(response=sent), MAX_BODY) == answer


def test_an_answer_without_a_body_has_no_coding_to_undo() -> None:
    answer = response(b"", headers=((b"Content-Encoding", b"unknown"),))
    assert flows.response_of(flow("HEAD", response=answer), MAX_BODY) == Response(200, b"OK")


def test_a_flow_is_redirected_to_the_upstream() -> None:
    one = flow()
    flows.redirect(one, STAND_IN)
    assert Target(one.request.scheme, one.request.host, one.request.port) == STAND_IN


def answered(method: str, answer: Response) -> list[tuple[bytes, bytes]]:
    one = flow(method)
    flows.answer(one, answer)
    assert one.response is not None
    assert (one.response.status_code, one.response.data.reason) == (answer.status, answer.reason)
    assert one.response.raw_content == (b"" if method == "HEAD" or answer.status == 204 else answer.body)
    return list(one.response.headers.fields)


def test_an_answer_keeps_its_fields_and_says_how_long_it_is() -> None:
    fields = (JSON_TYPE, (b"x-A", b"1"), (b"X-a", b"2"))
    assert answered("GET", Response(201, b"Made", fields, b"{}")) == [*fields, (b"Content-Length", b"2")]
    assert answered("HEAD", Response(200, b"OK", (), b"{}")) == [(b"Content-Length", b"2")]
    assert answered("HEAD", Response(200, b"OK")) == []
    assert answered("GET", Response(200, b"OK")) == [(b"Content-Length", b"0")]
    assert answered("DELETE", Response(204, b"No Content")) == []


@pytest.mark.parametrize(
    ("outcome", "exchange", "marked", "comment"),
    [
        (b"hit", b"talk/1", ":white_check_mark:", "chatproxy: hit talk/1"),
        (b"recorded", b"talk/2", ":record_button:", "chatproxy: recorded talk/2"),
        (b"passed", None, "", "chatproxy: passed"),
        (b"miss", None, flows.MISS, "chatproxy: miss: never recorded"),
        (b"error", None, flows.ERROR, "chatproxy: error: never recorded"),
    ],
)
def test_a_flow_is_marked_by_its_outcome_and_tells_which_exchange_it_was_or_why_none(
    outcome: bytes, exchange: bytes | None, marked: str, comment: str
) -> None:
    marks = ((OUTCOME, outcome), *(((EXCHANGE, exchange),) if exchange else ()))
    one = flow()
    flows.show(one, Response(200, b"OK", marks, json.dumps({"message": "never recorded"}).encode()))
    assert (one.marked, one.comment) == (marked, comment)
    assert not marked or marked in emoji


def test_an_answer_of_the_control_api_marks_nothing() -> None:
    one = flow(target="/__chatproxy/report")
    flows.show(one, Response(200, b"OK", (JSON_TYPE,), b"{}"))
    assert (one.marked, one.comment) == ("", "")


def test_a_host_that_is_an_ipv6_address_stands_in_brackets() -> None:
    assert flows.address("http", "::1", 8766) == "[::1]:8766"
    assert flows.address("http", "::1", 80) == "[::1]"
    assert flows.address("https", "a.example", 80) == "a.example:80"


def test_a_form_is_taken_as_it_is() -> None:
    taken = flows.request_of(flow("POST", TARGET, b"Body=a"))
    assert (taken.headers, taken.body) == ((FORM_TYPE,), b"Body=a")


@pytest.mark.parametrize(
    ("version", "asked", "said"),
    [
        ("HTTP/1.1", None, None),
        ("HTTP/1.1", "close", "close"),
        ("HTTP/1.1", "Keep-Alive, Close", "close"),
        ("HTTP/1.0", None, "close"),
        ("HTTP/1.0", "keep-alive", "keep-alive"),
        ("HTTP/2.0", None, None),
        ("HTTP/2.0", "close", None),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_answer_says_whether_the_connection_goes_on(
    method: str, version: str, asked: str | None, said: str | None
) -> None:
    one = flow(method)
    one.request.http_version = version
    if asked is not None:
        one.request.headers["Connection"] = asked
    flows.answer(one, Response(200, b"OK", (), b"{}"))
    assert one.response is not None
    assert one.response.headers.get("Connection") == said
