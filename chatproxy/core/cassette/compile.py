"""Passes over a cassette that compute everything replay needs.

They are the same for a store, an import and a recording after a crash, so that all replay alike by construction.
Other rules mean compiling again, never recording again. Exchanges are read again in each pass and none is held, so
that memory depends on how many there are, not on how large they are.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from chatproxy.core.answers.echoes import Echoes
from chatproxy.core.answers.elements import Body, Elements, Seen
from chatproxy.core.answers.template import Learned, Reply, compiled_reply
from chatproxy.core.http.headers import is_json
from chatproxy.core.matching.normal_form import NormalForm, normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.matching.users import Users, admitted, asking, is_challenge, spaced
from chatproxy.core.model import Exchange, ExchangeNumber, InOrder, RecordedSid, is_read
from chatproxy.core.scrubbing.rules import Scrub
from chatproxy.core.scrubbing.scrub import scrubbed_exchange
from chatproxy.core.time.dates import Value
from chatproxy.core.time.instants import Instants
from chatproxy.core.timeline.numbering import Numbering, order_of
from chatproxy.core.timeline.order import canonical_order, is_left_out, untimed
from chatproxy.core.timeline.places import Places
from chatproxy.core.timeline.standing import Role, Standing, Step, with_siblings
from chatproxy.core.timeline.standings import Timeline, standings
from chatproxy.core.timeline.states import is_create
from chatproxy.core.timeline.telling import told
from chatproxy.core.timeline.traces import Trace, trace
from chatproxy.core.twilio.objects import Shown, shown
from chatproxy.core.twilio.paths import Spellings

_SHOWN_HELD = 256
_UPSTREAMS_HELD = 4


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
    """What one exchange compiles to: how it is found, by a key in each of its spaces, and what is served for it.

    ``unique`` is the digest of the value that a create sends for a unique field; ``by_collection`` tells of a create
    that, if it is refused, needs the state of the collection.
    """

    number: ExchangeNumber
    keys: tuple[bytes, ...]
    shape: bytes
    route: bytes
    reply: Reply
    standing: Standing
    unique: int = 0
    by_collection: bool = False


@dataclass(slots=True)
class Learnt:
    """What compiling learns of the order of a whole cassette, before the first exchange is compiled.

    ``steps`` are the changes by others at which a session that is served an answer of a place has to look, ``names``
    the paths down to objects that have another spelling, with the one that stands for both, ``writes`` how many
    exchanges are writes that a session can do, and ``instants`` the times that are shown. When all are compiled,
    ``told`` is what a canonical fixture has to say of exchanges, by their numbers.
    """

    instants: Instants = field(default_factory=Instants)
    steps: Mapping[int, Sequence[Step]] = field(default_factory=dict)
    names: Mapping[bytes, bytes] = field(default_factory=dict)
    writes: int = 0
    told: Mapping[ExchangeNumber, InOrder] = field(default_factory=dict)

    def ordered(
        self, traces: Sequence[Trace], show: Callable[[ExchangeNumber], Shown], spellings: Spellings
    ) -> Timeline:
        """Tell where exchanges stand, and learn what belongs to no single one of them; traces forget the rest."""
        found, self.steps = standings(traces, show, spellings)
        for one in traces:
            one.forget()
        self.names = spellings.others
        self.writes = sum(one.role is Role.WRITE for one in found)
        return Timeline(with_siblings(found), dict(self.steps))


def compile_exchanges(
    source: Source,
    rules: Rules,
    numbering: Numbering | None = None,
    step: Callable[[], object] = bool,
    learnt: Learnt | None = None,
) -> Iterator[Compiled]:
    """Compile the exchanges of one cassette, and yield them in canonical order.

    When all are compiled, ``numbering`` knows all SIDs. ``step`` is called for each exchange in each pass but the last.
    """
    source = _Scrubbed(source, rules.scrub)
    learnt = Learnt() if learnt is None else learnt
    spellings, seen = Spellings(), _Noted(learnt.instants)
    recorded = ((exchange, normalize(exchange.request, rules)) for exchange in seen.noted(source, step))
    traces = trace(recorded, spellings)
    seen.instants.settle()

    @lru_cache(_SHOWN_HELD)
    def show(number: ExchangeNumber) -> Shown:
        return shown(source.exchange(number).response)

    timeline = learnt.ordered(traces, show, spellings)
    users = Users(seen.users)
    creates = dict(_creates(traces))
    learned = Learned(
        instants=seen.instants,
        numbering=Numbering() if numbering is None else numbering,
        echoes=Echoes(rules),
        pseudonyms=rules.scrub.has_pseudonyms,
    )
    for one, standing in zip(traces, timeline.standings, strict=True):
        step()
        if rules.ignore and standing.done is not None:
            learned.echoes.learn(source.exchange(one.number), one.path)
    bodies, ties = _Bodies(learned), _Ties(source, rules, learned.numbering, show)
    numbers = [one.number for one in traces]
    order = []
    for number in canonical_order(traces, timeline, ties.number_of, ties.tie):
        exchange, standing = source.exchange(number), timeline.standings[bisect_left(numbers, number)]
        form = normalize(exchange.request, rules)
        learned.addresses.learn(exchange.request)
        body = bodies.of(exchange)
        learned.numbering.learn(exchange, form, body and body.sids)
        reply = compiled_reply(exchange, standing, learned, body and body.template)
        keys = keys_of(exchange, form, users)
        yield Compiled(number, keys, form.shape, form.route, reply, standing, *creates.get(number, (0, False)))
        if not is_left_out(standing, form.method):
            order.append(number)
    learnt.told = told(traces, timeline, order)


def keys_of(exchange: Exchange, form: NormalForm, users: Users) -> tuple[bytes, ...]:
    """Return under what an exchange is found; what asks for credentials does so whatever its SIDs stand for."""
    if is_challenge(exchange):
        return (asking(form.shape),)
    return tuple([spaced(form.key, space) for space in users.spaces_of(exchange)])


def _creates(traces: Sequence[Trace]) -> Iterator[tuple[ExchangeNumber, tuple[int, bool]]]:
    """Yield for creates, and updates of names, the digest of their value, and whether a refusal needs another state.

    That is the collection's. What is as most are is left out: without such a value, in a collection that a table tells
    of.
    """
    places = Places()
    for one in traces:
        unique = places.unique(one)
        by_collection = places.may_be_refused_by_others(one) and is_create(one.method, places.of(one))
        if unique or by_collection:
            yield one.number, (unique, by_collection)


@dataclass(frozen=True, slots=True)
class _Noted:
    """What is noted of exchanges when they are read first: who asked, and the times in their answers."""

    instants: Instants
    users: dict[str | None, bool] = field(default_factory=dict)
    _seen: Seen = field(default_factory=Seen)

    def noted(self, source: "_Scrubbed", step: Callable[[], object]) -> Iterator[Exchange]:
        """Yield exchanges, and take note of them."""
        for exchange in source:
            step()
            self.users[exchange.user] = self.users.get(exchange.user, False) or admitted(exchange)
            self.instants.learn(exchange, self._shown(exchange))
            yield exchange

    def _shown(self, exchange: Exchange) -> Sequence[Value] | None:
        """Return those times of a read that may be new; a write's are looked at by themselves."""
        is_json_text, body = is_json(exchange.response.headers), exchange.response.body
        if is_read(exchange.request.method):
            return self._seen.new(body) if is_json_text else ()
        if is_json_text:
            self._seen.note(body)
        return None


class _Bodies:
    """Puts the bodies of answers together from elements that came before."""

    def __init__(self, learned: Learned) -> None:
        self._learned = learned
        self._elements = lru_cache(_UPSTREAMS_HELD)(lambda upstream: Elements.of(upstream, learned.instants))

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


@dataclass(frozen=True, slots=True)
class _Ties:
    """What decides between exchanges that are equal except for SIDs, users and answers, given the numbers so far."""

    source: Source
    rules: Rules
    numbering: Numbering
    show: Callable[[ExchangeNumber], Shown]

    def number_of(self, sid: bytes) -> int | None:
        """Return the number of a SID so far."""
        number = self.numbering.number_of(RecordedSid(sid))
        return None if number is None else order_of(number)

    def tie(self, number: ExchangeNumber) -> bytes:
        """Return the SIDs of a request by their numbers, who sent it, and what its answer shows."""
        exchange = self.source.exchange(number)
        form = normalize(exchange.request, self.rules)
        named = map(self._numbered, (*form.sids, (exchange.user or "").encode()))
        return b"\n".join((*named, untimed(self.show(number))))

    def _numbered(self, sid: bytes) -> bytes:
        number = self.number_of(sid)
        return sid[:2] + (b"!" if number is None else b"%020d" % number)
