import json
from collections import defaultdict
from decimal import Decimal
from itertools import combinations
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    FORM,
    JSON,
    MESSAGES,
    MULTIPART,
    ORIGIN,
    UPSTREAM,
    Json,
    Pairs,
    Parts,
    form_parts,
    json_containers,
    json_spellings,
    multipart,
    pairs,
    requests,
    segments,
    sids,
    spelled_pairs,
    spelled_parts,
    spelled_path,
)

from chatproxy.core.matching.normal_form import NormalForm, normalize, translate
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Headers, Request

RULES = Rules()


def get(query: bytes, path: bytes = MESSAGES) -> NormalForm:
    return normalize(Request("GET", path + b"?" + query, origin=ORIGIN), RULES)


def post(body: bytes, path: bytes = MESSAGES, headers: Headers = (FORM,)) -> NormalForm:
    return normalize(Request("POST", path, headers, body, origin=ORIGIN), RULES)


# A model of what requests mean: slow, and obviously right.


def meaning(request: Request) -> object:
    path, _, query = request.target.partition(b"?")
    segments = [unquote_to_bytes(segment) for segment in path.split(b"/")]
    match segments:
        case [b"", b"v1", b"Services", service, b"Channels", channel, b"Messages"] if service and channel:
            defaults = DEFAULTS.get(request.method, {})
        case _:
            defaults = {}
    content_type = next((value for name, value in request.headers if name.lower() == b"content-type"), b"")
    return (
        request.method,
        "twilio" if request.host.endswith("twilio.com") else request.host,
        segments,
        _meant_pairs(query, {} if request.method == "POST" else defaults),
        _meant_body(content_type.split(b";")[0].strip().lower(), request.body, defaults),
    )


_LIST = {b"PageSize": b"50", b"Page": b"0", b"Order": b"asc"}
DEFAULTS = {"GET": _LIST, "HEAD": _LIST, "POST": {b"From": b"system"}}


def _meant_pairs(text: bytes, defaults: dict[bytes, bytes], *, is_form: bool = False) -> object:
    meant = defaultdict(list)
    for pair in text.split(b"&"):
        if pair:
            name, equals, value = (unquote_to_bytes(part.replace(b"+", b" ")) for part in pair.partition(b"="))
            meant[name].append((_meant_json(value) if is_form else value) if equals else None)
    return {name: values for name, values in meant.items() if name not in defaults or values != [defaults[name]]}


def _meant_body(media_type: bytes, body: bytes, defaults: dict[bytes, bytes]) -> object:
    if media_type == b"application/x-www-form-urlencoded":
        fields = _meant_pairs(body, defaults, is_form=True)
        return ("form", fields) if fields else "empty"
    if not body:
        return "empty"
    is_json = media_type == b"application/json" or media_type.endswith(b"+json")
    content = _meant_json(body) if is_json else body
    return "bytes" if isinstance(content, bytes) else "json", content


def _meant_json(text: bytes) -> object:
    """Return the content of an object or array as nested tuples, or the bytes of any other text."""
    try:
        value = json.loads(text.decode(), object_pairs_hook=_members, parse_float=_decimal, parse_constant=_no_constant)
    except ValueError:
        return text
    return _tagged(value) if isinstance(value, dict | list) else text


def _members(members: list[tuple[str, object]]) -> dict[str, object]:
    if len({name for name, _ in members}) < len(members):
        raise ValueError
    return dict(members)


def _decimal(text: str) -> Decimal:
    if Decimal(text) != Decimal(repr(float(text))):
        raise ValueError
    return Decimal(text)


def _no_constant(name: str) -> None:
    raise ValueError


def _tagged(value: object) -> object:
    """Tell numbers from truth values, which Python calls equal."""
    if isinstance(value, dict):
        return "object", {name: _tagged(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return "array", [_tagged(inner) for inner in value]
    return type(value) is bool, value


# Blind to spelling


@st.composite
def two_spellings(draw: st.DrawFn) -> tuple[Request, Request]:
    """Requests that mean the same."""
    method = draw(st.sampled_from(["GET", "POST", "DELETE"]))
    path: list[bytes] = draw(segments | st.just(MESSAGES.split(b"/")[1:]))
    query, form = draw(pairs), draw(pairs)

    def spelling() -> Request:
        target = draw(spelled_path(path)) + b"?" + draw(spelled_pairs(query))
        return Request(method, target, (FORM,), draw(spelled_pairs(form)), origin=ORIGIN)

    return spelling(), spelling()


@given(two_spellings())
def test_law_1_and_2_spelling_does_not_count(spellings: tuple[Request, Request]) -> None:
    one, other = (normalize(request, RULES) for request in spellings)
    assert one == other
    assert (one.text, one.key, one.shape, one.route) == (other.text, other.key, other.shape, other.route)


@given(st.data(), json_containers)
def test_law_2_json_counts_by_content_in_forms_and_bodies(data: st.DataObject, value: Json) -> None:
    one, other = data.draw(json_spellings(value)), data.draw(json_spellings(value))
    assert post(one, headers=(JSON,)) == post(other, headers=(JSON,))
    assert post(data.draw(spelled_pairs([(b"Attributes", one)]))) == post(
        data.draw(spelled_pairs([(b"Attributes", other)]))
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"a=1&b=2", b"b=2&a=1"),
        (b"a=1&b=2&a=3", b"b=2&a=1&a=3"),
        (b"Body=a+b", b"Body=a%20b"),
        (b"Body=%c3%a9", b"Body=%C3%A9"),
        (b"Body=%41", b"Body=A"),
        (b"Body=100%", b"Body=100%25"),
        (b"Body=%zz", b"Body=%25zz"),
        (b"%42ody=A", b"Body=A"),
        (b"a=1&&b=2&", b"a=1&b=2"),
        (b"Body=A&From=system", b"Body=A"),
        (b"From=s%79stem", b""),
        (b"&", b""),
        (b"Attributes=\t[1.0]", b"Attributes=[1]"),
        (b"Attributes= [1.0]", b"Attributes=[1]"),
        (b"Attributes=\r[1.0]", b"Attributes=\n[1]"),
        (b'Attributes={"a":1,"b":[2]}', b"Attributes=%7B%22b%22%3A+%5B2.0%5D%2C%22a%22%3A1e0%7D"),
    ],
)
def test_forms_of_one_meaning(one: bytes, other: bytes) -> None:
    assert post(one) == post(other)


@pytest.mark.parametrize("query", [b"PageSize=50", b"Page=0", b"Order=asc", b"Order=asc&Page=0&PageSize=%350"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_law_3_a_list_parameter_at_its_default_equals_its_absence(method: str, query: bytes) -> None:
    spelled_out = normalize(Request(method, MESSAGES + b"?" + query), RULES)
    assert spelled_out == normalize(Request(method, MESSAGES), RULES)


@pytest.mark.parametrize(
    "query", [b"PageSize=20", b"Page=1", b"Order=desc", b"Page=0&Page=0", b"page=0", b"PageSize", b"PageSize=50+"]
)
def test_law_3_other_values_and_repeats_are_no_defaults(query: bytes) -> None:
    assert get(query) != get(b"")


def test_law_3_defaults_are_those_of_the_message_list_only() -> None:
    message = MESSAGES + b"/IM" + b"3" * 32
    assert get(b"PageSize=50", message) != get(b"", message)
    assert get(b"From=system") != get(b"")
    assert post(b"From=system", message) != post(b"", message)
    assert post(b"PageSize=50") != post(b"")


@pytest.mark.parametrize("template", [b"Body=see+%b/x", b"Body=%b", b'Attributes={"url":"%b/x"}'])
def test_law_1_the_address_of_the_proxy_in_a_form_counts_as_the_upstreams(template: bytes) -> None:
    def through(origin: str) -> NormalForm:
        return normalize(Request("POST", MESSAGES, (FORM,), template % origin.encode(), origin=origin), RULES)

    assert through(ORIGIN) == through("http://[::1]:9") == through(UPSTREAM)


def test_law_1_the_address_of_the_proxy_counts_as_the_upstreams_in_queries_json_and_headers() -> None:
    def through(origin: str) -> NormalForm:
        address = origin.encode()
        target = MESSAGES + b"?Next=" + address.replace(b":", b"%3A") + b"/x"
        body = b'{"a": "%b"}' % address.replace(b"/", rb"\/")
        return normalize(
            Request("PUT", target, (JSON, (b"Referer", address)), body, origin=origin), Rules(("referer",))
        )

    assert through(ORIGIN) == through("http://localhost:1") == through(UPSTREAM)


@pytest.mark.parametrize("address", ["http://127.0.0.1:87650", "http://127.0.0.1:8765.example", "127.0.0.1:8765"])
def test_an_address_that_only_begins_like_the_proxys_is_text(address: str) -> None:
    assert post(b"Body=" + address.encode()).body == (b"Body=" + address.encode(),)


@pytest.mark.parametrize(
    "host",
    [
        "chat.ie1.twilio.com",
        "chat.dublin.ie1.twilio.com",
        "ip-messaging.twilio.com",
        "CHAT.twilio.com",
    ],
)
def test_law_1_all_hosts_of_twilio_chat_are_one(host: str) -> None:
    assert normalize(Request("GET", b"/", host=host), RULES) == normalize(Request("GET", b"/"), RULES)


@pytest.mark.parametrize(
    "host", ["api.twilio.com", "chat.twilio.com.example", "chat.a.b.c.twilio.com", "chatytwilio.com"]
)
def test_other_hosts_are_others(host: str) -> None:
    assert normalize(Request("GET", b"/", host=host), RULES).key != normalize(Request("GET", b"/"), RULES).key


def test_law_1_headers_and_credentials_do_not_count() -> None:
    one = Request("GET", MESSAGES, ((b"Authorization", b"Basic QTpi"), (b"User-Agent", b"a")))
    assert normalize(one, RULES) == normalize(Request("GET", MESSAGES), RULES)


def test_headers_that_the_rules_name_count_with_their_repeats_in_order() -> None:
    rules = Rules(("X-B", "x-a"))

    def with_headers(*headers: tuple[bytes, bytes]) -> NormalForm:
        return normalize(Request("GET", MESSAGES, headers), rules)

    form = with_headers((b"x-B", b"2"), (b"X-A", b"1"), (b"Other", b"x"), (b"X-a", b""))
    assert form.headers == (b"x-a: 1", b"x-a: ", b"x-b: 2")
    assert form == with_headers((b"X-A", b"1"), (b"X-A", b""), (b"X-B", b"2"))
    assert form.key != with_headers((b"X-A", b""), (b"X-A", b"1"), (b"X-B", b"2")).key
    assert with_headers().key != with_headers((b"X-A", b"")).key


# Blind to nothing else

_LETTERS = [
    b"a",
    b"b",
    b"=",
    b"&",
    b"%",
    b"+",
    b" ",
    b"2",
    b"6",
    b"0",
    b"A",
    b"\n",
    b"\0",
    b"%26",
    b"%2526",
    b"%3d",
    b"%0a",
    b"/",
]
_VALUES = [
    b"PageSize=50",
    b"Page=0",
    b"Order=asc",
    b"From=system",
    b"a",
    b"a=",
    b"a=1",
    b"a=01",
    b"a=2&a=1",
    b"b=%7B%7D",
]
_JSONS = [
    b"{}",
    b"[]",
    b"[1]",
    b"[true]",
    b"[1.0]",
    b'["1"]',
    b"[1e23]",
    b"[99999999999999991611392]",
    b'{"a":1,"a":1}',
]
_JSONS += [
    b"[null]",
    b'["a"]',
    b'["\\u0061"]',
    b" [1]",
    b"[1,1]",
    b"[[1],1]",
    b'{"a":null}',
    b"{",
    b'"a"',
    b"1",
    b"[-0.0]",
]
_texts = st.lists(st.sampled_from(_LETTERS), max_size=4).map(b"".join) | st.lists(
    st.sampled_from(_VALUES + [b"a=" + text for text in _JSONS]), max_size=3
).map(b"&".join)


@st.composite
def lookalikes(draw: st.DrawFn) -> list[Request]:
    """Requests of so few letters that many mean the same and more nearly do."""
    paths = [
        b"/",
        b"/a",
        b"/a/a",
        b"/a%2Fa",
        b"/a%2fa",
        b"/a%252fa",
        b"/a//a",
        b"/%61",
        b"/a%3Fa",
        b"/a%3fa=1",
        MESSAGES,
    ]
    several = st.builds(
        Request,
        method=st.sampled_from(["GET", "POST"]),
        target=st.builds(lambda path, query: path + b"?" + query.replace(b" ", b"+").replace(b"\n", b"%0A"),
                         st.sampled_from([draw(st.sampled_from(paths)), draw(st.sampled_from(paths))]),
                         st.sampled_from([b"", draw(_texts), draw(_texts)])),
        headers=st.sampled_from([(), (FORM,), (JSON,), ((b"content-type", b"Application/Vnd+JSON; a=b"),)]),
        body=st.sampled_from([b"", draw(_texts), draw(_texts), draw(st.sampled_from(_JSONS))]),
        host=st.sampled_from(["chat.twilio.com"] * 3 + ["example.com"]),
    )  # fmt: skip
    return draw(st.lists(several, min_size=2, max_size=6))


@given(lookalikes() | st.lists(requests, min_size=2, max_size=4))
def test_law_4_keys_are_equal_exactly_if_meanings_are(several: list[Request]) -> None:
    for one, other in combinations(several, 2):
        if one.origin == other.origin:
            forms = normalize(one, RULES), normalize(other, RULES)
            is_same = meaning(one) == meaning(other)
            assert (forms[0].text == forms[1].text) == is_same
            assert (forms[0].key == forms[1].key) == is_same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"a", b"a="),
        (b"a=", b""),
        (b"a=1&a=2", b"a=2&a=1"),
        (b"a=1", b"a=1&a=1"),
        (b"a=1%26b=2", b"a=1&b=2"),
        (b"a%3D1", b"a=1"),
        (b"a=%0A", b"a=%250A"),
        (b"a=%0a", b"a=%250a"),
        (b"a=%26", b"a=%2526"),
        (b"%3d=a", b"%253d=a"),
        (b"a=1%0Ax", b"a=1%0ay"),
        (b"a=%00", b"a="),
        (b"a=1", b"A=1"),
        (b"a=1", b"a=1.0"),
        (b"a=a%2Bb", b"a=a+b"),
        (b"a=[1]", b"a=[true]"),
        (b"a=[1]", b'a=["1"]'),
        (b"a=[1,2]", b"a=[2,1]"),
        (b'a={"a":1,"a":2}', b'a={"a":2}'),
        (b'a={"a":null}', b"a={}"),
    ],
)
def test_forms_of_different_meaning(one: bytes, other: bytes) -> None:
    assert post(one).text != post(other).text
    assert post(one).key != post(other).key


def test_in_a_query_json_is_text_like_any_other() -> None:
    assert get(b"a=[1]") != get(b"a=[1.0]")
    assert get(b"a=%5B1%5D") == get(b"a=[1]")


def test_kinds_of_bodies_differ() -> None:
    kinds = [post(b'{"a":1}', headers=headers) for headers in [(), (JSON,), (FORM,)]]
    assert [form.kind for form in kinds] == ["bytes", "json", "form"]
    assert len({form.key for form in kinds}) == 3
    assert post(b"{").body == post(b"{", headers=(JSON,)).body
    assert post(b"{", headers=(JSON,)).kind == "bytes"


def test_an_escaped_slash_is_no_border_of_segments() -> None:
    assert get(b"", b"/a%2Fb").path == get(b"", b"/a%2fb").path == b"/a%2fb"
    assert get(b"", b"/a/b").path == b"/a/b"
    assert get(b"", b"/a%252fb").path == b"/a%252fb"


def test_the_text_form_is_what_the_documentation_shows() -> None:
    request = Request("POST", b"/v1/a?a=1", (FORM, (b"X-Named", b"value")), b'Body=Hello&Attributes={"a": 1}')
    assert normalize(request, Rules(("x-named",))).text == (
        b'POST chat.twilio.com/v1/a?a=1\nx-named: value\n\nform\nAttributes={"a":1}&Body=Hello'
    )


# Shapes


@given(st.data(), sids("IM"), sids("IM"))
def test_shape_is_blind_to_which_sid_of_a_type(data: st.DataObject, one: str, other: str) -> None:
    message: Pairs = [(b"Body", data.draw(st.binary(max_size=4))), (b"Attributes", b'{"reply":"%b"}')]

    def using(sid: str) -> NormalForm:
        fields = [(name, value and value.replace(b"%b", sid.encode())) for name, value in message]
        target = MESSAGES + f"/{sid}?PageToken=PT{sid}".encode()
        return normalize(Request("POST", target, (FORM,), data.draw(spelled_pairs(fields))), RULES)

    forms = using(one), using(other)
    assert forms[0].shape == forms[1].shape
    assert forms[0].route == forms[1].route
    assert (forms[0].key == forms[1].key) == (one == other)


def test_shapes_differ_where_types_of_sids_do() -> None:
    im, ch = b"/x/IM" + b"a" * 32, b"/x/CH" + b"a" * 32
    assert get(b"", im).shape != get(b"", ch).shape
    assert get(b"", im).route != get(b"", ch).route


def test_upper_case_hex_counts_in_whole_segments_only() -> None:
    assert get(b"", b"/x/IM" + b"A" * 32).shape == get(b"", b"/x/IM" + b"a" * 32).shape
    assert get(b"a=IM" + b"A" * 32).shape != get(b"a=IM" + b"a" * 32).shape


def test_route_is_method_host_and_path() -> None:
    assert get(b"a=1").route == get(b"").route
    assert get(b"").route != post(b"").route


# Rules


# In other SIDs


_ONE, _TWO, _NEW = (b"CH" + digit * 32 for digit in (b"1", b"2", b"3"))


def _turned(sid: bytes) -> bytes:
    return {_ONE: _NEW, _NEW: _ONE}.get(sid, sid)


@pytest.mark.parametrize(
    ("headers", "template"),
    [
        ((FORM,), b"%b=1&%b=2&a=b"),
        ((FORM,), b'Attributes={"%b": "%%25", "%b": 2}'),
        ((FORM,), b'Attributes={"%b": 1&From=%b'),
        ((JSON,), b'{"%b": 1, "%b": [2]}'),
        ((JSON,), b'{"%b": 1, "%b": '),
        ((), b"b=%b&a=%b"),
        ((MULTIPART,), multipart([(b"%b", None, None, b"%b"), (_NEW + b"1", None, None, b"a")])),
        ((MULTIPART,), multipart([(b"a", None, None, b'{"%b": ";", "%b": 2}'), (b"a", b"f", None, b'{"x": 1}')])),
        ((MULTIPART,), multipart([(b"a", b"f", None, b'{"%b": 1,  "%b": 2}')])),
    ],
)
def test_law_3_a_translated_form_is_that_of_the_request_with_the_other_sids(
    headers: tuple[tuple[bytes, bytes], ...], template: bytes
) -> None:
    live, recorded = (
        Request("POST", b"/%b?%b=1&%b=2" % (one, one, _TWO), headers, template % (one, _TWO)) for one in (_NEW, _ONE)
    )
    assert translate(normalize(live, Rules()), _turned) == normalize(recorded, Rules())


@given(requests)
def test_law_3_a_form_translated_there_and_back_is_the_same(request: Request) -> None:
    form = normalize(request, Rules())
    assert translate(form, lambda sid: sid) == form
    flipped = translate(form, lambda sid: sid[:2] + sid[:1:-1])
    assert translate(flipped, lambda sid: sid[:2] + sid[:1:-1]) == form


def test_law_5_the_sids_of_a_form_are_those_of_path_query_and_body() -> None:
    upper = b"IM" + b"A" * 32
    request = Request("POST", b"/%b/x?a=PT%b" % (upper, _TWO), (FORM,), b"a=%25" + _ONE)
    assert normalize(request, Rules()).sids == [upper, _TWO, _ONE]


def test_law_3_sids_in_headers_that_count_are_translated_too() -> None:
    one, other = (b"CH" + digit * 32 for digit in (b"1", b"2"))
    forms = [normalize(Request("GET", b"/", ((b"X-A", b"in " + sid),)), Rules(("x-a",))) for sid in (one, other)]
    assert forms[0].sids == [one]
    assert translate(forms[0], lambda _: other) == forms[1]


# Parameters that do not count

IGNORING = Rules(ignore=frozenset({("", "From"), ("POST Messages", "Body")}))


@pytest.mark.parametrize(
    ("method", "target", "body", "same"),
    [
        ("POST", MESSAGES, b"Body=other&a=1", True),
        ("POST", MESSAGES, b"From=x&a=1", True),
        ("POST", MESSAGES, b"a=2", False),
        ("POST", MESSAGES + b"?Body=1", b"a=1", True),
        ("POST", MESSAGES + b"/IM1", b"Body=other&a=1", False),
        ("POST", MESSAGES + b"/IM1", b"From=other&a=1", True),
    ],
)
def test_law_11_an_ignored_parameter_does_not_count_in_its_route(
    method: str, target: bytes, body: bytes, same: bool
) -> None:
    path = target.partition(b"?")[0]
    one = normalize(Request(method, path, (FORM,), b"a=1"), IGNORING)
    assert (normalize(Request(method, target, (FORM,), body), IGNORING).key == one.key) is same


def test_law_11_a_form_of_ignored_parameters_alone_is_an_empty_one() -> None:
    ignored = normalize(Request("POST", MESSAGES, (FORM,), b"Body=a"), IGNORING)
    assert ignored == normalize(Request("POST", MESSAGES), IGNORING)


# Multipart forms


def sent(parts: Parts, headers: Headers = (MULTIPART,), rules: Rules = RULES) -> NormalForm:
    return normalize(Request("POST", MESSAGES, headers, multipart(parts), origin=ORIGIN), rules)


def plain(**fields: bytes) -> Parts:
    return [(name.encode(), None, None, content) for name, content in fields.items()]


def _meant_parts(parts: Parts) -> object:
    meant = defaultdict(list)
    for name, filename, media_type, content in parts:
        meant[name].append((filename, media_type, _meant_json(content) if filename is None else content))
    return {name: told for name, told in meant.items() if (name, told) != (b"From", [(None, None, b"system")])}


@given(form_parts, st.data())
def test_law_2_a_multipart_form_counts_by_its_parts_whatever_its_boundary(parts: Parts, data: st.DataObject) -> None:
    (one, other) = (data.draw(spelled_parts(parts)) for _ in range(2))
    forms = [normalize(Request("POST", MESSAGES, (head,), body, origin=ORIGIN), RULES) for head, body in (one, other)]
    assert forms[0] == forms[1]
    assert forms[0].key == forms[1].key


@given(form_parts, form_parts, st.data())
def test_law_2_multipart_forms_of_other_parts_differ(parts: Parts, others: Parts, data: st.DataObject) -> None:
    several = [parts, others, data.draw(st.permutations(parts))]
    for one, other in combinations(several, 2):
        is_same = _meant_parts(one) == _meant_parts(other)
        assert (sent(one).text == sent(other).text) == is_same
        assert (sent(one).key == sent(other).key) == is_same


def test_the_text_form_of_parts_is_what_the_documentation_shows() -> None:
    form = sent([(b"File", b"a.txt", b"text/plain", b"a;b"), *plain(Attributes=b'{"a": 1}')])
    assert form.text.endswith(b'\n\nmultipart\nAttributes={"a":1}&File=a%3bb;content-type=text/plain;filename=a.txt')


def test_lines_that_end_in_lf_alone_are_another_form() -> None:
    crlf, lf = (multipart(plain(Body=b"a"), newline=newline) for newline in (b"\r\n", b"\n"))
    forms = [post(body, headers=(MULTIPART,)) for body in (crlf, lf)]
    assert [form.kind for form in forms] == ["multipart", "multipart with bare line feeds"]
    assert forms[0].key != forms[1].key


def test_a_multipart_body_that_is_no_form_counts_by_its_bytes() -> None:
    body = multipart(plain(Body=b"a"))
    for media_type in (b"multipart/form-data", b"multipart/mixed; boundary=b", b"multipart/form-data; boundary=c"):
        form = post(body, headers=((b"Content-Type", media_type),))
        assert (form.kind, form.body) == ("bytes", (body,))


def test_law_2_the_content_of_a_file_counts_by_its_bytes() -> None:
    def of_file(content: bytes, filename: bytes | None = b"a.json") -> NormalForm:
        return sent([(b"a", filename, None, content)])

    assert of_file(b"[1.0]") != of_file(b"[1]")
    assert of_file(b"[1.0]", None) == of_file(b"[1]", None)
    assert of_file(ORIGIN.encode()).body == (b"a=%b;filename=a.json" % ORIGIN.encode(),)
    assert of_file(ORIGIN.encode(), None).body == (b"a=" + UPSTREAM.encode(),)


def test_law_3_a_part_at_its_default_equals_its_absence() -> None:
    assert sent(plain(From=b"system")) == sent([])
    assert sent([(b"From", None, b"text/plain", b"system")]) != sent([])


def test_an_empty_part_differs_from_an_absent_one() -> None:
    assert sent(plain(a=b"")) != sent([])


@pytest.mark.parametrize("name", [b"Body", b"B%6Fdy", b"From"])
def test_law_11_an_ignored_part_does_not_count_in_its_route(name: bytes) -> None:
    one = sent([(name, b"any", None, b"thing"), *plain(a=b"1")], rules=IGNORING)
    assert one.key == sent(plain(a=b"1"), rules=IGNORING).key


def test_an_ignored_name_is_decoded_in_query_and_form() -> None:
    rules = Rules(ignore=frozenset({("", "a&b")}))
    one = normalize(Request("POST", MESSAGES + b"?a%26b=1", (FORM,), b"a%26b=2&c=3"), rules)
    assert one == normalize(Request("POST", MESSAGES, (FORM,), b"c=3"), rules)


def test_a_content_type_that_counts_has_no_boundary_of_its_own() -> None:
    rules = Rules(("content-type", "x-a"))
    forms = [
        normalize(
            Request(
                "POST",
                MESSAGES,
                ((b"X-A", b"1"), (b"Content-Type", b"multipart/form-data; boundary=" + boundary)),
                multipart(plain(a=b"1"), boundary),
            ),
            rules,
        )
        for boundary in (b"one", b"other")
    ]
    assert forms[0] == forms[1]
    assert forms[0].headers == (b"content-type: multipart/form-data; boundary=chatproxy-boundary", b"x-a: 1")


# As it was sent


def test_a_form_is_shown_without_its_escapes() -> None:
    form = normalize(Request("POST", b"/a%2fb/%25?c%26=%0A%25", (FORM,), b"d=%26+%25&e=1"), RULES)
    assert (form.sent_path, form.sent_query, form.sent_body) == (b"/a%2Fb/%25", [b"c&=\n%"], [b"d=& %", b"e=1"])
    assert sent([(b"a&b", None, None, b"1;%")]).sent_body == [b"a&b=1;%"]
    assert post(b"100%25", headers=()).sent_body == [b"100%25"]


CONDITIONS = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range")


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize("target", [b"/v1/x", b"/v1/x?a=1"])
def test_a_condition_always_counts(name: str, target: bytes) -> None:
    def form(*headers: tuple[str, str], rules: Rules | None = None) -> NormalForm:
        sent = tuple((name.encode(), value.encode()) for name, value in headers)
        return normalize(Request("GET", target, sent), rules or Rules())

    one = form((name, "a"), ("Accept", "b"))
    assert one.headers == (f"{name.lower()}: a".encode(),)
    assert one == form((name.upper(), "a")) == form((name, "a"), rules=Rules((name,)))
    assert len({each.key for each in (one, form((name, "b")), form(), form((name, "a"), (name, "b")))}) == 4
    named = form((name, "a"), ("X-A", "b"), rules=Rules(("x-a",)))
    assert named.headers == (f"{name.lower()}: a".encode(), b"x-a: b")


def test_a_form_of_more_parameters_than_are_read_counts_by_its_bytes() -> None:
    body = b"&".join(b"a%d=+" % nth for nth in range(100_000))
    assert (post(body).kind, post(body).body) == ("bytes", (body,))
    assert post(body) != post(b"&".join(reversed(body.split(b"&"))))


def test_law_3_many_defaults_do_not_take_quadratic_time() -> None:
    assert len(post(b"From=system&" * 9_999).body) == 9_999
