"""The leak gate: no secret stands in a text that is to be shared, in no encoding.

Laws:

1. Every detector looks at each line as it stands and at all that the line stands for: escapes undone layer by layer,
   base64 and hexadecimal decoded and inflated, and what these hold decoded again.
2. What is found is never shown or kept: a leak names the rule, the place and the field, and an id by which it can be
   allowed, equal for one secret in every encoding.
3. E-mail addresses and phone numbers may stand in what users write, unless ``strict``; a token without a mark, in a
   header that tells nothing, or as the tail of a SID of the text. Nothing else is left out but what is allowed: of
   several readings of one place at least one is shown, and the one that undoes the most escapes says what it is.

The lines come one by one, so that a file of any size can be read.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple

from chatproxy.core.leaks.decoding import contents, has_escape, has_run, origins, runs, unescaped, without_sids
from chatproxy.core.leaks.detectors import DETECTORS, KNOWN, PERSONAL, UNMARKED, Detector, known
from chatproxy.core.leaks.places import Around, Surroundings
from chatproxy.core.leaks.unmarked import sid_tails
from chatproxy.core.model import ExchangeNumber
from chatproxy.core.twilio.volatile import is_volatile


@dataclass(frozen=True, slots=True)
class Gate:
    """What is looked for, and what is let pass: credentials in use; what is allowed, as a whole or by its id."""

    credentials: frozenset[bytes] = frozenset()
    allow: tuple[re.Pattern[bytes], ...] = ()
    strict: bool = False


class Leak(NamedTuple):
    """A finding: line and column count from 1, in characters; an empty field or exchange is none."""

    line: int
    column: int
    rule: str
    what: str
    id: str
    field: str
    exchange: ExchangeNumber

    def __str__(self) -> str:
        field = f" in {self.field!r}" if self.field else ""
        exchange = f" of exchange {self.exchange}" if self.exchange else ""
        return f"{self.line}:{self.column}: {self.rule}: {self.what}{field}{exchange} ({self.id})"


def leaks(lines: Iterable[bytes], gate: Gate, again: Callable[[], Iterable[bytes]] = tuple) -> Iterator[Leak]:
    """Yield what a text holds that should not be shared, in the order of its places.

    ``again`` gives the lines once more, for the SIDs in them, where something is found that may be the tail of one.
    """
    search = _Search(gate, again)
    surroundings = Surroundings()
    for number, line in enumerate(lines, 1):
        found = search.of_line(line)
        if not found:
            surroundings.pass_over(line)
            continue
        around = list(surroundings.of(line, [(one.start, one.end) for one in found]))
        left = [(one, place) for one, place in zip(found, around, strict=True) if not search.is_let_pass(one, place)]
        yield from _shown(number, line, left, search)


def _shown(number: int, line: bytes, found: "list[tuple[_Found, Around]]", search: "_Search") -> Iterator[Leak]:
    """Yield the leaks of a line; what several runs hold, or a run and the line itself, is one."""
    ids = {one.id for one, _ in found if not one.packed}
    column, counted = 1, 0
    for one, around in found:
        if one.packed and one.id in ids:
            continue
        ids.add(one.id)
        column += len(line[counted : one.start].decode("utf-8", "replace"))
        counted = one.start
        rule, what = one.detector.rule, one.detector.what
        yield Leak(number, column, rule, what, one.id, search.name(around.field), around.exchange)


@dataclass(frozen=True, slots=True)
class _Found:
    """Where in a line something is found, in how many layers of escapes, and whether in base64 or the like."""

    start: int
    end: int
    detector: Detector
    secret: bytes
    layers: int = 0
    packed: bool = False
    is_none: bool = False

    @property
    def id(self) -> str:
        return blake2b(self.secret, digest_size=4).hexdigest()


_Runs = dict[tuple[bytes, int], list[_Found]]
"""What was found in runs, by how many more may stand within them."""


class _Search:
    def __init__(self, gate: Gate, again: Callable[[], Iterable[bytes]]) -> None:
        self._gate = gate
        self._again = again
        longest_first = sorted(gate.credentials, key=lambda credential: (-len(credential), credential))
        of_credentials = [detector for credential in longest_first for detector in known(credential)]
        looking = [detector for detector in DETECTORS if gate.strict or not detector.strict]
        self._detectors = (*of_credentials, *looking)
        self._of_short = tuple(detector for detector in self._detectors if not detector.is_long)
        """Those that look into a text without a long run."""
        signs = {detector.sign for detector in self._of_short if not (detector.strict and not detector.sign)}
        self._signs = tuple(signs)
        self._names: dict[bytes, str] = {}
        self._lines: dict[bytes, list[_Found]] = {}

    def of_line(self, line: bytes) -> list[_Found]:
        """Return what is found in a line, in the order of its places; a fixture has most of its lines many times."""
        known = self._lines.get(line)
        if known is not None:
            return known
        found = [] if self._is_plain(line) else self._in(line, _LAYERS, _PACKED, {})
        found = _outermost(_shown_layers(found)) if found else found
        if len(line) <= _SHORT:
            if len(self._lines) >= _LINES_KEPT:
                self._lines.clear()
            self._lines[line] = found
        return found

    def _is_plain(self, line: bytes) -> bool:
        """Tell at a glance that a line holds nothing: no sign of a secret, no escape, no long run but SIDs."""
        if has_escape(line) or has_run(without_sids(line)) or (self._gate.strict and _NUMBER.search(line)):
            return False
        lower = line.lower()
        for sign in self._signs:  # noqa: SIM110 - a generator takes twice as long
            if sign in lower:
                return False
        return True

    def is_let_pass(self, found: _Found, around: Around) -> bool:
        """Tell whether a finding is none: users wrote it, its header tells nothing, or it is allowed."""
        if around.by_user and found.detector.rule in PERSONAL and not self._gate.strict:
            return True
        if found.detector in UNMARKED and (is_volatile(around.field) or found.secret.lower() in self._tails):
            return True
        return any(
            allowed.fullmatch(found.secret) or allowed.fullmatch(found.id.encode()) for allowed in self._gate.allow
        )

    @cached_property
    def _tails(self) -> frozenset[bytes]:
        return sid_tails(self._again())

    def name(self, field: bytes) -> str:
        """Return a field's name if it can be shown: it may be a secret itself."""
        if field not in self._names:
            if len(self._names) >= _NAMES_KEPT:
                self._names.clear()
            clean = _NAME.fullmatch(field) and not self.of_line(field)
            self._names[field] = field.decode() if clean else ""
        return self._names[field]

    def _in(self, text: bytes, layers: int, packed: int, known_runs: _Runs) -> list[_Found]:
        """Search a text and all that it stands for, so many layers deep."""
        lower, sidless = text.lower(), without_sids(text)
        long = has_run(sidless)
        found = [
            _Found(
                start, end, detector, detector.secret or text[start:end], is_none=_is_none(detector, text, start, end)
            )
            for detector in (self._detectors if long else self._of_short)
            if detector.sign in lower
            for start, end in detector.spans(text)
        ]
        for start, end in runs(sidless) if packed and long else ():
            held = self._held(text[start:end], layers, packed - 1, known_runs)
            found += [replace(one, start=start, end=end, packed=True) for one in held]
        plain = unescaped(text) if layers else text
        if plain != text:
            found += _moved(self._in(plain, layers - 1, packed, known_runs), text)
        return found

    def _held(self, run: bytes, layers: int, packed: int, known_runs: _Runs) -> list[_Found]:
        """Search what a run may hold; most runs stand there in each layer of escapes, and need it only once."""
        if (run, packed) not in known_runs:
            known_runs[run, packed] = [
                one for content in contents(run) for one in _shown_layers(self._in(content, layers, packed, known_runs))
            ]
        return known_runs[run, packed]


def _is_none(detector: Detector, text: bytes, start: int, end: int) -> bool:
    return detector.is_none is not None and detector.is_none(text, start, end)


_NUMBER = re.compile(rb"[0-9][0-9() ./-]{5}")
_LAYERS = 8
_PACKED = 3
_NAME = re.compile(rb"[A-Za-z][\w-]{0,63}")
_NAMES_KEPT = 1000
_SHORT, _LINES_KEPT = 400, 5000


def _moved(found: list[_Found], text: bytes) -> list[_Found]:
    """Return where findings of the unescaped text stand in the text itself."""
    if not found:
        return found
    places = origins(text, [place for one in found for place in (one.start, one.end - 1)])
    return [
        replace(one, start=places[one.start][0], end=places[one.end - 1][1], layers=one.layers + 1) for one in found
    ]


def _shown_layers(found: list[_Found]) -> list[_Found]:
    """Return findings as the reading has them that undoes the most escapes, less what that takes for none."""
    return [one for one in _innermost_layers(found) if not one.is_none]


def _innermost_layers(found: list[_Found]) -> list[_Found]:
    r"""Of readings of one place by one rule keep that with the most escapes undone: ``\nme@…`` is no ``nme@…``."""
    kept = [one for one in found if one.packed]
    by_rule: dict[str, dict[int, list[_Found]]] = defaultdict(lambda: defaultdict(list))
    for one in found:
        if not one.packed:
            by_rule[one.detector.rule][one.layers].append(one)
    for by_layers in by_rule.values():
        taken: list[_Found] = []
        for layers in sorted(by_layers, reverse=True):
            starts = [one.start for one in taken]
            taken += [one for one in by_layers[layers] if not _overlaps(one, taken, starts)]
            taken.sort(key=lambda one: one.start)
        kept += taken
    return kept


def _overlaps(one: _Found, others: list[_Found], starts: list[int]) -> bool:
    before = bisect_left(starts, one.end)
    return before > 0 and others[before - 1].end > one.start


def _outermost(found: list[_Found]) -> list[_Found]:
    """Leave out what stands within a finding of another rule, which says as much, but for a known credential."""
    kept: list[_Found] = []
    outer = None
    for one in sorted(found, key=_place):
        inside = outer is not None and one.end <= outer.end
        if inside and outer is not None and one.detector.rule != KNOWN and not _is_beside(one, outer):
            continue
        kept.append(one)
        if not inside and not one.packed and one.detector.rule not in PERSONAL:
            outer = one
    return kept


def _is_beside(one: _Found, other: _Found) -> bool:
    """Tell whether two findings are of one place, but not of one secret."""
    return (one.start, one.end) == (other.start, other.end) and one.secret != other.secret


def _place(found: _Found) -> tuple[int, int, bool, int]:
    return found.start, -found.end, found.packed, _RANKS.get(found.detector.rule, 0)


_RANKS = {detector.rule: rank for rank, detector in enumerate(DETECTORS, 1)}
