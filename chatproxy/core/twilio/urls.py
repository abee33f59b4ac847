"""Which string values of a JSON text are addresses of the API, found without reading all of the text.

Read token by token, a list of 50 messages takes ten times as long.
"""

import re
from collections.abc import Mapping, Set
from json import loads

from chatproxy.core.products.every import URL_HOLDERS, URL_NAMES, URL_SUFFIXES
from chatproxy.core.text.json_text import Place, strings


class UrlFields:
    """The fields that hold addresses, by their names and by their holders, as ``Urls`` of a product says."""

    def __init__(self, names: Set[bytes], holders: Set[bytes], suffixes: Mapping[bytes, bytes]) -> None:
        self._names = names
        self._holders = holders
        self._suffixes = suffixes
        name = b"|".join(map(re.escape, sorted(names)))
        # within JSON a quote and a word begin no string but one of that word, or follow a backslash
        self._url = re.compile(rb'"(?<!\\")(%b)"\s*:\s*"((?:[^"\\]++|\\.)*+)"' % name, re.DOTALL)
        # the texts in an array go by its name
        self._urls = re.compile(rb'"(?<!\\")(?:%b)"\s*:\s*\[' % name)
        holder = b"|".join(map(re.escape, sorted({*holders, *suffixes})))
        self._holder = re.compile(rb'"(?<!\\")(?:%b)"\s*:\s*(?=[\[{])' % holder)
        self._elements_of_holder = re.compile(rb'"(?:%b)"\s*:[\s\[]*\Z' % holder)

    def is_url(self, place: Place) -> bool:
        """Tell whether a field holds an address."""
        suffix = self._suffixes.get(place.parent)
        return (
            place.name in self._names
            or place.parent in self._holders
            or (suffix is not None and place.name.endswith(suffix))
        )

    def places(self, text: bytes) -> list[Place]:
        """Return the string values that are addresses, in their order."""
        found = self._in_holders(text) if _is_json(text) else None
        if found is None:
            return [place for place in strings(text) if self.is_url(place)]
        found += [Place(field[1], b"", *field.span(2)) for field in self._url.finditer(text)]
        return sorted(found, key=_start)

    def ends_in_holder(self, text: bytes) -> bool:
        """Tell whether what follows this text goes by a name that makes addresses of its members."""
        return self._elements_of_holder.search(text) is not None

    def _in_holders(self, text: bytes) -> list[Place] | None:
        """Return the addresses in holders except those by name, None where any of these is nested."""
        places: list[Place] = []
        if self._urls.search(text):
            return None
        for holder in self._holder.finditer(text):
            flat = _FLAT.match(text, holder.end())
            if flat is None:
                return None
            start = holder.start()
            places += [
                place._replace(start=start + place.start, end=start + place.end)
                for place in strings(text[start : flat.end()])
                if place.name not in self._names and self.is_url(place)
            ]
        return places


def _is_json(text: bytes) -> bool:
    try:
        loads(text.decode())
    except (ValueError, RecursionError):
        return False
    return True


def _start(place: Place) -> int:
    return place.start


_FLAT = re.compile(rb'\{(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+\}', re.DOTALL)

EVERY = UrlFields(URL_NAMES, URL_HOLDERS, URL_SUFFIXES)
"""Those of all products."""

is_url, url_places = EVERY.is_url, EVERY.places
