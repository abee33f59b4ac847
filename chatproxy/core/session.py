"""The state of one replay of a cassette: all that changes while it is replayed is here."""

from chatproxy.core.cassette import Cassette
from chatproxy.core.model import Request
from chatproxy.core.normalize import Rules
from chatproxy.core.scrub import Blankers
from chatproxy.core.timelines import LiveTimelines

DEFAULT = "default"
"""The name of the session of requests that choose none."""


class Session:
    """One replay: how often each request was answered, and which write was replayed last.

    ``restarts`` is how often the session of this name was begun anew.
    """

    def __init__(self, cassette: Cassette, rules: Rules, name: str = DEFAULT, restarts: int = 0) -> None:
        self.name = name
        self.restarts = restarts
        self.cassette = cassette
        self.rules = rules
        self.blankers = Blankers()
        self.answered: dict[bytes, int] = {}
        self.last_write = 0
        self.live = LiveTimelines()

    def blanked(self, request: Request) -> Request:
        """Return a live request without its secrets, as recorded ones are: for its key, and to be shown."""
        return self.blankers.of(request.headers).for_key(request, self.rules)
