"""Each law of ``core/matching/users.py``, by the words of its docstring."""

from collections.abc import Sequence

import pytest
from exchanges import numbered, users_of
from hypothesis import given
from hypothesis import strategies as st
from strategies import MESSAGES, UPSTREAM

from chatproxy.core.cassette.compile import keys_of
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.matching.users import ANY, NONE, NOT_KNOWN, REFUSED, Users, admitted, is_challenge, spaced
from chatproxy.core.model import NO_CREDENTIALS, OTHER_CREDENTIALS, Exchange, RecordedSid, Request, Response

ACCOUNTS = ["AC" + digit * 32 for digit in "123"]
KEYS = ["SK" + digit * 32 for digit in "123"]
ONE, TWO, THREE = ACCOUNTS
KEY, OTHER_KEY, _ = KEYS
WITH_CREDENTIALS = [*ACCOUNTS, *KEYS, OTHER_CREDENTIALS]
LIVE = [*WITH_CREDENTIALS, NO_CREDENTIALS]


def asked(user: str | None, status: int = 200) -> Exchange:
    return numbered(1, Request("GET", MESSAGES), Response(status), UPSTREAM, 0, 0, user=user)


REFUSAL = asked(NO_CREDENTIALS, 401)
recordings = st.lists(
    st.builds(asked, st.sampled_from([None, *LIVE]), st.sampled_from([200, 200, 401])), min_size=1, max_size=6
)


def admitted_of(recorded: Sequence[Exchange]) -> list[str]:
    """Return which users recorded: those that were not only refused, in the order of the first that they were given."""
    return [*dict.fromkeys(one.user for one in recorded if one.user and admitted(one) and one.user != NO_CREDENTIALS)]


def accounts_of(recorded: Sequence[Exchange]) -> list[str]:
    return [user for user in admitted_of(recorded) if user in ACCOUNTS]


def first_of(recorded: Sequence[Exchange]) -> RecordedSid | None:
    """Return the account of a cassette, which is the first one that recorded, else the first one that was refused."""
    accounts = [*accounts_of(recorded), *(one.user for one in recorded if one.user in ACCOUNTS)]
    return RecordedSid(accounts[0].encode()) if accounts and accounts[0] else None


def answering(recorded: Sequence[Exchange], user: str) -> list[Exchange]:
    """Return which of these exchanges, all of one key, may answer a user: those of the first space that has any."""
    users, form = users_of(recorded), normalize(Request("GET", MESSAGES), Rules())
    keys = [spaced(form.shape, REFUSED)] if user == NO_CREDENTIALS else []
    for key in (*keys, *(spaced(form.key, space) for space in users.spaces_for(user, first_of(recorded)))):
        if found := [one for one in recorded if key in keys_of(one, form, users)]:
            return found
    return []


def may_answer(recorded: Sequence[Exchange], one: Exchange, user: str) -> bool:
    """Tell by the laws whether what one exchange was asked with lets it answer a user, with no other that would."""
    if one.user is None:
        return True
    if NO_CREDENTIALS in {one.user, user}:
        return one.user == user
    if one.user not in admitted_of(recorded):
        return one.user == user
    accounts = accounts_of(recorded)
    if one.user not in accounts or len(accounts) == 1:
        return True
    first = first_of(recorded)
    return one.user == (user if user in accounts else first and first.decode())


@given(recordings, st.sampled_from(LIVE))
def test_law_the_spaces_of_a_user_meet_those_of_an_exchange_exactly_where_it_may_answer(
    recorded: list[Exchange], user: str
) -> None:
    users = users_of(recorded)
    spaces = {*users.spaces_for(user, first_of(recorded))}
    for one in recorded:
        assert bool(spaces & {*users.spaces_of(one)}) is may_answer(recorded, one, user)


@given(recordings, st.sampled_from(WITH_CREDENTIALS))
def test_law_1_what_was_recorded_with_credentials_never_answers_without_nor_the_other_way_round(
    recorded: list[Exchange], user: str
) -> None:
    assert all(one.user != NO_CREDENTIALS for one in answering(recorded, user))
    assert all(one.user in {None, NO_CREDENTIALS} for one in answering(recorded, NO_CREDENTIALS))


@given(recordings, st.sampled_from(LIVE))
def test_law_1_what_was_recorded_with_credentials_that_are_not_known_answers_both(
    recorded: list[Exchange], user: str
) -> None:
    unknown = [asked(None) for _ in recorded]
    assert answering(unknown, user) == unknown
    assert answering([*recorded, asked(None)], user) != []


@given(recordings)
def test_law_2_a_request_without_credentials_that_was_refused_is_refused_again_whatever_else_was_recorded(
    recorded: list[Exchange],
) -> None:
    found = answering([*recorded, REFUSAL], NO_CREDENTIALS)
    assert found
    assert all(is_challenge(one) for one in found)


@given(recordings, st.sampled_from(WITH_CREDENTIALS))
def test_law_3_that_of_the_same_user_answers_else_of_the_same_kind_else_any_other(
    recorded: list[Exchange], user: str
) -> None:
    found = [one.user for one in answering(recorded, user) if one.user is not None]
    able = {one.user for one in recorded if one.user is not None and may_answer(recorded, one, user)}
    same_kind = {one for one in able if one[:2] == user[:2]}
    if user in able:
        assert {*found} == {user}
    elif same_kind:
        assert {*found} <= same_kind or None in {one.user for one in recorded}
        assert {*found} & same_kind
    else:
        assert {*found} <= able


@given(recordings, st.sampled_from(ACCOUNTS))
def test_law_3_one_of_several_accounts_is_never_given_what_another_was(recorded: list[Exchange], user: str) -> None:
    accounts = accounts_of(recorded)
    given = {one.user for one in answering(recorded, user)} & {*ACCOUNTS}
    if len(accounts) > 1:
        first = first_of(recorded)
        assert first is not None
        assert given <= {user if user in accounts else first.decode(), user}


@given(recordings, st.sampled_from(WITH_CREDENTIALS))
def test_law_3_who_was_only_refused_is_refused_again_and_is_else_answered_as_one_who_did_not_record(
    recorded: list[Exchange], user: str
) -> None:
    recorded = [one for one in recorded if one.user != user]
    refusal = asked(user, 401)
    assert answering([*recorded, refusal], user) == [refusal]
    users, first = users_of(recorded), first_of(recorded)
    own, *rest = users_of([*recorded, refusal]).spaces_for(user, first)
    assert own == user
    if users.all and users.all != (None,):
        assert tuple(rest) == users.spaces_for(user, first)


@given(recordings, st.sampled_from(LIVE), st.sampled_from(WITH_CREDENTIALS))
def test_law_3_that_a_user_was_refused_changes_nothing_for_others(
    recorded: list[Exchange], user: str, refused: str
) -> None:
    recorded = [asked(ONE), *(one for one in recorded if one.user != refused)]
    if refused not in {user, ONE}:
        assert answering([*recorded, asked(refused, 401)], user) == answering(recorded, user)


@given(recordings, st.lists(st.sampled_from(LIVE)))
def test_law_a_user_who_did_not_record_is_answered_as_the_first_of_several_accounts_or_by_its_kind(
    recorded: list[Exchange], live: list[str]
) -> None:
    recorded = [*recorded, asked(ONE), asked(TWO)]
    first = first_of(recorded)
    assert first is not None
    for user in {*live} & {*ACCOUNTS} - {one.user for one in recorded}:  # nor was refused
        assert answering(recorded, user) == answering(recorded, first.decode())


# Examples


@pytest.mark.parametrize(
    ("recorded", "user", "spaces"),
    [
        ([ONE], ONE, (ANY,)),
        ([ONE], TWO, (ANY,)),
        ([ONE], KEY, (ANY,)),
        ([ONE], OTHER_CREDENTIALS, (ANY,)),
        ([ONE], NO_CREDENTIALS, (NONE, NOT_KNOWN)),
        ([None], ONE, (ANY,)),
        ([None], NO_CREDENTIALS, (ANY,)),
        ([], NO_CREDENTIALS, (NONE, NOT_KNOWN)),
        ([], ONE, (ANY,)),
        ([NO_CREDENTIALS], NO_CREDENTIALS, (NONE, NOT_KNOWN)),
        ([NO_CREDENTIALS], ONE, (ANY,)),
        ([None, ONE], NO_CREDENTIALS, (NONE, NOT_KNOWN)),
        ([None, NO_CREDENTIALS, ONE], ONE, (ANY,)),
        ([ONE, KEY], ONE, (ONE, "AC", ANY)),
        ([ONE, KEY], TWO, ("AC", ANY)),
        ([ONE, KEY], KEY, (KEY, "SK", ANY)),
        ([ONE, KEY], OTHER_KEY, ("SK", ANY)),
        ([ONE, KEY], OTHER_CREDENTIALS, ("ot", ANY)),
        ([ONE, OTHER_CREDENTIALS], OTHER_CREDENTIALS, (OTHER_CREDENTIALS, "ot", ANY)),
        ([ONE, TWO], ONE, (ONE, ANY)),
        ([ONE, TWO], TWO, (TWO, ANY)),
        ([ONE, TWO], THREE, (ONE, ANY)),
        ([ONE, TWO], KEY, ("SK", ONE, ANY)),
        ([ONE, KEY, TWO], KEY, (KEY, "SK", ONE, ANY)),
        ([ONE, TWO], OTHER_CREDENTIALS, ("ot", ONE, ANY)),
        ([ONE, TWO], NO_CREDENTIALS, (NONE, NOT_KNOWN)),
    ],
)
def test_a_user_looks_into_its_own_space_first_and_into_that_of_all_last(
    recorded: list[str | None], user: str, spaces: tuple[str, ...]
) -> None:
    found = [asked(one) for one in recorded]
    assert users_of(found).spaces_for(user, first_of(found)) == spaces


@pytest.mark.parametrize(
    ("recorded", "one", "spaces"),
    [
        ([ONE], asked(ONE), (ANY,)),
        ([ONE, NO_CREDENTIALS], asked(ONE), (ANY,)),
        ([ONE, NO_CREDENTIALS], asked(NO_CREDENTIALS), (NONE,)),
        ([ONE], asked(ONE, 401), (ANY,)),
        ([ONE, NO_CREDENTIALS], asked(NO_CREDENTIALS, 403), (NONE,)),
        ([None], asked(None), (ANY,)),
        ([None, ONE], asked(None), (ANY, NOT_KNOWN)),
        ([None, NO_CREDENTIALS], asked(None), (ANY, NOT_KNOWN)),
        ([ONE, KEY], asked(ONE), (ANY, ONE, "AC")),
        ([ONE, KEY], asked(KEY), (ANY, KEY, "SK")),
        ([ONE, OTHER_CREDENTIALS], asked(OTHER_CREDENTIALS), (ANY, OTHER_CREDENTIALS, "ot")),
        ([ONE, TWO], asked(ONE), (ONE, "AC")),
        ([ONE, TWO, KEY], asked(KEY), (ANY, KEY, "SK")),
    ],
)
def test_an_exchange_is_found_in_the_space_of_all_unless_it_is_one_of_several_accounts(
    recorded: list[str | None], one: Exchange, spaces: tuple[str, ...]
) -> None:
    assert users_of(map(asked, recorded)).spaces_of(one) == spaces


@pytest.mark.parametrize(
    ("recorded", "refused", "user", "spaces"),
    [
        ([ONE], TWO, TWO, (TWO, ANY)),
        ([ONE], TWO, THREE, (ANY,)),
        ([ONE], TWO, ONE, (ANY,)),
        ([ONE], KEY, ONE, (ANY,)),
        ([ONE], OTHER_CREDENTIALS, OTHER_CREDENTIALS, (OTHER_CREDENTIALS, ANY)),
        ([ONE], OTHER_CREDENTIALS, NO_CREDENTIALS, (NONE, NOT_KNOWN)),
        ([], ONE, ONE, (ONE, ANY)),
        ([], ONE, TWO, (ANY,)),
        ([ONE, KEY], TWO, TWO, (TWO, "AC", ANY)),
        ([ONE, KEY], OTHER_KEY, OTHER_KEY, (OTHER_KEY, "SK", ANY)),
        ([ONE, TWO], THREE, THREE, (THREE, ONE, ANY)),
        ([ONE, TWO], KEY, KEY, (KEY, "SK", ONE, ANY)),
        ([ONE, TWO], KEY, OTHER_KEY, ("SK", ONE, ANY)),
    ],
)
def test_a_user_who_was_only_refused_looks_into_its_own_space_and_is_none_of_several(
    recorded: list[str | None], refused: str, user: str, spaces: tuple[str, ...]
) -> None:
    found = [asked(refused, 401), *map(asked, recorded)]
    users = users_of(found)
    assert users.spaces_of(found[0]) == (refused,)
    assert users.spaces_for(user, first_of(found)) == spaces
    assert (users.are_several, users.accounts) == (len(recorded) > 1, [one for one in recorded if one in ACCOUNTS])


def test_where_no_account_recorded_no_first_one_is_looked_for() -> None:
    assert users_of([asked(ONE), asked(TWO)]).spaces_for(KEY, None) == ("SK", ANY)


def test_who_asked_is_told_once_in_the_order_of_the_first_request() -> None:
    assert users_of(map(asked, [TWO, None, ONE, TWO, None])).all == (TWO, None, ONE)
    assert Users().all == ()


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (REFUSAL, True),
        (asked(NO_CREDENTIALS, 403), False),
        (asked(NO_CREDENTIALS), False),
        (asked(ONE, 401), False),
        (asked(OTHER_CREDENTIALS, 401), False),
        (asked(None, 401), False),
    ],
)
def test_only_a_401_without_credentials_asks_for_them(one: Exchange, found: bool) -> None:
    assert is_challenge(one) is found


def test_a_key_is_another_one_in_each_space_but_that_of_all() -> None:
    key = normalize(Request("GET", MESSAGES), Rules()).key
    found = [spaced(key, space) for space in (ANY, REFUSED, NONE, NOT_KNOWN, ONE, "AC", TWO, KEY, "SK")]
    assert found[0] == key
    assert len({*found}) == len(found)
    assert {(one[:1], len(one)) for one in found} == {(key[:1], len(key))}
