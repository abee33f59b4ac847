"""Where in a request SIDs stand as such; elsewhere in it is text that may look like one."""

from chatproxy.core.matching.normal_form import FORMS, NormalForm
from chatproxy.core.products.every import LISTS
from chatproxy.core.twilio.sids import SID_SEGMENT, placed_sids, sids_in

_TOKEN = LISTS.token.encode()


def sids_of_path(form: NormalForm) -> list[bytes]:
    """Return the SIDs that are segments of the path, in their order."""
    return [segment for segment in form.path.split(b"/") if SID_SEGMENT.fullmatch(segment)]


def sids_beside_path(form: NormalForm) -> list[bytes]:
    """Return the SIDs of the page token, of parameters named ``…Sid``, of a JSON body, and of headers that are one."""
    found: list[bytes] = []
    for pair in (*form.query, *(form.body if form.kind in FORMS else ())):
        name, _, value = pair.partition(b"=")
        if name == _TOKEN or name.lower().endswith(b"sid"):
            found += sids_in(value)
    for text in form.body if form.kind == "json" else ():
        found += placed_sids(text)
    return found + [sid for header in form.headers for sid in placed_sids(header.partition(b": ")[2])]
