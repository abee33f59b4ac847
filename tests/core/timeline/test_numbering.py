import pytest
from exchanges import numbered
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, UPSTREAM, exchanges

from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, OTHER_CREDENTIALS, Exchange, RecordedSid, Request, Response
from chatproxy.core.products.sid_types import PREFIXES
from chatproxy.core.timeline.numbering import Numbered, Numbering, nth_of, order_of, sid_number, sid_type

RULES = Rules()


def sid(prefix: str, digit: str) -> bytes:
    return (prefix + digit * 32).encode()


def exchange(
    number: int,
    target: bytes = b"/",
    answer: bytes = b"",
    *,
    body: bytes = b"",
    asked: int = 0,
    answered: int = 0,
    user: str | None = None,
    status: int = 200,
) -> Exchange:
    request = Request("POST", target, (FORM,), body)
    return numbered(number, request, Response(status, b"OK", (JSON,), answer), UPSTREAM, asked, answered, user=user)


def learned(*several: Exchange) -> Numbering:
    numbering = Numbering()
    for one in several:
        numbering.learn(one, normalize(one.request, RULES))
    return numbering


def supplied(*several: Exchange) -> set[bytes]:
    return {one for one, known in learned(*several).numbered().items() if known.supplied}


def test_law_1_numbers_go_per_type_by_first_appearance_requests_before_their_responses() -> None:
    one, two, three, channel = sid("IM", "1"), sid("IM", "2"), sid("IM", "3"), sid("CH", "1")
    numbering = learned(exchange(1, b"/" + three, two + channel + three), exchange(2, b"/" + two, one))
    numbers = [numbering.number_of(RecordedSid(each)) for each in (three, two, one, channel)]
    assert numbers == [sid_number(b"IM", 1), sid_number(b"IM", 2), sid_number(b"IM", 3), sid_number(b"CH", 1)]
    assert numbering.number_of(RecordedSid(sid("IM", "4"))) is None


@given(st.sampled_from(PREFIXES), st.integers(1, 2**32 - 1))
def test_law_1_a_number_has_its_type(prefix: str, nth: int) -> None:
    assert sid_type(sid_number(prefix.encode(), nth)) == prefix.encode()


def test_a_number_has_the_letters_of_its_type_so_that_no_table_moves_it() -> None:
    assert sid_number(b"IM", 5).to_bytes(9, "big") == b"IM\0\0\0\0\0\0\5"
    assert (sid_type(sid_number(b"CV", 5)), nth_of(sid_number(b"CV", 5))) == (b"CV", 5)


def test_types_are_ordered_and_hashed_by_their_old_places_and_new_ones_by_their_letters() -> None:
    assert [order_of(sid_number(prefix, 5)) for prefix in (b"AC", b"IM", b"RQ")] == [5, 3 << 56 | 5, 20 << 56 | 5]
    assert order_of(sid_number(b"CV", 5)) == int.from_bytes(b"CV", "big") << 56 | 5


def test_law_1_request_ids_are_numbered_by_exchange() -> None:
    one, two, three = (sid("RQ", digit) for digit in "123")
    numbering = learned(exchange(3, answer=one + two), exchange(6), exchange(7, answer=three + one))
    assert numbering.number_of(RecordedSid(one)) == sid_number(b"RQ", 1)
    assert numbering.number_of(RecordedSid(three)) == sid_number(b"RQ", 3)
    assert len({known.number for known in numbering.numbered().values()}) == 3


def test_law_1_as_many_request_ids_as_an_answer_can_hold_have_numbers_of_their_own() -> None:
    several = [b"RQ%032d" % number for number in range(70_000)]
    numbers = {known.number for known in learned(exchange(7, answer=b" ".join(several))).numbered().values()}
    assert len(numbers) == len(several)
    assert {sid_type(number) for number in numbers} == {b"RQ"}


@given(st.lists(exchanges, max_size=4))
def test_law_1_no_two_sids_have_one_number(several: list[Exchange]) -> None:
    numbered = learned(*several).numbered()
    assert len({known.number for known in numbered.values()}) == len(numbered)


def test_law_1_a_sid_of_path_query_or_body_is_supplied_where_no_response_showed_it_before() -> None:
    path, query, body, shown = sid("IS", "1"), sid("CH", "2"), sid("US", "3"), sid("IM", "4")
    first = exchange(1, b"/%b?a=%b" % (path, query), shown + path, body=b"a=%2549&From=%55S" + body[2:])
    assert supplied(first, exchange(2, b"/" + shown)) == {path, query, body}


def test_law_1_moments_decide_what_came_first() -> None:
    one = sid("CH", "1")
    showing = exchange(1, answer=one, asked=1, answered=5)
    assert supplied(showing, exchange(2, b"/" + one, asked=4, answered=6)) == {one}
    assert supplied(showing, exchange(2, b"/" + one, asked=6, answered=7)) == set()


def test_law_1_an_accounts_sid_is_supplied_wherever_it_was_seen() -> None:
    account = sid("AC", "1")
    assert learned(exchange(1, answer=account)).numbered() == {account: Numbered(sid_number(b"AC", 1), True)}


def test_law_2_the_account_is_the_first_user_name_that_is_one() -> None:
    shown, user = sid("AC", "1"), sid("AC", "2")
    key = exchange(1, answer=shown, user=sid("SK", "3").decode())
    assert learned().account is None
    assert learned(key).account == shown
    assert learned(key, exchange(2, user=user.decode()), exchange(3, user=shown.decode())).account == user


def test_law_2_an_account_that_was_only_refused_is_the_one_that_recorded_only_where_no_other_did() -> None:
    shown, one, other = (sid("AC", digit) for digit in "123")
    refused = exchange(1, answer=shown, user=one.decode(), status=401)
    assert learned(refused).account == one
    assert learned(refused, exchange(2, user=other.decode(), status=401)).account == one
    assert learned(refused, exchange(2, user=other.decode())).account == other
    assert learned(refused, exchange(2, user=other.decode()), exchange(3, user=one.decode())).account == other
    assert learned(refused, exchange(2, user=other.decode(), status=404)).account == other


def test_users_are_told_with_whether_each_was_ever_admitted() -> None:
    account, key = sid("AC", "1").decode(), sid("SK", "2").decode()
    found = learned(
        exchange(1, user=key, status=401),
        exchange(2, user=account, status=401),
        exchange(3, user=account),
        exchange(4, user=account, status=401),
        exchange(5, user=NO_CREDENTIALS, status=403),
        exchange(6, status=401),
    )
    assert [*found.users.items()] == [(key, False), (account, True), (NO_CREDENTIALS, True), (None, False)]


@pytest.mark.parametrize("user", [None, NO_CREDENTIALS, OTHER_CREDENTIALS])
def test_who_has_no_sid_gets_no_number_and_is_told_among_the_users(user: str | None) -> None:
    account = sid("AC", "1")
    found = learned(exchange(1, user=user), exchange(2, user=account.decode()), exchange(3, user=user))
    assert [*found.users] == [user, account.decode()]
    assert (found.account, [*found.numbered()]) == (account, [account])


def test_law_5_upper_case_hex_counts_as_a_segment_of_a_path() -> None:
    upper = sid("IM", "A")
    assert supplied(exchange(1, b"/%b/x?a=%b" % (upper, sid("IM", "B")))) == {upper}
