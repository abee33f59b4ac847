"""The sandbox's state: the messages of every channel, and the rules that Twilio sets for them.

There is no I/O here, no clock and no randomness: the moment and the seed are arguments. Two laws hold.

1. A SID is a hash of the seed and of the place of what it names. So the same requests to a channel make the
   same SIDs, whatever goes on in other channels, and no table of SIDs is kept.
2. An index is given once: a deleted message leaves a gap.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple, NoReturn

BODY_LIMIT = 32 * 1024
"""Bytes of UTF-8 (https://www.twilio.com/docs/api/errors/50504: 32 KiB)."""

ATTRIBUTES_LIMIT = 4 * 1024
"""Bytes of UTF-8 (https://www.twilio.com/docs/conversations/conversations-limits: a message's 4 KB)."""

AUTHOR_LIMIT = 256
"""Characters (the same page: an identity's 256)."""

_CHANNEL_SID = re.compile(r"CH[0-9a-fA-F]{32}")


class ApiError(Exception):
    """An answer of the imitated API that is an error: no failure of chatproxy, and none leaves the sandbox.

    ``code`` is Twilio's (https://www.twilio.com/docs/api/errors), ``headers`` are added to the answer's.
    """

    def __init__(
        self, status: int, message: str, code: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


class ChannelKey(NamedTuple):
    """Which channel: its own SID within a service of an account."""

    account_sid: str
    service_sid: str
    channel_sid: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it stands; ``attributes`` is the JSON text as it was sent."""

    sid: str
    channel: ChannelKey
    index: int
    date_created: datetime
    date_updated: datetime
    author: str
    body: str
    attributes: str = "{}"
    was_edited: bool = False


@dataclass(slots=True)
class _Channel:
    next_index: int = 0
    messages: dict[str, Message] = field(default_factory=dict)


def make_sid(prefix: str, *place: str | int) -> str:
    """Return the SID, two letters and 32 hexadecimal digits, that belongs to ``place``."""
    return prefix + blake2b(repr((prefix, place)).encode(), digest_size=16).hexdigest()


class Messages:
    """The messages of all channels. A channel exists by being named: nothing has to be made before it is used."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._channels: dict[ChannelKey, _Channel] = {}

    def channel(self, account_sid: str, service_sid: str, name: str) -> ChannelKey:
        """Return the channel called ``name``, which is its SID or its unique name.

        Since the SID made for a unique name depends on that name alone, both spellings lead to one channel.
        """
        if _CHANNEL_SID.fullmatch(name):
            return ChannelKey(account_sid, service_sid, name)
        return ChannelKey(account_sid, service_sid, make_sid("CH", self._seed, account_sid, service_sid, name))

    def create(
        self, key: ChannelKey, moment: datetime, body: str | None, author: str | None, attributes: str | None
    ) -> Message:
        """Add a message at ``moment``; raise ApiError for what Twilio refuses.

        An empty author counts as none. Empty attributes do not: an empty text is no JSON.
        """
        if body is None:
            raise ApiError(400, "Message body not provided", 50503)
        _check(body, author, attributes)
        channel = self._channels.setdefault(key, _Channel())
        sid = make_sid("IM", self._seed, *key, channel.next_index)
        message = Message(
            sid,
            key,
            channel.next_index,
            moment,
            moment,
            author or "system",
            body,
            "{}" if attributes is None else attributes,
        )
        channel.next_index += 1
        channel.messages[sid] = message
        return message

    def fetch(self, key: ChannelKey, sid: str) -> Message | None:
        """Return the message, or None where there is none."""
        channel = self._channels.get(key)
        return channel.messages.get(sid) if channel else None

    def update(self, message: Message, moment: datetime, body: str | None, attributes: str | None) -> Message:
        """Put the given parts in place of the message's; raise ApiError for what Twilio refuses.

        A new body is an edit, new attributes are not, and an update that names neither changes nothing. The
        reference page's example says ``was_edited: false`` after a change of the body, but its examples are
        canned (the same answer whatever was sent); we go by the field's description.
        """
        _check(body, None, attributes)
        if body is None and attributes is None:
            return message
        updated = replace(
            message,
            body=message.body if body is None else body,
            attributes=message.attributes if attributes is None else attributes,
            was_edited=message.was_edited or body is not None,
            date_updated=moment,
        )
        self._channels[message.channel].messages[message.sid] = updated
        return updated

    def delete(self, message: Message) -> None:
        """Take the message away."""
        del self._channels[message.channel].messages[message.sid]

    def page(self, key: ChannelKey, offset: int, size: int, *, descending: bool) -> tuple[list[Message], bool]:
        """Return ``size`` messages after the first ``offset``, by index, and whether more follow."""
        channel = self._channels.get(key, _Channel())
        ordered = reversed(channel.messages.values()) if descending else iter(channel.messages.values())
        found = list(islice(ordered, offset, offset + size + 1))
        return found[:size], len(found) > size


def _check(body: str | None, author: str | None, attributes: str | None) -> None:
    if body is not None and len(body.encode()) > BODY_LIMIT:
        raise ApiError(400, "Message body parameter is too long", 50504)
    if author is not None and len(author) > AUTHOR_LIMIT:
        raise ApiError(400, "Author parameter is too long", 50310)
    if attributes is None:
        return
    if len(attributes.encode()) > ATTRIBUTES_LIMIT:
        raise ApiError(400, "Attributes too long", 50303)
    if not _is_json(attributes):
        raise ApiError(400, "Attributes not valid JSON", 50304)


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):  # nested too deeply to be read: no sensible client's attributes
        return False
    return True


def _refuse_constant(name: str) -> NoReturn:
    """Python reads NaN and Infinity, which are no JSON (RFC 8259 section 6)."""
    raise ValueError(name)
