r"""Every way in which a known secret may stand in a text, as patterns to search for.

Any mix of plain, URL-encoded (also several times, in either case) and JSON-escaped characters (also nested); base64
and base64url wherever it begins; hexadecimal. Of characters beyond ASCII both UTF-8 and Latin-1 count, since clients
put either into Basic credentials, and so does ``\u00e9``.
"""

import re
from base64 import b64encode
from collections.abc import Iterator

Spelling = tuple[re.Pattern[bytes], re.Pattern[bytes]]
"""A pattern that is quick to search for, and one for all that is to be blanked."""


def spellings(secret: bytes) -> list[Spelling]:
    """Return the patterns of one secret; a byte of it that is no UTF-8 makes it Latin-1."""
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        text = secret.decode("latin-1")
    spelled = re.compile(b"".join(_character(character) for character in text))
    found = [(spelled, spelled)]
    rest = rb"[\w+/-]{0,4}"
    for form in _encodings(text):
        found += [(re.compile(core), re.compile(rest + core + rest + b"={0,2}")) for core in _base64(form)]
        digits = re.compile(b"".join(_hexadecimal(byte) for byte in form))
        found.append((digits, digits))
    return found


def clues(secret: bytes) -> list[bytes]:
    """Return texts of which one occurs, in either case, wherever a pattern of the secret matches plain text.

    Plain is a text without ``%`` and a backslash, in which every other character can be spelled. To look for these
    costs a tenth of what searching the patterns does.
    """
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        text = secret.decode("latin-1")
    runs = [_longest(re.findall(rb"[!-~]+", text.encode("ascii", "replace").replace(b"?", b" ")))]
    for form in _encodings(text):
        runs += [_longest(re.findall(rb"[A-Za-z0-9]+", core)) for core in _certain_base64(form)]
        runs.append(form.hex().encode())
    return [run.lower() for run in runs]


def _longest(runs: list[bytes]) -> bytes:
    return max(runs, key=len, default=b"")


def _encodings(text: str) -> list[bytes]:
    """Return a text as UTF-8 and as Latin-1, where they differ and there is one."""
    encoded = [text.encode()]
    if not text.isascii() and all(ord(character) <= _LAST_OF_LATIN_1 for character in text):
        encoded.append(text.encode("latin-1"))
    return encoded


_LAST_OF_LATIN_1 = 0xFF


def _character(character: str) -> bytes:
    """Match one character as the bytes of either encoding, or as JSON escapes it."""
    ways = [b"".join(_byte(byte) for byte in encoded) for encoded in _encodings(character)]
    if not character.isascii():
        units = character.encode("utf-16-be")
        ways += [
            b"".join(rb"%bu%b%b" % (_ESCAPE, *map(_hexadecimal, units[at : at + 2])) for at in range(0, len(units), 2))
        ]
    return b"(?:" + b"|".join(ways) + b")" if len(ways) > 1 else ways[0]


def _byte(byte: int) -> bytes:
    """Match one byte plain, URL-encoded (also twice) or JSON-escaped, or both; the longest first."""
    digits = _hexadecimal(byte)
    plain = re.escape(bytes([byte]))
    high = rb"(?:00|[dD][cC])" if byte > _LAST_OF_ASCII else b"00"  # a fixture writes a byte that is no UTF-8 as \udcXX
    percent = rb"%(?:25)+" if byte == ord("%") else rb"%%(?:25)*+%b" % digits
    ways = [percent, rb"%bu%b%b" % (_ESCAPE, high, digits), plain]
    if byte in _JSON_LETTERS:
        ways.insert(0, _ESCAPE + _JSON_LETTERS[byte])
    elif byte in _JSON_SIGNS:
        ways.insert(0, rb"%b(?:%b|%b)" % (_ESCAPE, plain, percent))
    if byte == ord(" "):
        ways.append(rb"(?:\+|%(?:25)*+2[bB])")
    return b"(?:" + b"|".join(ways) + b")"


_LAST_OF_ASCII = 0x7F
_ESCAPE = rb"(?:\\|%(?:25)*+5[cC]){1,7}"
"""An escape in JSON within JSON within JSON has seven; without a bound a long run of them takes quadratic time."""
_JSON_LETTERS = {0x08: b"b", 0x09: b"t", 0x0A: b"n", 0x0C: b"f", 0x0D: b"r"}
_JSON_SIGNS = frozenset(b'"/\\')


def _hexadecimal(byte: int) -> bytes:
    """Match the two digits of a byte in either case."""
    return "".join(f"[{digit.lower()}{digit.upper()}]" for digit in f"{byte:02x}").encode()


def _base64(secret: bytes) -> list[bytes]:
    """Match the secret inside a longer base64 text, wherever its first byte falls in a group of three."""
    return [
        b"".join(_BASE64_SPELLINGS.get(char, re.escape(char)) for char in _bytes(certain))
        for certain in _certain_base64(secret)
    ]


def _certain_base64(secret: bytes) -> Iterator[bytes]:
    """Yield what certainly stands in a longer base64 text, for each place in a group of three."""
    for offset in range(3):
        whole = (offset + len(secret)) // 3 * 3 - offset
        yield b64encode(bytes(offset) + secret[:whole])[_CERTAIN[offset] :]


_CERTAIN = (0, 2, 3)
"""How many characters of the first group also depend on what stands before the secret."""
_BASE64_SPELLINGS = {b"+": b"(?:[+-]|%2[bB])", b"/": rb"(?:\\?/|_|%2[fF])"}


def _bytes(text: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in text]
