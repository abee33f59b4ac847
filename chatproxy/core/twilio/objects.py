"""What an answer shows: the objects in it by their SIDs, and for a list which part of the list it is."""

from dataclasses import dataclass, field
from json import loads

from chatproxy.core.http.headers import is_json
from chatproxy.core.model import Response
from chatproxy.core.products.every import LISTS, SID_FIELD

Fields = dict[str, object]

_SID = SID_FIELD.decode()


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list: its members in their order, and whether it is the list's first and last page."""

    sids: frozenset[str]
    indexes: list[int]
    is_first: bool
    is_last: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """The objects of an answer, each with its fields that are not null: what a list leaves out is null there."""

    objects: dict[str, Fields] = field(default_factory=dict)
    page: Page | None = None


def shown(response: Response) -> Shown:
    """Read an answer; one that is no JSON object shows nothing."""
    content = _content(response)
    listed = [one for value in content.values() if isinstance(value, list) for one in value if isinstance(one, dict)]
    objects = {one[_SID]: _fields(one) for one in (content, *listed) if isinstance(one.get(_SID), str)}
    return Shown(objects, _page(content.get(LISTS.page), listed))


def _content(response: Response) -> Fields:
    if not is_json(response.headers):
        return {}
    try:
        content = loads(response.body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _fields(one: Fields) -> Fields:
    return {name: value for name, value in one.items() if value is not None}


def _page(meta: object, listed: list[Fields]) -> Page | None:
    """Return the page, if all of its members have an index."""
    indexes = [index for one in listed if type(index := one.get(LISTS.index)) is int]
    if not isinstance(meta, dict) or len(indexes) != len(listed):
        return None
    first, last = (name in meta and meta[name] is None for name in (LISTS.previous, LISTS.next))
    return Page(frozenset(str(one.get(_SID)) for one in listed), indexes, first, last)
