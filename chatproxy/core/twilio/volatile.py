"""Header fields that differ from answer to answer and tell nothing."""

from chatproxy.core.model import Headers
from chatproxy.core.products.edge_headers import FIXED, FIXED_PREFIXES, VOLATILE


def is_volatile(name: bytes) -> bool:
    """Tell whether a header field of this name differs from answer to answer without a meaning."""
    lower = name.lower()
    return lower in VOLATILE or lower.startswith(_PREFIXES)


def fixed(headers: Headers) -> Headers:
    """Put one value in each field that differs from answer to answer and tells nothing."""
    return tuple((name, _fixed(name.lower(), value)) for name, value in headers)


def _fixed(name: bytes, value: bytes) -> bytes:
    prefixed = (canonical for prefix, canonical in FIXED_PREFIXES.items() if name.startswith(prefix))
    return FIXED[name] if name in FIXED else next(prefixed, value)


_PREFIXES = tuple(FIXED_PREFIXES)
