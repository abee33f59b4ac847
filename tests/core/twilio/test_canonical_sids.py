from hypothesis import given
from hypothesis import strategies as st
from strategies import sids

from chatproxy.core.products.sid_types import PREFIXES
from chatproxy.core.twilio.canonical_sids import canonical_nth, canonical_sid, is_old_canonical
from chatproxy.core.twilio.sids import SID


@given(st.sampled_from(PREFIXES), st.integers(1, 2**53), st.integers(1, 2**53))
def test_a_canonical_sid_is_a_sid_that_sorts_as_its_number_and_tells_it(prefix: str, one: int, other: int) -> None:
    first, second = (canonical_sid(prefix.encode(), nth) for nth in (one, other))
    assert SID.fullmatch(first)
    assert canonical_nth(first) == one
    assert (first < second) == (one < other)
    assert not is_old_canonical(first)


def test_those_of_before_are_understood() -> None:
    old = b"CH%032d" % 12
    assert canonical_nth(old) == 12
    assert is_old_canonical(old)


@given(sids().filter(lambda sid: any(letter in sid[2:] for letter in "abcdef")))
def test_another_sid_is_none(sid: str) -> None:
    assert canonical_nth(sid.encode()) is None
    assert not is_old_canonical(sid.encode())
