"""In which writes a session and an exchange differ that could have answered it.

This is for who has to name them, and for sessions that are answered as recorded where they have only skipped
something: what decides most answers is the state as one number.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from chatproxy.core.cassette.cassette import located, numbers_of
from chatproxy.core.cassette.history import Need, before, counting, need_of, remembered
from chatproxy.core.cassette.records import Candidate, First
from chatproxy.core.matching.normal_form import NormalForm
from chatproxy.core.model import NO_EXCHANGE, ExchangeNumber
from chatproxy.core.replay.session import Session
from chatproxy.core.timeline.standing import Role, Standing
from chatproxy.core.timeline.states import Done

_LOOKED_AT = 50
"""How many exchanges of a key are looked at at most."""


class Why(Enum):
    """Why a recorded request cannot be answered."""

    NEVER = "never recorded"
    USED = "each answer was given"
    NOT_DONE = "recorded only after writes that are not done"
    SKIPPED = "recorded only after writes that this session has skipped"
    CHANGED = "recorded only before writes that are done"
    OTHERS = "recorded only before a change by others that was shown"
    IN_DOUBT = "its answer is in doubt"
    TIME = "a time that this replay served stands for several recorded ones"
    BEHIND = "the upstream has writes behind it that are not done"
    AHEAD = "the upstream has a write behind it that an earlier session of this run put there"


class Miss(NamedTuple):
    """That nothing answers: the writes that stand against it, and how many answers were given.

    ``exchange`` is the one that showed a change by others, the one that is in doubt, or one of several that a time
    could mean which the session served; ``answer`` is what would have answered, if the session were in its state.
    """

    why: Why
    writes: tuple[ExchangeNumber, ...] = ()
    given: int = 0
    exchange: ExchangeNumber = NO_EXCHANGE
    answer: ExchangeNumber = NO_EXCHANGE


class Gap(NamedTuple):
    """Which writes a session lacks for an exchange that is not given yet, and of which it would still have more."""

    number: ExchangeNumber
    standing: Standing
    missing: frozenset[ExchangeNumber]
    since: frozenset[ExchangeNumber]

    @property
    def size(self) -> tuple[int, bool, ExchangeNumber]:
        """How large it is; one that only waits for writes is the smaller one."""
        return len(self.missing) + len(self.since), bool(self.since), self.number


def missed(session: Session, form: NormalForm, user: str) -> Miss:
    """Say why nothing answers a request of this user."""
    key = located(session.cassette, form.key, session.spaces(user))
    first = first_of(session, key)
    if first is None:
        return Miss(Why.NEVER)
    gaps = list(_gaps(session, key, first, form))
    if not gaps:
        used = (number for number in numbers_of(session.cassette, key) if session.progress.is_used(number))
        return Miss(Why.USED, given=sum(1 for _ in used))
    gap = min(gaps, key=lambda gap: gap.size)
    return (_in_doubt(session, gaps) or _nearest(session, gap, first))._replace(answer=gap.number)


def held_back(session: Session, form: NormalForm, *, is_ahead: bool) -> Miss | None:
    """Say why a request is not put to the upstream, None if it may be.

    It ``is_ahead`` where it has a write behind it that an earlier session put there, and that touches the request.
    """
    need = session.live.lacking(form, session.progress.states)
    if need is not None:
        return _behind(session, need)
    return Miss(Why.AHEAD) if is_ahead else None


def _behind(session: Session, need: Need) -> Miss:
    """Say which recorded writes are not done that the upstream has behind it."""
    writes = counting(session.cassette, need)
    return Miss(Why.BEHIND, tuple(sorted(remembered(writes) - _done(session, writes))))


def first_of(session: Session, key: bytes) -> First | None:
    """Return what all requests of a key ask for, None if it was never recorded."""
    asked = session.cassette.asked(key)
    return None if asked is None else asked.first


def skipped_answer(
    session: Session, key: bytes, first: First
) -> tuple[Candidate, int, tuple[ExchangeNumber, ...]] | None:
    """Return what answers a read in a session that has only skipped something: its state, and what was skipped."""
    gaps = [gap for gap in _gaps(session, key, first) if _is_skipped(session, gap)]
    for gap in sorted(gaps, key=lambda gap: gap.size):
        state = gap.standing.states[0]
        found = session.cassette.candidate(key, state, session.progress.at_least(key, state, first.where))
        if found is not None:
            return found, state, tuple(sorted(gap.missing))
    return None


def _is_skipped(session: Session, gap: Gap) -> bool:
    """Tell whether all that a session lacks are writes that it has left out, and could have made."""
    return (
        gap.standing.role is Role.READ
        and not gap.since
        and bool(gap.missing)
        and max(gap.missing) < session.progress.furthest
        and all(session.cassette.standing(number).role is Role.WRITE for number in gap.missing)
    )


def _gaps(session: Session, key: bytes, first: First, form: NormalForm | None = None) -> Iterator[Gap]:
    """Yield for what could answer a key in which writes it differs from the session; of a write with its ``form``."""
    looked_at = 0
    method = "GET" if form is None else form.method
    latest = NO_EXCHANGE if form is None else session.progress.latest.get(form.key, NO_EXCHANGE)
    held: dict[Need, tuple[dict[ExchangeNumber, Done], frozenset[ExchangeNumber]]] = {}
    for number in numbers_of(session.cassette, key):
        standing = session.cassette.standing(number)
        is_past = number < latest and number in session.progress.refused
        if standing.role is Role.ABANDONED or number in session.progress.done or is_past:
            continue
        need = need_of(method, standing, first.unique, by_collection=first.by_collection)
        if need not in held:
            writes = counting(session.cassette, need)
            held[need] = writes, _done(session, writes)
        writes, done = held[need]
        needed = before(standing, number, writes)
        both = remembered({one: write for one, write in writes.items() if one in done or one in needed})
        yield Gap(number, standing, needed - done, both - needed)
        looked_at += 1
        if looked_at == _LOOKED_AT:
            return


def _done(session: Session, writes: Mapping[ExchangeNumber, Done]) -> frozenset[ExchangeNumber]:
    return remembered({number: done for number, done in writes.items() if number in session.progress.done})


def _in_doubt(session: Session, gaps: list[Gap]) -> Miss | None:
    """Return what would answer if it were known what of the writes in flight with it had been done."""
    for gap in gaps:
        if gap.standing.role is Role.DOUBTFUL:
            flight = tuple(sorted(one for one in gap.missing | gap.since if _together(session, one, gap.number)))
            if not (gap.missing | gap.since).difference(flight):
                return Miss(Why.IN_DOUBT, flight, exchange=gap.number)
    return None


def _together(session: Session, one: ExchangeNumber, other: ExchangeNumber) -> bool:
    """Tell whether two exchanges were in flight together."""
    first, second = session.cassette.exchange(one), session.cassette.exchange(other)
    return first.asked <= second.answered and second.asked <= first.answered


def _nearest(session: Session, gap: Gap, first: First) -> Miss:
    progress, missing = session.progress, tuple(sorted(gap.missing))
    doubtful = [one for one in missing if session.cassette.standing(one).role is Role.DOUBTFUL]
    if doubtful:
        return Miss(Why.IN_DOUBT, exchange=doubtful[0])
    if gap.since:
        return Miss(Why.CHANGED, tuple(sorted(gap.since)))
    if not missing and gap.number < (floor := progress.floor(first.where)):
        return Miss(Why.OTHERS, exchange=floor)
    return Miss(Why.SKIPPED if _is_skipped(session, gap) else Why.NOT_DONE, missing)
