"""Traces: what is remembered of each exchange while a cassette is compiled, so that no body is held in memory."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from http import HTTPStatus
from typing import TypeVar

from chatproxy.core.matching.normal_form import NormalForm
from chatproxy.core.matching.users import is_challenge
from chatproxy.core.model import Exchange, ExchangeNumber, Standing, is_read
from chatproxy.core.products.every import LISTS
from chatproxy.core.twilio.objects import Shown, shown
from chatproxy.core.twilio.page_tokens import means_itself
from chatproxy.core.twilio.paths import Spellings, timeline
from chatproxy.core.twilio.sids import mask, mask_path

T = TypeVar("T")


@dataclass(slots=True)
class Trace:
    """One exchange without its texts; ``made`` are the SIDs of the objects that a write's answer shows.

    ``kind`` is method and path with each SID as its type, ``query`` likewise, without page tokens that mean nothing;
    ``content`` is a digest of the rest. One that ``is_challenge`` asks for credentials, and holds in any state.
    """

    number: ExchangeNumber
    asked: int
    answered: int
    after: ExchangeNumber
    method: str
    path: bytes
    kind: str
    query: bytes
    content: bytes
    status: int
    opens: bool
    descending: bool = False
    is_challenge: bool = False
    made: tuple[str, ...] = ()
    standing: Standing | None = None

    @property
    def timeline(self) -> bytes:
        """The path of the collection."""
        return timeline(self.path)

    @property
    def member(self) -> str:
        """The last segment of the path."""
        return self.path.rpartition(b"/")[2].decode("utf-8", "replace")

    @property
    def is_member(self) -> bool:
        """Whether the request was for a member of its collection."""
        return timeline(self.path) != self.path


def opens_epoch(exchange: Exchange) -> bool:
    """Tell whether a write may have had an effect: it was answered below 400, or with 5xx."""
    status = exchange.response.status
    is_refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return not is_read(exchange.request.method) and not is_refused


def trace(recorded: Iterable[tuple[Exchange, NormalForm]]) -> list[Trace]:
    """Trace exchanges, each with the normal form of its request, with each channel's path in one spelling."""
    spellings = Spellings()
    kinds: dict[str, str] = {}
    methods: dict[str, str] = {}
    paths: dict[bytes, bytes] = {}
    queries: dict[bytes, bytes] = {}
    traces = []
    for exchange, form in recorded:
        is_write = not is_read(form.method)
        seen = shown(exchange.response) if is_write or spellings.wants(form.path) else _NOTHING
        for fields in seen.objects.values():
            spellings.learn(form.path, fields)
        traces.append(
            Trace(
                exchange.number,
                exchange.asked,
                exchange.answered,
                exchange.after,
                _once(methods, form.method),
                _once(paths, form.path),
                _once(kinds, f"{form.method} {mask_path(form.path).decode('utf-8', 'replace')}"),
                _once(queries, b"&".join(mask(_plain(pair)) for pair in form.query)),
                _content(form),
                exchange.response.status,
                opens_epoch(exchange),
                _NEWEST_FIRST in form.query,
                is_challenge(exchange),
                tuple(seen.objects) if is_write else (),
                exchange.standing,
            )
        )
    paths.clear()
    for one in traces:
        one.path = _once(paths, spellings.one(one.path))
    return traces


_NEWEST_FIRST = LISTS.newest_first.encode()
_NOTHING = Shown()


def _once(held: dict[T, T], value: T) -> T:
    """Return the one of equal values that is held."""
    return held.setdefault(value, value)


def _plain(pair: bytes) -> bytes:
    """Leave out a page token that has no meaning of its own."""
    name, _, value = pair.partition(b"=")
    return name if name == b"PageToken" and not means_itself(value) else pair


def _content(form: NormalForm) -> bytes:
    text = mask(b"\n".join((*form.headers, form.kind.encode(), *form.body)))
    return blake2b(text, digest_size=8).digest()
