"""Where instants stand in answers: in date fields of JSON and in date headers, never in what users wrote."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from chatproxy.core.http.headers import is_json
from chatproxy.core.model import Exchange, RecordedSid, header_values
from chatproxy.core.products.every import DATES
from chatproxy.core.text.json_text import Place
from chatproxy.core.time.timestamps import Spelled, read_instant
from chatproxy.core.twilio.fields import holders, places_of

_DATE_FIELD = re.compile(DATES.encode())

Value = tuple[RecordedSid, bytes, int]
"""What an instant is known by: an object's SID (empty without one), the field's name, and the recorded moment."""


class DateField(NamedTuple):
    """An instant in an answer's JSON: whose it is, the field, the value, and its place.

    ``is_root`` tells that the object is the answer itself.
    """

    sid: RecordedSid
    name: bytes
    value: Spelled
    start: int
    end: int
    is_root: bool = False

    @property
    def known_by(self) -> Value:
        """What it has in common with the same instant in other answers."""
        return self.sid, self.name, self.value.moment


def date_fields(exchange: Exchange) -> Iterator[DateField]:
    """Yield the instants in the date fields of an answer, in their order."""
    if is_json(exchange.response.headers):
        yield from dates_of(exchange.response.body)


def dates_of(text: bytes) -> Iterator[DateField]:
    """Yield the instants in the date fields of a JSON text, in their order."""
    return dates_among(text, places_of(text))


def dates_among(text: bytes, places: list[Place]) -> Iterator[DateField]:
    """Yield those of the string values of a JSON text that are instants in date fields."""
    dates = [place for place in places if _is_date(place.name)]
    sids = holders(text, places) if dates else {}
    root = len(text) - len(text.lstrip())
    for name, _, start, end, holder in dates:
        if value := read_instant(text[start:end]):
            yield DateField(RecordedSid(sids.get(holder, b"")), name, value, start, end, holder in {-1, root})


@lru_cache(256)  # answers have the same few fields
def _is_date(name: bytes) -> bool:
    return _DATE_FIELD.fullmatch(name) is not None


def date_of(exchange: Exchange) -> int | None:
    """Return the moment in the ``Date`` of an answer, if it has one."""
    dates = map(read_instant, header_values(exchange.response.headers, b"date"))
    return next((date.moment for date in dates if date), None)


def answered_at(exchange: Exchange) -> int:
    """Return when an answer was given by the upstream's own clock, to the second, or else by ours."""
    date = date_of(exchange)
    return exchange.answered if date is None else date
