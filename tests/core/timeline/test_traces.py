import json

import pytest
from exchanges import numbered
from strategies import FORM, JSON, UPSTREAM

from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, Request, Response
from chatproxy.core.timeline.traces import Trace, opens_epoch, trace

RULES = Rules()
SERVICE, CHANNEL, MESSAGE = ("/v1/Services/IS" + "1" * 32, "CH" + "2" * 32, "IM" + "3" * 32)
BY_NAME = f"{SERVICE}/Channels/general/Messages"


def traced(*requests: tuple[str, str, bytes, dict[str, object]]) -> list[Trace]:
    exchanges = [
        numbered(
            number,
            Request(method, target.encode(), (FORM,), body),
            Response(200, b"", (JSON,), json.dumps(answer).encode()),
            UPSTREAM,
            number,
            number,
        )
        for number, (method, target, body, answer) in enumerate(requests, 1)
    ]
    return trace((one, normalize(one.request, RULES)) for one in exchanges)


@pytest.mark.parametrize(
    ("method", "status", "opens"),
    [("POST", 201, True), ("DELETE", 204, True), ("POST", 404, False), ("POST", 503, True), ("GET", 200, False)],
)
def test_law_4_a_write_answered_below_400_or_with_5xx_may_have_had_an_effect(
    method: str, status: int, opens: bool
) -> None:
    assert opens_epoch(numbered(1, Request(method, b"/"), Response(status), UPSTREAM, 0, 0)) is opens


def test_two_spellings_of_a_channel_are_one_path() -> None:
    by_name, by_sid = traced(
        ("POST", BY_NAME, b"Body=a", {"sid": MESSAGE, "channel_sid": CHANNEL}),
        ("GET", f"{SERVICE}/Channels/{CHANNEL}/Messages/{MESSAGE}", b"", {}),
    )
    assert by_name.path == by_name.timeline == by_sid.timeline
    assert by_sid.member == MESSAGE
    assert (by_name.is_member, by_sid.is_member) == (False, True)


def test_only_a_write_makes_objects() -> None:
    made, read = traced(("POST", BY_NAME, b"Body=a", {"sid": MESSAGE}), ("GET", BY_NAME, b"", {"sid": MESSAGE}))
    assert (made.made, read.made) == ((MESSAGE,), ())


def test_the_shape_is_the_same_for_other_sids_and_page_tokens_that_mean_nothing() -> None:
    one, other, offset, more = traced(
        ("GET", f"{BY_NAME}?A=IM{'4' * 32}&PageToken=abc", b"", {}),
        ("GET", f"{BY_NAME}?A={MESSAGE}&PageToken=def", b"", {}),
        ("GET", f"{BY_NAME}?A={MESSAGE}&PageToken=PT50", b"", {}),
        ("GET", f"{BY_NAME}?A={MESSAGE}&PageToken=PT50", b"B=c", {}),
    )
    shapes = [(each.kind, each.query, each.content) for each in (one, other, offset, more)]
    assert shapes[0] == shapes[1] != shapes[2] != shapes[3]
    assert one.kind == "GET /v1/Services/IS*/Channels/general/Messages"


def test_a_list_in_descending_order_is_told() -> None:
    up, down = traced(("GET", BY_NAME, b"", {}), ("GET", f"{BY_NAME}?Order=desc", b"", {}))
    assert (up.descending, down.descending) == (False, True)


@pytest.mark.parametrize(
    ("user", "status", "found"), [(NO_CREDENTIALS, 401, True), (NO_CREDENTIALS, 200, False), (None, 401, False)]
)
def test_what_asks_for_credentials_is_told(user: str | None, status: int, found: bool) -> None:
    one = numbered(1, Request("POST", BY_NAME.encode()), Response(status), UPSTREAM, 0, 0, user=user)
    (traced,) = trace([(one, normalize(one.request, RULES))])
    assert (traced.is_challenge, traced.opens) == (found, status == 200)
