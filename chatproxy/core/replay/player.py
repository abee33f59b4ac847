"""Which recorded exchange answers a request.

Equal writes are answered in recorded order, once each, and one more is a miss. Per timeline, a session is in the
furthest epoch that any write opened which it has replayed. A read gets the answers of that epoch in order, the last
one repeating; with none there it gets the last earlier one, unless a write since touched what it reads. So an answer
is right, or it is a miss that names the write.
"""

from enum import Enum
from typing import NamedTuple

from chatproxy.core.cassette.cassette import located, write_since
from chatproxy.core.matching.normal_form import NormalForm, normalize
from chatproxy.core.matching.users import asking
from chatproxy.core.model import NO_CREDENTIALS, NO_EXCHANGE, ExchangeNumber, Request, is_read
from chatproxy.core.replay.bindings import Ambiguity, Translation
from chatproxy.core.replay.session import Session
from chatproxy.core.timeline.epochs import COLLECTION


class Why(Enum):
    """Why a recorded request cannot be answered."""

    NEVER = "never recorded"
    USED = "each answer was given"
    CHANGED = "a write since may have changed it"
    EARLY = "recorded only after a write to come"


class Answer(NamedTuple):
    """That this exchange answers, under which name that is counted, if it is, and whether a write is done by it."""

    number: ExchangeNumber
    counter: bytes | None = None
    writes: bool = False


class Miss(NamedTuple):
    """That nothing answers: the number of the write that stands against it, how many answers were given."""

    why: Why
    write: ExchangeNumber = NO_EXCHANGE
    given: int = 0


class Played(NamedTuple):
    """What became of a request: the number of the exchange that answers, or why none does.

    That is a ``refusal`` if its SIDs stand for nothing, else a ``miss``; neither if what it asks for has changed at the
    upstream, which only a session that may ask there can see. ``skipped`` are the writes that count as done since,
    ``ambiguity`` what its SIDs could have stood for as well. An answer that ``repeats`` is given again while the
    session stays in its state. ``user`` is who asked, ``elsewhere`` the session that was given one of its SIDs.
    """

    form: NormalForm
    user: str
    number: ExchangeNumber | None = None
    refusal: str | None = None
    miss: Miss | None = None
    skipped: tuple[ExchangeNumber, ...] = ()
    ambiguity: Ambiguity | None = None
    repeats: bool = False
    elsewhere: str | None = None


def play_request(session: Session, request: Request, user: str) -> Played:
    """Replay a request without secrets, of this user."""
    form = normalize(request, session.rules)
    if user == NO_CREDENTIALS and (challenge := _challenge(session, form)):
        return Played(form, user, challenge.number, repeats=challenge.counter is None)
    sids = translated(session, form, user)
    if sids.refusal is not None or sids.form in session.live:
        return Played(sids.form, user, refusal=sids.refusal, elsewhere=sids.elsewhere)
    decided = decide(session, sids.form, user)
    if isinstance(decided, Miss):
        return Played(sids.form, user, miss=decided)
    skipped = len(session.skipped)
    _count(session, sids.form, decided)
    if session.sids.keep(sids):
        session.change()
    repeats = decided.counter is None
    return Played(
        sids.form,
        user,
        decided.number,
        skipped=tuple(session.skipped[skipped:]),
        ambiguity=sids.ambiguity,
        repeats=repeats,
    )


def _challenge(session: Session, form: NormalForm) -> Answer | None:
    """Ask for credentials where it was done so; whatever SIDs stand for, it stands for nothing by that."""
    decided = _read(session, asking(form.shape))
    if isinstance(decided, Miss):
        return None
    if decided.counter is not None:
        _count_answer(session, decided.counter)
    return decided


def play_fetch(session: Session, key: bytes) -> Answer | None:
    """Replay the fetch with this key, or return None if nothing answers it, with nothing changed."""
    decided = _read(session, key)
    if isinstance(decided, Miss):
        return None
    if decided.counter is not None:
        _count_answer(session, decided.counter)
    return decided


def _count(session: Session, form: NormalForm, answer: Answer) -> None:
    if answer.counter is not None:
        _count_answer(session, answer.counter)
    if answer.writes:
        session.change()
        session.writes.write(form.path, answer.number)
        session.note_done(answer.number)
        _advance(session, answer.number)


def _count_answer(session: Session, counter: bytes) -> None:
    session.answered[counter] = session.answered.get(counter, 0) + 1


def translated(session: Session, form: NormalForm, user: str) -> Translation:
    """Put a request into the cassette's SIDs; who asks tells the client's account."""
    return session.sids.translation(form, user, lambda other: isinstance(decide(session, other, user), Answer))


def decide(session: Session, form: NormalForm, user: str) -> Answer | Miss:
    """Decide which exchange answers, or why none does; no answer may become another by that."""
    key = located(session.cassette, form.key, session.spaces(user))
    return _read(session, key) if is_read(form.method) else _write(session, key)


def _write(session: Session, key: bytes) -> Answer | Miss:
    nth = session.answered.get(key, 0)
    number = session.cassette.write(key, nth)
    while number in session.done:  # as an answer to another user
        session.answered[key] = nth = nth + 1
        number = session.cassette.write(key, nth)
    if number is None:
        return Miss(Why.USED if nth else Why.NEVER, given=nth)
    return Answer(number, key, writes=True)


def _advance(session: Session, number: ExchangeNumber) -> None:
    for opening in session.cassette.place(number).opens:
        epoch = session.epochs.get(opening.timeline, 0)
        for skipped in range(epoch + 1, opening.epoch):
            write = session.cassette.touching(opening.timeline, COLLECTION, skipped - 1, skipped)
            session.skipped += [] if write is None else [write]
        session.epochs[opening.timeline] = max(epoch, opening.epoch)


def _read(session: Session, key: bytes) -> Answer | Miss:
    cassette = session.cassette
    span = cassette.span(key, session.epochs)
    if span is None:
        return Miss(Why.NEVER)
    epoch, last = session.epochs.get(span.timeline, 0), span.last
    if last is None:
        first = span.first.epoch
        return Miss(Why.EARLY, cassette.touching(span.timeline, COLLECTION, first - 1, first) or NO_EXCHANGE)
    if last.epoch < epoch:
        write = write_since(cassette, span, last.epoch, epoch)
        return Answer(last.number) if write is None else Miss(Why.CHANGED, write)
    if last.nth == 0:  # it repeats from the first time on, so that nothing has to be counted
        return Answer(last.number)
    counter = key + epoch.to_bytes(4, "big")
    nth = session.answered.get(counter, 0)
    if nth >= last.nth:
        return Answer(last.number)
    number = cassette.read(key, epoch, nth)
    assert number is not None
    return Answer(number, counter)
