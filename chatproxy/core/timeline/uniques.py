"""Values of unique fields, as ``Name=value`` in the one spelling of a form's pair: where they come from, and go to."""

import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from chatproxy.core.matching.normal_form import pair_of
from chatproxy.core.twilio.paths import path_segment, table_of
from chatproxy.core.twilio.sids import SID_SEGMENT


def is_value(pair: bytes) -> bool:
    """Tell whether a pair has a value, which no two objects can have: an empty one does not count."""
    return bool(pair.partition(b"=")[2])


def value_in_path(path: bytes) -> bytes:
    """Return the value by which a path names a member of a collection."""
    collection, _, member = path.rpartition(b"/")
    table = table_of(collection)
    if not table.named_by or SID_SEGMENT.fullmatch(member):
        return b""
    return pair_of(table.unique.encode(), unquote_to_bytes(member))


def path_by_value(collection: bytes, pair: bytes) -> bytes:
    """Return the path that names a member of a collection by its value."""
    return collection + b"/" + path_segment(unquote_to_bytes(pair.partition(b"=")[2]))


@lru_cache(256)
def field_of(parameter: str) -> str:
    """Return the field of answers that a parameter sets: ``FriendlyName`` is ``friendly_name``."""
    return _WORD.sub("_", parameter.partition(".")[0]).lower()


_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
