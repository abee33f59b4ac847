from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, MESSAGES, requests

from chatproxy.core.matching.difference import by_name, differences, differing
from chatproxy.core.matching.normal_form import NormalForm, normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Headers, Request

pairs = st.lists(st.sampled_from([b"a", b"a=", b"a=1", b"b=1", b"b=a=1", b"=x"])).map(tuple)


def test_values_are_grouped_by_name_in_their_order() -> None:
    assert by_name((b"b=1", b"a", b"b=", b"b=c=d"), b"=") == {b"b": [b"1", b"", b"c=d"], b"a": [None]}
    assert by_name((b"x-a: 1: 2",), b": ") == {b"x-a": [b"1: 2"]}


@given(pairs, pairs)
def test_names_differ_exactly_where_their_pairs_do(one: tuple[bytes, ...], other: tuple[bytes, ...]) -> None:
    names = {pair.partition(b"=")[0] for pair in (*one, *other)}
    expected = sorted(name for name in names if _of(one, name) != _of(other, name))
    assert differing(by_name(one, b"="), by_name(other, b"=")) == expected


def _of(pairs: tuple[bytes, ...], name: bytes) -> list[bytes]:
    return [pair for pair in pairs if pair.partition(b"=")[0] == name]


RULES = Rules(("x-a",))


def form(request: Request) -> NormalForm:
    return normalize(request, RULES)


def post(body: bytes, path: bytes = MESSAGES, headers: Headers = (FORM,)) -> Request:
    return Request("POST", path, headers, body)


_texts = st.lists(st.sampled_from([b"a", b"b", b"=", b"&", b"%2C", b"+", b"(no value)", b"a=1", b"%3A"]), max_size=5)


_alike = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST"]),
    target=_texts.map(lambda parts: b"/a?" + b"".join(parts)) | st.sampled_from([b"/", b"/a/b", b"/a%2Fb", b"/b/b"]),
    headers=st.lists(st.sampled_from([FORM, JSON, (b"X-A", b"1"), (b"x-a", b"1, 1"), (b"x-a", b"")]), max_size=3).map(
        tuple
    ),
    body=_texts.map(b"".join) | st.sampled_from([b"[1]", b"[1.0]"]),
)


@given(st.lists(_alike | requests, min_size=2, max_size=4))
def test_law_4_there_is_no_difference_exactly_if_keys_are_equal(several: list[Request]) -> None:
    for one, other in combinations(map(form, several), 2):
        assert (differences(one, other) == []) == (one.key == other.key)


@pytest.mark.parametrize(
    ("recorded", "live", "difference"),
    [
        (post(b"Body=a"), post(b"Body=b"), "form field 'Body' is 'a' where this has 'b'"),
        (post(b"Body=a"), post(b"Body=a&From=me"), "form field 'From' is absent where this has 'me'"),
        (post(b"Body=a&From=me"), post(b"Body=a"), "form field 'From' is 'me' where this has absent"),
        (post(b"a=1&a=2"), post(b"a=1%2C+2"), "form field 'a' is '1', '2' where this has '1, 2'"),
        (post(b"a"), post(b"a="), "form field 'a' is without a value where this has ''"),
        (Request("GET", b"/a?b=1"), Request("GET", b"/a"), "query parameter 'b' is '1' where this has absent"),
        (Request("GET", b"/a"), Request("HEAD", b"/a"), "method is 'GET' where this has 'HEAD'"),
        (Request("GET", b"/a"), Request("GET", b"/a", host="b"), "host is 'chat.twilio.com' where this has 'b'"),
        (Request("GET", b"/a/b"), Request("GET", b"/a"), "path is '/a/b' where this has '/a'"),
        (Request("GET", b"/a/b/c"), Request("GET", b"/a/x/c"), "the segment after 'a' is 'b' where this has 'x'"),
        (
            Request("GET", b"/", ((b"X-A", b"1"),)),
            Request("GET", b"/", ((b"X-A", b"1"), (b"x-a", b"2"))),
            "header 'x-a' is '1' where this has '1', '2'",
        ),
        (post(b"a", headers=()), post(b"b", headers=()), "body is 'a' where this has 'b'"),
        (post(b"[1]", headers=(JSON,)), post(b"[2]", headers=(JSON,)), "body is '[1]' where this has '[2]'"),
        (post(b"Body=%ff"), post(b"Body=%fe"), "form field 'Body' is '\\\\xff' where this has '\\\\xfe'"),
        (post(b"Body=a%0ab"), post(b"Body=a"), "form field 'Body' is 'a%0ab' where this has 'a'"),
    ],
)
def test_a_difference_names_the_part_and_both_values(recorded: Request, live: Request, difference: str) -> None:
    assert differences(form(recorded), form(live)) == [difference]


def test_bodies_of_different_kinds_are_shown_whole() -> None:
    assert differences(form(post(b"a=1&b=%26")), form(post(b""))) == [
        "kind of body is 'form' where this has 'empty'",
        "body is 'a=1&b=%26' where this has ''",
    ]


def test_every_difference_is_named() -> None:
    recorded, live = Request("GET", b"/a/b?c=1&d=2"), Request("GET", b"/x/y?c=2&e=3")
    assert differences(form(recorded), form(live)) == [
        "the segment after '' is 'a' where this has 'x'",
        "the segment after 'a' is 'b' where this has 'y'",
        "query parameter 'c' is '1' where this has '2'",
        "query parameter 'd' is '2' where this has absent",
        "query parameter 'e' is absent where this has '3'",
    ]


def test_long_values_are_shown_from_a_little_before_where_they_differ() -> None:
    (difference,) = differences(
        form(post(b"Body=" + b"x" * 500 + b"1tail")), form(post(b"Body=" + b"x" * 500 + b"2" + b"y" * 99))
    )
    assert f"is …{'x' * 30}1tail' where this has …{'x' * 30}2{'y' * 29}…" in difference
    (difference,) = differences(form(post(b"Body=" + b"x" * 99)), form(post(b"Body=a" + b"x" * 99)))
    assert difference == f"form field 'Body' is '{'x' * 59}… where this has 'a{'x' * 58}…"
