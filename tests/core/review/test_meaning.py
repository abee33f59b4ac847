import json
from dataclasses import replace

import pytest
from core.programs import PATH, Program, Step, again, steps
from exchanges import numbered
from hypothesis import given
from strategies import FORM, JSON, UPSTREAM

from chatproxy.core.answers.template import Slot
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, OTHER_CREDENTIALS, Exchange, Headers, Request, Response
from chatproxy.core.review.findings import compare_responses
from chatproxy.core.review.meaning import MASKS, Meaning, meaning

RULES = Rules()
IM = "IM" + "a" * 32


def meant(*exchanges: Exchange, rules: Rules = RULES) -> list[Meaning]:
    cassette = MemoryCassette("a", exchanges, rules)
    return [meaning(cassette, exchange.number, rules) for exchange in exchanges]


def exchange(
    number: int = 1, content: object = None, *, headers: Headers = (JSON,), sent: bytes = b"", upstream: str = UPSTREAM
) -> Exchange:
    request = Request("POST", PATH.encode(), (FORM,), sent)
    return numbered(
        number, request, Response(200, b"OK", headers, json.dumps(content).encode()), upstream, number, number
    )


def test_every_kind_of_slot_is_masked() -> None:
    assert MASKS.keys() == set(Slot)


def test_sids_instants_and_addresses_are_masked_and_the_rest_stays() -> None:
    content = {
        "sid": IM,
        "date_created": "2026-01-31T12:00:00Z",
        "date_updated": "2026-01-31T12:00:00.25Z",
        "date_sent": "Thu, 30 Jul 2015 20:00:00 +0000",
        "body": f"{IM} at 2026-01-31T12:00:00Z",
        "url": f"http://127.0.0.1:8766{PATH}/{IM}",
    }
    (one,) = meant(exchange(content=content, sent=f"Body={IM}".encode(), upstream="http://127.0.0.1:8766"))
    assert json.loads(one.response.body) == {
        "sid": "IM*",
        "date_created": "****-**-**T**:**:**Z",
        "date_updated": "****-**-**T**:**:**.*Z",
        "date_sent": "***, ** *** **** **:**:** +****",
        "body": "IM* at 2026-01-31T12:00:00Z",
        "url": "https://chat.twilio.com/v1/Services/IS*/Channels/CH*/Messages/IM*",
    }
    assert one.request.body == (b"Body=IM*",)
    assert one.endpoint == "POST /v1/Services/IS*/Channels/CH*/Messages"


def test_volatile_header_fields_do_not_count() -> None:
    headers = (JSON, (b"Date", b"Thu, 30 Jul 2015 20:00:00 GMT"), (b"X-Amz-Cf-Id", b"x"), (b"X-A", b"1"))
    (one,) = meant(exchange(headers=headers))
    assert one.response.headers == (JSON, (b"X-A", b"1"))


def test_what_does_not_count_in_a_match_does_not_count_in_its_echo() -> None:
    rules = Rules(ignore=frozenset({("", "Body")}))
    one, other = (
        meant(exchange(content={"sid": IM, "body": text}, sent=b"Body=" + text.encode()), rules=rules)
        for text in ("one", "other")
    )
    assert one == other


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        (Response(200, b"OK", (JSON, (b"X-A", b"1"), (b"x-a", b"2")), b'{"a":1}'), False),
        (Response(200, b"OK", ((b"x-a", b"1"), JSON, (b"X-A", b"2")), b'{"a": 1.0}'), False),
        (Response(200, b"OK", (JSON, (b"X-A", b"2"), (b"x-a", b"1")), b'{"a": 1}'), True),
        (Response(200, b"", (JSON, (b"X-A", b"1"), (b"X-A", b"2")), b'{"a": 1}'), True),
        (Response(201, b"OK", (JSON, (b"X-A", b"1"), (b"X-A", b"2")), b'{"a": 1}'), True),
        (Response(200, b"OK", (JSON, (b"X-A", b"1"), (b"X-A", b"2")), b"other"), True),
    ],
)
def test_answers_are_equal_exactly_if_they_do_not_differ(changed: Response, differs: bool) -> None:
    first = exchange()
    one = replace(first, response=Response(200, b"OK", (JSON, (b"X-A", b"1"), (b"X-A", b"2")), b'{"a": 1}'))
    (before,), (after,) = meant(one), meant(replace(first, response=changed))
    assert (before.answer != after.answer) is differs
    assert bool(list(compare_responses(before.response, after.response))) is differs


@given(steps)
def test_law_1_another_run_of_the_same_program_means_the_same(taken: list[Step]) -> None:
    one, other = Program().run(taken), again(taken)
    assert [one.response.body for one in one.exchanges[:1]] != [one.response.body for one in other.exchanges[:1]]
    assert meant(*one.exchanges) == meant(*other.exchanges)


def test_an_endpoint_is_shown_as_it_was_sent_and_gives_no_command() -> None:
    form = normalize(Request("GET", b"/a%2fb/##[error]/%1b"), Rules())
    assert Meaning(form, Response(200), None).endpoint == "GET /a%2Fb/\\u0023#[error]/\\u001b"


@pytest.mark.parametrize(
    ("user", "has_credentials"),
    [
        (None, None),
        (NO_CREDENTIALS, False),
        (OTHER_CREDENTIALS, True),
        ("AC" + "1" * 32, True),
        ("SK" + "1" * 32, True),
    ],
)
def test_whether_there_were_credentials_is_known_or_not(user: str | None, has_credentials: bool | None) -> None:
    (one,) = meant(replace(exchange(), user=user))
    assert one.has_credentials is has_credentials


def test_what_a_condition_sends_back_has_no_meaning_and_a_range_has_one() -> None:
    def masked(**conditions: bytes) -> tuple[bytes, ...]:
        headers = tuple((name.replace("_", "-").encode(), value) for name, value in conditions.items())
        exchange = numbered(1, Request("GET", b"/v1/x", headers), Response(200), "https://chat.twilio.com", 0, 0)
        cassette = MemoryCassette("a", [exchange], Rules())
        return meaning(cassette, exchange.number, Rules()).request.headers

    assert masked(If_None_Match=b'"a"', Range=b"bytes=0-3") == (b"if-none-match: *", b"range: bytes=0-3")
    assert masked(If_Modified_Since=b"a") == masked(if_modified_since=b"b") != masked()
