"""Exchanges and compiled exchanges as bytes for the store, and back.

A record is a count, the length of each field, the fields, and a CRC-32 of the key that it stands under and of all that:
quick to split, and one that is damaged, or stands where another one belongs, is found out instead of being served.
Records of before checksums covered keys are read as well: they are those of an empty key.
"""

import struct
from collections.abc import Mapping
from itertools import accumulate, pairwise
from json import dumps, loads
from zlib import crc32

from chatproxy.core.answers.stencil import Stencil, pack_stencil, stencil, unpack_stencil
from chatproxy.core.answers.template import Reply
from chatproxy.core.credentials.blanking import known_user
from chatproxy.core.errors import CassetteError
from chatproxy.core.model import Exchange, ExchangeNumber, Headers, Request, Response, Standing
from chatproxy.core.timeline.epochs import Opening, Place

_MOMENTS = struct.Struct("<qqIH")
_SMALLEST = 8
_RESIDUE = 0x2144DF1C
"""The CRC-32 of whatever ends with its own CRC-32 (in little endian), so that nothing has to be taken apart for it."""


def seal(value: bytes, key: bytes) -> bytes:
    """Return a value with its checksum, which covers the key that it stands under."""
    return value + crc32(value, crc32(key)).to_bytes(SEAL, "little")


def is_sound(record: bytes, key: bytes) -> bool:
    """Tell whether a sealed value is as it was sealed, under this key."""
    return crc32(record, crc32(key)) == _RESIDUE


SEAL = 4
"""How long a checksum is."""


def pack(fields: list[bytes], key: bytes = b"") -> bytes:
    """Join fields into one record, which stands under a key."""
    lengths = struct.pack(f"<I{len(fields)}I", len(fields), *map(len, fields))
    return seal(lengths + b"".join(fields), key)


def unpack(record: bytes, place: str, key: bytes = b"") -> list[bytes]:
    """Split a record into its fields; ``place`` names it in the error for one that is damaged."""
    if not is_record(record, key):
        raise damaged(place)
    (count,) = struct.unpack_from("<I", record)
    lengths = struct.unpack_from(f"<{count}I", record, 4)
    return [record[begin:end] for begin, end in pairwise(accumulate(lengths, initial=4 * (count + 1)))]


def is_record(record: bytes, key: bytes) -> bool:
    """Tell whether a record is as it was packed, under this key or before checksums covered keys."""
    return len(record) >= _SMALLEST and (is_sound(record, key) or is_sound(record, b""))


def damaged(place: str) -> CassetteError:
    """Return the error for a damaged record."""
    return CassetteError(place, "is damaged; record it again, or import its fixture")


def encode_exchange(exchange: Exchange, key: bytes = b"") -> bytes:
    """Return the record of an exchange; its number is in its key and not part of it."""
    request, response = exchange.request, exchange.response
    texts = (request.method, request.host, request.origin, exchange.upstream, exchange.user or _NOT_KNOWN)
    return pack(
        [
            _MOMENTS.pack(exchange.asked, exchange.answered, exchange.after, response.status),
            *(text.encode() for text in texts),
            request.target,
            request.body,
            response.reason,
            response.body,
            len(request.headers).to_bytes(4, "little") + _packed_standing(exchange.standing),
            *_flat(request.headers),
            *_flat(response.headers),
        ],
        key,
    )


_NOT_KNOWN = "not known"
"""In place of a user: format 2 had nothing there, for no credentials as well."""


def decode_exchange(number: ExchangeNumber, record: bytes, place: str, key: bytes = b"") -> Exchange:
    """Return the exchange of a record."""
    fields = unpack(record, place, key)
    moments, *texts, target, body, reason, answer, count = fields[:11]
    headers = fields[11:]
    asked, answered, after, status = _MOMENTS.unpack(moments)
    method, host, origin, upstream, user = (text.decode() for text in texts)
    border = 2 * int.from_bytes(count[:4], "little")
    return Exchange(
        number=number,
        request=Request(method, target, _pairs(headers[:border]), body, origin, host),
        response=Response(status, reason, _pairs(headers[border:]), answer),
        upstream=upstream,
        asked=asked,
        answered=answered,
        after=after,
        user=None if user == _NOT_KNOWN else known_user(user or None, status),
        standing=_unpacked_standing(count[4:]),
    )


def _packed_standing(standing: Standing | None) -> bytes:
    if standing is None:
        return b""
    below = [[path.decode("utf-8", "surrogateescape"), epoch] for path, epoch in standing.below]
    return dumps([standing.epoch, below]).encode()


def _unpacked_standing(packed: bytes) -> Standing | None:
    if not packed:
        return None
    epoch, below = loads(packed)
    return Standing(epoch, tuple((path.encode("utf-8", "surrogateescape"), at) for path, at in below))


def encode_users(users: Mapping[str | None, bool]) -> bytes:
    """Return who sent requests, each as an exchange has it, and whether it was ever admitted, as a record's value."""
    return "".join(f"{user or ''}{'' if is_admitted else '!'}\n" for user, is_admitted in users.items()).encode()


def decode_users(value: bytes) -> dict[str | None, bool]:
    """Return who sent requests, and whether each was ever admitted."""
    return {user.rstrip("!") or None: not user.endswith("!") for user in value.decode().split("\n")[:-1]}


def encode_reply(reply: Reply, key: bytes = b"") -> bytes:
    """Return the record of a compiled response: its stencil, sealed."""
    return seal(pack_stencil(stencil(reply)), key)


def decode_stencil(record: bytes, key: bytes = b"") -> Stencil | None:
    """Return the stencil of a compiled response, None if its record is damaged."""
    sound = crc32(record, crc32(key)) == _RESIDUE  # spelled out, since this is replay's hot path
    return unpack_stencil(record[:-SEAL]) if sound and len(record) > _SMALLEST else None


def encode_place(place: Place, key: bytes = b"") -> bytes:
    """Return the record of where an exchange stands."""
    numbers = (place.timeline, place.member, place.epoch, *(number for opening in place.opens for number in opening))
    return pack([struct.pack(f"<{len(numbers)}I", *numbers)], key)


def decode_place(record: bytes, key: bytes = b"") -> Place | None:
    """Return where the exchange of a record stands, None if it is damaged."""
    if not is_sound(record, key) or len(record) < _SMALLEST_PLACE:
        return None
    (timeline, member, epoch), *openings = _THREE.iter_unpack(
        record[_SMALLEST:-SEAL]
    )  # after how many fields there are, one, and its length
    return Place(timeline, member, epoch, tuple(map(Opening._make, openings)))


_THREE = struct.Struct("<III")
_SMALLEST_PLACE = 2 * 4 + _THREE.size + 4


def _flat(headers: Headers) -> list[bytes]:
    return [text for header in headers for text in header]


def _pairs(texts: list[bytes]) -> Headers:
    return tuple(zip(texts[::2], texts[1::2], strict=True))
