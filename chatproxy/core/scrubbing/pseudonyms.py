"""Pseudonyms: what stands for a value that must not be shared, the same wherever the value is the same.

The laws:

1. A pseudonym is a keyed hash of the value; without the salt nobody can tell the value by trying all of them.
2. It is of the value's type: a SID of that type, an e-mail address, a phone number, a number, else a text.
3. It is known as one by its look, so that it gets no pseudonym in turn.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

from chatproxy.core.text import json_text as jsontext
from chatproxy.core.twilio.sids import SID

PSEUDONYM = re.compile(rb"pseudonym-[0-9a-f]{16}|[0-9a-f]{16}(?:@|%40)pseudonym\.invalid|(?:\+|%2[Bb])999\d{11}")
"""The pseudonym of a text, also URL-encoded; that of a SID can be told with the salt only."""

NUMBER_PSEUDONYM = re.compile(rb"999\d{12}")
"""An integer that binary64 holds; no phone number or card number has 15 digits and begins so."""

TEXT_PSEUDONYM = re.compile(PSEUDONYM.pattern.decode())
_TEXT_SID = re.compile(SID.pattern.decode())

_MAIL = re.compile(r'[^@\s"\[\]]+@[^@\s"\[\]]+\.[^@\s"\[\]]+')
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
"""E.164; 999 is no country's code."""

_EMPTY = frozenset({b"", b"{}", b"[]"})
"""Twilio's default of ``attributes`` is an empty object, which clients read."""

_PHONE_DIGITS, _NUMBER_DIGITS = 11, 12


@dataclass(frozen=True)
class Pseudonyms:
    """Makes pseudonyms under a salt, which is a secret."""

    salt: str

    def of_text(self, text: str) -> str:
        """Return the pseudonym of a text; one that is a pseudonym already stays, and so does one that tells nothing.

        A JSON object or array has the same pseudonym in every spelling.
        """
        if self.is_one(text) or _meaning(text) in _EMPTY:
            return text
        if _TEXT_SID.fullmatch(text):
            return self._sid(text[:2], self._digest(_meaning(text), 12).hex())
        if _PHONE.fullmatch(text):
            return f"+999{self._digits(text, _PHONE_DIGITS)}"
        hexes = self._digest(_meaning(text), 8).hex()
        return f"{hexes}@pseudonym.invalid" if _MAIL.fullmatch(text) else f"pseudonym-{hexes}"

    def of_number(self, number: bytes) -> bytes:
        """Return the pseudonym of a JSON number, whatever its spelling."""
        if NUMBER_PSEUDONYM.fullmatch(number):
            return number
        canonical = jsontext.canonical(b"[%b]" % number) or number
        return f"999{self._digits(canonical.decode(), _NUMBER_DIGITS)}".encode()

    def is_one(self, text: str) -> bool:
        """Tell whether a text is a pseudonym as a whole."""
        return TEXT_PSEUDONYM.fullmatch(text) is not None or self._is_sid(text)

    def _sid(self, prefix: str, hexes: str) -> str:
        """Return a SID that has its own check at its end, by which it is known."""
        return prefix + hexes + self._digest(b"check:" + hexes.encode(), 4).hex()

    def _is_sid(self, text: str) -> bool:
        return _TEXT_SID.fullmatch(text) is not None and text == self._sid(text[:2], text[2:26])

    def _digits(self, text: str, count: int) -> str:
        return str(int.from_bytes(self._digest(_meaning(text), 16), "big") % 10**count).zfill(count)

    def _digest(self, meaning: bytes, size: int) -> bytes:
        return blake2b(meaning, key=self._key, digest_size=size).digest()

    @cached_property
    def _key(self) -> bytes:
        return blake2b(self.salt.encode("utf-8", "surrogatepass")).digest()


def _meaning(text: str) -> bytes:
    written = text.encode("utf-8", "surrogatepass")
    return jsontext.canonical(written) or written
