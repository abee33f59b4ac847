import json

import pytest
from exchanges import STANDING, numbered
from hypothesis import given
from strategies import FORM, JSON, MESSAGES, MULTIPART, ORIGIN, UPSTREAM, multipart, responses, twilio_responses

from chatproxy.core.answers.template import (
    Addresses,
    Learned,
    Reply,
    Slot,
    Template,
    as_it_is,
    as_recorded,
    compiled_reply,
    turned,
)
from chatproxy.core.cassette.codec import decode_stencil, encode_reply
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Request, Response

HERE = "http://here:1"


def reply(response: Response, upstream: str, addresses: Addresses) -> Reply:
    exchange = numbered(1, Request("GET", MESSAGES), response, upstream, 0, 0)
    return compiled_reply(exchange, STANDING, Learned(addresses))


def rendered(body: str, *, upstream: str = UPSTREAM, addresses: Addresses | None = None, origin: str = HERE) -> str:
    response = Response(200, b"OK", (JSON,), body.encode())
    return reply(response, upstream, addresses or Addresses()).render(as_recorded(origin)).body.decode()


def sent(**fields: str) -> Addresses:
    """Return what was learned of a form with these fields, sent through the proxy at ORIGIN."""
    addresses = Addresses()
    body = "&".join(f"{name}={value}" for name, value in fields.items())
    addresses.learn(Request("POST", MESSAGES, (FORM,), body.encode(), origin=ORIGIN))
    return addresses


# Slots


def test_a_template_fills_its_slots_between_its_pieces() -> None:
    slots = ((Slot.ORIGIN, b"https://chat.twilio.com"), (Slot.ORIGIN, rb"https:\/\/chat.twilio.com"))
    template = Template((b"a ", b" b ", b""), slots)
    assert template.render(as_recorded("http://h:1")) == rb"a http://h:1 b http:\/\/h:1"


def test_a_template_without_slots_is_its_text() -> None:
    assert Template((b"a",)).render({}) == b"a"


@given(responses)
def test_law_9_what_has_no_url_of_the_upstream_is_served_byte_for_byte(response: Response) -> None:
    assert reply(response, "http://upstream.example", Addresses()).render(as_recorded(UPSTREAM)) == response


@given(twilio_responses)
def test_law_9_rendering_with_the_recorded_origin_gives_the_recorded_bytes(response: Response) -> None:
    compiled = reply(response, UPSTREAM, Addresses())
    assert compiled.render(as_recorded(UPSTREAM)) == response
    assert compiled.head.slots
    assert compiled.body.slots


@given(twilio_responses)
def test_law_10_urls_can_be_kept(response: Response) -> None:
    compiled = reply(response, UPSTREAM, Addresses())
    assert compiled.render(as_recorded(HERE) | {Slot.ORIGIN: as_it_is}) == response


@given(twilio_responses)
def test_law_10_rendering_with_another_origin_changes_urls_and_nothing_else(response: Response) -> None:
    answer = reply(response, UPSTREAM, Addresses()).render(as_recorded(HERE))
    assert (answer.status, answer.reason, answer.headers[0]) == (response.status, response.reason, response.headers[0])
    assert answer.headers[1] == (b"Location", response.headers[1][1].replace(UPSTREAM.encode(), HERE.encode()))
    assert json.loads(answer.body) == _turned(json.loads(response.body))


def _turned(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        return {key: _turned(inner, f"{name}.{key}") for key, inner in value.items()}
    if isinstance(value, list):
        return [_turned(inner) for inner in value]
    is_url = name in {".url", ".meta.url", ".meta.next_page_url", ".links.channel"}
    return value.replace(UPSTREAM, HERE) if is_url and isinstance(value, str) else value


# URLs of the API


@pytest.mark.parametrize(
    "template",
    [
        '{"url": "%s/v1/x"}',
        '{"url":"%s"}',
        '{"url": "%s?a=b"}',
        '{"messages": [{"a": {"url": "%s/v1"}}]}',
        '{"meta": {"url": "%s/a", "first_page_url": "%s/b", "next_page_url": "%s/c", "previous_page_url": null}}',
        '{"links": {"channel": "%s/a", "members": "%s/b"}}',
        '{ "a" : [ ] , "url"\n:\t"%s" }',
        '{"meta": {"a": {}, "b_url": "%s"}}',
    ],
)
def test_law_10_urls_of_the_api_are_turned_to_the_clients_address(template: str) -> None:
    assert rendered(template.replace("%s", UPSTREAM)) == template.replace("%s", HERE)


@pytest.mark.parametrize(
    "body",
    [
        '{"body": "https://chat.twilio.com/v1", "url": null}',
        '{"attributes": "{\\"url\\": \\"https://chat.twilio.com\\"}"}',
        '{"from": "https://chat.twilio.com", "friendly_name": "https://chat.twilio.com"}',
        '{"a_url": "https://chat.twilio.com"}',
        '{"meta": {"key": "https://chat.twilio.com"}}',
        '{"meta": {"a": {"b_url": "https://chat.twilio.com"}}}',
        '{"links": {"a": {"b": "https://chat.twilio.com"}}}',
        '{"links_": {"a": "https://chat.twilio.com"}}',
        '{"https://chat.twilio.com": "url"}',
        '{"url": "see https://chat.twilio.com"}',
        '{"url": "https://chat.twilio.com.example/v1"}',
        '{"url": "https://chat.twilio.com:8443/v1"}',
        '{"url": "http://chat.twilio.com/v1"}',
        '{"url": "https://api.twilio.com/v1"}',
        '{"url": "https://media.example/https://chat.twilio.com"}',
        '{"message": "https://chat.twilio.com"}',
    ],
)
def test_law_10_nothing_else_is_turned(body: str) -> None:
    assert rendered(body) == body


@pytest.mark.parametrize("host", ["chat.ie1", "chat.dublin.ie1", "ip-messaging"])
def test_law_10_every_host_of_twilio_chat_is_the_upstream(host: str) -> None:
    body = '{"url": "https://%s.twilio.com/v1"}'
    assert rendered(body % host, upstream="http://sandbox:2") == '{"url": "http://here:1/v1"}'


def test_law_10_the_configured_upstream_is_turned_too() -> None:
    body = '{"url": "http://sandbox:2/v1", "links": {"a": "http://sandbox:22/v1"}}'
    assert (
        rendered(body, upstream="http://sandbox:2")
        == '{"url": "http://here:1/v1", "links": {"a": "http://sandbox:22/v1"}}'
    )


def test_law_10_escaped_slashes_stay_escaped() -> None:
    body = r'{"url": "https:\/\/chat.twilio.com\/v1", "links": {"a": "https://chat.twilio.com/v1"}}'
    assert rendered(body) == r'{"url": "http:\/\/here:1\/v1", "links": {"a": "http://here:1/v1"}}'


def test_law_10_only_json_is_looked_into() -> None:
    response = Response(200, b"OK", ((b"Content-Type", b"text/html"),), b'{"url": "https://chat.twilio.com"}')
    assert reply(response, UPSTREAM, Addresses()).body == Template((response.body,))


@pytest.mark.parametrize("name", [b"Location", b"location", b"LOCATION"])
def test_law_10_location_is_turned(name: bytes) -> None:
    headers = ((b"Date", b"x"), (name, b"https://chat.twilio.com/v1"))
    answer = reply(Response(201, b"", headers), UPSTREAM, Addresses()).render(as_recorded(HERE))
    assert answer.headers == ((b"Date", b"x"), (name, b"http://here:1/v1"))


@pytest.mark.parametrize(
    "field",
    [
        (b"Content-Location", b"https://chat.twilio.com/v1"),
        (b"Link", b"<https://chat.twilio.com/v1>"),
        (b"X", b"location: https://chat.twilio.com/v1"),
        (b"Location", b"/v1/Services"),
        (b"Location", b"https://chat.twilio.com.example"),
        (b"Location", b""),
    ],
)
def test_law_10_other_headers_and_addresses_stay(field: tuple[bytes, bytes]) -> None:
    answer = reply(Response(201, b"", (field,)), UPSTREAM, Addresses()).render(as_recorded(HERE))
    assert answer.headers == (field,)


def test_a_reply_without_headers_has_none() -> None:
    assert Reply(204, b"No Content", Template((b"",)), Template((b"",))).render({}) == Response(204, b"No Content")


# The proxy's own address in what users wrote


@pytest.mark.parametrize(
    ("form_field", "field"),
    [("Body", "body"), ("Attributes", "attributes"), ("FriendlyName", "friendly_name"), ("From", "from")],
)
def test_law_10_our_own_address_in_a_user_written_field_is_that_of_the_day(form_field: str, field: str) -> None:
    template = '{"%s": "see %s/a and %s, not http://127.0.0.1:87650", "other": "http://127.0.0.1:8765"}'
    recorded = template % (field, ORIGIN, ORIGIN)
    addresses = sent(**{form_field: "http%3A%2F%2F127.0.0.1:8765/a"})
    assert rendered(recorded, addresses=addresses) == template % (field, HERE, HERE)


def test_law_10_only_the_field_that_was_sent_is_turned() -> None:
    body = '{"body": "http://127.0.0.1:8765", "attributes": "{}", "from": "http://127.0.0.1:8765"}'
    expected = '{"body": "http://here:1", "attributes": "{}", "from": "http://127.0.0.1:8765"}'
    assert rendered(body, addresses=sent(Body=ORIGIN, From="me", Other=ORIGIN)) == expected


def test_law_10_our_own_address_is_found_inside_attributes() -> None:
    body = r'{"attributes": "{\"link\": \"http://127.0.0.1:8765/a\"}", "url": "https://chat.twilio.com/v1"}'
    expected = r'{"attributes": "{\"link\": \"http://here:1/a\"}", "url": "http://here:1/v1"}'
    assert rendered(body, addresses=sent(Attributes='{"link":"http://127.0.0.1:8765/a"}')) == expected


def test_law_10_addresses_of_several_clients_are_all_ours() -> None:
    addresses = Addresses()
    for origin in ("http://localhost:1", "http://[::1]:2", "http://localhost:1"):
        addresses.learn(Request("POST", MESSAGES, (FORM,), b"Body=" + origin.encode(), origin=origin))
    assert rendered('{"body": "http://localhost:1 http://[::1]:2"}', addresses=addresses) == (
        '{"body": "http://here:1 http://here:1"}'
    )


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((FORM,), b"Body=hello"),
        ((FORM,), b"Body=http://127.0.0.1:87650"),
        ((FORM,), b"Body=caf%C3%A9&From=\xff"),
        ((JSON,), b"Body=http://127.0.0.1:8765"),
        ((), b""),
    ],
)
def test_law_10_without_our_address_in_a_form_nothing_is_learned(
    headers: tuple[tuple[bytes, bytes], ...], body: bytes
) -> None:
    addresses = Addresses()
    addresses.learn(Request("POST", MESSAGES, headers, body, origin=ORIGIN))
    assert addresses == Addresses()


# SIDs


def with_sids(response: Response, addresses: Addresses | None = None) -> Reply:
    """Compile an answer to a request whose path has upper-case hex, with all of its SIDs numbered."""
    exchange = numbered(1, Request("GET", b"/" + UPPER.encode()), response, UPSTREAM, 0, 0)
    learned = Learned(addresses or Addresses())
    learned.numbering.learn(exchange, normalize(exchange.request, Rules()))
    return compiled_reply(exchange, STANDING, learned)


UPPER = "IM" + "A" * 32


@pytest.mark.parametrize(
    "template",
    [
        '{"sid": "%s", "a": "/%s/x"}',
        '{"a": "{\\"sid\\": \\"%s\\"}", "token": "PT%s"}',
        '{"%s": "%s"}',
        "a text with %sx and %s",
    ],
)
def test_law_3_sids_are_slots_wherever_they_stand(template: str) -> None:
    one, other = b"IM" + b"1" * 32, b"IM" + b"2" * 32
    text = (template % (one.decode(), one.decode())).encode()
    response = Response(200, b"OK", ((b"Content-Type", b"application/json"), (b"X", b"PT" + one)), text)
    compiled = with_sids(response)
    answer = compiled.render(as_recorded(HERE) | {Slot.SID: {one: other}.__getitem__})
    assert answer.body == text.replace(one, other)
    assert answer.headers[1] == (b"X", b"PT" + other)
    assert compiled.render(as_recorded(HERE)) == response
    stored = decode_stencil(encode_reply(compiled))
    assert stored is not None
    assert stored.reply == compiled


def test_law_5_upper_case_sids_are_slots_as_whole_segments_only() -> None:
    other = "IM" + "B" * 32
    text = r'{"a": "/%s/%s was", "b": "\/%s\/x", "c": "%s", "d": "/%sx"}'
    compiled = with_sids(Response(404, body=(text % ((UPPER,) * 5)).encode()))
    answer = compiled.render({Slot.SID: lambda _: other.encode()})
    assert answer.body.decode() == text % (other, other, other, UPPER, UPPER)


def test_an_address_that_looks_like_a_sid_is_an_address() -> None:
    host = "http://IM" + "1" * 32
    compiled = with_sids(Response(200, b"", (JSON,), b'{"body": "%b"}' % host.encode()), Addresses({b"body": {host}}))
    assert compiled.body.slots == ((Slot.ORIGIN, host.encode()),)


def test_a_sid_in_upper_case_without_a_number_stays() -> None:
    upper, lower = b"IM" + b"A" * 32, b"IM" + b"1" * 32
    body = b"/Messages/%b/%b" % (upper, lower)
    assert reply(Response(200, body=body), UPSTREAM, Addresses()).body.slots == ((Slot.SID, lower),)


HERE = "http://here:1"


@given(twilio_responses | responses)
def test_law_10_a_live_answer_is_turned_as_a_recorded_one(response: Response) -> None:
    recorded = numbered(1, Request("GET", MESSAGES), response, UPSTREAM, 0, 0)
    replayed = compiled_reply(recorded, STANDING, Learned()).render(as_recorded(HERE))
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


def test_our_own_address_in_a_part_of_a_multipart_form_is_learned() -> None:
    addresses = Addresses()
    body = multipart([(b"Body", None, None, b"see %b/x" % ORIGIN.encode())])
    addresses.learn(Request("POST", MESSAGES, (MULTIPART,), body, origin=ORIGIN))
    assert addresses.by_field == {b"body": {ORIGIN}}
