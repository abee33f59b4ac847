"""Private keys: in PEM, and without its lines in base64 or hexadecimal, as a push credential is often given."""

import re
from base64 import b64decode
from collections.abc import Iterator

from chatproxy.core.leaks.decoding import Span


def pem_keys(text: bytes) -> Iterator[Span]:
    """Yield where the first lines of private keys stand."""
    for found in _PEM.finditer(text):
        yield found.span()


_PEM = re.compile(rb"-----BEGIN[ +][A-Z0-9 +]{0,40}PRIVATE[ +]KEY(?:[ +]BLOCK)?-----")


def bare_keys(text: bytes) -> Iterator[Span]:
    """Yield where private keys begin without such a line, in base64 or hexadecimal."""
    for found in _BASE64.finditer(text):
        if found[0].startswith(_OPENSSH) or _DER.match(b64decode(found[0].translate(_OF_URLS))):
            yield found.span()
    for found in _DIGITS.finditer(text):
        if _DER.match(bytes.fromhex(found[0].decode())):
            yield found.span()


_BASE64 = re.compile(rb"(?:M[CGHI]|b3)[A-Za-z0-9+/_-]{38}")
"""Of files of 34 bytes and more."""
_OPENSSH = b"b3BlbnNzaC1rZXktdjE"
_OF_URLS = bytes.maketrans(b"-_", b"+/")
_DIGITS = re.compile(rb"30[0-9A-Fa-f]{58}")
_DER = re.compile(
    rb"""(?sx) \x30 (?: \x81. | \x82.. | [\x10-\x7f] ) (?:
          \x02\x01[\x00\x01] \x30[\x05-\x20] \x06        # PKCS 8: a version, the OID of an algorithm
        | \x02\x01\x00 \x02(?: \x81. | \x82.. | [\x10-\x7f] )  # PKCS 1: a version, a modulus
        | \x02\x01\x01 \x04                              # SEC 1
        | \x02\x01\x03 \x30                              # PKCS 12
        | \x30[\x10-\x7f] \x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05  # PKCS 8, with a password
    )"""
)
"""How the sequence of ASN.1 begins that each kind of file with a private key is."""
