"""Conditions: the header fields by which a request asks for an answer only if, or only in part.

Such a request gets another answer than one without them (RFC 9110 sections 13.1 and 14.2), so they count in every
match. What they send back of an answer differs from run to run: an entity tag, or the time of a last change.
"""

import re
from collections.abc import Iterator

from chatproxy.core.model import Headers
from chatproxy.core.products.client_headers import CONDITIONAL, DATED, TAGGED


def conditions(headers: Headers) -> list[bytes]:
    """Return the names of the conditions of a request, in lower case, one for each header field."""
    return [lower for name, _ in headers if name[:1] in _FIRST and (lower := name.lower()) in CONDITIONAL]


_FIRST = frozenset({b"i", b"I", b"r", b"R"})
"""How these names begin: a look at the first letter takes a third of the time."""


def tags_sent_back(headers: Headers) -> Iterator[bytes]:
    """Yield the entity tags in the conditions of a request, weak ones as strong ones, without quotes."""
    for name, value in headers:
        if name.lower() in TAGGED:
            yield from map(opaque, _TAG.findall(value))


def opaque(tag: bytes) -> bytes:
    """Return what of an entity tag is compared (RFC 9110 section 8.8.3.2); Twilio writes some without quotes."""
    return tag.strip().removeprefix(b"W/").strip(b'"')


_TAG = re.compile(rb'(?:W/)?"[^"]*"|[^\s,"]+')


def is_of_one_run(name: bytes) -> bool:
    """Tell whether the value of a condition of this name, in lower case, differs from run to run."""
    return name in TAGGED or name in DATED
