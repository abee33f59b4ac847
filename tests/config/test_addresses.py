from pathlib import Path

import pytest

from chatproxy.config.addresses import ProxyAddress, SocketFile, listener, proxy_address
from chatproxy.config.settings import load
from chatproxy.config.values import Address
from chatproxy.core.errors import ConfigError


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("127.0.0.1:0", Address("127.0.0.1", 0)),
        ("LocalHost:8765", Address("localhost", 8765)),
        ("[::1]:8765", Address("::1", 8765)),
        ("unix:/run/chat.sock", SocketFile(Path("/run/chat.sock"))),
        ("unix:chat.sock", SocketFile(Path("chat.sock"))),
    ],
)
def test_a_server_listens_on_a_host_or_at_a_file(raw: str, expected: object) -> None:
    assert listener(raw) == expected


@pytest.mark.parametrize("raw", ["unix:", "unix:a\0b", "UNIX:/a", "/run/chat.sock", "chat.sock", "8765"])
def test_what_is_no_place_to_listen_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"is no (HOST:PORT or unix:PATH|unix:PATH)$"):
        listener(raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("http://proxy.example:3128", ProxyAddress("http://proxy.example:3128")),
        ("HTTP://Proxy.Example:3128/", ProxyAddress("http://proxy.example:3128")),
        ("http://[::1]:3128", ProxyAddress("http://[::1]:3128")),
        ("http://me:secret@proxy.example:3128", ProxyAddress("http://proxy.example:3128", "me", "secret")),
        ("http://DOMAIN%5Cme:p%40%C3%A9%3A@proxy.example", ProxyAddress("http://proxy.example", "DOMAIN\\me", "p@é:")),
        ("http://me:a/b@c#d@proxy.example:1", ProxyAddress("http://proxy.example:1", "me", "a/b@c#d")),
        ("http://me@proxy.example", ProxyAddress("http://proxy.example", "me", "")),
    ],
)
def test_a_proxy_is_read_with_its_user_and_password(raw: str, expected: ProxyAddress) -> None:
    assert proxy_address(raw) == expected


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("proxy.example:3128", "is no URL of a proxy as http://HOST:PORT"),
        ("me:secret@proxy.example:3128", "is no URL of a proxy as http://HOST:PORT"),
        ("http://me:secret@", "is no URL of a proxy"),
        ("http://me:secret@proxy.example/path", "is no URL of a proxy"),
        ("http://me:secret@proxy.example:port", "is no URL of a proxy"),
        ("https://me:secret@proxy.example", "is no http:// URL"),
        ("socks5://me:secret@proxy.example", "is no http:// URL"),
        ("http://:secret@proxy.example", "has no USER:PASSWORD before the @"),
        ("http://m%3Ae:secret@proxy.example", "has no USER:PASSWORD before the @"),
        ("http://me:secret%0A@proxy.example", "has no USER:PASSWORD before the @"),
        ("", "is no URL of a proxy"),
    ],
)
def test_what_is_no_proxy_is_refused_without_the_password(raw: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load({}, {"CHATPROXY_UPSTREAM_PROXY": raw}, tmp_path)
    assert str(caught.value).startswith(f"CHATPROXY_UPSTREAM_PROXY: {reason}")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_password_of_a_proxy_is_not_shown_with_the_settings(tmp_path: Path) -> None:
    settings = load({"upstream-proxy": "http://me:secret@proxy.example"}, {}, tmp_path)
    assert settings.upstream_proxy
    assert settings.upstream_proxy.password == "secret"
    assert "secret" not in repr(settings)
