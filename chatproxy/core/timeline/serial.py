"""Serial orders: in which orders some writes to one object can have been done, by what each of their answers shows.

1. What was answered before another was sent was done before it.
2. Each answer shows the object as its write left it: where the write sets a field, that, else what was there before.
3. What is the same in all orders that fit the answers is known; where none fits, or too many may, nothing is.
"""

from collections.abc import Sequence
from typing import NamedTuple

UNKNOWN = None
"""The value of a field that nothing has shown."""

Values = tuple[str | None, ...]
"""What an object has in each of the fields that are looked at."""

_MOST_STATES = 256
"""With more states than these after equally many writes, nothing is known."""


class Item(NamedTuple):
    """A write: those of which it is known that they came before, as a bit each, and what its answer shows.

    ``sets`` tells of each field whether the write sets it. Of what it ``shows`` nothing is unknown.
    """

    before: int
    sets: tuple[bool, ...]
    shows: Values


class Orders(NamedTuple):
    """What came before each write in all orders that fit, and what did in any of them, as a bit each."""

    always: tuple[int, ...]
    ever: tuple[int, ...]

    def is_first(self, one: int, other: int) -> bool | None:
        """Tell whether one write was done before another; None if that is not known."""
        return True if self.always[other] >> one & 1 else None if self.ever[other] >> one & 1 else False


class _State(NamedTuple):
    done: int
    values: Values


class _Step(NamedTuple):
    before: _State
    nth: int
    after: _State


def orders(items: Sequence[Item], begin: Values, end: Values) -> Orders | None:
    """Return in which orders these can have been done, or None where nothing is known.

    ``begin`` and ``end`` are what the object had before the first of them and after the last.
    """
    states, levels = {_State(0, begin)}, list[list[_Step]]()
    for _ in items:
        levels.append([step for state in states for step in _steps(items, state)])
        states = {step.after for step in levels[-1]}
        if len(states) > _MOST_STATES:
            return None
    states = {state for state in states if _fits(state.values, end)}
    always, ever = [-1] * len(items), [0] * len(items)
    for steps in reversed(levels):
        kept = [step for step in steps if step.after in states]
        for step in kept:
            always[step.nth] &= step.before.done
            ever[step.nth] |= step.before.done
        states = {step.before for step in kept}
    return Orders(tuple(always), tuple(ever)) if states else None


def _steps(items: Sequence[Item], state: _State) -> list[_Step]:
    return [
        _Step(state, nth, _State(state.done | 1 << nth, item.shows))
        for nth, item in enumerate(items)
        if not state.done >> nth & 1 and not item.before & ~state.done and _follows(item, state.values)
    ]


def _follows(item: Item, before: Values) -> bool:
    """Tell whether an answer shows what there was before, of what its write does not set."""
    return _fits(tuple(UNKNOWN if sets else was for sets, was in zip(item.sets, before, strict=True)), item.shows)


def _fits(values: Values, shown: Values) -> bool:
    return all(one == other or UNKNOWN in {one, other} for one, other in zip(values, shown, strict=True))
