"""The codings of a message's body (RFC 9110 section 8.4, RFC 9112 section 7), and bodies decoded to their end.

1. What was decoded is whole: a stream that is cut short, damaged or followed by other bytes is an error.
2. What comes out at once is bounded, however much it becomes as a whole.
3. An empty body has no coding to undo.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Protocol

from chatproxy.core.errors import UpstreamError
from chatproxy.core.model import Headers, header_values


def content_codings(headers: Headers) -> list[str]:
    """Return the codings that ``Content-Encoding`` names, in the order in which they were applied."""
    return [coding for coding in _listed(headers, b"content-encoding") if coding != "identity"]


def transfer_codings(headers: Headers) -> list[str]:
    """Return the codings that ``Transfer-Encoding`` names before the chunks, which are framing."""
    codings = _listed(headers, b"transfer-encoding")
    return codings[:-1] if codings[-1:] == ["chunked"] else codings


def _listed(headers: Headers, name: bytes) -> list[str]:
    names = [one.strip(b" \t") for value in header_values(headers, name) for one in value.split(b",")]
    return [one.decode("utf-8", "backslashreplace").lower() for one in names if one]


def can_decode(codings: Sequence[str]) -> bool:
    """Tell whether all of these can be undone."""
    return _fault(codings, _BEGIN) is None


Whole = Callable[[bytes, int], bytes]
"""Decodes a whole body to at most so many bytes; raises UpstreamError for one that is larger, or damaged."""


def decoded(body: bytes, codings: Sequence[str], limit: int, others: Mapping[str, Whole] | None = None) -> bytes:
    """Decode a whole body; ``others`` are codings that can be undone besides those of this module."""
    if not body:
        return body
    known = others or {}
    if fault := _fault(codings, {**_BEGIN, **known}):
        raise UpstreamError(502, fault)
    for place in reversed(range(len(codings))):
        coding, bound = codings[place], _between(limit) if place else limit
        body = known[coding](body, bound) if coding in known else _whole(body, coding, bound)
    return body


def _whole(body: bytes, coding: str, limit: int) -> bytes:
    decoding, whole = Decoding([coding], limit), bytearray()
    for piece in decoding.feed(body):
        whole += piece
    decoding.end()
    return bytes(whole)


def too_large(limit: int) -> UpstreamError:
    """Return the error for an answer of more bytes than this."""
    return UpstreamError(502, f"the answer is larger than {limit} bytes (--max-body)")


def cut_short(coding: str) -> UpstreamError:
    """Return the error for an answer that ends before its coding does."""
    return UpstreamError(502, f"the answer's body is cut short: its {coding} has no end")


def damaged(coding: str, detail: str = "it is damaged, or in another coding") -> UpstreamError:
    """Return the error for an answer that is not in the coding that it names."""
    return UpstreamError(502, f"the answer's body is no {coding}: {detail}")


class Decoding:
    """Undoes codings, given in the order in which they were applied, piece by piece.

    Raises UpstreamError for what is no stream of the coding, for a coding that is not known, and for what becomes
    more than ``limit`` bytes.
    """

    def __init__(self, codings: Sequence[str], limit: int | None = None) -> None:
        self._codings = codings
        self._limit = limit
        self._size = 0
        self._streams: list[_Stream] | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes decode to."""
        if not data:
            return
        streams = self._begun() if self._streams is None else self._streams
        pieces = (data[place : place + _STEP] for place in range(0, len(data), _STEP)) if streams else iter((data,))
        for stream in streams:
            pieces = chain.from_iterable(map(stream.feed, pieces))
        for piece in pieces:
            self._size += len(piece)
            if self._limit is not None and self._size > self._limit:
                raise too_large(self._limit)
            yield piece

    def end(self) -> None:
        """Take in that no more bytes come."""
        for stream in self._streams or ():
            stream.end()

    def _begun(self) -> "list[_Stream]":
        if fault := _fault(self._codings, _BEGIN):
            raise UpstreamError(502, fault)
        self._streams = [_Stream(coding, self._limit) for coding in reversed(self._codings)]
        return self._streams


class _Stream:
    """Undoes one coding."""

    def __init__(self, coding: str, limit: int | None) -> None:
        self._coding = coding
        self._limit = limit
        self._size = 0
        self._inflater: _Inflater | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes, which are some, decode to."""
        inflater = self._inflater
        more = True
        while more:
            if inflater is None or inflater.eof:
                inflater = self._inflater = self._begin(data[0], again=inflater is not None)
            try:
                piece = inflater.decompress(data, _PIECE)
            except zlib.error as error:
                raise damaged(self._coding, str(error)) from error  # zlib's texts are of a table, and repeat no data
            data = inflater.unconsumed_tail or inflater.unused_data
            more = bool(data) or (len(piece) == _PIECE and not inflater.eof)  # it may hold back what it had no room for
            if piece:
                self._size += len(piece)
                if self._limit is not None and self._size > _between(self._limit):
                    raise too_large(self._limit)
                yield piece

    def end(self) -> None:
        """Take in that no more bytes come."""
        if self._inflater is not None and not self._inflater.eof:
            raise cut_short(self._coding)

    def _begin(self, first: int, *, again: bool) -> "_Inflater":
        if again and self._coding not in _REPEATED:
            raise UpstreamError(502, f"the answer's body goes on after the end of its {self._coding}")
        return _BEGIN[self._coding](first)


class _Inflater(Protocol):
    """What ``zlib.decompressobj`` makes, whose type has no name."""

    @property
    def eof(self) -> bool: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _gzip(first: int) -> _Inflater:
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def _deflate(first: int) -> _Inflater:
    """Begin a zlib stream, or one without its wrapper, as some servers send it (RFC 9110 section 8.4.1.2)."""
    return zlib.decompressobj(zlib.MAX_WBITS if first & 0xF == zlib.DEFLATED else -zlib.MAX_WBITS)


_BEGIN: dict[str, Callable[[int], _Inflater]] = {"gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate}
"""The codings that are undone, each with what begins a stream of it, given its first byte."""
_REPEATED = frozenset({"gzip", "x-gzip"})
"""Those of which one stream may follow another (RFC 1952 section 2.2)."""
_MOST = 5
"""So many codings of one body are undone; nobody sends two."""
_STEP = 1 << 13
_PIECE = 1 << 16


def _between(limit: int) -> int:
    """Return how large a body of so many bytes may be while it still has a coding, which may make it longer."""
    return 2 * limit + _PIECE


def _fault(codings: Sequence[str], known: Mapping[str, object]) -> str | None:
    """Return why these cannot be undone."""
    for coding in codings:
        if coding not in known:
            return f"the answer's body has the coding {coding!r}; only {', '.join(known)} are decoded"
    return None if len(codings) <= _MOST else f"the answer's body has {len(codings)} codings; {_MOST} are decoded"
