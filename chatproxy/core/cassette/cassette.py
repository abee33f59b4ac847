"""What a session replays: a compiled cassette, in memory or in the store."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol

from chatproxy.core.answers.stencil import Stencil
from chatproxy.core.answers.template import Reply
from chatproxy.core.cassette.records import Asked, Candidate
from chatproxy.core.matching.users import Users, spaced
from chatproxy.core.model import Exchange, ExchangeNumber, InOrder, LiveSid, RecordedSid
from chatproxy.core.time.instants import Times
from chatproxy.core.timeline.known import Declared, Known
from chatproxy.core.timeline.numbering import Numbered, SidNumber
from chatproxy.core.timeline.standing import Standing, Step

Spelled = Callable[[SidNumber, int], LiveSid]
"""Makes a fresh SID of a recorded one's number, another one in each attempt, from 0."""


def first_fresh(number: SidNumber, spelled: Spelled, is_recorded: Callable[[bytes], object]) -> LiveSid:
    """Return the first fresh SID for a number that was not recorded, as one could be where a replay was recorded."""
    attempt = 0
    while is_recorded(fresh := spelled(number, attempt)):
        attempt += 1
    return fresh


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
    def times(self) -> Times:
        """When the recording began and the last second that it shows."""
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
        """Return the number of a SID and where it comes from, if it is a recorded one."""
        ...

    def fresh(self, sids: Sequence[RecordedSid], spelled: Spelled) -> list[LiveSid | None]:
        """Return for each recorded SID a fresh one that was not recorded; None for what was not recorded."""
        ...

    @property
    def known(self) -> Sequence[Known]:
        """The known SIDs, by their types and numbers."""
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

    @property
    def writes(self) -> int:
        """How many of its writes a session can do."""
        ...

    def standing(self, number: ExchangeNumber) -> Standing:
        """Return where an exchange stands."""
        ...

    @property
    def told(self) -> Mapping[ExchangeNumber, InOrder]:
        """What a canonical fixture has to say of exchanges, by their numbers, with numbers of this cassette."""
        ...

    def asked(self, key: bytes) -> Asked | None:
        """Return what is known of a key, about to be replayed; None if it was never recorded."""
        ...

    def candidate(self, key: bytes, state: int, at_least: ExchangeNumber) -> Candidate | None:
        """Return the first answer to a key in a state, from a number on."""
        ...

    def touching(self, digest: int) -> Iterator[ExchangeNumber]:
        """Yield the numbers of the writes that touch a place, or make an object with a unique value, growing."""
        ...

    def steps(self, place: int, after: ExchangeNumber) -> Sequence[Step]:
        """Return the changes by others at which an answer of a place has to look, those after a number, growing."""
        ...

    def spelling(self, path: bytes) -> bytes | None:
        """Return the one spelling of the path of what is named by its unique name, if there is another."""
        ...


_LOOKED_AT = 50
"""How many recorded exchanges of the same key, shape or route are compared at most."""

_AROUND = 250
"""How many are compared before and behind a number."""


def first_numbers(cassette: Cassette, index: bytes) -> Iterator[ExchangeNumber]:
    """Yield the numbers of the first exchanges with this key, shape or route, as many as are compared."""
    return islice(numbers_of(cassette, index), _LOOKED_AT)


def numbers_around(cassette: Cassette, index: bytes, number: ExchangeNumber) -> Iterator[ExchangeNumber]:
    """Yield the numbers of exchanges with this key, shape or route around a number, as many as are compared.

    Canonical order is taken for that of numbers, which it is in most recordings.
    """
    low, high = -1, 1
    while (found := cassette.find(index, high)) is not None and found < number:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        found = cassette.find(index, middle)
        low, high = (middle, high) if found is not None and found < number else (low, middle)
    for nth in range(max(0, high - _AROUND), high + _AROUND):
        if (found := cassette.find(index, nth)) is None:
            return
        yield found


def numbers_of(cassette: Cassette, index: bytes) -> Iterator[ExchangeNumber]:
    """Yield the numbers of all exchanges with this key, shape or route, in canonical order."""
    nth = 0
    while (number := cassette.find(index, nth)) is not None:
        yield number
        nth += 1


def answer_in(cassette: Cassette, key: bytes, asked: Asked, state: int, at_least: ExchangeNumber) -> Candidate | None:
    """Return the first answer to a key in a state, from a number on, given what is known of the key."""
    lone = asked.lone
    if lone is None:
        return cassette.candidate(key, state, at_least)
    return lone if state in asked.first.states and lone.number >= at_least else None


def located(cassette: Cassette, key: bytes, spaces: Sequence[str]) -> bytes:
    """Return a key in the first of these spaces in which it is found, else in the last one."""
    for space in spaces[:-1]:
        if cassette.find(there := spaced(key, space), 0) is not None:
            return there
    return spaced(key, spaces[-1])
