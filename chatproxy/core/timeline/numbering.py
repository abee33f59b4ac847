"""The SIDs of a cassette: the number of each, and who first named it.

Numbers go per type by first appearance in canonical order (order.py), the request before its response; ``RQ…`` ids
have the place of the exchange that shows them first. So the same scenario gives the same numbers whenever it is
recorded. A SID is *supplied* if a request had it before any response showed it, or if it is an account's; it is
*generated* otherwise. A canonical fixture declares which are supplied.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple, NewType

from chatproxy.core.matching.normal_form import NormalForm
from chatproxy.core.matching.users import admitted
from chatproxy.core.model import Exchange, ExchangeNumber, RecordedSid
from chatproxy.core.products.sid_types import HASHED_BY_PLACE, REQUEST
from chatproxy.core.twilio.sids import is_account, sids_in

_TYPE_SHIFT = 56
"""A number has the two letters of its SID's type above these bits, and below them which of the type it is."""

_NTH_SHIFT = 32
"""A cassette has fewer exchanges than 2**32; a second ``RQ…`` id of one exchange counts above them."""


_REQUEST = REQUEST.encode()


SidNumber = NewType("SidNumber", int)
"""The number of a recorded SID, which has its type too, so that it is unique in its cassette."""

_Moment = tuple[int, ExchangeNumber]
"""When a SID was sent or shown, and in which exchange."""


class Numbered(NamedTuple):
    """What is known of a recorded SID."""

    number: SidNumber
    supplied: bool


@dataclass(frozen=True, slots=True)
class Declared:
    """What a canonical fixture says of its SIDs: the account that recorded, and which were supplied."""

    account: str | None
    supplied: tuple[str, ...]


class Numbering:
    """Numbers the SIDs of exchanges, which must come in canonical order."""

    def __init__(self, declared: Declared | None = None) -> None:
        self._declared = declared
        self._given = {sid.encode() for sid in declared.supplied} if declared else set()
        self._count = 0
        self._numbers: dict[RecordedSid, SidNumber] = {}
        self._counts: Counter[bytes | tuple[bytes, int]] = Counter()
        self._asked: dict[RecordedSid, _Moment] = {}
        self._shown: dict[RecordedSid, _Moment] = {}
        self._user: RecordedSid | None = None
        self.users: dict[str | None, bool] = {}
        """Who sent the requests, in the order of their first, and whether each was ever admitted."""
        self._refused: RecordedSid | None = None

    def learn(self, exchange: Exchange, form: NormalForm, in_body: Iterable[RecordedSid] | None = None) -> None:
        """Take in an exchange, with the normal form of its request, and the SIDs of its answer's body if known."""
        self._count += 1
        asked, answered = (exchange.asked, exchange.number), (exchange.answered, exchange.number)
        is_admitted = admitted(exchange)
        self.users[exchange.user] = self.users.get(exchange.user, False) or is_admitted
        for sid in sids_in((exchange.user or "").encode()):
            user = RecordedSid(sid)
            self._see(user, self._asked, asked)
            if is_account(user) and is_admitted:
                self._user = self._user or user
            elif is_account(user):
                self._refused = self._refused or user
        for sid in map(RecordedSid, form.sids):
            self._see(sid, self._asked, asked)
        response = exchange.response
        for sid in map(RecordedSid, sids_in(b"\n".join(chain.from_iterable(response.headers)))):
            self._see(sid, self._shown, answered)
        for sid in map(RecordedSid, sids_in(response.body)) if in_body is None else in_body:
            self._see(sid, self._shown, answered)

    def _see(self, sid: RecordedSid, seen: dict[RecordedSid, _Moment], moment: _Moment) -> None:
        if sid not in self._numbers:
            self._numbers[sid] = sid_number(sid[:2], self._next(sid[:2]))
        seen[sid] = min(seen.get(sid, moment), moment)

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
        return {sid: Numbered(number, self._is_supplied(sid)) for sid, number in self._numbers.items()}

    def _is_supplied(self, sid: RecordedSid) -> bool:
        if self._declared is not None:
            return is_account(sid) or sid in self._given
        asked, shown = self._asked.get(sid), self._shown.get(sid)
        # at one moment the exchange's number decides, and a request comes before its own answer
        return is_account(sid) or (asked is not None and (shown is None or asked <= shown))

    @property
    def account(self) -> RecordedSid | None:
        """The account that recorded: the first user name that is one and was admitted, else the first account seen."""
        if self._declared is not None:
            return RecordedSid(self._declared.account.encode()) if self._declared.account else None
        return self._user or self._refused or next((sid for sid in self._numbers if is_account(sid)), None)


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
