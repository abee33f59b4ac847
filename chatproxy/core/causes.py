"""Causes of instants: which write set this field of this object to this value.

``date_created`` is set by the object's create, ``date_updated`` by its last create or update. An instant that no
recorded write set has no cause: it is older than the recording, or another program's.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from chatproxy.core.fields import fields
from chatproxy.core.model import Exchange, header_values, is_read
from chatproxy.core.timestamps import SECOND, Spelled, read_instant

_DATE_FIELD = re.compile(rb"date_\w+|\w+_timestamp|timestamp")
"""The fields of Twilio's answers that hold instants; what users wrote is never one."""

_OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class DateField:
    """An instant in an answer's JSON: the object's SID (empty without one), the field, the value, and its place."""

    sid: bytes
    name: bytes
    value: Spelled
    start: int
    end: int


def date_fields(exchange: Exchange) -> Iterator[DateField]:
    """Yield the instants in the date fields of an answer, in their order."""
    body = exchange.response.body
    for place, sid in fields(exchange.response):
        if _DATE_FIELD.fullmatch(place.name) and (value := read_instant(body[place.start : place.end])):
            yield DateField(sid, place.name, value, place.start, place.end)


class Causes:
    """Which writes set which instants; it must have learnt all exchanges, in order of number, before it is asked."""

    def __init__(self) -> None:
        self._writes: dict[_Value, list[int]] = defaultdict(list)
        self._first_shown: dict[_Value, int] = {}
        self._places: dict[int, tuple[int, int]] = {}

    def learn(self, exchange: Exchange, timeline: int, epoch: int) -> None:
        """Take in what an answer shows, and where it stands; only a write that went well sets instants."""
        self._places[exchange.number] = timeline, epoch
        may_set = not is_read(exchange.request.method) and exchange.response.status in _OK
        for found in date_fields(exchange):
            value = (found.sid, found.name, found.value.moment)
            if may_set and found.sid and self._is_set(exchange, found):
                self._writes[value].append(exchange.number)
            self._first_shown.setdefault(value, exchange.answered)

    def of(self, number: int, found: DateField) -> int | None:
        """Return the number of the write that set an instant shown in the answer of this number.

        That is the last such write of the epochs until that answer's, or else the first one of all.
        """
        writes = self._writes.get((found.sid, found.name, found.value.moment), [])
        before = [write for write in writes if self._is_before(write, number)]
        return before[-1] if before else next(iter(writes), None)

    def _is_before(self, write: int, number: int) -> bool:
        """Tell whether an answer shows what a write left: by epochs, since a write's answer may come later."""
        (timeline, epoch), (shown_in, shown) = self._places[write], self._places[number]
        return epoch <= shown if timeline == shown_in else write <= number

    def _is_set(self, exchange: Exchange, found: DateField) -> bool:
        """Tell whether this write set a field of an object: a create sets all, an update all but ``date_created``.

        In a canonical fixture an instant with a cause is the moment of that write. Else
        an update sets what no answer showed before the update was asked. What one showed already it sets too if
        it happened within that second: then both writes have one value.
        """
        if exchange.standing is not None:
            return found.value.moment == exchange.answered
        is_create = found.sid not in exchange.request.target
        if is_create or found.name == b"date_created":
            return is_create
        shown = self._first_shown.get((found.sid, found.name, found.value.moment))
        return shown is None or shown > exchange.asked or _may_be_of(exchange, found.value.moment)


_Value = tuple[bytes, bytes, int]
"""An object's SID, a field's name, and a moment."""


def _may_be_of(exchange: Exchange, moment: int) -> bool:
    """Tell whether a moment is one at which an update that changes something may have happened."""
    took = exchange.answered - exchange.asked
    return bool(exchange.request.body) and answered_at(exchange) - moment <= took + SECOND


def answered_at(exchange: Exchange) -> int:
    """Return when an answer was given by the upstream's own clock, to the second, or else by ours."""
    dates = map(read_instant, header_values(exchange.response.headers, b"date"))
    return next((date.moment for date in dates if date), exchange.answered)
