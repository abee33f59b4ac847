"""Traces: what is remembered of each exchange while a cassette is compiled, so that no body is held in memory."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from http import HTTPStatus
from json import loads
from typing import TypeVar

from chatproxy.core.http.conditions import is_of_one_run
from chatproxy.core.matching.normal_form import FORMS, NormalForm
from chatproxy.core.matching.users import is_challenge
from chatproxy.core.model import Exchange, ExchangeNumber, InOrder, Standing, is_read
from chatproxy.core.products.every import LISTS
from chatproxy.core.timeline.sights import News, Sights
from chatproxy.core.twilio.page_tokens import means_itself
from chatproxy.core.twilio.paths import Spellings, table_of, timeline
from chatproxy.core.twilio.sids import mask, mask_path

T = TypeVar("T")


@dataclass(slots=True)
class Trace:
    """One exchange without its texts; ``made`` are the SIDs of the objects that a write's answer shows.

    ``kind`` is method and path with each SID as its type, ``query`` likewise, without page tokens that mean nothing;
    ``content`` is the begin of the rest, and a digest of it. One that ``is_challenge`` asks for credentials, and holds
    in any state. ``key`` is the same number for equal requests of one user, ``answer`` for equal answers, and
    ``timeline`` the path of the collection. Of a write ``sent`` are the fields that it sets, and ``unique`` its value
    of the field that is unique in its collection. A list is asked for as a whole if it ``is_whole``, and ``has_more``
    tells that it has further pages; ``news`` is what the answer is the first to show. ``is_shared`` tells that several
    objects have been at this path, and ``may_be_in`` is the collection of which it may be any member: no answer told
    the SID of what it names. ``standing`` and ``in_order`` are what a fixture says of where it stands.
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
    is_challenge: bool = False
    made: tuple[str, ...] = ()
    standing: Standing | None = None
    key: int = 0
    answer: int = 0
    timeline: bytes = b""
    sent: tuple[str, ...] = ()
    unique: bytes = b""
    is_whole: bool = True
    has_more: bool = False
    news: tuple[News, ...] = ()
    is_shared: bool = False
    may_be_in: bytes | None = None
    abandoned: bool = False
    in_order: InOrder | None = None

    def __post_init__(self) -> None:
        self.timeline = self.timeline or timeline(self.path)

    @property
    def member(self) -> str:
        """The last segment of the path."""
        return self.path.rpartition(b"/")[2].decode("utf-8", "replace")

    def below(self, sid: str) -> bytes:
        """Return the path of a member of its collection."""
        return self.timeline + b"/" + sid.encode("utf-8", "surrogatepass")

    @property
    def is_member(self) -> bool:
        """Whether the request was for a member of its collection."""
        return self.timeline != self.path


def trace(recorded: Iterable[tuple[Exchange, NormalForm]], spellings: Spellings | None = None) -> list[Trace]:
    """Trace exchanges, each with the normal form of its request, with each object's path in one spelling.

    The spellings that are learnt come into ``spellings``.
    """
    tracer = _Tracer(spellings or Spellings())
    traces = [tracer.trace(exchange, form) for exchange, form in recorded]
    return tracer.spelled(traces)


class _Tracer:
    """Traces exchanges in the order of their numbers, and holds once what many of them have."""

    def __init__(self, spellings: Spellings) -> None:
        self._spellings = spellings
        self._sights = Sights()
        self._held: dict[object, object] = {}
        self._paths: dict[bytes, bytes] = {}
        self._kinds: dict[tuple[str, bytes], str] = {}

    def trace(self, exchange: Exchange, form: NormalForm) -> Trace:
        path, key = self._paths.setdefault(form.path, form.path), hash((form, exchange.user))
        is_write, response = not is_read(form.method), exchange.response
        kind = (form.method, path)
        if kind not in self._kinds:
            self._kinds[kind] = f"{form.method} {mask_path(path).decode('utf-8', 'replace')}"
        traced = Trace(
            exchange.number,
            exchange.asked,
            exchange.answered,
            exchange.after,
            self._once(form.method),
            path,
            self._kinds[kind],
            self._once(b"&".join(mask(_plain(pair)) for pair in form.query)) if form.query else b"",
            self._once(_content(form)) if form.body or form.headers else b"",
            response.status,
            is_challenge(exchange),
            (),
            exchange.standing,
            key,
            hash((response.status, response.body)),
            path,  # until all paths are spelled
            is_whole=all(pair.partition(b"=")[0] in _PAGING for pair in form.query),
            abandoned=exchange.abandoned,
            in_order=exchange.in_order,
        )
        if is_write:
            traced.sent = self._once(tuple(_sent(form)))
            traced.unique = unique_value(form)
        self._look(traced, exchange, form)
        return traced

    def _look(self, traced: Trace, exchange: Exchange, form: NormalForm) -> None:
        """Take in what the answer shows; what was read is looked at only where it is not as before."""
        is_write = not is_read(form.method)
        if not is_write and self._sights.is_as_before(traced.key, traced.answer):
            traced.has_more = self._sights.has_more(traced.key)
            return
        seen = self._sights.seen(exchange.response)
        for one in seen.objects if self._spellings.wants(form.path) else ():
            self._spellings.learn(form.path, one.sid.encode("utf-8", "replace"), one.tells)
        if is_write:
            traced.made = tuple(one.sid for one in seen.objects)
        path = self._spellings.one(form.path)
        if not exchange.abandoned:  # what it shows, others show as another party's
            traced.news = self._sights.news(exchange, path, traced.key, seen, traced.is_whole)
            traced.has_more = self._sights.has_more(traced.key)
        if is_write:
            self._sights.written(exchange, path, seen)

    def spelled(self, traces: list[Trace]) -> list[Trace]:
        """Put each path into the one spelling, which is known when all answers are."""
        self._learn_from_below(traces)
        spelled: dict[bytes, tuple[bytes, bytes, bool, bytes | None]] = {}
        for path in self._paths:
            other = self._spellings.one(path)
            other = self._paths.get(other, other)
            line = timeline(other)
            line = other if line == other else self._once(line)
            spelled[path] = other, line, self._spellings.is_shared(other), self._spellings.unknown(other)
        for one in traces:
            asked = one.member
            one.path, one.timeline, one.is_shared, one.may_be_in = spelled[one.path]
            if one.news and one.member != asked:  # what was looked at before its name was known
                one.news = tuple(new._replace(sid=one.member) if new.sid == asked else new for new in one.news)
        if self._spellings.has_shared:
            for one in traces:
                if table_of(one.timeline).named_by:
                    one.made = tuple(self._place(one, sid) for sid in one.made)
                    one.is_shared |= any(map(self._spellings.is_shared, map(one.below, one.made)))
                    one.news = tuple(new._replace(sid=self._place(one, new.sid)) for new in one.news)
        return traces

    def _learn_from_below(self, traces: list[Trace]) -> None:
        """Learn what a name stands for from the members below it that were shown below a SID."""
        wanted: dict[str, set[bytes]] = {}
        for one in traces:
            is_found = one.status < HTTPStatus.BAD_REQUEST and timeline(one.path) != one.path
            if is_found and self._spellings.unknown(one.path) is not None:
                wanted.setdefault(one.member, set()).add(one.path)
        for one in traces if wanted else ():
            for sid in wanted.keys() & {*one.made, *(new.sid for new in one.news)}:
                for path in wanted[sid]:
                    self._spellings.learn_below(path, timeline(one.path) + b"/" + sid.encode("utf-8", "surrogatepass"))

    def _place(self, one: Trace, sid: str) -> str:
        """Return the SID by which the place of an object is known that shares it with others."""
        path = self._spellings.one(one.below(sid))
        return path.rpartition(b"/")[2].decode("utf-8", "replace")

    def _once(self, value: T) -> T:
        """Return the one of equal values that is held."""
        return self._held.setdefault(value, value)  # type: ignore[return-value]  # equal values are of one type


def _sent(form: NormalForm) -> Iterator[str]:
    """Yield the fields that a write sends, as answers spell them: ``FriendlyName`` is ``friendly_name``."""
    if form.kind in FORMS:
        for pair in form.body:
            yield _field(pair.partition(b"=")[0].decode("utf-8", "replace"))
    elif form.kind == "json" and isinstance(content := loads(form.body[0]), dict):
        yield from map(_field, content)


@lru_cache(256)
def _field(parameter: str) -> str:
    return _WORD.sub("_", parameter.partition(".")[0]).lower()


_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def unique_value(form: NormalForm) -> bytes:
    """Return the value of the field that is unique in its collection, if the write has one."""
    name = table_of(timeline(form.path)).unique.encode()
    found = (pair for pair in form.body if name and pair.startswith(name + b"="))
    return next(found, b"") if form.kind in FORMS else b""


_PAGING, _TOKEN = frozenset(name.encode() for name in LISTS.paging), LISTS.token.encode()


def _plain(pair: bytes) -> bytes:
    """Leave out a page token that has no meaning of its own."""
    name, _, value = pair.partition(b"=")
    return name if name == _TOKEN and not means_itself(value) else pair


def _content(form: NormalForm) -> bytes:
    text = mask(b"\n".join((*form.body, form.kind.encode(), *map(_of_any_run, form.headers))))
    return text[:_BEGIN] + blake2b(text, digest_size=8).digest()


def _of_any_run(header: bytes) -> bytes:
    """Leave out what a condition sends back of an answer."""
    name = header.partition(b":")[0]
    return name if is_of_one_run(name) else header


_BEGIN = 48
"""So much of a body is held, so that exchanges come by what they send, as a person would order them."""
