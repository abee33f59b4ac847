"""Passes over a cassette that compute everything replay needs.

They are the same for a store, an import and a recording after a crash, so that all replay alike by construction.
Other rules mean compiling again, never recording again. Exchanges are read again in each pass and none is held, so
that memory depends on how many there are, not on how large they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from chatproxy.core.echoes import Echoes
from chatproxy.core.epochs import Place, place
from chatproxy.core.model import Exchange, is_read
from chatproxy.core.normalize import NormalForm, Rules, normalize
from chatproxy.core.numbering import Numbering
from chatproxy.core.order import Group, groups
from chatproxy.core.scrubbing import scrubbed_exchange
from chatproxy.core.scrubrules import Scrub
from chatproxy.core.shown import Shown, shown
from chatproxy.core.template import Learned, Reply, compiled_reply
from chatproxy.core.traces import trace

_SHOWN_HELD = 256


class Source(Protocol):
    """The exchanges of one cassette: all in the order of their numbers, as often as asked, and each by its number."""

    def __iter__(self) -> Iterator[Exchange]:
        """Read the exchanges."""
        ...

    def exchange(self, number: int) -> Exchange:
        """Return the exchange of a number."""
        ...


PASSES = 3
"""How often each exchange is read at least; the last time it is compiled."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What one exchange compiles to: how it is found, and what is served for it."""

    number: int
    key: bytes
    shape: bytes
    route: bytes
    reply: Reply
    place: Place
    is_read: bool


def compile_exchanges(source: Source, rules: Rules, numbering: Numbering | None = None) -> Iterator[Compiled]:
    """Compile the exchanges of one cassette, and yield them in canonical order.

    When all are compiled, ``numbering`` knows all SIDs.
    """
    source = _Scrubbed(source, rules.scrub)
    traces = trace((exchange, normalize(exchange.request, rules)) for exchange in source)

    @lru_cache(_SHOWN_HELD)
    def show(number: int) -> Shown:
        return shown(source.exchange(number).response)

    places = place(traces, show)
    learned = Learned(
        numbering=Numbering() if numbering is None else numbering,
        echoes=Echoes(rules),
        pseudonyms=rules.scrub.has_pseudonyms,
    )
    for exchange, one, where in zip(source, traces, places, strict=True):
        learned.causes.learn(exchange, where.timeline, where.epoch)
        learned.echoes.learn(exchange, one.path, where)
    standing = {one.number: where for one, where in zip(traces, places, strict=True)}
    for group in groups(traces, places):
        for number in _ordered(group, source, rules, learned.numbering):
            exchange, where = source.exchange(number), standing[number]
            form = normalize(exchange.request, rules)
            learned.addresses.learn(exchange.request)
            learned.numbering.learn(exchange, form)
            reply = compiled_reply(exchange, where, learned)
            yield Compiled(number, form.key, form.shape, form.route, reply, where, is_read(form.method))


@dataclass(frozen=True, slots=True)
class _Scrubbed:
    """Exchanges as the rules want them shared."""

    source: Source
    scrub: Scrub

    def __iter__(self) -> Iterator[Exchange]:
        return (scrubbed_exchange(exchange, self.scrub) for exchange in self.source)

    def exchange(self, number: int) -> Exchange:
        return scrubbed_exchange(self.source.exchange(number), self.scrub)


def _ordered(group: Group, source: Source, rules: Rules, numbering: Numbering) -> list[int]:
    """Order exchanges by the SIDs that have numbers so far, then by the moment at which they were sent."""
    if len(group) == 1:
        return [group[0].number]

    def numbers(form: NormalForm) -> list[float]:
        return [float("inf") if (number := numbering.number_of(sid)) is None else number for sid in form.sids]

    keyed = [(numbers(normalize(source.exchange(one.number).request, rules)), one.asked, one.number) for one in group]
    return [number for _, _, number in sorted(keyed)]
