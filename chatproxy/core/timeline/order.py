"""Canonical order: one order for all recordings of a scenario, whatever the delays and SIDs were.

Timelines come by their first use, then epochs. The write that opens an epoch comes first in it; the rest by their
shape, the shorter query first, then by the SIDs that have numbers so far, then by the moment at which they were sent.
The exchanges of a canonical fixture are in that order already.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from chatproxy.core.model import ExchangeNumber
from chatproxy.core.timeline.epochs import Place
from chatproxy.core.timeline.traces import Trace

Group = list[Trace]
"""Exchanges that only their SIDs and the moments at which they were sent can order."""


def groups(traces: Sequence[Trace], places: Sequence[Place]) -> Iterator[Group]:
    """Yield the exchanges in canonical order, those together that only their SIDs can order."""
    if any(one.standing is not None for one in traces):
        yield from ([one] for one in traces)
        return
    used: dict[int, tuple[int, ExchangeNumber]] = {}
    for one, place in zip(traces, places, strict=True):
        moment = (one.asked, one.number)
        used[place.timeline] = min(used.get(place.timeline, moment), moment)

    def key(nth: int) -> tuple[object, ...]:
        one, place = traces[nth], places[nth]
        return used[place.timeline], place.epoch, not one.opens, one.kind, len(one.query), one.query, one.content

    for _, group in groupby(sorted(range(len(traces)), key=key), key):
        yield [traces[nth] for nth in group]
