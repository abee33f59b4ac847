"""Under which keys the store keeps what. Numbers are big-endian, so that keys sort as their numbers do.

::

    n<name>                           a cassette's record
    k<id>                             its tally: how many exchanges, and the last number
    e<id><number>                     an exchange
    c<id><rules>                      that it is compiled under these rules, and for which tally
    r<id><rules><number>              a compiled response
    s<id><rules>                      the account that recorded
    s<id><rules>s<SID>                a recorded SID's number, and whether it was supplied
    s<id><rules>n<SID's number>       the recorded SID of this number
    o<id><rules><nth>                 the number of the n-th exchange in canonical order
    x<id><rules><index><nth>          the number of the n-th exchange with this key, shape or route; of a read with this
                                      key its timeline, member and epoch, too
    p<id><rules><number>              where an exchange stands in its timeline
    a<id><rules><key><epoch><nth>     the number of the n-th answer to a read in an epoch
    t<id><rules><timeline><member><epoch>
                                      the number of the write that opened this epoch and touched this member
    d<id>                             to be deleted once no process replays it
    i                                 the last id given out
"""

import struct
from dataclasses import dataclass

NAMES = b"n"
DROPPED = b"d"
LAST_ID = b"i"

_TALLY = struct.Struct(">II")


@dataclass(frozen=True, slots=True)
class Tally:
    """How many exchanges a cassette has, and the number of the last one."""

    count: int = 0
    last: int = 0

    def pack(self) -> bytes:
        """Return the tally as it is stored."""
        return _TALLY.pack(self.count, self.last)

    @classmethod
    def unpack(cls, stored: bytes | None) -> "Tally":
        """Return a stored tally; nothing stored is a cassette without exchanges."""
        return cls(*_TALLY.unpack(stored)) if stored else cls()


def number(value: int) -> bytes:
    """Return an id or a number as part of a key."""
    return value.to_bytes(4, "big")


def name_key(name: str) -> bytes:
    """Return the key of a cassette's record."""
    return NAMES + name.encode()


def tally_key(cassette: int) -> bytes:
    """Return the key of a cassette's tally."""
    return b"k" + number(cassette)


def exchange_prefix(cassette: int) -> bytes:
    """Return what the keys of a cassette's exchanges begin with."""
    return b"e" + number(cassette)


def compiled_key(cassette: int, rules: bytes) -> bytes:
    """Return the key under which a cassette is marked as compiled."""
    return b"c" + number(cassette) + rules


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


def sid_number(value: int) -> bytes:
    """Return a SID's number, which begins with the letters of its type, as part of a key."""
    return value.to_bytes(8, "big")


def all_prefixes(cassette: int) -> list[bytes]:
    """Return what the keys of everything begin with that belongs to a cassette, its record aside."""
    return [kind + number(cassette) for kind in (b"k", b"e", b"c", b"r", b"s", b"x", b"o", b"p", b"a", b"t")]
