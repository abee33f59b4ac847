import json
from dataclasses import replace

import pytest
from exchanges import numbered
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    FORM,
    JSON,
    UPSTREAM,
    Json,
    Pairs,
    exchanges,
    json_spellings,
    json_values,
    pairs,
    requests,
    spelled_pairs,
)

from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, Headers, Request, Response
from chatproxy.core.scrubbing.pseudonyms import Pseudonyms
from chatproxy.core.scrubbing.rules import NO_SCRUB, Action, LooksAt, Scrub, ScrubRule
from chatproxy.core.scrubbing.scrub import (
    TELLING,
    is_telling,
    scrubbed_exchange,
    scrubbed_request,
    scrubbed_target,
    unsettled,
)

SALT = "a salt of the team"
MADE = Pseudonyms(SALT)
SID = "IM" + "1234567890123456" * 2


def rule(looks_at: str, name: str, put: str | None) -> ScrubRule:
    """Make a rule that replaces, or else does what the words *drop* and *pseudonym* say."""
    action = {"drop": Action.DROP, "pseudonym": Action.PSEUDONYM}.get(put or "", Action.REPLACE)
    return ScrubRule(LooksAt(looks_at), name, action, "" if action is not Action.REPLACE else put or "")


def scrub(*rules: tuple[str, str, str]) -> Scrub:
    return Scrub(tuple(rule(*one) for one in rules), SALT)


_actions = st.sampled_from(["drop", "pseudonym", "text", "", "é"])
_rules = st.one_of(
    st.tuples(st.just("header"), st.sampled_from(["X-A", "x-*", "*", "content-*"]), _actions),
    st.tuples(
        st.just("field"),
        st.sampled_from(["", "a", "1", "body", "url", "from", "/a", "/*", "/*/*", "/0", "/messages/*/body", "/*/0/a"]),
        _actions,
    ),
    st.tuples(st.just("parameter"), st.sampled_from(["", "a", "Body", "From", "Attributes"]), _actions),
    st.tuples(
        st.just("pattern"),
        st.sampled_from(
            ["[0-9]{2}", "a", "x?[a-z]+", "(?s).+", "[^ ]{3,9}$", "ab", r"\W", "(?<!0)[0-9]", "http", "IM[0-9a-f]+"]
        ),
        st.sampled_from(["pseudonym", "", "0", "bba", "*", "aab"]),
    ),
)
scrubs = st.lists(_rules, max_size=4).map(lambda rules: scrub(*rules)).filter(lambda one: unsettled(one.rules) is None)


@given(exchanges, scrubs)
def test_law_1_scrubbing_again_changes_nothing(exchange: Exchange, scrub: Scrub) -> None:
    once = scrubbed_exchange(exchange, scrub)
    assert scrubbed_exchange(once, scrub) == once


@given(st.data(), json_values, scrubs)
def test_law_1_scrubbing_json_again_changes_nothing(data: st.DataObject, value: Json, scrub: Scrub) -> None:
    text = data.draw(json_spellings([value, {"a": json.dumps(value), "x": [value, value]}]))
    once = scrubbed_request(Request("POST", b"/", (JSON,), text), scrub)
    assert scrubbed_request(once, scrub) == once
    form = Request("POST", b"/", (FORM,), b"Attributes=" + text.replace(b"%", b"%25").replace(b"&", b"%26"))
    once = scrubbed_request(form, scrub)
    assert scrubbed_request(once, scrub) == once


@given(st.data(), pairs, scrubs)
def test_law_2_equal_requests_are_scrubbed_to_equal_ones(data: st.DataObject, pairs: Pairs, scrub: Scrub) -> None:
    forms = [Request("POST", b"/v1", (FORM,), data.draw(spelled_pairs(pairs))) for _ in range(2)]
    if len({normalize(form, Rules()).key for form in forms}) == 1 and b"{" not in forms[0].body + forms[1].body:
        one, other = (normalize(scrubbed_request(form, scrub), Rules()).text for form in forms)
        assert one == other


@given(requests)
def test_law_4_what_no_rule_touches_stays(request: Request) -> None:
    request = replace(request, headers=tuple(one for one in request.headers if not is_telling(one[0])))
    nothing = scrub(("field", "\0never", "drop"), ("parameter", "\0never", "drop"), ("pattern", "\ue000", "0"))
    assert scrubbed_request(request, nothing) == request
    assert scrubbed_request(request, NO_SCRUB) is request


def shared(rules: Scrub, target: str = "/", headers: Headers = (), body: str | bytes = b"") -> Request:
    written = body.encode() if isinstance(body, str) else body
    return scrubbed_request(Request("POST", target.encode(), headers, written), rules)


@pytest.mark.parametrize("name", TELLING)
def test_headers_that_tell_of_machines_are_always_dropped(name: str) -> None:
    telling = name.replace("*", "Anything").encode()
    kept = (b"X-Kept", b"1")
    assert is_telling(telling.upper())
    request = Request("GET", b"/", (kept, (telling, b"1"), (b"X" + telling, b"2")))
    assert scrubbed_request(request, NO_SCRUB).headers == (kept, (b"X" + telling, b"2"))
    assert scrubbed_request(request, scrub(("field", "a", "drop"))).headers == (kept, (b"X" + telling, b"2"))
    exchange = numbered(1, request, Response(200, b"", request.headers), UPSTREAM, 1, 1)
    assert scrubbed_exchange(exchange, NO_SCRUB).response == exchange.response
    without = replace(exchange, request=Request("GET", b"/"))
    assert scrubbed_exchange(without, NO_SCRUB) is without


def test_headers() -> None:
    headers = (
        (b"User-Agent", b"a/1"),
        (b"X-Who", b"alice"),
        (b"x-WHO", b"\xff"),
        (b"Content-Type", b"a"),
        (b"Y", b"a1"),
    )
    rules = (("header", "User-*", "text"), ("header", "x-who", "pseudonym"), ("pattern", "[a1-9]", "0b"))
    found = shared(scrub(*rules), headers=headers).headers
    assert found == (
        (b"User-Agent", b"text"),
        (b"X-Who", MADE.of_text("alice").encode()),
        (b"x-WHO", MADE.of_text("\udcff").encode()),
        (b"Content-Type", b"a"),
        (b"Y", b"0b0b"),
    )
    assert shared(scrub(("header", "*", "drop")), headers=headers).headers == ((b"Content-Type", b"a"),)


@pytest.mark.parametrize(
    ("rules", "body", "expected"),
    [
        ([("parameter", "From", "drop")], "Body=x&From=alice", "Body=x"),
        ([("parameter", "From", "drop")], "From=alice", ""),
        ([("parameter", "From", "drop")], "From&&Body=a+b%21", "&Body=a+b%21"),
        ([("parameter", "From", "a b&c")], "Fr%6fm=alice&From", "Fr%6fm=a+b%26c&From"),
        ([("parameter", "From", "pseudonym")], "From=%61lice", "From=" + MADE.of_text("alice")),
        ([("parameter", "To", "pseudonym")], "To=%2B15551234567", "To=%2B" + MADE.of_text("+15551234567")[1:]),
        ([("pattern", "b c", "0")], "Body=a+b%20c&x=%7e", "Body=a+0&x=%7e"),
        ([("pattern", "é", "é")], "Body=%c3%a9", "Body=%c3%a9"),
        ([("pattern", "é", "e")], "Body=%C3%A9%FF&x=%C3%A9", "Body=e&x=e"),
        ([("field", "phone", "0")], 'A={"phone": 1, "x": [2]}', "A=%7B%22phone%22%3A+%220%22%2C+%22x%22%3A+%5B2%5D%7D"),
        ([("field", "/phone", "0")], 'A={"phone":1}', 'A={"phone":1}'),
        ([("parameter", "u", "0")], "Body=http://x/?u=1%26v=2", "Body=http%3A%2F%2Fx%2F%3Fu%3D0%26v%3D2"),
    ],
)
def test_forms(rules: list[tuple[str, str, str]], body: str, expected: str) -> None:
    assert shared(scrub(*rules), headers=(FORM,), body=body).body.decode() == expected
    assert scrubbed_target(f"/v1?{body}".encode(), scrub(*rules)).decode() == ("/v1?" + expected).rstrip("?")


@pytest.mark.parametrize(
    ("rules", "target", "expected"),
    [
        ([("parameter", "a", "drop")], "/v1?a=1", "/v1"),
        ([("parameter", "a", "drop")], "/v1?", "/v1?"),
        ([("pattern", r"\+1[0-9]+", "0")], "/Channels/%2B15551234567/Messages", "/Channels/0/Messages"),
        ([("pattern", r"\+1[0-9]+", "a/b?")], "/x/+15551234567?x=1", "/x/a%2Fb%3F?x=1"),
        (
            [("pattern", "[0-9]{4}", "0")],
            f"/{SID}/{SID[:2]}{'1234567890ABCDEF' * 2}",
            f"/{SID}/{SID[:2]}{'1234567890ABCDEF' * 2}",
        ),
        ([("header", "*", "drop")], "/v1?a=1", "/v1?a=1"),
        ([("field", "a", "drop")], "/v1%20?a=1", "/v1%20?a=1"),
    ],
)
def test_targets(rules: list[tuple[str, str, str]], target: str, expected: str) -> None:
    assert scrubbed_target(target.encode(), scrub(*rules)).decode() == expected
    assert scrubbed_target(target.encode(), NO_SCRUB).decode() == target


CONTENT = (
    '{"from": "alice", "n": [1, {"from": 42}], "from": null, "is": true, "o": {"k": 1}, '
    '"attributes": "{\\"from\\": \\"alice\\"}"}'
)


@pytest.mark.parametrize(
    ("rules", "body", "expected"),
    [
        (
            [("field", "from", "drop")],
            CONTENT,
            '{"n": [1, {}], "is": true, "o": {"k": 1}, "attributes": "{}"}',
        ),
        (
            [("field", "from", "pseudonym")],
            CONTENT,
            CONTENT.replace("alice", MADE.of_text("alice")).replace("42", MADE.of_number(b"42").decode()),
        ),
        (
            [("field", "/is", "pseudonym"), ("field", "/o", "pseudonym")],
            CONTENT,
            CONTENT.replace('{"k": 1}', f'"{MADE.of_text(chr(123) + chr(34) + "k" + chr(34) + ": 1}")}"'),
        ),
        (
            [("field", "a", "pseudonym")],
            '{"a": {}, "b": {"a": [ ]}, "c": {"a": ""}}',
            '{"a": {}, "b": {"a": [ ]}, "c": {"a": ""}}',
        ),
        ([("field", "from", "0")], '{"from":1,"a":{"from":[2]}}', '{"from":"0","a":{"from":"0"}}'),
        ([("field", "/n/*/from", "0")], CONTENT, CONTENT.replace("42", '"0"')),
        ([("field", "/n/0", "drop")], CONTENT, CONTENT.replace("[1,", "[null,")),
        ([("field", "/n/*", "drop")], CONTENT, CONTENT.replace('[1, {"from": 42}]', "[]")),
        ([("field", "/n/1", "x"), ("field", "/n/*", "drop")], CONTENT, CONTENT.replace('[1, {"from": 42}]', "[]")),
        ([("field", "n", "x"), ("field", "from", "drop")], '{"n": {"from": 1}}', '{"n": "x"}'),
        (
            [("pattern", "li", "0")],
            '["alice", "\\u0061lice", "\\u00e9li", {"li": 1}]',
            '["a0ce", "a0ce", "\\u00e90", {"li": 1}]',
        ),
        ([("pattern", "li", "0")], '["éli", "bob"]', '["é0", "bob"]'),
        ([("pattern", "li", "0")], '["\\ud800li", "é\\ud800"]', '["0", "é\\ud800"]'),
        ([("pattern", "[0-9]{4}", "0")], "[12345678, 1234, 12, 999123456789012]", '["00", 0, 12, 999123456789012]'),
        ([("pattern", "[0-9]{4}", "pseudonym")], "[1234]", f"[{MADE.of_number(b'1234').decode()}]"),
        ([("pattern", "li", "0")], '{"a": "[\\"ali\\"]"}', '{"a": "[\\"a0\\"]"}'),
        ([("pattern", "li", "0")], '{"a": "[ali]"}', '{"a": "[a0]"}'),
        ([("pattern", "alice", "0"), ("field", "a", "drop")], '{"a": alice', '{"a": 0'),
        ([("pattern", "a", "0")], '"a"', '"0"'),
        ([("pattern", "[0-9]+", "pseudonym")], " 12", " " + MADE.of_text("12")),
        ([("pattern", "a", "0")], b"\xffa", "0"),
        ([("parameter", "From", "0")], '{"url": "https://x/y?From=alice&z=1"}', '{"url": "https://x/y?From=0&z=1"}'),
        ([("pattern", "alice@", "0")], '["https://x/alice%40y?q=alice%40y"]', '["https://x/0y?q=0y"]'),
    ],
)
def test_other_bodies(rules: list[tuple[str, str, str]], body: str | bytes, expected: str) -> None:
    assert shared(scrub(*rules), headers=(JSON,), body=body).body.decode() == expected
    assert shared(scrub(*rules), body=body).body.decode() == expected


def test_texts_in_texts_are_looked_into_to_a_depth() -> None:
    text = "a"
    for _ in range(6):
        text = json.dumps([text])
    assert b"0" in shared(scrub(("pattern", "a", "0")), body=text).body
    url = "http://x/?u=1"
    for _ in range(2000):
        url = f"http://x/?u={url}"
    assert b"u%3D1" not in shared(scrub(("parameter", "v", "0")), body=url).body


def test_law_1_patterns_that_never_come_to_rest_replace_the_whole() -> None:
    rules = scrub(("pattern", "ab", "bba"))
    assert unsettled(rules.rules) is None
    assert shared(rules, body="aaab" * 9).body == b"bba"
    growing = scrub(("pattern", "(?<=x)a", "aa"), ("pattern", "(?=y)[a-z]+", "pseudonym"))
    assert unsettled(growing.rules) is None
    assert shared(growing, body="xa").body == b"aa"


@pytest.mark.parametrize(
    ("rules", "which"),
    [
        ([("pattern", "a", "b")], None),
        ([("pattern", "a", "a")], None),
        ([("pattern", "a", "aa")], 0),
        ([("pattern", "a", "b"), ("pattern", "b", "c")], 0),
        ([("pattern", "a", "b"), ("pattern", "c", "a")], 1),
        ([("pattern", "a", "b"), ("field", "x", "a")], None),
        ([("pattern", "x", '{"a": 1}'), ("field", "a", "drop")], 0),
        ([("pattern", "b", "pseudonym"), ("pattern", "x", "b")], 1),
    ],
)
def test_a_replacement_that_would_be_changed_again_is_found(
    rules: list[tuple[str, str, str]], which: int | None
) -> None:
    made = scrub(*rules).rules
    assert unsettled(made) is (None if which is None else made[which])


def test_pseudonyms_are_told_with_what_they_stand_for() -> None:
    rules = scrub(("parameter", "From", "pseudonym"), ("field", "n", "pseudonym"), ("pattern", "b+", "pseudonym"))
    noted: dict[str, str] = {}
    request = Request("POST", b"/?From=alice&x=abbc&y=%22", (JSON,), b'{"n": 1.5, "m": {"n": [1]}}')
    once = scrubbed_request(request, rules, noted.__setitem__)
    assert noted == {
        MADE.of_text("alice"): "alice",
        MADE.of_text("bb"): "bb",
        MADE.of_number(b"1.5").decode(): "1.5",
        MADE.of_text("[1]"): "[1]",
    }
    again: dict[str, str] = {}
    assert scrubbed_request(once, rules, again.__setitem__) == once
    assert again == {}


def test_equal_values_have_equal_pseudonyms_in_requests_and_answers() -> None:
    rules = scrub(("parameter", "From", "pseudonym"), ("field", "from", "pseudonym"), ("header", "X-*", "pseudonym"))
    request = Request("POST", b"/?From=%61lice", (FORM, (b"X-Who", b"alice")), b"From=alice")
    response = Response(200, b"", (JSON,), b'{"from": "\\u0061lice"}')
    shown = scrubbed_exchange(numbered(1, request, response, UPSTREAM, 1, 1), rules)
    pseudonym = MADE.of_text("alice").encode()
    assert shown.request.target == b"/?From=" + pseudonym
    assert shown.request.body == b"From=" + pseudonym
    assert shown.request.headers[1] == (b"X-Who", pseudonym)
    assert shown.response.body == b'{"from": "%b"}' % pseudonym


def test_law_5_where_patterns_could_take_long_a_long_text_goes_as_a_whole_and_a_short_one_does_not() -> None:
    mail = scrub(("pattern", "[a-z]+@[a-z]+", "x"))
    for text, left in (("a" * 16_000 + "@a", "x"), ("a" * 16_400, "x"), ("a" * 16_000, "a" * 16_000)):
        body = scrubbed_request(Request("POST", b"/", (FORM,), f"Body={text}".encode()), mail).body
        assert body == f"Body={left}".encode()
    fixed = scrub(("pattern", "[0-9]{16}", "x"))
    assert scrubbed_request(Request("POST", b"/", (), b"1" * 16_400), fixed).body == b"x" * (16_400 // 16)
    number = b"[%b]" % (b"1" * 17_000)
    assert scrubbed_request(Request("POST", b"/", (JSON,), number), scrub(("pattern", "a+", "x"))).body == b'["x"]'


def test_law_5_texts_that_are_long_together_go_from_where_it_would_take_long() -> None:
    mail = scrub(("pattern", "[a-z]+@[a-z]+", "x"))
    body = b"&".join(b"a=" + b"a" * 10_000 for _ in range(4))
    assert scrubbed_request(Request("POST", b"/", (FORM,), body), mail).body.endswith(b"a&a=x&a=x")


def test_a_body_of_more_than_is_read_is_a_text() -> None:
    first = scrub(("parameter", "a", "x"), ("field", "a", "x"), ("pattern", "secret", "x"))
    form = b"a=secret" + b"&b=" * 10_000
    assert scrubbed_request(Request("POST", b"/", (FORM,), form), first).body == form.replace(b"secret", b"x")
    array = b'[{"a": "secret"}' + b",1" * 100_000 + b"]"
    assert scrubbed_request(Request("POST", b"/", (JSON,), array), first).body == array.replace(b"secret", b"x")
