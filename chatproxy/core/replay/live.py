"""What may be put to the upstream while a cassette is replayed, and what must be.

1. The upstream has all recorded writes behind it. So a request may be put to it only if all of them that touch its
   place are done in this session, and no earlier session of this run has changed that place there.
2. After a write that went to the upstream, nothing recorded answers what it touches, since that could be stale.
3. A write that the upstream refused has changed nothing there.
4. What is named by what no answer told the SID of may be any member, and what is refused where no table says what is
   unique may be so because of any member: both need what their collection needs.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from http import HTTPStatus

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.history import Need, made_with, whole
from chatproxy.core.matching.normal_form import NormalForm
from chatproxy.core.model import NO_EXCHANGE, Exchange, Forward, is_read, is_refused
from chatproxy.core.timeline.elsewhere import note_elsewhere
from chatproxy.core.timeline.holders import ANY
from chatproxy.core.timeline.places import Places
from chatproxy.core.timeline.sent import objects_sent, unique_value
from chatproxy.core.timeline.states import States, is_create, place_digest, unique_digest
from chatproxy.core.timeline.traces import Trace
from chatproxy.core.timeline.uniques import path_by_value, value_in_path
from chatproxy.core.twilio.objects import shown
from chatproxy.core.twilio.paths import any_member, any_of, by_name_in, one_spelling, table_of


class Live:
    """What a session has changed at the upstream since the cassette was recorded."""

    def __init__(self, cassette: Cassette) -> None:
        self._cassette = cassette
        self._touched: Counter[int] = Counter()
        """How many writes have changed each place, or may have."""
        self._at: Counter[int] = Counter()
        """How many of them were writes at the object itself."""
        self._below: Counter[int] = Counter()
        """The objects that were made or deleted, and what stands for any of a collection: all below is touched."""
        self._unique: Counter[int] = Counter()
        """The values of unique fields that were sent, or freed: what another object can be made with has changed."""

    def lacking(self, form: NormalForm, states: States) -> Need | None:
        """Return of what a request needs at the upstream the first for which not all writes are done in these states.

        None if it may be put to the upstream.
        """
        whole = self._whole
        return next((need for need in self.needs(form) if states.needed(*need) != whole.needed(*need)), None)

    def needs(self, form: NormalForm) -> Iterator[Need]:
        """Yield what decides how the upstream answers: for a delete too, all that touches its object."""
        method, places = form.method, Places()
        one = self._trace(method, form.path, unique_value(form))
        one.needs = tuple(objects_sent(form))
        at, unique = places.of(one), places.unique(one)
        is_new = is_create(method, at)
        if not is_new or not places.has_table(one.timeline):
            yield Need("GET", at)
        if is_new or (unique and not is_read(method)):
            yield Need("POST", at if is_new else places.where(one.timeline), unique)
        if (collection := any_of(one.path, self._cassette.spelling)) is not None:
            yield Need("GET", places.where(collection))

    @cached_property
    def _whole(self) -> States:
        return whole(self._cassette)

    def write(self, form: NormalForm) -> None:
        """Take in a request that goes to the upstream: reads change nothing."""
        if not is_read(form.method):
            self._take(form.method, form.path, unique_value(form), 1)

    def wrote(self, forward: Forward, exchange: Exchange) -> None:
        """Take in what the upstream answered to a write that was taken in: that it was refused, or what it made."""
        method, path, unique = exchange.request.method, forward.path, forward.unique
        if is_refused(exchange.response.status):
            self._take(method, path, unique, -1)
            return
        for sid in shown(exchange.response).objects:
            self._take(method, path, unique, 1, sid)

    def _take(self, method: str, path: bytes, unique: bytes, count: int, made: str | None = None) -> None:
        one = self._trace(method, path, unique, made)
        note_elsewhere([one], self._spelled)
        write = Places().done(one)
        assert write is not None
        _count(self._touched, write.places, count)
        _count(self._at, (write.place, *write.elsewhere), count)
        _count(self._below, write.places_below, count)
        if (name := value_in_path(path)) and method == "DELETE":
            _count(self._unique, (unique_digest(write.touched[0], name),), count)
        if write.unique:
            _count(self._unique, (write.unique,), count)
            _count(self._below, self._named(one), count)
            _count(self._touched, self._named(one), count)
            _count(self._at, self._named(one), count)
        if (collection := any_of(one.path, self._cassette.spelling)) is not None:
            _count(self._below, (place_digest(any_member(collection)),), count)

    def _named(self, one: Trace) -> tuple[int, ...]:
        """Return the place that was recorded by the name that a write gives, if there is one."""
        if not table_of(one.timeline).named_by:
            return ()
        return (place_digest(self._spelled(path_by_value(one.timeline, one.unique))),)

    def _trace(self, method: str, path: bytes, unique: bytes, made: str | None = None) -> Trace:
        at = self._spelled(path)
        one = Trace(NO_EXCHANGE, 0, 0, NO_EXCHANGE, method, at, "", b"", b"", HTTPStatus.OK)
        one.made, one.unique, one.by_name_in = () if made is None else (made,), unique, by_name_in(path)
        if method == "DELETE" or (unique and one.is_member):
            one.had = (ANY,)
        return one

    def _spelled(self, path: bytes) -> bytes:
        return one_spelling(path, self._cassette.spelling)

    @property
    def is_any(self) -> bool:
        """Whether a write may have changed anything at the upstream."""
        return bool(self._touched)

    def __contains__(self, form: NormalForm) -> bool:
        """Tell whether a write that went to the upstream has touched what this request asks for."""
        return self.is_any and any(map(any, self._changes(form)))

    def has_all_of(self, other: "Live", form: NormalForm) -> bool:
        """Tell whether all writes there that have changed what decides about a request were taken in here, too."""
        return not other.is_any or list(self._changes(form)) == list(other._changes(form))

    def _changes(self, form: NormalForm) -> Iterator[list[int]]:
        """Yield for each need of a request how many writes have changed what it is about, and the objects above."""
        for method, at, unique in self.needs(form):
            made = made_with(self._cassette, unique) if unique else ()
            of = [self._unique[unique]] if is_create(method, at) else [self._touched[at.place]]
            yield [*of, *(self._at[place] for place in made), *(self._below[place] for place in at.above)]


def _count(counter: Counter[int], keys: tuple[int, ...], by: int) -> None:
    for key in keys:
        counter[key] += by
        if not counter[key]:
            del counter[key]
