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
from chatproxy.core.leaks.named import NAMES, named_secrets
from chatproxy.core.leaks.personal import emails, national_phones, phones
from chatproxy.core.leaks.private_keys import bare_keys, pem_keys
from chatproxy.core.leaks.randomness import is_random
from chatproxy.core.leaks.services import SERVICES, key_spans
from chatproxy.core.leaks.unmarked import api_secrets, auth_tokens, is_no_api_secret, is_no_auth_token
from chatproxy.core.twilio.sids import SID


class Detector(NamedTuple):
    """One kind of secret: its rule's name, what that finds, and where in a text it does.

    ``sign`` stands in the text in lower case wherever there is one, so that most texts need no closer look.
    ``secret`` is what is looked for if it is known. ``is_none`` tells of a place in a text that is found whether what
    stands around it makes it something else. One that is ``strict`` looks only if all is to be found.
    What one ``is_long`` finds has a run in it that ``has_run`` finds.
    """

    rule: str
    what: str
    sign: bytes
    spans: Callable[[bytes], Iterator[Span]]
    secret: bytes | None = None
    is_none: Callable[[bytes, int, int], bool] | None = None
    strict: bool = False
    is_long: bool = False


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


def _basic(found: re.Match[bytes]) -> Span | None:
    """Accept what decodes to a user name and a password, and what is left of that where some was written over."""
    if BLANK in found[1]:
        return None
    if whole := _BASE64.match(found[1]):
        for token in (whole[0], whole[0].partition(b"+")[0]):  # in a form ``+`` may be a space after it
            user, colon, password = base64_content(token).partition(b":")
            if _USER.fullmatch(user) and _PASSWORD.fullmatch(password):
                return None if password == BLANK else (found.start(), found.start(1) + len(token))
            if not colon and _PASSWORD.fullmatch(user) and not is_random(SID.sub(b"", user)):
                return None
    left = any(is_random(run[0]) for run in _LEFT.finditer(found[1][:_LOOKED_AT]))
    return (found.start(), found.end(1)) if left else None


_BASE64 = re.compile(rb"[A-Za-z0-9_+/-]{8,600}+={0,2}")
_LOOKED_AT = 160
_LEFT = re.compile(rb"[A-Za-z0-9+/]{16,}+")
_USER = re.compile(rb"[!-~]+")
_PASSWORD = re.compile(rb"[^\x00-\x1f\x7f]+")


def _bearer(found: re.Match[bytes]) -> Span | None:
    """Leave out words, however long and however joined."""
    return found.span() if is_random(found[1]) else None


def _url_credentials(found: re.Match[bytes]) -> Span | None:
    return None if found[1] == BLANK or _FILLING.fullmatch(found[1]) else found.span()


_FILLING = re.compile(rb"\$.*|\{.*\}|\*+|[xX]{3,}|\.{3}")
"""What stands for a password."""

_JSON_OBJECT = rb"(?:ey[JA]|ew[ok0])"  # base64 of { and a quote or white space

UNMARKED = (
    Detector(
        "twilio-auth-token",
        "what looks like a Twilio auth token",
        b"",
        auth_tokens,
        None,
        is_no_auth_token,
        is_long=True,
    ),
    Detector(
        "twilio-api-secret",
        "what looks like the secret of a Twilio API key",
        b"",
        api_secrets,
        None,
        is_no_api_secret,
        is_long=True,
    ),
)
"""Kinds that are told by what stands around them alone."""

DETECTORS = (
    *UNMARKED,
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
        _of(re.compile(rb"(?i:basic)[\s+]{1,8}(?!(?i:basic)[\s+])(?=([^\s\"'\\<>&,;]{8,600}+))"), _basic),
    ),
    Detector(
        "bearer-token",
        "a Bearer token",
        b"bearer",
        _of(re.compile(rb"(?i:bearer)[\s+:=]{1,8}([\w.~+/-]{16,}+=*+)"), _bearer),
    ),
    Detector("private-key", "the header of a private key", b"private", pem_keys),
    Detector("private-key", "a private key", b"", bare_keys, is_long=True),
    Detector(
        "url-credentials",
        "a URL with a password",
        b"://",
        _of(re.compile(rb"://[^\s/?#:@\"'<>\\]{0,200}+:([^\s/?#@\"'<>\\]{1,200}+)@[\w.-]{0,255}+"), _url_credentials),
    ),
    *(
        Detector("service-key", f"a key of {maker}", sign, key_spans(pattern), is_long=True)
        for maker, sign, pattern in SERVICES
    ),
    *(
        Detector("named-secret", "what its name says is a secret", sign, named_secrets(name))
        for sign, name in NAMES.items()
    ),
    Detector("email", "an e-mail address", b"@", emails),
    Detector("phone", "a phone number", b"+", phones),
    Detector("phone", "a phone number", b"", national_phones, strict=True),
)
"""In the order in which one is shown where several find the same text."""

PERSONAL = frozenset({"email", "phone"})
"""Rules whose findings users may write."""
