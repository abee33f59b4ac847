"""Header fields that differ from answer to answer and tell nothing."""

from chatproxy.core.model import Headers

FIXED = {
    b"etag": b'"0"',
    b"twilio-request-duration": b"0.000",
    b"twilio-concurrent-requests": b"1",
    b"via": b"1.1 canonical",
    b"age": b"0",
    b"x-cache": b"canonical",
}
"""What an upstream says anew in every answer and what tells nothing, each with the one value that a fixture has."""


VOLATILE = frozenset({b"date", b"last-modified", b"twilio-request-id", *FIXED})
"""What differs from answer to answer, in lower case; beside ``FIXED`` those with an instant or a SID."""


_CLOUDFRONT = b"x-amz-cf-"
"""The ids of Amazon's CloudFront, through which Twilio answers."""


def is_volatile(name: bytes) -> bool:
    """Tell whether a header field of this name differs from answer to answer without a meaning."""
    lower = name.lower()
    return lower in VOLATILE or lower.startswith(_CLOUDFRONT)


def fixed(headers: Headers) -> Headers:
    """Put one value in each field that differs from answer to answer and tells nothing."""
    return tuple((name, _fixed(name.lower(), value)) for name, value in headers)


def _fixed(name: bytes, value: bytes) -> bytes:
    return b"canonical" if name.startswith(_CLOUDFRONT) else FIXED.get(name, value)
