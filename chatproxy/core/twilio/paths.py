"""Twilio's paths: after the version, collections and members alternate."""

import re

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
    """Which unique names and SIDs are one channel, as ``channel_sid`` in answers says."""

    def __init__(self) -> None:
        self._sids: dict[bytes, bytes] = {}

    def wants(self, path: bytes) -> bool:
        """Tell whether the SID of the channel in this path is still to be learnt."""
        found = _CHANNEL.match(path)
        return found is not None and found[0] not in self._sids

    def learn(self, path: bytes, channel_sid: str) -> None:
        """Take in what the answer to a request of this path said."""
        found = _CHANNEL.match(path)
        if found and SID_SEGMENT.fullmatch(channel_sid.encode("utf-8", "replace")):
            self._sids.setdefault(found[0], found[1] + channel_sid.encode())

    def one(self, path: bytes) -> bytes:
        """Return the path in the one spelling that stands for all."""
        found = _CHANNEL.match(path)
        return path if found is None else self._sids.get(found[0], found[0]) + path[found.end() :]


_CHANNEL = re.compile(rb"(/v1/Services/[^/]+/Channels/)[^/]+")
