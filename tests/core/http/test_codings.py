import gzip
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.errors import UpstreamError
from chatproxy.core.http.codings import Decoding, can_decode, content_codings, decoded, too_large, transfer_codings
from chatproxy.core.model import Headers


def zipped(body: bytes) -> bytes:
    """Return the same bytes at each moment: tests are named by them."""
    return gzip.compress(body, mtime=0)


LIMIT = 1 << 20


def bare(body: bytes) -> bytes:
    coder = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return coder.compress(body) + coder.flush()


ENCODE: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress}
chains = st.lists(st.sampled_from(sorted(ENCODE)), min_size=1, max_size=3)
bodies = st.binary(max_size=200) | st.binary(min_size=1, max_size=5).map(lambda part: part * 50_000)


def encoded(body: bytes, codings: list[str]) -> bytes:
    for coding in codings:
        body = ENCODE[coding](body)
    return body


def in_pieces(body: bytes, codings: list[str], size: int, limit: int | None = None) -> list[bytes]:
    decoding = Decoding(codings, limit)
    pieces = [piece for place in range(0, len(body), size) for piece in decoding.feed(body[place : place + size])]
    decoding.end()
    return pieces


@pytest.mark.parametrize(
    ("fields", "content", "transfer"),
    [
        ((), [], []),
        (((b"Content-Encoding", b"GZip"),), ["gzip"], []),
        (((b"content-encoding", b"gzip, X-Gzip"),), ["gzip", "x-gzip"], []),
        (((b"Content-Encoding", b" deflate ,, identity"), (b"Content-Encoding", b"br")), ["deflate", "br"], []),
        (((b"Content-Encoding", b"identity"),), [], []),
        (((b"Content-Encoding", b""),), [], []),
        (((b"Content-Encoding", b"\xff"),), ["\\xff"], []),
        (((b"Transfer-Encoding", b"Chunked"),), [], []),
        (((b"Transfer-Encoding", b"gzip, chunked"),), [], ["gzip"]),
        (((b"Transfer-Encoding", b"gzip"), (b"Transfer-Encoding", b"chunked")), [], ["gzip"]),
        (((b"Transfer-Encoding", b"chunked, gzip"),), [], ["chunked", "gzip"]),
        (((b"Transfer-Encoding", b"chunked, chunked"),), [], ["chunked"]),
        (((b"Transfer-Encoding", b"identity"),), [], ["identity"]),
    ],
)
def test_the_fields_name_the_codings_in_the_order_in_which_they_were_applied(
    fields: Headers, content: list[str], transfer: list[str]
) -> None:
    assert (content_codings(fields), transfer_codings(fields)) == (content, transfer)


@given(bodies, chains, st.integers(1, 1000))
def test_law_what_was_encoded_comes_back_in_whichever_pieces_it_comes(
    body: bytes, codings: list[str], size: int
) -> None:
    coded = encoded(body, codings)
    assert decoded(coded, codings, LIMIT) == body
    pieces = in_pieces(coded, codings, size)
    assert b"".join(pieces) == body
    assert max(map(len, pieces), default=0) <= 1 << 16


@given(bodies, chains, st.data())
def test_law_what_is_cut_short_is_never_taken_for_a_whole(body: bytes, codings: list[str], data: st.DataObject) -> None:
    coded = encoded(body, codings)
    cut = coded[: data.draw(st.integers(1, len(coded) - 1))]
    with pytest.raises(UpstreamError, match="cut short") as caught:
        decoded(cut, codings, LIMIT)
    assert caught.value.status == 502
    with pytest.raises(UpstreamError, match="cut short"):
        in_pieces(cut, codings, 7)


@given(st.binary(max_size=300), st.lists(st.sampled_from(["gzip", "x-gzip", "deflate", "br", "compress", ""])))
def test_law_any_bytes_are_decoded_or_refused(body: bytes, codings: list[str]) -> None:
    whole = None
    with suppress(UpstreamError):
        whole = decoded(body, codings, 1000)
    assert whole is None or not body or (can_decode(codings) and len(whole) <= 1000)


@pytest.mark.parametrize(
    ("coded", "coding", "body"),
    [
        (zipped(b"a") + zipped(b"b"), "gzip", b"ab"),
        (zipped(b""), "gzip", b""),
        (bare(b"body"), "deflate", b"body"),
        (zlib.compress(b"body"), "deflate", b"body"),
        (zipped(b"a" * (1 << 17)), "gzip", b"a" * (1 << 17)),
    ],
)
def test_streams_may_follow_one_another_and_zlib_may_lack_its_wrapper(coded: bytes, coding: str, body: bytes) -> None:
    assert decoded(coded, [coding], LIMIT) == body
    assert b"".join(in_pieces(coded, [coding], 1)) == body


@pytest.mark.parametrize(
    ("coded", "codings", "reason"),
    [
        (b"{}", ["gzip"], "is no gzip: "),
        (zipped(b"a") + b"\0\0", ["gzip"], "is no gzip: |cut short"),
        (zlib.compress(b"a") + b"b", ["deflate"], "goes on after the end of its deflate"),
        (zipped(b"a")[:-8] + b"\0" * 8, ["gzip"], "is no gzip: .*incorrect data check"),
        (zipped(b"a"), ["gzip", "gzip"], "is no gzip: |cut short"),
        (b"a", ["compress"], "has the coding 'compress'; only gzip, x-gzip, deflate are decoded"),
        (b"a", ["gzip", "br"], "has the coding 'br'"),
        (encoded(b"a", ["gzip"] * 6), ["gzip"] * 6, "has 6 codings; 5 are decoded"),
    ],
)
def test_what_cannot_be_decoded_to_its_end_is_refused(coded: bytes, codings: list[str], reason: str) -> None:
    with pytest.raises(UpstreamError, match=f"the answer's body .*{reason}|the answer's body {reason}"):
        decoded(coded, codings, LIMIT)
    with pytest.raises(UpstreamError, match=f"the answer's body .*{reason}|the answer's body {reason}"):
        in_pieces(coded, codings, len(coded))


@pytest.mark.parametrize("codings", [["gzip"], ["compress"], ["gzip"] * 9, []])
def test_an_empty_body_has_no_coding_to_undo(codings: list[str]) -> None:
    assert decoded(b"", codings, LIMIT) == b""
    assert list(Decoding(codings).feed(b"")) == []
    assert in_pieces(b"", codings, 1) == []


def test_what_has_no_coding_comes_as_it_is() -> None:
    assert in_pieces(b"a" * 100_000, [], 100_000) == [b"a" * 100_000]
    assert decoded(b"a", [], LIMIT) == b"a"


@pytest.mark.parametrize("codings", [["gzip"], ["deflate", "gzip"], ["gzip", "gzip", "gzip"]])
def test_the_limit_is_that_of_the_decoded_size(codings: list[str]) -> None:
    coded = encoded(b"a" * 100_000, codings)
    assert len(decoded(coded, codings, 100_000)) == sum(map(len, in_pieces(coded, codings, 9, 100_000))) == 100_000
    with pytest.raises(UpstreamError, match=r"larger than 99999 bytes \(--max-body\)"):
        decoded(coded, codings, 99_999)
    with pytest.raises(UpstreamError, match=r"larger than 99999 bytes \(--max-body\)"):
        in_pieces(coded, codings, 9, 99_999)


def test_a_bomb_is_refused_before_it_is_unpacked_even_where_it_becomes_nothing() -> None:
    between = zipped(b"") * 50_000
    bomb = zipped(between)
    with pytest.raises(UpstreamError, match="larger than 1000 bytes"):
        in_pieces(bomb, ["gzip", "gzip"], 1 << 16, 1000)
    assert in_pieces(bomb, ["gzip", "gzip"], 1 << 16) == []
    assert in_pieces(bomb, ["gzip", "gzip"], 1 << 16, LIMIT) == []


def test_other_codings_are_undone_by_who_knows_them() -> None:
    def backwards(body: bytes, limit: int) -> bytes:
        if len(body) > limit:
            raise too_large(limit)
        return body[::-1]

    coded = zipped(b"body")[::-1]
    assert decoded(coded, ["gzip", "turned"], 4, {"turned": backwards}) == b"body"
    assert decoded(zipped(b"ydob"), ["turned", "gzip"], 4, {"turned": backwards}) == b"body"
    with pytest.raises(UpstreamError, match="only gzip, x-gzip, deflate, turned are decoded"):
        decoded(coded, ["gzip", "br"], 4, {"turned": backwards})


@pytest.mark.parametrize(("codings", "can"), [([], True), (["x-gzip", "deflate"], True), (["br"], False)])
def test_codings_are_known_or_not(codings: list[str], can: bool) -> None:
    assert can_decode(codings) is can
