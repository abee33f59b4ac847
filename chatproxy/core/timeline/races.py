"""Races: which of two updates of one object that were in flight together was done first.

1. It is known where all orders agree that fit what the updates show, and what the object was before and after them.
2. Where it is not known, an update shows the same in both orders if it sends all that the other sends; so does one
   that shows no object.
3. Two equal updates leave the same in both orders.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import NamedTuple

from chatproxy.core.model import ExchangeNumber
from chatproxy.core.timeline.serial import UNKNOWN, Item, Orders, Values, orders
from chatproxy.core.timeline.traces import Trace
from chatproxy.core.twilio.objects import Fields, Shown

_MOST_TOGETHER = 64
"""Of more updates in flight together nothing is known."""

_MOST_LOOKED_AT = 16
"""So many answers before and after updates are looked at for what they show, and so many updates after those."""

_DONE, _ERROR = frozenset({HTTPStatus.OK, HTTPStatus.CREATED}), HTTPStatus.INTERNAL_SERVER_ERROR


def is_update(one: Trace) -> bool:
    """Tell whether an exchange is an update that was done, or may have been."""
    return one.method == "POST" and one.is_member and (one.status in _DONE or one.status >= _ERROR)


def shows_the_same(one: Trace, other: Trace) -> bool:
    """Tell whether an update shows the same before another write to its object and after it."""
    return one.status >= _ERROR or set(other.sent) <= set(one.sent)


def leave_the_same(one: Trace, other: Trace) -> bool:
    """Tell whether two writes to one object leave the same in both orders."""
    return is_update(one) and one.key == other.key


class _Round(NamedTuple):
    """Updates of one object in flight together, in the order in which they were sent, and those of before and after."""

    updates: Sequence[Trace]
    earlier: Sequence[Trace]
    later: Sequence[Trace]

    @property
    def number(self) -> ExchangeNumber:
        """The number of the first, by which the round is known."""
        return self.updates[0].number

    @property
    def items(self) -> list[Trace]:
        """Those that are known to have been done."""
        return [one for one in self.updates if one.status in _DONE]

    def names(self) -> list[str]:
        """Return the fields that they set, but for those that were perhaps set."""
        failed = {name for one in self.updates if one.status >= _ERROR for name in one.sent}
        return sorted({name for one in self.items for name in one.sent} - failed)


class Races:
    """The updates of one cassette, given the traces of its exchanges; ``show`` tells what the answer of each shows."""

    def __init__(self, traces: Sequence[Trace], show: Callable[[ExchangeNumber], Shown]) -> None:
        self._traces, self._show = traces, show
        self._rounds: dict[ExchangeNumber, _Round] = {}
        self._orders: dict[ExchangeNumber, Orders | None] = {}

    def is_first(self, one: Trace, other: Trace) -> bool | None:
        """Tell whether an update was done before another that was in flight with it; None if that is not known."""
        round_ = self._round(one)
        if round_.number not in self._orders:
            self._orders[round_.number] = self._found(round_)
        if (found := self._orders[round_.number]) is None:
            return None
        numbers = [each.number for each in round_.items]
        if not {one.number, other.number} <= set(numbers):
            return None
        return found.is_first(numbers.index(one.number), numbers.index(other.number))

    def _round(self, one: Trace) -> _Round:
        if one.number not in self._rounds:
            for round_ in _rounds(self._at[one.path]):
                self._rounds |= dict.fromkeys((each.number for each in round_.updates), round_)
        return self._rounds[one.number]

    @cached_property
    def _at(self) -> dict[bytes, list[Trace]]:
        """The exchanges at each path."""
        found: defaultdict[bytes, list[Trace]] = defaultdict(list)
        for one in self._traces:
            found[one.path].append(one)
        return found

    def _found(self, round_: _Round) -> Orders | None:
        if len(round_.updates) > _MOST_TOGETHER:
            return None
        items, names = round_.items, round_.names()
        shown = [self._object(one, one) for one in items]
        if None in shown:
            return None
        found = []
        for one, fields in zip(items, shown, strict=True):
            before = sum(_is_before(each, one) << nth for nth, each in enumerate(items))
            values = tuple(repr((fields or {}).get(name)) for name in names)
            found.append(Item(before, tuple(name in one.sent for name in names), values))
        return orders(found, self._begin(round_, names), self._end(round_, names))

    def _object(self, one: Trace, update: Trace) -> Fields | None:
        """Return the object of an update as an answer has it, if it shows it."""
        return None if update.is_shared else self._show(one.number).objects.get(update.member)

    def _begin(self, round_: _Round, names: Sequence[str]) -> Values:
        """Return what the object was before, by the last answer that had seen all of the round before."""
        first = round_.updates[0]
        for path in (first.path, first.timeline):
            at = self._at.get(path, [])
            end = bisect_left(at, first.asked, key=_answered)
            for one in reversed(at[max(end - _MOST_LOOKED_AT, 0) : end]):
                if _has_seen(one, round_.earlier) and (fields := self._object(one, first)):
                    return tuple(repr(fields[name]) if name in fields else UNKNOWN for name in names)
        return (UNKNOWN,) * len(names)

    def _end(self, round_: _Round, names: Sequence[str]) -> Values:
        """Return what the object was after, by the first answers that show it, and a list where no other does."""
        first, found = round_.updates[0], dict[str, str]()
        last = max(map(_answered, round_.updates))
        for path in (first.path, first.timeline):
            at = self._at.get(path, [])
            begin = bisect_right(at, last, key=_answered)
            for one in at[begin : begin + _MOST_LOOKED_AT]:
                if _has_seen(one, round_.updates) and (fields := self._object(one, first)):
                    left = _not_set_by(round_.later, one, names)
                    found = {name: repr(fields[name]) for name in left if name in fields} | found
        return tuple(found.get(name, UNKNOWN) for name in names)


def _rounds(at: Sequence[Trace]) -> Iterator[_Round]:
    updates = sorted(filter(is_update, at), key=lambda one: one.asked)
    begins, number, answered = list[int](), 0, -1
    for nth, one in enumerate(updates):
        if number <= one.after or answered < one.asked:
            begins.append(nth)
        number, answered = max(number, one.number), max(answered, one.answered)
    for before, begin, end in zip([0, *begins], begins, [*begins[1:], len(updates)], strict=False):
        yield _Round(updates[begin:end], updates[before:begin], updates[end : end + _MOST_LOOKED_AT])


def _is_before(one: Trace, other: Trace) -> bool:
    """Tell whether one was answered before the other was sent."""
    return one.number <= other.after or one.answered < other.asked


def _has_seen(one: Trace, updates: Iterable[Trace]) -> bool:
    return all(each is one or _is_before(each, one) for each in updates)


def _not_set_by(later: Sequence[Trace], one: Trace, names: Sequence[str]) -> list[str]:
    """Return the fields that no later update can have set when an answer was given."""
    if len(later) == _MOST_LOOKED_AT and later[-1].asked <= one.answered:
        return []  # there may be more of them
    again = {name for each in later if each.asked <= one.answered for name in each.sent}
    return [name for name in names if name not in again]


def _answered(one: Trace) -> int:
    return one.answered
