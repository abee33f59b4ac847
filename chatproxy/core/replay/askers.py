"""Who asks: what the header list of a request tells, remembered by the list as a whole.

A client sends the same list again and again. To read session, user and secrets out of it costs twenty times as
much as to find it again.
"""

from collections.abc import Callable
from typing import NamedTuple

from chatproxy.core.credentials.blanking import Blanker, Blankers
from chatproxy.core.http.conditions import conditions
from chatproxy.core.model import Headers
from chatproxy.core.replay.fetches import Lanes


class Asker(NamedTuple):
    """Which session a header list chooses, None if it gives what is not a name; its user, secrets and lanes."""

    session: str | None
    user: str
    blanker: Blanker
    lanes: Lanes


class Askers:
    """Remembers up to so many ``entries`` of up to ``size`` bytes; ``choice_of`` tells which session is chosen."""

    def __init__(self, choice_of: Callable[[Headers], str | None], *, entries: int = 1000, size: int = 2**20) -> None:
        self._choice_of = choice_of
        self._entries = entries
        self._bound = size
        self._size = 0
        self._known: dict[Headers, Asker] = {}
        self._blankers = Blankers()

    def of(self, headers: Headers) -> Asker:
        """Return who sends this header list."""
        asker = self._known.get(headers)
        if asker is None:
            blanker = self._blankers.of(headers)
            lanes = Lanes(blanker, is_conditional=bool(conditions(headers)))
            asker = Asker(self._choice_of(headers), blanker.user, blanker, lanes)
            size = sum(len(name) + len(value) for name, value in headers)
            if len(self._known) >= self._entries or self._size + size > self._bound:
                self._known.clear()
                self._size = 0
            if size <= self._bound and self._entries:
                self._known[headers] = asker
                self._size += size
        return asker
