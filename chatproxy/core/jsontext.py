"""JSON as text: its content in one spelling, and where in it the strings stand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecoder, dumps


def canonical(text: bytes) -> bytes | None:
    """Return a JSON object or array in one spelling for its content, or None for any other text.

    Order of names, white space, escapes and the spelling of a number do not count. A text whose content is not
    certain is none: with a name twice (RFC 8259 section 4), or a number that no binary64 holds (section 6).
    """
    try:
        value = _DECODER.decode(text.decode())
        if not isinstance(value, dict | list):
            return None
        return dumps(value, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name twice in one object")
    return members


def _number(text: str) -> float | int:
    value = float(text)
    if _digits(repr(value)) != _digits(text):
        raise ValueError("not a binary64 number")
    return int(value) if value.is_integer() else value


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


@dataclass(frozen=True, slots=True)
class Place:
    """A string value in a JSON text: its field's name and that of the object around, and where its content stands."""

    name: bytes
    parent: bytes
    start: int
    end: int


def strings(text: bytes) -> Iterator[Place]:
    """Yield the string values of a JSON text in their order, without parsing the rest.

    A string in an array goes by the array's name. In a text that is no JSON what is found has no meaning, but
    places never overlap.
    """
    name = b""
    around: list[bytes] = []
    for found in _TOKEN.finditer(text):
        token = found[0]
        if token in _OPENING:
            around.append(name)
        elif token in _CLOSING:
            name = around.pop() if around else b""
        elif found[2] is not None:
            name = found[1]
        else:
            yield Place(name, around[-1] if around else b"", found.start(1), found.end(1))


_TOKEN = re.compile(rb'"((?:[^"\\]++|\\.)*+)"(\s*:)?|[\[\]{}]', re.DOTALL)
_OPENING = frozenset({b"{", b"["})
_CLOSING = frozenset({b"}", b"]"})
