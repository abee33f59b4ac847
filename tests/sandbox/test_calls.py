import base64

import pytest

from chatproxy.sandbox.calls import account_of, form_of, pairs_of, root_of, target_of
from chatproxy.sandbox.messages import ApiError

ACCOUNT = "AC" + "0aF9" * 8
API_KEY = "SK" + "1" * 32
SERVICE = "IS" + "0aF9" * 8


def basic(credentials: bytes) -> str:
    return "Basic " + base64.b64encode(credentials).decode()


def test_an_account_is_its_user_name() -> None:
    assert account_of(basic(f"{ACCOUNT}:any:thing".encode()), seed=0) == ACCOUNT
    assert account_of(basic(f"{ACCOUNT}:x".encode()).replace("Basic", "bAsIc"), seed=0) == ACCOUNT


def test_an_api_key_has_an_account_of_its_own() -> None:
    account = account_of(basic(f"{API_KEY}:x".encode()), seed=0)
    assert account.startswith("AC")
    assert account == account_of(basic(f"{API_KEY}:other".encode()), seed=0)
    assert account != account_of(basic(f"{API_KEY}:x".encode()), seed=1)
    assert account != account_of(basic(f"SK{'2' * 32}:x".encode()), seed=0)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Bearer abc",
        "Basic ***",
        "Basic \u00e9",
        basic(b"\xff\xfe:x"),
        basic(ACCOUNT.encode()),
        basic(f"{ACCOUNT}:".encode()),
        basic(f"AC{'X' * 32}:x".encode()),
        basic(f"{ACCOUNT}0:x".encode()),
        basic(f"{ACCOUNT}\n:x".encode()),
        basic(f"US{'1' * 32}:x".encode()),
    ],
)
def test_other_credentials_are_refused(authorization: str | None) -> None:
    with pytest.raises(ApiError, match="Authenticate") as caught:
        account_of(authorization, seed=0)
    assert (caught.value.status, caught.value.code) == (401, 20003)
    assert caught.value.headers == {"WWW-Authenticate": 'Basic realm="Twilio API"'}


@pytest.mark.parametrize(
    ("segment", "channel"),
    [
        ("CH" + "1" * 32, "CH" + "1" * 32),
        ("general", "general"),
        ("my%20channel", "my channel"),
        ("a%2Fb", "a/b"),
        ("%C3%A9", "\u00e9"),
        ("a+b", "a+b"),
        ("%00", "\0"),
        ("CH" + "X" * 32, "CH" + "X" * 32),
    ],
)
def test_a_channel_is_any_one_segment(segment: str, channel: str) -> None:
    collection = target_of(f"/v1/Services/{SERVICE}/Channels/{segment}/Messages")
    assert (collection.service_sid, collection.channel, collection.sid) == (SERVICE, channel, None)
    member = target_of(f"/v1/Services/{SERVICE}/Channels/{segment}/Messages/IM1")
    assert (member.channel, member.sid) == (channel, "IM1")
    assert member.path == f"/Services/{SERVICE}/Channels/{segment}/Messages/IM1"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "*",
        "/v1",
        "/v1/Services",
        f"/v2/Services/{SERVICE}/Channels/CH/Messages",
        f"/v1/Services/{SERVICE}/Channels/CH",
        f"/v1/Services/{SERVICE}/Channels/CH/Members",
        f"/v1/Services/{SERVICE}/Channels//Messages",
        f"/v1/Services/{SERVICE}/Channels/CH/Messages/",
        f"/v1/Services/{SERVICE}/Channels/CH/Messages/IM/more",
        f"/v1/Services/{SERVICE}/Channels/CH/Messages//",
        f"/v1/Services/{SERVICE}/Channels/%FF/Messages",
        f"/v1/Services/{SERVICE}/Channels/\udc80/Messages",
        f"/v1/Services/IS{'X' * 32}/Channels/CH/Messages",
        f"/v1/Services/{SERVICE}%0A/Channels/CH/Messages",
        "/v1/Services/%FF/Channels/CH/Messages",
        "//v1/Services",
    ],
)
def test_other_paths_lead_nowhere(path: str) -> None:
    with pytest.raises(ApiError) as caught:
        target_of(path)
    assert (caught.value.status, caught.value.code) == (404, 20404)
    assert str(caught.value) == f"The requested resource {path.removeprefix('/v1')} was not found"


def test_forms_of_python_and_of_node_are_one() -> None:
    python = form_of(b"Body=Hi+%C3%A9+~%2A%27%28%29+%26%3D%2B+%25%0A&From=bob%40x.y")
    node = form_of("Body=Hi%20\u00e9%20~*'()%20%26%3D%2B%20%25%0A&From=bob@x.y".encode())
    assert python == node == {"Body": "Hi \u00e9 ~*'() &=+ %\n", "From": "bob@x.y"}


def test_an_empty_value_is_a_value_and_the_last_of_a_name_counts() -> None:
    assert pairs_of("Body=a&Body=&From") == {"Body": "", "From": ""}
    assert form_of(b"") == {}


@pytest.mark.parametrize("body", [b"Body=%FF", b"Body=\xff", b"&".join([b"a=1"] * 1001)])
def test_a_form_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError, match="Invalid parameters") as caught:
        form_of(body)
    assert (caught.value.status, caught.value.code) == (400, 20001)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "chat.twilio.com", "[::1]:8080", "[::1]", "my_host"])
def test_the_root_of_urls_is_where_the_request_came_in(host: str) -> None:
    assert root_of("http", host) == f"http://{host}"


@pytest.mark.parametrize("host", ["", "a b", "a/b", 'a"b', "user@host", "host:", "host:123456", "[", "\u00e9", "a\n"])
def test_a_host_that_makes_no_url_is_refused(host: str) -> None:
    with pytest.raises(ApiError) as caught:
        root_of("http", host)
    assert caught.value.status == 400
