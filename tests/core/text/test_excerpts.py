import json

from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.text.excerpts import counted, cut, excerpts, printable, quoted


@given(st.text() | st.text('\ud800\x1b\x9b\u202e\U000e0001\n"\\ä', max_size=9))
def test_a_quoted_text_is_one_printable_line_of_json(text: str) -> None:
    assert json.loads(quoted(text)) == text
    assert quoted(text).isprintable()


def test_only_what_is_not_printable_is_escaped() -> None:
    assert printable('Grüße, "世界" \U0001f600') == 'Grüße, "世界" \U0001f600'
    assert printable("a\x1b[31m\n\ud800") == "a\\u001b[31m\\n\\ud800"


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
