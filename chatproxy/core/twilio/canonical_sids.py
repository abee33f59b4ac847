"""Canonical SIDs: what stands in a fixture in the place of a SID, by its type and number.

They have a mark that nobody types, so that none is mistaken for a SID that somebody made up. Those of before had their
number alone.
"""

import re

from chatproxy.core.twilio.sids import PREFIX

MARK = b"ca765a4cadaca367"
"""What all canonical SIDs have between their type and their number."""


def canonical_sid(prefix: bytes, nth: int) -> bytes:
    """Return the canonical SID of the n-th one of a type."""
    return b"%b%b%016d" % (prefix, MARK, nth)


def canonical_nth(sid: bytes) -> int | None:
    """Return which of its type a canonical SID is, of whichever form; None for another SID."""
    found = _CANONICAL.fullmatch(sid)
    return None if found is None else int(found[1] or found[2])


def is_old_canonical(sid: bytes) -> bool:
    """Tell whether a SID is a canonical one of before, a number alone: it may also have been made up."""
    found = _CANONICAL.fullmatch(sid)
    return found is not None and found[2] is not None


_CANONICAL = re.compile(rb"(?:%b)(?:%b([0-9]{16})|([0-9]{32}))" % (PREFIX, MARK))
