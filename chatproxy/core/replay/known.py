"""What stands for the known SIDs of a cassette in one session: settled before a request is looked up, one to one.

1. What ``bind`` says; of several for one SID, the one that the session sends first. Else the value that the variable
   which held it has now, if that as a whole is a SID of the type. Else, from the first request on that sends one of the
   recorder's own SIDs, the recorder's own.
2. What has two meanings stands for nothing.
3. Where none of the recorder's own was sent, an unknown SID is assumed to stand for the only one of its type below its
   parent for which nothing stands, unless ``bind`` or a variable names that parent. It stands for nothing again if the
   recorder's own comes after it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.naming import bound_in
from chatproxy.core.model import LiveSid, RecordedSid
from chatproxy.core.products.sid_types import ACCOUNT, API_KEY
from chatproxy.core.replay.fresh import RefusalError
from chatproxy.core.replay.pairs import Pairs
from chatproxy.core.timeline.known import NO_VARIABLES, Known, is_sid


@dataclass(frozen=True, slots=True)
class Choice:
    """How SIDs are served: the settings of a replay.

    ``bind`` says which live SID stands for which recorded one. ``variables`` are those of the program's environment,
    as they are when the first request comes. Unless it ``assumes``, an unknown SID stands for nothing.
    """

    seed: int = 0
    recorded: bool = False
    keep: frozenset[str] = frozenset()
    bind: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=lambda: NO_VARIABLES)
    assumes: bool = True


_BIND = "bind"


class KnownSids:
    """The known SIDs of a cassette; ``stays`` tells which SIDs are served as recorded before all else."""

    def __init__(self, cassette: Cassette, choice: Choice, pairs: Pairs, stays: Callable[[RecordedSid], bool]) -> None:
        self.all = {known.sid: known for known in cassette.known}
        self.by_own = {known.own: known.sid for known in cassette.known if known.own}
        self.assumed: dict[LiveSid, RecordedSid] = {}
        self._cassette = cassette
        self._choice = choice
        self._pairs = pairs
        self._stays = stays
        self._named: set[RecordedSid] = set()
        """Those that ``bind`` or a variable names, whatever becomes of it."""
        self._bound: set[RecordedSid] = set()
        """Those of them that ``bind`` names."""
        self._themselves: set[RecordedSid] = set()
        """Those of the named that are named as the recorder's own."""
        self._offered: dict[LiveSid, RecordedSid] = {}
        self._nothing: dict[LiveSid, str] = {}
        self._is_own_sent = False
        self._users = _users(cassette, stays)
        self._sent_users: set[LiveSid] = set()

    def settle(self) -> None:
        """Settle what the settings and the environment say."""
        for known in self.all.values():
            if known.own and self._stays(known.sid):
                self._pairs.put(known.own, known.sid)
        if not self._choice.recorded:
            meanings = self._meanings()
            several = Counter(recorded for said in meanings.values() for recorded in said)
            self._named.update(several)
            for live, said in meanings.items():
                self._settle_one(live, said, several)

    def _meanings(self) -> dict[LiveSid, dict[RecordedSid, str]]:
        """Return what each SID stands for that the settings or the environment name, and by which of them."""
        meanings: dict[LiveSid, dict[RecordedSid, str]] = defaultdict(dict)
        for live, recorded in bound_in(self._cassette, self._choice.bind):
            if not self._stays(recorded):
                meanings[live][recorded] = _BIND
                self._named.add(recorded)
                self._bound.add(recorded)
        for live, known in self._by_variables():
            meanings[live][known.sid] = f"the variable {known.variable}"
        return meanings

    def _settle_one(self, live: LiveSid, said: dict[RecordedSid, str], several: Mapping[RecordedSid, int]) -> None:
        own = self.by_own.get(live)
        if own is not None and own not in self._named and _BIND not in said.values():
            said[own] = "the recorder"
        recorded = next(iter(said))
        if len(said) > 1:
            meanings = " and ".join(f"{self.shown(one)} by {by}" for one, by in said.items())
            self._nothing[live] = (
                f"{live.decode()} has two meanings, {meanings}, and so stands for nothing; --bind says which it is"
            )
        elif several[recorded] > 1:
            self._offered[live] = recorded
        elif own == recorded:
            self._themselves.add(recorded)
        else:
            self._pairs.put(live, recorded)

    def _by_variables(self) -> list[tuple[LiveSid, Known]]:
        """Return what the variables say that held known SIDs."""
        found = []
        for known in self.all.values():
            value = self._choice.variables.get(known.variable, "") if known.variable else ""
            is_free = known.sid not in self._named and not self._stays(known.sid)
            if is_free and is_sid(value) and value[:2].encode() == known.sid[:2]:
                found.append((LiveSid(value.encode()), known))
        return found

    def user(self, user: LiveSid) -> None:
        """Let a live account or API key stand for itself, else for the only one of its type that recorded and is free.

        It goes before what a variable or an assumption said. Raises RefusalError where it is not settled for which it
        stands. Where none of its type recorded, it need not stand for one.
        """
        if self.is_settled(user):
            return
        recorded = self._users[user[:2]]
        if user in self._offered or user in self._nothing:
            self.take(user)
        own = self.by_own.get(user) or (RecordedSid(user) if self._cassette.numbered(user) else None)
        said = own or self._pairs.of(user)
        if said is not None and said not in recorded:
            return
        if own is not None:
            self._check_own_user(user, own)
        free = [one for one in recorded if self._is_free(one, user)] if said is None else [said]
        if len(free) != 1:
            why = "more than one user is left" if free else "another stands for each already"
            raise RefusalError(self._unknown(user, why, [self.all[one] for one in free or recorded if one in self.all]))
        before = self._pairs.live.get(free[0])
        if before is not None:
            self._pairs.drop(before)
            self.assumed.pop(before, None)
        self._pairs.put(user, free[0])
        self._sent_users.add(user)

    def _is_free(self, recorded: RecordedSid, user: LiveSid) -> bool:
        """Tell whether no other user stands for a recorded one, and ``bind`` names no other."""
        live = self._pairs.live.get(recorded)
        return live == user or (live not in self._sent_users and recorded not in self._bound)

    def _check_own_user(self, user: LiveSid, own: RecordedSid) -> None:
        live = self._pairs.live.get(own)
        if live is not None and not self._is_free(own, user):
            raise RefusalError(f"{user.decode()} stands for itself, but {live.decode()} stands for it already")
        if own in self._bound - self._themselves:
            raise RefusalError(f"{user.decode()} stands for itself, but bind or a variable names another for it")

    def is_settled(self, user: LiveSid) -> bool:
        """Tell whether it is settled for which recorded user a live one stands, or that it need not stand for one."""
        return user in self._sent_users or not self._users.get(user[:2]) or not is_sid(user.decode())

    def take(self, live: LiveSid) -> bool:
        """Take in a SID that the session sends, and tell whether it stands for a known one; raises RefusalError."""
        offered = self._offered.pop(live, None)
        if offered is not None:
            self._pairs.put(live, offered)
            for other in [other for other, recorded in self._offered.items() if recorded == offered]:
                del self._offered[other]
                self._nothing[other] = (
                    f"{other.decode()} stands for {self.shown(offered)} by bind, and so does {live.decode()}, which "
                    "this session sent before it"
                )
        if live in self._nothing:
            raise RefusalError(self._nothing[live])
        recorded = self.by_own.get(live)
        if recorded is not None:
            self._take_own(live, recorded)
        return recorded is not None or offered is not None

    def _take_own(self, own: LiveSid, recorded: RecordedSid) -> None:
        """Let all of the recorder's own SIDs stand for themselves, since one of them was sent."""
        live = self._pairs.live.get(recorded, own)
        if live != own and live not in self.assumed:
            raise RefusalError(f"{own.decode()} stands for itself, but {live.decode()} stands for it already")
        if recorded in self._named - self._themselves and recorded not in self._pairs.live:
            raise RefusalError(f"{own.decode()} stands for itself, but bind or a variable names another for it")
        self._is_own_sent = True
        for known in self.all.values():
            is_free = known.sid not in self._named or known.sid in self._themselves
            is_other_user = known.sid[:2] in self._users and known.sid != recorded  # who asks may be another one
            if known.own is None or not is_free or is_other_user or known.own in self._nothing:
                continue
            self.withdraw(known.sid, own)
            if known.sid not in self._pairs.live and known.own not in self._pairs.recorded:
                self._pairs.put(known.own, known.sid)

    def withdraw(self, recorded: RecordedSid, sent: LiveSid) -> None:
        """Let what was assumed to stand for a SID stand for nothing, since this one was sent."""
        live = self._pairs.live.get(recorded)
        if live is not None and self.assumed.pop(live, None) is not None:
            self._pairs.drop(live)
            self._nothing[live] = (
                f"{live.decode()} was assumed to stand for {self.shown(recorded)}, and stands for nothing since "
                f"{sent.decode()} was sent; {self._line(live, self.shown(recorded))}"
            )

    def assume(self, live: LiveSid, above: Container[RecordedSid]) -> None:
        """Let an unknown SID stand for the only one that it can; raises RefusalError where that is not settled.

        Where no SID of its type is known there, it stands for nothing, and need not.
        """
        alike = [known for known in self.all.values() if known.sid[:2] == live[:2]]
        alike = [known for known in alike if known.parent is None or known.parent in above]
        open_ = [known for known in alike if known.sid not in self._named and not self._stays(known.sid)]
        free = [known for known in open_ if known.sid not in self._pairs.live]
        if not alike:
            return
        if len(free) == 1 and self._why_not(free[0]) is None:
            self._pairs.put(live, free[0].sid)
            self.assumed[live] = free[0].sid
            return
        why = next(filter(None, map(self._why_not, open_)), None) or (
            "more than one is left" if free else "another stands for each already"
        )
        raise RefusalError(self._unknown(live, why, free or open_))

    def _why_not(self, known: Known) -> str | None:
        """Return why nothing is assumed to stand for a SID, if so."""
        if not self._choice.assumes:
            return 'bind = "none"'
        if self._is_own_sent:
            return "the recorder's own SIDs were sent"
        if known.parent in self._named:
            return f"bind or a variable names {self.shown(known.parent)} above it"
        return None

    def _unknown(self, live: LiveSid, why: str, candidates: list[Known]) -> str:
        unknown = f"{live.decode()} stands for no SID of cassette {self._cassette.name!r}: {why}"
        if meant := self._meant(live):
            return f"{unknown}; did you mean {meant}?"
        unknown += self._by_bind(live)
        if not candidates:
            return unknown
        line = self._line(live, self.shown(candidates[0].sid) if len(candidates) == 1 else "SID")
        helps = f"; it may be {' or '.join(self.shown(known.sid) for known in candidates)}: {line}"
        variables = [known.variable for known in candidates if known.variable]
        by_variable = f", or set {' or '.join(variables)} where chatproxy run or pytest runs" if variables else ""
        return f"{unknown}{helps}{by_variable}"

    def _meant(self, live: LiveSid) -> str | None:
        """Return the SID that was meant where one or two digits of one that stands for another were mistyped."""
        standing = (self._pairs.live.get(known.sid) or known.own for known in self.all.values())
        alike = [one for one in standing if one and one[:2] == live[:2] and 0 < _digits(one, live) <= _MISTYPED]
        return alike[0].decode() if len(alike) == 1 else None

    def _by_bind(self, live: LiveSid) -> str:
        """Say what is wrong with what ``bind`` says of a SID."""
        said = self._choice.bind.get(live.decode())
        if said is not None:
            return f"; bind names {said} for it, which is not a SID of this cassette"
        is_recorded = live.decode() in self._choice.bind.values()
        return "; bind has it as a recorded SID: write LIVE=RECORDED" if is_recorded else ""

    def _line(self, live: LiveSid, recorded: str) -> str:
        return f"--bind {live.decode()}={recorded}"

    def shown(self, recorded: RecordedSid) -> str:
        """Return how a user calls a recorded SID: as the recorder did, where that is known."""
        known = self.all.get(recorded)
        return ((known and known.own) or recorded).decode()


_MISTYPED = 2
"""In how many digits a SID differs at most from one that was meant."""


def _digits(one: bytes, other: bytes) -> int:
    """Return in how many digits two SIDs differ."""
    return sum(mine != theirs for mine, theirs in zip(one, other, strict=False))


def _users(cassette: Cassette, stays: Callable[[RecordedSid], bool]) -> dict[bytes, list[RecordedSid]]:
    """Return by their types the recorded users that a live one stands for."""
    accounts = cassette.users.of_type(ACCOUNT) or ([cassette.account.decode()] if cassette.account else [])
    found = {ACCOUNT: accounts, API_KEY: cassette.users.of_type(API_KEY)}
    return {
        letters.encode(): [one for one in map(RecordedSid, map(str.encode, users)) if not stays(one)]
        for letters, users in found.items()
    }
