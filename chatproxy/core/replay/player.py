"""Which recorded exchange answers a request.

1. A session begins with nothing done, and each write that it is answered is done. An exchange answers in the states
   in which it was recorded: several in recorded order.
2. Of equal reads in one state the last one repeats. None is given that was recorded before a change by others which
   the session was shown.
3. Equal writes are answered once each, and one more is a miss. One that was refused takes its turn among them, and
   repeats as long as no write of its key that was recorded later is done.
4. What asks for credentials answers in any state. What is in doubt, or was given up, never answers.
5. A miss does nothing. A write that a session skips is not done; reads that were recorded after it are answered only
   where that is asked for.
"""

from typing import NamedTuple

from chatproxy.core.cassette.cassette import answer_in, located
from chatproxy.core.cassette.records import ANY_STATE, Candidate
from chatproxy.core.matching.normal_form import NormalForm, normalize
from chatproxy.core.matching.users import asking
from chatproxy.core.model import NO_CREDENTIALS, NO_EXCHANGE, ExchangeNumber, Request, is_read
from chatproxy.core.replay.bindings import Translation
from chatproxy.core.replay.gaps import skipped_answer
from chatproxy.core.replay.marks import Assumed
from chatproxy.core.replay.session import Session
from chatproxy.core.time.sent_back import Reading
from chatproxy.core.timeline.standing import Role
from chatproxy.core.timeline.states import Where

NOWHERE = Where((), 0, False)


class Answer(NamedTuple):
    """That this exchange answers.

    ``where`` is what was asked for, ``step`` the last change by others that it shows. ``counter`` is under what it is
    noted as given, None for one that is not to be noted. ``key`` is there for a write of a key with several exchanges.
    ``skipped`` are writes that it shows and this session has skipped.
    """

    number: ExchangeNumber
    role: Role = Role.READ
    where: Where = NOWHERE
    step: ExchangeNumber = NO_EXCHANGE
    counter: bytes | None = None
    key: bytes | None = None
    skipped: tuple[ExchangeNumber, ...] = ()


class Played(NamedTuple):
    """What became of a request: the number of the exchange that answers, None if none does.

    It gets a ``refusal`` if its SIDs stand for nothing; neither if what it asks for has changed at the upstream, which
    only a session that may ask there can see. ``skipped`` are the writes that its answer shows and the session has
    skipped, ``assumed`` those of its SIDs that were assumed to stand for recorded ones. An answer that ``repeats`` is
    given again while the session stays in its state; one is ``reordered`` that made an object where others were made in
    another order.
    ``user`` is who asked, ``elsewhere`` the session that was given one of its SIDs, ``unclear`` one of several
    exchanges that a time could mean which this session served.
    """

    form: NormalForm
    user: str
    number: ExchangeNumber | None = None
    refusal: str | None = None
    skipped: tuple[ExchangeNumber, ...] = ()
    assumed: Assumed = ()
    repeats: bool = False
    reordered: bool = False
    elsewhere: str | None = None
    unclear: ExchangeNumber | None = None


def play_request(session: Session, request: Request, user: str) -> Played:
    """Replay a request without secrets, of this user."""
    form = normalize(request, session.rules)
    if user == NO_CREDENTIALS and (challenge := _challenge(session, form)):
        return Played(form, user, challenge.number, repeats=repeats(challenge))
    sids = translated(session, form, user)
    if sids.changes:
        session.change()
    if sids.refusal is not None or sids.form in session.live:
        return Played(sids.form, user, refusal=sids.refusal, elsewhere=sids.elsewhere)
    answer = decide(session, sids.form, user)
    if answer is None:
        turned = turned_back(session, sids.form, user)
        if turned is None or isinstance(turned, int):
            return Played(sids.form, user, unclear=turned, assumed=sids.assumed)
        reading, answer = turned
        session.note_sent_back(reading.sent)
        sids = sids._replace(form=reading.form)
    reordered = _take(session, answer)
    return Played(
        sids.form,
        user,
        answer.number,
        skipped=answer.skipped,
        assumed=sids.assumed,
        repeats=repeats(answer),
        reordered=reordered,
    )


def _challenge(session: Session, form: NormalForm) -> Answer | None:
    """Ask for credentials where it was done so; whatever SIDs stand for, it stands for nothing by that."""
    return play_fetch(session, asking(form.shape))


def play_fetch(session: Session, key: bytes) -> Answer | None:
    """Replay the fetch with this key, or return None if nothing answers it, with nothing changed."""
    answer = _read(session, key)
    if answer is not None:
        _take(session, answer)
    return answer


def repeats(answer: Answer) -> bool:
    """Tell whether an answer is given again while the session stays in its state."""
    return answer.counter is None and answer.role is not Role.WRITE and not answer.skipped


def translated(session: Session, form: NormalForm, user: str) -> Translation:
    """Put a request into the cassette's SIDs; who asks tells the client's account."""
    return session.sids.translation(form, user)


def decide(session: Session, form: NormalForm, user: str) -> Answer | None:
    """Decide which exchange answers, if any does; no answer may become another by that."""
    key = located(session.cassette, form.key, session.spaces(user))
    return _read(session, key) if is_read(form.method) else _write(session, key, form)


def turned_back(session: Session, form: NormalForm, user: str) -> tuple[Reading, Answer] | ExchangeNumber | None:
    """Decide which exchange answers with recorded times in the place of those that this session served.

    None if there are none or nothing answers, the number of one that could if what answers is not certain.
    """
    decided = ((reading, decide(session, reading.form, user)) for reading in session.readings(form))
    hits = [(reading, found) for reading, found in decided if found is not None]
    if not hits:
        return None
    (_, first), *others = hits
    answer = session.cassette.stencil(first.number)
    other = next((one.number for _, one in others if session.cassette.stencil(one.number) != answer), None)
    return hits[0] if other is None else other


def _take(session: Session, answer: Answer) -> bool:
    """Take in that an answer is given, and tell whether it made something in another order than recorded."""
    progress = session.progress
    if answer.counter is not None:
        progress.given[answer.counter] = answer.number
    reordered, where = False, answer.where
    place = where.place
    if answer.role is Role.WRITE:
        session.change()
        standing = session.cassette.standing(answer.number)
        reordered = progress.do(answer.number, standing)
        place = standing.done.place if standing.done else place
        if answer.key is not None:
            progress.latest[answer.key] = max(answer.number, progress.latest.get(answer.key, NO_EXCHANGE))
    elif answer.role is Role.REFUSAL:
        progress.refused.add(answer.number)
    if answer.step and progress.see(session.cassette, place, where.above, answer.step):
        session.change()
    return reordered


def _read(session: Session, key: bytes) -> Answer | None:
    cassette, progress = session.cassette, session.progress
    asked = cassette.asked(key)
    if asked is None:
        return None
    first = asked.first
    where = first.where
    if first.role is Role.CHALLENGE:
        state, at_least = ANY_STATE, progress.after(key, ANY_STATE)
    else:
        state = progress.states.of(where)
        at_least = progress.at_least(key, state, where)
    found = answer_in(cassette, key, asked, state, at_least)
    if found is not None:
        counter = None if found.is_last else progress.counter(key, state)
        return Answer(found.number, found.role, where, found.step, counter)
    if not session.skips:
        return None
    skipped = skipped_answer(session, key, first)
    if skipped is None:
        return None
    candidate, state, writes = skipped
    counter = None if candidate.is_last else progress.counter(key, state)
    return Answer(candidate.number, candidate.role, where, candidate.step, counter, skipped=writes)


def _write(session: Session, key: bytes, form: NormalForm) -> Answer | None:
    """Choose the first unused write of all that would be answered, else the refusal that may repeat."""
    cassette, progress = session.cassette, session.progress
    asked = cassette.asked(key)
    if asked is None:
        return None
    first, where = asked.first, asked.first.where
    needed = progress.states.needed(form.method, where, first.unique)
    first_found = answer_in(cassette, key, asked, needed, progress.after(key, needed))
    if asked.lone is not None and first_found is not None and not progress.is_used(first_found.number):
        return Answer(first_found.number, first_found.role, where, first_found.step)  # as most writes are
    of = _Turn(session, key, where)
    found, again = of.next(needed, first_found)
    if (state := progress.states.of(where)) != needed:  # what was not carried out may need more
        other, refused = of.next(state, cassette.candidate(key, state, progress.after(key, state)))
        found, again = min(filter(None, (found, other)), default=None), refused or again
    if found is not None:
        return found if asked.lone is not None else found._replace(key=form.key)
    if again is not None and again.role is Role.REFUSAL and again.number > progress.latest.get(form.key, NO_EXCHANGE):
        return again
    return None


class _Turn(NamedTuple):
    """Whose turn it is among the writes of a key."""

    session: Session
    key: bytes
    where: Where

    def next(self, state: int, found: Candidate | None) -> tuple[Answer | None, Answer | None]:
        """Return the first unused answer in a state from ``found`` on, or else the last one of all."""
        cassette, progress = self.session.cassette, self.session.progress
        counter = progress.counter(self.key, state)
        last = None
        while found is not None and progress.is_used(found.number):
            last = found
            after = ExchangeNumber(found.number + 1)
            found = None if found.is_last else cassette.candidate(self.key, state, after)
        if found is not None:
            lone = found.is_last and counter not in progress.given
            return self._answer(found, None if lone else counter), None
        if last is None and counter in progress.given:
            last = cassette.candidate(self.key, state, progress.given[counter])
        return None, last and self._answer(last, None)

    def _answer(self, found: Candidate, counter: bytes | None) -> Answer:
        return Answer(found.number, found.role, self.where, found.step, counter)
