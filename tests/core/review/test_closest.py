import json
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from core.scenarios import RULES, Recording, Step, scenarios
from exchanges import numbered
from hypothesis import given
from hypothesis import strategies as st
from strategies import JSON, MESSAGES, UPSTREAM

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.model import ExchangeNumber, Request, Response
from chatproxy.core.review.closest import Closest, closest, differences
from chatproxy.core.review.findings import Finding, Severity

READ = Request("GET", MESSAGES)
KEY = normalize(READ, RULES).key
LIVE = "http://127.0.0.1:8766"


def response(*bodies: str, origin: str = UPSTREAM, sid: str = "1", **more: object) -> Response:
    """Return a page of messages with these bodies, each with a SID, a moment and a URL."""
    messages = [
        {"sid": f"IM{nth:x}" + sid * 31, "body": body, "date_created": f"2026-11-0{sid}T10:00:00Z", "url": origin}
        for nth, body in enumerate(bodies)
    ]
    return Response(200, b"OK", (JSON,), json.dumps({"messages": messages} | more).encode())


def cassette(*answers: Response, request: Request = READ) -> MemoryCassette:
    """Return a cassette in which the same request got these answers one after another."""
    recorded = [numbered(number, request, one, UPSTREAM, number, number) for number, one in enumerate(answers, 1)]
    return MemoryCassette("a", recorded, RULES)


def found(recorded: MemoryCassette, live: Response, upstream: str = UPSTREAM) -> Closest:
    near = closest(recorded, RULES, KEY, upstream, live)
    assert near is not None
    return near


@given(scenarios, st.integers(0, 2**32))
def test_law_each_recorded_answer_is_like_itself(scenario: Sequence[Sequence[Step]], seed: int) -> None:
    recording = Recording(Random(seed)).run(scenario)
    recorded = recording.cassette()
    for one in recording.exchanges:
        near = closest(recorded, RULES, normalize(one.request, RULES).key, recording.upstream, one.response)
        assert near is not None
        assert near.findings == differences(recorded, RULES, one.number, recording.upstream, one.response) == []


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=3), min_size=1, max_size=5), st.sampled_from("abc"))
def test_law_no_other_recorded_answer_differs_in_less(recorded: list[list[str]], body: str) -> None:
    answers, live = cassette(*(response(*bodies) for bodies in recorded)), response(body, body)
    near = found(answers, live)
    counts = [len(differences(answers, RULES, number, UPSTREAM, live)) for number in answers.numbers()]
    assert len(near.findings) == counts[near.number - 1] == min(counts)
    assert near.of == len(recorded)


def test_of_two_that_are_as_like_the_first_is_named() -> None:
    assert found(cassette(response("a"), response("b"), response("b")), response("b")) == Closest(
        ExchangeNumber(2), 3, []
    )


def test_sids_times_addresses_and_volatile_fields_are_no_difference() -> None:
    live = response("a", origin=LIVE, sid="9")
    live = replace(live, headers=(*live.headers, (b"Date", b"Fri, 01 Jan 2027 00:00:00 GMT"), (b"ETag", b"x")))
    assert found(cassette(response("a")), live, LIVE).findings == []


def test_what_differs_is_told_place_by_place() -> None:
    live = replace(response("b", new=1), status=404)
    endpoint = "GET /v1/Services/IS*/Channels/CH*/Messages"
    assert found(cassette(response("a")), live).findings == [
        Finding(Severity.HIGH, endpoint, "a/1", "status", "was 200, is 404"),
        Finding(Severity.LOW, endpoint, "a/1", "/messages/0/body", 'was "a", is "b"'),
        Finding(Severity.HIGH, endpoint, "a/1", "/new", "is new: 1"),
    ]


def test_nothing_is_like_the_answer_to_a_request_that_was_never_recorded() -> None:
    other = cassette(response("a"), request=Request("GET", MESSAGES + b"?PageSize=1"))
    assert closest(other, RULES, KEY, UPSTREAM, response("a")) is None


def test_of_many_recorded_answers_the_first_fifty_are_looked_at() -> None:
    many = cassette(*[response("a")] * 60, response("b"))
    near = found(many, response("b"))
    assert (near.number, near.of, len(near.findings)) == (1, 50, 1)
