"""Passes over a cassette that compute everything replay needs.

They are the same for a store, an import and a recording after a crash, so that all replay alike by construction.
Other rules mean compiling again, never recording again. Exchanges are read again in each pass and none is held, so
that memory depends on how many there are, not on how large they are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from chatproxy.core.answers.echoes import Echoes
from chatproxy.core.answers.elements import Body, Elements
from chatproxy.core.answers.template import Learned, Reply, compiled_reply
from chatproxy.core.http.headers import is_json
from chatproxy.core.matching.normal_form import NormalForm, normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.matching.users import Users, admitted, asking, is_challenge, spaced
from chatproxy.core.model import Exchange, ExchangeNumber, RecordedSid, is_read
from chatproxy.core.scrubbing.rules import Scrub
from chatproxy.core.scrubbing.scrub import scrubbed_exchange
from chatproxy.core.time.causes import Causes, Value, sure_of
from chatproxy.core.timeline.epochs import Place, place
from chatproxy.core.timeline.numbering import Numbering, order_of
from chatproxy.core.timeline.order import groups
from chatproxy.core.timeline.traces import trace
from chatproxy.core.twilio.objects import Shown, shown

_SHOWN_HELD = 256
_UPSTREAMS_HELD = 4


_Group = tuple[tuple[int, ExchangeNumber], ...]
"""When each exchange of a group was sent, and its number."""


class Source(Protocol):
    """The exchanges of one cassette: all in the order of their numbers, as often as asked, and each by its number."""

    def __iter__(self) -> Iterator[Exchange]:
        """Read the exchanges."""
        ...

    def exchange(self, number: ExchangeNumber) -> Exchange:
        """Return the exchange of a number."""
        ...


PASSES = 3
"""How many passes there are; in the last one exchanges are compiled, and the second mostly reads none again."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What one exchange compiles to: how it is found, by a key in each of its spaces, and what is served for it."""

    number: ExchangeNumber
    keys: tuple[bytes, ...]
    shape: bytes
    route: bytes
    reply: Reply
    place: Place
    is_read: bool


def compile_exchanges(
    source: Source, rules: Rules, numbering: Numbering | None = None, step: Callable[[], object] = bool
) -> Iterator[Compiled]:
    """Compile the exchanges of one cassette, and yield them in canonical order.

    When all are compiled, ``numbering`` knows all SIDs. ``step`` is called for each exchange in each pass but the last.
    """
    source = _Scrubbed(source, rules.scrub)
    writes = _Writes()
    traces = trace((exchange, normalize(exchange.request, rules)) for exchange in writes.noted(source, step))

    @lru_cache(_SHOWN_HELD)
    def show(number: ExchangeNumber) -> Shown:
        return shown(source.exchange(number).response)

    places = place(traces, show)
    users = Users(writes.users)
    standing = {one.number: where for one, where in zip(traces, places, strict=True)}
    learned = Learned(
        causes=Causes(writes.updated, standing),
        numbering=Numbering() if numbering is None else numbering,
        echoes=Echoes(rules),
        pseudonyms=rules.scrub.has_pseudonyms,
    )
    for one, where in zip(traces, places, strict=True):
        step()
        if not writes.updated and not rules.ignore:  # a pass less through the exchanges
            learned.causes.learn_sure(one.number, writes.sure.pop(one.number, ()))
            continue
        exchange = source.exchange(one.number)
        learned.causes.learn(exchange, where.timeline, where.epoch)
        learned.echoes.learn(exchange, one.path, where)
    bodies = _Bodies(learned)
    ordered = [tuple((one.asked, one.number) for one in group) for group in groups(traces, places)]
    del traces, places  # what follows needs as much memory again
    for group in ordered:
        for number in _ordered(group, source, rules, learned.numbering):
            exchange, where = source.exchange(number), standing[number]
            form = normalize(exchange.request, rules)
            learned.addresses.learn(exchange.request)
            body = bodies.of(exchange)
            learned.numbering.learn(exchange, form, body and body.sids)
            reply = compiled_reply(exchange, where, learned, body and body.template)
            keys = keys_of(exchange, form, users)
            repeats = is_read(form.method) or is_challenge(exchange)
            yield Compiled(number, keys, form.shape, form.route, reply, where, repeats)


def keys_of(exchange: Exchange, form: NormalForm, users: Users) -> tuple[bytes, ...]:
    """Return under what an exchange is found; what asks for credentials does so whatever its SIDs stand for."""
    if is_challenge(exchange):
        return (asking(form.shape),)
    return tuple([spaced(form.key, space) for space in users.spaces_of(exchange)])


@dataclass(frozen=True, slots=True)
class _Writes:
    """What writes have set for certain, by their numbers, and the SIDs of what others have updated; who asked."""

    sure: dict[ExchangeNumber, list[Value]] = field(default_factory=dict)
    updated: set[RecordedSid] = field(default_factory=set)
    users: dict[str | None, bool] = field(default_factory=dict)

    def noted(self, source: "_Scrubbed", step: Callable[[], object]) -> Iterator[Exchange]:
        """Yield exchanges, and note their writes and users."""
        for exchange in source:
            step()
            self.users[exchange.user] = self.users.get(exchange.user, False) or admitted(exchange)
            if not is_read(exchange.request.method):
                self.sure[exchange.number], others = sure_of(exchange)
                self.updated.update(others)
            yield exchange


class _Bodies:
    """Puts the bodies of answers together from elements that came before."""

    def __init__(self, learned: Learned) -> None:
        self._learned = learned
        self._elements = lru_cache(_UPSTREAMS_HELD)(lambda upstream: Elements.of(upstream, learned.causes))

    def of(self, exchange: Exchange) -> Body | None:
        """Return the body of an answer, or nothing where a slot may stand that elements do not have."""
        learned, response = self._learned, exchange.response
        if learned.pseudonyms or learned.echoes or learned.addresses.by_field or not is_json(response.headers):
            return None
        return self._elements(exchange.upstream).body(response.body)


@dataclass(frozen=True, slots=True)
class _Scrubbed:
    """Exchanges as the rules want them shared."""

    source: Source
    scrub: Scrub

    def __iter__(self) -> Iterator[Exchange]:
        return (scrubbed_exchange(exchange, self.scrub) for exchange in self.source)

    def exchange(self, number: ExchangeNumber) -> Exchange:
        return scrubbed_exchange(self.source.exchange(number), self.scrub)


def _ordered(group: _Group, source: Source, rules: Rules, numbering: Numbering) -> list[ExchangeNumber]:
    """Order exchanges by the SIDs that have numbers so far, then by the moment at which they were sent."""
    if len(group) == 1:
        return [number for _, number in group]

    def numbers(form: NormalForm) -> list[float]:
        known = (numbering.number_of(RecordedSid(sid)) for sid in form.sids)
        return [float("inf") if number is None else order_of(number) for number in known]

    keyed = [(numbers(normalize(source.exchange(number).request, rules)), asked, number) for asked, number in group]
    return [number for _, _, number in sorted(keyed)]
