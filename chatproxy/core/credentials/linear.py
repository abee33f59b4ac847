r"""Secrets in texts that are large, and secrets that are long: found in a time that grows with the text alone.

A pattern for all spellings tries many of them at each place. Here the text is read once, with each escape as what it
stands for in the end, and the secret is searched for in that as plain text, in base64 and in hexadecimal.

1. Each escape counts: URL-encoded, also several times, in either case; JSON's, also nested.
2. What is blanked begins and ends with whole escapes; a run of ``\`` before one is taken in as far as JSON nests.
3. A text with the secret in more than ``MOST`` places is blanked from there to its end.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, islice
from operator import itemgetter
from typing import NamedTuple, Self

from chatproxy.core.credentials.encodings import base64_cores, encodings

MOST = 20_000
"""In how many places secrets are blanked one by one."""

_SIGN = rb"(?:\\|%(?:25)*+5[cC])"
_HEX = rb"[0-9A-Fa-f]"
_ESCAPED = rb"(?:u%b{4}|[btnfr\"/]|%%(?:25)*+2[2fF])" % _HEX
_TOKEN = re.compile(
    rb"(%(sign)b++%(escaped)b?|(?:%%(?:25)++(?!%(hex)b{2}))++|%%(?:25)*+%(hex)b{2})"
    % {b"sign": _SIGN, b"escaped": _ESCAPED, b"hex": _HEX}
)
_AS_FAR_AS_JSON_NESTS = re.compile(rb"%b{1,7}%b?\Z" % (_SIGN, _ESCAPED))
_SHOWN = 400
_LETTERS = {b"b": b"\b", b"t": b"\t", b"n": b"\n", b"f": b"\f", b"r": b"\r", b'"': b'"', b"/": b"/"}
_JSON_END = re.compile(rb"u(%b{4})\Z|([btnfr\"/])\Z|(%%(?:25)*+(?:22|2[fF]))\Z" % _HEX)


class _Meanings(dict[bytes, bytes]):
    """What each escape stands for; most texts have the same few."""

    def __missing__(self, token: bytes) -> bytes:
        meaning = self[token] = _meaning(token)
        return meaning


def _meaning(token: bytes) -> bytes:
    if not _BEGINS_WITH_SIGN.match(token):
        digits = token[-2:]
        return b"%" * token.count(b"%") if digits == b"25" else bytes([int(digits, 16)])
    found = _JSON_END.search(token[-_SHOWN:])
    if found is None:
        return b"\\"
    if found[1]:
        return chr(int(found[1], 16)).encode("utf-8", "surrogatepass")
    return _LETTERS[found[2]] if found[2] else bytes([int(found[3][-2:], 16)])


_BEGINS_WITH_SIGN = re.compile(_SIGN)


_BLOCK = 2**18
_LONGEST_TAIL = 8


class _Block(NamedTuple):
    """A stretch of a text that ends with no escape begun: where it begins, and its pieces, the odd ones escapes."""

    begin: int
    pieces: list[bytes]

    @classmethod
    def at(cls, text: bytes, begin: int, size: int) -> Self:
        """Read a block; a small one after another takes half the time of all at once."""
        while True:
            pieces = _TOKEN.split(text[begin : begin + size])
            if begin + size >= len(text):
                return cls(begin, pieces)
            pieces = _whole(pieces)
            if len(pieces) > 1 or pieces[0]:
                return cls(begin, pieces)
            size *= 2

    def meant(self, meanings: _Meanings) -> list[bytes]:
        """Return the pieces with each escape as what it stands for."""
        meant = self.pieces.copy()
        meant[1::2] = map(meanings.__getitem__, meant[1::2])
        return meant


def _whole(pieces: list[bytes]) -> list[bytes]:
    """Leave out what could be read otherwise if more followed."""
    tail = pieces[-1]
    if len(pieces) > 1 and len(tail) < _LONGEST_TAIL:
        *_, before, between = (b"", b"-", *pieces[:-2])
        return pieces[: -4 if not between and _BEGINS_WITH_SIGN.match(before) else -2]
    cut = max(tail.rfind(sign, -_LONGEST_TAIL) for sign in (b"%", b"\\"))
    return [*pieces[:-1], tail[:cut]] if cut >= 0 else pieces


def unescaped(text: bytes) -> bytes:
    """Return a text with each escape as what it stands for."""
    return Unescaped(text).plain


_Span = tuple[int, int]


class Unescaped:
    """A text as what it says, and where each place of that is written."""

    def __init__(self, text: bytes, block: int = _BLOCK) -> None:
        self._text = text
        self._block = block
        self._meanings = _Meanings()
        self._written, self._plain = [0], [0]
        self._read = (-1, array("q"), array("q"), [b""])
        self._has_escapes = b"%" in text or b"\\" in text
        self.plain = b"".join(self._blocks()) if self._has_escapes else text
        """The text with each escape as what it stands for."""

    def _blocks(self) -> Iterator[bytes]:
        while self._written[-1] < len(self._text):
            block = _Block.at(self._text, self._written[-1], self._block)
            plain = b"".join(block.meant(self._meanings))
            self._written.append(block.begin + sum(map(len, block.pieces)))
            self._plain.append(self._plain[-1] + len(plain))
            yield plain

    def written(self, span: _Span) -> _Span:
        """Return where a span of the plain text is written."""
        if not self._has_escapes:
            return span
        return self._place(span[0])[0], self._place(span[1] - 1)[1]

    def _place(self, at: int) -> _Span:
        """Return where one byte of the plain text is written."""
        nth = bisect_right(self._plain, at) - 1
        if self._read[0] != nth:
            block = _Block.at(self._text, self._written[nth], self._block)
            plain, written = (map(len, pieces) for pieces in (block.meant(self._meanings), block.pieces))
            begins = accumulate(plain, initial=self._plain[nth]), accumulate(written, initial=self._written[nth])
            self._read = (nth, array("q", begins[0]), array("q", begins[1]), block.pieces)
        _, plain_at, written_at, pieces = self._read
        piece = bisect_right(plain_at, at) - 1
        if piece % 2 == 0:
            place = written_at[piece] + at - plain_at[piece]
            return place, place + 1
        end = written_at[piece + 1]
        found = _AS_FAR_AS_JSON_NESTS.search(pieces[piece][-_SHOWN:])
        return end - len(found[0] if found else pieces[piece]), end


class _Sought(NamedTuple):
    """A text that is searched for in a view, and patterns of what goes with it at either end."""

    view: str
    text: bytes
    before: re.Pattern[bytes] | None = None
    after: re.Pattern[bytes] | None = None

    def spans(self, views: "_Views") -> Iterator[_Span]:
        """Yield where it stands, with what goes with it."""
        view = views[self.view]
        begin = view.find(self.text)
        while begin >= 0:
            start, end = begin, begin + len(self.text)
            if begin and self.before and self.before.fullmatch(views.plain[begin - 1 : begin]):
                start = begin - 1
            if self.after and (found := self.after.match(views.plain[end : end + _LONGEST_END])):
                end += found.end()
            yield start, end
            begin = view.find(self.text, end)


_LONGEST_END = 8


class _Views:
    """One text as the ways of writing a secret need it, all of one length."""

    def __init__(self, plain: bytes) -> None:
        self.plain = plain
        self._made = {"plain": plain}

    def __getitem__(self, name: str) -> bytes:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = _VIEWS[name](self.plain)
        return made


_TO_BASE64 = bytes.maketrans(b"-_", b"+/")
_TO_SPACE = bytes.maketrans(b"+", b" ")
_VIEWS: dict[str, Callable[[bytes], bytes]] = {
    "lower": bytes.lower,
    "base64": lambda plain: plain.translate(_TO_BASE64),
    "form": lambda plain: plain.translate(_TO_SPACE),
}


class LinearSearch:
    """Searches texts for secrets, the longest first."""

    def __init__(self, secrets: Iterable[bytes]) -> None:
        secrets = list(secrets)
        self._literals = [form for secret in secrets for form in _forms(secret)]
        self._sought = list(dict.fromkeys(one for secret in secrets for one in _sought(secret)))

    def blanked(self, text: bytes, blank: bytes) -> bytes:
        """Return a text with something else in the place of each secret, or the text itself if it has none."""
        new = text
        for literal in self._literals:
            if literal in new:  # else it would be copied
                new = new.replace(literal, blank)
        escaped = Unescaped(new)
        views = _Views(escaped.plain)
        found = (span for one in self._sought for span in one.spans(views))
        spans = sorted(islice(found, MOST + 1))
        if not spans:
            return new
        return _filled(new, list(map(escaped.written, spans)), blank, is_all=len(spans) <= MOST)


def _filled(text: bytes, spans: list[_Span], blank: bytes, *, is_all: bool) -> bytes:
    """Put something in the place of each span, and where these are not all, of what follows the first of them."""
    if not is_all:
        return text[: min(map(itemgetter(0), spans))] + blank
    parts: list[bytes] = []
    position = 0
    for begin, end in spans:
        if begin >= position:
            parts += (text[position:begin], blank)
        position = max(position, end)
    return b"".join((*parts, text[position:]))


def _sought(secret: bytes) -> Iterator[_Sought]:
    for form in _forms(secret):
        meant = unescaped(form)
        yield _Sought("form", meant.translate(_TO_SPACE)) if b" " in meant else _Sought("plain", meant)
        if meant != form:
            yield _Sought("plain", form)
    for form in encodings(secret):
        yield _Sought("lower", form.hex().encode())
        for core in base64_cores(form):
            yield _Sought("base64", core.text, re.compile(core.before), re.compile(core.after))


def _forms(secret: bytes) -> list[bytes]:
    """Return the bytes that a secret is, once its escapes are read.

    Bytes beyond ASCII may be read as characters each, or as what stands for a byte outside UTF-8; characters beyond
    the first plane as two halves.
    """
    forms = [form for encoded in encodings(secret) for form in (encoded, *map(b"".join, _as_characters(encoded)))]
    try:
        units = secret.decode().encode("utf-16-be")
    except UnicodeDecodeError:
        units = b""
    halves = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    forms.append(b"".join(chr(half).encode("utf-8", "surrogatepass") for half in halves))
    return [form for form in dict.fromkeys(forms) if form]


def _as_characters(encoded: bytes) -> Iterator[list[bytes]]:
    for beyond in (0, 0xDC00):
        yield [
            bytes([byte]) if byte <= _LAST_OF_ASCII else chr(beyond + byte).encode("utf-8", "surrogatepass")
            for byte in encoded
        ]


_LAST_OF_ASCII = 0x7F
