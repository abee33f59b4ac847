"""Traces: what is remembered of each exchange while a cassette is compiled, so that no body is held in memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from http import HTTPStatus
from typing import TypeVar

from chatproxy.core.http.conditions import is_of_one_run
from chatproxy.core.matching.normal_form import NormalForm, pair_of
from chatproxy.core.matching.users import is_challenge
from chatproxy.core.model import NO_EXCHANGE, Exchange, ExchangeNumber, InOrder, Standing, is_read, is_refused
from chatproxy.core.products.every import LISTS
from chatproxy.core.timeline.sent import fields_sent, objects_sent, unique_value
from chatproxy.core.timeline.sights import News, Seen, Sights, What
from chatproxy.core.timeline.uniques import field_of, is_value, path_by_value, value_in_path
from chatproxy.core.twilio.page_tokens import means_itself
from chatproxy.core.twilio.paths import Spellings, by_name_in, table_of, timeline
from chatproxy.core.twilio.sids import mask, mask_path

T = TypeVar("T")


@dataclass(slots=True)
class Trace:
    """One exchange without its texts; ``made`` are the SIDs of the objects that a write's answer shows.

    ``kind`` is method and path with each SID as its type, ``query`` likewise, without page tokens that mean nothing;
    ``content`` is the begin of the rest, and a digest of it. One that ``is_challenge`` asks for credentials, and holds
    in any state. ``key`` is the same number for equal requests of one user, ``answer`` for equal answers, and
    ``timeline`` the path of the collection. Of a write ``sent`` are the fields that it sets, and ``unique`` its value
    of the field that is unique where it makes a member. A list is asked for as a whole if it ``is_whole``, and
    ``has_more`` tells that it has further pages; ``news`` is what the answer is the first to show. ``is_shared`` tells
    that several objects have been at this path, ``by_name_in`` is the collection in which it names a member by name,
    and ``may_be_in`` that of which this may be any member: no answer told its SID. ``tells`` has the objects that an
    answer is the first to show so, each with its value of the unique field. Of a write ``name`` is such a value in its
    path, ``had`` are those that its object may have had, ``needs`` the objects whose SIDs it sends, and ``elsewhere``
    is what it changes in other collections. ``standing`` and ``in_order`` are what a fixture says of where it stands.
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
    by_name_in: bytes | None = None
    tells: tuple[tuple[str, bytes], ...] = ()
    name: bytes = b""
    had: tuple[bytes, ...] = ()
    needs: tuple[bytes, ...] = ()
    elsewhere: tuple[bytes, ...] = ()
    abandoned: bool = False
    in_order: InOrder | None = None

    def __post_init__(self) -> None:
        self.timeline = self.timeline or timeline(self.path)

    def forget(self) -> None:
        """Drop what tells where it stands, which what comes after has no use for: a quarter of what is held of it."""
        self.answered, self.answer, self.after = 0, 0, NO_EXCHANGE
        self.made, self.news, self.tells, self.had, self.elsewhere = (), (), (), (), ()

    @property
    def member(self) -> str:
        """The last segment of the path."""
        return self.path.rpartition(b"/")[2].decode("utf-8", "replace")

    def below(self, sid: str) -> bytes:
        """Return the path of a member of its collection."""
        return self.timeline + b"/" + sid.encode("utf-8", "surrogatepass")

    @property
    def owner(self) -> bytes:
        """The path of the object that holds its collection."""
        return self.timeline.rpartition(b"/")[0]

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
        self._told: dict[tuple[bytes, str], bytes] = {}

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
            traced.sent = self._once(tuple(fields_sent(form)))
            traced.needs = tuple(objects_sent(form))
            traced.unique = unique_value(form)
            traced.name = value_in_path(path)
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
        path = self._spellings.one(form.path)
        traced.tells = tuple(self._tells(timeline(path), seen))
        if is_write:
            traced.made = tuple(one.sid for one in seen.objects)
        if not exchange.abandoned:  # what it shows, others show as another party's
            traced.news = self._sights.news(exchange, path, traced.key, seen, traced.is_whole)
            traced.has_more = self._sights.has_more(traced.key)
            traced.news += tuple(self._taken(traced, path))
        if is_write:
            self._sights.written(exchange, path, seen)

    def _taken(self, traced: Trace, path: bytes) -> Iterator[News]:
        """Yield that an object appeared whose value of the unique field a create was refused for."""
        collection, value = timeline(path), traced.unique
        is_of_value = table_of(collection).unique and is_value(value)
        if traced.status != HTTPStatus.CONFLICT or path != collection or not is_of_value:
            return
        name = path_by_value(collection, value).rpartition(b"/")[2].decode("utf-8", "replace")
        is_known = any(self._told.get((collection, sid)) == value for sid in self._sights.known(collection))
        if not is_known and self._sights.is_without(collection, name):
            yield News(name, What.APPEARED)

    def _tells(self, collection: bytes, seen: Seen) -> Iterator[tuple[str, bytes]]:
        """Yield the objects in an answer that were not shown before with their values of the unique field."""
        if not (unique := table_of(collection).unique):
            return
        for one in seen.objects:
            value = one.tells.get(field_of(unique), "").encode("utf-8", "replace")
            pair = pair_of(unique.encode(), value) if value else b""
            if self._told.get((collection, one.sid)) != pair:
                self._told[collection, one.sid] = pair
                yield one.sid, pair

    def spelled(self, traces: list[Trace]) -> list[Trace]:
        """Put each path into the one spelling, which is known when all answers are."""
        self._learn_from_below(traces)
        self._forget_renewed(traces)
        self._spellings.end(
            one.path for one in traces if one.method == "DELETE" and one.status < HTTPStatus.BAD_REQUEST
        )
        spelled: dict[bytes, tuple[bytes, bytes, bool, bytes | None, bytes | None]] = {}
        for path in self._paths:
            other = self._spellings.one(path)
            other = self._paths.get(other, other)
            line = timeline(other)
            line = other if line == other else self._once(line)
            is_shared, unknown = self._spellings.is_shared(other), self._spellings.unknown(other)
            spelled[path] = other, line, is_shared, unknown, by_name_in(path)
        for one in traces:
            asked = one.member
            one.path, one.timeline, one.is_shared, one.may_be_in, one.by_name_in = spelled[one.path]
            if one.news and not one.is_member and one.status == HTTPStatus.CONFLICT:
                one.news = tuple(new._replace(sid=self._place(one, new.sid)) for new in one.news)
            elif one.news and one.member != asked:  # what was looked at before its name was known
                one.news = tuple(new._replace(sid=one.member) if new.sid == asked else new for new in one.news)
        if self._spellings.has_shared:
            for one in traces:
                if table_of(one.timeline).named_by:
                    one.made = tuple(self._place(one, sid) for sid in one.made)
                    one.is_shared |= any(map(self._spellings.is_shared, map(one.below, one.made)))
                    one.tells = tuple((self._place(one, sid), pair) for sid, pair in one.tells)
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

    def _forget_renewed(self, traces: list[Trace]) -> None:
        """Forget for what those names stand by which something was found before a write first gave them to that."""
        given: dict[bytes, Trace] = {}
        told: set[tuple[bytes, bytes]] = set()
        for one in traces:
            collection = timeline(one.path)
            if one.made and is_value(one.unique) and table_of(collection).named_by:
                path, name = self._member(collection, one.made[0]), path_by_value(collection, one.unique)
                if (path, one.unique) not in told and self._spellings.one(name) == path:
                    given.setdefault(name, one)
            told.update((self._member(collection, sid), pair) for sid, pair in one.tells)
        for one in traces if given else ():
            name = self._spellings.named(one.path)
            if name in given and not is_refused(one.status) and _is_before(one, given[name]):
                self._spellings.forget(name)

    def _member(self, collection: bytes, sid: str) -> bytes:
        return self._spellings.one(collection + b"/" + sid.encode("utf-8", "surrogatepass"))

    def _place(self, one: Trace, sid: str) -> str:
        """Return the SID by which the place of an object is known that shares it with others."""
        path = self._spellings.one(one.below(sid))
        return path.rpartition(b"/")[2].decode("utf-8", "replace")

    def _once(self, value: T) -> T:
        """Return the one of equal values that is held."""
        return self._held.setdefault(value, value)  # type: ignore[return-value]  # equal values are of one type


def _is_before(one: Trace, write: Trace) -> bool:
    """Tell whether one was answered before a write was sent, or stands before it in a file with an order."""
    if one.in_order is not None:
        return one.number < write.number and write.number not in one.in_order.with_
    return one.standing is None and (one.number <= write.after or one.answered < write.asked)


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
