import pytest
from hypothesis import given
from strategies import FORM, JSON, MULTIPART, ORIGIN, multipart, requests, sids

from chatproxy.core.matching.normal_form import normalize, translate
from chatproxy.core.matching.rules import Rules
from chatproxy.core.matching.shaping import shaping
from chatproxy.core.model import Request
from chatproxy.core.scrubbing.rules import Action, LooksAt, Scrub, ScrubRule

PATH = b"/v1/Services/IS" + b"1" * 32 + b"/Channels/general/Messages"


def shaped(request: Request, rules: Rules | None = None) -> list[str]:
    rules = rules or Rules()
    form = normalize(request, rules)
    return shaping(request, rules, form, form)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request("GET", b"/v1/x?a=1&b=2"), []),
        (
            Request("GET", b"/v1/x", host="chat.ie1.twilio.com"),
            ["the host chat.ie1.twilio.com counts as chat.twilio.com"],
        ),
        (Request("GET", b"/v1/%78"), ["the path is decoded"]),
        (Request("GET", b"/v1/x?b=2&a=1"), ["the query is sorted by name"]),
        (
            Request("POST", b"/v1/x", (FORM,), b"a=%41"),
            ["the values of the form are decoded, with JSON objects and arrays in one spelling"],
        ),
        (Request("GET", PATH + b"?PageSize=50"), ["in the query, 'PageSize=50' is the default and left out"]),
        (Request("POST", PATH, (FORM,), b"From=system"), ["in the form, 'From=system' is the default and left out"]),
        (Request("POST", b"/v1/x", (JSON,), b'{"b": 1}'), ["the JSON body is put into one spelling for its content"]),
        (Request("POST", b"/v1/x", (), b"any"), []),
        (
            Request(
                "POST", PATH, (MULTIPART,), multipart([(b"From", None, None, b"system"), (b"a", None, None, b"1")])
            ),
            [
                "the multipart form counts by its parts, sorted by name, whatever its boundary",
                "in the multipart form, 'From' is the default and left out",
            ],
        ),
        (
            Request("GET", b"/v1/x?a=http://127.0.0.1:8765/y", origin=ORIGIN),
            [
                "the values of the query are decoded, with JSON objects and arrays in one spelling",
                "the proxy's own address http://127.0.0.1:8765 counts as the upstream's",
            ],
        ),
    ],
)
def test_each_rule_that_shaped_a_request_is_named(request_: Request, said: list[str]) -> None:
    assert shaped(request_) == [*said, "no header counts"]


def test_the_headers_that_count_are_named() -> None:
    assert shaped(Request("GET", b"/v1/x"), Rules(("X-B", "x-a"))) == ["of the headers these count: x-a, x-b"]


def test_sids_that_stand_for_others_are_named() -> None:
    one, other = "CH" + "1" * 32, "CH" + "2" * 32
    form = normalize(Request("GET", f"/v1/{one}".encode()), Rules())
    translated = translate(form, lambda _: other.encode())
    assert shaping(Request("GET", form.path), Rules(), form, translated)[-1] == f"{one} stands for the recorded {other}"


@given(requests, sids())
def test_what_is_said_is_one_line_for_any_request(request: Request, sid: str) -> None:
    assert all("\n" not in line for line in shaped(request))


def test_an_ignored_parameter_is_named_as_such() -> None:
    rules = Rules(ignore=frozenset({("", "Body")}))
    said = shaped(Request("POST", PATH, (FORM,), b"Body=a&From=b"), rules)
    assert said == ["in the form, 'Body=a' is ignored and left out", "no header counts"]


def test_that_there_are_rules_of_scrubbing_is_said() -> None:
    rule = ScrubRule(LooksAt.FIELD, "a", Action.DROP)
    for count, words in ((1, "1 rule"), (2, "2 rules")):
        said = shaped(Request("GET", b"/v1/x"), Rules(scrub=Scrub((rule,) * count)))
        assert said == [f"the request is scrubbed by {words}", "no header counts"]


def test_an_ignored_part_is_named() -> None:
    request = Request("POST", PATH, (MULTIPART,), multipart([(b"Body", None, None, b"a")]))
    assert "in the multipart form, 'Body' is ignored and left out" in shaped(
        request, Rules(ignore=frozenset({("", "Body")}))
    )


def test_a_pair_that_is_left_out_gives_no_command() -> None:
    request = Request("POST", PATH, (FORM,), b"Body=##[error]")
    (left_out, *_) = shaped(request, Rules(ignore=frozenset({("", "Body")})))
    assert left_out == "in the form, 'Body=\\u0023#[error]' is ignored and left out"


def test_a_condition_counts_beside_what_the_rules_name() -> None:
    request = Request("GET", b"/v1/x", ((b"If-None-Match", b"a"), (b"Range", b"bytes=0-1")))
    assert shaped(request)[-1] == "of the headers these count: if-none-match, range"
    assert shaped(request, Rules(("X-A",)))[-1] == "of the headers these count: if-none-match, range, x-a"
