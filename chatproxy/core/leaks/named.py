"""Secrets that are told by their names: what stands at ``password``, ``client_secret``, ``apiKey`` and the like."""

import re
from collections.abc import Callable, Iterator

from chatproxy.core.credentials.blanking import BLANK
from chatproxy.core.leaks.decoding import Span
from chatproxy.core.leaks.randomness import is_random
from chatproxy.core.twilio.sids import SID

NAMES = {
    b"passw": rb"(?i:passw)",
    b"pwd": rb"(?i:pwd)",
    b"secret": rb"(?i:secret)",
    b"token": rb"(?i:token)",
    b"credential": rb"(?i:credential)",
    b"key": rb"(?i:(?:api|auth|access|account|secret|private|server|signing|encryption|master|storage)[ _-]?key)",
}
"""What is in the name of a secret, by what that has in small letters."""


def named_secrets(name: bytes) -> Callable[[bytes], Iterator[Span]]:
    """Make the function that finds what stands at such names and looks drawn by lot; spans are of the values."""
    pattern = re.compile(name + _VALUE)

    def spans(text: bytes) -> Iterator[Span]:
        for found in pattern.finditer(text):
            before = text[max(found.start() - _LONGEST_PLACE, 0) : found.start()]
            if not (_OTHER_NAME.search(found[1]) or _PLACE.search(before)) and _is_secret(found[2]):
                yield found.span(2)

    return spans


_VALUE = (
    rb"([\w-]{0,24}+)[\\\"'\]]{0,6}[\s+]{0,3}(?:=>|[:=]|is\b)[\s+]{0,3}[\\\"'\[(]{0,6}"
    rb"([^\s\"'\\<>(){}\[\],;&%%%b]{12,400}+)" % b"`"
)
_OTHER_NAME = re.compile(rb"(?i)(?:id|ids|type|names?|url|uri|endpoint|method|hash|expires?|in|at|ttl|length|count)\Z")
"""How a name ends of what is told about a secret."""
_PLACE = re.compile(rb"(?i)(?:page|next|previous|continuation|cursor|sync|device|push|registration|idempotency)[_-]?\Z")
"""What a token stands for that is a place in a list, or an address."""
_LONGEST_PLACE = 16


def _is_secret(value: bytes) -> bool:
    return (
        BLANK not in value
        and SID.search(value) is None
        and _FILLING.search(value) is None
        and _DIGIT.search(value) is not None
        and is_random(value)
    )


_DIGIT = re.compile(rb"[0-9]")
_FILLING = re.compile(
    rb"(?i)(?:^|[\s:/\"'])\$|\$[{(]|\*\*\*|\.\.\.|xxxx|^(?:your|my|example|change|dummy|placeholder|redact|filter|https?:)"
)
"""What stands for a secret, or leads to one."""
