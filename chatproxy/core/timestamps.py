"""Moments as text: microseconds since 1970, UTC, to RFC 3339 and back."""

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def instant(moment: int) -> str:
    """Return a moment as ``2026-01-31T12:00:00.123456Z`` (RFC 3339); the year must be 1 to 9999."""
    return (_EPOCH + timedelta(microseconds=moment)).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def moment(instant: str) -> int:
    """Return the moment of a text as ``instant`` makes it; raises ValueError for any other text."""
    if not _INSTANT.fullmatch(instant):
        raise ValueError(f"{instant!r} is no instant as 2026-01-31T12:00:00.123456Z")
    return (datetime.fromisoformat(instant) - _EPOCH) // timedelta(microseconds=1)
