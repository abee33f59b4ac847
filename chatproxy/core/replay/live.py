"""What may be put to the upstream while a cassette is replayed, and what must be.

1. The upstream has all recorded writes behind it. So a request may be put to it only if all of them that touch its
   place are done in this session.
2. After a write that went to the upstream, nothing recorded answers what it touches, since that could be stale.
3. A write that the upstream refused has changed nothing there.
"""

from collections import Counter
from functools import cached_property
from http import HTTPStatus

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.history import Need, whole
from chatproxy.core.matching.normal_form import NormalForm
from chatproxy.core.model import NO_EXCHANGE, Exchange, is_read
from chatproxy.core.timeline.places import Places, is_refused
from chatproxy.core.timeline.states import States, is_create
from chatproxy.core.timeline.traces import Trace, unique_value
from chatproxy.core.twilio.objects import shown
from chatproxy.core.twilio.paths import one_spelling


class Live:
    """What a session has changed at the upstream since the cassette was recorded."""

    def __init__(self, cassette: Cassette) -> None:
        self._cassette = cassette
        self._touched: Counter[int] = Counter()
        """How many writes have changed each place, or may have."""
        self._below: Counter[int] = Counter()
        """The objects that were made or deleted, which all below them are touched by."""
        self._unique: Counter[int] = Counter()
        """The values of unique fields that were sent, which another object can no longer be made with."""

    def need(self, form: NormalForm) -> Need:
        """Return what a request needs that was never recorded: a delete too needs all that touches its object."""
        one, places = self._trace(form.method, form.path), Places()
        at = places.where(one.path)
        if not is_create(form.method, at):
            return Need("GET", at)
        one.unique = unique_value(form)
        return Need("POST", at, places.unique(one))

    def may_go(self, need: Need, states: States) -> bool:
        """Tell whether all recorded writes that touch what a request needs are done in these states."""
        return states.needed(*need) == self._whole.needed(*need)

    @cached_property
    def _whole(self) -> States:
        return whole(self._cassette)

    def write(self, form: NormalForm) -> None:
        """Take in a request that goes to the upstream: reads change nothing."""
        if not is_read(form.method):
            self._take(form.method, form.path, 1)
            if unique := self.need(form).unique:
                self._unique[unique] += 1

    def wrote(self, path: bytes, exchange: Exchange, *, began_here: bool = True) -> None:
        """Take in what the upstream answered to a write of this path: that it was refused, or which object it made.

        One that did not begin in this session was not taken in by it when it went.
        """
        method = exchange.request.method
        if is_refused(exchange.response.status):
            if began_here:
                self._take(method, path, -1)
            return
        for sid in shown(exchange.response).objects:
            self._take(method, path, 1, sid)

    def _take(self, method: str, path: bytes, count: int, made: str | None = None) -> None:
        write = Places().done(self._trace(method, path, made))
        assert write is not None
        _count(self._touched, (write.place, *write.touched), count)
        if write.touches_below:
            _count(self._below, (write.place,), count)

    def _trace(self, method: str, path: bytes, made: str | None = None) -> Trace:
        path = one_spelling(path, self._cassette.spelling)
        shows = () if made is None else (made,)
        return Trace(NO_EXCHANGE, 0, 0, NO_EXCHANGE, method, path, "", b"", b"", HTTPStatus.OK, made=shows)

    def __contains__(self, form: NormalForm) -> bool:
        """Tell whether a write that went to the upstream has touched what this request asks for."""
        if not self._touched:
            return False
        method, at, unique = self.need(form)
        if any(map(self._below.__contains__, at.above)):
            return True
        return unique in self._unique if is_create(method, at) else at.place in self._touched


def _count(counter: Counter[int], keys: tuple[int, ...], by: int) -> None:
    for key in keys:
        counter[key] += by
        if counter[key] <= 0:  # the session may be a new one since
            del counter[key]
