"""Texts as files have them: fixtures with something at one place, and values that are made at random from a seed."""

import json
from base64 import b64encode
from hashlib import md5
from random import Random
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from urllib.parse import quote_plus
from uuid import UUID

from exchanges import numbered
from fixture.fixtures import written
from strategies import FORM, JSON, MESSAGES, UPSTREAM

from chatproxy.core.model import Headers, Request, Response

SID = "IM" + "5e8b2c9f70d14a63" * 2


def header(name: str, value: str) -> str:
    """Return a fixture whose answer has this header field."""
    return _fixture(answer=((name.encode(), value.encode()),))


def asked(name: str, value: str) -> str:
    """Return a fixture whose request has this header field."""
    return _fixture(request=((name.encode(), value.encode()),))


def field(name: str, value: object) -> str:
    """Return a fixture whose answer has this field."""
    return _fixture(body={name: value})


def attributes(**inner: object) -> str:
    """Return a fixture whose answer and request have these attributes, JSON within JSON and within a form."""
    text = json.dumps(inner)
    return _fixture(body={"attributes": text}, form={"Attributes": text})


def form(name: str, value: str) -> str:
    """Return a fixture whose request has this parameter."""
    return _fixture(form={name: value})


def said(text: str) -> str:
    """Return a fixture of a message with this text."""
    return _fixture(body={"body": text}, form={"Body": text})


def query(text: str) -> str:
    """Return a fixture whose request has this query."""
    return _fixture(query=text.encode())


def path(text: str) -> str:
    """Return a fixture whose request has more segments in its path."""
    return _fixture(path=text.encode())


def _fixture(  # noqa: PLR0917 - by name alone
    answer: Headers = (),
    request: Headers = (),
    body: object = None,
    form: dict[str, str] | None = None,
    query: bytes = b"",
    path: bytes = b"",
) -> str:
    sent = "&".join(f"{name}={quote_plus(value)}" for name, value in (form or {"Body": "Hello"}).items())
    said = {"sid": SID, **(body if isinstance(body, dict) else {})}
    asks = Request("POST", MESSAGES + path + b"?" + query, (FORM, *request), sent.encode())
    answers = Response(200, b"OK", (JSON, *answer), json.dumps(said).encode())
    return written([numbered(1, asks, answers, UPSTREAM, 0, 0, 0, None)])


class Made:
    """Values that are made from a seed, so that no file has a secret in it."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def of(self, alphabet: str, length: int) -> str:
        """Return so many characters."""
        return "".join(self._random.choice(alphabet) for _ in range(length))

    def hex(self, length: int) -> str:
        """Return so many hexadecimal digits."""
        return self.of("0123456789abcdef", length)

    def letters(self, length: int) -> str:
        """Return letters and digits, of each kind at least one."""
        made = self.of(ascii_letters + digits, length - 3)
        return made + self.of(ascii_lowercase, 1) + self.of(ascii_uppercase, 1) + self.of(digits, 1)

    def capitals(self, length: int) -> str:
        """Return capital letters and digits."""
        return self.of(ascii_uppercase + digits, length)

    def url_safe(self, length: int) -> str:
        """Return digits of base64url."""
        return self.of(ascii_letters + digits + "-_", length - 3) + "a7B"

    def some_bytes(self, length: int) -> bytes:
        """Return so many bytes."""
        return self._random.randbytes(length)

    def base64(self, begin: bytes, length: int) -> str:
        """Return a file in base64 that begins so."""
        return b64encode(begin + self.some_bytes(length)).decode()

    def uuid(self, version: int = 4) -> UUID:
        """Return a UUID."""
        return UUID(bytes=self.some_bytes(16), version=version)

    def md5(self) -> str:
        """Return an MD5 of something."""
        return md5(self.some_bytes(9), usedforsecurity=False).hexdigest()
