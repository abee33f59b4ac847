"""What a SID is: a known type and 32 hex digits, found in any decoded text."""

import re
from collections.abc import Callable
from functools import lru_cache

from chatproxy.core.products.every import LISTS, SID_FIELD
from chatproxy.core.products.sid_types import ACCOUNT, PREFIXES

PREFIX = "|".join(PREFIXES).encode()
"""A pattern of the types."""

SID_LENGTH = 34

SID = re.compile(rb"(%b)[0-9a-f]{32}(?![0-9a-f])" % PREFIX)
"""A SID anywhere in a text, also glued to letters before it, as in the page token ``PTMG…``."""

SID_SEGMENT = re.compile(rb"(%b)[0-9a-fA-F]{32}" % PREFIX)
"""A SID as a whole path segment, where hex digits may be upper case."""


_IN_PATH = re.compile(rb"(?:%b)(?:[0-9a-f]{32}(?![0-9a-f])|(?<![^/]..)[0-9a-fA-F]{32}(?![^/]))" % PREFIX)
"""A SID in a decoded path: as anywhere, or as a whole segment. One search for all segments costs a sixth."""

_ANYWHERE = re.compile(rb"(?:%b)[0-9a-f]{32}(?![0-9a-f])" % PREFIX)


def is_account(sid: bytes) -> bool:
    """Tell whether a SID is an account's."""
    return sid[:2] == _ACCOUNT


_ACCOUNT = ACCOUNT.encode()


def sids_in_path(path: bytes) -> list[bytes]:
    """Return the SIDs of a decoded path, in their order and as often as they stand there."""
    return _IN_PATH.findall(path)


def sids_in(text: bytes) -> list[bytes]:
    """Return the SIDs of a text, in their order and as often as they stand there."""
    return _ANYWHERE.findall(text)


def placed_sids(text: bytes) -> list[bytes]:
    """Return the SIDs that stand in an answer, or in JSON, where a SID stands; elsewhere is text that looks like one.

    That is a field ``sid`` or ``*_sid``, a segment of a path, a page token, or a line of its own, as a header's value.
    """
    return [one or other or another for one, other, another in _PLACED.findall(text)]


_PLACED = re.compile(
    rb"""(?:"(?:\w+_)?%(field)b"\s*:\s*"|/\w+\\?/)(%(sid)b)%(end)b"""
    rb"""|[?&]%(token)b=[^&"\\#\s]*?(%(sid)b)(?![0-9a-f])|^(%(sid)b)$"""
    % {
        b"sid": rb"(?:%b)[0-9a-f]{32}" % PREFIX,
        b"end": rb"(?![\w%-])",
        b"field": SID_FIELD,
        b"token": LISTS.token.encode(),
    },
    re.MULTILINE,
)


def mask(text: bytes) -> bytes:
    """Replace every SID of a text by its type: ``/Messages/IM…`` becomes ``/Messages/IM*``."""
    return SID.sub(rb"\1*", text)


@lru_cache(256)  # kind, shape and route of a request have the same path
def mask_path(path: bytes) -> bytes:
    """Replace every SID of a decoded path by its type, those with upper-case hex in whole segments too."""
    return mask(b"/".join(_mask_segment(segment) for segment in path.split(b"/")))


def mask_members(path: bytes) -> bytes:
    """Replace what stands behind each collection of a path, ``/v1/Services/IS…/Channels``, whatever it is."""
    segments = mask_path(path).split(b"/")
    segments[3::2] = [b"*"] * len(segments[3::2])
    return b"/".join(segments)


def _mask_segment(segment: bytes) -> bytes:
    return segment[:2] + b"*" if SID_SEGMENT.fullmatch(segment) else segment


def replace_sids(text: bytes, other: Callable[[bytes], bytes]) -> bytes:
    """Put another SID in the place of each one of a text."""
    return SID.sub(lambda found: other(found[0]), text)


def replace_in_path(path: bytes, other: Callable[[bytes], bytes]) -> bytes:
    """Put another SID in the place of each one of a decoded path, also those with upper-case hex."""
    return _IN_PATH.sub(lambda found: other(found[0]), path)
