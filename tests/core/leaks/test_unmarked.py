import pytest
from core.leaks.samples import Made

from chatproxy.core.leaks.unmarked import api_secrets, auth_tokens, is_no_api_secret, is_no_auth_token, sid_tails

TOKEN = b"0f1e2d3c4b5a69780f1e2d3c4b5a6978"


def test_the_digits_of_all_sids_are_known() -> None:
    lines = [b'"IM' + TOKEN + b'", "CA' + TOKEN[::-1] + b'"\n', b"xx" + TOKEN[1:] + b"0", b"RE" + TOKEN + b"0"]
    assert sid_tails(lines) == {TOKEN, TOKEN[::-1]}


@pytest.mark.parametrize(
    "name",
    [
        *(b"id", b"user_id", b"traceId", b"X-Request-ID", b"message.id", b"uuid", b"ids", b"b3", b"sentry-trace"),
        *(
            b"md5",
            b"fileHash",
            b"ETag",
            b"If-None-Match",
            b"version",
            b"unique_name",
            b"UniqueName",
            b"Identity",
            b"created_by",
        ),
    ],
)
def test_what_names_something_or_tells_its_content_is_no_token(name: bytes) -> None:
    for between in (b": ", b'": "', b"=", b'\\":\\"', b"/", b"=>"):
        text = b"a " + name + between + TOKEN
        assert is_no_auth_token(text, len(text) - 32, len(text))


@pytest.mark.parametrize(
    "name", [b"paid", b"said", b"baby", b"auth_token_id", b"session_id", b"PHPSESSID", b"secretHash", b"note", b"key"]
)
def test_other_names_and_those_of_secrets_are_no_excuse(name: bytes) -> None:
    text = name + b": " + TOKEN
    assert not is_no_auth_token(text, len(text) - 32, len(text))


def test_a_token_beside_a_token_is_not_of_a_longer_text() -> None:
    secret = Made(10).letters(32).encode()
    for text in (
        secret + b"/" + secret,
        secret + b"-" + TOKEN,
        b"/Users/general/" + secret + b"/and/another/word",
        b"2024-11-03-141500-000123-" + TOKEN,
    ):
        spans = [*api_secrets(text), *auth_tokens(text)]
        assert spans
        assert not any(is_no_api_secret(text, *span) or is_no_auth_token(text, *span) for span in spans)
