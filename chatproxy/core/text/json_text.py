"""JSON as text: its content in one spelling, and where in it the strings stand."""

import re
from collections.abc import Iterator
from functools import lru_cache
from json import JSONDecoder, dumps, loads
from typing import NamedTuple


def canonical(text: bytes) -> bytes | None:
    """Return a JSON object or array in one spelling for its content, or None for any other text.

    Order of names, white space, escapes and the spelling of a number do not count. A text whose content is not
    certain is none: with a name twice (RFC 8259 section 4), a number that no binary64 holds (section 6), or nested
    deeper than any parser must follow (section 9). Nor is one of more than ``MOST_VALUES`` values.
    """
    if has_many_values(text) or _is_deep(text):
        return None
    try:
        value = _DECODER.decode(text.decode())
        if not isinstance(value, dict | list):
            return None
        return dumps(value, sort_keys=True, separators=(",", ":")).encode()
    except ValueError:
        return None


def has_many_values(text: bytes) -> bool:
    """Tell whether a JSON text may have more than ``MOST_VALUES`` values."""
    return sum(map(text.count, _SEPARATORS)) > MOST_VALUES


def parsed(text: bytes) -> object:
    """Return the value of a JSON text; raises ValueError for any other, and for one that nests as deep as no file does.

    What nests less deep can be walked, compared and shown without a look at how deep the stack is.
    """
    if _is_deep(text):
        raise ValueError("it nests too deep")
    try:
        return loads(text)
    except RecursionError:  # brackets may be hidden, by an encoding of two bytes
        raise ValueError("it nests too deep") from None


def read(text: bytes) -> object:
    """Return the value of a JSON text in UTF-8, which nobody may change; raises ValueError and RecursionError.

    Those who look at one text one after the other have it parsed once.
    """
    return _read(text) if len(text) <= _LONGEST_HELD else loads(text.decode())


_HELD, _LONGEST_HELD = 128, 2048


@lru_cache(_HELD)  # as many objects as a page of a list has
def _read(text: bytes) -> object:
    return loads(text.decode())


MOST_VALUES = 100_000
"""To read that many takes a quarter of a second, in which no other request is answered."""

_SEPARATORS = (b",", b"[", b"{")

_DEEPEST = 128
"""A bound of our own: Python's depends on its version and on how deep the caller stands, and so would keys."""


def _is_deep(text: bytes) -> bool:
    if text.count(b"[") + text.count(b"{") <= _DEEPEST:
        return False
    depth = 0
    for found in TOKEN.finditer(text):
        depth += (found[0] in _OPENING) - (found[0] in _CLOSING)
        if depth > _DEEPEST:
            return True
    return False


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name twice in one object")
    return members


def _number(text: str) -> float | int:
    value = float(text)
    digits, exponent = _digits(text)
    if _digits(repr(value)) != (digits, exponent):
        raise ValueError("not a binary64 number")
    if not value.is_integer():
        return value
    whole: int = int(digits or "0") * 10**exponent  # not int(value): 1e23 lies beside the nearest binary64
    return -whole if value < 0 else whole


def _digits(number: str) -> tuple[str, int]:
    """Return a number's significant digits and its exponent, which are equal for equal numbers."""
    mantissa, _, exponent = number.lower().lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return "", 0
    return significant, int(exponent or 0) - len(fraction) + len(digits) - len(significant)


def _constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


_DECODER = JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_constant=_constant)


class Place(NamedTuple):
    """A string value in a JSON text: its field's name and that of the object around, and where its content stands.

    ``holder`` is where the object or array around begins: the same for all fields of one object.
    """

    name: bytes
    parent: bytes
    start: int
    end: int
    holder: int = -1


def strings(text: bytes) -> Iterator[Place]:
    """Yield the string values of a JSON text in their order, without parsing the rest.

    A string in an array goes by the array's name. In a text that is no JSON what is found has no meaning, but
    places never overlap.
    """
    names = Names()
    parent, holder = b"", -1
    for found in TOKEN.finditer(text):
        kind = found.lastindex
        if kind == VALUE:  # most tokens are values and names: to ask ``names`` for those too takes twice the time
            start, end = found.span(1)
            yield Place(names.name, parent, start, end, holder)
        elif kind == _NAME:
            names.name = found[1]
        else:
            names.take(found)
            parent, holder = names.around[-1] if names.around else (b"", -1)


def members(text: bytes) -> list[Place] | None:
    """Return the string values of a JSON object without others in it; None for any other text.

    Values whose names are no words are left out. It takes a third of the time of ``strings``: by its syntax alone the
    text would have to be read token by token, to know what stands within a string.
    """
    try:
        value = read(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or any(isinstance(one, dict | list) for one in value.values()):
        return None
    return [Place(found[1], b"", *found.span(2)) for found in _MEMBER.finditer(text)]


_MEMBER = re.compile(rb'"(?<!\\")(\w++)"\s*:\s*"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
"""No word follows the quote that ends a string."""


class Names:
    """The names around a place in a JSON text, which may come in pieces that end between tokens, as lines do.

    ``name`` is that of the field read last, ``around`` those of the objects and arrays it stands in, with where
    they begin in their piece.
    """

    def __init__(self) -> None:
        self.name = b""
        self.around: list[tuple[bytes, int]] = []

    def take(self, found: re.Match[bytes]) -> bool:
        """Take the next TOKEN, and tell whether it is a string value."""
        kind = found.lastindex
        if kind == _NAME:
            self.name = found[1]
        elif kind is None:
            if found[0] in _OPENING:
                self.around.append((self.name, found.start()))
            else:
                self.name = self.around.pop()[0] if self.around else b""
        return kind == VALUE


TOKEN = re.compile(rb'"((?:[^"\\]++|\\.)*+)(?:"(\s*:)?|\\?\Z)|[\[\]{}]', re.DOTALL)
"""A string that is not closed goes to the end: trying again at each of its quotes would take quadratic time."""
VALUE, _NAME = 1, 2
"""The last group of a TOKEN that is a string; a bracket has none."""
_OPENING = frozenset({b"{", b"["})
_CLOSING = frozenset({b"}", b"]"})
