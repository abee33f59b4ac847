"""What a secret looks like: a table of kinds, each with where in a text it stands.

The patterns are our own: collections of others (detect-secrets among them, last released in May 2024) take every
``AC…`` and ``SK…`` for a secret, and those are SIDs, which a fixture is made of. Each takes time in proportion to the
text: what can be long is possessive, bounded, or looked for from its rarest sign.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from chatproxy.core.credentials.blanking import BLANK
from chatproxy.core.credentials.encodings import spellings
from chatproxy.core.leaks.decoding import Span, base64_content
from chatproxy.core.products.sid_types import PREFIXES


class Detector(NamedTuple):
    """One kind of secret: its rule's name, what that finds, and where in a text it does.

    ``sign`` stands in the text in lower case wherever there is one, so that most texts need no closer look.
    ``secret`` is what is looked for if it is known.
    """

    rule: str
    what: str
    sign: bytes
    spans: Callable[[bytes], Iterator[Span]]
    secret: bytes | None = None


def known(credential: bytes) -> Iterator[Detector]:
    """Yield detectors for a credential that is in use, in each encoding."""
    for spelling in spellings(credential):
        yield Detector(KNOWN, "a credential of the environment", b"", _of(spelling.sign), credential)


KNOWN = "known-credential"

Accept = Callable[[re.Match[bytes]], Span | None]


def _of(pattern: re.Pattern[bytes], accept: Accept = re.Match.span) -> Callable[[bytes], Iterator[Span]]:
    """Make the function that finds a pattern, less what is not accepted."""

    def spans(text: bytes) -> Iterator[Span]:
        for found in pattern.finditer(text):
            if span := accept(found):
                yield span

    return spans


def _auth_token(found: re.Match[bytes]) -> Span | None:
    """Leave out SIDs; those of a type that is not known are found with their type, so that it can be allowed."""
    start, end = found.span()
    prefix = found.string[max(start - 2, 0) : start]
    if prefix.decode("latin-1") in PREFIXES:
        return None
    return (start - 2, end) if _TYPE.fullmatch(found.string[max(start - 3, 0) : start]) else (start, end)


_TYPE = re.compile(rb"[^0-9A-Za-z]?[A-Z]{2}")


def _api_secret(found: re.Match[bytes]) -> Span | None:
    return found.span() if all(sign.search(found[0]) for sign in _MIXED) else None


_MIXED = [re.compile(signs) for signs in (b"[a-z]", b"[A-Z]", b"[0-9]")]


def _basic(found: re.Match[bytes]) -> Span | None:
    """Accept what decodes to a user name and a password; in a form ``+`` may be a space after it."""
    for token in (found[1], found[1].partition(b"+")[0]):
        user, _, password = base64_content(token).partition(b":")
        if _USER.fullmatch(user) and _PASSWORD.fullmatch(password) and password != BLANK:
            return found.start(), found.start(1) + len(token)
    return None


_USER = re.compile(rb"[!-~]+")
_PASSWORD = re.compile(rb"[^\x00-\x1f\x7f]+")


def _bearer(found: re.Match[bytes]) -> Span | None:
    """Leave out words: several joined by signs, without a digit."""
    return found.span() if found[1].isalpha() or _MIXED[2].search(found[1]) else None


def _url_credentials(found: re.Match[bytes]) -> Span | None:
    return None if found[1] == BLANK else found.span()


def _email(found: re.Match[bytes]) -> Span | None:
    """Look for the name before the ``@``, since to begin with it would take quadratic time."""
    before = found.string[max(found.start() - _LONGEST_NAME, 0) : found.start()]
    name = len(before) - len(before.rstrip(_OF_NAMES))
    if not name or _RESERVED_DOMAIN.search(found[0]):
        return None
    return found.start() - name, found.end()


_LONGEST_NAME = 64  # RFC 5321 section 4.5.3.1.1
_OF_NAMES = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+'-" + bytes(range(0x80, 0x100))
_RESERVED_DOMAIN = re.compile(rb"(?i)[@.](?:example\.(?:com|net|org)|example|test|invalid|localhost)\Z")  # RFC 2606


def _phone(found: re.Match[bytes]) -> Span | None:
    return None if _RESERVED_NUMBER.fullmatch(found[0]) else found.span()


_RESERVED_NUMBER = re.compile(rb"\+1[2-9][0-9]{2}55501[0-9]{2}|\+999[0-9]{11}")
"""555-0100 to 555-0199 of every area is set aside for fiction in North America; 999 is no country's: a pseudonym."""

_DOMAIN = rb"@(?:[A-Za-z0-9\x80-\xff-]{1,63}+\.)+(?:[A-Za-z]{2,24}|[\x80-\xff]{4,64})"
_JSON_OBJECT = rb"(?:ey[JA]|ew[ok0])"  # base64 of { and a quote or white space

DETECTORS = (
    Detector(
        "twilio-auth-token",
        "what looks like a Twilio auth token",
        b"",
        _of(re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"), _auth_token),
    ),
    Detector(
        "twilio-api-secret",
        "what looks like the secret of a Twilio API key",
        b"",
        _of(re.compile(rb"(?<![A-Za-z0-9])[A-Za-z0-9]{32}(?![A-Za-z0-9])"), _api_secret),
    ),
    Detector(
        "jwt",
        "a JSON Web Token, as Twilio's access tokens are",
        b".e",
        _of(re.compile(rb"(?<![\w-])%b[\w-]{4,}+\.%b[\w-]*+\.[\w-]*+" % (_JSON_OBJECT, _JSON_OBJECT))),
    ),
    Detector(
        "basic-credentials",
        "credentials of Basic authentication",
        b"basic",
        _of(re.compile(rb"(?i:basic)[\s+]{1,8}(?=([A-Za-z0-9_+/-]{8,600}+={0,2}))"), _basic),
    ),
    Detector(
        "bearer-token",
        "a Bearer token",
        b"bearer",
        _of(re.compile(rb"(?i:bearer)[\s+:=]{1,8}([\w.~+/-]{16,}+=*+)"), _bearer),
    ),
    Detector(
        "private-key",
        "the header of a private key",
        b"private",
        _of(re.compile(rb"-----BEGIN[ +][A-Z0-9 +]{0,40}PRIVATE[ +]KEY(?:[ +]BLOCK)?-----")),
    ),
    Detector(
        "url-credentials",
        "a URL with a password",
        b"://",
        _of(re.compile(rb"://[^\s/?#:@\"'<>\\]{0,200}+:([^\s/?#@\"'<>\\]{1,200}+)@[\w.-]{0,255}+"), _url_credentials),
    ),
    Detector("email", "an e-mail address", b"@", _of(re.compile(_DOMAIN), _email)),
    Detector(
        "phone", "a phone number", b"+", _of(re.compile(rb"(?<![0-9A-Za-z])\+[1-9][0-9]{6,14}+(?![0-9])"), _phone)
    ),
)
"""In the order in which one is shown where several find the same text."""

PERSONAL = frozenset({"email", "phone"})
"""Rules whose findings users may write."""
