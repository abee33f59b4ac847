"""One pass over a cassette that computes everything replay needs.

It is the same function for a store, an import and a recording after a crash, so that all replay alike by
construction. Other rules mean compiling again, never recording again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chatproxy.core.echoes import Echoes
from chatproxy.core.epochs import Place, place
from chatproxy.core.model import Exchange, is_read
from chatproxy.core.normalize import Rules, normalize
from chatproxy.core.numbering import Numbering
from chatproxy.core.scrubbing import scrubbed_exchange
from chatproxy.core.template import Learned, Reply, compiled_reply


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


def compile_exchanges(
    exchanges: Iterable[Exchange], rules: Rules, numbering: Numbering | None = None
) -> Iterator[Compiled]:
    """Compile the exchanges of one cassette, which must come in the order of their numbers.

    When all are compiled, ``numbering`` knows all SIDs.
    """
    scrubbed = (scrubbed_exchange(exchange, rules.scrub) for exchange in exchanges)
    recorded = [(exchange, normalize(exchange.request, rules)) for exchange in scrubbed]
    learned = Learned(
        numbering=Numbering() if numbering is None else numbering,
        echoes=Echoes(rules),
        pseudonyms=rules.scrub.has_pseudonyms,
    )
    places = place(recorded)
    for (exchange, form), where in zip(recorded, places, strict=True):
        learned.causes.learn(exchange, where.timeline, where.epoch)
        learned.echoes.learn(exchange, form.path, where)
    for (exchange, form), where in zip(recorded, places, strict=True):
        learned.addresses.learn(exchange.request)
        learned.numbering.learn(exchange, form)
        reply = compiled_reply(exchange, where, learned)
        reads = is_read(exchange.request.method)
        yield Compiled(exchange.number, form.key, form.shape, form.route, reply, where, reads)
