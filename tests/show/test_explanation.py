import json

from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Request
from chatproxy.core.replay.explain import Explanation, Near
from chatproxy.show.explanation import explanation_json, explanation_text

FORM = normalize(Request("GET", b"/v1/x?a=1"), Rules())
MISS = Explanation(
    FORM, ["no header counts"], None, "never recorded", [Near(3, ["method is A where this has B"])], ["a"]
)
HIT = Explanation(FORM, ["no header counts"], 5, None, [Near(5, [])], [])


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
    nothing = Explanation(FORM, [], None, "never recorded", [], [])
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
