"""Under which keys the store keeps what. Numbers are big-endian, so that keys sort as their numbers do.

::

    n<name>                           a cassette's record
    k<id>                             its tally: how many exchanges, and the last number
    e<id><number>                     an exchange
    c<id><rules>                      that it is compiled under these rules, for which tally, into how many entries
    r<id><rules><number>              a compiled response
    s<id><rules>                      the account that recorded
    s<id><rules>u                     who sent the requests
    s<id><rules>s<SID>                a recorded SID's number, and whether it was supplied
    s<id><rules>n<SID's number>       the recorded SID of this number
    o<id><rules><nth>                 the number of the n-th exchange in canonical order
    x<id><rules><index><nth>          the number of the n-th exchange with this key, shape or route; of a read with this
                                      key its timeline, member and epoch, too
    p<id><rules><number>              where an exchange stands in its timeline
    a<id><rules><key><epoch><nth>     the number of the n-th answer to a read in an epoch
    t<id><rules><timeline><member><epoch>
                                      the number of the write that opened this epoch and touched this member
    k                                 the last transaction that wrote; beside the tallies, which are written with it
    d<id>                             to be deleted once no process replays it
    i                                 the last id given out

Each value ends with its checksum, which covers the key, too. Those of format 1 have none in ``k``, ``d`` and ``i``.
"""

import struct
from dataclasses import dataclass

from chatproxy.core.cassette.codec import SEAL, is_sound, seal
from chatproxy.core.errors import CassetteError
from chatproxy.core.model import NO_EXCHANGE, ExchangeNumber
from chatproxy.core.timeline.numbering import SidNumber

NAMES = b"n"
EXCHANGES = b"e"
TALLIES = b"k"
MARKS = b"c"
DROPPED = b"d"
LAST_ID = b"i"
LAST_WRITTEN = TALLIES
USERS = b"u"

_TALLY, _MARK = struct.Struct(">II"), struct.Struct(">III")


@dataclass(frozen=True, slots=True)
class Tally:
    """How many exchanges a cassette has, and the number of the last one."""

    count: int = 0
    last: ExchangeNumber = NO_EXCHANGE

    def pack(self, key: bytes) -> bytes:
        """Return the tally as it is stored."""
        return seal(_TALLY.pack(self.count, self.last), key)

    @classmethod
    def unpack(cls, stored: bytes | None, key: bytes, place: str) -> "Tally":
        """Return a stored tally; nothing stored is a cassette without exchanges."""
        return cls(*_TALLY.unpack(opened(stored, key, place, _TALLY.size))) if stored is not None else cls()


@dataclass(frozen=True, slots=True)
class Mark:
    """That a cassette is compiled: for which tally, and into how many entries."""

    tally: Tally
    entries: int

    def pack(self, key: bytes) -> bytes:
        """Return the mark as it is stored."""
        return seal(_MARK.pack(self.tally.count, self.tally.last, self.entries), key)

    @classmethod
    def unpack(cls, stored: bytes | None, key: bytes) -> "Mark | None":
        """Return a stored mark; one that is damaged is none, since what it stands for can be made anew."""
        if stored is None or len(stored) != _MARK.size + SEAL or not is_sound(stored, key):
            return None
        count, last, entries = _MARK.unpack(stored[:-SEAL])
        return cls(Tally(count, last), entries)


def opened(stored: bytes, key: bytes, place: str, size: int) -> bytes:
    """Return a stored value without its checksum; format 1 had none. Raises CassetteError if it is damaged."""
    if not is_value(stored, key, size):
        raise CassetteError(place, DAMAGED)
    return stored[:size]


def is_value(stored: bytes, key: bytes, size: int) -> bool:
    """Tell whether a stored value of this size is as it was written."""
    return len(stored) == size or (len(stored) == size + SEAL and is_sound(stored, key))


def is_damage(error: CassetteError) -> bool:
    """Tell whether it is for damage that something is refused."""
    return error.reason.startswith("is damaged")


DAMAGED = "is damaged; move it away and import your fixtures into a new one"


def number(value: int) -> bytes:
    """Return an id or a number as part of a key."""
    return value.to_bytes(4, "big")


def name_key(name: str) -> bytes:
    """Return the key of a cassette's record."""
    return NAMES + name.encode()


def tally_key(cassette: int) -> bytes:
    """Return the key of a cassette's tally."""
    return TALLIES + number(cassette)


def exchange_prefix(cassette: int) -> bytes:
    """Return what the keys of a cassette's exchanges begin with."""
    return EXCHANGES + number(cassette)


def compiled_key(cassette: int, rules: bytes) -> bytes:
    """Return the key under which a cassette is marked as compiled."""
    return MARKS + number(cassette) + rules


def reply_prefix(cassette: int, rules: bytes) -> bytes:
    """Return what the keys of a cassette's compiled responses begin with."""
    return b"r" + number(cassette) + rules


def index_prefix(cassette: int, rules: bytes) -> bytes:
    """Return what the keys of a cassette's index begin with."""
    return b"x" + number(cassette) + rules


def order_prefix(cassette: int, rules: bytes) -> bytes:
    """Return what the keys of a cassette's canonical order begin with."""
    return b"o" + number(cassette) + rules


def place_prefix(cassette: int, rules: bytes) -> bytes:
    """Return what the keys of the places of a cassette's exchanges begin with."""
    return b"p" + number(cassette) + rules


def read_prefix(cassette: int, rules: bytes) -> bytes:
    """Return what the keys of a cassette's answers to reads begin with."""
    return b"a" + number(cassette) + rules


def touch_prefix(cassette: int, rules: bytes) -> bytes:
    """Return what the keys of a cassette's writes by what they touched begin with."""
    return b"t" + number(cassette) + rules


def sid_prefix(cassette: int, rules: bytes) -> bytes:
    """Return what the keys of a cassette's SIDs begin with."""
    return b"s" + number(cassette) + rules


def sid_number(value: SidNumber) -> bytes:
    """Return a SID's number, which begins with the letters of its type, as part of a key."""
    return value.to_bytes(SID_NUMBER, "big")


SID_NUMBER = 9
"""How many bytes a SID's number has: two letters, and seven for which of its type it is."""


def all_prefixes(cassette: int) -> list[bytes]:
    """Return what the keys of everything begin with that belongs to a cassette, its record aside."""
    return [kind + number(cassette) for kind in (TALLIES, EXCHANGES, MARKS, *COMPILED)]


COMPILED = (b"r", b"s", b"x", b"o", b"p", b"a", b"t")
"""What the keys of what is compiled begin with."""
