"""The string fields of an answer's JSON, each with the object that it belongs to."""

from collections.abc import Iterator

from chatproxy.core.http.headers import is_json
from chatproxy.core.model import Response
from chatproxy.core.products.every import SID_FIELD
from chatproxy.core.text.json_text import Place, members, strings
from chatproxy.core.twilio.sids import SID


def fields(response: Response) -> Iterator[tuple[Place, bytes]]:
    """Yield the string values of an answer in their order, each with its object's SID, empty for one without."""
    if is_json(response.headers):
        yield from fields_of(response.body)


def fields_of(text: bytes) -> Iterator[tuple[Place, bytes]]:
    """Yield the string values of a JSON text in their order, each with its object's SID, empty for one without.

    Of an object without others in it those whose names are no words are left out.
    """
    places = places_of(text)
    sids = holders(text, places)
    for place in places:
        yield place, sids.get(place.holder, b"")


def places_of(text: bytes) -> list[Place]:
    """Return the string values of a JSON text, in the fastest way there is."""
    found = members(text)
    return list(strings(text)) if found is None else found


def holders(text: bytes, places: list[Place]) -> dict[int, bytes]:
    """Return the SIDs of the objects that hold string values, by where the objects begin."""
    return {
        place.holder: sid
        for place in places
        if place.name == SID_FIELD and SID.fullmatch(sid := text[place.start : place.end])
    }
