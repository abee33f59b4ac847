from dataclasses import replace

from core.programs import BEGIN, CHANNEL, PATH, Program
from exchanges import numbered

from chatproxy.core.model import Exchange, Headers, Request, Response
from chatproxy.core.time.instants import UNKNOWN, Instant, Instants
from chatproxy.core.time.stamps import Stamp, body_stamps, head_stamps
from chatproxy.core.time.timestamps import SECOND, Spelling


def exchange(method: str = "GET", status: int = 200, headers: Headers = (), body: bytes = b"") -> Exchange:
    response = Response(status, b"", headers, body)
    return numbered(1, Request(method, PATH.encode()), response, "https://x", BEGIN, BEGIN + 300_000)


def learnt(*exchanges: Exchange) -> Instants:
    instants = Instants()
    for one in exchanges:
        instants.learn(one)
    instants.settle()
    return instants


def test_a_stamp_comes_back_from_a_slots_argument() -> None:
    for stamp in (
        Stamp(BEGIN, Instant(7, 2**31 - 1, own=True), Spelling(46_083, 3)),
        Stamp(-SECOND, Instant(2**32 - 1, -(2**31)), Spelling(2)),
    ):
        assert Stamp.unpack(stamp.pack()) == stamp


def test_a_stamps_text_is_the_recorded_one() -> None:
    assert Stamp(BEGIN, UNKNOWN, Spelling(0)).text() == b"2026-01-01T00:00:00Z"


def test_law_8_the_instants_of_an_answer_stand_in_date_fields_and_date_headers() -> None:
    program = Program()
    program.create()
    created = program.exchanges[0]
    instants = learnt(created)
    in_body = list(body_stamps(created, instants))
    texts = [created.response.body[found.start : found.end] for found in in_body]
    assert texts == [b"2026-01-01T00:00:00Z", b"2026-01-01T00:00:00Z"]
    assert [found.stamp.instant for found in in_body] == [Instant(1, 0, own=True), Instant(2, 0, own=True)]
    head = b"X-Date: Thu, 01 Jan 2026 00:00:00 GMT\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nDate: yesterday\r\n"
    (date,) = head_stamps(head, created, instants)
    assert head[: date.start].endswith(b"\r\ndate: ")
    assert date.is_now


def test_law_8_a_time_that_tells_of_the_answer_keeps_its_distance_to_the_answer() -> None:
    dated = exchange(headers=((b"Date", b"Thu, 01 Jan 2026 00:00:00 GMT"),))
    head = b"Expires: Thu, 01 Jan 2026 00:01:30 GMT\r\nretry-after: Wed, 31 Dec 2025 23:59:59 GMT\r\nRetry-After: 5\r\n"
    found = list(head_stamps(head, dated, learnt(dated)))
    assert [(one.is_now, one.stamp.instant.rank) for one in found] == [(True, 90), (True, -1)]
    never = b"Expires: Fri, 31 Dec 9999 23:59:59 GMT\r\n"
    assert list(head_stamps(never, dated, learnt(dated))) == []


def test_law_7_last_modified_is_the_date_field_with_its_moment() -> None:
    program = Program()
    program.create()
    created = program.exchanges[0]
    modified = (b"Last-Modified", b"Thu, 01 Jan 2026 01:00:00 GMT")
    created = replace(created, response=replace(created.response, headers=(*created.response.headers, modified)))
    head = b"Last-Modified: 2026-01-01T00:00:00Z\r\nLast-Modified: %b\r\n" % modified[1]
    same, other = head_stamps(head, created, learnt(created))
    assert (same.stamp.instant.own, other.stamp.instant) == (True, Instant(3, 1))
    assert not same.is_now


def test_a_unique_name_is_no_object() -> None:
    assert list(body_stamps(exchange(body=CHANNEL.encode()), Instants())) == []
