"""The values that every part speaks in: requests, responses, exchanges, and what an engine decides.

Bytes stay bytes and repeats stay repeats: a header list is never folded into a mapping, a body is
never decoded and encoded again on its way through.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from chatproxy.core.products.every import TWILIO_HOST, TWILIO_ORIGIN
from chatproxy.core.text.excerpts import printable

Headers = tuple[tuple[bytes, bytes], ...]

ExchangeNumber = NewType("ExchangeNumber", int)
"""The number of an exchange, unique in its cassette and from 1 on."""

NO_EXCHANGE = ExchangeNumber(0)
"""In place of a number: there is none, or it would come before the first."""

NO_CREDENTIALS, OTHER_CREDENTIALS = "none", "other"
"""In place of a user name: the request had no credentials; it had some without a user name that is a SID."""

RecordedSid = NewType("RecordedSid", bytes)
"""A SID as a cassette has it."""

LiveSid = NewType("LiveSid", bytes)
"""A SID as the client, or today's upstream, has it; of one that a rule scrubs, the pseudonym."""


class Mode(StrEnum):
    """What to do with a request: the words are those of the command line."""

    RECORD = "record"
    REPLAY = "replay"
    AUTO = "auto"
    PASSTHROUGH = "passthrough"

    @property
    def records(self) -> bool:
        """Whether what goes to the upstream is kept."""
        return self in {Mode.RECORD, Mode.AUTO}

    @property
    def replays(self) -> bool:
        """Whether requests are answered from a cassette, as far as it has answers."""
        return self in {Mode.REPLAY, Mode.AUTO}


class Outcome(StrEnum):
    """What became of a request, in the words of the header ``x-chatproxy-outcome``, the journal and the report."""

    HIT = "hit"
    """It was answered from the cassette."""
    MISS = "miss"
    """The cassette has no answer, and nobody else was to be asked."""
    RECORDED = "recorded"
    """The upstream answered, and the exchange was kept."""
    PASSED = "passed"
    """The upstream answered, and nothing was kept."""
    ERROR = "error"
    """It could not be taken, or the upstream gave no usable answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as the client sent it.

    ``target`` is the origin-form of RFC 9112 section 3.2.1: path and query, escapes as sent. ``host`` is the
    host that the request is meant for; behind a reverse proxy that is the upstream's. ``origin`` is the
    address by which the client reached us (``http://127.0.0.1:8765``), to which URLs in answers are turned.
    """

    method: str
    target: bytes
    headers: Headers = ()
    body: bytes = b""
    origin: str = TWILIO_ORIGIN
    host: str = TWILIO_HOST

    @property
    def path(self) -> bytes:
        """The target without its query."""
        return self.target.partition(b"?")[0]

    @property
    def line(self) -> str:
        """Method and target for a person to read."""
        return printable(f"{self.method} {self.target.decode('ascii', 'backslashreplace')}")


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response; its body is decoded (no content coding) and whole."""

    status: int
    reason: bytes = b""
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a canonical fixture of version 2 says that an exchange stands.

    ``epoch`` is that of its own timeline; ``below`` are the timelines below a written member, each by its path, with
    the epoch that the write opens there.
    """

    epoch: int
    below: tuple[tuple[bytes, int], ...] = ()


@dataclass(frozen=True, slots=True)
class InOrder:
    """What a fixture says of an exchange whose state is that of those above it in the file, and of some others.

    ``with_`` are the writes below that had been done, ``without`` those above that had not. ``counts`` tells of a
    write that was answered 4xx that it had been done before, and ``is_doubtful`` of a write that it answers nothing.
    """

    with_: tuple[ExchangeNumber, ...] = ()
    without: tuple[ExchangeNumber, ...] = ()
    counts: bool = False
    is_doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response as recorded, without credentials.

    Numbers follow the moments at which the upstream's answers came. ``asked`` and ``answered`` are those
    moments in microseconds since 1970, UTC. ``after`` is the number of the last write that had been answered
    when the request came, 0 if there was none. ``upstream`` is the origin that was asked; ``user`` the Basic
    user name if it is a SID (AC… or SK…), else which credentials came in its place, None where that is not known.
    ``standing`` is given by a canonical fixture of version 2, ``in_order`` by one of version 3; where there is neither,
    it is derived from the moments. ``abandoned`` tells that the client gave up before the answer came.
    """

    number: ExchangeNumber
    request: Request
    response: Response
    upstream: str
    asked: int
    answered: int
    after: ExchangeNumber = NO_EXCHANGE
    user: str | None = None
    standing: Standing | None = None
    abandoned: bool = False
    in_order: InOrder | None = None


@dataclass(frozen=True, slots=True)
class Forward:
    """The decision to put a request to the upstream, with what its exchange has to remember of that moment.

    ``session`` is the name of the session that had no answer, if there are sessions, and ``path`` that of the
    request's normal form there, with its value of the field that is ``unique`` in its collection; ``life`` tells that
    session from another of its name that has begun since.
    """

    request: Request
    asked: int
    after: ExchangeNumber
    session: str | None = None
    path: bytes = b""
    unique: bytes = b""
    life: object = None


def header_values(headers: Headers, name: bytes) -> Iterator[bytes]:
    """Yield the values of all headers of this name, which must be given in lower case."""
    size = len(name)
    return (value for header, value in headers if len(header) == size and header.lower() == name)


def is_read(method: str) -> bool:
    """Tell whether a request of this method only reads; anything else is a write."""
    return method in {"GET", "HEAD", "OPTIONS"}
