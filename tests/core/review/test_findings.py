import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from strategies import FORM, JSON, MESSAGES, MULTIPART, Json, json_containers, multipart, requests, responses

from chatproxy.core.matching.normal_form import NormalForm, normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Headers, Request, Response
from chatproxy.core.review.findings import Checked, Finding, Severity, compare_requests, compare_responses, findings
from chatproxy.core.text.json_text import canonical
from chatproxy.core.twilio.volatile import is_volatile

HIGH, LOW = Severity.HIGH, Severity.LOW


def response(content: object = None, status: int = 200, headers: Headers = (JSON,), reason: bytes = b"OK") -> Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Response(status, reason, headers, body)


def form(
    body: bytes = b"", query: bytes = b"", headers: Headers = (FORM,), host: str = "chat.twilio.com"
) -> NormalForm:
    return normalize(Request("POST", MESSAGES + query, headers, body, host=host), Rules(("X-A",)))


@given(responses)
def test_law_an_answer_does_not_differ_from_itself(one: Response) -> None:
    assert list(compare_responses(one, one)) == []


@given(responses, st.permutations([b"Date", b"ETag", b"X-Cache"]), st.randoms(use_true_random=False))
def test_law_volatile_fields_and_the_order_of_names_do_not_count(
    one: Response, names: list[bytes], random: object
) -> None:
    by_name = sorted(one.headers, key=lambda field: field[0].lower())  # those of one name keep their order
    other = Response(one.status, one.reason, ((names[0], b"x"), *by_name, (names[1], b"y")), one.body)
    assert list(compare_responses(one, other)) == []
    assert all(map(is_volatile, names))


@given(json_containers, json_containers)
def test_law_two_json_bodies_differ_exactly_in_content(one: Json, other: Json) -> None:
    assume(None not in (canonical(json.dumps(value).encode()) for value in (one, other)))
    found = list(compare_responses(response(one), response(other)))
    assert (not found) == (canonical(response(one).body) == canonical(response(other).body))


@given(requests, requests)
@example(Request("GET", b"/", (), b'[{"": 0, "a": 1}]'), Request("GET", b"/", (), b'[{"a": 1, "": 0}]'))
def test_law_two_requests_to_an_endpoint_differ_exactly_in_what_a_key_has(one: Request, other: Request) -> None:
    before, after = (normalize(request, Rules(("X-A",))) for request in (one, other))
    after = after._replace(method=before.method, path=before.path)
    assert (not list(compare_requests(before, after))) == (before.key == after.key)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (response(status=200), response(status=404), (HIGH, "status", "was 200, is 404")),
        (response(reason=b"OK"), response(reason=b"Fine"), (LOW, "reason", 'was "OK", is "Fine"')),
        (response({"a": "ü"}), response({"a": "b"}), (LOW, "/a", 'was "ü", is "b"')),
        (response({"a": 1}), response({"a": -2.5}), (LOW, "/a", "was 1, is -2.5")),
        (response({"a": True}), response({"a": False}), (LOW, "/a", "was true, is false")),
        (response({"a": "1"}), response({"a": 1}), (HIGH, "/a", 'was "1", is 1')),
        (response({"a": None}), response({"a": "x"}), (HIGH, "/a", 'was null, is "x"')),
        (response({"a": [1]}), response({"a": [1, {"b": 2}]}), (HIGH, "/a/1", 'is new: {"b": 2}')),
        (response({"a/b": "c"}), response({}), (HIGH, "/a~1b", 'is gone, was "c"')),
        (response([]), response({}), (HIGH, "body", "was [], is {}")),
        (response(b"{}"), response(b"oops"), (HIGH, "body", 'was "{}", is "oops"')),
        (response(b"one"), response(b"two"), (LOW, "body", 'was "one", is "two"')),
        (response(b""), response(b"two"), (HIGH, "body", 'is new: "two"')),
        (response(b"{}"), response(b""), (HIGH, "body", 'is gone, was "{}"')),
        (
            response(headers=(JSON, (b"X-A", b"1%41"))),
            response(headers=(JSON, (b"x-a", b"1A"))),
            (LOW, "header x-a", 'was "1%41", is "1A"'),
        ),
        (
            response(headers=(JSON, (b"X-A", b"1"))),
            response(headers=(JSON,)),
            (HIGH, "header x-a", 'is gone, was "1"'),
        ),
        (
            response({"a": "x" * 50 + "1" + "y" * 50}),
            response({"a": "x" * 50 + "2" + "y" * 50}),
            (LOW, "/a", "was …xxxxxxxxxxxxxxx1yyyyyyyyyyyyyy…, is …xxxxxxxxxxxxxxx2yyyyyyyyyyyyyy…"),
        ),
    ],
)
def test_answers_differ_in_places(one: Response, other: Response, expected: tuple[Severity, str, str]) -> None:
    assert list(compare_responses(one, other)) == [expected]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (form(b"Body=a%26b"), form(b"Body=b"), (LOW, "request form field Body", 'was "a&b", is "b"')),
        (form(b"Body=a"), form(b""), (HIGH, "request form field Body", 'is gone, was "a"')),
        (form(b"Body=a"), form(b"Body"), (LOW, "request form field Body", 'was "a", is no value')),
        (form(b"A=a&A=b"), form(b"A=a&A=c"), (LOW, "request form field A", 'was "a", "b", is "a", "c"')),
        (
            form(b'Attributes={"a": ["100%25"]}'),
            form(b'Attributes={"a": ["99%25"]}'),
            (LOW, "request form field Attributes /a/0", 'was "100%", is "99%"'),
        ),
        (form(b"Attributes=[1]"), form(b"Attributes={}"), (HIGH, "request form field Attributes", "was [1], is {}")),
        (form(query=b"?a=1"), form(query=b"?b=1&a=1"), (HIGH, "request query parameter b", 'is new: "1"')),
        (form(query=b"?a=[1]"), form(query=b"?a=[1.0]"), (LOW, "request query parameter a", 'was "[1]", is "[1.0]"')),
        (
            form(headers=((b"X-A", b"1"),)),
            form(headers=((b"X-A", b"2"),)),
            (LOW, "request header x-a", 'was "1", is "2"'),
        ),
        (form(host="a.example"), form(), (LOW, "request host", 'was "a.example", is "chat.twilio.com"')),
        (form(b"Body=a"), form(b"{}", headers=(JSON,)), (HIGH, "request body", "was a form, is JSON")),
        (form(b'{"a":1}', headers=(JSON,)), form(b'{"a":2}', headers=(JSON,)), (LOW, "request /a", "was 1, is 2")),
        (form(b"a", headers=()), form(b"b", headers=()), (LOW, "request body", 'was "a", is "b"')),
    ],
)
def test_requests_differ_in_places(one: NormalForm, other: NormalForm, expected: tuple[Severity, str, str]) -> None:
    assert list(compare_requests(one, other)) == [expected]


def test_a_change_becomes_a_finding_of_an_exchange() -> None:
    found = findings("GET /v1", "a/1", compare_responses(response(status=200), response(status=201)))
    assert found == [Finding(HIGH, "GET /v1", "a/1", "status", "was 200, is 201")]


def test_a_severity_reaches_its_own_bound_and_those_below() -> None:
    assert [one.reaches(bound) for one in Severity for bound in Severity] == [True, True, False, True]


def test_what_is_not_skipped_was_checked() -> None:
    assert Checked("a/1", "GET /").skipped is None
    assert Checked("a/1", "GET /").findings == []


def test_a_multipart_form_differs_by_its_parts() -> None:
    one = form(multipart([(b"File", b"a", None, b"x"), (b"a", None, None, b"1")]), headers=(MULTIPART,))
    other = form(multipart([(b"File", b"b", None, b"x")]), headers=(MULTIPART,))
    assert [str(change.message) for change in compare_requests(one, other)] == ['was "a", is "b"', 'is gone, was "1"']
    assert [change.place for change in compare_requests(one, other)] == [
        "request form part File; filename",
        "request form field a",
    ]
    (kinds,) = compare_requests(one, form(b"a=1"))
    assert kinds.message == "was a multipart form, is a form"
