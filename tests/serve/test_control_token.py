from pathlib import Path

import pytest
from servers import settings

from chatproxy.config.addresses import SocketFile
from chatproxy.config.settings import load
from chatproxy.config.values import Address
from chatproxy.core.errors import ConfigError
from chatproxy.serve.control_token import ControlToken, is_loopback, token_of

TOKEN = "a-token-of-24-characters"


@pytest.mark.parametrize(
    ("listen", "public", "is_made"),
    [
        (Address("127.0.0.1", 0), None, False),
        (Address("localhost", 0), None, False),
        (SocketFile(Path("chat.sock")), None, False),
        (Address("127.0.0.1", 0), "https://localhost:8443", False),
        (Address("127.0.0.1", 0), "https://chat.example", True),
        (SocketFile(Path("chat.sock")), "https://chat.example", True),
        (Address("", 0), None, True),
        (Address("192.0.2.1", 0), "https://localhost", True),
    ],
)
def test_a_token_is_made_where_others_than_this_machine_can_connect(
    tmp_path: Path, listen: object, public: str | None, is_made: bool
) -> None:
    first, second = (token_of(settings(tmp_path, listen=listen, public_url=public)) for _ in range(2))
    assert first.is_made is is_made
    assert (first.value is not None) is is_made
    assert (first == second) is not is_made


def test_a_token_that_is_given_holds_everywhere(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    for listen in (Address("127.0.0.1", 0), Address("", 0)):
        assert token_of(settings(tmp_path, listen=listen, control_token=TOKEN)) == ControlToken(TOKEN)
        assert token_of(settings(tmp_path, listen=listen, control_token_file=file)) == ControlToken(TOKEN)


def test_a_variable_gives_the_token(tmp_path: Path) -> None:
    assert token_of(load({}, {"CHATPROXY_CONTROL_TOKEN": TOKEN}, tmp_path)) == ControlToken(TOKEN)


@pytest.mark.parametrize(
    "content", [b"", b"secret\n", b"secret" * 3 + b" secret", b"secret" * 3 + b"\n2", b"secret" * 9 + b"\xff"]
)
def test_what_is_no_token_is_refused_without_showing_it(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        token_of(settings(tmp_path, control_token_file=file))
    assert str(caught.value).startswith("--control-token-file: ")
    assert str(file) in str(caught.value)
    assert "secret" not in str(caught.value).replace(str(file), "")
    with pytest.raises(ConfigError) as caught:
        load({}, {"CHATPROXY_CONTROL_TOKEN": content.decode("latin-1")}, tmp_path)
    assert str(caught.value) == "CHATPROXY_CONTROL_TOKEN: is no token of 16 or more visible ASCII characters"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--control-token-file: .*absent cannot be read: No such file"):
        token_of(settings(tmp_path, control_token_file=tmp_path / "absent"))


def test_token_and_file_contradict_each_other(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--control-token: contradicts --control-token-file"):
        token_of(settings(tmp_path, control_token=TOKEN, control_token_file=tmp_path / "token"))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("localhost", True), ("::1", True)]
    + [(host, False) for host in ("", "0.0.0.0", "::", "192.0.2.1", "example.com", "127.0.0.1.example.com")],
)
def test_what_is_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
