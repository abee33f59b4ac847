"""Parameters spelled out at their default, which mean the same as their absence."""

import re
from typing import NamedTuple

from chatproxy.core.products.every import COLLECTIONS, path_pattern


class Defaults(NamedTuple):
    """The pairs, each as ``Name=value``, that do not count in a query and in a form."""

    query: frozenset[bytes] = frozenset()
    form: frozenset[bytes] = frozenset()


def defaults_of(method: str, path: bytes) -> Defaults:
    """Return the defaults of a request to this decoded path."""
    found = _COLLECTION.fullmatch(path)
    if found is None or found.lastindex is None:
        return _NONE
    asked = _LIST if method in {"GET", "HEAD"} else _CREATE if method == "POST" else _NOTHING
    return asked[found.lastindex - 1]


def _pairs(pairs: tuple[str, ...]) -> frozenset[bytes]:
    return frozenset(pair.encode() for pair in pairs)


_NONE = Defaults()
_HAVE_SOME = [one for one in COLLECTIONS if one.list_defaults or one.create_defaults]
_COLLECTION = re.compile(b"|".join(b"(%b)" % path_pattern(collection.path) for collection in _HAVE_SOME))
_LIST = [Defaults(query=_pairs(collection.list_defaults)) for collection in _HAVE_SOME]
_CREATE = [Defaults(form=_pairs(collection.create_defaults)) for collection in _HAVE_SOME]
_NOTHING = [_NONE] * len(_HAVE_SOME)
