import pytest

from chatproxy.core.errors import RequestError
from chatproxy.core.model import Headers
from chatproxy.core.products.every import TWILIO_ORIGIN
from chatproxy.core.twilio.visitors import ANYBODY, Visitors, visitors

HERE = visitors("127.0.0.1", frozenset({"chat-proxy"}), "http://upstream.test:8080", is_loopback=True)


def is_taken(by: Visitors, host: str, *headers: tuple[bytes, bytes], scheme: str = "http") -> bool:
    try:
        by.check(f"{scheme}://{host}", tuple(headers))
    except RequestError as error:
        return error.status != 403
    return True


@pytest.mark.parametrize(
    "host",
    [
        *(
            "localhost",
            "LOCALHOST:1",
            "localhost.:1",
            "my.localhost:1",
            "127.0.0.1",
            "127.9.8.7:1",
            "[::1]",
            "[::1]:80",
        ),
        *("chat-proxy", "Chat-Proxy.:8765", "upstream.test", "upstream.test:1"),
        *("chat.twilio.com", "chat.twilio.com:443", "CHAT.dublin.ie1.twilio.com"),
    ],
)
def test_the_loopbacks_names_and_those_that_are_known_are_taken(host: str) -> None:
    assert is_taken(HERE, host)


@pytest.mark.parametrize(
    "host",
    [
        *("evil.test", "evil.test:8765", "127.0.0.1.evil.test", "localhost.evil.test", "evil-localhost", "127.0.0.1x"),
        *("chat.twilio.com.evil.test", "x.chat-proxy", "192.0.2.1", "0.0.0.0", "[::2]", "[::1", "a:b", "128.0.0.1"),
    ],
)
def test_other_names_are_refused_where_only_this_machine_connects(host: str) -> None:
    assert not is_taken(HERE, host)
    assert is_taken(ANYBODY, host)


def test_the_refusal_says_which_option_allows_the_name() -> None:
    with pytest.raises(RequestError, match=r"^evil\.test in the Host header .*\(--allow-host evil\.test\)$"):
        HERE.check("http://evil.test:1", ())


def test_a_listener_for_other_machines_takes_any_name_until_names_are_allowed() -> None:
    for host in ("", "0.0.0.0", "192.0.2.1", "fd00::1", "machine"):
        assert visitors(host, frozenset(), TWILIO_ORIGIN, is_loopback=False) == ANYBODY
    named = visitors("FD00::1", frozenset({"machine"}), TWILIO_ORIGIN, is_loopback=False)
    assert all(is_taken(named, host) for host in ("machine:1", "localhost", "[fd00::1]:1", "chat.twilio.com"))
    assert not is_taken(named, "other")


@pytest.mark.parametrize("by", [HERE, ANYBODY])
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (((b"Origin", b"http://localhost:1"),), True),
        (((b"origin", b"HTTP://Localhost:1"),), True),
        (((b"Origin", b"https://localhost:1"),), True),
        (((b"Origin", b"http://localhost"),), False),
        (((b"Origin", b"http://localhost:2"),), False),
        (((b"Origin", b"http://127.0.0.1:1"),), False),
        (((b"Origin", b"https://evil.test"),), False),
        (((b"Origin", b"null"),), False),
        (((b"Origin", b""),), False),
        (((b"Origin", b"\xff"),), False),
        (((b"Origin", b"http://a:b:c"),), False),
        (((b"Origin", b"http://localhost:1"), (b"ORIGIN", b"http://evil.test")), False),
        (((b"Sec-Fetch-Site", b"cross-site"),), False),
        (((b"sec-fetch-site", b"Same-Site"),), False),
        (((b"Sec-Fetch-Site", b"same-origin"),), True),
        (((b"Sec-Fetch-Site", b"none"),), True),
        (((b"Sec-Fetch-Mode", b"cors"),), True),  # as Node's fetch sends it
        ((), True),
    ],
)
def test_pages_of_other_sites_are_refused_everywhere(by: Visitors, headers: Headers, expected: bool) -> None:
    assert is_taken(by, "localhost:1", *headers) is expected


def test_a_schemes_own_port_is_none() -> None:
    assert is_taken(HERE, "localhost:80", (b"Origin", b"http://localhost"))
    assert is_taken(HERE, "localhost", (b"Origin", b"https://localhost:443"), scheme="https")


@pytest.mark.parametrize(("host", "is_loopback"), [("127.0.0.1", True), ("", False)])
def test_the_public_address_is_the_listeners_own_and_its_pages_are_no_other_sites(host: str, is_loopback: bool) -> None:
    public = "https://chat.example:8443"
    behind = visitors(host, frozenset(), TWILIO_ORIGIN, is_loopback=is_loopback, public=public)
    for named in ("chat.example", "Chat.Example:8443", "127.0.0.1:8765"):
        assert is_taken(behind, named)
        assert is_taken(behind, named, (b"Origin", public.encode()))
        assert not is_taken(behind, named, (b"Origin", public.replace("https", "http").encode()))
        assert not is_taken(behind, named, (b"Origin", b"https://chat.example:1"))
        assert not is_taken(behind, named, (b"Origin", b"null"))
    assert is_taken(behind, "evil.test") is not is_loopback
    assert not is_taken(behind, "evil.test", (b"Origin", b"https://chat.example"))


def test_what_names_nothing_is_no_name_that_is_taken() -> None:
    named = visitors("", frozenset({"machine"}), TWILIO_ORIGIN, is_loopback=False)
    assert not is_taken(named, "")
    assert not is_taken(named, "[::1")
