"""Header fields that differ from answer to answer, or from client to client, and tell nothing."""

from collections.abc import Container

from chatproxy.core.http.conditions import opaque
from chatproxy.core.model import Headers
from chatproxy.core.products.client_headers import ENVIRONMENT
from chatproxy.core.products.edge_headers import FIXED, FIXED_PREFIXES, VOLATILE


def is_volatile(name: bytes) -> bool:
    """Tell whether a header field of this name differs from answer to answer without a meaning."""
    lower = name.lower()
    return lower in VOLATILE or lower.startswith(_PREFIXES)


def fixed(headers: Headers, sent_back: Container[bytes] = ()) -> Headers:
    """Put one value in each field that differs from answer to answer and tells nothing.

    An entity tag tells something where a request ``sent_back`` what is compared of it.
    """
    return tuple(
        (name, value if name.lower() == _TAG and opaque(value) in sent_back else _fixed(name.lower(), value))
        for name, value in headers
    )


_TAG = b"etag"


def _fixed(name: bytes, value: bytes) -> bytes:
    prefixed = (canonical for prefix, canonical in FIXED_PREFIXES.items() if name.startswith(prefix))
    return FIXED[name] if name in FIXED else next(prefixed, value)


def of_any_client(headers: Headers, counted: Container[bytes]) -> Headers:
    """Put one value in each field of a request that tells what the client is; those that are ``counted`` stay."""
    return tuple(
        (name, value if name.lower() in counted else ENVIRONMENT.get(name.lower(), value)) for name, value in headers
    )


_PREFIXES = tuple(FIXED_PREFIXES)
