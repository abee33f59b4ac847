"""Why a request has no recorded answer: computed from what decided it, the normal forms and the epochs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from chatproxy.core.cassette.cassette import Cassette, first_numbers
from chatproxy.core.credentials.blanking import user_name
from chatproxy.core.matching.difference import by_name, differences, differing
from chatproxy.core.matching.normal_form import NormalForm, normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.matching.shaping import shaping
from chatproxy.core.model import Request
from chatproxy.core.replay.player import Miss, Why, decide, play_request
from chatproxy.core.replay.session import Session

_SHOWN_NEAREST = 3


class Near(NamedTuple):
    """A recorded request that is alike, and in what it differs."""

    number: int
    differences: list[str]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What replay makes of a request: its normal form in the cassette's SIDs, what shaped it, what becomes of it.

    ``number`` is that of the exchange that answers, else ``reason`` says why none does. ``nearest`` are up to three
    recorded requests, the most alike first. ``ignorable`` are the parameters in which alone the first one differs.
    """

    form: NormalForm
    rules: list[str]
    number: int | None
    reason: str | None
    nearest: list[Near]
    ignorable: list[str]


def explain(session: Session, request: Request) -> Explanation:
    """Explain what a session makes of a request, by replaying it there; nothing is answered."""
    blanked = session.blanked(request)
    form = normalize(blanked, session.rules)
    played = play_request(session, blanked, user_name(request.headers))
    reason = None if played.number else played.refusal or miss_reason(session, played.form)
    near = nearest(session.cassette, session.rules, played.form)
    names = _parameters(session, played.form, near[0]) if played.number is None and near else []
    return Explanation(
        played.form, shaping(blanked, session.rules, form, played.form), played.number, reason, near, names
    )


def nearest(cassette: Cassette, rules: Rules, form: NormalForm) -> list[Near]:
    """Return the recorded requests that are most alike: those of the same shape are looked at first."""
    return sorted(_alike(cassette, rules, form), key=lambda near: len(near.differences))[:_SHOWN_NEAREST]


def _parameters(session: Session, form: NormalForm, near: Near) -> list[str]:
    """Name the parameters in which a recorded request differs, or none if it differs in more than those."""
    recorded = normalize(session.cassette.exchange(near.number).request, session.rules)
    same = recorded._replace(query=form.query, body=form.body, kind=form.kind)
    if same != form or {recorded.kind, form.kind} - {"form", "empty"}:
        return []
    names = [
        name.decode("utf-8", "backslashreplace")
        for one, other in ((recorded.query, form.query), (recorded.body, form.body))
        for name in differing(by_name(one, b"="), by_name(other, b"="))
    ]
    return list(dict.fromkeys(names))


def miss_reason(session: Session, form: NormalForm) -> str:
    """Explain a miss: the recorded answers are used up or of another epoch, or there never was one."""
    decided = decide(session, form)
    if isinstance(decided, Miss) and decided.why is not Why.NEVER:
        return _recorded(session, form, decided)
    cassette = session.cassette
    alike = nearest(cassette, session.rules, form)
    if not alike:
        return f"never recorded, nor was any {form.method} of such a path in cassette {cassette.name!r}"
    return f"never recorded; nearest is {cassette.name}/{alike[0].number}, where {'; '.join(alike[0].differences)}"


def _recorded(session: Session, form: NormalForm, miss: Miss) -> str:
    if miss.why is Why.USED:
        count = session.answered[form.key]
        used = "the one recorded answer is used" if count == 1 else f"all {count} recorded answers are used"
        anew = f"DELETE /__chatproxy/sessions/{session.name} begins the session anew, or use a new session name"
        return f"{used}; {anew}"
    write = f"{session.cassette.name}/{miss.write} {session.cassette.exchange(miss.write).request.line}"
    if miss.why is Why.EARLY:
        return f"recorded only after {write}, which this session has not made"
    return f"recorded only before {write}, which may have changed it"


def _alike(cassette: Cassette, rules: Rules, form: NormalForm) -> Iterator[Near]:
    for number in dict.fromkeys([*first_numbers(cassette, form.shape), *first_numbers(cassette, form.route)]):
        recorded = normalize(cassette.exchange(number).request, rules)
        yield Near(number, differences(recorded, form))
