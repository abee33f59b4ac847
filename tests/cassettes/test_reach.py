from dataclasses import replace

import pytest
from exchanges import numbered
from strategies import FORM, JSON, MESSAGES, UPSTREAM

from chatproxy.cassettes.reach import scrubbed, within_reach
from chatproxy.core.errors import LeakError
from chatproxy.core.model import ExchangeNumber, Request, Response
from chatproxy.core.scrubbing.rules import NO_SCRUB, Action, LooksAt, Scrub, ScrubRule

RULES = Scrub(
    (
        ScrubRule(LooksAt.PARAMETER, "From", Action.DROP),
        ScrubRule(LooksAt.FIELD, "from", Action.REPLACE, "someone"),
    )
)
EXCHANGE = numbered(
    3,
    Request("POST", MESSAGES, (FORM, (b"X-Request-Id", b"1")), b"Body=hello&From=alice"),
    Response(201, b"Created", (JSON,), b'{"from": "alice"}'),
    UPSTREAM,
    0,
    0,
)
UNTYPED = replace(EXCHANGE, request=replace(EXCHANGE.request, headers=()))


def test_what_is_shared_of_a_recording_is_scrubbed() -> None:
    (shared,) = scrubbed("a", [EXCHANGE], RULES)
    assert shared.request.body == b"Body=hello"
    assert shared.response.body == b'{"from": "someone"}'
    assert shared.request.headers == (FORM,)


def test_without_rules_only_what_is_always_dropped_is_left_out() -> None:
    (shared,) = scrubbed("a", [EXCHANGE], NO_SCRUB)
    assert shared == replace(EXCHANGE, request=replace(EXCHANGE.request, headers=(FORM,)))


def test_what_the_rules_cannot_reach_is_named_and_not_passed_on() -> None:
    for passed in (scrubbed("a", [EXCHANGE, UNTYPED], RULES), within_reach("a", [(ExchangeNumber(3), UNTYPED)], RULES)):
        with pytest.raises(
            LeakError, match="a/3: is not exported: no type says that the body of its request is a form"
        ):
            list(passed)
