"""Sent: what the form of a write tells of its object and of others."""

from collections.abc import Iterator
from json import loads
from urllib.parse import unquote_to_bytes

from chatproxy.core.matching.normal_form import FORMS, MULTIPART, NormalForm, pair_of
from chatproxy.core.products.every import COLLECTIONS
from chatproxy.core.timeline.uniques import field_of
from chatproxy.core.twilio.paths import beside, table_of, timeline
from chatproxy.core.twilio.sids import SID_SEGMENT


def fields_sent(form: NormalForm) -> Iterator[str]:
    """Yield the fields that a write sends, as answers spell them: ``FriendlyName`` is ``friendly_name``."""
    if form.kind in FORMS:
        for pair in form.body:
            yield field_of(pair.partition(b"=")[0].decode("utf-8", "replace"))
    elif form.kind == "json" and isinstance(content := loads(form.body[0]), dict):
        yield from map(field_of, content)


def unique_value(form: NormalForm) -> bytes:
    """Return the value of the field that is unique where a write makes a member, if it has one."""
    table = table_of(timeline(form.path))
    name = (table.unique or table.made_by).encode()
    if not name or form.kind not in FORMS:
        return b""
    found = next((pair for pair in form.body if pair.startswith(name + b"=")), b"")
    return found if not found or form.kind not in MULTIPART else pair_of(name, _value(form, found))


def objects_sent(form: NormalForm) -> Iterator[bytes]:
    """Yield the paths of the objects whose SIDs a write sends."""
    table = table_of(timeline(form.path)).path
    own = table if form.path == timeline(form.path) else f"{table}/{{}}"
    for pair in form.body if form.kind in FORMS else ():
        name = pair.partition(b"=")[0]
        for one in _SENT:
            if name.endswith(one.sent_as.encode()) and SID_SEGMENT.fullmatch(value := _value(form, pair)):
                yield beside(one.path, own, form.path) + b"/" + value


_SENT = tuple(one for one in COLLECTIONS if one.sent_as)


def _value(form: NormalForm, pair: bytes) -> bytes:
    value = pair.partition(b"=")[2]
    return unquote_to_bytes(value.partition(b";")[0] if form.kind in MULTIPART else value)
