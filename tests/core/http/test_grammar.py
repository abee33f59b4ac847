import pytest

from chatproxy.core.http.grammar import CASSETTE_NAME, FIELD_TEXT, HOST, ORIGIN, TARGET, TOKEN


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
