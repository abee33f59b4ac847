import pytest

from chatproxy.core.matching.rules import Rules
from chatproxy.core.scrubbing.rules import NO_SCRUB, Action, LooksAt, Scrub, ScrubRule, names_header
from chatproxy.core.text.json_edit import values

TEXT = b'{"a": {"b/c": [1, {"x": 2}]}, "x": 3, "*": {"x": 4}}'


def field(name: str, action: Action = Action.REPLACE, text: str = "") -> ScrubRule:
    return ScrubRule(LooksAt.FIELD, name, action, text)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("x", ["/a/b~1c/1/x", "/x", "/*/x"]),
        ("/x", ["/x"]),
        ("/a", ["/a"]),
        ("/a/b~1c/0", ["/a/b~1c/0"]),
        ("/a/*/*", ["/a/b~1c/0", "/a/b~1c/1"]),
        ("/*/x", ["/*/x"]),
        ("/a/b~1c/*/x", ["/a/b~1c/1/x"]),
        ("/*", ["/a", "/x", "/*"]),
        ("/", []),
        ("y", []),
        ("*", ["/*"]),
    ],
)
def test_a_field_is_named_plainly_or_by_a_pointer(name: str, found: list[str]) -> None:
    scrub = Scrub((field(name),))
    assert [value.pointer for value in values(TEXT) or () if scrub.field_rule(value, is_of_body=True)] == found


def test_pointers_lead_into_bodies_only() -> None:
    scrub = Scrub((field("/x"), field("b/c")))
    found = [value.pointer for value in values(TEXT) or () if scrub.field_rule(value, is_of_body=False)]
    assert found == ["/a/b~1c"]


def test_the_first_rule_decides_but_for_one_that_drops_all() -> None:
    names = (field("x", text="1"), field("/x", text="2"), field("x", text="3"))
    everything = field("/*", Action.DROP)
    x = next(value for value in values(TEXT) or () if value.pointer == "/x")
    assert Scrub(names).field_rule(x, is_of_body=True) is names[0]
    assert Scrub(names[1:]).field_rule(x, is_of_body=True) is names[1]
    assert Scrub((*names, everything)).field_rule(x, is_of_body=True) is everything


@pytest.mark.parametrize(
    ("rule", "name", "is_named"),
    [
        ("User-Agent", b"user-agent", True),
        ("User-Agent", b"User-Agents", False),
        ("X-B3-*", b"x-b3-traceid", True),
        ("X-B3-*", b"X-B3-", True),
        ("X-B3-*", b"X-B3", False),
        ("*", b"Anything", True),
    ],
)
def test_a_header_is_named_in_any_case_or_by_its_begin(rule: str, name: bytes, is_named: bool) -> None:
    assert names_header(rule, name) is is_named


def test_the_first_rule_for_a_header_or_a_parameter_decides() -> None:
    headers = tuple(ScrubRule(LooksAt.HEADER, name, Action.DROP) for name in ("X-*", "X-A"))
    parameters = tuple(ScrubRule(LooksAt.PARAMETER, "a", Action.REPLACE, text) for text in "12")
    scrub = Scrub((*headers, *parameters))
    assert scrub.header_rule(b"x-a") is headers[0]
    assert scrub.header_rule(b"y") is None
    assert scrub.parameter_rule("a") is parameters[0]
    assert scrub.parameter_rule("A") is None


def test_other_rules_and_another_salt_have_another_fingerprint() -> None:
    one = field("a", Action.PSEUDONYM)
    scrubs = [NO_SCRUB, Scrub((one,)), Scrub((one,), "salt"), Scrub((field("a"),)), Scrub((field("a", text="x"),))]
    assert len({Rules(scrub=scrub).fingerprint for scrub in scrubs}) == len(scrubs)
    assert len({hash(scrub) for scrub in scrubs}) == len(scrubs)


def test_what_rules_there_are_can_be_told_quickly() -> None:
    header = Scrub((ScrubRule(LooksAt.HEADER, "a", Action.DROP),))
    assert (bool(NO_SCRUB), bool(header)) == (False, True)
    assert (header.has_texts, header.has_pseudonyms) == (False, False)
    assert Scrub((field("a", Action.PSEUDONYM),)).has_texts
    assert Scrub((field("a", Action.PSEUDONYM),)).has_pseudonyms
