"""Forms and queries as pairs of bytes (``application/x-www-form-urlencoded``, WHATWG URL section 5.1)."""

from collections.abc import Iterator
from urllib.parse import unquote_to_bytes


def decoded(text: bytes) -> bytes:
    """Decode a name or a value: ``+`` is a space, and an escape that is none stands for itself."""
    return unquote_to_bytes(text.replace(b"+", b" "))


MOST_PAIRS = 10_000
MOST_ESCAPES = 500_000
"""How many pairs and escapes a form has at most: a body with more is text like any other.

Who would read them one by one for longer answers nobody else meanwhile.
"""


def is_readable(text: bytes) -> bool:
    """Tell whether a body is no more than a form can be."""
    return text.count(b"&") < MOST_PAIRS and text.count(b"%") <= MOST_ESCAPES


def pairs(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the decoded names and values in their order."""
    for pair in text.split(b"&"):
        name, _, value = pair.partition(b"=")
        yield decoded(name), decoded(value)
