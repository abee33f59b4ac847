import re

import pytest

from chatproxy.core.scrubbing.engines import compiled, is_unbounded, takes_long

LONG = [
    "(a+)+$",
    "(a|a)*",
    "(a|ab)*c",
    "(a*)*",
    "(a+)+?b",
    "(?:a+b?)+",
    "(x+x+)+y",
    r"(\d*-\d*)+",
    r"\d+\d+",
    ".*foo.*",
    "(?=(a+)+)b",
    "(a?){30}a{30}",
    "((a{1,30}){1,30}){1,30}",
    "(?i)a+A+",
    "(?i)[a-f]+[A-F]+",
    r"(.*)\1",
    "(?:[a-z]+)?[a-z]+",
    "(a+)(b+)?(a+)?$",
    r"(?:\w|ab)+",
    "é+[^a]+",
    "世+[一-龥]+",
    r"\W+[^x]+",
]
SHORT = [
    r"\+[1-9][0-9]{6,14}",
    "[0-9]{16}",
    r"(\w+\.)+x",
    r"(?:\d{3})+",
    r"(?:\d{3}-)+",
    "(?:(?:a))*",
    r"[\w.+-]+@[\w-]+\.[\w.]+",
    "(?:foo|bar)+",
    r"\w+\s+\w+",
    r"\bfoo\b.*",
    r"[^@\s]+@\w+",
    "(?i)a+B+",
    "世+!界+",
    "(a)\\1",
    "(?:a|b+)c",
    r"(?:^a)+",
]


@pytest.mark.parametrize("pattern", LONG)
def test_law_1_repetitions_that_overlap_take_long(pattern: str) -> None:
    assert takes_long(pattern)


@pytest.mark.parametrize("pattern", SHORT)
def test_law_2_others_do_not_and_are_searched_by_pythons_engine(pattern: str) -> None:
    assert not takes_long(pattern)
    assert isinstance(compiled(pattern), re.Pattern)


def test_what_has_no_end_can_take_quadratic_time() -> None:
    assert [is_unbounded(one) for one in ("a+", "(?:a{2,})", "a{1,16}", "abc", "(b|a*)")] == [
        True,
        True,
        False,
        False,
        True,
    ]


def test_a_pattern_that_takes_long_is_searched_by_the_linear_engine_or_refused() -> None:
    linear = re.compile("x")
    assert compiled("(a+)+$", lambda pattern: linear) is linear
    assert compiled("a+", lambda pattern: linear) is not linear
    with pytest.raises(
        ValueError, match=r"^'\(a\+\)\+\$' can take for ever: write it without repetitions that overlap$"
    ):
        compiled("(a+)+$")
