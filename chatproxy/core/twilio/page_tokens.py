"""Page tokens: which have a meaning of their own, and where they stand in a query.

Seen on the wire are ``PT50`` (an offset), ``PAIM…`` and ``PBIM…`` (after and before a SID), and texts that only the
server can read, which differ from run to run.
"""

import re

from chatproxy.core.http.forms import decoded
from chatproxy.core.products.every import LISTS
from chatproxy.core.twilio.sids import SID

_NAME = LISTS.token.encode()

IN_QUERY = re.compile(rb"(?:(?<=[?&]%b=)|(?<=^%b=))[^&\"\\#\s]+" % (_NAME, _NAME))
"""The value of a page token in an URL or a query, as it is spelled there."""

_KNOWN = re.compile("|".join(LISTS.tokens).encode().replace(b"{}", b"(?:%b)" % SID.pattern))


def means_itself(token: bytes) -> bool:
    """Tell whether a token, escaped or not, is an offset or names a SID."""
    return _KNOWN.fullmatch(decoded(token)) is not None
