"""The header fields by which an answer says what became of its request."""

from collections.abc import Sequence

from chatproxy.core.model import ExchangeNumber, Headers, Outcome, Response

OUTCOME = b"x-chatproxy-outcome"
EXCHANGE = b"x-chatproxy-exchange"
SKIPPED = b"x-chatproxy-skipped"
ASSUMED = b"x-chatproxy-assumed"
_HIT = OUTCOME + b": hit\r\n" + EXCHANGE + b": %b/%d\r\n"

Assumed = tuple[tuple[str, str], ...]
"""SIDs that were assumed to stand for recorded ones, each with that."""


def hit(cassette: str, number: ExchangeNumber, skipped: Sequence[ExchangeNumber], assumed: Assumed) -> bytes:
    """Return the fields of an answer that was recorded, as text."""
    marks = _HIT % (cassette.encode(), number)
    if skipped:
        marks += SKIPPED + b": " + ",".join(map(str, skipped)).encode() + b"\r\n"
    if assumed:
        marks += b"".join(b"%b: %b\r\n" % header for header in _assumed(assumed))
    return marks


def marked(answer: Response, outcome: Outcome, exchange: str | None = None, assumed: Assumed = ()) -> Response:
    """Return an answer with the fields that say so."""
    marks = [(OUTCOME, outcome.encode())] + ([(EXCHANGE, exchange.encode())] if exchange else [])
    return Response(answer.status, answer.reason, (*answer.headers, *marks, *_assumed(assumed)), answer.body)


def _assumed(assumed: Assumed) -> Headers:
    return tuple((ASSUMED, f"{live}={recorded}".encode()) for live, recorded in assumed)
