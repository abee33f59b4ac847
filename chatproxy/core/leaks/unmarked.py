"""Tokens without a mark: 32 hexadecimal digits, or as many letters and digits, less all else that looks the same.

What they are is told by what stands around them: a SID's type, a name, a file's ending, a longer text in base64.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from chatproxy.core.leaks.decoding import Span
from chatproxy.core.leaks.randomness import is_random, is_wordless
from chatproxy.core.products.sid_types import PREFIXES
from chatproxy.core.twilio.sids import SID


def auth_tokens(text: bytes) -> Iterator[Span]:
    """Yield where 32 hexadecimal digits stand, in small letters or in capitals, but those of known SIDs."""
    for found in _DIGITS.finditer(text):
        prefix = text[max(found.start() - 2, 0) : found.start()]
        if prefix not in _PREFIXES and not _is_by_escape(text, found):
            yield found.span()


_DIGITS = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])|(?<![0-9A-Za-z])[0-9A-F]{32}(?![0-9A-Za-z])")
_PREFIXES = frozenset(prefix.encode() for prefix in PREFIXES)


def api_secrets(text: bytes) -> Iterator[Span]:
    """Yield where 32 letters and digits stand, of each kind some."""
    for found in _LETTERS.finditer(text):
        if all(sign.search(found[0]) for sign in _MIXED) and is_random(found[0]) and not _is_by_escape(text, found):
            yield found.span()


def _is_by_escape(text: bytes, found: re.Match[bytes]) -> bool:
    """Tell whether what is found may be cut by an escape, whose digits look like its own: undone, it tells."""
    return _ESCAPE.search(text, max(found.start() - 3, 0), found.end() + 3) is not None


_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")


_LETTERS = re.compile(rb"(?<![A-Za-z0-9])[A-Za-z0-9]{32}(?![A-Za-z0-9])")
_MIXED = [re.compile(signs) for signs in (b"[a-z]", b"[A-Z]", b"[0-9]")]


def sid_tails(lines: Iterable[bytes]) -> frozenset[bytes]:
    """Return the digits of all SIDs of a text: what a program derives of one tells nothing that the SID does not."""
    return frozenset(chain.from_iterable(_TAIL.findall(line) for line in lines))


_TAIL = re.compile(rb"[A-Z]{2}([0-9a-f]{32})(?![0-9a-f])")


def is_no_auth_token(text: bytes, start: int, end: int) -> bool:
    """Tell whether digits are a SID's, a UUID's, a hash's, a trace's or a file's, or fill a place only."""
    digits, before = text[start:end], text[max(start - _BEFORE, 0) : start]
    if len(set(digits)) < _FEWEST_DIGITS or _is_sid(before, text[end : end + 1]):
        return True
    name = _name(before)
    if _SECRETIVE.search(name):
        return False
    return (
        _NAMING.search(name) is not None
        or _AFTER_HASHES.match(text, end) is not None
        or (_UUID.fullmatch(digits) is not None and not _SECRETIVE.search(before))
        or _is_traced(before, text[end : end + _PARENT])
        or _is_in_base64(text, start, end)
    )


def is_no_api_secret(text: bytes, start: int, end: int) -> bool:
    """Tell whether letters and digits are named as what names something, or are of a longer text in base64."""
    name = _name(text[max(start - _BEFORE, 0) : start])
    if _SECRETIVE.search(name):
        return False
    return _NAMING.search(name) is not None or _is_in_base64(text, start, end)


_BEFORE = 60
_FEWEST_DIGITS = 8
"""Of 32 digits by lot one in a million has fewer that differ; what fills a place has."""


def _is_sid(before: bytes, after: bytes) -> bool:
    return _SID_TYPE.search(before) is not None and not after.isalnum()


_SID_TYPE = re.compile(rb"(?:\A|[^0-9A-Za-z])(?:[A-Z]{2}){1,2}\Z")
"""Two capital letters, of any type; in a page token two more before them."""


def _name(before: bytes) -> bytes:
    """Return the name that a value stands at: of a field, a parameter, a header or the segment before.

    A word without a sign behind it is none, but of those that are written so.
    """
    named = _NAME.search(before)
    return named[1] if named and (named[2].strip(b" +") or _SPOKEN.fullmatch(named[1])) else b""


_NAME = re.compile(rb"([A-Za-z_][\w.-]*)([\\\"'\])}>]{0,6}[\s+]?(?:=>|[:=/|])?[\s+]?[\\\"'\[({<]{0,6})\Z")
_SPOKEN = re.compile(rb"(?i)commit|revision|md5|sha\d*|hash|checksum|uuid|guid|id|trace")
_SECRETIVE = re.compile(rb"(?i)token|secret|passw|pwd|auth(?!or)|credential|sess|key\b|apikey|private|signature|cookie")
_NAMING = re.compile(
    rb"(?:(?:(?:\A|[_.-])[iI]|I)[dD]s?\Z|(?i:uid|guid|traceid|spanid|requestid|userid|messageid|orderid|objectid)\Z)"
    rb"|(?i:hash|md5|sha\d*|digest|checksum|etag|match|fingerprint|commit|revision|version|trace|traceparent|b3"
    rb"|avatar|identity|unique_?name|from|author|_by|users|channels|members)\Z"
)
"""Names of what names something else, or tells its content; programs give Chat's identities and unique names."""
_AFTER_HASHES = re.compile(
    rb"(?i)[\w.-]{0,12}\.(?:js|css|map|png|jpe?g|gif|svg|webp|woff2?|mp[34]|pdf|cloudfront\.net)\b"
)
_UUID = re.compile(rb"[0-9a-fA-F]{12}4[0-9a-fA-F]{3}[89abAB][0-9a-fA-F]{15}")
"""Without dashes, version 4 (RFC 9562): of tokens one in 64 looks so."""


def _is_traced(before: bytes, after: bytes) -> bool:
    """Tell whether digits are the trace of a W3C or B3 trace context."""
    return _PARENT_SPAN.match(after) is not None and not before[-1:].isalnum()


_PARENT = 18
_PARENT_SPAN = re.compile(rb"-[0-9a-f]{16}(?:-|\Z)")


def _is_in_base64(text: bytes, start: int, end: int) -> bool:
    """Tell whether a place is of a longer base64 text, which is looked at decoded; paths and pairs of keys are none."""
    before, after = text[max(start - _AROUND, 0) : start], text[end : end + _AROUND]
    left = before[len(before.rstrip(_OF_BASE64)) :]
    right = after[: len(after) - len(after.lstrip(_OF_BASE64))]
    around = SID.sub(b"", left + b" " + right)
    if len(around) <= _SHORTEST_REST or not is_wordless(around):
        return False
    parts = [len(part) for part in _SIGNS.split(around)]
    return max(parts) >= _SHORTEST_PART and any(length not in _KEYS for length in parts)


_AROUND, _SHORTEST_REST, _SHORTEST_PART = 200, 24, 12
"""In base64 a sign that is neither a letter nor a digit comes after 31 others, so that hardly all parts are shorter."""
_OF_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
_SIGNS = re.compile(rb"[+/_ -]")
_KEYS = (0, 32)
