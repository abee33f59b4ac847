"""Traffic that something else has captured, as the exchanges of a recording."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from chatproxy.core.model import Exchange, Forward, Request, Response, is_read
from chatproxy.core.recorder import Recorder


class Captured(NamedTuple):
    """A request and its answer, and the moments at which both came, in microseconds since 1970."""

    request: Request
    response: Response
    asked: int
    answered: int


def exchanges(captured: Iterable[Captured], recorder: Recorder) -> Iterator[Exchange]:
    """Yield exchanges in the order in which the answers came, without credentials.

    Each comes after the last write that had been answered when its request came.
    """
    writes: list[tuple[int, int]] = []
    for one in sorted(captured, key=lambda one: (one.answered, one.asked)):
        after = max((number for answered, number in writes if answered <= one.asked), default=0)
        exchange = recorder.exchange(Forward(one.request, one.asked, after), one.response, one.answered)
        if not is_read(one.request.method):
            writes.append((one.answered, exchange.number))
        yield exchange
