"""Which recorded answer a live one is most like, and in what it differs from that."""

from dataclasses import replace
from typing import NamedTuple

from chatproxy.core.cassette.cassette import Cassette, first_numbers
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import ExchangeNumber, Response
from chatproxy.core.review.findings import Finding, compare_responses, findings
from chatproxy.core.review.meaning import meaning, of_answer


class Closest(NamedTuple):
    """An exchange by its number, of how many that answer the same request, and in what the live answer differs."""

    number: ExchangeNumber
    of: int
    findings: list[Finding]


def closest(cassette: Cassette, rules: Rules, key: bytes, upstream: str, live: Response) -> Closest | None:
    """Compare a live answer with those recorded for the same request, by its key in the space of who asked.

    ``upstream`` is the origin that the live answer's URLs have. SIDs, times, addresses and volatile header fields are
    no difference.
    """
    numbers = list(first_numbers(cassette, key))
    compared = [(differences(cassette, rules, number, upstream, live), number) for number in numbers]
    if not compared:
        return None
    found, number = min(compared, key=lambda one: len(one[0]))
    return Closest(number, len(numbers), found)


def differences(
    cassette: Cassette, rules: Rules, number: ExchangeNumber, upstream: str, live: Response
) -> list[Finding]:
    """Return in what a live answer differs from the one recorded as this exchange."""
    exchange = replace(cassette.exchange(number), response=live, upstream=upstream)
    recorded = meaning(cassette, number, rules)
    answer = of_answer(exchange, cassette.standing(number), rules)
    label = f"{cassette.name}/{number}"
    return findings(recorded.endpoint, label, compare_responses(recorded.response, answer))
