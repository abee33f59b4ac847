from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.time.timestamps import ROWS, SECOND, Spelling, instant, moment, read_instant, spell_instant


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


def test_an_instant_may_have_fewer_digits() -> None:
    whole = moment("2026-01-31T12:00:00.000000Z")
    for fraction, more in (("", 0), (".0", 0), (".5", 500_000), (".123", 123_000), (".00001", 10)):
        assert moment(f"2026-01-31T12:00:00{fraction}Z") == whole + more


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-31",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00.1234567Z",
        "2026-01-31T12:00:60Z",
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


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        (b"2016-03-24T20:37:57Z", Spelling(0)),
        (b"2016-03-24T20:37:57.000Z", Spelling(0, 3)),
        (b"2016-03-24T20:37:57.000000Z", Spelling(0, 6)),
        (b"Thu, 24 Mar 2016 20:37:57 GMT", Spelling(1)),
        (b"Thu, 24 Mar 2016 20:37:57 +0000", Spelling(2)),
        (b"2016-03-25T02:07:57+05:30", Spelling(3 + ROWS * (1440 + 330))),
        (b"2016-03-25T02:07:57.000+05:30", Spelling(3 + ROWS * (1440 + 330), 3)),
        (b"2016-03-24T12:37:57-0800", Spelling(4 + ROWS * (1440 - 480))),
        (b"2016-03-24T20:37:57+00:00", Spelling(3)),
        (b"2016-03-24T20:37:57-00:00", Spelling(3 + ROWS * 2880)),
        (b"Thu, 24 Mar 2016 12:37:57 -0800", Spelling(2 + ROWS * (1440 - 480))),
        (b"Fri, 25 Mar 2016 02:07:57 +0530", Spelling(2 + ROWS * (1440 + 330))),
        (b"24 Mar 2016 20:37:57 +0000", Spelling(5)),
    ],
)
def test_law_8_an_instant_is_read_and_keeps_its_spelling(text: bytes, spelling: Spelling) -> None:
    assert read_instant(text) == (1_458_851_877 * SECOND, spelling)
    assert spell_instant(1_458_851_877 * SECOND, spelling) == text


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"2016-03-24",
        b"2016-03-24T20:37:57",
        b"2016-03-24T20:37:57+24:00",
        b"2016-03-24T20:37:57+00:60",
        b"2016-03-24T20:37:57+05",
        b"Thu, 4 Mar 2016 20:37:57 GMT",
        b"Fri, 25 Mar 2016 20:37:57 -0800 ",
        b"2016-02-30T20:37:57Z",
        b"2016-03-24T25:37:57Z",
        b"2016-03-24T20:37:57.Z",
        b"2016-03-24T20:37:57.0000000Z",
        b"Fri, 24 Mar 2016 20:37:57 GMT",
        b"Thu, 24 Mar 2016 20:37:57 CET",
        b"Thu, 32 Mar 2016 20:37:57 GMT",
        b"at 2016-03-24T20:37:57Z",
    ],
)
def test_what_is_no_instant_in_these_spellings_is_none(text: bytes) -> None:
    assert read_instant(text) is None


_moments = (
    st.datetimes(timezones=st.just(UTC))
    .filter(lambda when: 1000 < when.year < 9999)
    .map(lambda when: (when - datetime(1970, 1, 1, tzinfo=UTC)) // when.resolution)
)
_zones = st.sampled_from([0, 2880]) | st.integers(1, 2879).filter(lambda code: code != 1440)
_isos = st.just(0) | st.builds(lambda row, zone: row + ROWS * zone, st.sampled_from([3, 4]), _zones)
_dates = st.just(1) | st.builds(lambda row, zone: row + ROWS * zone, st.sampled_from([2, 5]), _zones)
_spellings = st.builds(Spelling, _isos, st.integers(0, 6)) | _dates.map(Spelling)


@given(_moments, _moments, _spellings)
def test_law_8_any_other_moment_takes_the_same_length(one: int, other: int, spelling: Spelling) -> None:
    assert len(spell_instant(one, spelling)) == len(spell_instant(other, spelling))


@given(_moments, _spellings)
def test_law_8_a_moment_comes_back_to_the_precision_of_its_spelling(when: int, spelling: Spelling) -> None:
    found = read_instant(spell_instant(when, spelling))
    assert found is not None
    assert found.spelling == spelling
    step = 10 ** max(0, 6 - spelling.digits)
    assert found.moment == when // step * step
