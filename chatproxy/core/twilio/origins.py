"""Origins (``scheme://host:port``) in texts: where one stands, and how to put another in its place."""

import re
from functools import lru_cache

from chatproxy.core.products.every import HOSTS, TWILIO_HOST

URL = re.compile(rb"(https?://[^\s?#/]+)((?:/[^\s?#]*)?(?:\?[^\s#]*)?)")
"""A text that is an URL as a whole: its origin, and the rest."""

_ENDS = r"(?![\w-])(?![.:][\w])"
"""An origin ends where neither its host nor its port goes on."""


def one_host(host: str) -> str:
    """Return the host that stands for all that are one with it; letter case does not count (RFC 9110 section 4.2.3)."""
    lower = host.lower()
    return TWILIO_HOST if re.fullmatch(HOSTS, lower) else lower


def replace_origin(text: bytes, origin: str, replacement: bytes) -> bytes:
    """Put the replacement wherever this origin stands in the text as a whole."""
    plain = origin.encode()
    if plain not in text:
        return text
    return re.sub(re.escape(plain) + _ENDS.encode(), lambda _: replacement, text)


@lru_cache(16)  # to write the pattern takes longer than a search for it
def upstream_pattern(upstream: str) -> re.Pattern[bytes]:
    """Match the origins by which answers of this upstream may call it, with slashes plain or escaped as in JSON."""
    return _either_spelling(f"(?:{re.escape(upstream)}|https://{HOSTS}){_ENDS}")


def address_pattern(origins: set[str]) -> re.Pattern[bytes]:
    """Match any of these origins, with slashes plain or escaped as in JSON."""
    return _either_spelling(f"(?:{'|'.join(map(re.escape, sorted(origins)))}){_ENDS}")


def _either_spelling(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.replace("/", r"\\?/").encode())
