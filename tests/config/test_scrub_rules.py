import json
from pathlib import Path

import pytest

from chatproxy.config.settings import load
from chatproxy.core.errors import ConfigError
from chatproxy.core.scrubbing.rules import Action, LooksAt, ScrubRule

SALT = "a salt of the team"
ALL = [
    ({"header": "X-*", "drop": True}, ScrubRule(LooksAt.HEADER, "X-*", Action.DROP)),
    ({"field": "/messages/*/body", "replace": ""}, ScrubRule(LooksAt.FIELD, "/messages/*/body", Action.REPLACE)),
    ({"parameter": "a b", "pseudonym": True}, ScrubRule(LooksAt.PARAMETER, "a b", Action.PSEUDONYM)),
    ({"pattern": "[0-9]{16}", "replace": "0"}, ScrubRule(LooksAt.PATTERN, "[0-9]{16}", Action.REPLACE, "0")),
]


def test_rules_come_from_a_list_or_from_json(tmp_path: Path) -> None:
    tables, expected = [table for table, _ in ALL], tuple(rule for _, rule in ALL)
    assert load({"scrub": json.dumps(tables), "salt": SALT}, {}, tmp_path).scrub == expected
    environ = {"CHATPROXY_SCRUB": json.dumps(tables), "CHATPROXY_SALT": SALT}
    settings = load({}, environ, tmp_path)
    assert (settings.scrub, settings.salt) == (expected, SALT)
    assert load({}, {"CHATPROXY_SCRUB": ""}, tmp_path).scrub == ()


@pytest.mark.parametrize(("file", "table"), [("chatproxy.toml", "scrub"), ("pyproject.toml", "tool.chatproxy.scrub")])
def test_rules_come_from_tables_of_a_file(tmp_path: Path, file: str, table: str) -> None:
    (tmp_path / file).write_text(
        f'[[{table}]]\nheader = "User-Agent"\ndrop = true\n\n[[{table}]]\nparameter = "Body"\nreplace = "text"\n'
    )
    assert load({}, {}, tmp_path).scrub == (
        ScrubRule(LooksAt.HEADER, "User-Agent", Action.DROP),
        ScrubRule(LooksAt.PARAMETER, "Body", Action.REPLACE, "text"),
    )


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("[", 'is no JSON such as [{"field": "from", "pseudonym": true}]'),
        ("[" * 100_000, "is no JSON"),
        ("{}", "is no list of rules, each a table"),
        ([1], "is no list of rules, each a table"),
        ([{}], "rule 1: has 0 of header, field, parameter, pattern, and takes one"),
        ([{"header": "a", "field": "a", "drop": True}], "rule 1: has 2 of header, field, parameter, pattern"),
        ([{"header": "a"}], "rule 1: has 0 of drop, replace, pseudonym, and takes one"),
        ([{"header": "a", "drop": True, "replace": ""}], "rule 1: has 2 of drop, replace, pseudonym, and takes one"),
        (
            [ALL[0][0], {"header": "a", "drop": True, "salt": "x"}],
            "rule 2: 'salt' is no part of a rule, which has one of header, field",
        ),
        ([{"header": "", "drop": True}], "rule 1: '' is no text to look for"),
        ([{"field": 1, "drop": True}], "rule 1: 1 is no text to look for"),
        ([{"header": "a b", "drop": True}], "rule 1: 'a b' is no header name"),
        ([{"header": "content-TYPE", "drop": True}], "rule 1: Content-Type says how a body is read, and always stays"),
        ([{"field": "/a~2", "drop": True}], "rule 1: '/a~2' is no JSON pointer (RFC 6901)"),
        ([{"pattern": "(", "replace": ""}], "rule 1: '(' is no regular expression: "),
        ([{"pattern": "a{99999999999}", "replace": ""}], "is no regular expression: "),
        ([{"pattern": "a*", "replace": ""}], "rule 1: 'a*' matches an empty text"),
        ([{"pattern": "a", "drop": True}], 'rule 1: a pattern takes replace or pseudonym; replace = "" drops'),
        ([{"field": "a", "drop": "yes"}], "rule 1: drop takes true, not 'yes'"),
        ([{"field": "a", "pseudonym": False}], "rule 1: pseudonym takes true, not False"),
        ([{"field": "a", "replace": 0}], "rule 1: 0 is no text of one line"),
        ([{"field": "a", "replace": "a\nb"}], "is no text of one line"),
        ([{"field": "a", "replace": "\ud800"}], "is no text of one line"),
        (
            [ALL[0][0], {"pattern": "a", "replace": "aa"}],
            "rule 2: the rules would change its replacement 'aa' again; choose another",
        ),
    ],
)
def test_a_wrong_rule_is_named_by_its_place(tmp_path: Path, raw: object, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"scrub": raw}, {}, tmp_path)
    assert str(caught.value).startswith("--scrub: ")
    assert reason in str(caught.value)


def test_the_place_of_a_rule_has_the_name_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "chatproxy.toml").write_text('[[scrub]]\nfield = "a"\ndrop = true\n[[scrub]]\nfield = "a"\n')
    with pytest.raises(ConfigError, match=r"^chatproxy\.toml: scrub: rule 2: has 0 of drop"):
        load({}, {}, tmp_path)


def test_a_pseudonym_needs_a_salt(tmp_path: Path) -> None:
    (tmp_path / "chatproxy.toml").write_text(
        '[[scrub]]\nfield = "a"\ndrop = true\n[[scrub]]\nfield = "b"\npseudonym = true\n'
    )
    with pytest.raises(
        ConfigError, match=r"^chatproxy\.toml: scrub: rule 2: a pseudonym needs a salt; set CHATPROXY_SALT"
    ):
        load({}, {}, tmp_path)
    assert load({"salt": SALT}, {}, tmp_path).salt == SALT


@pytest.mark.parametrize("raw", ["", "sixteen letters", 1234567890123456, ["a" * 16]])
def test_a_salt_that_is_refused_is_not_shown(tmp_path: Path, raw: object) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"salt": raw}, {}, tmp_path)
    assert str(caught.value) == "--salt: is no text of at least 16 characters"


def test_a_header_that_is_always_dropped_cannot_be_part_of_a_match(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'X-Request-Id' is always dropped by scrubbing, and never part of a match"):
        load({"match-headers": "X-Request-Id"}, {}, tmp_path)
