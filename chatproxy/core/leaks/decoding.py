r"""What a text stands for: its escapes undone, and what its base64 and hexadecimal runs hold.

- ``unescaped`` undoes one layer of ``%41``, ``\u0041``, ``\"``, ``&#65;`` and ``&amp;``; ``origins`` says where its
  characters stood.
- ``runs`` finds what may be base64 or hexadecimal, ``contents`` what texts that may hold, compressed ones too.

All take time in proportion to the text, whatever stands in it.
"""

import re
import zlib
from base64 import b64decode
from collections.abc import Iterable, Iterator

from chatproxy.core.twilio.sids import SID

Span = tuple[int, int]
"""Where something begins in a text, and where it ends."""


def unescaped(text: bytes) -> bytes:
    """Undo one layer of URL, JSON and HTML escapes; what is no escape stands for itself."""
    return _ESCAPE.sub(_character, text)


_ESCAPE = re.compile(
    rb"%([0-9A-Fa-f]{2})"
    rb"|\\(?:u([dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|([\"\\/bfnrt]))"
    rb"|&(?:#(?:0{0,4}([0-9]{1,7})|[xX]0{0,4}([0-9A-Fa-f]{1,6}))|([a-z]{2,6}));"
)


def has_escape(text: bytes) -> bool:
    """Tell whether a text may have an escape."""
    return b"\\" in text or b"%" in text or (b"&" in text and _OF_HTML.search(text) is not None)


_OF_HTML = re.compile(rb"&(?:#[xX]?[0-9A-Fa-f]|[a-z]{2,6};)")


def _character(escape: re.Match[bytes]) -> bytes:
    if escape[1]:
        return bytes.fromhex(escape[1].decode())
    if escape[4]:
        return _LETTERS.get(escape[4], escape[4])
    if escape.lastindex and escape.lastindex >= _HTML:
        return _of_html(escape)
    units = bytes.fromhex((escape[3] or escape[2].replace(rb"\u", b"")).decode())
    character = units.decode("utf-16-be", "surrogatepass")
    try:
        return character.encode("utf-8", "surrogateescape")  # \udcXX is how a fixture writes a byte that is no UTF-8
    except UnicodeEncodeError:
        return escape[0]


def _of_html(escape: re.Match[bytes]) -> bytes:
    if escape[7]:
        return _ENTITIES.get(escape[7], escape[0])
    code = int(escape[5]) if escape[5] else int(escape[6], 16)
    return escape[0] if code in _SURROGATES or code > _LAST_CODE else chr(code).encode()


_HTML = 5
"""The first of the groups of HTML."""
_SURROGATES, _LAST_CODE = range(0xD800, 0xE000), 0x10FFFF
_ENTITIES = {
    b"amp": b"&",
    b"quot": b'"',
    b"lt": b"<",
    b"gt": b">",
    b"apos": b"'",
    b"commat": b"@",
    b"colon": b":",
    b"comma": b",",
    b"period": b".",
    b"plus": b"+",
    b"equals": b"=",
    b"sol": b"/",
}
"""Of the signs that secrets have."""
_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def origins(text: bytes, places: Iterable[int]) -> dict[int, Span]:
    """Return, for places in the unescaped text, where what stands there begins and ends in the text itself."""
    wanted = sorted(set(places), reverse=True)
    found = {}
    shift = 0
    for escape in _ESCAPE.finditer(text):
        if not wanted:
            break
        begin = escape.start() - shift
        end = begin + len(_character(escape))
        while wanted and wanted[-1] < end:
            place = wanted.pop()
            found[place] = escape.span() if place >= begin else (place + shift, place + shift + 1)
        shift = escape.end() - end
    return found | {place: (place + shift, place + shift + 1) for place in wanted}


def without_sids(text: bytes) -> bytes:
    """Return a text with spaces in the place of SIDs; one that has no run has none of these anyway."""
    return SID.sub(_NO_RUN, text) if has_run(text) else text


def runs(text: bytes) -> Iterator[Span]:
    """Yield what may be base64 or hexadecimal; what stands between slashes or line ends also by itself."""
    for found in _BASE64.finditer(text):
        yield found.span()
        if _ENDS.search(found[0]):
            yield from ((found.start() + part.start(), found.start() + part.end()) for part in _PART.finditer(found[0]))
    for found in _HEXADECIMAL.finditer(text):
        yield found.span()


def has_run(text: bytes) -> bool:
    """Tell whether a text has anything as long as what may be base64, hexadecimal or a token."""
    return _RUN.search(text) is not None


_NO_RUN = b" " * 34
"""As long as a SID, so that places stay."""
SHORTEST = 16
"""Characters of base64 that are looked into; they hold twelve bytes."""
_RUN = re.compile(rb"[\w+/-]{%d}" % SHORTEST)
_BASE64 = re.compile(rb"(?<![\w+/-])[A-Za-z0-9_+/-]{%d,}+(?:\r?\n[A-Za-z0-9_+/-]++)*+" % SHORTEST)
"""MIME breaks base64 into lines (RFC 2045 section 6.8), which an escaped text shows in one."""
_ENDS = re.compile(rb"[/\n]")
_PART = re.compile(rb"[^/\r\n]{%d,}+" % SHORTEST)
_HEXADECIMAL = re.compile(rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{24,}+")


def contents(run: bytes) -> Iterator[bytes]:
    """Yield the texts that a run may hold, read from each of its first characters on, in case others stand before it.

    Only what is text for twelve characters or more counts; the rest is taken for something else that looks like base64.
    """
    decoded = [base64_content(run[first:]) for first in range(4)]
    if _HEXADECIMAL.fullmatch(run):
        decoded += [bytes.fromhex(run[first : len(run) - (len(run) - first) % 2].decode()) for first in range(2)]
    for content in (*decoded, *filter(None, map(_inflated, decoded))):
        if text := b"\0".join(_TEXT.findall(content)):
            yield text


_TEXT = re.compile(rb"(?:[\t\n\r -~]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}){12,}+")
"""Of ASCII and of what is formed as UTF-8 is: one in four bytes at random would do, twelve in a row hardly."""


def _inflated(content: bytes) -> bytes:
    """Return what gzip or zlib made a content of, up to a bound that grows with it; else nothing."""
    if not content.startswith(_COMPRESSED):
        return b""
    inflating = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        return inflating.decompress(content, _MOST_INFLATED * len(content))
    except zlib.error:
        return b""


_COMPRESSED = (b"\x1f\x8b\x08", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
"""How gzip (RFC 1952) and zlib (RFC 1950) begin."""
_MOST_INFLATED = 100


def base64_content(text: bytes) -> bytes:
    """Decode base64 or base64url, with or without its padding; what is left over at the end is left out."""
    digits = text.translate(_STANDARD, b"\r\n=")
    return b64decode(digits[: len(digits) - (len(digits) % 4 == 1)] + b"==")


_STANDARD = bytes.maketrans(b"-_", b"+/")
