"""Fresh SIDs: what a session serves for SIDs that its program does not know, and who was given which.

One follows from the seed, the cassette's name, the session and its restarts, and the SID's number: the same in every
answer, another in every session.
"""

from collections import deque
from collections.abc import Container, Iterator, Sequence
from hashlib import blake2b
from json import dumps
from typing import NamedTuple

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.model import LiveSid, RecordedSid
from chatproxy.core.timeline.numbering import SidNumber, order_of, sid_number, sid_type

_LOOKED_AT = 1000
"""How many fresh SIDs of a type are looked at for one that may not have been given yet."""


class Owner(NamedTuple):
    """Who was given a fresh SID: a session's name, and how often it was begun anew."""

    session: str = "default"
    restarts: int = 0


class Given:
    """Which session was given which fresh SID; of more than ``bound`` the oldest are forgotten."""

    def __init__(self, bound: int = 100_000) -> None:
        self._bound = bound
        self._owners: dict[LiveSid, Owner] = {}
        self._oldest_first: deque[LiveSid] = deque()  # a dictionary finds its first key by passing all deleted ones

    def note(self, fresh: LiveSid, owner: Owner) -> None:
        """Take in that a session was given a SID."""
        if fresh not in self._owners:
            self._oldest_first.append(fresh)
        self._owners[fresh] = owner
        if len(self._owners) > self._bound:
            del self._owners[self._oldest_first.popleft()]

    def owner(self, fresh: LiveSid) -> Owner | None:
        """Return who was given a SID, if it is remembered."""
        return self._owners.get(fresh)


class RefusalError(Exception):
    """A SID cannot stand for anything in this session; ``elsewhere`` is the one that was given it, if any was."""

    def __init__(self, reason: str, elsewhere: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.elsewhere = elsewhere


class Fresh:
    """The fresh SIDs of one session."""

    def __init__(self, cassette: Cassette, seed: int, owner: Owner, given: Given) -> None:
        self._cassette = cassette
        self._owner = owner
        self._given = given
        key = blake2b(dumps([seed, cassette.name, *owner]).encode(), digest_size=32).digest()
        self._keyed = blake2b(key=key, digest_size=16)

    def of(self, sids: Sequence[RecordedSid]) -> list[LiveSid | None]:
        """Return a fresh SID for each of these; None for what names no object of the cassette."""
        return self._cassette.fresh(sids, self._spelled)

    def note(self, fresh: LiveSid) -> None:
        """Take in that one was given."""
        self._given.note(fresh, self._owner)

    def _spelled(self, number: SidNumber, attempt: int) -> LiveSid:
        """Return the SID of a session's own for the recorded one of this number, or another in a further attempt."""
        digest = self._keyed.copy()
        digest.update(b"%d:%d" % (order_of(number), attempt))
        return LiveSid(sid_type(number) + digest.hexdigest().encode())

    def check(self, sid: LiveSid, shown: Container[RecordedSid]) -> None:
        """Raise RefusalError for a fresh SID that is another session's, or that this one is yet to be given."""
        owner = self._given.owner(sid)
        if owner is not None and owner.session == self._owner.session:
            raise RefusalError(
                f"{sid.decode()} was given before session {owner.session!r} was begun anew; it has fresh SIDs since"
            )
        if owner is not None:
            reason = f"{sid.decode()} was given to another session, {owner.session!r}; each has SIDs of its own"
            raise RefusalError(reason, owner.session)
        if sid in self._never_given(sid[:2], shown):
            raise RefusalError(f"{sid.decode()} was never given; this session has not yet replayed what would show it")

    def _never_given(self, prefix: bytes, shown: Container[RecordedSid]) -> Iterator[LiveSid]:
        """Yield the fresh SIDs of a type that are yet to come."""
        for nth in range(1, _LOOKED_AT):
            recorded = self._cassette.sid(sid_number(prefix, nth))
            if recorded is None:
                return
            if recorded not in shown:
                yield from filter(None, self.of([recorded]))
