import pytest
from exchanges import numbered
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, UPSTREAM, exchanges

from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, OTHER_CREDENTIALS, Exchange, LiveSid, RecordedSid, Request, Response
from chatproxy.core.products.sid_types import PREFIXES
from chatproxy.core.timeline.known import Declared, Known
from chatproxy.core.timeline.numbering import Numbered, Numbering, Origin, nth_of, order_of, sid_number, sid_type

RULES = Rules()


def sid(prefix: str, digit: str) -> bytes:
    return (prefix + digit * 32).encode()


SERVICE, CHANNEL, MESSAGE = sid("IS", "1"), sid("CH", "2"), sid("IM", "3")
MESSAGES = b"/v1/Services/%b/Channels/%b/Messages" % (SERVICE, CHANNEL)


def exchange(
    number: int,
    target: bytes = b"/",
    answer: bytes = b"",
    *,
    method: str = "POST",
    body: bytes = b"",
    asked: int = 0,
    answered: int = 0,
    user: str | None = None,
    status: int = 200,
) -> Exchange:
    request = Request(method, target, (FORM,), body)
    return numbered(number, request, Response(status, b"OK", (JSON,), answer), UPSTREAM, asked, answered, user=user)


def learned(*several: Exchange, declared: Declared | None = None) -> Numbering:
    numbering = Numbering(declared)
    for one in several:
        numbering.learn(one, normalize(one.request, RULES))
    return numbering


def shown(*several: bytes) -> bytes:
    """An answer that lists objects."""
    return b'{"objects": [%b]}' % b", ".join(b'{"sid": "%b"}' % one for one in several)


def of_origin(origin: Origin, *several: Exchange, declared: Declared | None = None) -> set[bytes]:
    numbering = learned(*several, declared=declared).numbered()
    return {one for one, known in numbering.items() if known.origin is origin}


def test_law_1_numbers_go_per_type_by_first_appearance_requests_before_their_responses() -> None:
    one, two, three, channel = sid("IM", "1"), sid("IM", "2"), sid("IM", "3"), sid("CH", "1")
    numbering = learned(exchange(1, b"/" + three, shown(two, channel, three)), exchange(2, b"/" + two, shown(one)))
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
    numbering = learned(
        exchange(3, answer=shown(one, two)), exchange(6), exchange(7, answer=shown(three, one), method="GET")
    )
    assert numbering.number_of(RecordedSid(one)) == sid_number(b"RQ", 1)
    assert numbering.number_of(RecordedSid(three)) == sid_number(b"RQ", 3)
    assert len({known.number for known in numbering.numbered().values()}) == 3


def test_law_1_as_many_request_ids_as_an_answer_can_hold_have_numbers_of_their_own() -> None:
    several = [b"RQ%032d" % number for number in range(70_000)]
    numbers = {known.number for known in learned(exchange(7, answer=shown(*several))).numbered().values()}
    assert len(numbers) == len(several)
    assert {sid_type(number) for number in numbers} == {b"RQ"}


@given(st.lists(exchanges, max_size=4))
def test_law_1_no_two_sids_have_one_number(several: list[Exchange]) -> None:
    numbered = learned(*several).numbered()
    assert len({known.number for known in numbered.values()}) == len(numbered)


# Generated, given, known


def test_law_1_what_a_recorded_write_made_is_generated_and_all_else_given() -> None:
    theirs = sid("IM", "4")
    listed = exchange(1, MESSAGES, shown(theirs), method="GET", asked=1, answered=2)
    created = exchange(2, MESSAGES, b'{"sid": "%b"}' % MESSAGE, asked=3, answered=5)
    updated = exchange(3, MESSAGES + b"/" + theirs, b'{"sid": "%b"}' % theirs, asked=6, answered=7)
    assert of_origin(Origin.GENERATED, listed, created, updated) == {MESSAGE}
    assert of_origin(Origin.GIVEN, listed, created, updated) == {theirs}
    assert of_origin(Origin.KNOWN, listed, created, updated) == {SERVICE, CHANNEL}


def test_law_1_what_a_read_shows_while_its_create_is_in_flight_is_generated() -> None:
    listed = exchange(1, MESSAGES, shown(MESSAGE), method="GET", asked=2, answered=4)
    created = exchange(2, MESSAGES, b'{"sid": "%b"}' % MESSAGE, asked=3, answered=5)
    assert MESSAGE in of_origin(Origin.GENERATED, listed, created)
    before = exchange(1, MESSAGES, shown(MESSAGE), method="GET", asked=1, answered=2)
    assert MESSAGE in of_origin(Origin.GIVEN, before, created)


def test_law_1_a_refused_write_and_a_body_that_is_none_make_nothing() -> None:
    for answer, status in (
        (b'{"sid": "%b"}' % MESSAGE, 409),
        (b'{"sid": 1}', 201),
        (b'{"sid": "x"}', 201),
        (b"[]", 201),
    ):
        assert of_origin(Origin.GENERATED, exchange(1, MESSAGES, answer, status=status)) == set()


def test_law_2_a_service_a_channel_and_a_user_that_were_only_shown_are_known() -> None:
    listed = exchange(1, answer=shown(SERVICE, CHANNEL, sid("US", "1"), sid("MB", "1")), method="GET")
    assert of_origin(Origin.KNOWN, listed) == {SERVICE, CHANNEL, sid("US", "1")}
    created = exchange(1, b"/v1/Services/%b/Channels" % SERVICE, b'{"sid": "%b"}' % CHANNEL, status=201)
    assert of_origin(Origin.GENERATED, created) == {CHANNEL}


def test_law_2_what_was_sent_before_an_answer_showed_it_is_known() -> None:
    path, query, body, late = sid("MB", "1"), sid("IM", "2"), sid("RL", "3"), sid("IM", "4")
    first = exchange(1, b"/%b?PageToken=PA%b" % (path, query), shown(late, path), body=b"RoleSid=%%52L%b" % body[2:])
    assert of_origin(Origin.KNOWN, first, exchange(2, b"/" + late, asked=1)) == {path, query, body}


def test_law_2_moments_decide_what_came_first() -> None:
    one = sid("MB", "1")
    showing = exchange(1, answer=shown(one), asked=1, answered=5, method="GET")
    assert of_origin(Origin.KNOWN, showing, exchange(2, b"/" + one, asked=4, answered=6)) == {one}
    assert of_origin(Origin.KNOWN, showing, exchange(2, b"/" + one, asked=6, answered=7)) == set()


def test_law_2_an_accounts_sid_is_known_wherever_it_was_seen() -> None:
    account = sid("AC", "1")
    assert learned(exchange(1, answer=shown(account))).numbered() == {
        account: Numbered(sid_number(b"AC", 1), Origin.KNOWN)
    }


def test_law_2_a_fixture_says_what_was_sent_first_and_has_an_order_in_place_of_moments() -> None:
    one, other = RecordedSid(sid("MB", "1")), sid("MB", "2")
    several = [
        exchange(1, b"/" + one, asked=9, answered=9),
        exchange(2, b"/" + other, asked=8, answered=8),
        exchange(3, MESSAGES, b'{"sid": "%b"}' % MESSAGE, asked=7, answered=7),
        exchange(4, MESSAGES, shown(MESSAGE), method="GET", asked=1, answered=1),
    ]
    declared = Declared(None, (Known(one, own=LiveSid(other)),))
    assert of_origin(Origin.KNOWN, *several, declared=declared) == {one, SERVICE, CHANNEL}
    assert of_origin(Origin.GIVEN, *several, declared=declared) == {other}
    assert of_origin(Origin.GENERATED, *several, declared=declared) == {MESSAGE}


def test_law_2_the_known_ones_come_with_the_recorders_own_and_what_stands_above_them() -> None:
    channel, user, role, member = sid("CH", "4"), sid("US", "1"), sid("RL", "1"), sid("MB", "1")
    created = sid("CH", "5")
    services = b"/v1/Services/%b" % SERVICE
    several = [
        exchange(1, services + b"/Channels", shown(channel), method="GET"),
        exchange(
            2, MESSAGES, b'{"url": "https:\\/\\/chat.twilio.com\\/v1\\/Services\\/%b\\/Users\\/%b"}' % (SERVICE, user)
        ),
        exchange(3, services + b"/Users", b"{}", body=b"RoleSid=" + role),
        exchange(4, services + b"/Channels", b'{"sid": "%b"}' % created, status=201),
        exchange(5, services + b"/Channels/" + created + b"/Members/" + member, method="GET", status=404),
        exchange(6, b"/" + channel, method="GET"),
        exchange(7, services + b"/Users/" + user, shown(sid("AC", "1"), sid("IS", "2"), sid("CH", "6")), method="GET"),
    ]
    known = learned(*several).known()
    parents = {one.sid: one.parent for one in known}
    below = dict.fromkeys((channel, CHANNEL, sid("CH", "6"), user, member), SERVICE)
    assert parents == {**below, **dict.fromkeys((SERVICE, sid("IS", "2"), sid("AC", "1"), role))}
    assert all(one.own == LiveSid(one.sid) and one.variable is None for one in known)
    assert [one.sid[:2] for one in known] == [b"AC", b"CH", b"CH", b"CH", b"IS", b"IS", b"MB", b"RL", b"US"]


def test_law_2_what_a_fixture_says_of_known_ones_counts_and_the_rest_is_found() -> None:
    several = [exchange(1, MESSAGES)]
    said = Known(RecordedSid(CHANNEL), None, LiveSid(sid("CH", "9")), "CHANNEL")
    for bare, own in ((False, None), (True, LiveSid(SERVICE))):
        known = learned(*several, declared=Declared(None, (said,), bare=bare)).known()
        assert known == (
            Known(RecordedSid(CHANNEL), RecordedSid(SERVICE), LiveSid(sid("CH", "9")), "CHANNEL"),
            Known(RecordedSid(SERVICE), None, own),
        )


def test_law_2_the_account_is_the_first_user_name_that_is_one() -> None:
    account, user = sid("AC", "1"), sid("AC", "2")
    key = exchange(1, answer=shown(account), user=sid("SK", "3").decode())
    assert learned().account is None
    assert learned(key).account == account
    assert learned(key, exchange(2, user=user.decode()), exchange(3, user=account.decode())).account == user


# What names no object


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
    assert of_origin(Origin.KNOWN, exchange(1, b"/%b/x?a=%b" % (upper, sid("IM", "B")))) == {upper}


def test_law_5_text_that_looks_like_a_sid_has_no_number() -> None:
    text = sid("CH", "7")
    asked = exchange(1, b"/x-%b?note=%b" % (text, text), b'{"body": "see %b"}' % text, body=b"Body=" + text)
    assert learned(asked).numbered() == {}


def test_an_update_by_a_unique_name_makes_nothing_though_its_answer_is_the_first_to_show_the_object() -> None:
    channel = RecordedSid(b"CH" + b"7" * 32)
    request = Request("POST", b"/v1/Services/IS" + b"1" * 32 + b"/Channels/general", (FORM,), b"FriendlyName=a")
    response = Response(200, b"OK", ((b"Content-Type", b"application/json"),), b'{"sid": "%b"}' % channel)
    one = numbered(1, request, response, UPSTREAM, 1, 2)
    numbering = Numbering()
    numbering.learn(one, normalize(one.request, Rules()))
    assert numbering.numbered()[channel].is_known
