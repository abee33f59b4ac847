"""Secrets, and the encodings and places in which they come along, each in two halves as the ordinary inputs are.

All are made from a seed: none was ever in use, and no file has one in it.
"""

import gzip
import html
import json
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from string import ascii_letters, digits
from textwrap import wrap
from urllib.parse import quote, quote_plus

from core.leaks.samples import Made, attributes, field, form, header, query, said

one = Made(3)
other = Made(4)


def unpadded(text: str | bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(text if isinstance(text, bytes) else text.encode()).decode().rstrip("=")


def jwt(made: Made, **claims: object) -> str:
    """Return an access token."""
    head = {"typ": "JWT", "alg": "HS256", "cty": "twilio-fpa;v=1"}
    return ".".join((unpadded(json.dumps(head)), unpadded(json.dumps(claims)), unpadded(made.some_bytes(32))))


EC_PKCS8 = bytes.fromhex("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420")
RSA_PKCS8 = bytes.fromhex("308204be020100300d06092a864886f70d0101010500048204a8308204a40201000282010100")
RSA_PKCS1 = bytes.fromhex("308204a40201000282010100")
EC_SEC1 = bytes.fromhex("30770201010420")

TUNED = {
    "auth token": one.hex(32),
    "auth token in capitals": one.hex(32).upper(),
    "API key's secret": one.letters(32),
    "access token": jwt(one, jti=f"SK{one.hex(32)}-1", grants={"identity": "alice", "chat": {}}),
    "Basic": "Basic " + b64encode(f"AC{one.hex(32)}:{one.hex(32)}".encode()).decode(),
    "Basic, its user cut out": "Basic ..." + b64encode(f"x{one.hex(32)}".encode()).decode(),
    "Basic, its user written over": "Basic XXXXXXXXXXXXXXXXXXXX" + b64encode(f"0:{one.hex(32)}".encode()).decode(),
    "Bearer": "Bearer " + one.letters(40),
    "private key": "-----BEGIN PRIVATE KEY-----\n" + one.base64(EC_PKCS8, 100) + "\n-----END PRIVATE KEY-----\n",
    "APNs key without PEM lines": one.base64(EC_PKCS8, 101),
    "APNs key in RSA without PEM lines": one.base64(RSA_PKCS8, 1180),
    "FCM server key": f"AAAA{one.url_safe(7)}:APA91b{one.url_safe(134)}",
    "Google API key": "AIza" + one.url_safe(35),
    "Slack bot token": f"xoxb-{one.of(digits, 12)}-{one.of(digits, 13)}-{one.letters(24)}",
    "GitHub token": "ghp_" + one.letters(36),
    "AWS access key": "AKIA" + one.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    "AWS secret": "aws_secret_access_key=" + one.base64(b"", 30),
    "Stripe key": "sk_live_" + one.letters(24),
    "SendGrid key": f"SG.{one.url_safe(22)}.{one.url_safe(43)}",
    "URL with a password": f"postgres://chat:{one.letters(12)}@db.internal:5432/chat",
    "password by name": f'{{"password": "{one.letters(14)}"}}',
    "e-mail": "jane.doe@corp-mail.de",
    "number": "+4915123456789",
    "national number": "(415) 555-2671",
    "national number, German": "0151 23456789",
}

APART = {
    "auth token": other.hex(32),
    "auth token by name": f"TWILIO_AUTH_TOKEN={other.hex(32)}",
    "auth token in capitals": other.hex(32).upper(),
    "API key's secret": other.letters(32),
    "access token": jwt(other, iss=f"SK{other.hex(32)}", sub=f"AC{other.hex(32)}", exp=1700000000),
    "Basic": "basic " + b64encode(f"SK{other.hex(32)}:{other.letters(32)}".encode()).decode(),
    "Basic, its end cut off": "Basic " + b64encode(f"AC{other.hex(32)}:{other.hex(20)}".encode()).decode()[:70] + "...",
    "Basic, its middle written over": "Basic "
    + b64encode(f"AC{other.hex(32)}".encode()).decode()[:24]
    + "********"
    + b64encode(f"0:{other.hex(32)}".encode()).decode(),
    "Bearer": "Bearer " + other.hex(40),
    "private key": "-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join(wrap(other.base64(RSA_PKCS1, 1180), 64)),
    "RSA key without PEM lines": other.base64(RSA_PKCS1, 1180),
    "EC key without PEM lines": other.base64(EC_SEC1, 114),
    "FCM server key": f"AAAA{other.url_safe(7)}:APA91b{other.url_safe(134)}",
    "Google client secret": "GOCSPX-" + other.url_safe(28),
    "Google access token": "ya29.a0Af" + other.url_safe(120),
    "Slack user token": f"xoxp-{other.of(digits, 11)}-{other.of(digits, 11)}-{other.of(digits, 12)}-{other.hex(32)}",
    "Slack webhook": f"https://hooks.slack.com/services/T{other.capitals(8)}/B{other.capitals(10)}/{other.letters(24)}",
    "GitHub fine-grained token": f"github_pat_{other.letters(22)}_{other.letters(59)}",
    "AWS temporary key": "ASIA" + other.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    "Stripe restricted key": "rk_test_" + other.letters(24),
    "Stripe webhook secret": "whsec_" + other.letters(32),
    "SendGrid key": f"SG.{other.url_safe(22)}.{other.url_safe(43)}",
    "URL with a password": f"amqps://{other.letters(6)}:{other.letters(20)}@queue.internal",
    "secret by name": f"client_secret={other.of(ascii_letters + digits, 28)}4d",
    "key by name": f'"apiKey": "{other.hex(40)}"',
    "e-mail": "max_mustermann+test@firma.co.at",
    "number": "whatsapp:+5511987654321",
    "number with spaces": "+44 20 7946 0958",
    "national number": "415-555-2671",
    "national number, French": "06 12 34 56 78",
}

OF_USERS = ("e-mail", "number", "national")
"""How the names of those begin that users may write."""


def gzipped(text: str) -> str:
    """Return base64 of what gzip makes of a text among others."""
    return b64encode(gzip.compress(f"some words, then {text} and more".encode(), mtime=0)).decode()


def deflated(text: str) -> str:
    """Return base64 of what zlib makes of a text among others."""
    return b64encode(zlib.compress(json.dumps({"note": text}).encode())).decode()


def in_lines(text: str) -> str:
    """Return base64 in lines, as mail has it."""
    return "\r\n".join(wrap(b64encode(f"some words, then {text} and more".encode()).decode(), 76))


def escaped(text: str) -> str:
    r"""Write each character as ``\uXXXX``."""
    return "".join(f"\\u{ord(character):04x}" for character in text)


TUNED_ENCODINGS: dict[str, Callable[[str], str]] = {
    "a header field": lambda text: header("X-Note", text.replace("\n", " ")),
    "a field": lambda text: field("note", text),
    "a form": lambda text: form("Note", text),
    "attributes": lambda text: attributes(note=text),
    "percent twice": lambda text: query("q=" + quote(quote(text, safe=""), safe="")),
    "base64": lambda text: attributes(note=b64encode(f"note: {text}".encode()).decode()),
    "hexadecimal": lambda text: field("note", f"note: {text}".encode().hex()),
    "gzip in base64": lambda text: attributes(note=gzipped(text)),
    "HTML entities by number": lambda text: said("".join(f"&#{ord(character)};" for character in text)),
    "HTML": lambda text: said(f"<p>{html.escape(text)}</p>".replace("@", "&commat;").replace(":", "&colon;")),
}

APART_ENCODINGS: dict[str, Callable[[str], str]] = {
    "a message": lambda text: said(f"It is: {text}, keep it safe"),
    "a plain text": lambda text: f"notes:\n  - {text}\n",
    "compact JSON": lambda text: json.dumps({"a": {"b": [text]}}, separators=(",", ":")),
    "a form within a form": lambda text: form("Attributes", "note=" + quote_plus(text)),
    "each character in percent": lambda text: query("q=" + "".join(f"%{byte:02x}" for byte in text.encode())),
    "JSON escapes": lambda text: form("Note", escaped(text)),
    "base64url": lambda text: attributes(note=unpadded(f"note={text}")),
    "base64 in lines": lambda text: attributes(note=in_lines(text)),
    "base64 in base64": lambda text: field(
        "note", unpadded(json.dumps({"d": b64encode(f"x: {text}".encode()).decode()}))
    ),
    "hexadecimal in capitals": lambda text: attributes(note=f"note: {text}".encode().hex().upper()),
    "zlib in base64": lambda text: field("note", deflated(text)),
    "HTML entities in hexadecimal": lambda text: attributes(
        html="".join(f"&#x{ord(character):X};" for character in text)
    ),
}
