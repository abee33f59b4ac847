"""Moments as text: microseconds since 1970, UTC, in the spellings that Twilio and HTTP use, and back.

Every spelling has one length, so that another moment can stand in its place: ISO 8601 with up to six digits of a
second's fraction and with ``Z`` (what Chat's JSON has) or an offset, the HTTP-date of headers (RFC 9110 section 5.6.7),
and the date of mail with a day of two digits (RFC 2822 section 3.3, which Twilio's reference names), with an offset.
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
    """How an instant is written: a row of the table with the offset, and how many digits a second's fraction has.

    ``row`` is the row's number and, in units of ``ROWS``, the offset's.
    """

    row: int
    digits: int = 0


ROWS = 16
"""How many rows there is room for."""


class Spelled(NamedTuple):
    """An instant found in a text."""

    moment: int
    spelling: Spelling


def read_instant(text: bytes) -> Spelled | None:
    """Read an instant in one of the spellings, or return None, as for a day that is not on its weekday."""
    return _read(text) if len(text) <= _LONGEST else None


_LONGEST = len(b"2026-01-01T00:00:00.000000+00:00")


@lru_cache(4096)  # a list shows the same instants again and again; to read one takes 5 us
def _read(text: bytes) -> Spelled | None:
    for row, one in enumerate(_ROWS):
        if found := one.pattern.fullmatch(text):
            fields = found.groupdict()
            try:
                zone = _code(fields.get("zone"))
                local = _moment(one.read(found))
                fraction = int((fields.get("fraction") or b"0").ljust(6, b"0"))
                moment = local + fraction - _minutes(zone) * 60 * SECOND
                spelled = Spelled(moment, Spelling(row + ROWS * zone, len(fields.get("fraction") or b"")))
                return spelled if spell_instant(*spelled) == text else None
            except (ValueError, OverflowError):  # no such day, hour or offset
                return None
    return None


def spell_instant(moment: int, spelling: Spelling) -> bytes:
    """Write a moment in a spelling, to the precision that it has; the year must be 1 to 9999."""
    return spell(moment, *spelling)


def spell(moment: int, row: int, digits: int) -> bytes:
    """Write a moment in the spelling of this row, with so many digits of a second's fraction."""
    second = spell_second(moment // SECOND, row)
    if not digits:
        return second
    at = _ISO_SECOND
    return second[:at] + b"." + (b"%06d" % (moment % SECOND))[:digits] + second[at:]


@lru_cache(4096)
def spell_second(second: int, row: int) -> bytes:
    """Write a whole second in the spelling of this row; one that was written lately costs a twentieth."""
    day, second = divmod(second + 60 * _minutes(row // ROWS), _DAY)
    return _midnight(day, row) % (second // 3600, second // 60 % 60, second % 60)


@lru_cache(64)
def _midnight(day: int, row: int) -> bytes:
    """Return how a day's seconds are written, as a format: a fifth of the cost of a datetime for each."""
    code, number = divmod(row, ROWS)
    one = _ROWS[number]
    return one.spell(_EPOCH + timedelta(days=day)) + (_zone(code, one.colon) if one.zoned else one.zone)


_DAY = 86_400
_ISO_SECOND = len(b"2026-01-01T00:00:00")


def _time(moment: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment)


def _moment(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


_MINUTES_OF_A_DAY = 24 * 60
_MINUS_ZERO = 2 * _MINUTES_OF_A_DAY


def _code(zone: bytes | None) -> int:
    """Return the number of an offset as ``+05:30`` or ``-0800``: 0 for none, else its minutes and a day's.

    So no number is negative. Minus zero, which says that nothing is known of where the clock stands, has its own.
    Raises ValueError for a minute or an hour that there is not.
    """
    if zone is None:
        return 0
    offset = 60 * int(zone[1:3]) + int(zone[-2:])
    if offset >= _MINUTES_OF_A_DAY:
        raise ValueError(zone)
    if not offset:
        return _MINUS_ZERO if zone[:1] == b"-" else 0
    return _MINUTES_OF_A_DAY + (-offset if zone[:1] == b"-" else offset)


def _minutes(code: int) -> int:
    return 0 if code in {0, _MINUS_ZERO} else code - _MINUTES_OF_A_DAY


def _zone(code: int, colon: bytes) -> bytes:
    minutes = _minutes(code)
    sign = b"-" if minutes < 0 or code == _MINUS_ZERO else b"+"
    hours, minutes = divmod(abs(minutes), 60)
    return b"%b%02d%b%02d" % (sign, hours, colon, minutes)


_DAYS = (b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun")
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


def _read_iso(found: re.Match[bytes]) -> datetime:
    return datetime.fromisoformat(found["time"].decode()).replace(tzinfo=UTC)


def _spell_iso(time: datetime) -> bytes:
    return b"%04d-%02d-%02dT%%02d:%%02d:%%02d" % (time.year, time.month, time.day)


def _read_date(found: re.Match[bytes]) -> datetime:
    hour, minute, second = map(int, found["time"].split(b":"))
    month = _MONTHS.index(found["month"]) + 1
    return datetime(int(found["year"]), month, int(found["day"]), hour, minute, second, tzinfo=UTC)


def _spell_date(time: datetime) -> bytes:
    return b"%02d %b %04d %%02d:%%02d:%%02d " % (time.day, _MONTHS[time.month - 1], time.year)


def _spell_weekday(time: datetime) -> bytes:
    return _DAYS[time.weekday()] + b", " + _spell_date(time)


class _Row(NamedTuple):
    """A spelling: its pattern, how its time without the offset is read, and how a day is written as a format.

    Behind that stands ``zone``, or an offset where there is none, with ``colon`` between hours and minutes.
    """

    pattern: re.Pattern[bytes]
    read: Callable[[re.Match[bytes]], datetime]
    spell: Callable[[datetime], bytes]
    zone: bytes = b""
    colon: bytes = b""

    @property
    def zoned(self) -> bool:
        """Whether it has an offset."""
        return not self.zone


_ISO = rb"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,6}))?"
_DATE = rb"(?P<day>\d\d) (?P<month>%b) (?P<year>\d{4}) (?P<time>\d\d:\d\d:\d\d) " % b"|".join(_MONTHS)
_WEEKDAY = rb"(?:%b), " % b"|".join(_DAYS)
_OFFSET, _COLON_OFFSET = rb"(?P<zone>[+-]\d{4})", rb"(?P<zone>[+-]\d\d:\d\d)"

_ROWS = (
    _Row(re.compile(_ISO + b"Z"), _read_iso, _spell_iso, b"Z"),
    _Row(re.compile(_WEEKDAY + _DATE + b"GMT"), _read_date, _spell_weekday, b"GMT"),
    _Row(re.compile(_WEEKDAY + _DATE + _OFFSET), _read_date, _spell_weekday),
    _Row(re.compile(_ISO + _COLON_OFFSET), _read_iso, _spell_iso, colon=b":"),
    _Row(re.compile(_ISO + _OFFSET), _read_iso, _spell_iso),
    _Row(re.compile(_DATE + _OFFSET), _read_date, _spell_date),
)
"""The spellings."""
