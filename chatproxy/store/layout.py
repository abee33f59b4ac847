"""Under which keys the store keeps what. Numbers are big-endian, so that keys sort as their numbers do.

::

    n<name>                           a cassette's record
    k<id>                             its tally: how many exchanges, and the last number
    e<id><number>                     an exchange
    c<id><rules>                      that it is compiled under these rules, for which tally, into how many entries
    r<id><rules><number>              a compiled response
    s<id><rules>                      the account that recorded
    s<id><rules>u                     who sent the requests
    s<id><rules>t                     when the recording began and the last second that it shows
    s<id><rules>k                     the known SIDs
    s<id><rules>e                     what a canonical fixture has to say of exchanges
    s<id><rules>w                     how many exchanges are writes that a session can do
    s<id><rules>p<digest of a path>   the one spelling of a path that names an object by its unique name
    s<id><rules>s<SID>                a recorded SID's number, and where it comes from
    s<id><rules>n<SID's number>       the recorded SID of this number
    o<id><rules><nth>                 the number of the n-th exchange in canonical order
    x<id><rules><index><nth>          the number of the n-th exchange with this key, shape or route; for the first one
                                      of a key, what all of them ask for, too
    p<id><rules><number>              where an exchange stands
    a<id><rules><key><state><number>  an answer to this key in this state
    t<id><rules><place><number>       a write that touches this place, or makes an object with this unique value
    f<id><rules><place><number><object>  a change by others that an answer of this place shows, and whom it concerns
    k                                 the last transaction that wrote; beside the tallies, which are written with it
    d<id>                             to be deleted once no process replays it
    i                                 the last id given out

Each value ends with its checksum, which covers the key, too. Those of format 1 have none in ``k``, ``d`` and ``i``.
"""

import struct
from dataclasses import dataclass
from hashlib import blake2b

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
TIMES = b"t"
WRITES = b"w"
SPELLING = b"p"
KNOWN = b"k"
TOLD = b"e"

WHEN = struct.Struct(">qq")
"""When a recording began and the last second that it shows."""

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


def number_in(stored: bytes) -> ExchangeNumber:
    """Return the exchange's number in a key or a value."""
    return ExchangeNumber(int.from_bytes(stored, "big"))


def digest(value: int) -> bytes:
    """Return a state, or the digest of a place, as part of a key."""
    return value.to_bytes(8, "big")


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


def standing_prefix(cassette: int, rules: bytes) -> bytes:
    """Return what the keys of where a cassette's exchanges stand begin with."""
    return b"p" + number(cassette) + rules


def answer_prefix(cassette: int, rules: bytes) -> bytes:
    """Return what the keys of a cassette's answers by states begin with."""
    return b"a" + number(cassette) + rules


def touch_prefix(cassette: int, rules: bytes) -> bytes:
    """Return what the keys of a cassette's writes by what they touch begin with."""
    return b"t" + number(cassette) + rules


def step_prefix(cassette: int, rules: bytes) -> bytes:
    """Return what the keys of the changes that others made begin with."""
    return b"f" + number(cassette) + rules


def sid_prefix(cassette: int, rules: bytes) -> bytes:
    """Return what the keys of a cassette's SIDs begin with."""
    return b"s" + number(cassette) + rules


def spelling_key(sids: bytes, path: bytes) -> bytes:
    """Return the key of the one spelling of a path: of its digest, since a path may be longer than keys are."""
    return sids + SPELLING + blake2b(path, digest_size=16).digest()


def sid_number(value: SidNumber) -> bytes:
    """Return a SID's number, which begins with the letters of its type, as part of a key."""
    return value.to_bytes(SID_NUMBER, "big")


def sid_number_in(stored: bytes) -> SidNumber:
    """Return a SID's number in a value."""
    return SidNumber(int.from_bytes(stored, "big"))


SID_NUMBER = 9
"""How many bytes a SID's number has: two letters, and seven for which of its type it is."""


def all_prefixes(cassette: int) -> list[bytes]:
    """Return what the keys of everything begin with that belongs to a cassette, its record aside."""
    return [kind + number(cassette) for kind in (TALLIES, EXCHANGES, MARKS, *COMPILED)]


COMPILED = (b"r", b"s", b"x", b"o", b"p", b"a", b"t", b"f")
"""What the keys of what is compiled begin with."""
