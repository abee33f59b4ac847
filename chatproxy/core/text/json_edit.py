"""Editing JSON as text: where each value stands, and how one is replaced or dropped without writing the rest anew.

The laws:

1. What an edited text means is what editing its parsed value gives.
2. Outside of the values edited, and the comma that goes with one dropped, every byte stays as it is.
3. A text that is no JSON (RFC 8259, as UTF-8) has no values; callers treat it as any other text.

Nesting may be as deep as the text is long, a name may stand twice in an object: both are values of their own.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Value:
    """A value in a JSON text, from ``start`` to ``end``.

    ``name`` is its member's, None for an element and for the root. ``begin`` is where its member begins, which is
    at the name. ``items`` are the values of an object or array, in their order.
    """

    name: str | None
    begin: int
    start: int
    end: int
    holder: "Value | None" = None
    place: int = 0
    depth: int = 0
    items: "list[Value]" = field(default_factory=list)

    @property
    def pointer(self) -> str:
        """The JSON pointer (RFC 6901) that leads here."""
        steps = []
        value = self
        while value.holder is not None:
            steps.append("/" + value.step.replace("~", "~0").replace("/", "~1"))
            value = value.holder
        return "".join(reversed(steps))

    @property
    def step(self) -> str:
        """The last step of the pointer, unescaped: the name or the place."""
        return str(self.place) if self.name is None else self.name


def values(text: bytes) -> list[Value] | None:
    """Return all values of a JSON text in the order in which they begin, or None for a text that is no JSON."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return None
    reader = _Reader(text)
    end = 0
    for found in _TOKEN.finditer(text):
        if found.start() != end or not reader.take(found):
            return None
        end = found.end()
    return reader.found if reader.is_done and not text[end:].strip(b" \t\r\n") else None


_TOKEN = re.compile(
    rb"[ \t\r\n]*+(?:"
    rb'(?P<string>"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")'
    rb"|(?P<atom>-?(?:0|[1-9]\d*+)(?:\.\d++)?(?:[eE][+-]?\d++)?(?![\w.+-])|(?:true|false|null)\b)"
    rb"|(?P<open>[\[{])|(?P<close>[\]}])|(?P<comma>,)|(?P<colon>:))"
)

_VALUE = frozenset({"string", "atom", "open"})
_MEMBER = frozenset({"name"})
_MORE = frozenset({"comma", "close"})
_NOTHING: frozenset[str] = frozenset()


class _Reader:
    """Takes the tokens of a text; ``expected`` are the kinds that may come next."""

    def __init__(self, text: bytes) -> None:
        self.found: list[Value] = []
        self._text = text
        self._expected = _VALUE
        self._holders: list[Value] = []
        self._name: tuple[str, int] | None = None

    @property
    def is_done(self) -> bool:
        return bool(self.found) and not self._holders

    def take(self, found: re.Match[bytes]) -> bool:
        """Take the next token, and tell whether it may stand there."""
        kind = found.lastgroup or ""
        start, end = found.span(kind)
        if kind == "string" and "name" in self._expected:
            kind = "name"
        if kind not in self._expected:
            return False
        if kind == "name":
            self._name, self._expected = (json.loads(self._text[start:end]), start), frozenset({"colon"})
        elif kind == "colon":
            self._expected = _VALUE
        elif kind == "comma":
            self._expected = _MEMBER if self._is_in_object() else _VALUE
        elif kind == "close":
            return self._close(end)
        else:
            self._value(kind, start, end)
        return True

    def _is_in_object(self) -> bool:
        return self._text[self._holders[-1].start] == ord("{")

    def _value(self, kind: str, start: int, end: int) -> None:
        name, begin = self._name or (None, start)
        holder = self._holders[-1] if self._holders else None
        value = Value(name, begin, start, end, holder, len(holder.items) if holder else 0, len(self._holders))
        self._name = None
        self.found.append(value)
        if holder:
            holder.items.append(value)
        if kind == "open":
            self._holders.append(value)
            self._expected = (_MEMBER if self._is_in_object() else _VALUE) | {"close"}
        else:
            self._expected = _MORE if holder else _NOTHING

    def _close(self, end: int) -> bool:
        if self._is_in_object() != (self._text[end - 1] == ord("}")):
            return False
        self._holders.pop().end = end
        self._expected = _MORE if self._holders else _NOTHING
        return True


def edited(text: bytes, changes: Mapping[Value, bytes | None]) -> bytes:
    """Return the text with other JSON texts in the place of some of its values; None drops a member or an element.

    What lies within a value that is replaced or dropped goes with it. Dropping the root leaves no text.
    """
    spans = [(value.start, value.end, new) for value, new in changes.items() if new is not None]
    spans += [(start, end, b"") for start, end in _dropped([value for value, new in changes.items() if new is None])]
    parts: list[bytes] = []
    begin = 0
    for start, end, new in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= begin:
            parts += (text[begin:start], new)
            begin = end
    return b"".join((*parts, text[begin:]))


def _dropped(dropped: Collection[Value]) -> Iterator[tuple[int, int]]:
    yield from ((value.begin, value.end) for value in dropped if value.holder is None)
    gone = set(dropped)
    for holder in dict.fromkeys(value.holder for value in dropped if value.holder is not None):
        yield from _with_commas(holder.items, gone)


def _with_commas(items: list[Value], gone: Collection[Value]) -> Iterator[tuple[int, int]]:
    """Yield what goes with the items that are dropped: the comma before, or the one after where none is kept before."""
    is_any_kept = False
    for place, item in enumerate(items):
        if item not in gone:
            is_any_kept = True
        elif is_any_kept:
            yield items[place - 1].end, item.end
        else:
            yield item.begin, items[place + 1].begin if place + 1 < len(items) else item.end
