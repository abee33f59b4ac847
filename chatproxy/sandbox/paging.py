"""Pages of a list: what a client asked for, and the URLs that lead from page to page.

The place in the list is in the page token alone, since the reference calls ``Page`` "simply for client state".
A token is ``PT`` and the number of messages before the page, as Programmable Chat v2 was seen to write it
(``?PageSize=50&Page=1&PageToken=PT50``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from chatproxy.sandbox.messages import ApiError

DEFAULT_SIZE = 50
MAX_SIZE = 1000

_TOKEN = re.compile(r"PT([0-9]{1,9})")
_NUMBER = re.compile(r"[0-9]{1,18}")  # the specification's int64, safely


@dataclass(frozen=True, slots=True)
class Page:
    """One page: ``offset`` messages stand before it; ``order`` is None where the client named none."""

    size: int = DEFAULT_SIZE
    number: int = 0
    offset: int = 0
    order: str | None = None

    @property
    def descending(self) -> bool:
        """Whether the newest message comes first."""
        return self.order == "desc"

    @property
    def first(self) -> "Page":
        """The list's first page, in pages of the same size and order."""
        return replace(self, number=0, offset=0)

    @property
    def previous(self) -> "Page | None":
        """The page before, or None on the first."""
        if self.offset == 0:
            return None
        return replace(self, number=max(self.number - 1, 0), offset=max(self.offset - self.size, 0))

    @property
    def next(self) -> "Page":
        """The page after."""
        return replace(self, number=self.number + 1, offset=self.offset + self.size)

    def url(self, base: str) -> str:
        """Return the page's absolute URL; filters come first, as in real answers of the same API edge."""
        order = f"Order={self.order}&" if self.order else ""
        token = f"&PageToken=PT{self.offset}" if self.offset else ""
        return f"{base}?{order}PageSize={self.size}&Page={self.number}{token}"


def page_asked(query: Mapping[str, str]) -> Page:
    """Read a list's query; raise ApiError (400) for a value that is none.

    A ``PageSize`` above 1000 counts as 1000: the helper libraries send their ``limit`` unclamped (5000 was seen
    on the wire), and no source says that the service refuses them.
    """
    return Page(
        size=min(_number(query, "PageSize", DEFAULT_SIZE, least=1), MAX_SIZE),
        number=_number(query, "Page", 0, least=0),
        offset=_offset(query.get("PageToken")),
        order=_order(query.get("Order")),
    )


def meta(page: Page, base: str, *, more: bool) -> dict[str, object]:
    """Return the list's ``meta`` object: seven keys, in Twilio's order."""
    return {
        "page": page.number,
        "page_size": page.size,
        "first_page_url": page.first.url(base),
        "previous_page_url": page.previous.url(base) if page.previous else None,
        "url": page.url(base),
        "next_page_url": page.next.url(base) if more else None,
        "key": "messages",
    }


def _number(query: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text) or int(text) < least:
        raise ApiError(400, f"Invalid {name}.", 20001)
    return int(text)


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    match = _TOKEN.fullmatch(token)
    if not match:
        raise ApiError(400, "Invalid PageToken", 21481)
    return int(match[1])


def _order(order: str | None) -> str | None:
    if order not in (None, "asc", "desc"):
        raise ApiError(400, "Invalid Order.", 20001)
    return order
