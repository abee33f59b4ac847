from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.cassette.records import (
    Candidate,
    First,
    decode_candidate,
    decode_first,
    decode_standing,
    encode_candidate,
    encode_first,
    encode_standing,
)
from chatproxy.core.model import ExchangeNumber
from chatproxy.core.timeline.standing import Role, Standing
from chatproxy.core.timeline.states import Done, Effect, Where

digests, numbers = st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1)
several = st.lists(digests, max_size=4).map(tuple)
exchange_numbers = numbers.map(ExchangeNumber)
roles = st.sampled_from(Role)
wheres = st.builds(Where, several, digests, st.booleans())
writes = st.builds(Done, digests, st.sampled_from(Effect), several, digests, several, digests, several, several)
lists = st.lists(exchange_numbers, max_size=4).map(tuple)
standings = st.builds(Standing, roles, wheres, several, st.none() | writes, exchange_numbers, lists, lists, numbers)


@given(standings)
def test_where_an_exchange_stands_comes_back(standing: Standing) -> None:
    assert decode_standing(encode_standing(standing)) == standing


@given(st.builds(First, exchange_numbers, roles, wheres, several, exchange_numbers, digests, st.booleans()))
def test_what_a_key_asks_for_comes_back(first: First) -> None:
    value = encode_first(first)
    assert decode_first(value) == first
    assert int.from_bytes(value[:4], "big") == first.number


@given(exchange_numbers, roles, exchange_numbers, st.booleans())
def test_an_answer_in_a_state_comes_back(number: ExchangeNumber, role: Role, step: ExchangeNumber, last: bool) -> None:
    found = decode_candidate(number, encode_candidate(role, step), is_last=last)
    assert found == Candidate(number, role, step, last)
    assert found.role is role
