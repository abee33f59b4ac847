"""Why a request has no recorded answer: computed from what decided it, normal forms and writes that are done."""

from collections.abc import Iterable
from dataclasses import dataclass

from chatproxy.core.cassette.cassette import located
from chatproxy.core.credentials.blanking import user_of
from chatproxy.core.matching.difference import Part, differences
from chatproxy.core.matching.normal_form import NormalForm, normalize
from chatproxy.core.matching.shaping import shaping
from chatproxy.core.matching.users import asking
from chatproxy.core.model import NO_CREDENTIALS, NO_EXCHANGE, ExchangeNumber, Request
from chatproxy.core.replay.gaps import Miss, Why, missed
from chatproxy.core.replay.nearness import Near, is_comparable, may_answer, nearest
from chatproxy.core.replay.player import Played, play_request
from chatproxy.core.replay.session import Session


@dataclass(frozen=True, slots=True)
class Explanation:
    """What replay makes of a request: its normal form in the cassette's SIDs, what shaped it, what becomes of it.

    ``number`` is that of the exchange that answers, else ``reason`` says why none does. ``nearest`` are up to three
    recorded requests, the most alike first. ``ignorable`` are the parameters in which alone the first one differs.
    ``key`` is the request's in the space of who asked.
    """

    form: NormalForm
    key: bytes
    rules: list[str]
    number: ExchangeNumber | None
    reason: str | None
    nearest: list[Near]
    ignorable: list[str]


def explain(session: Session, request: Request) -> Explanation:
    """Explain what a session makes of a request, by replaying it there; nothing is answered."""
    blanked = session.blanked(request)
    form = normalize(blanked, session.rules)
    played = play_request(session, blanked, user_of(request.headers))
    reason = None if played.number else miss_reason(session, played)[0]
    near = nearest(session, played.form, played.user)
    names = _parameters(session, played, near[0]) if played.number is None and near else []
    key = _found_under(session, played.form, played.user)
    shaped = shaping(blanked, session.rules, form, played.form)
    return Explanation(played.form, key, shaped, played.number, reason, near, names)


def _found_under(session: Session, form: NormalForm, user: str) -> bytes:
    asks = asking(form.shape)
    if user == NO_CREDENTIALS and session.cassette.find(asks, 0) is not None:
        return asks
    return located(session.cassette, form.key, session.spaces(user))


def _parameters(session: Session, played: Played, near: Near) -> list[str]:
    """Name the parameters in which a recorded request differs, or none if it differs in more than those."""
    exchange = session.cassette.exchange(near.number)
    found = list(differences(normalize(exchange.request, session.rules), played.form))
    differs_in_more = any(one.part not in {Part.QUERY, Part.FIELD, Part.PART} for one in found)
    if differs_in_more or not may_answer(session, exchange, played.user):
        return []
    names = (one.name.partition(b"; ")[0] if one.part is Part.PART else one.name for one in found)
    return list(dict.fromkeys(name.decode("utf-8", "backslashreplace") for name in names))


def miss_reason(session: Session, played: Played, others: Iterable[Session] = ()) -> tuple[str, Miss | None]:
    """Say why nothing answered a request that this session has played; as data too, unless its SIDs are why.

    ``others`` are the sessions that the same program may have begun by another user name.
    """
    others = list(others)
    miss = None if played.refusal is not None else _missed(session, played)
    if miss is not None and played.unclear is not None:
        miss = Miss(Why.TIME, exchange=played.unclear)
    alike: list[Near] = []
    if miss is not None and miss.why is Why.NEVER and (alike := nearest(session, played.form, played.user)):
        miss = miss._replace(answer=alike[0].number)
    made = _made_in(miss, others)
    is_of_several = bool(others) and session.cassette.users.are_several and played.user != NO_CREDENTIALS
    needs_one = is_of_several or made or played.elsewhere in {other.name for other in others}
    return _reason(session, played, miss, made, alike) + (_SEVERAL_USERS if needs_one else ""), miss


def _missed(session: Session, played: Played) -> Miss:
    """Say why nothing answers a request, as sent or with the recorded times that it may mean."""
    forms = (played.form, *(reading.form for reading in session.readings(played.form)))
    misses = (missed(session, form, played.user) for form in forms)
    return next((miss for miss in misses if miss.why is not Why.NEVER), Miss(Why.NEVER))


def _made_in(miss: Miss | None, others: Iterable[Session]) -> str | None:
    """Return the name of another session that has made the write which this one has not."""
    if miss is None or miss.why is not Why.NOT_DONE or not miss.writes:
        return None
    return next((other.name for other in others if miss.writes[0] in other.progress.done), None)


def _reason(session: Session, played: Played, miss: Miss | None, made: str | None, alike: list[Near]) -> str:
    if miss is None:
        return played.refusal or ""
    if miss.why is not Why.NEVER:
        return _recorded(session, played, miss, made)
    cassette = session.cassette
    if not is_comparable(played.form):
        return f"never recorded in cassette {cassette.name!r}; it is too large to be compared with what was"
    if not alike:
        return f"never recorded, nor was any {played.form.method} of such a path in cassette {cassette.name!r}"
    return f"never recorded; nearest is {cassette.name}/{alike[0].number}, where {'; '.join(alike[0].differences)}"


_SEVERAL_USERS = "; a program that uses several users needs --sessions one"


def behind_reason(session: Session, miss: Miss, *, has_changed: bool) -> str:
    """Say why a request is not put to the upstream: of what this session ``has_changed`` there, or never recorded."""
    began = "changed by this run" if has_changed else "not recorded"
    if miss.why is Why.AHEAD:
        what, helps = f"a write of session {session.name!r} behind it", "it was begun anew since; restart chatproxy"
    else:
        what, helps = f"{_writes(session, miss)} behind it", "this session has not made that; make it first"
    return (
        f"{began}, and not put to the upstream, which has {what}: {helps}, "
        "or record anew with --replace (pytest: --record-mode=rewrite)"
    )


def _recorded(session: Session, played: Played, miss: Miss, made: str | None) -> str:
    if miss.exchange != NO_EXCHANGE:
        return _because_of(session, miss, f"{session.cassette.name}/{miss.exchange}")
    if miss.why is Why.USED:
        used = "the one recorded answer is used" if miss.given == 1 else f"all {miss.given} recorded answers are used"
        return f"{used}{_what_helps(session, played)}"
    if miss.why is Why.CHANGED:
        changed = f"recorded only before {_writes(session, miss)}, which may have changed it"
        if not _is_first(session, played):
            return changed
        return f"{changed}; {_for_second_run(session, restart=session.is_over)}"
    if not miss.writes:
        return "recorded only in another state of what it asks for"
    early = f"recorded only after {_writes(session, miss)}, which this session has not made"
    if miss.why is Why.SKIPPED:
        return f"{early}; --skipped done answers it as recorded"
    return f"{early}, but session {made!r} has" if made else early


def _because_of(session: Session, miss: Miss, named: str) -> str:
    if miss.why is Why.TIME:
        several = "a time that this replay served stands for several recorded ones"
        return f"{several}, with which other answers were recorded, one of them {named}; --clock shift keeps them apart"
    if miss.why is Why.OTHERS:
        return f"recorded only before another's change, which {named} showed"
    flight = f"{_writes(session, miss)} was" if miss.writes else "another write to it was"
    return f"its answer is in doubt: at {named}, {flight} in flight"


def _writes(session: Session, miss: Miss) -> str:
    """Name the first of the writes that stand against an answer, and count the others."""
    first, *others = miss.writes
    named = f"{session.cassette.name}/{first} {session.cassette.exchange(first).request.line}"
    return f"{named} (and {len(others)} more)" if others else named


def _what_helps(session: Session, played: Played) -> str:
    """Say how a write that is used up is answered again, and whether it is how the recording began.

    If reads were recorded before it, a session does not restart at the first of them.
    """
    if _is_first(session, played):
        return f": the first recorded request came again; {_for_second_run(session, restart=session.is_over)}"
    if _is_first(session, played, -1):
        return f": the first recorded write came again; {_for_second_run(session, restart=False)}"
    anew = f"; record again, or for a second run DELETE /__chatproxy/sessions/{session.name}"
    return anew if session.tied else f"{anew} or use a new session name"


def _is_first(session: Session, played: Played, nth: int = 0) -> bool:
    """Tell whether a request is the first one of how the recording began, or the last one, which is its first write."""
    if not session.opening:
        return False
    exchange = session.cassette.exchange(session.opening[nth])
    is_equal = normalize(exchange.request, session.rules).key == played.form.key
    return is_equal and may_answer(session, exchange, played.user)


SECOND_RUN = "if the program runs a second time, it needs"
"""What a reason says where it looks as if the program ran again."""


def _for_second_run(session: Session, *, restart: bool) -> str:
    ways = [f"DELETE /__chatproxy/sessions/{session.name} before it"]
    ways += [] if session.tied else ["a session name of its own"]
    ways += ["--on-exhausted restart"] if restart else []
    return f"{SECOND_RUN} {' or '.join(filter(None, [', '.join(ways[:-1]), ways[-1]]))}"
