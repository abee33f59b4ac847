"""Holders: which values of a unique field the objects of writes may have had, as far as a recording tells.

1. An object had each value that an answer showed it with, that a write gave it, or by which a path named it.
2. What a rename or a delete takes from an object that no answer showed before may be any value.
"""

from collections.abc import Sequence

from chatproxy.core.model import is_read
from chatproxy.core.timeline.traces import Trace
from chatproxy.core.twilio.paths import table_of, timeline

ANY = b""
"""In place of a value: that it may be any."""


def note_held(traces: Sequence[Trace]) -> None:
    """Note of each write which values its object may have had; paths must be in the one spelling."""
    known: dict[bytes, set[bytes]] = {}
    for one in traces:
        path = one.path if one.is_member else one.owner
        if not is_read(one.method) and table_of(timeline(path)).unique:
            if one.name:
                known.setdefault(path, set()).add(one.name)
            if one.method == "DELETE" or (one.is_member and one.unique):
                one.had = tuple(sorted(known.get(path, {ANY})))
            if one.is_member and one.unique:
                known.setdefault(path, set()).add(one.unique)
        for sid, pair in one.tells:
            known.setdefault(one.below(sid), set()).update((pair,) if pair else ())
