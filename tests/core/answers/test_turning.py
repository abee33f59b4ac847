import pytest
from hypothesis import given
from strategies import JSON, MESSAGES, UPSTREAM, responses, twilio_responses

from chatproxy.core.answers.template import Learned, as_recorded, compiled_reply
from chatproxy.core.answers.turning import turned
from chatproxy.core.model import Exchange, Request, Response
from chatproxy.core.timeline.epochs import Place

HERE = "http://here:1"


@given(twilio_responses | responses)
def test_law_10_a_live_answer_is_turned_as_a_recorded_one(response: Response) -> None:
    recorded = Exchange(1, Request("GET", MESSAGES), response, UPSTREAM, 0, 0)
    replayed = compiled_reply(recorded, Place(0, 0, 0), Learned()).render(as_recorded(HERE))
    assert turned(response, UPSTREAM, HERE) == replayed


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (UPSTREAM.encode() + b"/v1/a", b"http://here:1/v1/a"),
        (b"https://chat.ie1.twilio.com/v1/a", b"http://here:1/v1/a"),
        (b"/v1/a", b"/v1/a"),
        (b"https://api.twilio.com/v1/a", b"https://api.twilio.com/v1/a"),
        (b"https://media.example/?of=" + UPSTREAM.encode(), b"https://media.example/?of=" + UPSTREAM.encode()),
    ],
)
def test_law_10_a_location_is_turned_if_it_is_the_upstreams(location: bytes, expected: bytes) -> None:
    headers = ((b"Link", UPSTREAM.encode()), (b"LOCATION", location), (b"location", location))
    answer = turned(Response(201, b"Created", headers), UPSTREAM, HERE)
    assert answer.headers == ((b"Link", UPSTREAM.encode()), (b"LOCATION", expected), (b"location", expected))


def test_law_10_addresses_in_a_body_are_turned_as_they_are_written() -> None:
    body = b'{"url": "%b/v1", "links": {"a": "%b"}, "body": "%b"}'
    one, escaped = UPSTREAM.encode(), UPSTREAM.replace("/", r"\/").encode()
    answer = turned(Response(200, b"OK", (JSON,), body % (one, escaped, one)), UPSTREAM, HERE)
    assert answer.body == body % (b"http://here:1", rb"http:\/\/here:1", one)
