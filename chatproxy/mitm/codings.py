"""Codings that mitmproxy can undo besides those of ``core/http/codings.py``: flows have what a client asked for."""

from typing import Any

from mitmproxy.net import encoding

from chatproxy.core.http.codings import Whole, cut_short, damaged, too_large

_STEP = 1 << 10

_zstandard: Any = vars(encoding)["zstd"]
"""The package for it that comes with mitmproxy: zstandard, and from 12.3 on what is Python's own from 3.14 on."""


def _brotli(body: bytes, limit: int) -> bytes:
    try:
        whole = encoding.decode(body, "br")
    except ValueError as error:
        raise damaged("br") from error
    assert isinstance(whole, bytes)
    if len(whole) > limit:
        raise too_large(limit)
    return whole


def _zstd(body: bytes, limit: int) -> bytes:
    """Decode frame after frame; mitmproxy itself takes one that is cut short for a whole one."""
    whole, frame = bytearray(), _frame()
    for place in range(0, len(body), _STEP):
        step = body[place : place + _STEP]
        while step:
            if frame.eof:
                frame = _frame()
            try:
                whole += frame.decompress(step)
            except _zstandard.ZstdError as error:
                raise damaged("zstd") from error
            if len(whole) > limit:
                raise too_large(limit)
            step = frame.unused_data
    if not frame.eof:
        raise cut_short("zstd")
    return bytes(whole)


def _frame() -> Any:
    made = _zstandard.ZstdDecompressor()
    return made.decompressobj() if hasattr(made, "decompressobj") else made


CODINGS: dict[str, Whole] = {"br": _brotli, "zstd": _zstd}
"""Each by its name."""
