"""What the tables of all products say together, for what has to be found before the product is known."""

import re
from dataclasses import asdict
from json import dumps

from chatproxy.core.products import client_headers, edge_headers, sid_types
from chatproxy.core.products.chat import CHAT_V1, MESSAGES

PRODUCTS = (CHAT_V1,)

TWILIO_HOST = CHAT_V1.host
TWILIO_ORIGIN = f"https://{TWILIO_HOST}"

HOST_PATTERNS = {product.host: product.host_pattern for product in PRODUCTS}
"""The host that stands for all of a product, and a pattern of all of them."""

HOSTS = f"(?:{'|'.join(HOST_PATTERNS.values())})"
"""A pattern of every host of every product."""

VERSIONS = tuple({f"/{product.version}/".encode(): None for product in PRODUCTS})
"""What paths begin with."""

COLLECTIONS = tuple(collection for product in PRODUCTS for collection in product.collections)

NAMED = tuple(collection for collection in COLLECTIONS if collection.named_by)
"""The collections whose members have names too."""

WRITTEN = {parameter.encode(): field.encode() for product in PRODUCTS for parameter, field in product.written.items()}
"""The parameters that users write, and the field of answers that repeats each."""

WRITTEN_FIELDS = frozenset(WRITTEN.values())

JSON_TEXTS = frozenset(name for product in PRODUCTS for name in product.json_texts)
"""The parameters and fields whose texts are JSON."""

DATES = "|".join({name: None for product in PRODUCTS for name in product.dates})
"""A pattern of the names of fields with instants."""

DERIVED = "|".join({name: None for product in PRODUCTS for name in product.derived})
"""A pattern of the names of fields that writes change without being sent them."""

SID_FIELD, CREATED, UPDATED = CHAT_V1.sid.encode(), CHAT_V1.created.encode(), CHAT_V1.updated.encode()
"""The field with an object's own SID, and those with the instants of its create and of its last change."""

URL_NAMES = frozenset(name.encode() for product in PRODUCTS for name in product.urls.names)
URL_HOLDERS = frozenset(name.encode() for product in PRODUCTS for name in product.urls.holders)
URL_SUFFIXES = {
    holder.encode(): suffix.encode() for product in PRODUCTS for holder, suffix in product.urls.suffixes.items()
}
"""Which string fields are URLs of the API, as ``Urls`` says."""

LISTS = CHAT_V1.lists
"""How lists are asked for and answered, so far the same in all products."""

MEANING = dumps(
    [
        [asdict(product) for product in PRODUCTS],
        sid_types.PREFIXES,
        sorted(sid_types.HASHED_BY_PLACE.items()),
        sorted(edge_headers.VOLATILE),
        sorted(edge_headers.FIXED.items()),
        sorted(edge_headers.FIXED_PREFIXES.items()),
        *map(sorted, (client_headers.TAGGED, client_headers.DATED, client_headers.CONDITIONAL)),
    ],
    default=lambda value: value.decode() if isinstance(value, bytes) else sorted(value),
)
"""All tables as one text, which differs where they differ."""


def path_pattern(path: str) -> bytes:
    """Return a pattern of the paths that a table's ``path`` means."""
    return re.escape(path).replace(r"\{\}", "[^/]+").encode()


MESSAGE_PATH = path_pattern(MESSAGES.path)
"""A pattern of the path of a channel's messages."""
