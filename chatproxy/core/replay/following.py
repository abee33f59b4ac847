"""Which misses follow from another, so that who reads of them reads of the first cause first.

1. A missed request stands for the recorded one that would have answered it, or else for the one that it is nearest to.
2. A miss follows from another if it lacks nothing but what the other stands for: the writes that are not done, with
   those to the same object, or a SID that only its answer would have given.
3. What follows from a miss that follows itself follows from the first one.
"""

from collections.abc import Iterable
from itertools import islice

from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.model import NO_EXCHANGE, ExchangeNumber
from chatproxy.core.replay.gaps import Miss, Why, missed
from chatproxy.core.replay.nearness import nearest
from chatproxy.core.replay.player import Played
from chatproxy.core.replay.session import Session

_NOT_DONE = frozenset({Why.NOT_DONE, Why.SKIPPED, Why.BEHIND})
_LOOKED_AT = 100
"""How many missed requests are looked at for one whose answer would have given a SID."""

_HELD_BACK = frozenset({Why.BEHIND, Why.AHEAD})


def cause_of(session: Session, played: Played, miss: Miss | None, line: str) -> str | None:
    """Take in the miss of a request with this line, None if its SIDs are why; return the line from which it follows."""
    if miss is not None and miss.why in _HELD_BACK:
        replayed: Miss | None = missed(session, played.form, played.user)
    else:
        replayed = miss
    answer = _meant(session, played, replayed)
    cause = _by_writes(session, replayed) or _by_writes(session, miss)
    if cause is None and (replayed is None or replayed.why is Why.NEVER):
        cause = _by_sids(session, played, answer)
    if answer != NO_EXCHANGE:
        session.missed.setdefault(answer, cause or line)
    return cause


def _meant(session: Session, played: Played, miss: Miss | None) -> ExchangeNumber:
    """Return what a missed request stands for, if anything."""
    if miss is not None and miss.why is not Why.NEVER:
        return miss.answer
    near = nearest(session, played.form, played.user)
    return near[0].number if near else NO_EXCHANGE


def _by_writes(session: Session, miss: Miss | None) -> str | None:
    """Return the first line of those that stand for the writes that a miss lacks, if that is all of them."""
    if miss is None or miss.why not in _NOT_DONE:
        return None
    at = {_place(session, number): line for number, line in session.missed.items()}
    lines = [session.missed.get(write) or at.get(_place(session, write)) for write in miss.writes]
    return lines[0] if all(lines) and lines else None


def _place(session: Session, number: ExchangeNumber) -> int:
    """Return the place of the object that a write makes or changes."""
    done = session.cassette.standing(number).done
    return done.place if done else number


def _by_sids(session: Session, played: Played, answer: ExchangeNumber) -> str | None:
    """Return the line of what would have given a SID that the request has, or would have."""
    sent = set(played.form.sids)
    meant = set() if answer == NO_EXCHANGE else set(_sids(session, answer)) - sent
    for number, line in islice(session.missed.items(), _LOOKED_AT):
        ungiven = session.sids.ungiven(session.cassette.stencil(number).sids)
        if not meant.isdisjoint(ungiven) or not sent.isdisjoint(ungiven.values()):
            return line
    return None


def _sids(session: Session, number: ExchangeNumber) -> Iterable[bytes]:
    return normalize(session.cassette.exchange(number).request, session.rules).sids
