import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.net import encoding

from chatproxy.core.errors import UpstreamError
from chatproxy.core.http.codings import decoded
from chatproxy.mitm.codings import CODINGS

bodies = st.binary(max_size=200) | st.binary(min_size=1, max_size=5).map(lambda part: part * 20_000)


def coded(body: bytes, coding: str) -> bytes:
    content = encoding.encode(body, coding)
    assert isinstance(content, bytes)
    return content


@pytest.mark.parametrize("coding", CODINGS)
@given(body=bodies, data=st.data())
def test_law_a_whole_body_is_decoded_and_one_that_is_cut_short_refused(
    coding: str, body: bytes, data: st.DataObject
) -> None:
    whole = coded(body, coding)
    assert decoded(whole, [coding], len(body), CODINGS) == body
    cut = whole[: data.draw(st.integers(1, max(1, len(whole) - 1)))]
    if cut != whole:
        with pytest.raises(UpstreamError, match=r"cut short|is no "):
            decoded(cut, [coding], len(body), CODINGS)


@pytest.mark.parametrize("coding", CODINGS)
def test_the_limit_is_that_of_the_decoded_size(coding: str) -> None:
    with pytest.raises(UpstreamError, match="larger than 99999 bytes"):
        decoded(coded(b"a" * 100_000, coding), [coding], 99_999, CODINGS)


@pytest.mark.parametrize("coding", CODINGS)
def test_what_is_none_of_the_coding_is_refused(coding: str) -> None:
    for body in (b"{}", coded(b"{}", coding) + b"rest"):
        with pytest.raises(UpstreamError, match=rf"is no {coding}|cut short"):
            decoded(body, [coding], 1000, CODINGS)


def test_one_frame_may_follow_another() -> None:
    assert decoded(coded(b"a", "zstd") + coded(b"b" * 5000, "zstd"), ["zstd"], 6000, CODINGS) == b"a" + b"b" * 5000
