import json

import pytest

from chatproxy.core.errors import (
    CassetteError,
    ChatproxyError,
    ConfigError,
    LeakError,
    MissError,
    NetworkBlockedError,
    RequestError,
    UpstreamError,
    error_json,
)


@pytest.mark.parametrize(
    ("error", "text", "status", "exit_code"),
    [
        (ChatproxyError("x"), "x", 500, 1),
        (ConfigError("--store", "is a file"), "--store: is a file", 500, 2),
        (CassetteError("a.json: /name", "is no name"), "a.json: /name: is no name", 500, 1),
        (LeakError("2 findings", ["a", "b"]), "2 findings\na\nb", 500, 5),
        (LeakError("1 finding"), "1 finding", 500, 5),
        (RequestError(413, "too large"), "too large", 413, 1),
        (MissError("GET /a", "never recorded"), "GET /a: never recorded", 424, 1),
        (UpstreamError(504, "late"), "late", 504, 1),
    ],
)
def test_an_error_has_a_text_a_status_and_an_exit_code(
    error: ChatproxyError, text: str, status: int, exit_code: int
) -> None:
    assert isinstance(error, ChatproxyError)
    assert (str(error), error.status, error.exit_code) == (text, status, exit_code)


def test_errors_carry_what_their_text_is_made_from() -> None:
    miss, wrong, damaged = MissError("GET /a", "why"), ConfigError("--a", "why"), CassetteError("here", "why")
    assert LeakError("2 findings", ["a", "b"]).leaks == ("a", "b")
    assert (miss.request_line, miss.reason) == ("GET /a", "why")
    assert (wrong.source, wrong.reason) == ("--a", "why")
    assert (damaged.place, damaged.reason) == ("here", "why")


def test_error_json_is_twilios() -> None:
    assert error_json(404, 'no "such"', 20404) == (
        b'{"code": 20404, "message": "no \\"such\\"", '
        b'"more_info": "https://www.twilio.com/docs/errors/20404", "status": 404}'
    )


def test_error_json_without_a_code_has_the_status_in_its_place() -> None:
    assert json.loads(error_json(424, "é")) == {"code": 424, "message": "é", "status": 424}


def test_a_blocked_host_is_named_with_what_blocks_it() -> None:
    error = NetworkBlockedError("chat.twilio.com")
    assert str(error) == "chat.twilio.com: is another machine, and --block-network keeps tests from the network"
    assert error.host == "chat.twilio.com"
