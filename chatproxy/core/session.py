"""The state of one replay of a cassette: all that changes while it is replayed is here."""

from chatproxy.core.bindings import Bindings, Choice
from chatproxy.core.cassette import Cassette
from chatproxy.core.clock import Instant, SessionClock
from chatproxy.core.model import Request
from chatproxy.core.normalize import Rules
from chatproxy.core.scrub import Blankers
from chatproxy.core.stamps import Stamp
from chatproxy.core.template import Reply, Slot, Values, as_recorded
from chatproxy.core.timelines import LiveTimelines
from chatproxy.core.timestamps import spell_instant

DEFAULT = "default"
"""The name of the session of requests that choose none."""


class Session:
    """One replay: how often each request was answered, its epochs, its time, and which SIDs stand for which.

    ``answered`` counts writes by their keys, reads by their keys and epochs. ``epochs`` holds the furthest epoch of
    each timeline, ``skipped`` the writes that counted as done before they were replayed. ``restarts`` is how often
    the session of this name was begun anew. Without a ``clock`` all instants are served as recorded, without ``sids``
    all SIDs.
    """

    def __init__(
        self,
        cassette: Cassette,
        rules: Rules,
        name: str = DEFAULT,
        restarts: int = 0,
        clock: SessionClock | None = None,
        *,
        sids: Bindings | None = None,
    ) -> None:
        self.name = name
        self.restarts = restarts
        self.cassette = cassette
        self.rules = rules
        self.blankers = Blankers()
        self.answered: dict[bytes, int] = {}
        self.epochs: dict[int, int] = {}
        self.skipped: list[int] = []
        self.last_write = 0
        self.live = LiveTimelines()
        self.sids = sids or Bindings(cassette, rules, Choice(recorded=True))
        self._clock = clock

    def blanked(self, request: Request) -> Request:
        """Return a live request without its secrets, as recorded ones are: for its key, and to be shown."""
        return self.blankers.of(request.headers).for_key(request, self.rules)

    def values(self, number: int, reply: Reply, origin: str, moment: int) -> Values:
        """Replay an exchange at this moment, and return what fills its slots for a client that used this origin."""
        clock = self._clock
        sids: Values = {Slot.SID: self.sids.to_live}
        if clock is None:
            return as_recorded(origin) | sids
        if reply.written:
            clock.wrote(Instant(reply.written, number, reply.timeline), moment, opens=reply.opens)
        now = clock.now(moment)

        def instant(packed: bytes) -> bytes:
            stamp = Stamp.unpack(packed)
            return spell_instant(clock.served(Instant(stamp.moment, stamp.cause, reply.timeline)), stamp.spelling)

        def present(packed: bytes) -> bytes:
            return spell_instant(now, Stamp.unpack(packed).spelling)

        return as_recorded(origin) | sids | {Slot.INSTANT: instant, Slot.NOW: present}
