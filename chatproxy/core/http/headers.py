"""Which header fields end at a proxy, which frame a message, which are our own; what a body is, and how long."""

from functools import lru_cache

from chatproxy.core.model import Headers, Response, header_values

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""RFC 9110 section 7.6.1, with the credentials that are meant for a proxy (section 11.7)."""

FRAMING = frozenset({b"content-length", b"content-encoding", b"expect", b"host"})
"""What each side writes for itself: bodies are kept decoded, and every connection has a host of its own."""

FORWARDER_PREFIX = b"x-forwarded-"
FORWARDER = frozenset({b"forwarded", b"x-real-ip"})
"""What a proxy before us tells of its client (RFC 7239 section 4, and what came before it): Twilio was told none of it,
and it differs from machine to machine."""

AUTHORIZATIONS = (b"authorization", b"proxy-authorization")
"""The fields with the credentials of a request (RFC 9110 sections 11.6.2 and 11.7.2)."""

NO_CONTENT = frozenset({204, 304})
"""The statuses whose answers never have a body."""

OWN_PREFIX = b"x-chatproxy-"


OWN_FIELDS: Headers = ((b"X-Content-Type-Options", b"nosniff"),)
"""What answers of our own carry: no browser is to take one for a script or a page
(https://fetch.spec.whatwg.org/#x-content-type-options-header)."""


def end_to_end(headers: Headers) -> Headers:
    """Keep the fields that pass: no hop-by-hop, none named by Connection, no framing, no forwarder's, none of ours."""
    kept = tuple([header for header in headers if _passes(header[0])])
    # where nothing was left out there is no Connection, which itself is hop-by-hop
    if len(kept) < len(headers) and (dropped := _named_by_connection(headers)):
        kept = tuple(header for header in kept if header[0].lower() not in dropped)
    return kept


def fields_of_answer(headers: Headers, method: str, status: int) -> Headers:
    """Keep the fields of an answer that pass through a proxy: to HEAD also the length that the body would have.

    There is none to be kept where that is the length in a coding, since bodies pass decoded.
    """
    kept = end_to_end(headers)
    if method != "HEAD" or status in NO_CONTENT or any(True for _ in header_values(headers, b"content-encoding")):
        return kept
    passing = set(kept)
    return tuple(header for header in headers if header in passing or _is_length(header))


def _is_length(header: tuple[bytes, bytes]) -> bool:
    return header[0].lower() == b"content-length" and header[1].isdigit()


@lru_cache(256)  # most messages have the same few names
def _passes(name: bytes) -> bool:
    lower = name.lower()
    return (
        lower not in HOP_BY_HOP and lower not in FRAMING and not (is_forwarders(lower) or lower.startswith(OWN_PREFIX))
    )


def is_forwarders(name: bytes) -> bool:
    """Tell whether a field, its name in lower case, is one in which a proxy tells of its client."""
    return name in FORWARDER or name.startswith(FORWARDER_PREFIX)


def persists(headers: Headers, *, by_default: bool) -> bool:
    """Tell whether a message lets its connection go on (RFC 9112 section 9.3), as HTTP/1.1 does by default."""
    options = _named_by_connection(headers)
    return b"close" not in options and (by_default or b"keep-alive" in options)


def _named_by_connection(headers: Headers) -> set[bytes]:
    return {option.strip().lower() for value in header_values(headers, b"connection") for option in value.split(b",")}


def is_form(headers: Headers) -> bool:
    """Tell whether the body is a form as HTML forms and Twilio's clients send it."""
    return _media_type(headers) == b"application/x-www-form-urlencoded"


def is_json(headers: Headers) -> bool:
    """Tell whether the body is JSON (RFC 8259, RFC 6839 section 3.1)."""
    media = _media_type(headers)
    return media == b"application/json" or media.endswith(b"+json")


def content_type(headers: Headers) -> bytes:
    """Return the first Content-Type, empty without one."""
    for name, value in headers:
        if len(name) == _LENGTH and name.lower() == b"content-type":
            return value
    return b""


def _media_type(headers: Headers) -> bytes:
    """Return the type and subtype of the first Content-Type in lower case, empty without one (RFC 9110 section 8.3)."""
    return _media_type_of(content_type(headers))


_LENGTH = len(b"content-type")


@lru_cache(256)
def _media_type_of(value: bytes) -> bytes:
    return value.partition(b";")[0].strip().lower()


def may_have_body(method: str, status: int) -> bool:
    """Tell whether an answer to this method with this status has a body (RFC 9112 section 6.3)."""
    return method != "HEAD" and status not in NO_CONTENT


def content_length(answer: Response, method: str) -> int | None:
    """Return what ``Content-Length`` says of a whole answer; None also where an answer to HEAD says it itself."""
    if answer.status in NO_CONTENT or (method == "HEAD" and not answer.body):
        return None
    return len(answer.body)
