import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import JSON, MESSAGES, UPSTREAM

from chatproxy.core.answers.elements import Elements
from chatproxy.core.answers.template import Learned, Slot, Template, compiled_reply
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, Request, Response
from chatproxy.core.time.causes import Causes
from chatproxy.core.timeline.epochs import Place
from chatproxy.core.twilio.sids import SID

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


def as_a_whole(text: bytes, causes: Causes) -> Template:
    exchange = Exchange(1, Request("GET", MESSAGES), Response(200, b"OK", (JSON,), text), UPSTREAM, 0, 0)
    learned = Learned(causes=causes)
    learned.numbering.learn(exchange, normalize(exchange.request, Rules()))
    return compiled_reply(exchange, Place(0, 0, 0), learned).body


def page(*messages: object, **others: object) -> bytes:
    return json.dumps({"meta": {"url": TEXTS[4]}, "messages": messages, **others}).encode()


@given(pages | objects | values, spaces)
@example({"a": "[{}]", "sid": SIDS[0]}, (", ", ": "))
@example({"messages": [{"body": "}, {"}, {"sid": SIDS[0], "url": TEXTS[4]}]}, (", ", ": "))
@example({"links": [[{"a": TEXTS[4]}]]}, (", ", ": "))
def test_a_body_put_together_is_the_body_looked_at_as_a_whole(value: object, separators: tuple[str, str]) -> None:
    text = json.dumps(value, separators=separators, ensure_ascii=False).encode()
    causes = Causes()
    elements = Elements.of(UPSTREAM, causes)
    for _ in range(2):
        body = elements.body(text)
        if body is not None:
            assert body.template == as_a_whole(text, causes)
            assert list(body.sids) == list(dict.fromkeys(found[0] for found in SID.finditer(text)))


@given(st.lists(st.sampled_from(["{", "}", "[", "]", '"', ", ", ":", "a", "[{", "}, {", "}]", " ", "1"]), max_size=12))
def test_what_is_no_json_object_is_not_taken_apart(parts: list[str]) -> None:
    text = "".join(parts)
    body = Elements.of(UPSTREAM, Causes()).body(text.encode())
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
    body = Elements.of(UPSTREAM, Causes()).body(text)
    assert body is not None
    assert body.template == as_a_whole(text, Causes())


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
    assert Elements.of(UPSTREAM, Causes()).body(text) is None


def test_nor_is_one_with_an_instant_that_several_writes_have_set() -> None:
    text = json.dumps({"sid": SIDS[0], "date_updated": TEXTS[3]}).encode()
    causes = Causes()
    causes.learn_sure(1, [(SIDS[0].encode(), b"date_updated", 1_767_225_600_000_000)])
    body = Elements.of(UPSTREAM, causes).body(text)
    assert body is not None
    assert [slot for slot, _ in body.template.slots] == [Slot.SID, Slot.INSTANT]
    assert body.template == as_a_whole(text, causes)
    causes.learn_sure(2, [(SIDS[0].encode(), b"date_updated", 1_767_225_600_000_000)])
    assert Elements.of(UPSTREAM, causes).body(text) is None
