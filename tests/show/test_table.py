import pytest

from chatproxy.show.table import table


def test_columns_are_aligned() -> None:
    shown = table(("NAME", "N"), [("a", 1), ("longer", 100)], right=("N",))

    assert shown.split("\n") == [
        "NAME      N",
        "a         1",
        "longer  100",
    ]


def test_no_line_ends_in_spaces() -> None:
    assert table(("A", "B"), [("1", ""), ("22", "333")]) == "A   B\n1\n22  333"


def test_without_rows_the_heads_remain() -> None:
    assert table(("A", "LONG"), []) == "A  LONG"


@pytest.mark.parametrize("text", ["日本", "\uff21\uff22", "한글", "🙂🙂"])
def test_wide_characters_take_two_columns(text: str) -> None:
    assert table(("A", "B"), [(text, "x"), ("abcd", "y")]).split("\n")[1:] == [f"{text}  x", "abcd  y"]


def test_marks_on_a_character_take_no_column() -> None:
    assert table(("A", "B"), [("e\u0301a", "x"), ("ab", "y")]).split("\n")[1:] == ["e\u0301a  x", "ab  y"]
