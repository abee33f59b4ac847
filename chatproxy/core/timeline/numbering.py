"""The SIDs of a cassette: the number of each, who brought it, and what stands above it.

Numbers go per type by first appearance in canonical order (order.py), the request before its response; ``RQ…`` ids
have the place of the exchange that shows them first. So the same scenario gives the same numbers whenever it is
recorded. What never stands where a SID stands names no object, and has no number.

A SID is *generated* if a recorded create made it: its answer is the object, and nobody had it before it was
sent. It is *given* otherwise. *Known* are the given services, channels, users and accounts, and the given ones
that a request had before any response showed them; a canonical fixture says which these are.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from enum import Enum
from itertools import chain
from typing import NamedTuple, NewType

from chatproxy.core.matching.normal_form import NormalForm
from chatproxy.core.matching.placed import sids_beside_path, sids_of_path
from chatproxy.core.matching.users import admitted
from chatproxy.core.model import Exchange, ExchangeNumber, LiveSid, RecordedSid, is_read
from chatproxy.core.products.sid_types import ACCOUNT, CONFIGURED, HASHED_BY_PLACE, REQUEST, SERVICE
from chatproxy.core.timeline.known import Declared, Known
from chatproxy.core.twilio.objects import made_by
from chatproxy.core.twilio.paths import timeline
from chatproxy.core.twilio.sids import SID_LENGTH, is_account, placed_sids, sids_in

_TYPE_SHIFT = 56
"""A number has the two letters of its SID's type above these bits, and below them which of the type it is."""

_NTH_SHIFT = 32
"""A cassette has fewer exchanges than 2**32; a second ``RQ…`` id of one exchange counts above them."""


_REQUEST = REQUEST.encode()
_SERVICE = SERVICE.encode()
_ABOVE_ALL = (ACCOUNT.encode(), _SERVICE)
_CONFIGURED = frozenset(prefix.encode() for prefix in CONFIGURED)


SidNumber = NewType("SidNumber", int)
"""The number of a recorded SID, which has its type too, so that it is unique in its cassette."""

_Moment = tuple[int, ExchangeNumber]
"""When a SID was sent or shown, and in which exchange."""


class Origin(Enum):
    """Where a SID comes from; the letters are stored."""

    GENERATED = b"g"
    """A recorded write made it."""
    GIVEN = b"o"
    """Another party made it, and the program took it from an answer."""
    KNOWN = b"k"
    """Another party made it, and the program knew it, or could have."""


class Numbered(NamedTuple):
    """What is known of a recorded SID."""

    number: SidNumber
    origin: Origin

    @property
    def is_known(self) -> bool:
        """Whether what is served for it is settled by what the program brings along."""
        return self.origin is Origin.KNOWN


class Numbering:
    """Numbers the SIDs of exchanges, which must come in canonical order."""

    def __init__(self, declared: Declared | None = None) -> None:
        self._declared = declared
        self._said = {known.sid: known for known in declared.known} if declared else {}
        self._count = 0
        self._numbers: dict[RecordedSid, SidNumber] = {}
        self._counts: Counter[bytes | tuple[bytes, int]] = Counter()
        self._asked: dict[RecordedSid, _Moment] = {}
        self._shown: dict[RecordedSid, _Moment] = {}
        self._made: dict[RecordedSid, _Moment] = {}
        self._above: dict[RecordedSid, tuple[RecordedSid, ...]] = {}
        """What stands above a SID in the first path in which it was seen, the nearest first."""
        self._held: dict[tuple[RecordedSid, ...], tuple[RecordedSid, ...]] = {}
        """The same, each held once: most are of one collection."""
        self._user: RecordedSid | None = None
        self.users: dict[str | None, bool] = {}
        """Who sent the requests, in the order of their first, and whether each was ever admitted."""
        self._refused: RecordedSid | None = None

    def learn(self, exchange: Exchange, form: NormalForm, in_body: Iterable[RecordedSid] | None = None) -> None:
        """Take in an exchange, with the normal form of its request, and the placed SIDs of its answer if known."""
        self._count += 1
        asked, answered = (exchange.asked, exchange.number), (exchange.answered, exchange.number)
        if self._declared is not None:  # a canonical fixture has an order, and no moments
            asked = answered = (0, exchange.number)
        self._learn_user(exchange.user, asked, is_admitted=admitted(exchange))
        path = list(map(RecordedSid, sids_of_path(form)))
        for nth, sid in enumerate(path):
            self._see(sid, self._asked, asked)
            if sid not in self._above:
                above = tuple(reversed(path[:nth]))
                self._above[sid] = self._held.setdefault(above, above)
        for sid in map(RecordedSid, sids_beside_path(form)):
            self._see(sid, self._asked, asked)
        response = exchange.response
        is_create = not is_read(exchange.request.method) and timeline(form.path) == form.path
        if is_create and (made := made_by(response)) is not None:
            self._made[made] = min(self._made.get(made, asked), asked)
        in_head = placed_sids(
            b"\n".join(part for header in response.headers for part in header if len(part) >= SID_LENGTH)
        )
        shown = map(RecordedSid, placed_sids(response.body)) if in_body is None else in_body
        for sid in chain(map(RecordedSid, in_head), shown):
            if sid not in self._above and sid[:2] in _CONFIGURED:
                self._above[sid] = _above(sid, response.body, path)
            self._see(sid, self._shown, answered)

    def _learn_user(self, user: str | None, asked: _Moment, *, is_admitted: bool) -> None:
        self.users[user] = self.users.get(user, False) or is_admitted
        for sid in map(RecordedSid, sids_in((user or "").encode())):
            self._see(sid, self._asked, asked)
            if is_account(sid) and is_admitted:
                self._user = self._user or sid
            elif is_account(sid):
                self._refused = self._refused or sid

    def _see(self, sid: RecordedSid, seen: dict[RecordedSid, _Moment], moment: _Moment) -> None:
        if sid not in self._numbers:
            self._numbers[sid] = sid_number(sid[:2], self._next(sid[:2]))
        before = seen.get(sid)
        if before is None or moment < before:
            seen[sid] = moment

    def _next(self, prefix: bytes) -> int:
        if prefix != _REQUEST:
            self._counts[prefix] += 1
            return self._counts[prefix]
        self._counts[prefix, self._count] += 1
        return self._count + (self._counts[prefix, self._count] - 1 << _NTH_SHIFT)

    def number_of(self, sid: RecordedSid) -> SidNumber | None:
        """Return the number of a SID seen so far."""
        return self._numbers.get(sid)

    def numbered(self) -> dict[RecordedSid, Numbered]:
        """Return all SIDs seen so far."""
        return {sid: Numbered(number, self._origin(sid)) for sid, number in self._numbers.items()}

    def _origin(self, sid: RecordedSid) -> Origin:
        if sid in self._said or is_account(sid):
            return Origin.KNOWN
        asked, shown, made = (seen.get(sid) for seen in (self._asked, self._shown, self._made))
        # a request comes before its own answer, and at one moment the exchange's number decides
        if made is not None and (asked is None or made < asked) and (shown is None or made <= shown):
            return Origin.GENERATED
        if sid[:2] in _CONFIGURED:
            return Origin.KNOWN
        was_sent_first = asked is not None and (shown is None or asked <= shown)
        return Origin.KNOWN if was_sent_first and self._declared is None else Origin.GIVEN

    def known(self) -> tuple[Known, ...]:
        """Return the known SIDs, by their types and numbers."""
        known = sorted(
            (sid for sid in self._numbers if self._origin(sid) is Origin.KNOWN),
            key=lambda sid: order_of(self._numbers[sid]),
        )
        are_known = set(known)
        return tuple(self._complete(sid, are_known) for sid in known)

    def _complete(self, sid: RecordedSid, known: set[RecordedSid]) -> Known:
        said = self._said.get(sid)
        parent = next((above for above in self._above.get(sid, ()) if above in known), None)
        if said is None:
            stands_for_itself = self._declared is None or self._declared.bare
            return Known(sid, parent, LiveSid(sid) if stands_for_itself else None)
        return replace(said, parent=said.parent or parent)

    @property
    def account(self) -> RecordedSid | None:
        """The account that recorded: the first user name that is one and was admitted, else the first account seen."""
        if self._declared is not None:
            return RecordedSid(self._declared.account.encode()) if self._declared.account else None
        return self._user or self._refused or next((sid for sid in self._numbers if is_account(sid)), None)


def _above(sid: RecordedSid, body: bytes, path: list[RecordedSid]) -> tuple[RecordedSid, ...]:
    """Return what stands above a SID by an address in an answer, else the service of the path that was asked for."""
    found = re.search(_UP_TO % re.escape(sid), body)
    if found:
        return tuple(reversed(list(map(RecordedSid, sids_in(found[0])[:-1]))))
    return () if sid[:2] in _ABOVE_ALL else tuple(one for one in path if one[:2] == _SERVICE)


_UP_TO = rb"(?:/[\w.-]+\\?)+/%b"
"""A path up to a SID, with slashes plain or escaped as in JSON."""


def sid_number(prefix: bytes, nth: int) -> SidNumber:
    """Return the number, unique in its cassette, of the n-th SID of a type."""
    return SidNumber(int.from_bytes(prefix, "big") << _TYPE_SHIFT | nth)


def nth_of(number: SidNumber) -> int:
    """Return which of its type the SID with this number is."""
    return number & _NTH


def sid_type(number: SidNumber) -> bytes:
    """Return the type of the SID with this number."""
    return (number >> _TYPE_SHIFT).to_bytes(2, "big")


def order_of(number: SidNumber) -> int:
    """Return what SIDs are ordered by: their types as the table has them, those that came to it later by their letters.

    It is also what stands for a SID in the hash of a fresh one.
    """
    letters = number >> _TYPE_SHIFT
    return _PLACES.get(letters, letters) << _TYPE_SHIFT | number & _NTH


_PLACES = {int.from_bytes(prefix.encode(), "big"): place for prefix, place in HASHED_BY_PLACE.items()}
_NTH = (1 << _TYPE_SHIFT) - 1
