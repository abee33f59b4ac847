"""The known SIDs of a cassette, as a block of settings that another environment fills in."""

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.timeline.known import Known
from chatproxy.core.timeline.numbering import nth_of
from chatproxy.core.twilio.canonical_sids import canonical_sid


def bind_block(cassette: Cassette) -> str:
    """Return the table ``bind`` in TOML, a line for each known SID that is to be given its own, and what it is."""
    lines = [f"# {cassette.name}: put this environment's SIDs in front, and leave out what is the same.", "[bind]"]
    shown = {known.sid: _written(known) for known in cassette.known}
    for known in cassette.known:
        if known.sid == cassette.account:  # the program's user name tells
            continue
        numbered = cassette.numbered(known.sid)
        said = [canonical_sid(known.sid[:2], nth_of(numbered.number)).decode()] if numbered else []
        said += [f"below {shown[known.parent]}"] if known.parent in shown else []
        said += [f"from {known.variable}"] if known.variable else []
        lines += [f"# {', '.join(said)}", f'# {known.sid[:2].decode()}... = "{shown[known.sid]}"']
    return "\n".join(lines)


def _written(known: Known) -> str:
    return (known.own or known.sid).decode()
