"""The proxy's own address in the values of a query or a form, plain or escaped, with another in its place."""

import re

from chatproxy.core.http.forms import decoded
from chatproxy.core.twilio.origins import replace_origin


def led_to(pairs: bytes, origin: str, other: str) -> bytes:
    """Put another origin in the values of a query or form, plain or escaped."""
    if origin == other:
        return pairs
    return b"&".join(_turned_pair(pair, origin, other) for pair in pairs.split(b"&"))


def _turned_pair(pair: bytes, origin: str, other: str) -> bytes:
    name, equals, value = pair.partition(b"=")
    plain = decoded(value)
    turned = replace_origin(plain, origin, other.encode())
    turned = replace_origin(turned, origin.replace("/", r"\/"), other.replace("/", r"\/").encode())
    return pair if turned == plain else name + equals + escaped(turned)


def escaped(value: bytes) -> bytes:
    """Percent-encode all bytes except the unreserved ones (RFC 3986 section 2.3)."""
    return _SPECIAL.sub(lambda found: b"%%%02X" % ord(found[0]), value)


_SPECIAL = re.compile(rb"[^A-Za-z0-9._~-]", re.DOTALL)
