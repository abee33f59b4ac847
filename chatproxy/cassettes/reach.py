"""How far the rules of scrubbing reach: what they cannot be applied to is not written into a file."""

from collections.abc import Iterable, Iterator

from chatproxy.core.errors import LeakError
from chatproxy.core.model import Exchange, ExchangeNumber
from chatproxy.core.scrubbing.limits import out_of_reach
from chatproxy.core.scrubbing.rules import Scrub
from chatproxy.core.scrubbing.scrub import scrubbed_exchange


def scrubbed(name: str, exchanges: Iterable[Exchange], scrub: Scrub) -> Iterator[Exchange]:
    """Pass on what may be shared of exchanges as they were recorded; raises LeakError as ``within_reach`` does."""
    return within_reach(name, ((one.number, scrubbed_exchange(one, scrub)) for one in exchanges), scrub)


def within_reach(name: str, numbered: Iterable[tuple[ExchangeNumber, Exchange]], scrub: Scrub) -> Iterator[Exchange]:
    """Pass on exchanges that the rules of scrubbing could be applied to; raises LeakError for another.

    Each is named by its number in the cassette of this name.
    """
    for number, exchange in numbered:
        if reason := out_of_reach(exchange, scrub):
            raise LeakError(f"{name}/{number}: is not exported: {reason}; {_ADVICE}")
        yield exchange


_ADVICE = "record it with a Content-Type that is true of its body, or leave the rule out"
