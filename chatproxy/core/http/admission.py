"""Which requests and which answers can be taken at all, by whichever way they come.

What is taken can be recorded, exported, and read again from a fixture.
"""

from chatproxy.core.errors import RequestError, UpstreamError
from chatproxy.core.http.codings import content_codings, transfer_codings
from chatproxy.core.http.grammar import HOST, STATUSES, TARGET, is_field_text, is_token
from chatproxy.core.http.headers import AUTHORIZATIONS
from chatproxy.core.model import Headers, Response
from chatproxy.core.text.excerpts import literal


def check_head(host: str, target: str, headers: Headers) -> None:
    """Raise RequestError for a request whose body need not be read, since it cannot be taken."""
    if not TARGET.fullmatch(target):
        raise RequestError(400, "the target is no path: this is a reverse proxy, set its address as base URL")
    check_headers(host, headers)


def check_headers(host: str, headers: Headers) -> None:
    """Raise RequestError for a host or a header list with which no request can be taken, whatever its target."""
    if not HOST.fullmatch(host):
        raise RequestError(400, "the Host header is no host and port (RFC 9110 section 7.2)")
    if codings := content_codings(headers) + transfer_codings(headers):
        raise RequestError(
            415, f"the request's body has the coding {literal(codings[0].encode())}, and only identity is taken"
        )
    if sum(name.lower() in AUTHORIZATIONS for name, _ in headers) > MOST_CREDENTIALS:
        raise RequestError(400, f"more than {MOST_CREDENTIALS} header fields carry credentials (RFC 9110 section 11.6)")
    if not all(_is_text(value) for _, value in headers):
        raise RequestError(400, "a header value is not UTF-8")
    if field := malformed_field(headers):
        raise RequestError(400, f"the header field {field} is malformed (RFC 9110 section 5)")


MOST_CREDENTIALS = 4
"""HTTP allows two; to blank what each carries takes milliseconds."""


def check_answer(answer: Response) -> None:
    """Raise UpstreamError for an answer against HTTP's grammar, which no fixture can hold."""
    if answer.status not in STATUSES:
        raise UpstreamError(502, f"the upstream answered with status {answer.status:03}, which no final answer has")
    if not is_field_text(answer.reason):
        raise UpstreamError(502, "the reason phrase of the upstream's answer is malformed (RFC 9112 section 4)")
    if field := malformed_field(answer.headers):
        raise UpstreamError(502, f"the header field {field} of the upstream's answer is malformed (RFC 9110 section 5)")


def malformed_field(headers: Headers) -> str | None:
    """Return the name, as a literal, of the first malformed field; values need not be UTF-8."""
    for name, value in headers:
        if not is_token(name) or not is_field_text(value):
            return literal(name)
    return None


def too_large(limit: int) -> RequestError:
    """Return the error for a body of more bytes than this."""
    return RequestError(413, f"the request's body is larger than {limit} bytes (--max-body)")


TOLD_BY = 16
"""By how many bytes at the begin of a connection another protocol is known."""

_OTHERS = {
    b"\x16\x03": "the client speaks TLS: this is an http address, not https",
    b"PRI * HTTP/2.0\r\n": "the client speaks HTTP/2 (PRI * HTTP/2.0), and only HTTP/1.1 is taken",
}
"""How a TLS handshake begins (RFC 8446 section 5.1), and HTTP/2 (RFC 9113 section 3.4)."""


def spoken(begin: bytes) -> str | None:
    """Say which other protocol a connection begins with, if it is a known one; a part of the sign is enough."""
    found = (reason for sign, reason in _OTHERS.items() if begin.startswith(sign) or sign.startswith(begin))
    return next(found, None) if begin else None


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
