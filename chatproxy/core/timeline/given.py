"""Given epochs: the states in which the exchanges of a canonical fixture of version 2 answer.

Such a file has its exchanges by collections, and says of each in which epoch of its collection it stands, and of a
write which epochs it opens below. It knows nothing of an owner's counts, nor of what one collection's writes change in
another, so there no write touches what is above its collection, or beside it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from chatproxy.core.errors import CassetteError
from chatproxy.core.model import ExchangeNumber, is_read
from chatproxy.core.timeline.flights import Spot
from chatproxy.core.timeline.places import needed
from chatproxy.core.timeline.standing import Role, Standing
from chatproxy.core.timeline.states import States


def as_given(spots: Sequence[Spot]) -> list[Standing]:
    """Return where exchanges stand that say it, in their order; raises CassetteError if they contradict each other."""
    _check(spots)
    states = States()
    found: dict[int, Standing] = {}
    sequence = list(_Sequence(spots).all())
    exceptions = _Exceptions(spots, sequence)
    for nth in sequence:
        spot = spots[nth]
        done = spot.done and spot.done._replace(touched=spot.done.touched[:1], elsewhere=())
        if spot.trace.is_challenge:
            found[nth] = Standing(Role.CHALLENGE, spot.where, ())
            continue
        role = Role.READ if is_read(spot.trace.method) else Role.WRITE if done else Role.REFUSAL
        needs = (needed(states, spot.where, spot.need, spot.unique),)
        with_, without = exceptions.of(nth)
        found[nth] = Standing(role, spot.where, needs, done, with_=with_, without=without)
        if done:
            states.do(done)
    return [found[nth] for nth in range(len(spots))]


class _Exceptions:
    """The writes to objects above an exchange that its number puts on another side of it than the epochs do."""

    def __init__(self, spots: Sequence[Spot], sequence: Sequence[int]) -> None:
        self._spots = spots
        self._position = {nth: position for position, nth in enumerate(sequence)}
        self._at: defaultdict[int, list[int]] = defaultdict(list)
        for nth, spot in enumerate(spots):
            if spot.done:
                self._at[spot.done.place].append(nth)

    def of(self, nth: int) -> tuple[tuple[ExchangeNumber, ...], tuple[ExchangeNumber, ...]]:
        """Return the writes with higher numbers that come before an exchange, and those with lower ones that do not."""
        position = self._position
        above = sorted(write for place in self._spots[nth].where.above for write in self._at.get(place, ()))
        with_ = tuple(
            self._spots[write].trace.number for write in above if write > nth and position[write] < position[nth]
        )
        return with_, tuple(
            self._spots[write].trace.number for write in above if write < nth and position[write] > position[nth]
        )


def _check(spots: Sequence[Spot]) -> None:
    """Check that a write opens a new epoch, and that none stands before another's."""
    reached: dict[bytes, int] = {}
    for spot in spots:
        one, line = spot.trace, spot.trace.timeline
        if one.standing is None or one.is_challenge:
            continue
        least = reached.get(line, 0) + (spot.done is not None)
        if one.standing.epoch < least:
            raise CassetteError(
                "",  # whoever reads the fixture knows where it is
                f"exchange {one.number} is said to stand in epoch {one.standing.epoch} of its collection, "
                f"but those before it make it {least} at least",
            )
        reached[line] = one.standing.epoch


class _Sequence:
    """The order in which it all may have happened: what stood below an object before its delete comes before that."""

    def __init__(self, spots: Sequence[Spot]) -> None:
        self._spots = spots
        self._lines: defaultdict[bytes, list[int]] = defaultdict(list)
        for nth, spot in enumerate(spots):
            self._lines[spot.trace.timeline].append(nth)
        self._next = dict.fromkeys(self._lines, 0)

    def all(self) -> Iterator[int]:
        for line in sorted(self._lines, key=lambda path: path.count(b"/")):
            yield from self._until(line, None)

    def _until(self, line: bytes, epoch: int | None) -> Iterator[int]:
        """Yield what of a collection stands before an epoch, and what has to come before that."""
        held = self._lines[line]
        while (at := self._next[line]) < len(held) and (epoch is None or self._epoch(held[at]) < epoch):
            self._next[line] = at + 1
            one = self._spots[held[at]].trace
            if one.method == "DELETE" and one.standing is not None:
                for path, opened in one.standing.below:
                    if path in self._lines:
                        yield from self._until(path, opened)
            yield held[at]

    def _epoch(self, nth: int) -> int:
        standing = self._spots[nth].trace.standing
        return standing.epoch if standing is not None else 0
