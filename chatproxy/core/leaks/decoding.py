r"""What a text stands for: its URL and JSON escapes undone, and what its base64 and hexadecimal runs hold.

- ``unescaped`` undoes one layer of ``%41``, ``\u0041`` and ``\"``; ``origins`` says where its characters stood.
- ``runs`` finds what may be base64 or hexadecimal, ``contents`` what texts that may hold.

All take time in proportion to the text, whatever stands in it.
"""

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator

from chatproxy.core.twilio.sids import SID

Span = tuple[int, int]
"""Where something begins in a text, and where it ends."""


def unescaped(text: bytes) -> bytes:
    """Undo one layer of URL and JSON escapes; what is no escape stands for itself."""
    return _ESCAPE.sub(_character, text)


_ESCAPE = re.compile(
    rb"%([0-9A-Fa-f]{2})"
    rb"|\\(?:u([dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|([\"\\/bfnrt]))"
)


def _character(escape: re.Match[bytes]) -> bytes:
    if escape[1]:
        return bytes.fromhex(escape[1].decode())
    if escape[4]:
        return _LETTERS.get(escape[4], escape[4])
    units = bytes.fromhex((escape[3] or escape[2].replace(rb"\u", b"")).decode())
    character = units.decode("utf-16-be", "surrogatepass")
    try:
        return character.encode("utf-8", "surrogateescape")  # \udcXX is how a fixture writes a byte that is no UTF-8
    except UnicodeEncodeError:
        return escape[0]


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


def runs(text: bytes) -> Iterator[Span]:
    """Yield what may be base64 or hexadecimal, less SIDs; what stands between slashes or line ends also by itself."""
    text = SID.sub(_NO_RUN, text)
    for found in _BASE64.finditer(text):
        yield found.span()
        if _ENDS.search(found[0]):
            yield from ((found.start() + part.start(), found.start() + part.end()) for part in _PART.finditer(found[0]))
    for found in _HEXADECIMAL.finditer(text):
        yield found.span()


def has_run(text: bytes) -> bool:
    """Tell whether a text has anything as long as what may be base64, hexadecimal or a token, less SIDs."""
    return _RUN.search(SID.sub(_NO_RUN, text)) is not None


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
    for content in decoded:
        if text := b"\0".join(_TEXT.findall(content)):
            yield text


_TEXT = re.compile(rb"(?:[\t\n\r -~]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}){12,}+")
"""Of ASCII and of what is formed as UTF-8 is: one in four bytes at random would do, twelve in a row hardly."""


def base64_content(text: bytes) -> bytes:
    """Decode base64 or base64url, with or without its padding; what is left over at the end is left out."""
    digits = text.translate(_STANDARD, b"\r\n=")
    return b64decode(digits[: len(digits) - (len(digits) % 4 == 1)] + b"==")


_STANDARD = bytes.maketrans(b"-_", b"+/")
