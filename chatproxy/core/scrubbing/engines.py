"""What searches a pattern: Python's engine where that ends soon whatever the text, else one that is linear.

Which engine it is depends on the pattern alone, so that what one machine has scrubbed another finds.

1. A repetition within a repetition is searched by the linear engine, unless one sign that is nothing else in it begins
   or ends each round: Python's could try exponentially many ways.
2. So are two repetitions without an end between which nothing stands that neither can be.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Protocol


class Found(Protocol):
    """What a pattern has found."""

    def span(self) -> tuple[int, int]:
        """Return where it begins and ends."""


class Searches(Protocol):
    """A pattern that can be searched for."""

    def search(self, text: str, position: int = 0) -> Found | None:
        """Return the first that is found from a position on."""


Linear = Callable[[str], Searches]
"""Makes a search in linear time; raises ValueError for a pattern that it cannot search, or where it is not there."""


def compiled(pattern: str, linear: Linear | None = None) -> Searches:
    """Return what searches a pattern; raises ValueError, re.error and their like for one that nothing searches."""
    python = re.compile(pattern)
    if not takes_long(pattern):
        return python
    if linear is None:
        raise ValueError(for_ever(pattern))
    return linear(pattern)


def for_ever(pattern: str) -> str:
    """Say what is wrong with a pattern that nothing searches, and what to do."""
    return f"{pattern!r} can take for ever: write it without repetitions that overlap"


@lru_cache(256)
def takes_long(pattern: str) -> bool:
    """Tell whether Python's engine can take longer than quadratic time for a pattern."""
    parsed = _PARSER.parse(pattern)
    refers_back = any(op in _REFERENCES for op, _ in _all_nodes(parsed)) and is_unbounded(pattern)
    return refers_back or _Reader(bool(parsed.state.flags & re.IGNORECASE)).takes_long(parsed)


@lru_cache(256)
def is_unbounded(pattern: str) -> bool:
    """Tell whether a pattern has a repetition without an end, so that it can take quadratic time."""
    return any(op in _REPEATS and _is_open(args) for op, args in _all_nodes(_PARSER.parse(pattern)))


_PARSER: Any = vars(re)["_parser"]
_REPEATS = frozenset({_PARSER.MAX_REPEAT, _PARSER.MIN_REPEAT})
_SIGNS = frozenset({_PARSER.LITERAL, _PARSER.NOT_LITERAL, _PARSER.ANY, _PARSER.IN})
_REFERENCES = frozenset({_PARSER.GROUPREF, _PARSER.GROUPREF_EXISTS})
_MANY = 16

_OTHER_WORD, _OTHER = 256, 257
"""Stand for the letters and for the other signs beyond Latin-1."""

_ALL = frozenset(range(_OTHER + 1))
_CATEGORIES = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}

_Node = tuple[Any, Any]
_Chars = frozenset[int]


def _is_open(args: Any) -> bool:
    return bool(args[1] > _MANY)


def _is_fixed(op: Any, args: Any) -> bool:
    """Tell whether a node takes one certain number of signs."""
    if op in _REPEATS:
        return bool(args[0] == args[1]) and all(_is_fixed(*node) for node in args[2])
    return op in _SIGNS or op is _PARSER.AT


def _inner(args: Any) -> Iterator[Any]:
    """Yield the sequences of nodes within what a node has."""
    if isinstance(args, _PARSER.SubPattern):
        yield args
    elif isinstance(args, tuple | list):
        for one in args:
            yield from _inner(one)


def _all_nodes(sequence: Iterable[_Node]) -> Iterator[_Node]:
    for node in sequence:
        yield node
        for inner in _inner(node[1]):
            yield from _all_nodes(inner)


class _Reader:
    def __init__(self, ignores_case: bool) -> None:
        self._ignores_case = ignores_case

    def takes_long(self, sequence: Iterable[_Node]) -> bool:
        """Look for two repetitions that overlap, one within or after another."""
        pending: _Chars = frozenset()
        for op, args in sequence:
            chars = self._chars([(op, args)])
            if op in _SIGNS:
                pending = pending if pending & chars else frozenset()
            elif op in _REPEATS and _is_open(args):
                if pending & chars or not self._is_told(list(args[2])):
                    return True
                pending = chars
            elif any(map(self.takes_long, _inner(args))) or (pending & chars and self._has_open([(op, args)])):
                return True
            elif self._has_open([(op, args)]):
                pending |= chars
        return False

    def _is_told(self, body: list[_Node]) -> bool:
        """Tell whether it is certain where each round of a repetition ends."""
        while len(body) == 1 and body[0][0] is _PARSER.SUBPATTERN:
            body = list(body[0][1][-1])
        varying = [node for node in body if not _is_fixed(*node)]
        if not varying:
            return True
        if len(varying) > 1:
            return False
        op, args = varying[0]
        if op is _PARSER.BRANCH:
            return len(body) == 1 and self._are_told_apart(args[1])
        if op not in _REPEATS or len(list(args[2])) != 1 or args[2][0][0] not in _SIGNS:
            return False
        return any(self._stands_alone(body, end) for end in (0, -1))

    def _stands_alone(self, body: list[_Node], end: int) -> bool:
        rest = body[1:] if end == 0 else body[:-1]
        return body[end][0] in _SIGNS and not self._chars([body[end]]) & self._chars(rest)

    def _are_told_apart(self, branches: Iterable[Any]) -> bool:
        seen: _Chars = frozenset()
        for branch in branches:
            nodes = list(branch)
            if not nodes or any(op not in _SIGNS for op, _ in nodes) or seen & (first := self._chars(nodes[:1])):
                return False
            seen |= first
        return True

    def _has_open(self, sequence: Iterable[_Node]) -> bool:
        return any(op in _REPEATS and _is_open(args) for op, args in _all_nodes(sequence))

    def _chars(self, sequence: Iterable[_Node]) -> _Chars:
        """Return the signs that nodes can be."""
        found: set[int] = set()
        for op, args in _all_nodes(sequence):
            if op in _SIGNS:
                found |= self._of_sign(op, args)
        return frozenset(found)

    def _of_sign(self, op: Any, args: Any) -> _Chars:
        if op is _PARSER.ANY:
            return _ALL
        if op is not _PARSER.IN:
            one = self._cased({min(args, _OTHER)} if args <= _LAST else {_OTHER_WORD, _OTHER})
            return _ALL - one if op is _PARSER.NOT_LITERAL else one
        is_negated, found = False, set[int]()
        for kind, value in args:
            is_negated |= kind is _PARSER.NEGATE
            found |= _of_member(kind, value)
        one = self._cased(found)
        return _ALL - one if is_negated else one

    def _cased(self, chars: set[int]) -> _Chars:
        if not self._ignores_case:
            return frozenset(chars)
        letters = {char for char in chars if char <= _LAST}
        return frozenset(chars | {ord(other) for char in letters for other in _cases(chr(char))})


_LAST = 255


def _cases(char: str) -> list[str]:
    return [one for one in (char.lower(), char.upper()) if len(one) == 1 and ord(one) <= _LAST]


def _of_member(kind: Any, value: Any) -> _Chars:
    if kind is _PARSER.LITERAL:
        return frozenset({value} if value <= _LAST else {_OTHER_WORD, _OTHER})
    if kind is _PARSER.RANGE:
        beyond = {_OTHER_WORD, _OTHER} if value[1] > _LAST else set()
        return frozenset({*range(value[0], min(value[1], _LAST) + 1), *beyond})
    if kind is _PARSER.CATEGORY:
        return _of_category(str(value))
    return frozenset()


def _of_category(name: str) -> _Chars:
    """Return the signs of a category, as ``CATEGORY_NOT_WORD`` is called."""
    kind = name.rpartition("_")[2]
    pattern = re.compile(_CATEGORIES[kind])
    found = frozenset(char for char in range(_LAST + 1) if pattern.match(chr(char)))
    found |= {_OTHER if kind == "SPACE" else _OTHER_WORD}
    return _ALL - found if "_NOT_" in name else found
