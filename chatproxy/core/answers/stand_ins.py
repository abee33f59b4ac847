"""Where pseudonyms stand in a recorded answer, and how the client's own value is written in their place.

A value is written as its surroundings want it: URL-encoded in an URL, escaped in a JSON string, and in JSON that is the
text of a JSON string twice.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from json import dumps, loads
from typing import NamedTuple, Self
from urllib.parse import quote, unquote_to_bytes

from chatproxy.core.http.grammar import FIELD_TEXT
from chatproxy.core.model import LiveSid, RecordedSid
from chatproxy.core.scrubbing.pseudonyms import NUMBER_PSEUDONYM, PSEUDONYM
from chatproxy.core.text.json_edit import values
from chatproxy.core.twilio.origins import URL
from chatproxy.core.twilio.sids import replace_sids

_EITHER = re.compile(PSEUDONYM.pattern + b"|" + NUMBER_PSEUDONYM.pattern)

_URL, _JSON, _NUMBER, _HEAD = b"u", b"j", b"n", b"h"
"""What surrounds a pseudonym, from the inside out: an URL, a JSON string, JSON as a number, a header's value."""


class StandIn(NamedTuple):
    """A pseudonym as it is written in an answer, and what surrounds it."""

    around: bytes
    written: bytes

    def pack(self) -> bytes:
        """Return the stand-in as a slot's argument."""
        return self.around + b"\0" + self.written

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Return the stand-in of a slot's argument."""
        around, _, written = packed.partition(b"\0")
        return cls(around, written)

    @property
    def pseudonym(self) -> str:
        """The pseudonym itself."""
        return unquote_to_bytes(self.written).decode()

    def filled(self, live: str | None) -> bytes:
        """Write a live value here; without one, or with one that cannot stand here, the pseudonym stays."""
        if live is None:
            return self.written
        try:
            for around in self.around:
                live = _WRITTEN[bytes([around])](live)
            return live.encode("utf-8", "surrogateescape")
        except ValueError:
            return self.written


def _in_url(text: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"), safe="")


def _in_json(text: str) -> str:
    return dumps(text)[1:-1]


def _in_head(text: str) -> str:
    if not FIELD_TEXT.fullmatch(text):
        raise ValueError("several lines")
    return text


def _as_it_is(text: str) -> str:
    return text


_WRITTEN = {_URL: _in_url, _JSON: _in_json, _HEAD: _in_head, _NUMBER: _as_it_is}


class Sent:
    """The values that a session's client sent, by their pseudonyms; ``to_live`` gives what is served for a SID.

    Of more than ``bound`` the oldest are forgotten.
    """

    def __init__(self, to_live: Callable[[RecordedSid], LiveSid], bound: int = 10_000) -> None:
        self._to_live = to_live
        self._bound = bound
        self._values: dict[str, str] = {}

    def note(self, pseudonym: str, value: str) -> None:
        """Take in for which value of the client a pseudonym stands."""
        self._values[pseudonym] = value
        if len(self._values) > self._bound:
            del self._values[next(iter(self._values))]

    def sid(self, recorded: bytes) -> bytes:
        """Return what is served for a recorded SID, which may be a pseudonym or stand for one."""
        live = self._to_live(RecordedSid(recorded))
        value = self._values.get(live.decode())
        return live if value is None else value.encode()

    def filled(self, packed: bytes) -> bytes:
        """Return what is served for a packed stand-in."""
        stand_in = StandIn.unpack(packed)
        return stand_in.filled(self._values.get(stand_in.pseudonym))

    def in_json_string(self, content: bytes) -> bytes:
        """Return what is served for what stands between the quotes of a recorded JSON string."""
        content = replace_sids(content, self.sid)
        parts: list[bytes] = []
        begin = 0
        for start, end, stand_in in body_stand_ins(b'["%b"]' % content):
            parts += (content[begin : start - 2], stand_in.filled(self._values.get(stand_in.pseudonym)))
            begin = end - 2
        return b"".join((*parts, content[begin:]))


class Placed(NamedTuple):
    """Where in a text a stand-in is."""

    start: int
    end: int
    stand_in: StandIn


def body_stand_ins(body: bytes) -> Iterator[Placed]:
    """Yield the stand-ins of an answer's body."""
    return _standing(body, b"")


def head_stand_ins(value: bytes, begin: int) -> Iterator[Placed]:
    """Yield the stand-ins of a header's value, which begins at this place of the head."""
    for start, end, stand_in in _standing(value, _HEAD):
        yield Placed(begin + start, begin + end, stand_in)


def _standing(text: bytes, around: bytes) -> Iterator[Placed]:
    if not _EITHER.search(text):
        return
    for found, inner in zip(_EITHER.finditer(text), _surroundings(text), strict=True):
        if inner is not None:
            yield Placed(*found.span(), StandIn(inner + around, found[0]))


def _surroundings(text: bytes) -> list[bytes | None]:
    """Return for each pseudonym in a text what surrounds it there, None where a number is part of something else."""
    found = values(text) if text.lstrip()[:1] in (b"{", b"[") else None
    if found is None:
        plain = _URL if URL.fullmatch(text) else b""
        return [None if NUMBER_PSEUDONYM.fullmatch(one[0]) else plain for one in _EITHER.finditer(text)]
    leaves = [value for value in found if not value.items]
    starts = [leaf.start for leaf in leaves]
    inner: dict[int, Iterator[bytes | None]] = {}
    surroundings: list[bytes | None] = []
    for one in _EITHER.finditer(text):
        place = bisect_right(starts, one.start()) - 1
        if place < 0 or one.start() >= leaves[place].end:
            surroundings.append(None)  # in a member's name
            continue
        if place not in inner:
            inner[place] = iter(_of_leaf(text[leaves[place].start : leaves[place].end]))
        surroundings.append(next(inner[place], None))
    return surroundings


def _of_leaf(leaf: bytes) -> list[bytes | None]:
    written = [one[0] for one in _EITHER.finditer(leaf)]
    if not leaf.startswith(b'"'):
        return [_NUMBER if one == leaf else None for one in written]
    content = loads(leaf).encode("utf-8", "surrogatepass")
    if [one[0] for one in _EITHER.finditer(content)] != written:  # some are spelled with escapes
        return [None if NUMBER_PSEUDONYM.fullmatch(one) else _JSON for one in written]
    return [None if around is None else around + _JSON for around in _surroundings(content)]
