"""Echo: what a client sent in an ignored parameter is served where the recorded answers repeated the recorded value.

A write that sends an ignored parameter, and whose answer repeats it in the field of that name, sets the field of that
object. Wherever a later answer shows the object with that value, the client's own stands instead, until another write
sets the field.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple, Self

from chatproxy.core.http.multipart import form_fields
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, ExchangeNumber, RecordedSid, Request
from chatproxy.core.products.every import WRITTEN, WRITTEN_FIELDS
from chatproxy.core.timeline.standing import Standing
from chatproxy.core.twilio.fields import fields


class Echo(NamedTuple):
    """A value that the client gave: in which write, for which field, and the recorded JSON text in its place."""

    write: ExchangeNumber
    field: bytes
    recorded: bytes

    def pack(self) -> bytes:
        """Return the echo as a slot's argument."""
        return self.write.to_bytes(4, "little") + self.field + b"\0" + self.recorded

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Return the echo of a slot's argument."""
        field, _, recorded = packed[4:].partition(b"\0")
        return cls(ExchangeNumber(int.from_bytes(packed[:4], "little")), field, recorded)


class Found(NamedTuple):
    """An echo and where in the body of an answer it stands."""

    start: int
    end: int
    echo: Echo


class _Set(NamedTuple):
    """That a write set a field, and the recorded JSON text if it is to be echoed."""

    write: ExchangeNumber
    text: bytes | None


class Echoes:
    """Which values are echoed; it must have learnt all exchanges, in order of number, before it is asked."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._sets: dict[tuple[RecordedSid, bytes], list[_Set]] = defaultdict(list)

    def __bool__(self) -> bool:
        """Tell whether any write has set a field that an ignored parameter may."""
        return bool(self._sets)

    def learn(self, exchange: Exchange, path: bytes) -> None:
        """Take in what a write that was done set; ``path`` is that of its normal form."""
        fields = form_fields(exchange.request.headers, exchange.request.body)
        sent = {WRITTEN[name]: (name, value) for name, value in fields if name in WRITTEN}
        ignored = self._rules.ignored(exchange.request.method, path)
        for field, sid, start, end in _fields(exchange):
            if field in sent:
                name, value = sent[field]
                text = exchange.response.body[start:end]
                repeats = name in ignored and _means(text, value)
                self._sets[sid, field].append(_Set(exchange.number, text if repeats else None))

    def of(self, exchange: Exchange, standing: Standing) -> Iterator[Found]:
        """Yield the echoes of an answer in their order."""
        for field, sid, start, end in _fields(exchange) if self._sets else ():
            sets = self._sets.get((sid, field), ())
            before = [one for one in sets if standing.shows(one.write, exchange.number)]
            text = exchange.response.body[start:end]
            if before and before[-1].text == text:
                yield Found(start, end, Echo(before[-1].write, field, text))


def _fields(exchange: Exchange) -> Iterator[tuple[bytes, RecordedSid, int, int]]:
    """Yield the user-written fields of an answer's objects: field, the object's SID, and where the content stands."""
    for place, sid in fields(exchange.response):
        if sid and place.name in WRITTEN_FIELDS:
            yield place.name, RecordedSid(sid), place.start, place.end


def _means(text: bytes, value: bytes) -> bool:
    """Tell whether the content of a JSON string is this value."""
    try:
        return bool(json.loads(b'"%b"' % text, strict=False) == value.decode())
    except ValueError:
        return False


def sent_values(request: Request, ignored: frozenset[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield what a client sent in ignored parameters: the field of answers, and its value as JSON text."""
    for name, value in form_fields(request.headers, request.body):
        if name in ignored and name in WRITTEN:
            yield WRITTEN[name], json.dumps(value.decode("utf-8", "replace"))[1:-1].encode()
