"""Instants as slots of answers: what a template remembers of each.

A header field that tells of the answer itself, as ``Date`` does, keeps its distance to the answer's moment.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple, Self

from chatproxy.core.model import Exchange
from chatproxy.core.time.dates import answered_at, date_fields
from chatproxy.core.time.instants import UNKNOWN, Instant, Instants
from chatproxy.core.time.timestamps import SECOND, Spelling, read_instant, spell_instant

_PACKED = struct.Struct("<qIiHBB")

Packed = tuple[int, int, int, int, int, int]
"""A stamp's moment, the number and rank of its instant, the row and digits of its spelling, and whether it is own."""

PACKED_SIZE = _PACKED.size


def pack_stamp(stamp: Packed) -> bytes:
    """Return the argument of a stamp's slot."""
    return _PACKED.pack(*stamp)


def unpack_stamps(packed: bytes) -> Iterator[Packed]:
    """Yield what stands in arguments one behind another."""
    return _PACKED.iter_unpack(packed)


class Stamp(NamedTuple):
    """An instant as recorded: by the upstream's clock, with its place among all instants and its spelling.

    Of the moment of an answer the rank is how many seconds it comes later.
    """

    moment: int
    instant: Instant
    spelling: Spelling

    def pack(self) -> bytes:
        """Return the stamp as a slot's argument."""
        return _PACKED.pack(self.moment, *self.instant[:2], *self.spelling, self.instant.own)

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Return the stamp of a slot's argument."""
        moment, number, rank, row, digits, own = _PACKED.unpack(packed)
        return cls(moment, Instant(number, rank, bool(own)), Spelling(row, digits))

    def text(self) -> bytes:
        """Return the instant as recorded."""
        return spell_instant(self.moment, self.spelling)


class Stamped(NamedTuple):
    """A stamp and where in its text it stands; ``is_now`` is true for the moment of the answer itself."""

    start: int
    end: int
    stamp: Stamp
    is_now: bool = False


def body_stamps(exchange: Exchange, instants: Instants) -> Iterator[Stamped]:
    """Yield the instants of an answer's body in their order."""
    for found in date_fields(exchange):
        moment, spelling = found.value
        yield Stamped(found.start, found.end, Stamp(moment, instants.of(found.known_by, exchange), spelling))


def head_stamps(head: bytes, exchange: Exchange, instants: Instants) -> Iterator[Stamped]:
    """Yield the instants of an answer's header fields, which stand in ``head`` as lines, in their order."""
    now = None
    for found in _DATE_HEADER.finditer(head):
        value = read_instant(found["value"])
        if value is None:
            continue
        if found["modified"]:
            instant = instants.modified(value.moment, exchange)
        else:
            now = answered_at(exchange) if now is None else now
            instant = Instant(UNKNOWN.number, (value.moment - now) // SECOND)
        if abs(instant.rank) <= _FURTHEST:
            yield Stamped(*found.span("value"), Stamp(value.moment, instant, value.spelling), not found["modified"])


_DATE_HEADER = re.compile(
    rb"^(?:date|expires|retry-after|(?P<modified>last-modified)): (?P<value>[^\r\n]*)", re.IGNORECASE | re.MULTILINE
)

_FURTHEST = 2**31 - 1
"""How many seconds away a time can be that moves: one in 1900 or in 9999 says that there is none."""
