"""Fetches: reads of one member by its SID, keyed without taking each request apart.

Most of what a program reads are members of few collections. What such requests of one client have in common, the path
up to the last segment, is blanked, normalized and translated once; of all others only the SID is looked at.
"""

from typing import NamedTuple

from chatproxy.core.credentials.blanking import Blanker
from chatproxy.core.http.grammar import TARGET
from chatproxy.core.matching.normal_form import normalize, text_key, translate
from chatproxy.core.matching.users import ANY
from chatproxy.core.model import LiveSid, RecordedSid, Request
from chatproxy.core.products.every import VERSIONS
from chatproxy.core.replay.session import Session

_BOUND = 16


class Lane(NamedTuple):
    """What fetches under one path have in common: whose life they are for, and what stands around the SID in a key."""

    life: object
    before: bytes
    behind: bytes

    def key(self, sid: RecordedSid) -> bytes:
        """Return the key of the fetch of this recorded SID."""
        return text_key(self.before + sid + self.behind)


class Lanes:
    """The lanes of one client, by the path of its requests up to the SID; none where its headers are a condition."""

    def __init__(self, blanker: Blanker, *, is_conditional: bool = False) -> None:
        self._blanker = blanker
        self._is_conditional = is_conditional
        self._known: dict[bytes, Lane] = {}

    def key(self, session: Session, target: bytes) -> bytes | None:
        """Return the key of a fetch, None for whatever may be none, or whose path may yet stand for another."""
        base, _, sid = target.rpartition(b"/")
        recorded = None if self._is_conditional else session.sids.bound(LiveSid(sid))
        if recorded is None or self._blanker.is_in_sid(sid):
            return None
        lane = self._known.get(base)
        if lane is None or lane.life is not session.life:
            lane = self._lane(session, base)
            if lane is None:
                return None
        return lane.key(recorded)

    def _lane(self, session: Session, base: bytes) -> Lane | None:
        path = base + b"/"
        if session.scrubs or session.rules.match_headers or not base.startswith(VERSIONS):
            return None
        if session.spaces(self._blanker.user) != (ANY,):
            return None
        if not TARGET.fullmatch(base.decode("ascii", "replace")):
            return None
        if not self._blanker.is_by_segments or self._blanker.text(path) != path:
            return None
        form = normalize(Request("GET", base), session.rules)
        sids = session.sids.all_bound(form.sids, self._blanker.user)
        if form.path != base or sids is None:  # the path has a query or escapes, or names what is unknown
            return None
        before, question, behind = translate(form, lambda sid: sids.get(sid, sid)).text.partition(b"?")
        if len(self._known) >= _BOUND:
            self._known.clear()
        lane = self._known[base] = Lane(session.life, before + b"/", question + behind)
        return lane
