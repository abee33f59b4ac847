"""Which string values of a JSON text are addresses of the API, found without reading all of the text.

Read token by token, a list of 50 messages takes ten times as long.
"""

import re
from json import loads

from chatproxy.core.products.every import URL_HOLDERS, URL_NAMES, URL_SUFFIXES
from chatproxy.core.text.json_text import Place, strings


def is_url(place: Place) -> bool:
    """Tell whether a field holds an URL of the API: ``url``, ``meta.*_url``, ``links.*``."""
    suffix = URL_SUFFIXES.get(place.parent)
    return (
        place.name in URL_NAMES or place.parent in URL_HOLDERS or (suffix is not None and place.name.endswith(suffix))
    )


def url_places(text: bytes) -> list[Place]:
    """Return the string values that are addresses, in their order."""
    found = _in_holders(text) if _is_json(text) else None
    if found is None:
        return [place for place in strings(text) if is_url(place)]
    found += [Place(b"url", b"", *field.span(1)) for field in _URL.finditer(text)]
    return sorted(found, key=_start)


def _is_json(text: bytes) -> bool:
    try:
        loads(text.decode())
    except (ValueError, RecursionError):
        return False
    return True


def _in_holders(text: bytes) -> list[Place] | None:
    """Return the addresses in ``links`` and ``meta`` but for ``url``, or nothing where any of these is nested."""
    places: list[Place] = []
    if _URLS.search(text):
        return None
    for holder in _HOLDER.finditer(text):
        flat = _FLAT.match(text, holder.end())
        if flat is None:
            return None
        start = holder.start()
        places += [
            place._replace(start=start + place.start, end=start + place.end)
            for place in strings(text[start : flat.end()])
            if place.name != b"url" and is_url(place)
        ]
    return places


def _start(place: Place) -> int:
    return place.start


_URL = re.compile(rb'"(?<!\\")url"\s*:\s*"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
"""Within JSON a quote and a word begin no string but one of that word, or follow a backslash."""
_URLS = re.compile(rb'"(?<!\\")url"\s*:\s*\[')
"""The texts in an array go by its name."""
_HOLDER = re.compile(rb'"(?<!\\")(?:links|meta)"\s*:\s*(?=[\[{])')
_FLAT = re.compile(rb'\{(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+\}', re.DOTALL)
