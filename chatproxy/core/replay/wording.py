"""How a miss says in what a request differs from a recorded one."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from chatproxy.core.matching.difference import Difference, Part, Values, places
from chatproxy.core.model import LiveSid, RecordedSid
from chatproxy.core.replay.derived import derived_from
from chatproxy.core.text.excerpts import excerpts, literal, printable
from chatproxy.core.time.timestamps import read_instant
from chatproxy.core.twilio.sids import SID_SEGMENT


def worded(found: Iterable[Difference], given: Sequence[tuple[LiveSid, RecordedSid]] = ()) -> list[str]:
    """Say in what a request differs from a recorded one, a line for each place.

    ``given`` are SIDs that a session served for recorded ones, from which a value may be derived.
    """
    return [line for one in found for line in _worded(one, given)]


def _worded(difference: Difference, given: Sequence[tuple[LiveSid, RecordedSid]]) -> Iterator[str]:
    what = _NAMED.get(difference.part, "{part}").format(part=difference.part, name=literal(difference.name))
    found = list(islice(places(difference, _LARGEST_JSON), _PLACES + 1))
    why = _why(difference, given)
    if not found:  # in a query the spelling of JSON counts
        yield _changed(what, _shown(difference.one), _shown(difference.other)) + why
    for pointer, before, after in found[:_PLACES]:
        yield _changed(f"{what} at {pointer}" if pointer else what, before, after) + why
    yield from [printable(f"{what} differs in more places")] if len(found) > _PLACES else []


def _why(difference: Difference, given: Sequence[tuple[LiveSid, RecordedSid]]) -> str:
    """Say what such a difference comes from, where that can be seen."""
    one, other = (b"\n".join(value or b"" for value in values or ()) for values in (difference.one, difference.other))
    if len(one) > _LARGEST_JSON or len(other) > _LARGEST_JSON:
        return ""
    if SID_SEGMENT.fullmatch(one) and SID_SEGMENT.fullmatch(other):
        return ""
    sid = derived_from(one, other, given)
    if sid is not None:
        return f' (derived from a SID, {sid.decode()}: use keep = ["{sid[:2].decode()}"])'
    if difference.part is Part.SEGMENT and SID_SEGMENT.fullmatch(one) and not SID_SEGMENT.fullmatch(other):
        return " (not a SID)" if other else " (nothing)"
    return " (a time of the recording and one of this replay)" if _is_time(one) and _is_time(other) else ""


def _is_time(value: bytes) -> bool:
    return read_instant(value) is not None


_NAMED = {Part.SEGMENT: "the {part} after {name}"} | dict.fromkeys(
    (Part.QUERY, Part.HEADER, Part.FIELD, Part.PART), "{part} {name}"
)

_PLACES, _LARGEST_JSON = 10, 65_536
"""How many places of a JSON value are named, and how many bytes one may have to be looked into."""


def _shown(values: Values | None) -> str:
    if values is None:
        return "absent"
    return ", ".join("without a value" if value is None else literal(value) for value in values)


def _changed(what: str, recorded: str, live: str) -> str:
    one, other = excerpts(recorded, live, _SHOWN)
    return printable(f"{what} is {one} where this has {other}")


_SHOWN = 60
"""How many characters of a value a message shows."""
