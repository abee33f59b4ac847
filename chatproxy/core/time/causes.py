"""Causes of instants: which write set this field of this object to this value.

``date_created`` is set by the object's create, ``date_updated`` by its last create or update. An instant that no
recorded write set has no cause: it is older than the recording, or another program's.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import lru_cache
from typing import NamedTuple

from chatproxy.core.http.headers import is_json
from chatproxy.core.model import Exchange, Response, header_values, is_read
from chatproxy.core.products.every import CREATED, DATES, SID_FIELD
from chatproxy.core.text.json_text import Place as Found
from chatproxy.core.time.timestamps import SECOND, Spelled, read_instant
from chatproxy.core.timeline.epochs import Place
from chatproxy.core.twilio.fields import holders, places_of
from chatproxy.core.twilio.sids import PREFIX

_DATE_FIELD = re.compile(DATES.encode())
"""The fields of Twilio's answers that hold instants; what users wrote is never one."""

_OK = range(200, 300)


class DateField(NamedTuple):
    """An instant in an answer's JSON: the object's SID (empty without one), the field, the value, and its place."""

    sid: bytes
    name: bytes
    value: Spelled
    start: int
    end: int


def date_fields(exchange: Exchange) -> Iterator[DateField]:
    """Yield the instants in the date fields of an answer, in their order."""
    if is_json(exchange.response.headers):
        yield from dates_of(exchange.response.body)


def dates_of(text: bytes) -> Iterator[DateField]:
    """Yield the instants in the date fields of a JSON text, in their order."""
    return dates_among(text, places_of(text))


def dates_among(text: bytes, places: list[Found]) -> Iterator[DateField]:
    """Yield those of the string values of a JSON text that are instants in date fields."""
    dates = [place for place in places if _is_date(place.name)]
    sids = holders(text, places) if dates else {}
    for name, _, start, end, holder in dates:
        if value := read_instant(text[start:end]):
            yield DateField(sids.get(holder, b""), name, value, start, end)


@lru_cache(256)  # answers have the same few fields
def _is_date(name: bytes) -> bool:
    return _DATE_FIELD.fullmatch(name) is not None


Value = tuple[bytes, bytes, int]
"""An object's SID, a field's name, and a moment."""


def sure_of(exchange: Exchange) -> tuple[list[Value], list[bytes]]:
    """Return what an exchange sets for certain, and the SIDs of what it updates: there others have a say, too."""
    values, updated = [], []
    for found in date_fields(exchange) if _may_set(exchange) else ():
        if exchange.standing is None and found.sid in exchange.request.target and found.name != CREATED:
            updated += [found.sid] if found.sid else []
        elif found.sid and _is_sure(exchange, found):
            values.append((found.sid, found.name, found.value.moment))
    return values, updated


def _may_set(exchange: Exchange) -> bool:
    return not is_read(exchange.request.method) and exchange.response.status in _OK


def _is_sure(exchange: Exchange, found: DateField) -> bool:
    """Tell whether a write set a field, where no other answer has a say.

    In a canonical fixture an instant with a cause is the moment of that write; else a create sets all fields.
    """
    if exchange.standing is not None:
        return found.value.moment == exchange.answered
    return found.sid not in exchange.request.target


class Causes:
    """Which writes set which instants; it must have learnt all exchanges, in order of number, before it is asked.

    ``updated`` are the SIDs of all that is updated in these exchanges: a read that shows nothing of that has no
    effect here, and most of them need no look at their bodies. Without it each is looked at. ``standing`` are the
    places of all exchanges, if they are known.
    """

    def __init__(self, updated: Set[bytes] | None = None, standing: Mapping[int, Place] | None = None) -> None:
        self._updated = updated
        self._standing = standing
        self._writes: dict[Value, list[int]] = defaultdict(list)
        self._first_shown: dict[Value, int] = {}
        self._places: dict[int, tuple[int, int]] = {}

    def learn(self, exchange: Exchange, timeline: int, epoch: int) -> None:
        """Take in what an answer shows, and where it stands; only a write that went well sets instants."""
        if self._standing is None:
            self._places[exchange.number] = timeline, epoch
        may_set = _may_set(exchange)
        if not may_set and not self._matters(exchange.response):
            return
        for found in date_fields(exchange):
            value = (found.sid, found.name, found.value.moment)
            if may_set and found.sid and self._is_set(exchange, found):
                self._writes[value].append(exchange.number)
            if self._updated is None or found.sid in self._updated:
                self._first_shown.setdefault(value, exchange.answered)

    def learn_sure(self, number: int, values: Iterable[Value]) -> None:
        """Take in what an exchange sets, if in all exchanges nothing is updated."""
        for value in values:
            self._writes[value].append(number)

    def _matters(self, response: Response) -> bool:
        """Tell whether an answer may be the first to show an instant of something that is updated."""
        if self._updated is None:
            return True
        return bool(self._updated) and not self._updated.isdisjoint(_SID_FIELD.findall(response.body))

    def is_settled(self, found: DateField) -> bool:
        """Tell whether an instant has the same cause, or none, in whatever answer it is shown."""
        return len(self._writes.get((found.sid, found.name, found.value.moment), ())) <= 1

    def of(self, number: int, found: DateField) -> int | None:
        """Return the number of the write that set an instant shown in the answer of this number.

        That is the last such write of the epochs until that answer's, or else the first one of all.
        """
        writes = self._writes.get((found.sid, found.name, found.value.moment), [])
        if len(writes) <= 1:
            return writes[0] if writes else None
        before = [write for write in writes if self._is_before(write, number)]
        return before[-1] if before else writes[0]

    def _is_before(self, write: int, number: int) -> bool:
        """Tell whether an answer shows what a write left: by epochs, since a write's answer may come later."""
        (timeline, epoch), (shown_in, shown) = self._place(write), self._place(number)
        return epoch <= shown if timeline == shown_in else write <= number

    def _place(self, number: int) -> tuple[int, int]:
        if self._standing is None:
            return self._places[number]
        where = self._standing[number]
        return where.timeline, where.epoch

    def _is_set(self, exchange: Exchange, found: DateField) -> bool:
        """Tell whether this write set a field of an object: a create sets all, an update all but ``date_created``.

        An update sets what no answer showed before the update was asked. What one showed already it sets too if
        it happened within that second: then both writes have one value.
        """
        if exchange.standing is not None or found.name == CREATED or found.sid not in exchange.request.target:
            return _is_sure(exchange, found)
        shown = self._first_shown.get((found.sid, found.name, found.value.moment))
        return shown is None or shown > exchange.asked or _may_be_of(exchange, found.value.moment)


_SID_FIELD = re.compile(rb'"%b"\s*:\s*"((?:%b)[0-9a-f]{32})' % (SID_FIELD, PREFIX))
"""An object's SID; this may also find what is none, so that an answer is looked at in vain."""


def _may_be_of(exchange: Exchange, moment: int) -> bool:
    """Tell whether a moment is one at which an update that changes something may have happened."""
    took = exchange.answered - exchange.asked
    return bool(exchange.request.body) and answered_at(exchange) - moment <= took + SECOND


def answered_at(exchange: Exchange) -> int:
    """Return when an answer was given by the upstream's own clock, to the second, or else by ours."""
    dates = map(read_instant, header_values(exchange.response.headers, b"date"))
    return next((date.moment for date in dates if date), exchange.answered)
