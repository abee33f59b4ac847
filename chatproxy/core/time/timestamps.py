"""Moments as text: microseconds since 1970, UTC, in the spellings that Twilio and HTTP use, and back.

Every spelling has one length, so that another moment can stand in its place: ISO 8601 with ``Z`` and up to six digits
of a second's fraction (what Chat's JSON has), the HTTP-date of headers (RFC 9110 section 5.6.7), and the date of mail
(RFC 2822 section 3.3, which Twilio's reference names, in UTC).
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)

SECOND = 1_000_000
"""Microseconds."""

CANONICAL_BEGIN = 1_767_225_600 * SECOND
"""When every canonical fixture begins: 2026-01-01T00:00:00Z."""


def instant(moment: int) -> str:
    """Return a moment as ``2026-01-31T12:00:00.123456Z`` (RFC 3339); the year must be 1 to 9999."""
    return _time(moment).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def moment(instant: str) -> int:
    """Return the moment of a text as ``instant`` makes it, or with fewer digits; raises ValueError for any other."""
    if not _INSTANT.fullmatch(instant):
        raise ValueError(f"{instant!r} is no instant as 2026-01-31T12:00:00.123456Z")
    return _moment(datetime.fromisoformat(instant))


class Spelling(NamedTuple):
    """How an instant is written: a row of the table, and how many digits a second's fraction has."""

    row: int
    digits: int = 0


class Spelled(NamedTuple):
    """An instant found in a text."""

    moment: int
    spelling: Spelling


def read_instant(text: bytes) -> Spelled | None:
    """Read an instant in one of the spellings, or return None, as for a day that is not on its weekday."""
    return _read(text) if len(text) <= _LONGEST else None


_LONGEST = len(b"Thu, 01 Jan 2026 00:00:00 +0000")


@lru_cache(4096)  # a list shows the same instants again and again; to read one takes 5 us
def _read(text: bytes) -> Spelled | None:
    for row, (pattern, read, _) in enumerate(_SPELLINGS):
        if found := pattern.fullmatch(text):
            try:
                spelled = Spelled(_moment(read(found)), Spelling(row, len(found["fraction"] or b"")))
            except ValueError:  # no such day, or hour
                return None
            return spelled if row == 0 or spell_instant(*spelled) == text else None
    return None


def spell_instant(moment: int, spelling: Spelling) -> bytes:
    """Write a moment in a spelling, to the precision that it has; the year must be 1 to 9999."""
    return spell(moment, *spelling)


def spell(moment: int, row: int, digits: int) -> bytes:
    """Write a moment in the spelling of this row of the table, with so many digits of a second's fraction."""
    text = _spell_second(moment // SECOND, row)
    if not digits:
        return text
    return text[:-1] + b"." + (b"%06d" % (moment % SECOND))[:digits] + text[-1:]


@lru_cache(4096)
def _spell_second(second: int, row: int) -> bytes:
    """Write a whole second; one that was written lately costs a twentieth."""
    day, second = divmod(second, _DAY)
    return _midnight(day, row) % (second // 3600, second // 60 % 60, second % 60)


@lru_cache(64)
def _midnight(day: int, row: int) -> bytes:
    """Return how a day's seconds are written, as a format: a fifth of the cost of a datetime for each."""
    return _SPELLINGS[row][2](_EPOCH + timedelta(days=day)).replace(b"00:00:00", b"%02d:%02d:%02d")


_DAY = 86_400


def _time(moment: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment)


def _moment(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


_DAYS = (b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun")
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


def _read_iso(found: re.Match[bytes]) -> datetime:
    fraction = (found["fraction"] or b"0").ljust(6, b"0")
    return datetime.fromisoformat(found["time"].decode()).replace(microsecond=int(fraction), tzinfo=UTC)


def _spell_iso(time: datetime) -> bytes:
    return time.replace(microsecond=0, tzinfo=None).isoformat().encode() + b"Z"


def _read_date(found: re.Match[bytes]) -> datetime:
    hour, minute, second = map(int, found["time"].split(b":"))
    month = _MONTHS.index(found["month"]) + 1
    return datetime(int(found["year"]), month, int(found["day"]), hour, minute, second, tzinfo=UTC)


def _spell_date(zone: bytes) -> Callable[[datetime], bytes]:
    def spell(time: datetime) -> bytes:
        clock = f"{time.year:04} {time.hour:02}:{time.minute:02}:{time.second:02}".encode()
        return b"%b, %02d %b %b %b" % (_DAYS[time.weekday()], time.day, _MONTHS[time.month - 1], clock, zone)

    return spell


_DATE = rb"(?:%b), (?P<day>\d\d) (?P<month>%b) (?P<year>\d{4}) (?P<time>\d\d:\d\d:\d\d)(?P<fraction>)" % (
    b"|".join(_DAYS),
    b"|".join(_MONTHS),
)
_SPELLINGS: tuple[tuple[re.Pattern[bytes], Callable[[re.Match[bytes]], datetime], Callable[[datetime], bytes]], ...] = (
    (re.compile(rb"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,6}))?Z"), _read_iso, _spell_iso),
    (re.compile(_DATE + rb" GMT"), _read_date, _spell_date(b"GMT")),
    (re.compile(_DATE + rb" \+0000"), _read_date, _spell_date(b"+0000")),
)
