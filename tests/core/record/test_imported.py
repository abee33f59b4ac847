from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from core.scenarios import Recording, Step, scenarios
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, MESSAGES, UPSTREAM, basic

from chatproxy.core.model import NO_CREDENTIALS, OTHER_CREDENTIALS, Exchange, ExchangeNumber, Request, Response
from chatproxy.core.record.imported import Captured, exchanges
from chatproxy.core.record.recorder import Recorder

SECRET = b"a secret of the upstream"


def seen(method: str, asked: int, answered: int) -> Captured:
    return Captured(Request(method, MESSAGES), Response(200), asked, answered)


def recorded(*captured: Captured, first: int = 1) -> list[Exchange]:
    return list(exchanges(captured, Recorder("a", UPSTREAM, ExchangeNumber(first))))


@given(scenarios, st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_law_traffic_becomes_what_recording_it_would_have_made_in_whichever_order_it_is_given(
    scenario: Sequence[Sequence[Step]], seed: int, order: Random
) -> None:
    recording = Recording(Random(seed)).run(scenario)
    user = basic(recording.account.encode(), SECRET)
    captured = [
        Captured(replace(one.request, headers=(user, *one.request.headers)), one.response, one.asked, one.answered)
        for one in recording.exchanges
    ]
    order.shuffle(captured)
    assert list(exchanges(captured, Recorder("a", recording.upstream))) == recording.exchanges


def test_exchanges_come_in_the_order_of_their_answers() -> None:
    made = recorded(seen("GET", 1, 9), seen("GET", 2, 4))
    assert [(one.number, one.asked, one.answered) for one in made] == [(1, 2, 4), (2, 1, 9)]


def test_an_exchange_comes_after_the_last_write_that_was_answered_when_its_request_came() -> None:
    made = recorded(seen("POST", 1, 3), seen("DELETE", 2, 6), seen("GET", 3, 7), seen("GET", 6, 8), seen("POST", 6, 9))
    assert [one.after for one in made] == [0, 0, 1, 2, 2]


def test_a_read_is_nothing_to_come_after() -> None:
    assert [one.after for one in recorded(seen("GET", 1, 2), seen("HEAD", 3, 4), seen("POST", 5, 6))] == [0, 0, 0]


def test_numbers_go_on_from_those_of_the_recorder() -> None:
    made = recorded(seen("POST", 1, 2), seen("GET", 3, 4), first=7)
    assert [(one.number, one.after) for one in made] == [(7, 0), (8, 7)]


def test_no_credentials_are_in_what_is_made() -> None:
    account = b"AC" + b"0" * 32
    request = Request("POST", MESSAGES, (FORM, basic(account, SECRET)), b"Body=" + SECRET)
    (made,) = recorded(Captured(request, Response(201, body=b'{"body": "' + SECRET + b'"}'), 1, 2))
    assert made.user == account.decode()
    assert made.request.headers == (FORM,)
    assert SECRET not in made.request.body + made.response.body
    assert b64encode(account + b":" + SECRET).decode() not in repr(made)


def test_nothing_captured_is_nothing_recorded() -> None:
    assert recorded() == []


def sent(*credentials: tuple[bytes, bytes], at: int, status: int = 200) -> Captured:
    return Captured(Request("GET", MESSAGES, credentials), Response(status), at, at)


TOKEN = (b"Authorization", b"Bearer x")


def test_where_no_request_has_credentials_they_are_not_known_not_even_where_they_were_asked_for() -> None:
    made = recorded(sent(at=1), sent(at=2, status=401), sent((b"Authorization", b" "), at=3), sent(FORM, at=4))
    assert [one.user for one in made] == [None] * 4


@pytest.mark.parametrize(
    ("credentials", "user"), [(basic(b"AC" + b"0" * 32, b"x"), "AC" + "0" * 32), (TOKEN, OTHER_CREDENTIALS)]
)
@pytest.mark.parametrize("at", [0, 9])
def test_where_a_request_has_credentials_the_others_had_none(
    credentials: tuple[bytes, bytes], user: str, at: int
) -> None:
    made = recorded(sent(at=1), sent(at=2, status=401), sent(credentials, at=at))
    found = [NO_CREDENTIALS, NO_CREDENTIALS]
    assert [one.user for one in made] == ([*found, user] if at else [user, *found])
