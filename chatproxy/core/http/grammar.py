"""What texts must look like that come from outside: parts of HTTP messages, and names of cassettes."""

import re

STATUSES = range(200, 600)
"""The statuses of final answers (RFC 9110 section 15)."""

CASSETTE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A header's name, or a method in any case (RFC 9110 section 5.6.2)."""

METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Z-]+")
"""A method that a server could have taken: letter case counts, and those in use have no small letters."""

TARGET = re.compile(r"/[!-~]*")
"""A path and its query, in visible ASCII (RFC 9112 section 3.2.1)."""

_HOST = r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"

HOST = re.compile(_HOST)
"""A host with or without a port (RFC 9110 section 7.2)."""

ORIGIN = re.compile(rf"https?://{_HOST}")

FIELD_TEXT = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udc7f\udd00-\udfff]*")
"""A header's value or a reason phrase (RFC 9110 section 5.5); bytes that are no UTF-8 stand as surrogates."""


def is_field_text(value: bytes) -> bool:
    """Tell whether bytes are a header's value or a reason phrase, be they UTF-8 or not."""
    return FIELD_TEXT.fullmatch(value.decode("utf-8", "surrogateescape")) is not None


def is_token(name: bytes) -> bool:
    """Tell whether bytes are a method or a header's name."""
    return name.isascii() and TOKEN.fullmatch(name.decode("ascii")) is not None
