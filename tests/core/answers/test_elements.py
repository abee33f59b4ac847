import json

import pytest
from exchanges import STANDING, numbered
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import JSON, MESSAGES, UPSTREAM

from chatproxy.core.answers.elements import Elements, Seen
from chatproxy.core.answers.template import Learned, Template, compiled_reply
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Request, Response
from chatproxy.core.time.dates import dates_of
from chatproxy.core.time.instants import Instants
from chatproxy.core.twilio.sids import placed_sids

SIDS = [f"IM{digit * 32}" for digit in "123"]
UPPER_CASE = f"{UPSTREAM}/v1/{'IM' + 'A' * 32}"
TEXTS = [
    *SIDS,
    "2026-01-01T00:00:00Z",
    f"{UPSTREAM}/v1/{SIDS[0]}",
    '"}, {"',
    "}, {",
    "[{}]",
    '[{"sid": 1}]',
    "a\\",
    '\\"url\\": \\"',
    "é",
]
NAMES = ["sid", "url", "date_created", "body", "links", "meta", "next_page_url", 'a"url', "}, {", "[{"]

texts = st.sampled_from(TEXTS)
values = st.recursive(
    texts | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from(NAMES), values, max_size=5)
pages = st.fixed_dictionaries(
    {"meta": objects, "messages": st.lists(objects, max_size=4)},
    optional={"links": st.lists(objects, max_size=2), "sid": texts, "date_updated": texts},
)
spaces = st.sampled_from([(", ", ": "), (",", ":"), (", ", ":"), (",", ": ")])


def as_a_whole(text: bytes, instants: Instants) -> Template:
    exchange = numbered(1, Request("GET", MESSAGES), Response(200, b"OK", (JSON,), text), UPSTREAM, 0, 0)
    learned = Learned(instants=instants)
    learned.numbering.learn(exchange, normalize(exchange.request, Rules()))
    return compiled_reply(exchange, STANDING, learned).body


def learnt(text: bytes) -> Instants:
    exchange = numbered(1, Request("GET", MESSAGES), Response(200, b"OK", (JSON,), text), UPSTREAM, 0, 0)
    instants = Instants()
    instants.learn(exchange, [date.known_by for date in dates_of(text)])
    instants.settle()
    return instants


def page(*messages: object, **others: object) -> bytes:
    return json.dumps({"meta": {"url": TEXTS[4]}, "messages": messages, **others}).encode()


@given(pages | objects | values, spaces)
@example({"a": "[{}]", "sid": SIDS[0]}, (", ", ": "))
@example({"messages": [{"body": "}, {"}, {"sid": SIDS[0], "url": TEXTS[4]}]}, (", ", ": "))
@example({"links": [[{"a": TEXTS[4]}]]}, (", ", ": "))
def test_a_body_put_together_is_the_body_looked_at_as_a_whole(value: object, separators: tuple[str, str]) -> None:
    text = json.dumps(value, separators=separators, ensure_ascii=False).encode()
    instants = learnt(text)
    elements = Elements.of(UPSTREAM, instants)
    for _ in range(2):
        body = elements.body(text)
        if body is not None:
            assert body.template == as_a_whole(text, instants)
            assert set(body.sids) == set(placed_sids(text))


@given(st.lists(st.sampled_from(["{", "}", "[", "]", '"', ", ", ":", "a", "[{", "}, {", "}]", " ", "1"]), max_size=12))
def test_what_is_no_json_object_is_not_taken_apart(parts: list[str]) -> None:
    text = "".join(parts)
    body = Elements.of(UPSTREAM, Instants()).body(text.encode())
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        is_object = False
    assert body is None or is_object


@pytest.mark.parametrize(
    "text",
    [
        page(),
        page({"sid": SIDS[0], "url": TEXTS[4], "date_created": TEXTS[3]}, {"sid": SIDS[1], "body": "}"}),
        page({"sid": SIDS[0], "body": "x" * 3000}, {"sid": SIDS[1]}, count=SIDS[2], date_updated=TEXTS[3]),
        page({"links": {"a": TEXTS[4]}}, {"b": [1]}),
        page({"sid": SIDS[0]}).replace(b", ", b","),
        json.dumps({"sid": SIDS[0], "date_created": TEXTS[3]}).encode(),
        b"{}",
    ],
)
def test_lists_and_objects_are_taken_apart(text: bytes) -> None:
    body = Elements.of(UPSTREAM, learnt(text)).body(text)
    assert body is not None
    assert body.template == as_a_whole(text, learnt(text))


@pytest.mark.parametrize(
    "text",
    [
        b"[1]",
        b'"a"',
        b"{" + b'"a":[' * 100_000,
        page({"body": "}, {"}),
        page({"url": UPPER_CASE}),
        json.dumps({"links": [{"a": TEXTS[4]}]}).encode(),
        b'{"a": "\xff"}',
        b'{"a": {"b": [{"c": 1}]}, ',
    ],
)
def test_other_bodies_are_not(text: bytes) -> None:
    assert Elements.of(UPSTREAM, Instants()).body(text) is None


@given(st.lists(pages | objects | values, max_size=4), spaces)
def test_all_instants_are_seen_and_those_of_an_element_once(bodies: list[object], separators: tuple[str, str]) -> None:
    seen, found = Seen(), set()
    for value in bodies:
        text = json.dumps(value, separators=separators, ensure_ascii=False).encode()
        found.update(seen.new(text))
        assert found >= {date.known_by for date in dates_of(text)}
        if isinstance(value, dict) and seen.new(text):
            assert Elements.of(UPSTREAM, Instants()).body(text) is None


def test_what_was_seen_is_forgotten_in_time() -> None:
    seen, one = Seen(), json.dumps({"sid": SIDS[0], "date_created": TEXTS[3]}).encode()
    long = json.dumps({"sid": SIDS[0], "date_created": TEXTS[3], "body": "x" * 3000}).encode()
    assert [len(seen.new(text)) for text in (one, one, long, long)] == [1, 0, 1, 1]
    for number in range(3000):
        seen.new(b'{"a": %d}' % number)
    assert len(seen.new(one)) == 1
