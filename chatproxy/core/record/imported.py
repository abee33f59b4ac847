"""Traffic that something else has captured, as the exchanges of a recording."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from chatproxy.core.credentials.blanking import user_of
from chatproxy.core.model import NO_CREDENTIALS, NO_EXCHANGE, Exchange, Forward, Request, Response, is_read
from chatproxy.core.record.recorder import Recorder


class Captured(NamedTuple):
    """A request and its answer, and the moments at which both came, in microseconds since 1970."""

    request: Request
    response: Response
    asked: int
    answered: int


def exchanges(captured: Iterable[Captured], recorder: Recorder) -> Iterator[Exchange]:
    """Yield exchanges in the order in which the answers came, without credentials.

    Each comes after the last write that had been answered when its request came. Where no request has credentials, what
    captured them has left them out, and they are not known.
    """
    ordered = sorted(captured, key=lambda one: (one.answered, one.asked))
    are_known = any(user_of(one.request.headers) != NO_CREDENTIALS for one in ordered)
    answered, numbers = [0], [NO_EXCHANGE]  # of the writes, in their order, which is that of both
    for one in ordered:
        after = numbers[bisect_right(answered, one.asked, 1) - 1]
        exchange = recorder.exchange(Forward(one.request, one.asked, after), one.response, one.answered)
        if not are_known:
            exchange = replace(exchange, user=None)
        if not is_read(one.request.method):
            answered.append(one.answered)
            numbers.append(exchange.number)
        yield exchange
