"""Which recorded SID is meant by one that a user wrote: in a cassette each may have three spellings."""

from collections.abc import Iterator, Mapping

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.model import LiveSid, RecordedSid
from chatproxy.core.timeline.numbering import sid_number
from chatproxy.core.twilio.canonical_sids import canonical_nth


def recorded_of(cassette: Cassette, written: str) -> RecordedSid | None:
    """Return the SID meant by the recorder's own, by the cassette's, or by a canonical one of whichever form."""
    sid = written.encode()
    own = next((known.sid for known in cassette.known if known.own == sid), None)
    if own is not None:
        return own
    if cassette.numbered(sid) is not None:
        return RecordedSid(sid)
    nth = canonical_nth(sid)
    return None if nth is None else cassette.sid(sid_number(sid[:2], nth))


def bound_in(cassette: Cassette, bind: Mapping[str, str]) -> Iterator[tuple[LiveSid, RecordedSid]]:
    """Yield those pairs of the settings that are about this cassette."""
    for live, written in bind.items():
        recorded = recorded_of(cassette, written)
        if recorded is not None:
            yield LiveSid(live.encode()), recorded
