"""The sessions of one listener: which one a request belongs to, and how long each is kept.

A session is chosen by the header ``x-chatproxy-session``, else by the Basic user name if that is an account's SID. An
API key, which does not tell its account, belongs to the session of the only account seen. All else belongs to the
session named ``default``.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator

from chatproxy.core.credentials.blanking import is_user_name, user_of
from chatproxy.core.errors import RequestError
from chatproxy.core.matching.normal_form import NormalForm
from chatproxy.core.model import Exchange, Forward, Headers, Request, header_values
from chatproxy.core.products.sid_types import API_KEY
from chatproxy.core.replay.live import Live
from chatproxy.core.replay.session import DEFAULT, Session
from chatproxy.core.twilio.sids import is_account

SESSION = b"x-chatproxy-session"

_NAME = re.compile(rb"[A-Za-z0-9._-]{1,100}")

OF_KEYS = "*"
"""In place of a session's name: the one of API keys, which may become another."""

Begin = Callable[[str, int], Session]
"""Begins a session, given its name and how often one of that name was ended by command."""


class Sessions:
    """Holds what ``begin`` makes, at most ``bound`` of them.

    ``tied`` ties all requests to the session of that name: then neither header nor user name is asked. ``by_user``
    tells whether user names choose. ``idle`` is how many microseconds without a request a session is kept; idle
    ones go when another session is looked up, so that a lone one waits as long as its client likes. With ``restart``
    a session begins anew when it has no answer left that a new one would have.
    """

    def __init__(
        self,
        begin: Begin,
        *,
        tied: str | None = None,
        by_user: bool = True,
        bound: int = 10_000,
        idle: int = 3600 * 10**6,
        restart: bool = False,
    ) -> None:
        self.dropped = 0
        self._begin = begin
        self._tied = tied
        self._by_user = by_user
        self._bound = bound
        self._idle = idle
        self._restart = restart
        self._held: OrderedDict[str, Session] = OrderedDict()  # the one that was used longest ago comes first
        self._restarts: OrderedDict[str, int] = OrderedDict()
        self._accounts: set[str] = set()
        self._written: Live | None = None
        """What all sessions have changed at the upstream, also those that are over."""

    def __iter__(self) -> Iterator[Session]:
        return iter(self._held.values())

    def of(self, request: Request, now: int) -> Session:
        """Return the session of a request that came at this moment, begun if need be.

        Raises RequestError if the request names a session by what is not a name.
        """
        return self.named(self.choice_of(request.headers), now)

    def named(self, choice: str | None, now: int) -> Session:
        """Return the session that is chosen by a request that came at this moment, begun if need be.

        Raises RequestError for None: what the request gave is not a name.
        """
        name = self._resolved(choice)
        if name is None:
            raise RequestError(
                400, "x-chatproxy-session is no name for a session: up to 100 letters, digits, '.', '_', '-'"
            )
        session = self._held.get(name)
        if session is None:
            session = self._hold(self._begin(name, self._restarts.get(name, 0)))
        self.use(session, now)
        return session

    def use(self, session: Session, now: int) -> None:
        """Take in that a request of a session that is held came at this moment."""
        session.used = now
        if len(self._held) > 1:
            self._held.move_to_end(session.name)
            self._drop(now)

    def held(self, choice: str) -> Session | None:
        """Return the session that goes on under this choice, if there is one."""
        return self._held.get(self._resolved(choice) or "")

    def name_of(self, headers: Headers) -> str | None:
        """Return the name of the session that a header list chooses now, None if it gives what is not a name."""
        return self._resolved(self.choice_of(headers))

    def choice_of(self, headers: Headers) -> str | None:
        """Return which session a header list chooses: its name, ``OF_KEYS``, or None if it gives what is not a name."""
        if self._tied is not None:
            return self._tied
        given = next(header_values(headers, SESSION), None)
        if given is not None:
            return given.decode() if _NAME.fullmatch(given) else None
        return _chosen_by(user_of(headers)) if self._by_user else DEFAULT

    def _resolved(self, choice: str | None) -> str | None:
        return self._of_keys() if choice == OF_KEYS else choice

    def _of_keys(self) -> str:
        return next(iter(self._accounts)) if len(self._accounts) == 1 else DEFAULT

    def others(self, session: Session) -> Iterator[Session]:
        """Yield the sessions that the same program may have begun by another user name."""
        if self._by_user and self._tied is None:
            yield from (one for one in self._held.values() if one is not session)

    def is_ahead(self, session: Session, form: NormalForm) -> bool:
        """Tell whether another session put a write to the upstream that touches a request."""
        return self._written is not None and not session.live.has_all_of(self._written, form)

    def write(self, session: Session, form: NormalForm) -> None:
        """Take in that a session puts a request to the upstream."""
        if self._written is None:
            self._written = Live(session.cassette)
        self._written.write(form)
        session.live.write(form)
        session.change()

    def wrote(self, forward: Forward, exchange: Exchange) -> None:
        """Take in that a session's write was put to the upstream and recorded as this exchange."""
        assert self._written is not None
        self._written.wrote(forward, exchange)
        session = self._held.get(forward.session or DEFAULT)
        if session is not None and session.life is forward.life:
            session.live.wrote(forward, exchange)

    def end(self, name: str) -> bool:
        """End a session, so that the next request of that name begins it anew; tell whether there was one."""
        if name not in self._held:
            return False
        self._forget(name)
        count = self._restarts.pop(name, 0) + 1
        self._restarts[name] = count
        if len(self._restarts) > self._bound:
            self._restarts.popitem(last=False)
        return True

    def anew(self, session: Session) -> Session | None:
        """Begin the session that would follow this one, not held yet; None if sessions are not to begin anew."""
        return self._begin(session.name, self.restarts(session.name) + 1) if self._restart else None

    def replace(self, anew: Session, now: int) -> None:
        """Hold a session in place of the one of its name."""
        self.end(anew.name)
        self._hold(anew)
        anew.used = now

    def end_all(self) -> None:
        """End every session."""
        for name in list(self._held):
            self.end(name)

    def restarts(self, name: str) -> int:
        """Return how often a session of this name was ended."""
        return self._restarts.get(name, 0)

    def _drop(self, now: int) -> None:
        """Drop the sessions that are idle or too many; never the one just used, which stands last."""
        while len(self._held) > 1:
            oldest = next(iter(self._held))
            if len(self._held) <= self._bound and self._held[oldest].used + self._idle >= now:
                return
            self._forget(oldest)
            self.dropped += 1

    def _hold(self, session: Session) -> Session:
        before = self._of_keys()
        self._held[session.name] = session
        if is_account(session.name.encode()) and is_user_name(session.name.encode()):
            self._accounts.add(session.name)
        self._settle(before)
        return session

    def _forget(self, name: str) -> None:
        before = self._of_keys()
        self._held.pop(name).state.session = None
        self._accounts.discard(name)
        self._settle(before)

    def _settle(self, before: str) -> None:
        """See to it that no answer is given again to an API key that belongs to another session now."""
        if self._of_keys() != before:
            for name in (before, self._of_keys()):
                if (session := self._held.get(name)) is not None:
                    session.change()


def _chosen_by(user: str) -> str:
    if is_account(user.encode()):
        return user
    return OF_KEYS if user.startswith(API_KEY) else DEFAULT
