"""Which recorded requests a request is most like, and in what it differs from them.

1. Compared are those of the same method, host and collections, whatever SIDs or names their paths have: the first of
   the same shape, and those around where the session stands.
2. The nearest is the one whose differing parts are most alike as texts; of equals one that is not used yet.
3. Differences are told in the client's SIDs. A SID for which nothing stands is not told as different from a recorded
   one of its type for which nothing stands either, if anything else differs.
4. A request that is large is not compared.
5. A request with times that this session served is compared by that of its readings which is the nearest.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from chatproxy.core.cassette.cassette import first_numbers, numbers_around
from chatproxy.core.matching.difference import Difference, Part, Values, differences
from chatproxy.core.matching.normal_form import NormalForm, normalize, translate
from chatproxy.core.model import NO_CREDENTIALS, Exchange, ExchangeNumber, is_read
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.wording import worded
from chatproxy.core.text.excerpts import alike_until
from chatproxy.core.twilio.sids import SID_SEGMENT, mask, sids_in

_SHOWN_NEAREST = 3

_LARGEST_COMPARED, _MOST_COMPARED = 1_000_000, 2000
"""Of how many bytes, and how many pairs, a request is at most that is compared."""

_READINGS = 8
"""How many readings of times are compared at most."""

_LARGEST = 2_000_000
"""After how many bytes of bodies no other request is looked at."""

_BY_CHANCE = 1 / 3
"""How much of two words may be the same that have nothing in common."""

_COMPARED = 4096
"""How many bytes of a value are compared from its begin, and from its end."""


class Near(NamedTuple):
    """A recorded request that is alike, and in what it differs."""

    number: ExchangeNumber
    differences: list[str]


def is_comparable(form: NormalForm) -> bool:
    """Tell whether a request is small enough to be compared with recorded ones."""
    pairs = (*form.query, *form.body)
    return len(pairs) <= _MOST_COMPARED and sum(map(len, pairs)) <= _LARGEST_COMPARED


def nearest(session: Session, form: NormalForm, user: str) -> list[Near]:
    """Return the recorded requests that are most alike, a few, the most alike first."""
    if not is_comparable(form):
        return []
    forms = [form, *(one.form for one in islice(session.readings(form), _READINGS))]
    sent = [session.sids.sent(one) for one in forms]
    alike = sorted(_alike(session, form, sent, user), key=lambda one: one[0])
    return [Near(number, _lines(session, number, found, user)) for (*_, number), found in alike[:_SHOWN_NEAREST]]


_Distance = tuple[bool, float, bool, bool, ExchangeNumber]
"""Whether the kind of body is another, so that bodies have nothing in common; how unlike the parts are in which they
differ; whether another user asked, and whether it is used."""


def _alike(
    session: Session, form: NormalForm, sent: list[NormalForm], user: str
) -> Iterator[tuple[_Distance, list[Difference]]]:
    cassette, progress = session.cassette, session.progress
    around = numbers_around(cassette, form.route, progress.furthest)
    left = _LARGEST
    for number in dict.fromkeys([*first_numbers(cassette, form.shape), *around]):
        if left <= 0:
            return
        exchange = cassette.exchange(number)
        left -= len(exchange.request.body)
        recorded = session.sids.sent(normalize(exchange.request, session.rules))
        found = min((_differences(session, recorded, one) for one in sent), key=_unlikeness)
        has_other_body = any(one.part is Part.KIND for one in found)
        of_another = not may_answer(session, exchange, user)
        is_used = not is_read(form.method) and progress.is_used(number)
        yield (has_other_body, _unlikeness(found), of_another, is_used, number), found


def _unlikeness(found: Iterable[Difference]) -> float:
    return sum(1 - _likeness(one.one, one.other) for one in found)


def _likeness(one: Values | None, other: Values | None) -> float:
    """Return how much of two values is the same from their begin and to their end: from 0 to 1."""
    if one is None or other is None:
        return 0
    mine, theirs = (b"\n".join(value or b"" for value in values) for values in (one, other))
    longer, shorter = (size(len(mine), len(theirs)) for size in (max, min))
    if not shorter:
        return 0
    begin = alike_until(mine[:_COMPARED], theirs[:_COMPARED])
    end = alike_until(mine[: -_COMPARED - 1 : -1], theirs[: -_COMPARED - 1 : -1])
    alike = min(begin + end, shorter) / min(longer, 2 * _COMPARED + 1)
    return alike if alike > _BY_CHANCE else 0


def _differences(session: Session, recorded: NormalForm, sent: NormalForm) -> list[Difference]:
    """Return in what two requests differ: in SIDs for which nothing stands only if in nothing else."""
    aligned = list(differences(_aligned(session, recorded, sent), sent))
    return aligned or list(differences(recorded, sent))


def _aligned(session: Session, recorded: NormalForm, sent: NormalForm) -> NormalForm:
    """Put SIDs of the client into a recorded request, each for one of its type, where nothing stands for either."""
    other: dict[bytes, bytes] = {}
    for before, after in _beside(recorded, sent):
        if before[:2] == after[:2] and before not in other and session.sids.is_free(before, after):
            other[before] = after
    return translate(recorded, lambda sid: other.get(sid, sid)) if other else recorded


def _beside(one: NormalForm, other: NormalForm) -> Iterator[tuple[bytes, bytes]]:
    """Yield different SIDs that stand in the same place of two requests."""
    segments = zip(one.path.split(b"/"), other.path.split(b"/"), strict=False)
    yield from (
        (mine, theirs)
        for mine, theirs in segments
        if mine != theirs and SID_SEGMENT.fullmatch(mine) and SID_SEGMENT.fullmatch(theirs)
    )
    for mine, theirs in zip((*one.query, *one.body), (*other.query, *other.body), strict=False):
        if mine != theirs and mask(mine) == mask(theirs):
            yield from (pair for pair in zip(sids_in(mine), sids_in(theirs), strict=True) if pair[0] != pair[1])


def _lines(session: Session, number: ExchangeNumber, found: list[Difference], user: str) -> list[str]:
    exchange = session.cassette.exchange(number)
    lines = [] if may_answer(session, exchange, user) else [_other_user(exchange.user, user)]
    return lines + worded(found, session.sids.given())


def may_answer(session: Session, exchange: Exchange, user: str) -> bool:
    """Tell whether what an exchange was asked with lets it answer a user."""
    return not set(session.spaces(user)).isdisjoint(session.cassette.users.spaces_of(exchange))


def _other_user(recorded: str | None, live: str) -> str:
    if live == NO_CREDENTIALS:
        return "credentials were sent, while this was sent without credentials"
    if recorded == NO_CREDENTIALS:
        return "no credentials were sent, while this was sent with credentials"
    return f"another user sent it, {recorded}"
