"""Instants in answers: where they stand, and what a template remembers of each.

They stand in date fields of JSON and in date headers, never in what users wrote.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple, Self

from chatproxy.core.model import NO_EXCHANGE, Exchange, ExchangeNumber
from chatproxy.core.time.causes import Causes, answered_at, date_fields
from chatproxy.core.time.timestamps import CANONICAL_BEGIN, SECOND, Spelling, read_instant, spell_instant

_PACKED = struct.Struct("<qIBB")


Packed = tuple[int, ExchangeNumber, int, int]
"""A stamp's moment, cause, and the row and digits of its spelling."""


def pack_stamp(stamp: Packed) -> bytes:
    """Return the argument of a stamp's slot."""
    return _PACKED.pack(*stamp)


def unpack_stamps(packed: bytes) -> Iterator[Packed]:
    """Yield what stands in arguments one behind another."""
    return _PACKED.iter_unpack(packed)


class Stamp(NamedTuple):
    """An instant as recorded: by the upstream's clock, with the write that set it (0 for none) and its spelling."""

    moment: int
    cause: ExchangeNumber
    spelling: Spelling

    def pack(self) -> bytes:
        """Return the stamp as a slot's argument."""
        return _PACKED.pack(self.moment, self.cause, *self.spelling)

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Return the stamp of a slot's argument."""
        moment, cause, row, digits = _PACKED.unpack(packed)
        return cls(moment, cause, Spelling(row, digits))

    def text(self) -> bytes:
        """Return the instant as recorded."""
        return spell_instant(self.moment, self.spelling)


class Stamped(NamedTuple):
    """A stamp and where in its text it stands; ``is_now`` is true for the moment of the answer itself."""

    start: int
    end: int
    stamp: Stamp
    is_now: bool = False


def body_stamps(exchange: Exchange, causes: Causes) -> Iterator[Stamped]:
    """Yield the instants of an answer's body in their order."""
    for found in date_fields(exchange):
        cause = causes.of(exchange.number, found) or NO_EXCHANGE
        yield Stamped(found.start, found.end, Stamp(found.value.moment, cause, found.value.spelling))


def head_stamps(head: bytes, exchange: Exchange, causes: Causes) -> Iterator[Stamped]:
    """Yield the instants of an answer's header fields, which stand in ``head`` as lines, in their order.

    ``Last-Modified`` has the cause of the date field that shows the same moment.
    """
    for found in _DATE_HEADER.finditer(head):
        if value := read_instant(found["value"]):
            is_now = found["name"].lower() == b"date"
            cause = NO_EXCHANGE if is_now else _cause_of(value.moment, exchange, causes)
            yield Stamped(*found.span("value"), Stamp(value.moment, cause, value.spelling), is_now)


def _cause_of(moment: int, exchange: Exchange, causes: Causes) -> ExchangeNumber:
    same = (found for found in date_fields(exchange) if found.value.moment == moment)
    return max((causes.of(exchange.number, found) or NO_EXCHANGE for found in same), default=NO_EXCHANGE)


_DATE_HEADER = re.compile(rb"^(?P<name>date|last-modified): (?P<value>[^\r\n]*)", re.IGNORECASE | re.MULTILINE)


def recording_begin(first: Exchange) -> int:
    """Return when a recording began by the upstream's clock, in whole seconds; ``first`` is its first exchange."""
    if first.standing is not None:
        return CANONICAL_BEGIN
    return (answered_at(first) - (first.answered - first.asked)) // SECOND * SECOND
