"""Two cassettes compared by their meanings, endpoint by endpoint.

Of each endpoint, exchanges with equal requests are paired in their order, then the others by their position; what is
left is only in one of the two. That takes little more time than there are exchanges, and holds no bodies but those of
the two exchanges that are being compared.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.matching.rules import Rules
from chatproxy.core.matching.users import ANY, NONE, spaced
from chatproxy.core.model import ExchangeNumber
from chatproxy.core.review.alignment import aligned
from chatproxy.core.review.findings import Change, Finding, Severity, compare_requests, compare_responses, findings
from chatproxy.core.review.meaning import Meaning, meaning
from chatproxy.core.text.excerpts import cut, printable


class Difference(NamedTuple):
    """Two exchanges that differ, or one that the other cassette lacks, by their numbers."""

    a: ExchangeNumber | None
    b: ExchangeNumber | None
    findings: list[Finding]


def compare(a: Cassette, b: Cassette, rules: Rules) -> Iterator[Difference]:
    """Yield in what two cassettes differ, both compiled under these rules; an endpoint's differences come together."""
    one, other = _Side("a", a, rules), _Side("b", b, rules)
    for endpoint in dict.fromkeys([*one.outlines, *other.outlines]):
        for left, right in _pairs(one.outlines[endpoint], other.outlines[endpoint]):
            sides = [(side, outline) for side, outline in ((one, left), (other, right)) if outline]
            label = " ".join(f"{side.name}/{outline.number}" for side, outline in sides)
            if found := findings(endpoint, label, _changes(sides)):
                yield Difference(left and left.number, right and right.number, found)


class _Outline(NamedTuple):
    """What is kept of an exchange until it is compared: its place in canonical order, and digests of its meaning."""

    order: int
    number: ExchangeNumber
    request: bytes
    answer: bytes


_Pair = tuple[_Outline | None, _Outline | None]


class _Side:
    """One of the two cassettes, with the outlines of each endpoint in their order."""

    def __init__(self, name: str, cassette: Cassette, rules: Rules) -> None:
        self.name = name
        self.outlines: dict[str, list[_Outline]] = defaultdict(list)
        self._cassette, self._rules = cassette, rules
        for order, number in enumerate(cassette.order()):
            one = meaning(cassette, number, rules)
            key = spaced(one.request.key, NONE if one.has_credentials is False else ANY)
            self.outlines[one.endpoint].append(_Outline(order, number, key, one.answer))

    def meaning(self, outline: _Outline) -> Meaning:
        return meaning(self._cassette, outline.number, self._rules)


def _pairs(one: list[_Outline], other: list[_Outline]) -> list[_Pair]:
    """Pair the exchanges of an endpoint: those with equal requests first, then the rest by position."""
    in_one, in_other = _by_request(one), _by_request(other)
    asked_alike = [
        pair for request in dict.fromkeys([*in_one, *in_other]) for pair in _aligned(in_one[request], in_other[request])
    ]
    rest_of_one = sorted(left for left, right in asked_alike if left and right is None)
    rest_of_other = sorted(right for left, right in asked_alike if right and left is None)
    pairs = [*(pair for pair in asked_alike if all(pair)), *zip_longest(rest_of_one, rest_of_other)]
    return sorted(pairs, key=lambda pair: next(outline.order for outline in pair if outline))


def _by_request(outlines: Iterable[_Outline]) -> dict[bytes, list[_Outline]]:
    found: dict[bytes, list[_Outline]] = defaultdict(list)
    for outline in outlines:
        found[outline.request].append(outline)
    return found


def _aligned(one: list[_Outline], other: list[_Outline]) -> Iterator[_Pair]:
    """Pair equal requests by their answers, so that one that was left out is missed where it was."""
    for left, right in aligned([outline.answer for outline in one], [outline.answer for outline in other]):
        yield None if left is None else one[left], None if right is None else other[right]


def _changes(sides: list[tuple[_Side, _Outline]]) -> Iterable[Change]:
    """Compare a pair; its bodies are needed only if the outlines differ."""
    if len(sides) == 1:
        ((side, outline),) = sides
        return [_alone(side.name, side.meaning(outline))]
    (_, one), (_, other) = sides
    if one[2:] == other[2:]:
        return ()
    before, after = (side.meaning(outline) for side, outline in sides)
    changes = [
        *_of_credentials(before.has_credentials, after.has_credentials),
        *compare_requests(before.request, after.request),
        *compare_responses(before.response, after.response),
    ]
    return sorted(changes, key=lambda change: change.severity is not Severity.HIGH)


def _of_credentials(before: bool | None, after: bool | None) -> Iterator[Change]:
    if None not in {before, after} and before != after:
        yield Change(Severity.HIGH, "credentials", "were sent, are not" if before else "were not sent, are")


def _alone(side: str, only: Meaning) -> Change:
    sent = (*only.request.sent_query, *only.request.sent_body)
    pairs = (printable(pair.decode("utf-8", "backslashreplace")) for pair in sent)
    shown = cut(" ".join(cut(pair, _SHOWN_OF_ONE) for pair in pairs), _SHOWN)
    message = f"is only in {side}, answered {only.response.status}" + (f", with {shown}" if shown else "")
    return Change(Severity.HIGH, "exchange", message)


_SHOWN, _SHOWN_OF_ONE = 48, 20
"""How many characters of what an exchange sends are shown, and how many of one parameter."""


@dataclass(slots=True)
class Summary:
    """How much differs: endpoints, exchanges, and findings by their severity."""

    endpoints: int = 0
    changed: int = 0
    only_in_a: int = 0
    only_in_b: int = 0
    high: int = 0
    low: int = 0

    def reaches(self, bound: Severity) -> bool:
        """Tell whether there is a finding at or above a bound."""
        return self.high > 0 or (self.low > 0 and Severity.LOW.reaches(bound))


def summary(differences: Iterable[Difference]) -> Summary:
    """Count differences."""
    total, endpoints = Summary(), set()
    for difference in differences:
        total.changed += None not in difference[:2]
        total.only_in_a += difference.b is None
        total.only_in_b += difference.a is None
        for finding in difference.findings:
            endpoints.add(finding.endpoint)
            total.high += finding.severity is Severity.HIGH
            total.low += finding.severity is Severity.LOW
    total.endpoints = len(endpoints)
    return total
