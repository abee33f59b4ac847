"""Attempts that were never processed, and that the client repeated: a run that meets no limit does not make them.

1. They are those that were answered 429 or 503 and that the same user followed by an equal request, sent after the
   answer. Twilio says of 429 that the request was never processed; 503 says that the server takes none just now (RFC
   9110 section 15.6.4). Another 5xx may come after the request was carried out, and stays.
2. The last attempt of a series stays, whatever its answer is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from http import HTTPStatus

from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, ExchangeNumber, InOrder
from chatproxy.core.scrubbing.scrub import scrubbed_request

_UNPROCESSED = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


def repeated_attempts(exchanges: Iterable[Exchange], rules: Rules) -> frozenset[ExchangeNumber]:
    """Return the numbers of the attempts that were never processed and were repeated, in order of their numbers."""
    found = set[ExchangeNumber]()
    waiting: dict[tuple[bytes, str | None], list[Exchange]] = {}
    for exchange in exchanges:
        request = scrubbed_request(exchange.request, rules.scrub)
        attempt = normalize(request, rules).key, exchange.user
        before = waiting.pop(attempt, [])
        repeated = {one.number for one in before if one.answered <= exchange.asked}
        left = [one for one in before if one.number not in repeated]
        found |= repeated
        if exchange.response.status in _UNPROCESSED:
            left.append(exchange)
        if left:
            waiting[attempt] = left
    return frozenset(found)


def without(exchanges: Iterable[Exchange], left_out: frozenset[ExchangeNumber]) -> Iterator[Exchange]:
    """Yield exchanges without those of these numbers, and with nothing said of these."""
    for exchange in exchanges:
        if exchange.number not in left_out:
            told = exchange.in_order
            yield exchange if told is None else replace(exchange, in_order=_without(told, left_out))


def _without(told: InOrder, left_out: frozenset[ExchangeNumber]) -> InOrder:
    with_, without_ = (tuple(number for number in of if number not in left_out) for of in (told.with_, told.without))
    return replace(told, with_=with_, without=without_)
