import re

import pytest
from hypothesis import given
from strategies import ORIGIN, field_values, origins

from chatproxy.core.products.every import HOST_PATTERNS
from chatproxy.core.twilio.origins import (
    address_pattern,
    is_twilio,
    one_host,
    origin_for,
    replace_origin,
    upstream_pattern,
)

HERE = b"http://127.0.0.1:8765"


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        (HERE, b"*"),
        (b"see " + HERE + b"/x, " + HERE, b"see */x, *"),
        (HERE + b".", b"*."),
        (HERE + b"?a", b"*?a"),
        (HERE + b": yes", b"*: yes"),
        (HERE + b"0", None),
        (HERE + b"-a", None),
        (HERE + b"_", None),
        (HERE + b".org", None),
        (HERE + b":1", None),
        (b"https://127.0.0.1:8765", None),
        (b"http://127.0.0.1", None),
        (b"http:\\/\\/127.0.0.1:8765", None),
    ],
)
def test_an_origin_is_replaced_where_it_stands_as_a_whole(text: bytes, replaced: bytes | None) -> None:
    assert replace_origin(text, ORIGIN, b"*") == (text if replaced is None else replaced)


def test_a_replacement_is_no_pattern() -> None:
    assert replace_origin(HERE, ORIGIN, rb"\1\g<0>") == rb"\1\g<0>"


def test_the_dots_of_a_host_are_no_pattern() -> None:
    assert replace_origin(b"http://a.b", "http://a.b", b"*") == b"*"
    assert replace_origin(b"http://axb", "http://a.b", b"*") == b"http://axb"


@given(field_values, origins)
def test_a_text_without_the_origin_stays(text: bytes, origin: str) -> None:
    text = text.replace(b"http", b"")
    assert replace_origin(text, origin, b"*") == text


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:8766",
        "https://chat.twilio.com",
        "https://chat.ie1.twilio.com",
        "https://chat.dublin.ie1.twilio.com",
        "https://ip-messaging.twilio.com",
        "http:\\/\\/127.0.0.1:8766",
        "https:\\/\\/chat.twilio.com",
    ],
)
def test_an_upstream_is_called_by_its_origin_or_by_any_host_of_twilio_chat(origin: str) -> None:
    pattern = upstream_pattern("http://127.0.0.1:8766")
    for rest in ("", "/v1", "?a", "#a", '"', "\\/v1"):
        found = pattern.match((origin + rest).encode())
        assert found
        assert found[0] == origin.encode()


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:87660",
        "http://127.0.0.1:8766.example",
        "http://chat.twilio.com",
        "https://chat.twilio.com.example",
        "https://chat.twilio.comx",
        "https://chat.twilio.com-x",
        "https://chat.twilio.com:8443",
        "https://chat.a.b.c.twilio.com",
        "https://api.twilio.com",
        "https://chatXtwilio.com",
        "https://evil.example/chat.twilio.com",
    ],
)
def test_other_origins_are_not_the_upstreams(text: str) -> None:
    assert not upstream_pattern("http://127.0.0.1:8766").match(text.encode())


def test_addresses_are_found_in_either_spelling_of_slashes() -> None:
    pattern = address_pattern({"http://a:1", "http://a.b"})
    text = rb"http://a:1 http:\/\/a.b/x http://a:11 http://a http://a.b.c http://axb"
    assert [found[0] for found in pattern.finditer(text)] == [b"http://a:1", rb"http:\/\/a.b"]


@pytest.mark.parametrize(
    ("host", "one"),
    [
        ("chat.twilio.com", "chat.twilio.com"),
        ("Chat.Dublin.IE1.twilio.com", "chat.twilio.com"),
        ("ip-messaging.twilio.com", "chat.twilio.com"),
        ("api.twilio.com", "api.twilio.com"),
        ("Example.com:8443", "example.com:8443"),
    ],
)
def test_hosts_of_twilio_chat_are_one_and_letter_case_does_not_count(host: str, one: str) -> None:
    assert one_host(host) == one


def test_hosts_of_different_products_are_different_hosts() -> None:
    for host, pattern in HOST_PATTERNS.items():
        assert re.fullmatch(pattern, host)
        assert one_host(host) == host
        assert is_twilio(host)
    assert not is_twilio("chat.twilio.com.example")


@pytest.mark.parametrize(
    ("scheme", "host", "origin"),
    [
        ("http", "127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("https", "proxy.example", "https://proxy.example"),
        ("http", "[::1]:8765", "http://[::1]:8765"),
        ("http", "chat.twilio.com", "https://chat.twilio.com"),
        ("http", "Chat.Twilio.com:80", "https://chat.twilio.com"),
        ("https", "chat.twilio.com:443", "https://chat.twilio.com"),
        ("http", "chat.dublin.ie1.twilio.com", "https://chat.twilio.com"),
        ("http", "chat.twilio.com:8765", "http://chat.twilio.com:8765"),
        ("http", "chat.twilio.com.evil.example", "http://chat.twilio.com.evil.example"),
    ],
)
def test_urls_lead_to_where_the_client_was_and_never_to_twilio_in_clear_text(
    scheme: str, host: str, origin: str
) -> None:
    assert origin_for(scheme, host) == origin


def test_urls_lead_to_the_public_address_unless_the_client_names_twilio() -> None:
    public = "https://chat.example"
    assert origin_for("http", "127.0.0.1:8765", public) == public
    assert origin_for("http", "chat.twilio.com:8765", public) == public
    assert origin_for("http", "chat.twilio.com", public) == "https://chat.twilio.com"
