"""What a session replays: a compiled cassette, in memory or in the store."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import NamedTuple, Protocol

from chatproxy.core.answers.stencil import Stencil
from chatproxy.core.answers.template import Reply
from chatproxy.core.matching.users import Users, spaced
from chatproxy.core.model import Exchange, ExchangeNumber, LiveSid, RecordedSid
from chatproxy.core.timeline.epochs import ALL_MEMBERS, COLLECTION, Place
from chatproxy.core.timeline.numbering import Declared, Numbered, SidNumber

Spelled = Callable[[SidNumber, int], LiveSid]
"""Makes a fresh SID of a recorded one's number, another one in each attempt, from 0."""


def first_fresh(number: SidNumber, spelled: Spelled, is_recorded: Callable[[bytes], object]) -> LiveSid:
    """Return the first fresh SID for a number that was not recorded, as one could be where a replay was recorded."""
    return next(fresh for attempt in count() if not is_recorded(fresh := spelled(number, attempt)))


class Read(NamedTuple):
    """A recorded answer to a read: the n-th one, from 0, with its key in an epoch."""

    epoch: int
    nth: int
    number: ExchangeNumber


class Span(NamedTuple):
    """What a session has to choose from for a read of a timeline's member.

    ``first`` is the first recorded answer, ``last`` the last one up to the session's epoch, if there is any.
    """

    timeline: int
    member: int
    first: Read
    last: Read | None


class Cassette(Protocol):
    """A compiled cassette; each of these is a look-up or two, whatever its size."""

    @property
    def name(self) -> str:
        """The cassette's name."""
        ...

    @property
    def last_number(self) -> ExchangeNumber:
        """The number of the last exchange, 0 if there is none."""
        ...

    @property
    def begun(self) -> int:
        """When the recording began by the upstream's clock, in microseconds since 1970; 0 for an empty one."""
        ...

    @property
    def declared(self) -> Declared | None:
        """What the canonical fixture declared that it comes from; none for what was recorded."""
        ...

    @property
    def account(self) -> RecordedSid | None:
        """The SID of the recorded account, if one was seen."""
        ...

    @property
    def users(self) -> Users:
        """Who sent the recorded requests."""
        ...

    def sid(self, number: SidNumber) -> RecordedSid | None:
        """Return the recorded SID of this number."""
        ...

    def numbered(self, sid: bytes) -> Numbered | None:
        """Return the number of a SID and whether it was supplied, if it is a recorded one."""
        ...

    def fresh(self, sids: Sequence[RecordedSid], spelled: Spelled) -> list[LiveSid | None]:
        """Return for each recorded SID a fresh one, which is none of the recorded ones; None for what is supplied.

        So it is for what was not recorded at all.
        """
        ...

    def numbers(self) -> Sequence[ExchangeNumber]:
        """Return the numbers of all exchanges, growing."""
        ...

    def order(self) -> Iterator[ExchangeNumber]:
        """Yield the numbers of all exchanges in canonical order."""
        ...

    def find(self, index: bytes, nth: int) -> ExchangeNumber | None:
        """Return the number of the n-th exchange, from 0 and in canonical order, with this key, shape or route."""
        ...

    def reply(self, number: ExchangeNumber) -> Reply:
        """Return what is served for an exchange."""
        ...

    def stencil(self, number: ExchangeNumber) -> Stencil:
        """Return what is served for an exchange, ready to be filled."""
        ...

    def recorded(self, number: ExchangeNumber) -> Exchange:
        """Return an exchange as recorded, which no rule has scrubbed."""
        ...

    def exchange(self, number: ExchangeNumber) -> Exchange:
        """Return an exchange as recorded, scrubbed by the rules."""
        ...

    def place(self, number: ExchangeNumber) -> Place:
        """Return where an exchange stands in its timeline."""
        ...

    def read(self, key: bytes, epoch: int, nth: int) -> ExchangeNumber | None:
        """Return the number of the n-th answer, from 0, to the read with this key in this epoch."""
        ...

    def span(self, key: bytes, epochs: Mapping[int, int]) -> Span | None:
        """Return what a session has to choose from for this read, given its epochs of the timelines."""
        ...

    def write(self, key: bytes, nth: int) -> ExchangeNumber | None:
        """Return the number of the n-th write, from 0, with this key: as ``find`` does, about to be replayed."""
        ...

    def touching(self, timeline: int, member: int, after: int, until: int) -> ExchangeNumber | None:
        """Return the first write that touched just this member and opened an epoch in ``(after, until]``."""
        ...


_LOOKED_AT = 50
"""How many recorded exchanges of the same key, shape or route are compared at most."""


def first_numbers(cassette: Cassette, index: bytes) -> Iterator[ExchangeNumber]:
    """Yield the numbers of the first exchanges with this key, shape or route, as many as are compared."""
    for nth in range(_LOOKED_AT):
        number = cassette.find(index, nth)
        if number is None:
            return
        yield number


def located(cassette: Cassette, key: bytes, spaces: Sequence[str]) -> bytes:
    """Return a key in the first of these spaces in which it is found, else in the last one."""
    for space in spaces[:-1]:
        if cassette.find(there := spaced(key, space), 0) is not None:
            return there
    return spaced(key, spaces[-1])


def write_since(cassette: Cassette, read: Place | Span, after: int, until: int) -> ExchangeNumber | None:
    """Return the first write that touched what is read in the epochs after the one and until the other.

    A list is touched by all writes of its timeline.
    """
    members = {read.member, COLLECTION if read.member == COLLECTION else ALL_MEMBERS}
    found = (cassette.touching(read.timeline, one, after, until) for one in members)
    return min((write for write in found if write is not None), default=None)
