import pytest
from strategies import FORM, JSON, MESSAGES, MULTIPART, multipart

from chatproxy.core.matching.difference import differences
from chatproxy.core.matching.normal_form import NormalForm, normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Headers, LiveSid, RecordedSid, Request
from chatproxy.core.replay.wording import worded

RULES = Rules(("x-a",))
MADE, GIVEN = b"IM" + b"1" * 26 + b"abcdef", b"IM" + b"2" * 26 + b"fedcba"


def form(request: Request) -> NormalForm:
    return normalize(request, RULES)


def post(body: bytes, path: bytes = MESSAGES, headers: Headers = (FORM,)) -> Request:
    return Request("POST", path, headers, body)


def worded_differences(recorded: NormalForm, live: NormalForm) -> list[str]:
    return worded(differences(recorded, live))


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
        (post(b"[1]", headers=(JSON,)), post(b"[2]", headers=(JSON,)), "body at /0 is 1 where this has 2"),
        (post(b"Body=%ff"), post(b"Body=%fe"), "form field 'Body' is '\\\\xff' where this has '\\\\xfe'"),
        (
            post(multipart([(b"File", b"a", None, b"x")]), headers=(MULTIPART,)),
            post(multipart([(b"File", b"b", None, b"x")]), headers=(MULTIPART,)),
            "form part 'File; filename' is 'a' where this has 'b'",
        ),
        (
            post(multipart([(b"a", None, None, b"[1]")]), headers=(MULTIPART,)),
            post(multipart([(b"a", None, None, b"[2]")]), headers=(MULTIPART,)),
            "form field 'a' at /0 is 1 where this has 2",
        ),
        (post(b"Body=%26+100%25"), post(b"Body=a"), "form field 'Body' is '& 100%' where this has 'a'"),
        (
            Request("GET", b"/a/b%2Fc%25"),
            Request("GET", b"/a/b"),
            "the segment after 'a' is 'b%2Fc%25' where this has 'b'",
        ),
        (
            post(b"a=%23%23%5Berror%5D"),
            post(b"a=::error::"),
            "form field 'a' is '\\u0023#[error]' where this has '::error::'",
        ),
        (
            post(b'{"##[a]": 1, "b\\nc": 1}', headers=(JSON,)),
            post(b'{"##[a]": 2, "b\\nc": 1}', headers=(JSON,)),
            "body at /\\u0023#[a] is 1 where this has 2",
        ),
        (post(b"Body=a%0ab"), post(b"Body=a"), "form field 'Body' is 'a\\nb' where this has 'a'"),
    ],
)
def test_a_difference_names_the_part_and_both_values(recorded: Request, live: Request, difference: str) -> None:
    assert worded_differences(form(recorded), form(live)) == [difference]


def test_bodies_of_different_kinds_are_shown_whole() -> None:
    assert worded_differences(form(post(b"a=1&b=%26")), form(post(b"[]", headers=(JSON,)))) == [
        "kind of body is 'form' where this has 'json'",
        "body is 'a=1&b=&' where this has '[]'",
    ]


def test_an_empty_body_lacks_the_fields_of_a_form() -> None:
    assert worded_differences(form(post(b"a=1&b=%26")), form(post(b""))) == [
        "form field 'a' is '1' where this has absent",
        "form field 'b' is '&' where this has absent",
    ]


def test_every_difference_is_named() -> None:
    recorded, live = Request("GET", b"/a/b?c=1&d=2"), Request("GET", b"/x/y?c=2&e=3")
    assert worded_differences(form(recorded), form(live)) == [
        "the segment after '' is 'a' where this has 'x'",
        "the segment after 'a' is 'b' where this has 'y'",
        "query parameter 'c' is '1' where this has '2'",
        "query parameter 'd' is '2' where this has absent",
        "query parameter 'e' is absent where this has '3'",
    ]


def test_long_values_are_shown_from_a_little_before_where_they_differ() -> None:
    (difference,) = worded_differences(
        form(post(b"Body=" + b"x" * 500 + b"1tail")), form(post(b"Body=" + b"x" * 500 + b"2" + b"y" * 99))
    )
    assert f"is …{'x' * 30}1tail' where this has …{'x' * 30}2{'y' * 29}…" in difference
    (difference,) = worded_differences(form(post(b"Body=" + b"x" * 99)), form(post(b"Body=a" + b"x" * 99)))
    assert difference == f"form field 'Body' is '{'x' * 59}… where this has 'a{'x' * 58}…"


def test_json_differs_by_pointer() -> None:
    one, other = (form(post(b'Attributes={"a":[1,%b]}' % value)) for value in (b"2", b"3"))
    assert worded_differences(one, other) == ["form field 'Attributes' at /a/1 is 2 where this has 3"]
    whole = worded_differences(form(post(b"Attributes={}")), form(post(b"Attributes=[]")))
    assert whole == ["form field 'Attributes' is {} where this has []"]


def test_law_12_of_many_places_the_first_are_named() -> None:
    one, other = (form(post(b"Attributes=[" + b",".join([value] * 12) + b"]")) for value in (b"1", b"2"))
    found = worded_differences(one, other)
    assert found[0] == "form field 'Attributes' at /0 is 1 where this has 2"
    assert (len(found), found[10]) == (11, "form field 'Attributes' differs in more places")


def test_a_large_value_is_not_looked_into() -> None:
    one, other = (form(post(b'Attributes=["%b"]' % (letter * 70_000))) for letter in (b"a", b"b"))
    (found,) = worded_differences(one, other)
    assert found.startswith("form field 'Attributes' is")


def test_a_value_derived_from_a_sid_is_named_as_such() -> None:
    given = [(LiveSid(GIVEN), RecordedSid(MADE))]
    bodies = (b"Ref=" + sid[-6:] for sid in (MADE, GIVEN))
    (line,) = worded(differences(*(form(post(body)) for body in bodies)), given)
    assert line.endswith(f' (derived from a SID, {GIVEN.decode()}: use keep = ["IM"])')
    (line,) = worded(differences(form(post(b"Ref=" + b"a" * 70_000)), form(post(b"Ref=" + GIVEN[2:]))), given)
    assert "derived" not in line


def test_times_of_two_clocks_are_named_as_such() -> None:
    recorded, live = (
        Request("GET", MESSAGES + b"?Since=" + day + b"T00:00:00Z") for day in (b"2026-01-01", b"2026-02-01")
    )
    (line,) = worded(differences(form(recorded), form(live)))
    assert line == (
        "query parameter 'Since' is '2026-01-01T00:00:00Z' where this has '2026-02-01T00:00:00Z' "
        "(a time of the recording and one of this replay)"
    )


@pytest.mark.parametrize(("segment", "why"), [("", "nothing"), ("CH12", "not a SID"), ("ch" + "1" * 32, "not a SID")])
def test_a_segment_that_should_be_a_sid_is_named_as_such(segment: str, why: str) -> None:
    recorded, live = (Request("GET", b"/v1/Channels/%b/Members" % one) for one in (b"CH" + b"1" * 32, segment.encode()))
    (line,) = worded(differences(form(recorded), form(live)))
    assert line == f"the segment after 'Channels' is 'CH{'1' * 32}' where this has '{segment}' ({why})"
