from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.timestamps import instant, moment


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_comes_back_from_its_text(when: datetime) -> None:
    microseconds = (when - datetime(1970, 1, 1, tzinfo=UTC)) // (when.resolution)
    assert moment(instant(microseconds)) == microseconds


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_769_860_800_123_456, "2026-01-31T12:00:00.123456Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_moments_are_written_as_rfc_3339(microseconds: int, text: str) -> None:
    assert instant(microseconds) == text
    assert moment(text) == microseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-31",
        "2026-01-31T12:00:00Z",
        "2026-01-31 12:00:00.123456Z",
        "2026-01-31T12:00:00.123456+00:00",
        "2026-01-31T12:00:00.123456Z\n",
        "2026-02-31T12:00:00.123456Z",
        "0000-01-01T00:00:00.000000Z",
        "٢٠٢٦-01-31T12:00:00.123456Z",
    ],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        moment(text)
