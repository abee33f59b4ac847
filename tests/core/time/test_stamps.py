from dataclasses import replace

from core.programs import BEGIN, CHANNEL, PATH, Program
from exchanges import numbered

from chatproxy.core.model import NO_EXCHANGE, Exchange, ExchangeNumber, Headers, Request, Response
from chatproxy.core.time.causes import Causes, answered_at
from chatproxy.core.time.stamps import Stamp, body_stamps, head_stamps, recording_begin
from chatproxy.core.time.timestamps import SECOND, Spelling


def exchange(method: str = "GET", status: int = 200, headers: Headers = (), body: bytes = b"") -> Exchange:
    response = Response(status, b"", headers, body)
    return numbered(1, Request(method, PATH.encode()), response, "https://x", BEGIN, BEGIN + 300_000)


def test_a_stamp_comes_back_from_a_slots_argument() -> None:
    for stamp in (Stamp(BEGIN, ExchangeNumber(7), Spelling(0, 3)), Stamp(-SECOND, NO_EXCHANGE, Spelling(2))):
        assert Stamp.unpack(stamp.pack()) == stamp


def test_a_stamps_text_is_the_recorded_one() -> None:
    assert Stamp(BEGIN, ExchangeNumber(7), Spelling(0)).text() == b"2026-01-01T00:00:00Z"


def test_law_8_the_instants_of_an_answer_stand_in_date_fields_and_date_headers() -> None:
    program = Program()
    program.create()
    created = program.exchanges[0]
    causes = Causes()
    causes.learn(created, 0, 1)
    in_body = list(body_stamps(created, causes))
    texts = [created.response.body[found.start : found.end] for found in in_body]
    assert texts == [b"2026-01-01T00:00:00Z", b"2026-01-01T00:00:00Z"]
    assert {found.stamp.cause for found in in_body} == {1}
    head = b"X-Date: Thu, 01 Jan 2026 00:00:00 GMT\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nDate: yesterday\r\n"
    (date,) = head_stamps(head, created, causes)
    assert head[: date.start].endswith(b"\r\ndate: ")
    assert date.is_now


def test_law_7_last_modified_has_the_cause_of_the_date_field_with_its_moment() -> None:
    program = Program()
    program.create()
    causes = Causes()
    causes.learn(program.exchanges[0], 0, 1)
    head = b"Last-Modified: 2026-01-01T00:00:00Z\r\nLast-Modified: 2025-01-01T00:00:00Z\r\n"
    same, other = head_stamps(head, program.exchanges[0], causes)
    assert (same.stamp.cause, other.stamp.cause) == (1, 0)
    assert not same.is_now


def test_the_upstreams_clock_is_read_from_its_date_header() -> None:
    dated = exchange(headers=((b"date", b"Thu, 01 Jan 2026 01:00:00 GMT"),))
    assert answered_at(dated) == BEGIN + 3600 * SECOND
    assert answered_at(exchange()) == BEGIN + 300_000
    assert answered_at(exchange(headers=((b"date", b"soon"),))) == BEGIN + 300_000


def test_a_recording_begins_when_its_first_request_came_by_the_upstreams_clock() -> None:
    assert recording_begin(exchange()) == BEGIN
    dated = exchange(headers=((b"Date", b"Thu, 01 Jan 2026 01:00:00 GMT"),))
    assert recording_begin(dated) == BEGIN + 3599 * SECOND
    assert recording_begin(replace(dated, asked=dated.answered)) == BEGIN + 3600 * SECOND


def test_a_unique_name_is_no_object() -> None:
    assert list(body_stamps(exchange(body=CHANNEL.encode()), Causes())) == []
