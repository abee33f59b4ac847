from dataclasses import replace

import pytest
from exchanges import numbered
from strategies import FORM

from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, ExchangeNumber, InOrder, Request, Response
from chatproxy.core.sharing.retries import repeated_attempts, without

RULES = Rules()
ONE, OTHER = "AC" + "1" * 32, "AC" + "2" * 32


def attempt(number: int, status: int, body: bytes = b"Body=a", user: str = ONE, asked: int | None = None) -> Exchange:
    request = Request("POST", b"/v1/Services/IS1/Channels/general/Messages", (FORM,), body)
    moment = 10 * number
    return numbered(
        number,
        request,
        Response(status),
        "https://chat.twilio.com",
        moment if asked is None else asked,
        moment,
        0,
        user,
    )


@pytest.mark.parametrize(
    ("exchanges", "repeated"),
    [
        ([attempt(1, 429), attempt(2, 503), attempt(3, 201)], {1, 2}),
        ([attempt(1, 429), attempt(2, 429)], {1}),
        ([attempt(1, 500), attempt(2, 502), attempt(3, 504), attempt(4, 403), attempt(5, 201)], set()),
        ([attempt(1, 429), attempt(2, 201, b"Body=b")], set()),
        ([attempt(1, 429), attempt(2, 201, user=OTHER)], set()),
        ([attempt(1, 201), attempt(2, 429)], set()),
        ([attempt(1, 429), attempt(2, 201, asked=5)], set()),
        ([attempt(1, 429), attempt(2, 201, asked=5), attempt(3, 201)], {1}),
        ([attempt(1, 429), attempt(2, 201, b"Body=b"), attempt(3, 201), attempt(4, 201)], {1}),
    ],
)
def test_what_was_never_processed_and_sent_again_after_its_answer_is_a_retry(
    exchanges: list[Exchange], repeated: set[int]
) -> None:
    assert repeated_attempts(exchanges, RULES) == repeated


def test_nothing_is_said_any_more_of_what_is_left_out() -> None:
    def number(*numbers: int) -> tuple[ExchangeNumber, ...]:
        return tuple(map(ExchangeNumber, numbers))

    told = replace(attempt(2, 201), in_order=InOrder(with_=number(4, 5), without=number(1)))
    silent = replace(attempt(3, 201), in_order=InOrder(with_=number(5)))
    left = list(without([attempt(1, 503), told, silent, attempt(4, 429)], frozenset(number(1, 4))))
    assert left == [replace(told, in_order=InOrder(with_=number(5))), silent]
