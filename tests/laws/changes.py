"""Programs that are changed after they were recorded, and which calls touch each other."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from laws.programs import Op

CHANGES = ("drop", "swap", "shuffle", "repeat", "add", "thin", "mix")


def changed(draw: Random, ops: Sequence[Op]) -> tuple[Op, ...]:
    """Return a program with calls left out, added, reordered or repeated."""
    found = list(ops)
    how = draw.choice(CHANGES)
    for _ in range(1 if how == "shuffle" else draw.choice([1, 1, 2, 4])):
        if found:
            _change(draw, found, ops, how if how != "mix" else draw.choice(["drop", "swap", "repeat", "add"]))
    return tuple(found)


def _change(draw: Random, found: list[Op], ops: Sequence[Op], how: str) -> None:
    at = draw.randrange(len(found))
    if how == "drop":
        del found[at]
    elif how == "thin":
        found[:] = [op for op in found if draw.random() < 0.8]
    elif how == "swap":
        op = found.pop(at)
        found.insert(max(0, at + draw.choice([-3, -2, -1, 1, 2, 3])), op)
    elif how == "shuffle":
        draw.shuffle(found)
    elif how == "repeat":
        found.insert(at + draw.choice([1, 1, 2, 5]), replace(found[at], id=f"{found[at].id}r{draw.randrange(9999)}"))
    else:
        op = draw.choice(ops)
        found.insert(at, replace(op, id=f"{op.id}a{draw.randrange(9999)}"))


def reordered(draw: Random, ops: Sequence[Op]) -> tuple[Op, ...]:
    """Return a program in which only calls have changed places that do not touch each other."""
    found = list(ops)
    if len(found) > 1:
        for _ in range(4 * len(found)):
            at = draw.randrange(len(found) - 1)
            if commute(found[at], found[at + 1]):
                found[at], found[at + 1] = found[at + 1], found[at]
    return tuple(found)


def commute(one: Op, other: Op) -> bool:
    """Tell whether two calls may change places without an answer telling of it, places in collections aside.

    Equal writes never do: which of them gets which answer would change.
    """
    if _needs(one, other.id) or _needs(other, one.id):
        return False
    if one.is_read and other.is_read:
        return True
    if _names(one) & _names(other):
        return False
    if (_may_free(one) and _is_named(other)) or (_may_free(other) and _is_named(one)):
        return False
    if _meaning(one) == _meaning(other):
        return False
    return not (_touches(one, other) or _touches(other, one))


def _needs(op: Op, made: str) -> bool:
    return made in {op.channel, op.target}


def _names(op: Op) -> set[tuple[str, str]]:
    """Return the unique values that a call brings or asks for, and the one of what it changes."""
    found = {(op.channel, value) for name, value in op.pairs if name == "Identity"}
    found |= {("", value) for name, value in op.pairs if name == "UniqueName"}
    if op.alias:
        found.add(("", op.alias))
    if op.unique and not op.is_read:
        found.add((op.channel if op.what == "Members" else "", op.unique))
    return found


def _may_free(op: Op) -> bool:
    """Tell whether a call takes its name from a channel that was there before: which name, an answer need not tell."""
    is_renamed = op.do == "update" and any(name == "UniqueName" for name, _ in op.pairs)
    return op.what == "Channels" and op.channel.startswith("seed") and (op.do == "delete" or is_renamed)


def _is_named(op: Op) -> bool:
    """Tell whether a call brings or asks for the name of a channel."""
    return bool(op.alias) or (op.what == "Channels" and any(name == "UniqueName" for name, _ in op.pairs))


def _meaning(op: Op) -> tuple[object, ...]:
    return op.do, op.what, op.channel, op.target, op.pairs, op.query


def _touches(write: Op, other: Op) -> bool:
    """Tell whether a write touches what another call needs: for a create that is what is above, else its place."""
    if write.is_read:
        return False
    place, needed = write.place, other.place
    if other.do == "create":
        return needed[: len(place)] == place
    if needed[: len(place)] == place and (write.do != "update" or needed == place):
        return True
    shows = {place[:-1]}
    if len(place) == 3:
        shows |= {place[:1], ()}
    return needed in shows
