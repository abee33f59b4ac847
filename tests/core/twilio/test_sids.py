from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import sids

from chatproxy.core.twilio.sids import (
    SID,
    SID_SEGMENT,
    mask,
    mask_path,
    replace_in_path,
    replace_sids,
    sids_in,
    sids_in_path,
)

HEX = b"0123456789abcdef" * 2


@given(
    sids(),
    st.sampled_from([b"", b"/", b"PT", b"PTMG", b"x", b"0", b"%"]),
    st.sampled_from([b"", b"/", b"g", b"A", b"Z"]),
)
def test_law_5_a_sid_is_found_glued_to_what_stands_around_it(sid: str, before: bytes, after: bytes) -> None:
    text = before + sid.encode() + after
    assert [found[0] for found in SID.finditer(text)] == [sid.encode()]
    assert mask(text) == before + sid[:2].encode() + b"*" + after


@pytest.mark.parametrize(
    "text",
    [
        b"IM" + HEX + b"0",
        b"IM" + HEX[:-1],
        b"IM" + HEX.upper(),
        b"im" + HEX,
        b"XX" + HEX,
        b"IS" + b"X" * 32,
        b"IM" + HEX[:-1] + b"g",
        b"general",
        HEX,
    ],
)
def test_law_5_what_is_no_sid_stays(text: bytes) -> None:
    assert mask(text) == text


def test_law_5_several_sids_in_a_text() -> None:
    assert mask(b'{"a":"IM%b","b":"CH%bIM%b"}' % (HEX, HEX, HEX)) == b'{"a":"IM*","b":"CH*IM*"}'


@pytest.mark.parametrize(
    ("path", "masked"),
    [
        (b"/v1/Services/IS%b/Channels/general" % HEX, b"/v1/Services/IS*/Channels/general"),
        (b"/x/IM%b" % HEX.upper(), b"/x/IM*"),
        (b"/x/IM%b/y" % (HEX[:16] + HEX[16:].upper()), b"/x/IM*/y"),
        (b"/x/IM%b0" % HEX.upper(), b"/x/IM%b0" % HEX.upper()),
        (b"/x/aIM%b" % HEX.upper(), b"/x/aIM%b" % HEX.upper()),
        (b"/x/aIM%b" % HEX, b"/x/aIM*"),
        (b"/", b"/"),
    ],
)
def test_law_5_upper_case_hex_counts_as_a_whole_segment_only(path: bytes, masked: bytes) -> None:
    assert mask_path(path) == masked


@given(st.lists(sids() | st.text("ab/AC0", max_size=4), max_size=6))
def test_masking_twice_is_masking_once(parts: list[str]) -> None:
    masked = mask("".join(parts).encode())
    assert mask(masked) == masked
    assert not SID.search(masked)


def test_law_5_sids_are_replaced_where_they_are_found() -> None:
    upper, lower, other = b"IM" + HEX.upper(), b"IM" + HEX, b"CH" + HEX
    assert replace_sids(b"PT%b %b" % (lower, upper), lambda _: other) == b"PT%b %b" % (other, upper)
    assert replace_in_path(b"/%b/PT%b/a%b" % (upper, lower, upper), lambda _: other) == b"/%b/PT%b/a%b" % (
        other,
        other,
        upper,
    )


def in_segments(path: bytes, other: Callable[[bytes], bytes]) -> bytes:
    """Replace the SIDs of a path as the law says it, segment by segment."""
    return b"/".join(
        other(segment) if SID_SEGMENT.fullmatch(segment) else replace_sids(segment, other)
        for segment in path.split(b"/")
    )


_parts = st.one_of(
    sids().map(str.encode),
    sids().map(lambda sid: sid[:2].encode() + sid[2:].upper().encode()),
    st.sampled_from([b"/", b"/", b"/", b"PT", b"x", b"0", b"A", b"%2f", b"\n", b"CH"]),
)


@given(st.lists(_parts, max_size=8).map(b"".join))
def test_law_5_a_path_is_searched_at_once_as_its_segments_would_be(path: bytes) -> None:
    found: list[bytes] = []

    def note(sid: bytes) -> bytes:
        found.append(sid)
        return b"<" + sid + b">"

    assert in_segments(path, note) == replace_in_path(path, lambda sid: b"<" + sid + b">")
    assert sids_in_path(path) == found
    assert sids_in(path) == [one[0] for one in SID.finditer(path)]
