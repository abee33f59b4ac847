"""What an answer shows: the objects in it by their SIDs, and for a list which part of the list it is."""

from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from json import loads

from chatproxy.core.http.headers import is_json
from chatproxy.core.model import RecordedSid, Response
from chatproxy.core.products.every import LISTS, SID_FIELD
from chatproxy.core.text.json_text import read
from chatproxy.core.twilio.sids import SID

Fields = dict[str, object]

_SID = SID_FIELD.decode()


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list: its members, the indexes of those that have one, whether it is the list's first and last."""

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


def made_by(response: Response) -> RecordedSid | None:
    """Return the SID of the object that the answer of a write is, which the write may have made."""
    sid = _content(response).get(_SID) if response.status < HTTPStatus.BAD_REQUEST else None
    made = sid.encode("utf-8", "replace") if isinstance(sid, str) else b""
    return RecordedSid(made) if SID.fullmatch(made) else None


def _content(response: Response) -> Fields:
    if not is_json(response.headers):
        return {}
    for reader in (read, loads):  # JSON may have another encoding than UTF-8
        with suppress(ValueError, RecursionError):
            content = reader(response.body)
            return content if isinstance(content, dict) else {}
    return {}


def _fields(one: Fields) -> Fields:
    return {name: value for name, value in one.items() if value is not None}


def _page(meta: object, listed: list[Fields]) -> Page | None:
    if not isinstance(meta, dict):
        return None
    indexes = [index for one in listed if type(index := one.get(LISTS.index)) is int]
    return Page(frozenset(str(one.get(_SID)) for one in listed), indexes, *ends(meta))


def ends(page: Fields) -> tuple[bool, bool]:
    """Tell of the object that describes a page whether the page is its list's first and last."""
    first, last = (name in page and page[name] is None for name in (LISTS.previous, LISTS.next))
    return first, last
