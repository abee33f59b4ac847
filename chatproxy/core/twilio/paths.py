"""Twilio's paths: after the version, collections and members alternate."""

import re
from collections.abc import Mapping

from chatproxy.core.products.every import NAMED, path_pattern
from chatproxy.core.twilio.sids import SID_SEGMENT


def timeline(path: bytes) -> bytes:
    """Return the collection of a decoded path: ``…/Messages`` for itself and for ``…/Messages/IM…``."""
    segments = path.split(b"/")
    return path if len(segments) % 2 else b"/".join(segments[:-1])


def route(method: str, path: bytes) -> str:
    """Return method and collection, as ``POST Messages``, or for a member of it ``POST Messages/Sid``."""
    collection = timeline(path)
    name = collection.rpartition(b"/")[2].decode("utf-8", "replace")
    return f"{method} {name}" if collection == path else f"{method} {name}/Sid"


class Spellings:
    """Which unique names and SIDs are one member, as a field of answers below it says: ``channel_sid`` of a channel."""

    def __init__(self) -> None:
        self._sids: dict[bytes, bytes] = {}

    def wants(self, path: bytes) -> bool:
        """Tell whether the SID of what this path names, or may name, by a unique name is still to be learnt."""
        found = _NAMED.match(path)
        return found is not None and found[0] not in self._sids

    def learn(self, path: bytes, fields: Mapping[str, object]) -> None:
        """Take in what an object in the answer to a request of this path said."""
        found = _NAMED.match(path)
        if found is None or found.lastindex is None:
            return
        sid = str(fields.get(_FIELDS[found.lastindex - 1], "")).encode("utf-8", "replace")
        if SID_SEGMENT.fullmatch(sid):
            self._sids.setdefault(found[0], found[found.lastindex] + sid)

    def one(self, path: bytes) -> bytes:
        """Return the path in the one spelling that stands for all."""
        found = _NAMED.match(path)
        return path if found is None else self._sids.get(found[0], found[0]) + path[found.end() :]


_FIELDS = tuple(NAMED.values())
_NAMED = re.compile(b"(?:%b)[^/]+" % b"|".join(b"(%b/)" % path_pattern(path) for path in NAMED))
"""A path down to a member of a collection whose members have names; the group tells which collection."""
