import json
import re

from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.text.excerpts import (
    counted,
    cut,
    excerpts,
    legible,
    literal,
    printable,
    quoted,
    without_commands,
)


@given(st.text() | st.text('\ud800\x1b\x9b\u202e\U000e0001\n"\\ä#[:', max_size=9))
def test_a_quoted_text_is_one_printable_line_of_json(text: str) -> None:
    assert json.loads(quoted(text)) == text
    assert quoted(text).isprintable()


def test_only_what_is_not_printable_is_escaped() -> None:
    assert printable('Grüße, "世界" \U0001f600') == 'Grüße, "世界" \U0001f600'
    assert printable("a\x1b[31m\n\ud800") == "a\\u001b[31m\\n\\ud800"


_HOSTILE = st.lists(
    st.sampled_from(
        ["::error::x", "##[error]", "##vso[task", "##teamcity[", "#", "##", "[", ":", " ", "\n", "\r", "é", "\\"]
    )
).map("".join)


def obeyed(line: str) -> bool:
    """Tell whether a CI system takes a line for a command, as the runners' sources read it."""
    return line.lstrip().startswith("::") or re.search(r"##\w*\[", line) is not None


@given(_HOSTILE)
def test_law_nothing_that_is_shown_is_a_command(text: str) -> None:
    for shown in (printable(text), quoted(text), legible(text), literal(text.encode())):
        assert shown.isprintable()
        assert not obeyed(shown)
        assert not obeyed(f"  {shown}")
    assert json.loads(quoted(text)) == text


@given(_HOSTILE)
def test_law_no_line_of_an_output_is_a_command(text: str) -> None:
    shown = without_commands(text)
    assert not any(map(obeyed, shown.split("\n")))
    assert without_commands(shown) == shown
    assert shown.replace("\\u003a", ":").replace("\\u0023", "#") == text


def test_only_the_first_sign_of_a_command_is_escaped() -> None:
    assert printable("  ::error::a::b") == "  \\u003a:error::a::b"
    assert printable("a ::error::") == "a ::error::"
    assert printable("see ##[error]x") == "see \\u0023#[error]x"
    assert printable("##vso[task.x]") == "\\u0023#vso[task.x]"
    assert printable("## [a] #[b] ##a") == "## [a] #[b] ##a"
    assert without_commands("a\n::b\n\n\t::c") == "a\n\\u003a:b\n\n\t\\u003a:c"


def test_a_text_is_quoted_where_it_could_be_taken_for_something_else() -> None:
    shown = {text: legible(text) for text in ("a b", "", " a", "a\nb", '"a"', "::a", "##[a]", "100 % & more")}
    assert shown == {
        "a b": "a b",
        "": '""',
        " a": '" a"',
        "a\nb": '"a\\nb"',
        '"a"': '"\\"a\\""',
        "::a": '"::a"',
        "##[a]": '"\\u0023#[a]"',
        "100 % & more": "100 % & more",
    }


def test_a_value_is_quoted_for_a_message() -> None:
    assert literal(b"a & 100%") == "'a & 100%'"
    assert literal(b"two\nlines\xff") == "'two\\nlines\\\\xff'"
    assert literal(b"##[error]") == "'\\u0023#[error]'"


def test_a_long_text_is_cut() -> None:
    assert (cut("abc", 3), cut("abcd", 3)) == ("abc", "abc…")


def test_long_texts_are_cut_to_where_they_differ() -> None:
    assert excerpts("same", "sane", 10) == ("same", "sane")
    assert excerpts("a" * 50 + "x" + "b" * 50, "a" * 50 + "y" + "b" * 50, 6) == ("…aaaxbb…", "…aaaybb…")
    assert excerpts("a" * 50, "a" * 51, 6) == ("…aaa", "…aaaa")


@given(st.text("ab"), st.text("ab"), st.integers(2, 9))
def test_what_differs_is_shown_to_differ(one: str, other: str, size: int) -> None:
    shown = excerpts(one, other, size)
    assert (shown[0] == shown[1]) == (one == other)


def test_one_is_no_plural() -> None:
    assert [counted(count, "miss-up") for count in (0, 1, 2)] == ["0 miss-ups", "1 miss-up", "2 miss-ups"]
    assert counted(1) == "1 exchange"
