"""What compiling a cassette yields, kept beside its exchanges under the fingerprint of the rules."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, cast

from chatproxy.core.answers.stencil import Stencil
from chatproxy.core.answers.template import Reply
from chatproxy.core.cassette.cassette import Spelled, first_fresh
from chatproxy.core.cassette.codec import (
    SEAL,
    decode_exchange,
    decode_known,
    decode_stencil,
    decode_told,
    decode_users,
    is_sound,
)
from chatproxy.core.cassette.records import (
    Asked,
    Candidate,
    decode_candidate,
    decode_first,
    decode_standing,
)
from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.matching.users import Users
from chatproxy.core.model import Exchange, ExchangeNumber, InOrder, LiveSid, RecordedSid
from chatproxy.core.scrubbing.scrub import scrubbed_exchange
from chatproxy.core.time.instants import Times
from chatproxy.core.timeline.known import NO_VARIABLES, Declared, held_by
from chatproxy.core.timeline.numbering import Numbered, Origin, SidNumber
from chatproxy.core.timeline.standing import Role, Standing, Step
from chatproxy.store import layout
from chatproxy.store.environment import Environment, Reading
from chatproxy.store.exchanges import stored_tally

_CHUNK = 64
"""How many keys are looked up at once."""

_KNOWN = 4096
"""Of how many keys is remembered what was found."""


class StoredCassette:
    """A compiled cassette in the store; each call is an LMDB look-up or two."""

    def __init__(  # noqa: PLR0917 - what it is, and what its record says
        self,
        environment: Environment,
        cassette: int,
        name: str,
        rules: Rules,
        declared: Declared | None = None,
        variables: Mapping[str, str] = NO_VARIABLES,
    ) -> None:
        self.name = name
        self.declared = declared
        self._environment = environment
        self._scrub = rules.scrub
        self._exchange = layout.exchange_prefix(cassette)
        self._reply = layout.reply_prefix(cassette, rules.fingerprint)
        self._index = layout.index_prefix(cassette, rules.fingerprint)
        self._order = layout.order_prefix(cassette, rules.fingerprint)
        self._standing = layout.standing_prefix(cassette, rules.fingerprint)
        self._answers = layout.answer_prefix(cassette, rules.fingerprint)
        self._touching = layout.touch_prefix(cassette, rules.fingerprint)
        self._steps = layout.step_prefix(cassette, rules.fingerprint)
        self._sid = layout.sid_prefix(cassette, rules.fingerprint)
        self._ahead: dict[bytes, bytes | None] = {}
        """What was read with the exchange that was found last, since it is about to be asked for, by its key."""
        self._known: dict[bytes, Asked] = {}
        """What is known of the keys that were asked for: it saves half of the time."""
        self._compiled = layout.compiled_key(cassette, rules.fingerprint)
        self._read_whole(variables)
        mark = layout.Mark.unpack(environment.get(self._compiled), self._compiled)
        if mark is None:
            raise self._damaged()
        self._count, self.last_number = mark.tally.count, mark.tally.last

    def _read_whole(self, variables: Mapping[str, str]) -> None:
        """Read what is known of the cassette as a whole."""
        account = self._get(self._sid)
        self.account = None if account is None else RecordedSid(account)
        self.users = Users(decode_users(self._get(self._sid + layout.USERS) or b""))
        times = self._get(self._sid + layout.TIMES)
        self.times = Times() if times is None else Times(*layout.WHEN.unpack(times))
        self.writes = layout.number_in(self._get(self._sid + layout.WRITES) or b"")
        self.known = held_by(variables, decode_known(self._get(self._sid + layout.KNOWN) or b"[]"))

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
            numbers += map(layout.number_in, keys)
            after = keys[-1]
        return numbers

    def order(self) -> Iterator[ExchangeNumber]:
        """Yield the numbers of all exchanges in canonical order."""
        after = b""
        while found := self._environment.scan(self._order, after=after, limit=_CHUNK):
            yield from (layout.number_in(self._sound(key, number)) for key, number in found)
            after = found[-1][0][len(self._order) :]

    def find(self, index: bytes, nth: int) -> ExchangeNumber | None:
        """Return the number of the n-th exchange, from 0 and in canonical order, with this key, shape or route."""
        stored = self._get(self._index + index + layout.number(nth))
        return None if stored is None else layout.number_in(stored[:4])

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
        """Return the number of a SID and where it comes from, if it is a recorded one."""
        stored = self._get(self._sid + b"s" + sid)
        return None if stored is None else Numbered(layout.sid_number_in(stored[:-1]), Origin(stored[-1:]))

    def fresh(self, sids: Sequence[RecordedSid], spelled: Spelled) -> list[LiveSid | None]:
        """Return for each recorded SID a fresh one, None for what was not recorded."""
        return self._environment.view(self._fresh, sids, spelled)

    def _fresh(self, transaction: Reading, sids: Sequence[RecordedSid], spelled: Spelled) -> list[LiveSid | None]:
        get: Any = transaction.get  # for lmdb's types it could give views, as it does only where asked for
        prefix, found = self._sid + b"s", list[LiveSid | None]()
        for sid in sids:
            stored = get(key := prefix + sid)
            if stored is None:
                found.append(None)
                continue
            number = layout.sid_number_in(self._sound(key, stored)[: layout.SID_NUMBER])
            found.append(first_fresh(number, spelled, lambda fresh: get(prefix + fresh)))
        return found

    def standing(self, number: ExchangeNumber) -> Standing:
        """Return where an exchange stands."""
        return decode_standing(self._stands(number))

    @cached_property
    def told(self) -> Mapping[ExchangeNumber, InOrder]:
        """What a canonical fixture has to say of exchanges, by their numbers, with numbers of this cassette."""
        told = self._get(self._sid + layout.TOLD)
        return {} if told is None else decode_told(told)

    def _stands(self, number: ExchangeNumber) -> bytes:
        key = self._standing + layout.number(number)
        return self._sound(key, self._stored(key, number))

    def asked(self, key: bytes) -> Asked | None:
        """Return what is known of a key; None if it was never recorded."""
        known = self._known.get(key)
        if known is None:
            return self._environment.view(self._first, key)
        lone = known.lone
        if lone is not None and lone.role is not Role.READ:
            self._environment.view(self._read_ahead, lone)
        return known

    def _first(self, transaction: Reading, key: bytes) -> Asked | None:
        """Find what is known of a key, and read the answer ahead that is the only one with it, as most are."""
        get: Any = transaction.get  # for lmdb's types it could give views, as it does only where asked for
        index = self._index + key
        first_key = index + _FIRST
        stored = get(first_key)
        if stored is None:
            return None
        first = decode_first(self._sound(first_key, stored))
        known = Asked.alone(first) if get(index + _SECOND) is None else Asked(first, None)
        if known.lone is not None:
            self._read_ahead(transaction, known.lone)
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[key] = known
        return known

    def _read_ahead(self, transaction: Reading, found: Candidate) -> None:
        """Read what is asked for next if this answers: what is served, and what doing it changes."""
        get: Any = transaction.get  # as above
        number = layout.number(found.number)
        reply, standing = self._reply + number, self._standing + number
        self._ahead = {reply: get(reply)}
        if found.role is not Role.READ:
            self._ahead[standing] = get(standing)

    def candidate(self, key: bytes, state: int, at_least: ExchangeNumber) -> Candidate | None:
        """Return the first answer to a key in a state, from a number on."""
        return self._environment.view(self._candidate, key, state, at_least)

    def _candidate(self, transaction: Reading, key: bytes, state: int, at_least: ExchangeNumber) -> Candidate | None:
        cursor: Any = transaction.cursor()
        prefix = self._answers + key + layout.digest(state)
        if not cursor.set_range(prefix + layout.number(at_least)):
            return None
        found, value = cursor.item()
        if not found.startswith(prefix):
            return None
        is_last = not (cursor.next() and cursor.key().startswith(prefix))
        answer = decode_candidate(layout.number_in(found[-4:]), self._sound(found, value), is_last=is_last)
        self._read_ahead(transaction, answer)
        return answer

    def touching(self, digest: int) -> Iterator[ExchangeNumber]:
        """Yield the numbers of the writes that touch a place, or make an object with a unique value, growing."""
        prefix, after = self._touching + layout.digest(digest), b""
        while found := self._environment.scan(prefix, after=after, limit=_CHUNK):
            for key, value in found:
                self._sound(key, value)
                yield layout.number_in(key[-4:])
            after = found[-1][0][-4:]

    def steps(self, place: int, after: ExchangeNumber) -> Sequence[Step]:
        """Return the changes by others at which an answer of a place has to look, those after a number, growing."""
        prefix, steps = self._steps + layout.digest(place), list[Step]()
        last = layout.number(after) + layout.digest(2**64 - 1)
        while found := self._environment.scan(prefix, after=last, limit=_CHUNK):
            for key, value in found:
                floors = struct.unpack(f">{(len(value) - SEAL) // 8}Q", self._sound(key, value))
                steps.append(Step(layout.number_in(key[-12:-8]), floors))
            last = found[-1][0][-12:]
        return steps

    def spelling(self, path: bytes) -> bytes | None:
        """Return the one spelling of the path of what is named by its unique name, if there is another."""
        return self._get(layout.spelling_key(self._sid, path))

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


_FIRST, _SECOND = layout.number(0), layout.number(1)


_ANEW = "is damaged where it was compiled; start again, which compiles it anew"
