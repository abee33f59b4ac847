"""The objects that lists show, each looked at once: what polling records is the same objects again and again.

A body is taken apart into a frame and the elements of one array in it, by what stands between two elements, and put
together again from the slots of each, which are kept for elements that come again. What is found is just what a look
at the whole body finds:

1. The frame is JSON with one element in the place of all, and each element is a JSON object. Read from the begin of an
   element, JSON ends where that object does; so what is taken for the border of two never stands within a string.
2. The SIDs, instants and addresses of an object do not depend on what is around it, except in ``links`` and ``meta``,
   whose members are addresses by their holder's name; nor does an instant on the answer that shows it, except where
   several writes have set that one. Such bodies are not taken apart.

A list of 50 messages of which one is new takes a tenth of the time so.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from chatproxy.core.answers.template import UPPER_CASE, Addresses, Slot, Span, Template, cut, origins_among, outer_first
from chatproxy.core.model import RecordedSid
from chatproxy.core.text.json_text import Place, members, strings
from chatproxy.core.time.dates import Value, dates_among, dates_of
from chatproxy.core.time.instants import Instants
from chatproxy.core.time.stamps import Stamp
from chatproxy.core.twilio.sids import SID, placed_sids
from chatproxy.core.twilio.urls import EVERY


class Body(NamedTuple):
    """A body put together: its template, and its SIDs in the order in which they first stand there as such."""

    template: Template
    sids: Iterable[RecordedSid]


class _Part(NamedTuple):
    template: Template
    sids: tuple[RecordedSid, ...]


_Parts = tuple[_Part, ...] | None


@dataclass(frozen=True, slots=True)
class Elements:
    """Takes bodies apart and puts them together; it keeps the parts that came last."""

    fresh: Callable[[bytes, bytes, bytes], _Parts]
    kept: Callable[[bytes, bytes, bytes], _Parts]

    @classmethod
    def of(cls, upstream: str, instants: Instants) -> "Elements":
        """Make what knows the answers of this upstream; ``instants`` must have learnt all exchanges."""

        def parts(before: bytes, element: bytes, after: bytes) -> _Parts:
            spans = _spans(before + element + after, upstream, instants)
            if spans is None or EVERY.ends_in_holder(before):
                return None
            if not before:
                return (_part(element, spans),)
            end = len(before) + len(element)
            later = [(start - end, stop - end, slot, argument) for start, stop, slot, argument in spans if start >= end]
            return _part(before, [span for span in spans if span[0] < end]), _part(after, later)

        return cls(parts, lru_cache(_KEPT)(parts))

    def body(self, text: bytes) -> Body | None:
        """Return a body with its slots, or nothing for one that cannot be taken apart."""
        before, elements, between, after = _apart(text)
        frame = self._parts(before, _ELEMENT, after) if before else _NO_FRAME
        inner = [self._parts(b"", b"{%b}" % element, b"") for element in elements] if frame else []
        if frame is None or not inner or None in inner:
            return None
        parts = list(chain(frame[:1], *filter(None, inner), frame[1:]))
        return Body(_joined(parts, between), dict.fromkeys(chain.from_iterable(part.sids for part in parts)))

    def _parts(self, before: bytes, element: bytes, after: bytes) -> _Parts:
        is_short = len(before) + len(element) + len(after) <= _LONGEST_KEPT
        return (self.kept if is_short else self.fresh)(before, element, after)


_KEPT, _LONGEST_KEPT = 2048, 2048
"""Some 8 MB for messages as they mostly are; at worst twice that."""

_ELEMENT = b'{"":0}'
"""Stands for all elements in a frame: with its quotes it is no JSON within a string."""

_NO_FRAME = (_Part(Template((b"",)), ()), _Part(Template((b"",)), ()))


def _apart(text: bytes) -> tuple[bytes, list[bytes], bytes, bytes]:
    """Return what stands before all elements, each without its braces, what stands between two, and what after all.

    An object without an array of objects is one element, and what is none has none.
    """
    array = text.find(b"[{") + 1
    end = text.rfind(b"}]")
    if not 0 < array < end:
        return b"", [text[1:-1]] if text[:1] + text[-1:] == b"{}" else [], b"", b""
    inner = text[array + 1 : end]
    between = b", " if b"}, {" in inner else b","
    return text[:array], inner.split(b"}%b{" % between), between, text[end + 1 :]


def _spans(text: bytes, upstream: str, instants: Instants) -> list[Span] | None:
    """Find the slots of a JSON object, or return nothing if that is not all there is to know."""
    places = _places(text)
    dates = list(dates_among(text, places or []))
    if places is None or UPPER_CASE.search(text) or not all(instants.is_settled(date.known_by) for date in dates):
        return None
    spans: list[Span] = [(*found.span(), Slot.SID, found[0]) for found in SID.finditer(text)]
    spans += origins_among(text, places, upstream, Addresses())
    for date in dates:
        stamp = Stamp(date.value.moment, instants.of(date.known_by), date.value.spelling)
        spans.append((date.start, date.end, Slot.INSTANT, stamp.pack()))
    return sorted(spans, key=outer_first)


def _places(text: bytes) -> list[Place] | None:
    """Return the string values of a JSON object, None for any other text."""
    places = members(text)
    return list(strings(text)) if places is None and _is_object(text) else places


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text.decode()), dict)
    except (ValueError, RecursionError):
        return False


def _part(text: bytes, spans: list[Span]) -> _Part:
    return _Part(cut(text, spans), tuple(map(RecordedSid, dict.fromkeys(placed_sids(text)))))


def _joined(parts: list[_Part], between: bytes) -> Template:
    """Put a frame and its elements together."""
    pieces = [b""]
    slots: list[tuple[Slot, bytes]] = []
    for place, part in enumerate(parts):
        first, *others = part.template.pieces
        pieces[-1] += between + first if 1 < place < len(parts) - 1 else first
        pieces += others
        slots += part.template.slots
    return Template(tuple(pieces), tuple(slots))


class Seen:
    """Which elements were looked at for instants; it remembers those that came last."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def new(self, text: bytes) -> list[Value]:
        """Return the instants in the date fields of a JSON text, those of elements aside that were looked at."""
        before, elements, _, after = _apart(text)
        objects = [b"{%b}" % element for element in elements]
        if before:
            objects.append(before + _ELEMENT + after)
        fresh = [one for one in objects if one not in self._seen]
        found: list[Value] = []
        for one in fresh:
            places = _places(one)
            if places is None:
                return [date.known_by for date in dates_of(text)]
            found += [date.known_by for date in dates_among(one, places)]
        for one in fresh:
            self.note(one)
        return found if objects else [date.known_by for date in dates_of(text)]

    def note(self, text: bytes) -> None:
        """Take in that a JSON object was looked at."""
        if len(self._seen) > _KEPT:
            self._seen.clear()
        if len(text) <= _LONGEST_KEPT:
            self._seen.add(text)
