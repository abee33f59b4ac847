import json
from xml.etree import ElementTree

from chatproxy.core.review.findings import Checked, Finding, Severity
from chatproxy.show.checked import as_json, junit, reaches, text

GET, POST = "GET /v1/Services/IS*/Channels/CH*/Messages", "POST /v1/Services/IS*/Channels/CH*/Messages"
CHECKED = [
    Checked("a/1", POST, [Finding(Severity.HIGH, POST, "a/1", "status", "was 201, is 500")]),
    Checked("a/2", GET, [Finding(Severity.LOW, GET, "a/2", "/body", 'was "a", is "\0\ud800"')]),
    Checked("a/3", POST, skipped="it is a write"),
    Checked("a/4", GET),
]


def test_the_text_goes_by_endpoint_and_ends_with_a_summary() -> None:
    assert text(CHECKED).splitlines() == [
        GET,
        '  low   a/2  /body was "a", is "\0\ud800"',
        POST,
        "  high  a/1  status was 201, is 500",
        "3 of 4 exchanges checked, 1 skipped: 1 high, 1 low",
    ]
    assert text(CHECKED[3:]) == "1 of 1 exchanges checked: no findings"


def test_the_text_shows_twenty_findings_of_an_exchange() -> None:
    many = [Finding(Severity.LOW, GET, "a/1", f"/{number}", "was 1, is 2") for number in range(30)]
    lines = text([Checked("a/1", GET, many)]).splitlines()
    assert len(lines) == 23
    assert lines[21] == "  low   a/1  and in 10 more places"


def test_the_json_has_it_all() -> None:
    content = json.loads(as_json(CHECKED))
    assert content["summary"] == {"exchanges": 4, "checked": 3, "skipped": 1, "high": 1, "low": 1}
    assert content["exchanges"][0]["findings"][0]["severity"] == "high"
    assert content["exchanges"][2] == {"exchange": "a/3", "endpoint": POST, "findings": [], "skipped": "it is a write"}


def test_junit_fails_from_the_bound_on_and_is_valid_for_any_character() -> None:
    suite = ElementTree.fromstring(junit(CHECKED, "a", Severity.HIGH))
    assert suite.attrib == {"name": "a", "tests": "4", "failures": "1", "errors": "0", "skipped": "1"}
    assert [[inner.tag for inner in case] for case in suite] == [["failure"], ["system-out"], ["skipped"], []]
    assert "\N{REPLACEMENT CHARACTER}" * 2 in (suite[1][0].text or "")
    low = ElementTree.fromstring(junit(CHECKED, "a", Severity.LOW))
    assert low.attrib["failures"] == "2"


def test_a_bound_is_reached_by_what_is_at_or_above_it() -> None:
    assert reaches(CHECKED, Severity.HIGH)
    assert not reaches(CHECKED[1:], Severity.HIGH)
    assert reaches(CHECKED[1:], Severity.LOW)
    assert not reaches(CHECKED[2:], Severity.LOW)
