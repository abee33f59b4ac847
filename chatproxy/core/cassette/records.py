"""Where exchanges stand, as bytes for the store, and back. All numbers are big-endian; what seals it is the store."""

import struct
from functools import cache
from typing import NamedTuple, Self

from chatproxy.core.model import ExchangeNumber
from chatproxy.core.timeline.standing import Role, Standing
from chatproxy.core.timeline.states import Done, Effect, Where

ANY_STATE = 0
"""In place of a state: that of what answers in any."""


class First(NamedTuple):
    """What all requests of one key ask for, and the first exchange with it.

    ``unique`` is the digest of the value that a create of this key has for a unique field. ``by_collection`` tells
    that a refused create needs the state of its collection.
    """

    number: ExchangeNumber
    role: Role
    where: Where
    states: tuple[int, ...]
    step: ExchangeNumber
    unique: int
    by_collection: bool


class Candidate(NamedTuple):
    """An exchange that answers a key in a state; whether it is the last one of these."""

    number: ExchangeNumber
    role: Role
    step: ExchangeNumber
    is_last: bool


class Asked(NamedTuple):
    """What is known of a key, and the answer that is the only exchange with it, None where it has several."""

    first: First
    lone: Candidate | None

    @classmethod
    def alone(cls, first: First) -> Self:
        """Return what is known of the key of one exchange."""
        return cls(first, Candidate(first.number, first.role, first.step, is_last=True))


def encode_first(first: First) -> bytes:
    """Return what is known of a key as the value of a record."""
    above, place, is_object = first.where
    counts = len(above), len(first.states)
    head = _FIRST.pack(first.number, first.role, is_object, first.by_collection, *counts, first.step, first.unique)
    return head + struct.pack(f">{sum(counts) + 1}Q", place, *above, *first.states)


def decode_first(value: bytes) -> First:
    """Return what is known of a key."""
    number, role, is_object, by_collection, above, states, step, unique = _FIRST.unpack_from(value)
    digests = _digests(above + states + 1).unpack_from(value, _FIRST.size)
    where = Where(digests[1 : above + 1], digests[0], bool(is_object))
    return First(number, _ROLES[role], where, digests[above + 1 :], step, unique, bool(by_collection))


def encode_standing(standing: Standing) -> bytes:
    """Return where an exchange stands as the value of a record."""
    above, at, is_object = standing.where
    done = standing.done
    digests = [at, *above, *standing.states]
    effect, of_write = 0, [0, 0, 0, 0]
    if done is not None:
        digests += [done.mark, done.place, done.unique, *(one for some in _of_write(done) for one in some)]
        effect, of_write = done.effect, [len(some) for some in _of_write(done)]
    counts = len(above), len(standing.states), *of_write, len(standing.with_), len(standing.without)
    return b"".join(
        (
            _STANDING.pack(standing.role, is_object, effect, *counts, standing.step, standing.nth),
            struct.pack(f">{len(digests)}Q", *digests),
            struct.pack(f">{counts[-2] + counts[-1]}I", *standing.with_, *standing.without),
        )
    )


def _of_write(done: Done) -> tuple[tuple[int, ...], ...]:
    return done.above, done.touched, done.frees, done.elsewhere


def decode_standing(value: bytes) -> Standing:
    """Return where an exchange stands."""
    head = _STANDING.unpack_from(value)
    role, is_object, effect, above, states, of_done, touched, frees, elsewhere, with_, without, step, nth = head
    done = None
    count = above + states + 1
    of_write = 3 + of_done + touched + frees + elsewhere if effect else 0
    digests = _digests(count + of_write).unpack_from(value, _STANDING.size)
    if effect:
        mark, place, unique, *_ = digests[count:]
        rest = count + 3
        border = rest + of_done
        last = border + touched
        done = Done(mark, _EFFECTS[effect], digests[rest:border], place, digests[border:last], unique)
        if frees or elsewhere:  # as seldom
            end = last + frees
            done = done._replace(frees=digests[last:end], elsewhere=digests[end:])
    where = Where(digests[1 : above + 1], digests[0], bool(is_object))
    numbers: tuple[ExchangeNumber, ...] = ()
    if with_ or without:
        numbers = struct.unpack_from(f">{with_ + without}I", value, _STANDING.size + 8 * len(digests))
    return Standing(_ROLES[role], where, digests[above + 1 : count], done, step, numbers[:with_], numbers[with_:], nth)


def encode_candidate(role: Role, step: ExchangeNumber) -> bytes:
    """Return what is known of an answer in a state as the value of a record."""
    return _CANDIDATE.pack(role, step)


def decode_candidate(number: ExchangeNumber, value: bytes, *, is_last: bool) -> Candidate:
    """Return an answer in a state."""
    role, step = _CANDIDATE.unpack(value)
    return Candidate(number, _ROLES[role], step, is_last)


@cache
def _digests(count: int) -> struct.Struct:
    return struct.Struct(f">{count}Q")


_ROLES: dict[int, Role] = {role.value: role for role in Role}  # a third of the time that Role(role) takes
_EFFECTS: dict[int, Effect] = {effect.value: effect for effect in Effect}
_FIRST = struct.Struct(">I4BHIQ")
_STANDING = struct.Struct(">4BH2B2H4I")
_CANDIDATE = struct.Struct(">BI")
