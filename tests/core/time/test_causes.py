import json
from dataclasses import replace

import pytest
from core.programs import BEGIN, JSON, PATH, Program, places_of, programs
from exchanges import numbered
from hypothesis import given

from chatproxy.core.model import Exchange, ExchangeNumber, Request, Response
from chatproxy.core.time.causes import Causes, date_fields, sure_of
from chatproxy.core.time.timestamps import SECOND


def found_causes(exchanges: list[Exchange]) -> dict[int, dict[tuple[str, str], int | None]]:
    causes = Causes()
    places = places_of(exchanges)
    for exchange, where in zip(exchanges, places, strict=True):
        causes.learn(exchange, where.timeline, where.epoch)
    return {
        exchange.number: {
            (field.sid.decode(), field.name.decode()): causes.of(exchange.number, field)
            for field in date_fields(exchange)
        }
        for exchange in exchanges
    }


@given(programs)
def test_law_7_the_cause_of_an_instant_is_the_write_that_set_it(program: Program) -> None:
    assert found_causes(program.exchanges) == program.truth


def shown(number: int, request: Request, status: int = 200, asked: int = 0, **values: object) -> Exchange:
    body = json.dumps(values).encode()
    moment = BEGIN + number * SECOND
    headers = (*JSON, (b"Date", b"Thu, 01 Jan 2026 00:00:00 GMT"))
    return numbered(
        number, request, Response(status, b"", headers, body), "https://chat.twilio.com", asked or moment, moment
    )


SID = "IM" + "4" * 32
CREATE, LIST = Request("POST", PATH.encode()), Request("GET", PATH.encode())
FETCH, UPDATE = Request("GET", f"{PATH}/{SID}".encode()), Request("POST", f"{PATH}/{SID}".encode(), body=b"Body=a")
EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"


def test_law_7_a_read_that_shows_the_effect_of_a_write_answered_later_has_that_write_as_cause() -> None:
    seen = shown(1, LIST, sid=SID, date_created=EARLY)
    created = shown(2, CREATE, asked=BEGIN, sid=SID, date_created=EARLY)
    assert found_causes([seen, created])[1] == {(SID, "date_created"): 2}


def test_law_7_a_read_that_shows_an_update_of_the_same_second_has_that_update_as_cause() -> None:
    created = shown(1, CREATE, sid=SID, date_updated=EARLY, body="b")
    fetched = shown(2, FETCH, sid=SID, date_updated=EARLY, body="a")
    updated = shown(3, UPDATE, asked=created.answered + 1, sid=SID, date_updated=EARLY, body="a")
    causes = found_causes([created, fetched, updated])
    assert [causes[number][SID, "date_updated"] for number in (1, 2, 3)] == [1, 3, 3]


def test_law_7_an_object_shown_in_another_collection_has_the_last_write_answered_before() -> None:
    channel = "CH" + "5" * 32
    made = shown(1, Request("POST", b"/v1/Services/IS1/Channels"), sid=channel, date_created=EARLY)
    seen = shown(2, Request("GET", b"/v1/Users/US1/Channels"), sid=channel, date_created=EARLY)
    assert found_causes([made, seen])[2] == {(channel, "date_created"): 1}


def test_law_7_an_update_sets_nothing_but_what_it_changes_in_an_object_older_than_the_recording() -> None:
    fetched = shown(1, FETCH, sid=SID, date_created=EARLY, date_updated=EARLY)
    updated = shown(2, UPDATE, sid=SID, date_created=EARLY, date_updated=LATE)
    causes = found_causes([fetched, updated])
    assert causes[1] == {(SID, "date_created"): None, (SID, "date_updated"): None}
    assert causes[2] == {(SID, "date_created"): None, (SID, "date_updated"): 2}


def test_law_7_a_write_that_failed_or_shows_no_object_sets_nothing() -> None:
    failed = shown(1, CREATE, 500, sid=SID, date_created=EARLY)
    nameless = shown(2, CREATE, date_created=EARLY)
    assert found_causes([failed, nameless]) == {1: {(SID, "date_created"): None}, 2: {("", "date_created"): None}}


def test_law_7_of_two_updates_within_a_second_each_read_has_the_one_before_it() -> None:
    one = shown(1, UPDATE, sid=SID, date_updated=EARLY, body="a", from_=None)
    read = replace(shown(2, FETCH, sid=SID, date_updated=EARLY, body="a"), after=ExchangeNumber(1))
    two = replace(shown(3, UPDATE, sid=SID, date_updated=EARLY, body="b", more=1), after=ExchangeNumber(1))
    again = replace(shown(4, FETCH, sid=SID, date_updated=EARLY, body="b"), after=ExchangeNumber(3))
    causes = found_causes([one, read, two, again])
    assert [causes[number][SID, "date_updated"] for number in (1, 2, 3, 4)] == [1, 1, 3, 3]


def test_law_8_instants_stand_in_date_fields_only() -> None:
    exchange = shown(1, FETCH, sid=SID, date_created=EARLY, body=EARLY, attributes=EARLY, friendly_name=EARLY)
    (field,) = date_fields(exchange)
    assert (field.sid, field.name) == (SID.encode(), b"date_created")
    assert exchange.response.body[field.start : field.end] == EARLY.encode()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"sid": 5}', b'{"sid": "\\ud800"}', b"[" * 5000])
def test_an_answer_without_an_object_has_no_instants_and_sets_none(body: bytes) -> None:
    exchange = replace(shown(1, CREATE), response=Response(201, b"", JSON, body))
    assert found_causes([exchange]) == {1: {}}
    assert list(date_fields(replace(exchange, response=Response(201, b"", (), b"{}")))) == []


def test_law_7_an_update_that_left_an_older_instant_as_it_was_did_not_set_it() -> None:
    late = ((b"Content-Type", b"application/json"), (b"Date", b"Thu, 01 Jan 2026 00:00:09 GMT"))
    created = shown(1, CREATE, sid=SID, date_updated=EARLY)
    updated = shown(2, UPDATE, sid=SID, date_updated=EARLY)
    without_effect = replace(updated, response=replace(updated.response, headers=late))
    assert found_causes([created, without_effect])[2] == {(SID, "date_updated"): 1}
    assert found_causes([created, updated])[2] == {(SID, "date_updated"): 2}


@given(programs)
def test_what_is_set_for_certain_and_what_is_updated_are_all_that_counts(program: Program) -> None:
    exchanges, places = program.exchanges, places_of(program.exchanges)
    sure = [sure_of(exchange) for exchange in exchanges]
    updated = {sid for _, sids in sure for sid in sids}
    standing = {one.number: where for one, where in zip(exchanges, places, strict=True)}
    causes, quick = Causes(updated, standing), Causes(updated, standing)
    for exchange, where, (values, _) in zip(exchanges, places, sure, strict=True):
        causes.learn(exchange, where.timeline, where.epoch)
        quick.learn_sure(exchange.number, values)
    expected = found_causes(exchanges)
    for learnt in (causes,) if updated else (causes, quick):
        for exchange in exchanges:
            assert expected[exchange.number] == {
                (one.sid.decode(), one.name.decode()): learnt.of(exchange.number, one) for one in date_fields(exchange)
            }


def test_a_cause_is_settled_where_one_write_at_most_set_the_instant() -> None:
    created = shown(1, CREATE, sid=SID, date_updated=EARLY)
    updated = shown(2, UPDATE, asked=created.answered + 1, sid=SID, date_updated=EARLY, body="a")
    causes = Causes()
    (one,) = date_fields(created)
    assert causes.is_settled(one)
    causes.learn(created, 0, 1)
    assert causes.is_settled(one)
    causes.learn(updated, 0, 2)
    assert not causes.is_settled(one)
