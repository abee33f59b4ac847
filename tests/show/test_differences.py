import json

from chatproxy.core.model import ExchangeNumber
from chatproxy.core.review.comparison import Difference
from chatproxy.core.review.findings import Finding, Severity
from chatproxy.show.differences import review_json, review_text

POSTS, GETS = "POST /v1/Messages", "GET /v1/Messages"


def changed(endpoint: str, a: int, b: int, count: int = 1) -> Difference:
    found = [
        Finding(Severity.LOW, endpoint, f"a/{a} b/{b}", f"/{number}", f"was 1, is {number}") for number in range(count)
    ]
    return Difference(ExchangeNumber(a), ExchangeNumber(b), found)


def only_in_b(endpoint: str, b: int) -> Difference:
    return Difference(
        None,
        ExchangeNumber(b),
        [Finding(Severity.HIGH, endpoint, f"b/{b}", "exchange", "is only in b, answered 200, with Body=ü")],
    )


def test_differences_are_shown_by_endpoint_one_a_line() -> None:
    assert review_text([changed(POSTS, 1, 2), only_in_b(POSTS, 10), changed(GETS, 3, 4)]).split("\n") == [
        "POST /v1/Messages",
        "  low   a/1 b/2  /0 was 1, is 0",
        "  high  b/10     exchange is only in b, answered 200, with Body=ü",
        "GET /v1/Messages",
        "  low   a/3 b/4  /0 was 1, is 0",
        "2 endpoints differ: 2 changed, 0 only in a, 1 only in b",
    ]


def test_one_endpoint_differs_and_none_is_no_difference() -> None:
    assert review_text([changed(POSTS, 1, 2)]).endswith("\n1 endpoint differs: 1 changed, 0 only in a, 0 only in b")
    assert review_text([]) == "no differences"


def test_of_many_findings_in_one_exchange_the_first_are_shown() -> None:
    lines = review_text([changed(POSTS, 1, 2, count=25)]).split("\n")
    assert lines[20:22] == ["  low   a/1 b/2  /19 was 1, is 19", "  low   a/1 b/2  and in 5 more places"]
    assert len(lines) == 23


def test_as_json_there_are_all_findings_and_a_summary() -> None:
    shown = json.loads(review_json([changed(POSTS, 1, 2, count=25), only_in_b(GETS, 3)], "one", "b.json"))
    assert (shown["a"], shown["b"], len(shown["findings"])) == ("one", "b.json", 26)
    assert shown["findings"][-1] == {
        "severity": "high",
        "endpoint": GETS,
        "exchange": "b/3",
        "place": "exchange",
        "message": "is only in b, answered 200, with Body=ü",
    }
    assert shown["summary"] == {"endpoints": 2, "changed": 1, "only_in_a": 0, "only_in_b": 1, "high": 1, "low": 25}
