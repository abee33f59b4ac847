"""One HTTP request and its answer, byte for byte, without a library's conveniences in between."""

import http.client
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from aiohttp import encode_basic_auth
from integration.processes import PATIENCE
from integration.twilio_clients import ACCOUNT, CHANNEL, SERVICE, TOKEN

MESSAGES = f"/v1/Services/{SERVICE}/Channels/{CHANNEL}/Messages"
"""The path of the messages of one channel."""

FORM = "application/x-www-form-urlencoded"


def basic(token: str = TOKEN) -> dict[str, str]:
    """Return the header that authenticates the account."""
    return {"Authorization": encode_basic_auth(ACCOUNT, token)}


@dataclass(frozen=True)
class Answer:
    """What came back; header fields in their order and spelling."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the first field of this name."""
        return next((value for field, value in self.headers if field.lower() == name.lower()), None)

    @property
    def outcome(self) -> str | None:
        """What the proxy says to have done."""
        return self.header("x-chatproxy-outcome")

    @property
    def recorded(self) -> "Answer":
        """The answer without what the proxy says about it."""
        kept = tuple(field for field in self.headers if not field[0].lower().startswith("x-chatproxy-"))
        return Answer(self.status, self.reason, kept, self.body)


def ask(
    url: str,
    method: str,
    target: str,
    form: dict[str, str] | None = None,
    *,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> Answer:
    """Make one request on a connection of its own; with ``form`` as a form."""
    place = urlsplit(url)
    assert place.hostname is not None
    if form is not None:
        headers, body = {"Content-Type": FORM, **(headers or {})}, urlencode(form).encode()
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=PATIENCE)
    return answered(connection, method, target, body, headers)


def answered(
    connection: http.client.HTTPConnection, method: str, target: str, body: bytes, headers: dict[str, str] | None
) -> Answer:
    """Make one request on a connection, and close it."""
    try:
        connection.request(method, target, body or None, {**basic(), **(headers or {})})
        answer = connection.getresponse()
        return Answer(answer.status, answer.reason, tuple(answer.getheaders()), answer.read())
    finally:
        connection.close()
