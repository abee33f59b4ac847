"""Exchanges and compiled exchanges as bytes for the store, and back.

A record is a count, the length of each field, the fields, and a CRC-32 of the key that it stands under and of all that:
quick to split, and one that is damaged, or stands where another one belongs, is found out instead of being served.
Records of before checksums covered keys are read as well: they are those of an empty key.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from itertools import accumulate, pairwise
from json import dumps, loads
from typing import Any, TypedDict, cast
from zlib import crc32

from chatproxy.core.answers.stencil import Stencil, pack_stencil, stencil, unpack_stencil
from chatproxy.core.answers.template import Reply
from chatproxy.core.credentials.blanking import known_user
from chatproxy.core.errors import CassetteError
from chatproxy.core.model import Exchange, ExchangeNumber, Headers, InOrder, Request, Response, Standing
from chatproxy.core.timeline.known import Known

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
            len(request.headers).to_bytes(4, "little") + _packed_state(exchange),
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
        **_unpacked_state(count[4:]),
    )


class _State(TypedDict, total=False):
    """What a record says of the state of an exchange; most say nothing."""

    standing: Standing
    in_order: InOrder
    abandoned: bool


def _packed_state(exchange: Exchange) -> bytes:
    """Return what is given of the state of an exchange: by epochs (version 2) as a list, all else by names."""
    standing, said = exchange.standing, dict[str, object]()
    if standing is not None:
        return dumps([standing.epoch, [[path.decode(*_ANY_BYTES), epoch] for path, epoch in standing.below]]).encode()
    if exchange.in_order is not None:
        said["in_order"] = astuple(exchange.in_order)
    if exchange.abandoned:
        said["abandoned"] = True
    return dumps(said).encode() if said else b""


def _unpacked_state(packed: bytes) -> _State:
    said = loads(packed) if packed else {}
    if isinstance(said, list):
        epoch, below, *_ = said
        return {"standing": Standing(epoch, tuple((path.encode(*_ANY_BYTES), at) for path, at in below))}
    if "in_order" in said:
        said["in_order"] = _in_order(said["in_order"])
    return cast(_State, said)


def _in_order(packed: Sequence[Any]) -> InOrder:
    with_, without, counts, is_doubtful = packed
    return InOrder(tuple(with_), tuple(without), counts, is_doubtful)


_ANY_BYTES = "utf-8", "surrogateescape"


def encode_users(users: Mapping[str | None, bool]) -> bytes:
    """Return who sent requests, each as an exchange has it, and whether it was ever admitted, as a record's value."""
    return "".join(f"{user or ''}{'' if is_admitted else '!'}\n" for user, is_admitted in users.items()).encode()


def decode_users(value: bytes) -> dict[str | None, bool]:
    """Return who sent requests, and whether each was ever admitted."""
    return {user.rstrip("!") or None: not user.endswith("!") for user in value.decode().split("\n")[:-1]}


def encode_told(told: Mapping[ExchangeNumber, InOrder]) -> bytes:
    """Return what a canonical fixture has to say of exchanges as the value of a record."""
    return dumps([[number, *astuple(one)] for number, one in told.items()]).encode()


def decode_told(value: bytes) -> dict[ExchangeNumber, InOrder]:
    """Return what a canonical fixture has to say of exchanges."""
    return {ExchangeNumber(number): _in_order(one) for number, *one in loads(value)}


def encode_known(known: Iterable[Known]) -> bytes:
    """Return the known SIDs as the value of a record."""
    return dumps([one.texts() for one in known]).encode()


def decode_known(value: bytes) -> tuple[Known, ...]:
    """Return the known SIDs."""
    return tuple(Known.of(*texts) for texts in loads(value))


def encode_reply(reply: Reply, key: bytes = b"") -> bytes:
    """Return the record of a compiled response: its stencil, sealed."""
    return seal(pack_stencil(stencil(reply)), key)


def decode_stencil(record: bytes, key: bytes = b"") -> Stencil | None:
    """Return the stencil of a compiled response, None if its record is damaged."""
    sound = crc32(record, crc32(key)) == _RESIDUE  # spelled out, since this is replay's hot path
    return unpack_stencil(record[:-SEAL]) if sound and len(record) > _SMALLEST else None


def _flat(headers: Headers) -> list[bytes]:
    return [text for header in headers for text in header]


def _pairs(texts: list[bytes]) -> Headers:
    return tuple(zip(texts[::2], texts[1::2], strict=True))
