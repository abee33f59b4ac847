"""What a fixture takes over from the one that it replaces: whose SIDs the recorder's own are said to be.

1. Where ``bind`` or an environment variable says that a known SID of a recording is one of the file that stands there,
   the file goes on naming the one that it named. So who records again in another environment changes no line of it.
2. That is said of one known SID for each of the file's; where two lead to one, or the name would stand twice, each
   keeps the recorder's own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from chatproxy.core.model import LiveSid, RecordedSid
from chatproxy.core.timeline.known import Declared, Known
from chatproxy.core.twilio.canonical_sids import canonical_nth


def taken_over(declared: Declared, before: Declared, bind: Mapping[str, str]) -> Declared:
    """Return what a new fixture says of its SIDs where one stands that said something ``before``."""
    led = {
        known.sid: old
        for known in declared.known
        if known.own is not None and (old := _led_to(known, before.known, bind)) is not None
    }
    several = Counter(old.sid for old in led.values())
    led = {sid: old for sid, old in led.items() if several[old.sid] == 1}
    while clashing := {sid for sid, old in led.items() if old.own in _owns(declared.known, led)}:
        led = {sid: old for sid, old in led.items() if sid not in clashing}
    return replace(declared, known=tuple(_named_as(known, led.get(known.sid)) for known in declared.known))


def _owns(known: Iterable[Known], led: Mapping[RecordedSid, Known]) -> set[LiveSid | None]:
    """Return the recorder's own of those that are led nowhere."""
    return {one.own for one in known if one.sid not in led}


def _named_as(known: Known, old: Known | None) -> Known:
    return known if old is None else replace(known, own=old.own, variable=known.variable or old.variable)


def _led_to(known: Known, before: Iterable[Known], bind: Mapping[str, str]) -> Known | None:
    """Return which known SID of before one is, by ``bind``, else by the variable that held both."""
    alike = [old for old in before if old.own is not None and old.sid[:2] == known.sid[:2]]
    written = bind.get(known.own.decode() if known.own else "", "").encode()
    if written:
        nth = canonical_nth(written)
        named = (old for old in alike if written in (old.own, old.sid))
        numbered = (old for old in alike if nth is not None and canonical_nth(old.sid) == nth)
        return next(named, None) or next(numbered, None)
    return next((old for old in alike if known.variable and old.variable == known.variable), None)
