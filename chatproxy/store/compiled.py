"""What compiling a cassette yields, kept beside its exchanges under the fingerprint of the rules."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from chatproxy.core.answers.stencil import Stencil
from chatproxy.core.answers.template import Reply
from chatproxy.core.cassette.cassette import Read, Span, Spelled, first_fresh
from chatproxy.core.cassette.codec import SEAL, decode_exchange, decode_place, decode_stencil, decode_users, is_sound
from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.matching.users import Users
from chatproxy.core.model import Exchange, ExchangeNumber, LiveSid, RecordedSid
from chatproxy.core.scrubbing.scrub import scrubbed_exchange
from chatproxy.core.time.stamps import recording_begin
from chatproxy.core.timeline.epochs import Place
from chatproxy.core.timeline.numbering import Declared, Numbered, SidNumber
from chatproxy.store import layout
from chatproxy.store.environment import Environment, Reading
from chatproxy.store.exchanges import stored_tally

_CHUNK = 64
"""How many keys are looked up at once."""


class StoredCassette:
    """A compiled cassette in the store; each call is one LMDB look-up."""

    def __init__(
        self, environment: Environment, cassette: int, name: str, rules: Rules, declared: Declared | None = None
    ) -> None:
        self.name = name
        self.declared = declared
        self._environment = environment
        self._scrub = rules.scrub
        self._exchange = layout.exchange_prefix(cassette)
        self._reply = layout.reply_prefix(cassette, rules.fingerprint)
        self._index = layout.index_prefix(cassette, rules.fingerprint)
        self._order = layout.order_prefix(cassette, rules.fingerprint)
        self._places = layout.place_prefix(cassette, rules.fingerprint)
        self._reads = layout.read_prefix(cassette, rules.fingerprint)
        self._touching = layout.touch_prefix(cassette, rules.fingerprint)
        self._sid = layout.sid_prefix(cassette, rules.fingerprint)
        self._ahead: dict[bytes, bytes | None] = {}
        """What was read with the exchange that was found last, since it is about to be asked for, by its key."""
        self._compiled = layout.compiled_key(cassette, rules.fingerprint)
        account = self._get(self._sid)
        self.account = None if account is None else RecordedSid(account)
        users = self._get(self._sid + layout.USERS)
        self.users = Users({} if users is None else decode_users(users))
        first = environment.scan(self._exchange, limit=1)
        self.begun = recording_begin(self.exchange(_number(first[0][0][-4:]))) if first else 0
        mark = layout.Mark.unpack(environment.get(self._compiled), self._compiled)
        if mark is None:
            raise self._damaged()
        self._count, self.last_number = mark.tally.count, mark.tally.last

    @staticmethod
    def is_compiled(environment: Environment, cassette: int, rules: Rules) -> bool:
        """Tell whether a cassette is compiled under these rules, with all its exchanges."""
        key = layout.compiled_key(cassette, rules.fingerprint)
        mark = layout.Mark.unpack(environment.get(key), key)
        return (
            mark is not None
            and key not in environment.forgotten
            and mark.tally == stored_tally(environment, cassette, str(environment.folder))
        )

    def numbers(self) -> Sequence[ExchangeNumber]:
        """Return the numbers of all exchanges, growing; only those with gaps have to be looked up."""
        if self._count == self.last_number:
            return cast(Sequence[ExchangeNumber], range(1, self.last_number + 1))  # a list of them takes memory
        numbers: list[ExchangeNumber] = []
        after = b""
        while found := self._environment.scan(self._reply, after=after, limit=_CHUNK):
            keys = [key[len(self._reply) :] for key, _ in found]
            numbers += map(_number, keys)
            after = keys[-1]
        return numbers

    def order(self) -> Iterator[ExchangeNumber]:
        """Yield the numbers of all exchanges in canonical order."""
        after = b""
        while found := self._environment.scan(self._order, after=after, limit=_CHUNK):
            yield from (_number(self._sound(key, number)) for key, number in found)
            after = found[-1][0][len(self._order) :]

    def find(self, index: bytes, nth: int) -> ExchangeNumber | None:
        """Return the number of the n-th exchange, from 0 and in canonical order, with this key, shape or route."""
        stored = self._get(self._index + index + layout.number(nth))
        return None if stored is None else _number(stored[:4])

    def reply(self, number: ExchangeNumber) -> Reply:
        """Return what is served for an exchange."""
        return self.stencil(number).reply

    def stencil(self, number: ExchangeNumber) -> Stencil:
        """Return what is served for an exchange, ready to be filled."""
        key = self._reply + layout.number(number)
        found = decode_stencil(self._stored(key, number), key)
        if found is None:
            raise self._damaged()
        return found

    def recorded(self, number: ExchangeNumber) -> Exchange:
        """Return an exchange as recorded, which no rule has scrubbed."""
        key = self._exchange + layout.number(number)
        return decode_exchange(number, self._stored(key, number), self._place(number), key)

    def exchange(self, number: ExchangeNumber) -> Exchange:
        """Return an exchange as recorded, scrubbed by the rules."""
        return scrubbed_exchange(self.recorded(number), self._scrub)

    def sid(self, number: SidNumber) -> RecordedSid | None:
        """Return the recorded SID of this number."""
        stored = self._get(self._sid + b"n" + layout.sid_number(number))
        return None if stored is None else RecordedSid(stored)

    def numbered(self, sid: bytes) -> Numbered | None:
        """Return the number of a SID and whether it was supplied, if it is a recorded one."""
        stored = self._get(self._sid + b"s" + sid)
        return None if stored is None else Numbered(_sid_number(stored[:-1]), stored[-1:] == SUPPLIED)

    def fresh(self, sids: Sequence[RecordedSid], spelled: Spelled) -> list[LiveSid | None]:
        """Return for each recorded SID a fresh one, None for what is supplied or was not recorded."""
        return self._environment.view(self._fresh, sids, spelled)

    def _fresh(self, transaction: Reading, sids: Sequence[RecordedSid], spelled: Spelled) -> list[LiveSid | None]:
        get: Any = transaction.get  # for lmdb's types it could give views, as it does only where asked for
        prefix, found = self._sid + b"s", []
        for sid in sids:
            stored = get(key := prefix + sid)
            fresh = None
            if stored is not None and self._sound(key, stored)[-1:] == GENERATED:
                number = _sid_number(stored[: layout.SID_NUMBER])
                fresh = spelled(number, 0)
                if get(prefix + fresh) is not None:
                    fresh = first_fresh(number, spelled, lambda fresh: get(prefix + fresh))
            found.append(fresh)
        return found

    def place(self, number: ExchangeNumber) -> Place:
        """Return where an exchange stands in its timeline."""
        key = self._places + layout.number(number)
        found = decode_place(self._stored(key, number), key)
        if found is None:
            raise self._damaged()
        return found

    def read(self, key: bytes, epoch: int, nth: int) -> ExchangeNumber | None:
        """Return the number of the n-th answer, from 0, to the read with this key in this epoch."""
        stored = self._get(self._reads + key + layout.number(epoch) + layout.number(nth))
        return None if stored is None else _number(stored)

    def span(self, key: bytes, epochs: Mapping[int, int]) -> Span | None:
        """Return what a session has to choose from for this read, given its epochs of the timelines."""
        return self._environment.view(self._span, key, epochs)

    def _span(self, transaction: Reading, key: bytes, epochs: Mapping[int, int]) -> Span | None:
        get: Any = transaction.get  # for lmdb's types it could give views, as it does only where asked for
        index = self._index + key
        first_key = index + _FIRST
        found = get(first_key)
        if found is None:
            return None
        value = self._sound(first_key, found)
        if len(value) != READ.size:  # it is a write
            return None
        number, timeline, member, epoch = READ.unpack(value)
        first = last = Read(epoch, 0, number)
        until = epochs.get(timeline, 0)
        if epoch > until:
            return Span(timeline, member, first, None)
        if get(index + _SECOND) is not None:  # else it is a lone one, as most are
            last = self._last(transaction.cursor(), self._reads + key, until)
        reply = self._reply + layout.number(last.number)
        self._ahead = {reply: get(reply)}
        return Span(timeline, member, first, last)

    def write(self, key: bytes, nth: int) -> ExchangeNumber | None:
        """Return the number of the n-th write, from 0, with this key: as ``find`` does, about to be replayed."""
        return self._environment.view(self._write, self._index + key + layout.number(nth))

    def _write(self, transaction: Reading, key: bytes) -> ExchangeNumber | None:
        get: Any = transaction.get  # as above
        stored = get(key)
        if stored is None:
            return None
        number = self._sound(key, stored)
        self._ahead = {key: get(key) for key in (self._reply + number, self._places + number)}
        return _number(number)

    def touching(self, timeline: int, member: int, after: int, until: int) -> ExchangeNumber | None:
        """Return the first write that touched just this member and opened an epoch in ``(after, until]``."""
        prefix = self._touching + layout.number(timeline) + layout.number(member)
        found = self._environment.scan(prefix, after=layout.number(after), limit=1)
        if not found or int.from_bytes(found[0][0][-4:], "big") > until:
            return None
        return _number(self._sound(*found[0]))

    def _last(self, cursor: Any, prefix: bytes, epoch: int) -> Read:
        """Return the last answer up to an epoch that is none before the first."""
        if cursor.set_range(prefix + layout.number(epoch + 1)):
            cursor.prev()
        else:
            cursor.last()
        key, value = cursor.item()
        if not key.startswith(prefix):
            raise self._damaged()
        found, nth = _EPOCH_AND_NTH.unpack(key[-8:])
        return Read(found, nth, _number(self._sound(key, value)))

    def _get(self, key: bytes) -> bytes | None:
        stored = self._environment.get(key)
        return None if stored is None else self._sound(key, stored)

    def _sound(self, key: bytes, stored: bytes) -> bytes:
        """Return a stored value without its checksum, if that is right."""
        if not is_sound(stored, key):
            raise self._damaged()
        return stored[:-SEAL]

    def _damaged(self) -> CassetteError:
        """Return the error for what is compiled and damaged; it counts no longer, so that it is compiled anew."""
        self._environment.forgotten.add(self._compiled)
        return CassetteError(f"{self._environment.folder}: cassette {self.name}", _ANEW)

    def _stored(self, key: bytes, number: ExchangeNumber) -> bytes:
        stored = self._ahead.get(key) or self._environment.get(key)
        if stored is None:
            raise CassetteError(self._place(number), "is not in the store any more; restart the replay")
        return stored

    def _place(self, number: ExchangeNumber) -> str:
        return f"{self._environment.folder}: exchange {self.name}/{number}"


READ = struct.Struct(">IIII")
"""Number, timeline, member and epoch of a read."""

_EPOCH_AND_NTH = struct.Struct(">II")
_FIRST, _SECOND = layout.number(0), layout.number(1)


def _number(stored: bytes) -> ExchangeNumber:
    number: ExchangeNumber
    (number,) = _NUMBER.unpack(stored)
    return number


def _sid_number(stored: bytes) -> SidNumber:
    return SidNumber(int.from_bytes(stored, "big"))


_ANEW = "is damaged where it was compiled; start again, which compiles it anew"

_NUMBER = struct.Struct(">I")

SUPPLIED, GENERATED = b"s", b"g"
"""How the store has it whether a SID was supplied."""
