from dataclasses import replace

import pytest
from exchanges import numbered
from fixture.fixtures import read, written
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, MESSAGES, UPSTREAM, basic, requests, responses

from chatproxy.core.credentials.blanking import is_credential
from chatproxy.core.errors import CassetteError, UpstreamError
from chatproxy.core.http.headers import end_to_end
from chatproxy.core.model import (
    NO_CREDENTIALS,
    NO_EXCHANGE,
    Exchange,
    ExchangeNumber,
    Forward,
    Headers,
    Request,
    Response,
)
from chatproxy.core.record.recorder import Recorder

ACCOUNT = "AC" + "0" * 32


def record(recorder: Recorder, method: str) -> Exchange:
    return recorder.exchange(Forward(Request(method, MESSAGES), 0, NO_EXCHANGE), Response(200), 1)


def test_law_5_exchanges_are_numbered_in_the_order_of_their_answers() -> None:
    recorder = Recorder("a", UPSTREAM)
    assert [record(recorder, method).number for method in ("GET", "POST", "GET")] == [1, 2, 3]


def test_numbers_go_on_from_the_first_one_given() -> None:
    assert record(Recorder("a", UPSTREAM, first=ExchangeNumber(7)), "GET").number == 7


def test_credentials_that_are_sent_on_the_way_are_blanked_as_the_clients() -> None:
    login = basic(b"corp", b"the-proxy-password-0123456")
    recorder = Recorder("a", UPSTREAM, besides=((b"Proxy-Authorization", login[1]),))
    answer = Response(200, body=b"corp:the-proxy-password-0123456 " + login[1])
    exchange = recorder.exchange(Forward(Request("GET", b"/"), 0, NO_EXCHANGE), answer, 1)
    assert exchange.response.body == b"corp:__blanked__ Basic __blanked__"
    assert exchange.user == NO_CREDENTIALS


def test_no_answer_comes_before_its_request_though_the_clock_was_set_back() -> None:
    exchange = Recorder("a", UPSTREAM).exchange(Forward(Request("GET", b"/"), 20, NO_EXCHANGE), Response(200), 10)
    assert (exchange.asked, exchange.answered) == (20, 20)


def test_the_last_write_is_the_last_one_answered() -> None:
    assert Recorder("a", UPSTREAM).last_write == 0
    recorder = Recorder("a", UPSTREAM, first=ExchangeNumber(4), last_write=ExchangeNumber(2))
    last_writes = []
    for method in ("GET", "POST", "HEAD", "DELETE", "OPTIONS"):
        record(recorder, method)
        last_writes.append(recorder.last_write)
    assert last_writes == [2, 5, 5, 7, 7]


def test_an_exchange_keeps_its_moments_its_upstream_and_its_user() -> None:
    request = Request("POST", MESSAGES, (FORM, basic(ACCOUNT.encode(), b"secret")), b"Body=a", "http://here:1")
    exchange = Recorder("a", UPSTREAM).exchange(
        Forward(request, asked=5, after=ExchangeNumber(3)), Response(201, b"Created"), 9
    )
    stored = Request("POST", MESSAGES, (FORM,), b"Body=a", "http://here:1")
    assert exchange == numbered(1, stored, Response(201, b"Created"), UPSTREAM, 5, 9, after=3, user=ACCOUNT)


def test_fields_of_one_connection_and_our_own_are_not_stored() -> None:
    fields = ((b"Host", b"a"), (b"X-Chatproxy-Session", b"s"), (b"TE", b"x"), (b"Accept", b"*/*"))
    exchange = Recorder("a", UPSTREAM).exchange(
        Forward(Request("GET", MESSAGES, fields), 0, NO_EXCHANGE), Response(200), 1
    )
    assert exchange.request.headers == ((b"Accept", b"*/*"),)


_texts = st.binary(max_size=6) | st.binary(max_size=2).map(lambda end: b"a" + end)


@given(
    st.integers(0, 999),
    _texts,
    st.lists(st.tuples(_texts | st.just(b"X-A"), _texts), max_size=3).map(tuple),
    st.binary(max_size=6),
)
def test_law_an_answer_is_recorded_exactly_if_a_fixture_can_hold_it(
    status: int, reason: bytes, fields: Headers, body: bytes
) -> None:
    response = Response(status, reason, fields, body)
    recorder = Recorder("a", UPSTREAM)
    kept = replace(response, headers=_kept(fields))
    one = numbered(1, Request("GET", MESSAGES), kept, UPSTREAM, 0, 1, user=NO_CREDENTIALS)
    try:
        read_back = read(written([one])).exchanges
    except CassetteError:
        with pytest.raises(UpstreamError):
            recorder.exchange(Forward(one.request, 0, NO_EXCHANGE), response, 1)
        assert record(recorder, "GET").number == 1
    else:
        assert read_back == (recorder.exchange(Forward(one.request, 0, NO_EXCHANGE), response, 1),) == (one,)


def _kept(fields: Headers) -> Headers:
    return tuple(field for field in end_to_end(fields) if not is_credential(field[0]))


def test_bytes_that_are_no_text_are_recorded_as_they_are() -> None:
    answer = Response(200, b"caf\xe9", ((b"X-A", b"caf\xe9"), (b"X-A", b"\xc3\xa9\xff")), b"\xe9")
    made = Recorder("a", UPSTREAM).exchange(Forward(Request("GET", MESSAGES), 0, NO_EXCHANGE), answer, 1)
    assert made.response == answer
    assert read(written([made])).exchanges == (made,)


@given(requests, responses)
def test_without_credentials_all_but_some_fields_is_stored_as_it_was(request: Request, response: Response) -> None:
    exchange = Recorder("a", UPSTREAM).exchange(Forward(request, 0, NO_EXCHANGE), response, 1)
    assert exchange.request.headers == tuple(
        field for field in end_to_end(request.headers) if not is_credential(field[0])
    )
    assert exchange.response.headers == tuple(field for field in response.headers if not is_credential(field[0]))
    stored = exchange.request, exchange.response
    assert (stored[0].method, stored[0].target, stored[0].body) == (request.method, request.target, request.body)
    assert (stored[1].status, stored[1].reason, stored[1].body) == (response.status, response.reason, response.body)


@pytest.mark.parametrize("abandoned", [False, True])
def test_an_exchange_tells_whose_client_had_gone(abandoned: bool) -> None:
    forward = Forward(Request("POST", MESSAGES), 0, NO_EXCHANGE)
    assert Recorder("a", UPSTREAM).exchange(forward, Response(200), 1, abandoned=abandoned).abandoned is abandoned
