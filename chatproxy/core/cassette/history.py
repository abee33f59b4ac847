"""The writes that a state is made of, by their numbers.

Answers are decided by the state as one number. This looks at each write that touches a place: to name writes in a
message, and to decide what is decided once.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.model import ExchangeNumber
from chatproxy.core.timeline import places
from chatproxy.core.timeline.places import touches
from chatproxy.core.timeline.standing import Role, Standing
from chatproxy.core.timeline.states import Done, Effect, States, Where, is_create


class Need(NamedTuple):
    """What decides whether a request can be answered: its method, its place, and the digest of a unique value."""

    method: str
    where: Where
    unique: int = 0

    def has(self, write: Done, had: set[int]) -> bool:
        """Tell whether a write counts; ``had`` are the objects that had the unique value, or may have had it."""
        is_of_value = write.place in had and write.place not in self.where.above
        return touches(write, self.where, self._what) or (is_of_value and write.effect is not Effect.CHANGES)

    @property
    def _what(self) -> places.Need:
        if is_create(self.method, self.where):
            return places.Need.ROOM
        return places.Need.LIFE if self.method == "DELETE" and self.where.is_object else places.Need.STATE


def need_of(method: str, standing: Standing, unique: int, *, by_collection: bool) -> Need:
    """Return what decides whether an exchange can answer."""
    is_failed = standing.done is not None and standing.done.effect is Effect.MAY_DELETE
    needs_place = (standing.role is Role.REFUSAL and (by_collection or method == "DELETE")) or is_failed
    return Need("GET" if needs_place else method, standing.where, unique)


def counting(cassette: Cassette, need: Need) -> dict[ExchangeNumber, Done]:
    """Return all recorded writes that may count for a need, by their numbers, growing."""
    values = (need.unique, need.where.any_value) if need.unique else ()
    had = {done.place for value in values for _, done in _writes(cassette, value) if value in done.values}
    digests = {need.where.place, *need.where.above, *had}
    found = {number: done for digest in digests for number, done in _writes(cassette, digest) if need.has(done, had)}
    return dict(sorted(found.items()))


def made_with(cassette: Cassette, unique: int) -> set[int]:
    """Return the objects that recorded writes gave the value with this digest."""
    return {done.place for _, done in _writes(cassette, unique)}


def _writes(cassette: Cassette, digest: int) -> Iterator[tuple[ExchangeNumber, Done]]:
    for number in cassette.touching(digest):
        done = cassette.standing(number).done
        assert done is not None
        yield number, done


def remembered(writes: Mapping[ExchangeNumber, Done]) -> frozenset[ExchangeNumber]:
    """Return the numbers of writes without those that a delete among them made forgotten.

    What was done before it, and changed other collections too, is not.
    """
    found = dict(writes)
    for number, done in writes.items():
        if done.effect is Effect.DELETES and number in found:
            below = (one for one, other in found.items() if done.place in {other.place, *other.above})
            for one in [one for one in below if one != number and (one > number or not found[one].elsewhere)]:
                del found[one]
    return frozenset(found)


def before(
    standing: Standing, number: ExchangeNumber, writes: Mapping[ExchangeNumber, Done]
) -> frozenset[ExchangeNumber]:
    """Return which of these writes had been done for an exchange."""
    return remembered(
        {
            one: done
            for one, done in writes.items()
            if (one < number or one in standing.with_) and one not in standing.without and one != number
        }
    )


def whole(cassette: Cassette) -> States:
    """Return the states after all that was recorded, also after what no session can do."""
    states = States()
    for number in cassette.numbers():
        write = cassette.standing(number).done
        if write is not None:
            states.do(write)
    return states
