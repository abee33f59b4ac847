"""What a client made of a SID that it was given, and that is none itself: it is another text for each fresh SID."""

import re
from base64 import b64decode
from collections.abc import Iterable

from chatproxy.core.model import LiveSid, RecordedSid

_LOOKED_AT = 2000
"""How many bytes of a value are looked at, once as they are and once decoded."""


def derived_from(recorded: bytes, live: bytes, pairs: Iterable[tuple[LiveSid, RecordedSid]]) -> LiveSid | None:
    """Return the SID from which a client derived a value that differs from the recorded one, if it is seen from that.

    A short form counts where the recorded value has the same of the recorded SID; 12 digits tell by themselves.
    """
    text, before = _texts(live), _texts(recorded)
    for sid, other in pairs:
        for form, beside in zip(_forms(sid), _forms(other), strict=True):
            if form in text and (len(form) >= _CERTAIN or beside in before):
                return sid
    return None


_CERTAIN = 12

_SHORT = (12, 8, 6)
"""How many digits of a SID are looked for at its begin and its end."""


def _forms(sid: bytes) -> list[bytes]:
    """Return the digits of a SID in whichever case, as a UUID, backwards, and their first and last ones."""
    digits = sid[2:]
    uuid = b"-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    forms = [digits, uuid, digits[::-1]]
    forms += [part for count in _SHORT for part in (digits[:count], digits[-count:])]
    return forms + [form.upper() for form in forms]


_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){32,}")


def _texts(value: bytes) -> bytes:
    """Return a value with what stands in it in base64 and in hex, as text and as digits."""
    value = value[:_LOOKED_AT]
    found = [value]
    for token in _BASE64.findall(value):
        even = token[: len(token) - (len(token) % 4 == 1)].translate(_URL_SAFE)
        decoded = b64decode(even + b"=" * (-len(even) % 4))
        found += [decoded, decoded.hex().encode()]
    found += [bytes.fromhex(token.decode()) for token in _HEX.findall(value)]
    return b"\n".join(found)


_URL_SAFE = bytes.maketrans(b"-_", b"+/")
