"""The state of one replay of a cassette: all that changes while it is replayed is here."""

from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from chatproxy.core.answers.echoes import Echo, sent_values
from chatproxy.core.answers.stand_ins import Sent
from chatproxy.core.answers.stencil import Stencil
from chatproxy.core.answers.template import Slot
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.credentials.blanking import Blanker
from chatproxy.core.http.conditions import conditions
from chatproxy.core.matching.normal_form import NormalForm
from chatproxy.core.matching.rules import Rules
from chatproxy.core.matching.users import is_challenge
from chatproxy.core.model import ExchangeNumber, Request, is_read
from chatproxy.core.replay.bindings import Bindings, Choice
from chatproxy.core.replay.live import Live
from chatproxy.core.replay.progress import Progress
from chatproxy.core.scrubbing.scrub import scrubbed_request
from chatproxy.core.time.sent_back import Reading, readings, repeated
from chatproxy.core.time.session_clock import RecordedClock, SessionClock

_OPENING = 200
"""How many exchanges are looked at for the first write."""

_USERS = 1000
"""Of how many users it is remembered what may answer them."""

DEFAULT = "default"
"""The name of the session of requests that choose none."""


class Filled(NamedTuple):
    """Head and body of an answer, and the texts in the head that show its moment."""

    head: bytes
    body: bytes
    moments: tuple[bytes, ...]


class State:
    """What a session is in until an answer that was given may become another; then ``session`` is None."""

    __slots__ = ("session",)

    def __init__(self, session: "Session") -> None:
        self.session: Session | None = session


class Session:
    """One replay: how far it has come, its time, and which SIDs stand for which.

    ``skips`` tells that reads are answered as recorded if the session has only skipped what was done before them.
    ``restarts`` is how often the session of this name was begun anew. ``state`` is another one after each change by
    which an answer that was given may become another, ``life`` the same as long as the session lives. ``used`` is when
    the last request came. Without a ``clock`` all instants are served as recorded, without ``sids`` all SIDs. ``tied``
    tells that requests can choose no other session.
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
        tied: bool = False,
        skips: bool = False,
    ) -> None:
        self.name = name
        self.tied = tied
        self.restarts = restarts
        self.cassette = cassette
        self.rules = rules
        self.scrubs = bool(rules.scrub)  # asked four times a request, and a dictionary look-up is cheaper
        self._headers_count = self.scrubs or bool(rules.match_headers)
        self.progress = Progress()
        self.skips = skips
        self._spaces: dict[str, tuple[str, ...]] = {}
        self.life = object()
        self.state = State(self)
        self.used = 0
        self._echoes: dict[tuple[ExchangeNumber, bytes], bytes] = {}
        self.live = Live(cassette)
        self.missed: dict[ExchangeNumber, str] = {}
        """For which recorded requests one was missed, each with the line of the first of those that it follows from."""
        self.sids = sids or Bindings(cassette, Choice(recorded=True))
        self._sent = Sent(self.sids.to_live)
        self.clock = clock or RecordedClock()
        self._sent_back: dict[bytes, bytes] = {}
        self._fillers: dict[Slot, Callable[[bytes], bytes]] = {
            Slot.ECHO: self._echoed,
            Slot.PSEUDONYM: self._sent.filled,
            Slot.SID: self._sent.sid,
        }

    @cached_property
    def opening(self) -> tuple[ExchangeNumber, ...]:
        """With what the recording begins: the numbers of its first exchanges, up to the first write or to so many."""
        found: list[ExchangeNumber] = []
        for number in islice(self.cassette.numbers(), _OPENING):
            exchange = self.cassette.exchange(number)
            if not is_challenge(exchange):  # which is answered so at any time
                found.append(number)
                if not is_read(exchange.request.method):
                    break
        return tuple(found)

    @property
    def is_over(self) -> bool:
        """Whether all recorded writes are done, so that a session could begin anew."""
        return len(self.progress.done) == self.cassette.writes

    def blanked(self, request: Request, blanker: Blanker | None = None) -> Request:
        """Return a live request without its secrets, and scrubbed, as recorded ones are: for its key, and to be shown.

        Which pseudonyms stand for which of its values is remembered.
        """
        headers_count = self._headers_count or bool(conditions(request.headers))
        blanked = (blanker or Blanker(request.headers)).for_key(request, headers_count=headers_count)
        return scrubbed_request(blanked, self.rules.scrub, self._sent.note) if self.scrubs else blanked

    def spaces(self, user: str) -> tuple[str, ...]:
        """Return the spaces of the cassette in which to look for what answers a user."""
        users = self.cassette.users
        recorded = self.sids.recorded_user(user) if users.are_several else user
        found = self._spaces.get(recorded)
        if found is None:
            if len(self._spaces) >= _USERS:
                self._spaces.clear()
            found = self._spaces[recorded] = users.spaces_for(recorded, self.cassette.account)
        return found

    def echo(self, number: ExchangeNumber, request: Request, form: NormalForm) -> None:
        """Keep what the client sent in ignored parameters of a write that the exchange of this number answers."""
        if self.rules.ignore and not is_read(form.method):
            for field, value in sent_values(request, self.rules.ignored(form.method, form.path)):
                self._echoes[number, field] = value

    def _echoed(self, packed: bytes) -> bytes:
        """Return the client's own value, or else the recorded one with this session's SIDs and values."""
        echo = Echo.unpack(packed)
        value = self._echoes.get((echo.write, echo.field))
        return self._sent.in_json_string(echo.recorded) if value is None else value

    def readings(self, form: NormalForm) -> list[Reading]:
        """Return what a request may have been with recorded times, where it has some that this session served."""
        return readings(form, self.clock.recorded)

    def note_sent_back(self, sent: Mapping[bytes, bytes]) -> None:
        """Take in for which recorded times a request had some that this session served."""
        if not sent.items() <= self._sent_back.items():
            self._sent_back.update(sent)
            self.change()

    def fill(self, stencil: Stencil, origin: Callable[[bytes], bytes], moment: int) -> Filled:
        """Fill an answer at this moment; ``origin`` tells the addresses in it."""
        if self._sent_back:
            stencil = stencil._replace(body=repeated(stencil.body, self._sent_back, "%%"))
        values = list(map(self._sent.sid, stencil.sids)) if self.scrubs else self.sids.all_live(stencil.sids)
        values += self.clock.texts(stencil.instants, moment)
        moments = self.clock.moments(stencil.nows, moment)
        values += moments
        for slot, argument in stencil.others:
            values.append(origin(argument) if slot is Slot.ORIGIN else self._fillers[slot](argument))
        return Filled(*stencil.fill(values), moments)

    def change(self) -> None:
        """Take in that an answer which was given may have become another."""
        self.state.session = None
        self.state = State(self)
