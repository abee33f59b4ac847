"""Why a request has no recorded answer: computed from what decided it, the normal forms and the epochs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.credentials.blanking import user_name
from chatproxy.core.matching.difference import Values, by_name, differing
from chatproxy.core.matching.normal_form import NormalForm, Rules, normalize
from chatproxy.core.matching.shaping import shaping
from chatproxy.core.model import Request
from chatproxy.core.replay.player import Miss, Why, decide, play_request
from chatproxy.core.replay.session import Session
from chatproxy.core.text.excerpts import excerpts
from chatproxy.core.text.json_diff import json_differences, json_value

_LOOKED_AT = 50
"""How many recorded exchanges of the same key, shape or route are compared at most."""

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


def first_numbers(cassette: Cassette, index: bytes) -> Iterator[int]:
    """Yield the numbers of the first exchanges with this key, shape or route, as many as are compared."""
    for nth in range(_LOOKED_AT):
        number = cassette.find(index, nth)
        if number is None:
            return
        yield number


def differences(recorded: NormalForm, live: NormalForm) -> list[str]:
    """Name every part in which two requests differ; there is none exactly if their keys are equal."""
    found = []
    for part, one, other in (
        ("method", recorded.method, live.method),
        ("host", recorded.host, live.host),
        ("kind of body", recorded.kind, live.kind),
    ):
        found += [_changed(part, _quoted(one), _quoted(other))] if one != other else []
    if recorded.path != live.path:
        found += _path(recorded.path.split(b"/"), live.path.split(b"/"))
    found += _pairs("query parameter", recorded.query, live.query, b"=")
    found += _pairs("header", recorded.headers, live.headers, b": ")
    if recorded.kind == live.kind == "form":
        found += _pairs("form field", recorded.body, live.body, b"=")
    elif recorded.body != live.body:
        found.append(_changed("body", _quoted(b"&".join(recorded.body)), _quoted(b"&".join(live.body))))
    return found


def _path(recorded: list[bytes], live: list[bytes]) -> Iterable[str]:
    if len(recorded) != len(live):
        return [_changed("path", _quoted(b"/".join(recorded)), _quoted(b"/".join(live)))]
    return [
        _changed(f"the segment after {_quoted(before)}", _quoted(one), _quoted(other))
        for before, one, other in zip([b"", *recorded], recorded, live, strict=False)
        if one != other
    ]


def _pairs(what: str, recorded: tuple[bytes, ...], live: tuple[bytes, ...], sign: bytes) -> Iterator[str]:
    one, other = by_name(recorded, sign), by_name(live, sign)
    for name in differing(one, other):
        yield from _of_value(f"{what} {_quoted(name)}", one.get(name), other.get(name))


_PLACES, _LARGEST_JSON = 10, 65_536
"""How many places of a JSON value are named, and how many bytes one may have to be looked into."""


def _json(value: bytes) -> object:
    return json_value(unquote_to_bytes(value)) if len(value) <= _LARGEST_JSON else None


def _of_value(what: str, recorded: Values | None, live: Values | None) -> Iterator[str]:
    """Name the places in two JSON values in which they differ, or both values."""
    if recorded and live and len(recorded) == len(live) == 1 and recorded[0] and live[0]:
        one, other = (_json(value) for value in (recorded[0], live[0]))
        if one is not None and other is not None and type(one) is type(other):
            found = list(islice(json_differences(one, other), _PLACES + 1))
            for pointer, before, after in found[:_PLACES]:
                yield _changed(f"{what} at {pointer}", before, after)
            yield from [f"{what} differs in more places"] if len(found) > _PLACES else []
            return
    yield _changed(what, _shown(recorded), _shown(live))


def _shown(values: Values | None) -> str:
    if values is None:
        return "absent"
    return ", ".join("without a value" if value is None else _quoted(value) for value in values)


def _quoted(text: bytes | str) -> str:
    """Quote a value for one line of a message."""
    return repr(text if isinstance(text, str) else text.decode("utf-8", "backslashreplace"))


def _changed(what: str, recorded: str, live: str) -> str:
    one, other = excerpts(recorded, live, _SHOWN)
    return f"{what} is {one} where this has {other}"


_SHOWN = 60
"""How many characters of a value a message shows."""
