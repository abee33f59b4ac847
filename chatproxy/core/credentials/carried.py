"""What the credentials of a request are made of: its users, and the secrets, however their field is written.

1. A field has several credentials where commas part them, and each a scheme, and behind it a token or parameters
   (RFC 9110 section 11.4); what does not keep to that is read as well as it can be. Of more than ``MOST`` none is
   looked at by itself.
2. A parameter is a secret, except for those that say who asks, or for what.
3. Basic credentials may have either alphabet of base64, with its padding or without.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error

from chatproxy.core.http.headers import AUTHORIZATIONS
from chatproxy.core.model import Headers, header_values

MOST = 16
"""How many credentials or parameters of one field are looked at: Digest has a dozen (RFC 7616 section 3.4)."""


def secrets_of(headers: Headers) -> set[bytes]:
    """Return what the credentials of a request consist of, except for its user names."""
    secrets, users = set(), set()
    for name in AUTHORIZATIONS:
        for value in header_values(headers, name):
            secrets.add(_apart(value)[1] or value.strip())
            several = _BETWEEN_COMMAS.findall(value)
            for credentials in several if len(several) <= MOST else ():
                secrets |= _tokens(credentials)
                user, password = basic(credentials)
                secrets.add(password)
                users.add(user)
    return secrets - users


def basic(credentials: bytes) -> tuple[bytes, bytes]:
    """Return user name and password of Basic authentication (RFC 7617), empty for another."""
    scheme, token = _apart(credentials)
    if scheme.lower() != b"basic":
        return b"", b""
    digits = token.strip(b'"').rstrip(b"=").translate(_EITHER_ALPHABET)
    try:
        user, _, password = b64decode(digits + b"=" * (-len(digits) % 4)).partition(b":")
    except Base64Error:
        return b"", b""
    return user, password


_EITHER_ALPHABET = bytes.maketrans(b"-_", b"+/")


def _apart(credentials: bytes) -> tuple[bytes, bytes]:
    """Return the scheme of credentials, and what stands behind it."""
    scheme, *rest = _SPACE.split(credentials.strip(), maxsplit=1)
    return scheme, rest[0].strip() if rest else b""


def _tokens(credentials: bytes) -> set[bytes]:
    """Return the token of credentials, or the values of their parameters."""
    text = credentials.strip()
    parameter = _PARAMETER.fullmatch(text)
    if parameter is None:
        token = _SCHEME.sub(b"", text, count=1).strip(b'"')
        return {token}
    return set() if parameter[1].lower() in _NO_SECRETS else {parameter[2].strip(b'"')}


_BETWEEN_COMMAS = re.compile(rb'(?:[^,"]++|"[^"]*+"?)++')
_SPACE = re.compile(rb"[ \t]+")
_SCHEME = re.compile(rb"[A-Za-z][\w-]*(?:[ \t]+|:[ \t]*)")
_PARAMETER = re.compile(rb'(?:[A-Za-z][\w-]*[ \t]+)?([\w-]+)[ \t]*=[ \t]*("[^"]*"?|[^=\s"][^\s"]*)')
_NO_SECRETS = frozenset(
    {b"username", b"username*", b"realm", b"uri", b"algorithm", b"qop", b"nc", b"opaque", b"charset", b"userhash"}
)
