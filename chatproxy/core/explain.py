"""Why a request has no recorded answer: computed from the normal forms, which are what decided it."""

from collections.abc import Iterable, Iterator

from chatproxy.core.cassette import Cassette
from chatproxy.core.normalize import NormalForm, Rules, normalize
from chatproxy.core.session import Session

_LOOKED_AT = 50
"""How many recorded requests of the same shape or route are compared at most."""


def miss_reason(session: Session, form: NormalForm) -> str:
    """Explain a miss: the recorded answers are used up, or there never was one."""
    count = session.answered.get(form.key, 0)
    if count:
        return f"all {count} recorded answers are used; restart chatproxy to begin the cassette anew"
    cassette = session.cassette
    nearest = min(_alike(cassette, session.rules, form), key=lambda alike: len(alike[1]), default=None)
    if nearest is None:
        return f"never recorded, nor was any {form.method} of such a path in cassette {cassette.name!r}"
    number, changes = nearest
    return f"never recorded; nearest is {cassette.name}/{number}, where {'; '.join(changes)}"


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
    for part in ("method", "host", "kind"):
        found += _changed(part, getattr(recorded, part), getattr(live, part))
    if recorded.path != live.path:
        found += _path(recorded.path.split(b"/"), live.path.split(b"/"))
    found += _pairs("query parameter", recorded.query, live.query, b"=")
    found += _pairs("header", recorded.headers, live.headers, b": ")
    if recorded.kind == live.kind == "form":
        found += _pairs("form field", recorded.body, live.body, b"=")
    elif recorded.body != live.body:
        found += _changed("body", b"".join(recorded.body), b"".join(live.body))
    return found


def _path(recorded: list[bytes], live: list[bytes]) -> Iterable[str]:
    if len(recorded) != len(live):
        return _changed("path", b"/".join(recorded), b"/".join(live))
    return [
        difference
        for before, one, other in zip([b"", *recorded], recorded, live, strict=False)
        if one != other
        for difference in _changed(f"the segment after {_shown(before)}", one, other)
    ]


def _pairs(what: str, recorded: tuple[bytes, ...], live: tuple[bytes, ...], sign: bytes) -> Iterator[str]:
    one, other = _by_name(recorded, sign), _by_name(live, sign)
    for name in sorted(one.keys() | other.keys()):
        yield from _changed(f"{what} {_shown(name)}", one.get(name), other.get(name))


def _by_name(pairs: tuple[bytes, ...], sign: bytes) -> dict[bytes, bytes]:
    """Group pairs by name; a name without a sign differs from one with an empty value."""
    values: dict[bytes, bytes] = {}
    for pair in pairs:
        name, found, value = pair.partition(sign)
        value = value if found else b"(no value)"
        values[name] = values[name] + b", " + value if name in values else value
    return values


def _changed(what: str, recorded: bytes | str | None, live: bytes | str | None) -> list[str]:
    if recorded == live:
        return []
    return [f"{what} is {_shown(recorded)} where this has {_shown(live)}"]


def _shown(text: bytes | str | None) -> str:
    """Quote a value for one line of a message."""
    if text is None:
        return "absent"
    whole = text if isinstance(text, str) else text.decode("utf-8", "backslashreplace")
    return repr(whole if len(whole) <= _SHOWN else whole[:_SHOWN] + "…")


_SHOWN = 60
