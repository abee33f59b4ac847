from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, MESSAGES, MULTIPART, Parts, form_parts, multipart, requests

from chatproxy.core.matching.difference import Difference, Part, by_name, differences, differing, places
from chatproxy.core.matching.normal_form import NormalForm, normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Request

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


def post(body: bytes) -> Request:
    return Request("POST", MESSAGES, (FORM,), body)


def form(request: Request) -> NormalForm:
    return normalize(request, RULES)


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
        assert (not list(differences(one, other))) == (one.key == other.key)


def test_a_query_in_which_json_is_spelled_otherwise_differs_as_text() -> None:
    one, other = (form(Request("GET", b"/a?b=%s" % value)) for value in (b'{"c":1,"d":2}', b'{"d":2,"c":1}'))
    (found,) = differences(one, other)
    assert found == Difference(Part.QUERY, b"b", [b'{"c":1,"d":2}'], [b'{"d":2,"c":1}'])
    assert list(places(found)) == []


def test_json_differs_in_places_where_both_sides_are_a_single_object_or_array() -> None:
    def between(one: bytes, other: bytes, largest: int | None = None) -> list[tuple[str, str, str]]:
        return list(places(Difference(Part.FIELD, b"a", [one], [other]), largest))

    assert between(b'{"a": [1]}', b'{"a": [2]}') == [("/a/0", "1", "2")]
    assert between(b"[]", b"{}") == [("", "[]", "{}")]
    assert between(b"[]", b"text") == between(b"", b"[]") == []
    assert between(b"[1]", b"[2]", 2) == []
    assert list(places(Difference(Part.FIELD, b"a", [b"[1]", b"[2]"], [b"[1]"]))) == []
    assert list(places(Difference(Part.FIELD, b"a", None, [b"[1]"]))) == []


def test_names_and_values_are_as_they_were_sent() -> None:
    (found,) = differences(form(post(b"a%26b=1%25&a%26b")), form(post(b"")))
    assert found == Difference(Part.FIELD, b"a&b", [b"1%", None], None)


def sent(parts: Parts) -> NormalForm:
    return form(Request("POST", MESSAGES, (MULTIPART,), multipart(parts)))


@given(form_parts, form_parts, st.sampled_from([b"\r\n", b"\n"]))
def test_law_4_multipart_forms_differ_exactly_if_keys_do(parts: Parts, others: Parts, newline: bytes) -> None:
    one = sent(parts)
    for other in (
        sent(others),
        sent(parts[::-1]),
        form(post(b"")),
        form(Request("POST", MESSAGES, (MULTIPART,), multipart(parts, newline=newline))),
    ):
        assert (not list(differences(one, other))) == (one.key == other.key)


def test_parts_differ_by_their_names_and_attributes() -> None:
    one = sent([(b"File", b"a;b.txt", None, b"1"), (b"File", None, None, b"1"), (b"a&b", None, None, b"2")])
    other = sent([(b"File", b"c", b"text/plain", b"1"), (b"File", None, None, b"3"), (b"x", None, None, b"%")])
    assert list(differences(one, other)) == [
        Difference(Part.FIELD, b"File", [b"1", b"1"], [b"1", b"3"]),
        Difference(Part.PART, b"File; content-type", None, [b"text/plain", None]),
        Difference(Part.PART, b"File; filename", [b"a;b.txt", None], [b"c", None]),
        Difference(Part.FIELD, b"a&b", [b"2"], None),
        Difference(Part.FIELD, b"x", None, [b"%"]),
    ]


def test_a_form_of_another_kind_is_told_as_it_was_sent() -> None:
    kind, body = differences(sent([(b"a", None, None, b"1&2")]), form(post(b"a=1%263")))
    assert kind == Difference(Part.KIND, b"", [b"multipart"], [b"form"])
    assert body == Difference(Part.BODY, b"", [b"a=1&2"], [b"a=1&3"])
