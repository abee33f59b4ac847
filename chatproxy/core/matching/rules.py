"""The rules that shape keys, and the version of what compiling under them yields."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from json import dumps

from chatproxy.core.products.every import MEANING as TABLES
from chatproxy.core.scrubbing.rules import NO_SCRUB, Scrub
from chatproxy.core.twilio.paths import route

COMPILE_VERSION = 18
"""Raised whenever the same cassette would compile to something else, so that stored results are made anew.

A change of the tables in ``core/products`` needs no raise: they are part of the fingerprint.
"""


@dataclass(frozen=True)
class Rules:
    """What shapes keys.

    ``match_headers`` are the names of the request headers that count. ``ignore`` are routes, each with the name of a
    parameter that does not count there; the route of every request is the empty one, too. ``scrub`` says what of
    requests and answers is left out or replaced before anything else is done with them.
    """

    match_headers: tuple[str, ...] = ()
    ignore: frozenset[tuple[str, str]] = frozenset()
    scrub: Scrub = NO_SCRUB

    def ignored(self, method: str, path: bytes) -> frozenset[bytes]:
        """Return the names of the parameters that do not count in requests of this method and decoded path."""
        routes = {"", route(method, path)}
        return frozenset(name.encode() for where, name in self.ignore if where in routes)

    @cached_property
    def names(self) -> tuple[bytes, ...]:
        """The headers that count, in lower case, sorted."""
        return tuple(sorted({name.lower().encode() for name in self.match_headers}))

    @cached_property
    def fingerprint(self) -> bytes:
        """Eight bytes that differ for rules that could make other keys."""
        names = [name.decode() for name in self.names]
        meaning = dumps([COMPILE_VERSION, TABLES, names, sorted(self.ignore), self.scrub.meaning])
        return blake2b(meaning.encode(), digest_size=8).digest()
