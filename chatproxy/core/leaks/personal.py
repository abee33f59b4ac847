"""What leads to a person: e-mail addresses and phone numbers, less those that are set aside for examples."""

import re
from collections.abc import Iterator

from chatproxy.core.leaks.decoding import Span


def emails(text: bytes) -> Iterator[Span]:
    """Yield where addresses stand, looking from the ``@`` for the name before: else it takes quadratic time."""
    for found in _DOMAIN.finditer(text):
        before = text[max(found.start() - _LONGEST_NAME, 0) : found.start()]
        name = len(before) - len(before.rstrip(_OF_NAMES))
        if name and not _RESERVED_DOMAIN.search(found[0]) and before[-name:] != b"git":  # a remote, no mailbox
            yield found.start() - name, found.end()


_LONGEST_NAME = 64  # RFC 5321 section 4.5.3.1.1
_OF_NAMES = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+'-" + bytes(range(0x80, 0x100))
_DOMAIN = re.compile(rb"@(?:[A-Za-z0-9\x80-\xff-]{1,63}+\.)+(?:[A-Za-z]{2,24}|[\x80-\xff]{4,64})")
_RESERVED_DOMAIN = re.compile(
    rb"(?i)[@.](?:example\.(?:com|net|org)|example|test|invalid|localhost)\Z"  # RFC 2606
    rb"|@[1-4]x\.(?:png|jpe?g|gif|webp)\Z"  # a picture for screens of more dots
)


def phones(text: bytes) -> Iterator[Span]:
    """Yield where numbers with the code of their country stand (E.164), with spaces and the like among them or not."""
    for found in _INTERNATIONAL.finditer(text):
        if _FEWEST <= len(digits := found[0].translate(None, _APART)) <= _MOST and not _RESERVED.fullmatch(digits):
            yield found.span()


_INTERNATIONAL = re.compile(
    rb"(?<![0-9A-Za-z])\+[1-9](?:[0-9]{6,14}+"
    rb"|[0-9]{0,2}(?:[ ./+-]?\(0?[0-9]{0,4}\))?(?:[ ./+-][0-9]{1,9}(?:[ ./+-][0-9]{2,9}){0,6})?)(?![0-9])"
)
_APART = b" ()./-"
_FEWEST, _MOST = 8, 16
"""With the plus sign."""
_RESERVED = re.compile(rb"\+1[2-9][0-9]{2}55501[0-9]{2}|\+999[0-9]{11}")
"""555-0100 to 555-0199 of every area is set aside for fiction in North America; 999 is no country's: a pseudonym."""


def national_phones(text: bytes) -> Iterator[Span]:
    """Yield where numbers stand as they are written within a country; what else has digits is like them."""
    for found in _NATIONAL.finditer(text):
        digits = found[0].translate(None, _NO_DIGITS)
        if not (_DATE.match(found[0]) or digits[3:].startswith(b"55501")):
            yield found.start() + len(found[0]) - len(found[0].lstrip(_NAMED)), found.end()


_NATIONAL = re.compile(
    rb"(?<![\w+.,:/-])(?<![0-9][ +])(?:"
    rb"\([2-9][0-9]{2}\)[ +]?[2-9][0-9]{2}[ +.-][0-9]{4}|[2-9][0-9]{2}([ +.-])[2-9][0-9]{2}\1[0-9]{4}"  # North America
    rb"|\(?0[1-9][0-9]{0,4}\)?(?:[ +/-]{1,3}[0-9]{2,8}){1,5}|0[1-9][0-9]{8,10}"  # with the zero of long distances
    rb"|(?i:phone|mobile|telefon|tel|fax|msisdn)(?i:_?number)?[\\\"']{0,4}[\s+]?[:=][\s+]?[\\\"']{0,4}[0-9]{7,15}"
    rb")(?![\w-])(?!\.[0-9])"
)
_DATE = re.compile(rb"[0-9]{1,2}[/-][0-9]{1,2}[/-][0-9]{2,4}")
_NO_DIGITS = bytes(range(ord("0"))) + bytes(range(ord("9") + 1, 0x100))
_NAMED = bytes(set(range(0x100)) - set(b"0123456789("))
