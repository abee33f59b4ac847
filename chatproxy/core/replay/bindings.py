"""Which SID stands for which in one session: live ones are the client's, recorded ones the cassette's.

The laws:

1. A known SID is served as what stands for it (known.py), else as the recorder's own, from an anonymous fixture as a
   fresh one. Any other is served as a fresh one (fresh.py). What was served is remembered.
2. A recorded SID that is not known, and that the client sends before it was shown the fresh one, is served as itself
   from then on; sent after, it is a miss.
3. The map is applied to a request before its key is made, and to every answer; it leads back to where it began. Text
   that looks like a SID and names no object of the cassette stays as it is.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.naming import recorded_of
from chatproxy.core.matching.normal_form import NormalForm, translate
from chatproxy.core.matching.placed import sids_beside_path, sids_of_path
from chatproxy.core.model import LiveSid, RecordedSid
from chatproxy.core.replay.fresh import Fresh, Given, Owner, RefusalError
from chatproxy.core.replay.known import Choice, KnownSids
from chatproxy.core.replay.marks import Assumed
from chatproxy.core.replay.pairs import Pairs

__all__ = ["Bindings", "Choice", "Given", "Owner", "Translation"]

_UNBOUND = 1000
"""How many SIDs are remembered that are served while nothing stands for them: each saves a look-up."""


_GIVEN = 200
"""How many of the SIDs that were given last a value is looked for that may be derived from one."""


class Translation(NamedTuple):
    """A request in the cassette's SIDs, or why it cannot be answered.

    ``assumed`` are those of its SIDs that were assumed to stand for recorded ones, each with that. ``elsewhere`` is the
    session that was given one of its SIDs, if that is why. With ``changes`` another SID is served for one from now on.
    """

    form: NormalForm
    assumed: Assumed = ()
    refusal: str | None = None
    elsewhere: str | None = None
    changes: bool = False


class Bindings:
    """The two-way map of one session; ``given`` is what all sessions were given, where there are several."""

    def __init__(
        self, cassette: Cassette, choice: Choice | None = None, owner: Owner | None = None, given: Given | None = None
    ) -> None:
        self._cassette = cassette
        self._choice = choice or Choice()
        self._kept: set[bytes] | None = None
        self._fresh = Fresh(cassette, self._choice.seed, owner or Owner(), Given() if given is None else given)
        self._pairs = Pairs()
        self._live, self._recorded = self._pairs.live, self._pairs.recorded
        self._known = KnownSids(cassette, self._choice, self._pairs, self._stays)
        self._lent: dict[LiveSid, RecordedSid] = {}
        """Fresh SIDs that were shown for known ones, and do not stand for them before they are sent."""
        self._unbound: dict[RecordedSid, LiveSid] = {}
        self._is_settled = False

    def to_live(self, recorded: RecordedSid) -> LiveSid:
        """Return what is served for a recorded SID; a fresh one is remembered as given."""
        return self.all_live([recorded])[0]

    def all_live(self, recorded: Sequence[RecordedSid]) -> list[LiveSid]:
        """Return what is served for several recorded SIDs, all different."""
        live = self._live.get
        found = list(map(live, recorded))
        if None in found:
            self._show([sid for sid in recorded if live(sid) is None])
            unbound = self._unbound
            found = [live(sid) or unbound[sid] for sid in recorded]
        return found  # type: ignore[return-value]  # none is None

    def _show(self, recorded: list[RecordedSid]) -> None:
        """See to it that there is something to serve for SIDs for which nothing stands yet."""
        self._settle()
        unbound = self._unbound
        new = [sid for sid in recorded if sid not in unbound]
        if len(unbound) + len(new) > _UNBOUND:
            unbound.clear()
            new = recorded
        if not new:
            return
        for sid, fresh in zip(new, self._fresh.of(new), strict=True):
            known = self._known.all.get(sid)
            if known is not None and known.own and self._recorded.get(known.own, sid) == sid:
                unbound[sid] = known.own
            elif fresh is None or self._stays(sid):
                unbound[sid] = LiveSid(sid)
            else:
                self._fresh.note(fresh)
                if known is None:
                    self._live[sid], self._recorded[fresh] = fresh, sid
                else:
                    self._lent[fresh] = sid
                    unbound[sid] = fresh

    def to_recorded(self, live: LiveSid) -> RecordedSid:
        """Return what a SID of the client stands for, or could: itself, if that is no other."""
        self._settle()
        return self._pairs.of(live) or self._known.by_own.get(live) or self._lent.get(live) or RecordedSid(live)

    def sent(self, form: NormalForm) -> NormalForm:
        """Return a request with the client's SIDs in the place of those that they stand for."""
        return translate(form, lambda sid: self._live.get(RecordedSid(sid), sid))

    def is_free(self, recorded: bytes, live: bytes) -> bool:
        """Tell whether nothing stands for the one, a SID of the cassette, and the other for nothing."""
        is_known = RecordedSid(recorded) not in self._live and self._cassette.numbered(recorded) is not None
        return is_known and self._pairs.of(LiveSid(live)) is None and self._cassette.numbered(live) is None

    def given(self) -> list[tuple[LiveSid, RecordedSid]]:
        """Return what was served for recorded SIDs that are others, the last ones of them, the last one first."""
        return list(islice(reversed(self._recorded.items()), _GIVEN))

    def bound(self, live: LiveSid) -> RecordedSid | None:
        """Return what a SID of the client stands for, for good and not by assumption; None if nothing, or not yet."""
        return None if live in self._known.assumed else self._pairs.of(live)

    def ungiven(self, recorded: Sequence[RecordedSid]) -> dict[RecordedSid, LiveSid]:
        """Return what would be served for those SIDs for which nothing was served yet."""
        new = [sid for sid in recorded if sid not in self._live]
        return {sid: fresh or LiveSid(sid) for sid, fresh in zip(new, self._fresh.of(new), strict=True)}

    def recorded_user(self, user: str) -> str:
        """Return who recorded what this user is to be answered."""
        return self.to_recorded(LiveSid(user.encode())).decode()

    def all_bound(self, sids: Iterable[bytes], user: str) -> dict[bytes, RecordedSid] | None:
        """Return what SIDs stand for that stand for others, for good; None if one of them or the user may change."""
        sids = list(sids)
        if not self._known.is_settled(LiveSid(user.encode())) or any(
            LiveSid(sid) in self._known.assumed for sid in sids
        ):
            return None
        return self._all_known(sids)

    def translation(self, form: NormalForm, user: str) -> Translation:
        """Put a request into the cassette's SIDs, and settle what they stand for."""
        self._settle()
        if self._choice.recorded:
            return Translation(self._translated(form, form.sids))
        before, sids = self._pairs.changes, form.sids
        others, refused = None, None
        try:
            self._known.user(LiveSid(user.encode()))
            others = self._all_known(sids)
            if others is None:
                self._take(form)
        except RefusalError as refusal:
            refused = refusal
        changes = self._pairs.changes != before
        if changes:
            self._unbound.clear()
        if refused is not None:
            return Translation(form, (), refused.reason, refused.elsewhere, changes)
        if others is None or changes:
            return Translation(self._translated(form, sids), self._assumed(sids), changes=changes)
        known = others
        translated = translate(form, lambda sid: known.get(sid, sid)) if known else form
        return Translation(translated, self._assumed(sids) if self._known.assumed else ())

    def _assumed(self, sids: Iterable[bytes]) -> Assumed:
        """Return those of the SIDs that were assumed to stand for recorded ones, each with that."""
        assumed = self._known.assumed
        used = [live for live in dict.fromkeys(map(LiveSid, sids)) if live in assumed]
        return tuple((live.decode(), self._known.shown(assumed[live])) for live in used)

    def _settle(self) -> None:
        if not self._is_settled:
            self._is_settled = True
            self._known.settle()

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

    def _translated(self, form: NormalForm, sids: Iterable[bytes]) -> NormalForm:
        other = {sid: self._pairs.of(LiveSid(sid)) for sid in sids}
        changed = {sid: one for sid, one in other.items() if one is not None and one != sid}
        return translate(form, lambda sid: changed.get(sid, sid)) if changed else form

    def _take(self, form: NormalForm) -> None:
        """Settle what the SIDs of a request stand for; raises RefusalError for one that stands for nothing."""
        unknown = [live for live in dict.fromkeys(map(LiveSid, form.sids)) if self._is_unknown(live)]
        for live in unknown:
            self._fresh.check(live, self._live)
        path = list(map(LiveSid, sids_of_path(form)))
        for nth, live in enumerate(path):
            if live in unknown and self._pairs.of(live) is None:
                self._known.assume(live, [self.to_recorded(above) for above in path[:nth]])
        beside = {*map(LiveSid, sids_beside_path(form))}
        above = [self.to_recorded(one) for one in path]
        strange: set[bytes] = set()  # types of which none is known here: a body can have 100,000 SIDs
        for live in unknown:
            if live[:2] not in strange and live in beside and self._pairs.of(live) is None:
                self._known.assume(live, above)
                strange.update([live[:2]] if self._pairs.of(live) is None else [])

    def _is_unknown(self, live: LiveSid) -> bool:
        """Settle what a SID stands for that is the cassette's, or the session's; tell whether it is neither."""
        if self._pairs.of(live) is not None or self._known.take(live):
            return False
        lent = self._lent.get(live)
        if lent is not None:
            self._known.withdraw(lent, live)
            self._put_itself(live, lent)
            return False
        if self._cassette.numbered(live) is None:
            return True
        self._put_itself(live, RecordedSid(live))
        return False

    def _put_itself(self, live: LiveSid, recorded: RecordedSid) -> None:
        other = self._live.get(recorded)
        if other is None:
            self._pairs.put(live, recorded)
        elif recorded in self._known.all:
            raise RefusalError(f"{live.decode()} stands for itself, but {other.decode()} stands for it already")
        else:
            raise RefusalError(
                f"{live.decode()} is a recorded SID, in whose place {other.decode()} was given; send that, or replay "
                f'with --sids recorded or with keep = ["{live.decode()}"]'
            )

    def _stays(self, recorded: RecordedSid) -> bool:
        choice = self._choice
        if choice.recorded or not choice.keep:
            return choice.recorded
        if self._kept is None:  # what it names may be looked up in the store
            named = (recorded_of(self._cassette, one) for one in choice.keep if len(one) > len("IM"))
            self._kept = {*filter(None, named), *(one.encode() for one in choice.keep)}
        return recorded in self._kept or recorded[:2] in self._kept
