import pytest

from chatproxy.core.model import Mode, Outcome, Request, header_values, is_read


def test_the_path_is_the_target_without_its_query() -> None:
    assert Request("GET", b"/a%3Fb?c?d").path == b"/a%3Fb"
    assert Request("GET", b"/a").path == b"/a"


def test_the_line_shows_method_and_target() -> None:
    assert Request("GET", b"/a?b").line == "GET /a?b"
    assert Request("GET", b"/\xff").line == "GET /\\xff"


def test_the_line_is_no_command() -> None:
    assert Request("GET", b"/?a=##[error]x").line == "GET /?a=\\u0023#[error]x"


def test_header_values_come_in_order_whatever_the_letter_case_of_the_name() -> None:
    fields = ((b"X-A", b"1"), (b"B", b"2"), (b"x-a", b"3"))
    assert list(header_values(fields, b"x-a")) == [b"1", b"3"]
    assert list(header_values(fields, b"c")) == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_these_methods_only_read(method: str) -> None:
    assert is_read(method)


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", "get", "TRACE", ""])
def test_any_other_method_writes(method: str) -> None:
    assert not is_read(method)


def test_modes_are_the_words_of_the_command_line() -> None:
    assert [str(mode) for mode in Mode] == ["record", "replay", "auto", "passthrough"]


def test_the_modes_that_record_and_those_that_replay() -> None:
    assert [mode.value for mode in Mode if mode.records] == ["record", "auto"]
    assert [mode.value for mode in Mode if mode.replays] == ["replay", "auto"]


def test_outcomes_are_the_words_of_the_header() -> None:
    assert [outcome.value for outcome in Outcome] == ["hit", "miss", "recorded", "passed", "error"]
