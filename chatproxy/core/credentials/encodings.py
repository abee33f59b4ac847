r"""Every way in which a known secret may stand in a text, as patterns to search for.

Any mix of plain, URL-encoded (also several times, in either case) and JSON-escaped characters (also nested); base64
and base64url wherever it begins; hexadecimal. Of characters beyond ASCII both UTF-8 and Latin-1 count, since clients
put either into Basic credentials, and so does ``\u00e9``.
"""

import re
from base64 import b64encode
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple, Self


class Searched(NamedTuple):
    """A text to search for spellings in, with what all of them ask of it."""

    text: bytes
    lower: bytes
    has_escapes: bool

    @classmethod
    def of(cls, text: bytes) -> Self:
        """Look at a text once for all spellings."""
        return cls(text, text.lower(), b"%" in text or b"\\" in text)


class Spelling(NamedTuple):
    """A pattern that is quick to search for, and one for all that is to be blanked.

    ``literal`` is the one text that the first can match: in small letters whatever the text's are if it ``is_digits``,
    and in a text without escapes if it ``is_plain``. To look for that takes a hundredth of the time.
    """

    sign_text: bytes
    whole_text: bytes
    literal: bytes = b""
    is_digits: bool = False
    is_plain: bool = False

    @property
    def sign(self) -> re.Pattern[bytes]:
        """The pattern to search for."""
        return _compiled(self.sign_text)

    @property
    def whole(self) -> re.Pattern[bytes]:
        """The pattern of what is to be blanked."""
        return _compiled(self.whole_text)

    def is_in(self, searched: Searched) -> bool:
        """Tell whether the secret stands in a text in this spelling."""
        if not self.literal or (self.is_plain and searched.has_escapes):
            return self.sign.search(searched.text) is not None
        return self.literal in (searched.lower if self.is_digits else searched.text)


@lru_cache(256)  # when it is first searched for, which most never are: all of a secret's take 50 ms
def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern)


class Glance:
    """Tells whether any of several spellings stands in a text, at a fifth of the cost of asking each."""

    def __init__(self, several: list[Spelling]) -> None:
        self._literals = [one.literal for one in several if one.literal and not one.is_digits]
        self._digits = [one.literal for one in several if one.literal and one.is_digits]
        self._patterns = [one for one in several if not one.literal]
        self._all_patterns = [*self._patterns, *(one for one in several if one.literal and one.is_plain)]

    def finds(self, text: bytes) -> bool:
        """Tell whether one of the spellings is in a text."""
        for literal in self._literals:
            if literal in text:
                return True
        lower = text.lower() if self._digits else b""
        for digits in self._digits:
            if digits in lower:
                return True
        patterns = self._all_patterns if b"%" in text or b"\\" in text else self._patterns
        return any(pattern.sign.search(text) for pattern in patterns)


def spellings(secret: bytes) -> list[Spelling]:
    """Return the patterns of one secret; a byte of it that is no UTF-8 makes it Latin-1."""
    text = _characters(secret)
    spelled = b"".join(_run(character, len(list(run))) for character, run in groupby(text))
    plain = secret if secret.isascii() and b" " not in secret else b""
    found = [Spelling(spelled, spelled, plain, is_plain=True)]
    for form in _encodings(text):
        found += map(_in_base64, base64_cores(form))
        digits = b"".join(_hexadecimal(byte) for byte in form)
        found.append(Spelling(digits, digits, form.hex().encode(), is_digits=True))
    return found


def _characters(secret: bytes) -> str:
    try:
        return secret.decode()
    except UnicodeDecodeError:
        return secret.decode("latin-1")


def encodings(secret: bytes) -> list[bytes]:
    """Return a secret as UTF-8 and as Latin-1, where they differ and there is one."""
    return _encodings(_characters(secret))


def _encodings(text: str) -> list[bytes]:
    """Return a text as UTF-8 and as Latin-1, where they differ and there is one."""
    encoded = [text.encode()]
    if not text.isascii() and all(ord(character) <= _LAST_OF_LATIN_1 for character in text):
        encoded.append(text.encode("latin-1"))
    return encoded


_LAST_OF_LATIN_1 = 0xFF


def _run(character: str, count: int) -> bytes:
    r"""Match a character that stands so often in a row.

    For ``\\`` alone it is not told which sign belongs to which: to try all ways takes exponential time.
    """
    if character != "\\":
        return _character(character) * count
    return rb"(?:(?:\\|%%(?:25)*+5[cC])(?:u005[cC])?){%d,%d}" % (count, _MOST_SIGNS * count)


def _character(character: str) -> bytes:
    """Match one character as the bytes of either encoding, or as JSON escapes it."""
    ways = [b"".join(_byte(byte) for byte in encoded) for encoded in _encodings(character)]
    if not character.isascii():
        units = character.encode("utf-16-be")
        ways += [
            b"".join(_escaped(b"u" + b"".join(map(_hexadecimal, units[at : at + 2]))) for at in range(0, len(units), 2))
        ]
    return b"(?:" + b"|".join(ways) + b")" if len(ways) > 1 else ways[0]


def _byte(byte: int) -> bytes:
    """Match one byte plain, URL-encoded (also twice) or JSON-escaped, or both; the longest first."""
    digits = _hexadecimal(byte)
    plain = re.escape(bytes([byte]))
    high = rb"(?:00|[dD][cC])" if byte > _LAST_OF_ASCII else b"00"  # a fixture writes a byte that is no UTF-8 as \udcXX
    percent = rb"%(?:25)+" if byte == ord("%") else rb"%%(?:25)*+%b" % digits
    ways = [percent, *_escapes(b"u" + high + digits), plain]
    if byte in _JSON_LETTERS:
        ways[:0] = _escapes(_JSON_LETTERS[byte])
    elif byte in _JSON_SIGNS:
        ways[:0] = _escapes(rb"(?:%b|%b)" % (plain, percent))
    if byte == ord(" "):
        ways.append(rb"(?:\+|%(?:25)*+2[bB])")
    return b"(?:" + b"|".join(ways) + b")"


def _escapes(what: bytes) -> list[bytes]:
    """Match an escape in JSON, which in JSON within JSON within JSON has seven signs.

    Without a bound a long run of them takes quadratic time. Each way begins with one certain character: so the search
    passes over all others, which is ten times as fast.
    """
    return [begin + _MORE_SIGNS + what for begin in (rb"\\", rb"%(?:25)*+5[cC]")]


def _escaped(what: bytes) -> bytes:
    return b"(?:" + b"|".join(_escapes(what)) + b")"


_LAST_OF_ASCII = 0x7F
_MORE_SIGNS = rb"(?:\\|%(?:25)*+5[cC]){0,6}"
_MOST_SIGNS = 8
_JSON_LETTERS = {0x08: b"b", 0x09: b"t", 0x0A: b"n", 0x0C: b"f", 0x0D: b"r"}
_JSON_SIGNS = frozenset(b'"/\\')


def _hexadecimal(byte: int) -> bytes:
    """Match the two digits of a byte in either case."""
    return "".join(f"[{digit.lower()}{digit.upper()}]" for digit in f"{byte:02x}").encode()


class Base64(NamedTuple):
    """The digits of base64 that are made of a secret alone, and patterns of those that share its bits at either end."""

    text: bytes
    before: bytes
    after: bytes


def _in_base64(core: Base64) -> Spelling:
    certain = b"".join(map(_digit, core.text))
    whole = (core.before and core.before + b"?") + certain + core.after
    return Spelling(certain, whole, certain if certain.isalnum() else b"")


def base64_cores(secret: bytes) -> list[Base64]:
    """Return a secret inside a longer base64 text, wherever its first byte falls in a group of three.

    What shares its bits with what stands around it is one digit at either end, and no more: the next may be a path's.
    """
    cores = []
    for offset in range(3):
        inside = (offset + len(secret)) // 3 * 3 - offset
        encoded = b64encode(bytes(offset) + secret[:inside])
        before = _shared(bytes(offset), secret[: 3 - offset], b"") if offset else b""
        cores.append(Base64(encoded[_CERTAIN[offset] :], before, _end_of_base64(secret[inside:])))
    return cores


_CERTAIN = (0, 2, 3)
"""How many characters of the first group also depend on what stands before the secret."""


def _end_of_base64(rest: bytes) -> bytes:
    """Match the last bytes of a secret, fewer than three, in a group with others or padded."""
    if not rest:
        return b""
    fill = bytes(3 - len(rest))
    certain = b"".join(map(_digit, b64encode(rest)[: len(rest)]))
    return b"(?:%b%b%b{0,%d})?" % (certain, _shared(b"", rest, fill), _byte(ord("=")), len(fill))


def _shared(before: bytes, part: bytes, after: bytes) -> bytes:
    """Match the digit of a group of base64 that shares its bits between a part that is known and bytes that are not."""
    place = len(before) or len(part)
    groups = (fill * len(before) + part + fill * len(after) for fill in (b"\0", b"\xff"))
    first, last = (_DIGITS.index(b64encode(group)[place]) for group in groups)
    digits = (digit for value, digit in enumerate(_DIGITS) if value & ~(first ^ last) == first)
    return b"(?:" + b"|".join(map(_digit, digits)) + b")"


_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _digit(digit: int) -> bytes:
    """Match a digit of base64, of which two have other spellings."""
    return b"(?:%b|%b)" % (_byte(digit), _OF_URLS[digit]) if digit in _OF_URLS else bytes([digit])


_OF_URLS = {ord("+"): b"-", ord("/"): b"_"}
"""The two digits of base64url that differ, RFC 4648 section 5."""
