import json
from dataclasses import replace

import pytest
from core.timeline.recordings import CHANNELS, Recording, compiled
from exchanges import numbered
from strategies import FORM, JSON, UPSTREAM

from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, ExchangeNumber, Request, Response
from chatproxy.core.timeline.traces import Trace, trace

RULES = Rules()
SERVICE, CHANNEL, MESSAGE = ("/v1/Services/IS" + "1" * 32, "CH" + "2" * 32, "IM" + "3" * 32)
BY_NAME = f"{SERVICE}/Channels/general/Messages"


def traced(*requests: tuple[str, str, bytes, dict[str, object]]) -> list[Trace]:
    exchanges = [
        numbered(
            number,
            Request(method, target.encode(), (FORM,), body),
            Response(200, b"", (JSON,), json.dumps(answer).encode()),
            UPSTREAM,
            number,
            number,
        )
        for number, (method, target, body, answer) in enumerate(requests, 1)
    ]
    return trace((one, normalize(one.request, RULES)) for one in exchanges)


def test_two_spellings_of_a_channel_are_one_path() -> None:
    by_name, by_sid = traced(
        ("POST", BY_NAME, b"Body=a", {"sid": MESSAGE, "channel_sid": CHANNEL}),
        ("GET", f"{SERVICE}/Channels/{CHANNEL}/Messages/{MESSAGE}", b"", {}),
    )
    assert by_name.path == by_name.timeline == by_sid.timeline
    assert by_sid.member == MESSAGE
    assert (by_name.is_member, by_sid.is_member) == (False, True)


def test_only_a_write_makes_objects() -> None:
    made, read = traced(("POST", BY_NAME, b"Body=a", {"sid": MESSAGE}), ("GET", BY_NAME, b"", {"sid": MESSAGE}))
    assert (made.made, read.made) == ((MESSAGE,), ())


def test_the_shape_is_the_same_for_other_sids_and_page_tokens_that_mean_nothing() -> None:
    one, other, offset, more = traced(
        ("GET", f"{BY_NAME}?A=IM{'4' * 32}&PageToken=abc", b"", {}),
        ("GET", f"{BY_NAME}?A={MESSAGE}&PageToken=def", b"", {}),
        ("GET", f"{BY_NAME}?A={MESSAGE}&PageToken=PT50", b"", {}),
        ("GET", f"{BY_NAME}?A={MESSAGE}&PageToken=PT50", b"B=c", {}),
    )
    shapes = [(each.kind, each.query, each.content) for each in (one, other, offset, more)]
    assert shapes[0] == shapes[1] != shapes[2] != shapes[3]
    assert one.kind == "GET /v1/Services/IS*/Channels/general/Messages"


@pytest.mark.parametrize(
    ("user", "status", "found"), [(NO_CREDENTIALS, 401, True), (NO_CREDENTIALS, 200, False), (None, 401, False)]
)
def test_what_asks_for_credentials_is_told(user: str | None, status: int, found: bool) -> None:
    one = numbered(1, Request("POST", BY_NAME.encode()), Response(status), UPSTREAM, 0, 0, user=user)
    (traced,) = trace([(one, normalize(one.request, RULES))])
    assert traced.is_challenge == found


def test_what_a_write_sends_is_told_by_the_fields_of_answers() -> None:
    form, empty = traced(
        ("POST", BY_NAME, b"Body=a&LastUpdatedBy=b&Notifications.New.Enabled=c", {}), ("GET", BY_NAME, b"", {})
    )
    assert (form.sent, empty.sent) == (("body", "last_updated_by", "notifications"), ())
    request = Request("POST", BY_NAME.encode(), (JSON,), b'{"Body": 1}')
    exchange = numbered(1, request, Response(200), UPSTREAM, 1, 1)
    listed = numbered(2, Request("POST", BY_NAME.encode(), (JSON,), b"[1]"), Response(200), UPSTREAM, 1, 1)
    json_body, no_object = trace((one, normalize(one.request, RULES)) for one in (exchange, listed))
    assert (json_body.sent, no_object.sent) == (("body",), ())


def test_the_value_of_a_field_that_is_unique_is_told() -> None:
    channels, users = f"{SERVICE}/Channels", f"{SERVICE}/Users"
    found = traced(
        ("POST", channels, b"FriendlyName=a&UniqueName=b", {}),
        ("POST", users, b"Identity=c", {}),
        ("POST", users, b"UniqueName=d", {}),
        ("POST", BY_NAME, b"Body=e", {}),
    )
    assert [one.unique for one in found] == [b"UniqueName=b", b"Identity=c", b"", b""]


def test_a_list_is_asked_for_as_a_whole_if_nothing_leaves_members_out() -> None:
    found = traced(
        ("GET", f"{BY_NAME}?PageSize=5&Order=desc", b"", {}),
        ("GET", f"{BY_NAME}?From=bob", b"", {}),
        ("GET", BY_NAME, b"", {"meta": {"previous_page_url": None, "next_page_url": "x"}}),
        ("GET", BY_NAME, b"", {"meta": {"previous_page_url": None, "next_page_url": "x"}}),
    )
    assert [one.is_whole for one in found] == [True, False, True, True]
    assert [one.has_more for one in found] == [False, False, True, True]


def test_equal_answers_have_one_number() -> None:
    found = traced(
        ("GET", BY_NAME, b"", {"sid": MESSAGE}),
        ("GET", BY_NAME, b"", {"sid": MESSAGE}),
        ("GET", BY_NAME, b"", {"sid": CHANNEL}),
    )
    assert found[0].answer == found[1].answer != found[2].answer
    assert [bool(one.news) for one in found] == [True, False, True]


def test_what_a_client_gave_up_shows_nothing_new() -> None:
    exchange = numbered(
        1, Request("GET", BY_NAME.encode()), Response(200, b"", (JSON,), b'{"sid": "a"}'), UPSTREAM, 1, 1
    )
    form = normalize(exchange.request, RULES)
    (given_up,) = trace([(replace(exchange, abandoned=True), form)])
    (kept,) = trace([(exchange, form)])
    assert (given_up.news, len(kept.news)) == ((), 1)


def test_objects_that_have_had_one_name_are_one_path() -> None:
    other, channels = "CH" + "9" * 32, f"{SERVICE}/Channels"
    found = traced(
        ("POST", channels, b"UniqueName=general", {"sid": CHANNEL, "unique_name": "general"}),
        ("POST", channels, b"UniqueName=general", {"sid": other, "unique_name": "general"}),
        ("GET", f"{channels}/{other}", b"", {}),
        ("GET", f"{channels}/general/Messages", b"", {}),
    )
    assert [one.made for one in found[:2]] == [(CHANNEL,), (CHANNEL,)]
    assert [new.sid for one in found[:2] for new in one.news] == [CHANNEL, CHANNEL]
    assert (found[2].member, [one.is_shared for one in found]) == (CHANNEL, [True, True, True, False])
    assert found[3].path.decode() == f"{channels}/{CHANNEL}/Messages"


def test_equal_requests_of_one_user_have_one_number() -> None:
    def asked(user: str | None) -> Trace:
        exchange = numbered(1, Request("GET", b"/"), Response(200), UPSTREAM, 1, 1, user=user)
        return trace([(exchange, normalize(exchange.request, RULES))])[0]

    assert asked("AC1").key == asked("AC1").key
    assert len({asked(user).key for user in ("AC1", "AC2", None)}) == 3


@pytest.mark.parametrize(("with_", "may_be_in"), [((), CHANNELS.encode()), ((2,), None)])
def test_in_a_file_a_name_is_given_by_what_stands_before(with_: tuple[int, ...], may_be_in: bytes | None) -> None:
    made = {"sid": "CH" + "2" * 32, "unique_name": "general"}
    recording = Recording().add("GET", f"{CHANNELS}/general/Members", shows={"members": []})
    recording.add("POST", CHANNELS, 201, body="UniqueName=general", shows=made)
    recording.told(1, with_=tuple(map(ExchangeNumber, with_)))
    assert compiled(recording.exchanges)[0][0].may_be_in == may_be_in


def test_a_trace_forgets_what_tells_only_where_it_stands() -> None:
    (one,) = traced(("POST", f"{SERVICE}/Channels/{CHANNEL}/Messages", b"Body=a", {"sid": MESSAGE}))
    assert (one.made, [new.sid for new in one.news], one.answered) == ((MESSAGE,), [MESSAGE], 1)
    kept = (one.number, one.asked, one.path, one.kind, one.key, one.sent)
    one.forget()
    assert (one.made, one.news, one.answered, one.answer) == ((), (), 0, 0)
    assert (one.number, one.asked, one.path, one.kind, one.key, one.sent) == kept
