import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.causes import Causes, date_fields
from chatproxy.core.model import Exchange, Headers, Request, Response
from chatproxy.core.timestamps import SECOND, Spelling, spell_instant
from chatproxy.sandbox.calls import Call, Target
from chatproxy.sandbox.messages import ApiError, Messages
from chatproxy.sandbox.operations import answer, refusal

ACCOUNT, SERVICE, CHANNEL = "AC" + "1" * 32, "IS" + "2" * 32, "CH" + "3" * 32
PATH = f"/v1/Services/{SERVICE}/Channels/{CHANNEL}/Messages"
JSON: Headers = ((b"Content-Type", b"application/json; charset=utf-8"),)
BEGIN = 1_767_225_600 * SECOND


@dataclass
class Program:
    """Calls the sandbox one request after another, and remembers which write really set which instant."""

    messages: Messages = field(default_factory=lambda: Messages(0))
    exchanges: list[Exchange] = field(default_factory=list)
    sids: list[str] = field(default_factory=list)
    now: int = BEGIN
    set_by: dict[tuple[str, str], int] = field(default_factory=dict)
    truth: dict[int, dict[tuple[str, str], int | None]] = field(default_factory=dict)

    def call(self, method: str, sid: str | None = None, **form: str) -> Exchange:
        self.now += 1
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.now)
        try:
            target = Target(PATH, SERVICE, CHANNEL, sid)
            given = answer(self.messages, Call(method, ACCOUNT, target, "https://chat.twilio.com", {}, form), moment)
        except ApiError as error:
            given = refusal(error)
        path = (f"{PATH}/{sid}" if sid else PATH).encode()
        number = len(self.exchanges) + 1
        exchange = Exchange(
            number,
            Request(method, path, body=urlencode(form).encode()),
            Response(given.status, b"", (*JSON, (b"Date", spell_instant(self.now, Spelling(1)))), given.body),
            "https://chat.twilio.com",
            self.now,
            self.now,
        )
        self.exchanges.append(exchange)
        return exchange

    def create(self) -> None:
        made = self.call("POST", Body="hello")
        sid = json.loads(made.response.body)["sid"]
        self.sids.append(sid)
        self.set_by[sid, "date_created"] = self.set_by[sid, "date_updated"] = made.number
        self.note(made)

    def update(self, sid: str, form: dict[str, str]) -> None:
        updated = self.call("POST", sid, **form)
        if updated.response.status == 200 and form:
            self.set_by[sid, "date_updated"] = updated.number
        self.note(updated)

    def note(self, exchange: Exchange) -> None:
        found = {(field.sid.decode(), field.name.decode()) for field in date_fields(exchange)}
        self.truth[exchange.number] = {place: self.set_by.get(place) for place in found}


def found_causes(exchanges: list[Exchange]) -> dict[int, dict[tuple[str, str], int | None]]:
    causes = Causes()
    for exchange in exchanges:
        causes.learn(exchange)
    return {
        exchange.number: {
            (field.sid.decode(), field.name.decode()): causes.of(exchange.number, field)
            for field in date_fields(exchange)
        }
        for exchange in exchanges
    }


_steps = st.tuples(
    st.sampled_from(["create", "update", "fetch", "list", "delete"]),
    st.integers(0, 3),
    st.sampled_from([{"Body": "a"}, {"Body": "b"}, {"Attributes": "[1]"}, {}]),
    st.sampled_from([0, SECOND // 3, 2 * SECOND]),
)


@given(st.lists(_steps, max_size=20))
def test_law_7_the_cause_of_an_instant_is_the_write_that_set_it(
    steps: list[tuple[str, int, dict[str, str], int]],
) -> None:
    program = Program()
    program.create()
    for operation, which, form, pause in steps:
        program.now += pause
        sid = program.sids[which % len(program.sids)]
        if operation == "create":
            program.create()
        elif operation == "update":
            program.update(sid, form)
        elif operation == "fetch":
            program.note(program.call("GET", sid))
        elif operation == "list":
            program.note(program.call("GET"))
        else:
            program.note(program.call("DELETE", sid))
    assert found_causes(program.exchanges) == program.truth


def shown(number: int, request: Request, status: int = 200, asked: int = 0, **values: object) -> Exchange:
    body = json.dumps(values).encode()
    moment = BEGIN + number * SECOND
    return Exchange(
        number, request, Response(status, b"", JSON, body), "https://chat.twilio.com", asked or moment, moment
    )


SID = "IM" + "4" * 32
CREATE, LIST = Request("POST", PATH.encode()), Request("GET", PATH.encode())
FETCH, UPDATE = Request("GET", f"{PATH}/{SID}".encode()), Request("POST", f"{PATH}/{SID}".encode(), body=b"Body=a")
EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"


def test_law_7_a_read_that_shows_the_effect_of_a_write_answered_later_has_that_write_as_cause() -> None:
    seen = shown(1, LIST, sid=SID, date_created=EARLY)
    created = shown(2, CREATE, asked=BEGIN, sid=SID, date_created=EARLY)
    assert found_causes([seen, created])[1] == {(SID, "date_created"): 2}


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
    read = shown(2, FETCH, sid=SID, date_updated=EARLY, body="a")
    two = shown(3, UPDATE, sid=SID, date_updated=EARLY, body="b", more=1)
    again = shown(4, FETCH, sid=SID, date_updated=EARLY, body="b")
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
