"""The five operations of the Message resource: a call comes in, the state changes, an answer comes out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chatproxy.core.errors import error_json
from chatproxy.core.products.chat import MESSAGES
from chatproxy.sandbox.calls import Call, not_found
from chatproxy.sandbox.messages import ApiError, ChannelKey, Message, Messages
from chatproxy.sandbox.paging import meta, page_asked


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets, except the headers that all answers share."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(messages: Messages, call: Call, moment: datetime) -> Answer:
    """Carry out a call at ``moment``; raise ApiError for what Twilio refuses."""
    operations = _COLLECTION if call.target.sid is None else _MEMBER
    # HEAD is GET; that its body stays behind is the server's part (RFC 9110 section 9.3.2)
    operation = operations.get("GET" if call.method == "HEAD" else call.method)
    if operation is None:
        raise ApiError(405, "Method not allowed", 20004, {"Allow": ", ".join(["HEAD", *operations])})
    key = messages.channel(call.account_sid, call.target.service_sid, call.target.channel)
    return operation(messages, key, call, moment)


def refusal(error: ApiError) -> Answer:
    """Return the answer that tells the client of an error."""
    return Answer(error.status, error_json(error.status, str(error), error.code), error.headers)


def _list(messages: Messages, key: ChannelKey, call: Call, moment: datetime) -> Answer:
    page = page_asked(call.query)
    found, more = messages.page(key, page.offset, page.size, descending=page.descending)
    listed = [_fields(message, call.root, with_attributes=False) for message in found]
    return _json(200, {"meta": meta(page, _collection_url(key, call.root), more=more), "messages": listed})


def _create(messages: Messages, key: ChannelKey, call: Call, moment: datetime) -> Answer:
    form = call.form
    message = messages.create(key, moment, form.get("Body"), form.get("From"), form.get("Attributes"))
    return _json(201, _fields(message, call.root, with_attributes=False))


def _fetch(messages: Messages, key: ChannelKey, call: Call, moment: datetime) -> Answer:
    return _json(200, _fields(_found(messages, key, call), call.root, with_attributes=True))


def _update(messages: Messages, key: ChannelKey, call: Call, moment: datetime) -> Answer:
    message = _found(messages, key, call)
    updated = messages.update(message, moment, call.form.get("Body"), call.form.get("Attributes"))
    return _json(200, _fields(updated, call.root, with_attributes=True))


def _delete(messages: Messages, key: ChannelKey, call: Call, moment: datetime) -> Answer:
    messages.delete(_found(messages, key, call))
    return Answer(204)


_Operation = Callable[[Messages, ChannelKey, Call, datetime], Answer]
_COLLECTION: Mapping[str, _Operation] = {"GET": _list, "POST": _create}
_MEMBER: Mapping[str, _Operation] = {"GET": _fetch, "POST": _update, "DELETE": _delete}


def _found(messages: Messages, key: ChannelKey, call: Call) -> Message:
    message = messages.fetch(key, call.target.sid or "")
    if message is None:
        raise not_found(call.target.path)
    return message


def _fields(message: Message, root: str, *, with_attributes: bool) -> dict[str, object]:
    """Return the message's 13 fields in Twilio's order.

    Attributes are null in the answers to create and list. The reference: "only displayed in a FETCH action that
    returns a single resource; otherwise, it's null"; its example of create has null, a real list of v1 had null,
    and the changelog brings attributes to lists with v2 only. (Its examples of a list and of a create with
    attributes, which show "{}", are canned.) An update's answer is a single resource too, and its example shows
    the attributes.
    """
    key = message.channel
    return {
        "sid": message.sid,
        "account_sid": key.account_sid,
        "service_sid": key.service_sid,
        "to": key.channel_sid,
        "channel_sid": key.channel_sid,
        "date_created": _iso(message.date_created),
        "date_updated": _iso(message.date_updated),
        "was_edited": message.was_edited,
        "from": message.author,
        "attributes": message.attributes if with_attributes else None,
        "body": message.body,
        "index": message.index,
        "url": f"{_collection_url(key, root)}/{message.sid}",
    }


def _collection_url(key: ChannelKey, root: str) -> str:
    return root + MESSAGES.path.format(key.service_sid, key.channel_sid)


def _iso(moment: datetime) -> str:
    """Whole seconds and ``Z``, as real answers have it; the reference's "RFC 2822" is wrong for chat."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(status: int, value: object) -> Answer:
    """Python's default spacing is Twilio's, as the Content-Length of real answers shows."""
    return Answer(status, json.dumps(value).encode())
