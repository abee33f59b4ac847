"""Origins (``scheme://host:port``) in texts: where one stands, and how to put another in its place."""

import re
from functools import lru_cache

from chatproxy.core.products.every import HOST_PATTERNS, HOSTS

URL = re.compile(rb"(https?://[^\s?#/]+)((?:/[^\s?#]*)?(?:\?[^\s#]*)?)")
"""A text that is an URL as a whole: its origin, and the rest."""

_ENDS = r"(?![\w-])(?![.:][\w])"
"""An origin ends where neither its host nor its port goes on."""


def one_host(host: str) -> str:
    """Return the host that stands for all that are one with it; letter case does not count (RFC 9110 section 4.2.3)."""
    lower = host.lower()
    return next((one for one, pattern in HOST_PATTERNS.items() if re.fullmatch(pattern, lower)), lower)


def is_twilio(host: str) -> bool:
    """Tell whether a host is one of a product's, whichever edge or region it names."""
    return re.fullmatch(HOSTS, host.lower()) is not None


def origin_for(scheme: str, host: str, public: str | None = None) -> str:
    """Return where URLs lead in the answers to a client that names this host, with any port.

    That is Twilio's own, which is never asked in clear text, for a client that names Twilio's host without a port of
    another's; else the public address of the server, if it has one, or what the client named.
    """
    name, _, port = host.lower().partition(":")
    if port in DEFAULT_PORTS and is_twilio(name):
        return f"https://{one_host(name)}"
    return public or f"{scheme}://{host}"


DEFAULT_PORTS = frozenset({"", "80", "443"})
"""What an address has as its port where that is a scheme's own."""


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
