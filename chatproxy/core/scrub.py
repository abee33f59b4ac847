"""Credentials never reach the disk: which header fields are dropped, and how a live secret is blanked.

A secret (the password of Basic, the token of Bearer) is searched for in everything about to be stored, in any
mix of plain, URL-encoded and JSON-escaped characters, and in base64. The user name is no secret.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import replace

from chatproxy.core.headers import end_to_end
from chatproxy.core.model import Headers, Request, Response, header_values
from chatproxy.core.normalize import Rules
from chatproxy.core.sids import SID_SEGMENT

MINIMUM_LENGTH = 16
"""Shorter passwords are not searched for: they would blank ordinary words."""

BLANK = b"__blanked__"
"""Of characters that stand for themselves in URLs, forms and JSON."""

_CREDENTIAL = re.compile(rb"authorization|cookie|token|secret|password|api-?key|signature", re.IGNORECASE)
"""Names of headers with credentials: Authorization, Cookie, Set-Cookie, X-Api-Key, X-Twilio-Signature and the like."""


def is_credential(name: bytes) -> bool:
    """Tell whether a header field of this name is never stored."""
    return _CREDENTIAL.search(name) is not None


def user_name(headers: Headers) -> str | None:
    """Return the Basic user name if it is a SID (an account's or an API key's), else nothing."""
    users = (_basic(value)[0] for value in header_values(headers, b"authorization"))
    return next((user.decode() for user in users if is_user_name(user)), None)


def is_user_name(user: bytes) -> bool:
    """Tell whether a Basic user name is an account's or an API key's SID; others are not kept."""
    return SID_SEGMENT.fullmatch(user) is not None and user[:2] in (b"AC", b"SK")


class Blanker:
    """Blanks the secrets of one request wherever they occur, in it and in its response."""

    def __init__(self, headers: Headers) -> None:
        secrets = {secret for secret in _secrets(headers) if len(secret) >= MINIMUM_LENGTH}
        longest_first = sorted(secrets, key=len, reverse=True)
        self._patterns = [pattern for secret in longest_first for pattern in _patterns(secret)]

    def text(self, text: bytes) -> bytes:
        """Blank the secrets in one text."""
        for sign, whole in self._patterns:
            if sign.search(text):
                text = whole.sub(BLANK, text)
        return text

    def for_key(self, request: Request, rules: Rules) -> Request:
        """Return a live request with those parts blanked that its key is made of under these rules."""
        target, body = self.text(request.target), self.text(request.body)
        headers = self.headers(request.headers) if rules.match_headers or rules.scrub else request.headers
        return replace(request, target=target, headers=headers, body=body)

    def headers(self, headers: Headers) -> Headers:
        """Keep the end-to-end fields without those of credentials, and blank them."""
        kept = end_to_end(headers)
        return tuple((self.text(name), self.text(value)) for name, value in kept if not is_credential(name))

    def request(self, request: Request) -> Request:
        """Return the request as it may be stored."""
        return replace(
            request,
            target=self.text(request.target),
            headers=self.headers(request.headers),
            body=self.text(request.body),
        )

    def response(self, response: Response) -> Response:
        """Return the response as it may be stored."""
        return replace(
            response,
            reason=self.text(response.reason),
            headers=self.headers(response.headers),
            body=self.text(response.body),
        )


def _secrets(headers: Headers) -> set[bytes]:
    """Return what the credentials of a request consist of, but for its user names."""
    secrets, users = set(), set()
    for name in _AUTHORIZATIONS:
        for value in header_values(headers, name):
            scheme, _, token = value.strip().partition(b" ")
            user, password = _basic(value)
            secrets |= {token.strip() or scheme, password}
            users.add(user)
    return secrets - users


def _basic(credentials: bytes) -> tuple[bytes, bytes]:
    """Return user name and password of Basic authentication (RFC 7617), empty for another."""
    scheme, _, token = credentials.strip().partition(b" ")
    if scheme.lower() != b"basic":
        return b"", b""
    try:
        user, _, password = b64decode(token.strip(), validate=False).partition(b":")
    except Base64Error:
        return b"", b""
    return user, password


def _patterns(secret: bytes) -> list[tuple[re.Pattern[bytes], re.Pattern[bytes]]]:
    """Return for every encoding a pattern that is quick to search for, and one for all that is to be blanked."""
    spelled = re.compile(b"".join(_spellings(byte) for byte in secret))
    rest = rb"[\w+/-]{0,4}"
    return [(spelled, spelled)] + [
        (re.compile(core), re.compile(rest + core + rest + b"={0,2}")) for core in _base64(secret)
    ]


def _spellings(byte: int) -> bytes:
    """Match one byte plain, URL-encoded (also twice) or JSON-escaped, or both; the longest first."""
    hexes = "".join(f"[{digit.lower()}{digit.upper()}]" for digit in f"{byte:02x}").encode()
    plain = re.escape(bytes([byte]))
    spellings = [rb"%%(?:25)*%b" % hexes, rb"%bu00%b" % (_ESCAPE, hexes), plain]
    if byte in _JSON_LETTERS:
        spellings.insert(0, _ESCAPE + _JSON_LETTERS[byte])
    elif byte in _JSON_SIGNS:
        spellings.insert(0, rb"%b(?:%b|%%(?:25)*%b)" % (_ESCAPE, plain, hexes))
    if byte == ord(" "):
        spellings.append(rb"(?:\+|%(?:25)*2[bB])")
    return b"(?:" + b"|".join(spellings) + b")"


_ESCAPE = rb"(?:\\|%(?:25)*5[cC]){1,7}"
"""An escape in JSON within JSON within JSON has seven; without a bound a long run of them takes quadratic time."""
_JSON_LETTERS = {0x08: b"b", 0x09: b"t", 0x0A: b"n", 0x0C: b"f", 0x0D: b"r"}
_JSON_SIGNS = frozenset(b'"/\\')


def _base64(secret: bytes) -> list[bytes]:
    """Match the secret inside a longer base64 text, wherever its first byte falls in a group of three."""
    patterns = []
    for offset in range(3):
        whole = (offset + len(secret)) // 3 * 3 - offset
        encoded = b64encode(bytes(offset) + secret[:whole])
        certain = encoded[_CERTAIN[offset] :]
        patterns.append(b"".join(_BASE64_SPELLINGS.get(char, re.escape(char)) for char in _bytes(certain)))
    return patterns


_CERTAIN = (0, 2, 3)
"""How many characters of the first group also depend on what stands before the secret."""
_BASE64_SPELLINGS = {b"+": b"(?:[+-]|%2[bB])", b"/": rb"(?:\\?/|_|%2[fF])"}


def _bytes(text: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in text]


class Blankers:
    """Keeps the blankers of the credentials seen lately, since making one costs a thousand times its use."""

    _BOUND = 64

    def __init__(self) -> None:
        self._by_credentials: dict[tuple[bytes, ...], Blanker] = {}

    def of(self, headers: Headers) -> Blanker:
        """Return the blanker for the credentials in these headers."""
        credentials = tuple(value for name, value in headers if name.lower() in _AUTHORIZATIONS)
        blanker = self._by_credentials.get(credentials)
        if blanker is None:
            if len(self._by_credentials) >= self._BOUND:
                self._by_credentials.clear()
            blanker = self._by_credentials[credentials] = Blanker(headers)
        return blanker


_AUTHORIZATIONS = (b"authorization", b"proxy-authorization")
