"""What stands around a place in a fixture that is read line by line: its field, its exchange, and who wrote it.

It holds for pretty and for compact JSON alike. Of a text that is no JSON what is told has no meaning, and does no harm.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from chatproxy.core.leaks.decoding import Span
from chatproxy.core.model import NO_EXCHANGE, ExchangeNumber
from chatproxy.core.products.every import WRITTEN, WRITTEN_FIELDS
from chatproxy.core.text.json_text import TOKEN, VALUE, Names


class Around(NamedTuple):
    """The field's name, empty for none; the exchange's number, 0 for none; whether users write this field."""

    field: bytes
    exchange: ExchangeNumber
    by_user: bool


class Surroundings:
    """Follows the lines of a fixture."""

    def __init__(self) -> None:
        self._names = Names()
        self._exchange = NO_EXCHANGE
        self._lines: dict[bytes, tuple[re.Match[bytes], ...]] = {}

    def pass_over(self, line: bytes) -> None:
        """Read the next line, in which no place matters; a fixture has most of its lines many times."""
        steps = self._lines.get(line)
        if steps is None:
            if len(line) > _SHORT or b'"number"' in line:
                for _ in self._values(line):
                    pass
                return
            if len(self._lines) >= _LINES_KEPT:
                self._lines.clear()
            steps = self._lines[line] = tuple(found for found in TOKEN.finditer(line) if found.lastindex != VALUE)
        for found in steps:
            self._names.take(found)

    def of(self, line: bytes, spans: Iterable[Span]) -> Iterator[Around]:
        """Read the next line, and yield what stands around each of these places in it, in their order."""
        values = self._values(line)
        start = end = -1
        part = _Part(0, 0, b"", False)
        for span in spans:
            while span[0] >= end:
                start, end = next(values, (len(line), len(line) + 1))
            if span[0] < start or span[1] > end:
                yield Around(b"", self._exchange, False)
                continue
            if not part.holds(span):
                part = self._part(line, (start, end), span)
            yield Around(part.field, self._exchange, part.by_user and part.holds(span))
        for _ in values:
            pass

    def _values(self, line: bytes) -> Iterator[Span]:
        """Yield where the string values stand; meanwhile the names are those of the one yielded last."""
        for found in TOKEN.finditer(line):
            if self._names.take(found):
                yield found.span(1)
            elif found[2] is not None and found[1] == b"number" and self._in_exchange():
                number = _NUMBER.match(line, found.end())
                self._exchange = ExchangeNumber(int(number[1])) if number else NO_EXCHANGE

    def _in_exchange(self) -> bool:
        return bool(self._names.around) and self._names.around[-1][0] == b"exchanges"

    def _part(self, line: bytes, value: Span, span: Span) -> "_Part":
        """Return the part of a value that a place belongs to: a parameter or part of a form, else all of it."""
        name, (start, end) = self._names.name, value
        if name == b"headers":
            field, colon, _ = line[start : min(start + _LONGEST_NAME, end)].partition(b": ")
            return _Part(start, end, field if colon else name, False)
        if name != b"text" or not self._in_request():
            return _Part(start, end, name, name in WRITTEN_FIELDS)
        if opened := _BOUNDARY.match(line, start):
            return _of_multipart(line, opened, span, end)
        start = line.rfind(b"&", start, span[0]) + 1 or start
        stop = line.find(b"&", start, end)
        end = stop if stop >= 0 else end
        field = line[start : min(start + _LONGEST_NAME, end)].partition(b"=")[0]
        return _Part(start, end, field, field in WRITTEN)

    def _in_request(self) -> bool:
        sides = (name for name, _ in self._names.around if name in (b"request", b"response"))
        return next(sides, b"") == b"request"


def _of_multipart(line: bytes, opened: re.Match[bytes], span: Span, end: int) -> "_Part":
    """Return the part of a multipart form that a place belongs to."""
    delimiter = opened[2] + opened[1]
    start = max(line.rfind(delimiter, opened.start(), span[0]), opened.start())
    stop = line.find(delimiter, span[0], end)
    end = stop if stop >= 0 else end
    named = _PART_NAME.search(line, start, min(start + _LONGEST_HEAD, end))
    field = named[1] if named else b""
    return _Part(start, end, field, field in WRITTEN)


class _Part(NamedTuple):
    start: int
    end: int
    field: bytes
    by_user: bool

    def holds(self, span: Span) -> bool:
        return self.start <= span[0] and span[1] <= self.end


_SHORT, _LINES_KEPT = 400, 5000

_NUMBER = re.compile(rb"\s*([0-9]{1,18})")
_LONGEST_NAME, _LONGEST_HEAD = 100, 400

_BOUNDARY = re.compile(rb"(--[^\\\"]{1,70})((?:\\r)?\\n)")
"""The first line of a multipart form, as JSON has it."""
_PART_NAME = re.compile(rb"[; ]name=\\\"(.*?)\\\"")
