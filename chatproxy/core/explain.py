"""Why a request has no recorded answer: computed from what decided it, the normal forms and the epochs."""

from collections.abc import Iterable, Iterator

from chatproxy.core.cassette import Cassette
from chatproxy.core.normalize import NormalForm, Rules, normalize
from chatproxy.core.player import Miss, Why, decide
from chatproxy.core.session import Session

_LOOKED_AT = 50
"""How many recorded requests of the same shape or route are compared at most."""


def miss_reason(session: Session, form: NormalForm) -> str:
    """Explain a miss: the recorded answers are used up or of another epoch, or there never was one."""
    decided = decide(session, form)
    if isinstance(decided, Miss) and decided.why is not Why.NEVER:
        return _recorded(session, form, decided)
    cassette = session.cassette
    nearest = min(_alike(cassette, session.rules, form), key=lambda alike: len(alike[1]), default=None)
    if nearest is None:
        return f"never recorded, nor was any {form.method} of such a path in cassette {cassette.name!r}"
    number, changes = nearest
    return f"never recorded; nearest is {cassette.name}/{number}, where {'; '.join(changes)}"


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


def _alike(cassette: Cassette, rules: Rules, form: NormalForm) -> Iterator[tuple[int, list[str]]]:
    for number in dict.fromkeys([*_numbers(cassette, form.shape), *_numbers(cassette, form.route)]):
        recorded = normalize(cassette.exchange(number).request, rules)
        yield number, differences(recorded, form)


def _numbers(cassette: Cassette, index: bytes) -> Iterator[int]:
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
    one, other = _by_name(recorded, sign), _by_name(live, sign)
    for name in sorted(one.keys() | other.keys()):
        if one.get(name) != other.get(name):
            yield _changed(f"{what} {_quoted(name)}", _shown(one.get(name)), _shown(other.get(name)))


def _by_name(pairs: tuple[bytes, ...], sign: bytes) -> dict[bytes, list[bytes | None]]:
    """Group values by name; a name without a sign has none, which differs from an empty one."""
    values: dict[bytes, list[bytes | None]] = {}
    for pair in pairs:
        name, found, value = pair.partition(sign)
        values.setdefault(name, []).append(value if found else None)
    return values


def _shown(values: list[bytes | None] | None) -> str:
    if values is None:
        return "absent"
    return ", ".join("without a value" if value is None else _quoted(value) for value in values)


def _quoted(text: bytes | str) -> str:
    """Quote a value for one line of a message."""
    return repr(text if isinstance(text, str) else text.decode("utf-8", "backslashreplace"))


def _changed(what: str, recorded: str, live: str) -> str:
    """Show both from a little before the first character in which they differ."""
    begin = max(0, _alike_until(recorded, live) - _SHOWN // 2)
    return f"{what} is {_window(recorded, begin)} where this has {_window(live, begin)}"


def _alike_until(one: str, other: str) -> int:
    """Return how many characters both begin with, by halving: bodies can be large."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def _window(text: str, begin: int) -> str:
    end = begin + _SHOWN
    return f"{'…' if begin else ''}{text[begin:end]}{'…' if end < len(text) else ''}"


_SHOWN = 60
"""How many characters of a value a message shows."""
