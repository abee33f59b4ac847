"""Which SID stands for which in one session: live ones are the client's, recorded ones the cassette's.

The laws:

1. A generated SID is served as a fresh one, a keyed hash of the seed, the cassette's name, the session and the
   SID's number: the same in every answer, another in every session. What was served is remembered.
2. A supplied SID is served as what the client sent in its place. A recorded supplied SID in a request stands for
   itself; any other binds to the first supplied one of its type, not yet bound, with which the request would be
   a hit. All SIDs of a request bind together or not at all.
3. The map is applied to a request before its key is made, and to every answer; it leads back to where it began.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from json import dumps
from typing import NamedTuple

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.matching.normal_form import NormalForm, normalize, translate
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import LiveSid, RecordedSid
from chatproxy.core.timeline.numbering import Numbered, SidNumber, order_of, sid_number, sid_type
from chatproxy.core.twilio.sids import is_account

_LOOKED_AT = 1000
"""How many exchanges of a shape, or fresh SIDs of a type, are looked at for an unknown SID at most."""

_UNBOUND = 1000
"""How many SIDs are remembered that are served as recorded while nothing is bound to them: each saves a look-up."""

IsHit = Callable[[NormalForm], bool]
"""Tells whether a request of this form would be answered now."""


class Owner(NamedTuple):
    """Who was given a fresh SID: a session's name, and how often it was begun anew."""

    session: str = "default"
    restarts: int = 0


class Given:
    """Which session was given which fresh SID; of more than ``bound`` the oldest are forgotten."""

    def __init__(self, bound: int = 100_000) -> None:
        self._bound = bound
        self._owners: dict[LiveSid, Owner] = {}
        self._oldest_first: deque[LiveSid] = deque()  # a dictionary finds its first key by passing all deleted ones

    def note(self, fresh: LiveSid, owner: Owner) -> None:
        """Take in that a session was given a SID."""
        if fresh not in self._owners:
            self._oldest_first.append(fresh)
        self._owners[fresh] = owner
        if len(self._owners) > self._bound:
            del self._owners[self._oldest_first.popleft()]

    def owner(self, fresh: LiveSid) -> Owner | None:
        """Return who was given a SID, if it is remembered."""
        return self._owners.get(fresh)


class Ambiguity(NamedTuple):
    """Live SIDs that were bound to the first of several lists of recorded ones, each of which was a hit."""

    live: tuple[LiveSid, ...]
    recorded: list[tuple[RecordedSid, ...]]


@dataclass(frozen=True, slots=True)
class Choice:
    """How SIDs are served: the settings of a replay."""

    seed: int = 0
    recorded: bool = False
    keep: frozenset[str] = frozenset()
    bind: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Translation:
    """A request in the cassette's SIDs and what it would bind; why it has no answer, and which session has its SID."""

    form: NormalForm
    bound: dict[LiveSid, RecordedSid] = field(default_factory=dict)
    ambiguity: Ambiguity | None = None
    refusal: str | None = None
    elsewhere: str | None = None


class _Refusal(Exception):
    """A SID cannot stand for anything in this session: the reason, and which session was given it, if another was."""


class Bindings:
    """The two-way map of one session; ``given`` is what all sessions were given, where there are several."""

    def __init__(
        self,
        cassette: Cassette,
        rules: Rules,
        choice: Choice | None = None,
        owner: Owner | None = None,
        given: Given | None = None,
    ) -> None:
        self._cassette = cassette
        self._rules = rules
        self._choice = choice or Choice()
        self._owner = owner or Owner()
        self._given = Given() if given is None else given
        secret = dumps([self._choice.seed, cassette.name, *self._owner])
        key = blake2b(secret.encode(), digest_size=32).digest()
        self._keyed = blake2b(key=key, digest_size=16)
        self._live: dict[RecordedSid, LiveSid] = {}
        self._recorded: dict[LiveSid, RecordedSid] = {}
        self._unbound: dict[RecordedSid, LiveSid] = {}
        if not self._choice.recorded:
            pairs = self._choice.bind.items()
            self._bind({LiveSid(live.encode()): RecordedSid(recorded.encode()) for live, recorded in pairs})

    def to_live(self, recorded: RecordedSid) -> LiveSid:
        """Return what is served for a recorded SID; a fresh one is remembered as given."""
        return self.all_live([recorded])[0]

    def all_live(self, recorded: Sequence[RecordedSid]) -> list[LiveSid]:
        """Return what is served for several recorded SIDs, all different."""
        live = self._live.get
        found = [live(sid) for sid in recorded]
        if None in found:
            self._show([sid for sid, one in zip(recorded, found, strict=True) if one is None])
            unbound = self._unbound
            found = [one or live(sid) or unbound[sid] for sid, one in zip(recorded, found, strict=True)]
        return found  # type: ignore[return-value]  # none is None

    def _show(self, recorded: list[RecordedSid]) -> None:
        """See to it that SIDs stand for something that are served and stand for nothing yet."""
        unbound = self._unbound
        new = [sid for sid in recorded if sid not in unbound]
        if len(unbound) + len(new) > _UNBOUND:
            unbound.clear()
            new = recorded
        if not new:
            return
        for sid, fresh in zip(new, self._cassette.fresh(new, self._spelled), strict=True):
            if fresh is None or self._stays(sid):
                unbound[sid] = LiveSid(sid)
            else:
                self._live[sid] = fresh
                self._recorded[fresh] = sid
                self._given.note(fresh, self._owner)

    def to_recorded(self, live: LiveSid) -> RecordedSid:
        """Return what a SID of the client stands for: itself, if it stands for no other."""
        return self._recorded.get(live) or RecordedSid(live)

    def recorded_user(self, user: str) -> str:
        """Return who recorded what this user is to be answered: what an account stands for, or would from now on."""
        live = LiveSid(user.encode())
        return (self._account(user).get(live) or self.to_recorded(live)).decode()

    def bound(self, live: LiveSid) -> RecordedSid | None:
        """Return what a SID of the client stands for by what was bound; None if that is nothing, or not known yet."""
        found = self._recorded.get(live)
        if found is None and self._live.get(RecordedSid(live)) == live:
            return RecordedSid(live)
        return found

    def all_bound(self, sids: Iterable[bytes]) -> dict[bytes, RecordedSid] | None:
        """Return what SIDs stand for that stand for others, for good; None if one of them or the account may change."""
        account = self._cassette.account
        is_settled = account is None or account in self._live or self._stays(account)
        return self._all_known(sids) if is_settled else None

    def translation(self, form: NormalForm, user: str, is_hit: IsHit) -> Translation:
        """Put a request into the cassette's SIDs; nothing is bound until ``keep`` is told to."""
        if self._choice.recorded:
            return Translation(form)
        bound = self._account(user)
        found = form.sids
        if not bound and (known := self._all_known(found)) is not None:
            return Translation(translate(form, lambda sid: known.get(sid, sid)) if known else form)
        sids = dict.fromkeys(map(LiveSid, found))
        return self._with_unknown(form, sids, bound, is_hit)

    def _all_known(self, sids: Iterable[bytes]) -> dict[bytes, RecordedSid] | None:
        """Return what those of the SIDs stand for that do not stand for themselves; None if one stands for nothing."""
        others: dict[bytes, RecordedSid] = {}
        for sid in sids:
            if self._live.get(RecordedSid(sid)) != sid:
                recorded = self._recorded.get(LiveSid(sid))
                if recorded is None:
                    return None
                others[sid] = recorded
        return others

    def _with_unknown(
        self, form: NormalForm, sids: Iterable[LiveSid], bound: dict[LiveSid, RecordedSid], is_hit: IsHit
    ) -> Translation:
        try:
            unknown = self._known(sids, bound)
        except _Refusal as refusal:
            return Translation(form, {}, None, *refusal.args)
        found = sorted(self._candidates(form, bound, unknown, is_hit), key=self._numbers) if unknown else []
        if found:
            bound |= zip(unknown, found[0], strict=True)
        ambiguity = Ambiguity(tuple(unknown), found) if len(found) > 1 else None
        return Translation(self._translated(form, sids, bound), bound, ambiguity)

    def keep(self, translation: Translation) -> bool:
        """Bind what a request that is a hit has bound; tell whether a SID stands for another by that."""
        if not translation.bound:
            return False
        self._bind(translation.bound)
        return any(recorded != RecordedSid(live) for live, recorded in translation.bound.items())

    def _bind(self, bound: Mapping[LiveSid, RecordedSid]) -> None:
        for live, recorded in bound.items():
            self._live[recorded] = live
            if recorded != RecordedSid(live):  # one that stands for itself is found in the other map: half the memory
                self._recorded[live] = recorded

    def _is_bound(self, live: LiveSid) -> bool:
        return self.bound(live) is not None

    def _stays(self, recorded: RecordedSid) -> bool:
        choice = self._choice
        return choice.recorded or (bool(choice.keep) and bool({recorded.decode(), recorded[:2].decode()} & choice.keep))

    def _translated(
        self, form: NormalForm, sids: Iterable[LiveSid], bound: Mapping[LiveSid, RecordedSid]
    ) -> NormalForm:
        other = {sid: bound.get(sid) or self.to_recorded(sid) for sid in sids}
        changed: dict[bytes, bytes] = {sid: one for sid, one in other.items() if one != RecordedSid(sid)}
        return translate(form, lambda sid: changed.get(sid, sid)) if changed else form

    def _spelled(self, number: SidNumber, attempt: int) -> LiveSid:
        """Return the SID of a session's own for the recorded one of this number, or another in a further attempt."""
        digest = self._keyed.copy()
        digest.update(b"%d:%d" % (order_of(number), attempt))
        return LiveSid(sid_type(number) + digest.hexdigest().encode())

    def _account(self, user: str) -> dict[LiveSid, RecordedSid]:
        """Let the live account stand for the recorded one, or if one does already, for the only other that recorded."""
        account = self._cassette.account
        if account in self._live:
            recorded = (RecordedSid(other.encode()) for other in self._cassette.users.accounts)
            free = [other for other in recorded if other not in self._live]
            account = free[0] if len(free) == 1 else None
        if account is None:
            return {}
        live = LiveSid(user.encode())
        if not is_account(live) or self._stays(account):
            return {}
        if self._is_bound(live) or (RecordedSid(live) != account and self._cassette.numbered(live)):
            return {}
        return {live: account}

    def _known(self, sids: Iterable[LiveSid], bound: dict[LiveSid, RecordedSid]) -> list[LiveSid]:
        """Take in those SIDs of a request that stand for themselves, and return those that are unknown."""
        unknown = []
        for sid in sids:
            if sid in bound or self._is_bound(sid):
                continue
            known = self._cassette.numbered(sid)
            if known is None:
                self._check_unknown(sid)
                unknown.append(sid)
            elif not self._stays(recorded := RecordedSid(sid)):
                self._check_recorded(recorded, known, bound)
                bound[sid] = recorded
        return unknown

    def _check_recorded(self, sid: RecordedSid, known: Numbered, bound: Mapping[LiveSid, RecordedSid]) -> None:
        live = next((one for one, recorded in bound.items() if recorded == sid), self._live.get(sid))
        if live is None:
            return
        if known.supplied:
            raise _Refusal(f"{sid.decode()} stands for itself, but {live.decode()} stands for it already")
        raise _Refusal(
            f"{sid.decode()} is a recorded SID, in whose place {live.decode()} was given; send that, or replay with "
            f'--sids recorded or with keep = ["{sid.decode()}"]'
        )

    def _check_unknown(self, sid: LiveSid) -> None:
        owner = self._given.owner(sid)
        if owner is not None and owner.session == self._owner.session:
            raise _Refusal(
                f"{sid.decode()} was given before session {owner.session!r} was begun anew; it has fresh SIDs since"
            )
        if owner is not None:
            reason = f"{sid.decode()} was given to another session, {owner.session!r}; each has SIDs of its own"
            raise _Refusal(reason, owner.session)
        if sid in self._never_given(sid[:2]):
            raise _Refusal(f"{sid.decode()} was never given; this session has not yet replayed what would show it")

    def _never_given(self, prefix: bytes) -> Iterator[LiveSid]:
        """Yield the fresh SIDs of a type that are yet to come."""
        for nth in range(1, _LOOKED_AT):
            recorded = self._cassette.sid(sid_number(prefix, nth))
            if recorded is None:
                return
            if recorded not in self._live:
                yield from filter(None, self._cassette.fresh([recorded], self._spelled))

    def _candidates(
        self, form: NormalForm, bound: Mapping[LiveSid, RecordedSid], unknown: list[LiveSid], is_hit: IsHit
    ) -> Iterator[tuple[RecordedSid, ...]]:
        """Yield what unknown SIDs could stand for, by the recorded requests of the same shape."""
        tried = set()
        for nth in range(_LOOKED_AT):
            number = self._cassette.find(form.shape, nth)
            if number is None:
                return
            recorded = normalize(self._cassette.exchange(number).request, self._rules)
            sids = list(map(LiveSid, form.sids))
            aligned = dict(zip(sids, map(RecordedSid, recorded.sids), strict=False))
            candidate = tuple(aligned.get(sid, RecordedSid(b"")) for sid in unknown)
            if candidate in tried:
                continue
            tried.add(candidate)
            if self._are_free(candidate, bound) and is_hit(
                self._translated(form, sids, {**bound, **dict(zip(unknown, candidate, strict=True))})
            ):
                yield candidate

    def _are_free(self, candidate: tuple[RecordedSid, ...], bound: Mapping[LiveSid, RecordedSid]) -> bool:
        taken = {*self._live, *bound.values()}
        return len(set(candidate)) == len(candidate) and all(
            sid not in taken
            and (known := self._cassette.numbered(sid)) is not None
            and known.supplied
            and not self._stays(sid)
            for sid in candidate
        )

    def _numbers(self, candidate: tuple[RecordedSid, ...]) -> list[int]:
        return [order_of(known.number) for sid in candidate if (known := self._cassette.numbered(sid))]
