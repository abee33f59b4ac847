"""Lists of the tests' own upstream: which page is asked for, what is on it, and the URLs that lead on.

Messages are counted on (``PT<n>``), other objects stand behind one or before one (``PA<SID>``, ``PB<SID>``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from laws.resources import ORIGIN, RefusalError, Resource, Thing

DEFAULT, MOST = 50, 1000


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the objects on it, and what ``meta`` says."""

    things: Sequence[Thing]
    meta: dict[str, object]


def page_of(resource: Resource, listed: Sequence[Thing], query: Mapping[str, str], path: str) -> Page:
    """Return the page of a list that a query asks for; ``path`` is the one that was called."""
    counted = resource.key == "messages"
    size, number = _number(query, "PageSize", DEFAULT, 1, MOST), _number(query, "Page", 0, 0, 10**9)
    order = query.get("Order", "asc")
    if order not in {"asc", "desc"}:
        raise RefusalError(400, 20001, "Invalid Order.")
    things = listed[::-1] if counted and order == "desc" else listed
    token = query.get("PageToken")
    start = _start(resource, things, token, size)
    shown = things[start : start + size]
    filters = [("Order", order)] if counted and "Order" in query else []

    def url(page: int, token: str | None) -> str:
        pairs = [*filters, ("PageSize", str(size)), ("Page", str(page))]
        return f"{ORIGIN}{path}?{urlencode([*pairs, ('PageToken', token)] if token else pairs)}"

    after = before = None
    if shown and start + size < len(things):
        after = url(number + 1, f"PT{start + size}" if counted else f"PA{shown[-1].sid}")
    if shown and start > 0:
        before = url(max(number - 1, 0), f"PT{max(start - size, 0)}" if counted else f"PB{shown[0].sid}")
    meta: dict[str, object] = {"page": number, "page_size": size, "first_page_url": url(0, None)}
    meta |= {"previous_page_url": before, "url": url(number, token), "next_page_url": after, "key": resource.key}
    return Page(shown, meta)


def _number(query: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch("[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise RefusalError(400, 20001, f"Invalid {name}.")
    return int(text)


def _start(resource: Resource, things: Sequence[Thing], token: str | None, size: int) -> int:
    """Return how many objects come before a page; one that a token names may be gone."""
    if token is None:
        return 0
    if resource.key == "messages":
        if found := re.fullmatch("PT([0-9]{1,9})", token):
            return int(found[1])
    elif token[:2] in {"PA", "PB"} and token[2:] in resource.serials:
        serial = resource.serials[token[2:]]
        if token.startswith("PA"):
            return sum(one.serial <= serial for one in things)
        return max(sum(one.serial < serial for one in things) - size, 0)
    raise RefusalError(400, 21481, "Invalid PageToken")
