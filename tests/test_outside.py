import json
import os
import socket
import ssl
import tomllib

import pytest
from aiohttp import ClientPayloadError, ServerDisconnectedError, http_exceptions, web
from aiohttp.client_exceptions import ClientConnectorDNSError, ClientOSError, ClientResponseError

from chatproxy.outside import reason, trace

SECRET = "the-secret"


def certificate(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, SECRET)
    error.verify_code = code
    return error


def tls(name: str | None) -> ssl.SSLError:
    error = ssl.SSLError(1, SECRET)
    error.reason = name  # type: ignore[assignment]  # there may be none
    return error


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


def toml(text: str) -> Exception:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    return caught.value


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ServerDisconnectedError(f"Set-Cookie: {SECRET}"), "the connection ended before the answer was whole"),
        (ClientOSError(104, SECRET), "Connection reset by peer"),
        (OSError(None, SECRET), "an error of the kind OSError"),
        (ConnectionResetError(SECRET), "an error of the kind ConnectionResetError"),
        (socket.gaierror(-2, SECRET), "its name cannot be resolved"),
        (ClientConnectorDNSError(None, OSError(None, SECRET)), "its name cannot be resolved"),  # type: ignore[arg-type]
        (certificate(10), "certificate verify failed: its certificate has expired"),
        (certificate(62), "certificate verify failed: its certificate is for another name"),
        (certificate(7), "certificate verify failed: OpenSSL has code 7 for it"),
        (tls("WRONG_VERSION_NUMBER"), "TLS failed (WRONG_VERSION_NUMBER)"),
        (tls(SECRET), "TLS failed (no name)"),
        (tls(None), "TLS failed (no name)"),
        (
            caused(ClientResponseError(None, (), message=SECRET), http_exceptions.InvalidHeader(SECRET)),  # type: ignore[arg-type]
            "a header field is malformed",
        ),
        (ClientResponseError(None, (), message=SECRET), "it is no HTTP/1.1"),  # type: ignore[arg-type]
        (caused(ClientPayloadError(SECRET), KeyError(SECRET)), "the body is not whole"),
        (web.RequestPayloadError(SECRET), "the body is not whole"),
        (http_exceptions.BadHttpMessage(SECRET), "the message is malformed"),
        (TimeoutError(SECRET), "it took too long"),
        (UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET), "it is no UTF-8"),
        (json.JSONDecodeError(SECRET, "\n ", 2), "line 2, column 2"),
        (toml("a = 1\nb = the"), "it is no TOML: line 2, column 5"),
        (toml('salt = "the-secret'), "it is no TOML"),
        (KeyError(SECRET), "an error of the kind KeyError"),
    ],
)  # fmt: skip
def test_an_error_is_worded_by_its_kind_and_not_by_its_text(error: Exception, said: str) -> None:
    assert reason(error) == said


def test_the_systems_words_are_its_own() -> None:
    assert reason(ConnectionRefusedError(111, f"Connect call failed ('{SECRET}', 1)")) == os.strerror(111)


def test_a_trace_shows_places_and_kinds_and_no_text() -> None:
    inner = raised(KeyError(SECRET))
    shown = trace(raised(caused(ValueError(SECRET), inner)))
    assert SECRET not in shown
    assert shown.index("builtins.KeyError") < shown.index("and then") < shown.index("builtins.ValueError")
    assert f'File "{__file__}"' in shown
    assert trace(None) == "no trace"


def test_a_trace_of_errors_without_end_ends() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert trace(first).count("and then") == 19
