import json

from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import ExchangeNumber, Request
from chatproxy.core.replay.explain import Explanation
from chatproxy.core.replay.nearness import Near
from chatproxy.show.explanation import explanation_json, explanation_text

FORM = normalize(Request("GET", b"/v1/x?a=1"), Rules())
MISS = Explanation(
    FORM,
    FORM.key,
    ["no header counts"],
    None,
    "never recorded",
    [Near(ExchangeNumber(3), ["method is A where this has B"])],
    ["a"],
)
HIT = Explanation(FORM, FORM.key, ["no header counts"], ExchangeNumber(5), None, [Near(ExchangeNumber(5), [])], [])


def test_a_miss_is_shown_with_what_would_help() -> None:
    assert explanation_text(MISS, "tour").split("\n") == [
        "normal form:",
        "  GET chat.twilio.com/v1/x?a=1",
        "",
        "  empty",
        "rules:",
        "  no header counts",
        "miss: never recorded",
        'tour/3 would match with ignore = ["a"]',
        "nearest:",
        "  tour/3: method is A where this has B",
    ]


def test_a_hit_is_shown_with_its_exchange() -> None:
    assert explanation_text(HIT, "tour").split("\n")[6:] == ["hit: tour/5", "nearest:", "  tour/5: equal"]
    nothing = Explanation(FORM, FORM.key, [], None, "never recorded", [], [])
    assert explanation_text(nothing, "tour").endswith("miss: never recorded")


def test_json_has_the_same() -> None:
    content = json.loads(explanation_json(MISS, "tour"))
    assert content == {
        "normal_form": "GET chat.twilio.com/v1/x?a=1\n\nempty",
        "rules": ["no header counts"],
        "outcome": "miss",
        "exchange": None,
        "reason": "never recorded",
        "ignore": ["a"],
        "nearest": [{"exchange": "tour/3", "differences": ["method is A where this has B"]}],
    }
    assert json.loads(explanation_json(HIT, "tour"))["exchange"] == "tour/5"


def test_a_normal_form_is_shown_as_it_was_sent() -> None:
    headers = ((b"Content-Type", b"application/x-www-form-urlencoded"), (b"X-A", b"##[error]"))
    target = b"/v1/a%2fb?c=%26&d=100%25&e=1"
    body = b"Body=100%25+%26+more&From=two%0Alines&a=##[error]&::b=1"
    form = normalize(Request("POST", target, headers, body), Rules(("x-a",)))
    lines = explanation_text(Explanation(form, form.key, [], None, "x", [], []), "tour").split("\n")
    assert lines[1:9] == [
        '  POST chat.twilio.com/v1/a%2Fb?"c=&"&d=100%&e=1',
        '  "x-a: \\u0023#[error]"',
        "",
        "  form",
        '  "::b=1"',
        "  Body=100% & more",
        '  "From=two\\nlines"',
        '  "a=\\u0023#[error]"',
    ]
