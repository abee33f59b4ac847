import pytest

from chatproxy.core.http.grammar import (
    CASSETTE_NAME,
    FIELD_TEXT,
    HOST,
    ORIGIN,
    STATUSES,
    TARGET,
    TOKEN,
    is_field_text,
    is_token,
)


@pytest.mark.parametrize("text", ["a", "0", "a.b-c_d", "a" * 100])
def test_a_cassettes_name(text: str) -> None:
    assert CASSETTE_NAME.fullmatch(text)


@pytest.mark.parametrize("text", ["", ".", "..", "-a", "a/b", "a b", "a\n", "é", "a" * 101])
def test_no_cassettes_name(text: str) -> None:
    assert not CASSETTE_NAME.fullmatch(text)


@pytest.mark.parametrize("text", ["GET", "x-a", "X!#$%&'*+.^_`|~1"])
def test_a_token(text: str) -> None:
    assert TOKEN.fullmatch(text)


@pytest.mark.parametrize("text", ["", "a b", "a:", "a\n", "é", "(a)"])
def test_no_token(text: str) -> None:
    assert not TOKEN.fullmatch(text)


@pytest.mark.parametrize(
    ("text", "is_one"), [("/", True), ("/a?b=%20", True), ("a", False), ("/ ", False), ("/é", False)]
)
def test_a_target_is_a_path_in_visible_ascii(text: str, is_one: bool) -> None:
    assert bool(TARGET.fullmatch(text)) is is_one


@pytest.mark.parametrize("text", ["localhost", "127.0.0.1:8765", "[::1]", "[::1]:80", "chat.dublin.ie1.twilio.com"])
def test_a_host_makes_an_origin(text: str) -> None:
    assert HOST.fullmatch(text)
    assert ORIGIN.fullmatch(f"http://{text}")
    assert ORIGIN.fullmatch(f"https://{text}")


@pytest.mark.parametrize("text", ["", "a b", "a/b", 'a"b', "a:port", "a:123456", "user@a", "[::1", "a\n"])
def test_no_host_makes_no_origin(text: str) -> None:
    assert not HOST.fullmatch(text)
    assert not ORIGIN.fullmatch(f"http://{text}")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("", True), ("a\tb é", True), ("\udcff", True), ("a\r\n", False), ("\0", False), ("\ud800", False)],
)
def test_a_fields_text_is_on_one_line(text: str, is_one: bool) -> None:
    assert bool(FIELD_TEXT.fullmatch(text)) is is_one


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        (b"", True),
        (b"a\tb", True),
        (b"caf\xe9", True),
        ("caf\xe9".encode(), True),
        (b"\xed\xa0\x80", True),
        *((b"a%cb" % control, False) for control in (0, 1, 8, 10, 13, 27, 31, 127)),
    ],
)
def test_bytes_are_a_fields_text_without_control_characters(value: bytes, is_one: bool) -> None:
    assert is_field_text(value) is is_one


@pytest.mark.parametrize(("name", "is_one"), [(b"X-A", True), (b"", False), (b"X A", False), (b"X\xe9", False)])
def test_bytes_are_a_token_or_not(name: bytes, is_one: bool) -> None:
    assert is_token(name) is is_one


def test_final_answers_have_a_status_of_three_digits() -> None:
    assert [status in STATUSES for status in (0, 101, 199, 200, 599, 600)] == [False, False, False, True, True, False]
