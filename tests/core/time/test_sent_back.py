import json
from collections.abc import Iterable

from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Headers, Request
from chatproxy.core.time.sent_back import Reading, readings, repeated, times_in
from chatproxy.core.time.timestamps import SECOND, Spelled, read_instant

PATH = b"/v1/Services/IS1/Channels/CH1/Messages"
FORM: Headers = ((b"Content-Type", b"application/x-www-form-urlencoded"),)
ONE, OTHER = "2026-02-01T10:00:00Z", "2026-02-01T10:00:07Z"
RECORDED = {ONE: ["2016-01-01T00:00:00Z"], OTHER: ["2016-01-01T00:00:05Z", "2016-01-01T00:00:06Z"]}


def moment(text: str) -> int:
    found = read_instant(text.encode())
    assert found is not None
    return found.moment


def recorded(served: Spelled) -> Iterable[int]:
    return [moment(one) for text, ones in RECORDED.items() if moment(text) == served.moment for one in ones]


def read(target: bytes = PATH, body: bytes = b"", headers: Headers = FORM) -> list[Reading]:
    return readings(normalize(Request("POST", target, headers, body), Rules()), recorded)


def test_law_7_a_whole_value_of_query_or_form_is_turned_back() -> None:
    (found,) = read(PATH + b"?Since=2026-02-01T10%3A00%3A00Z&a=1", b"From=b&At=" + ONE.encode())
    assert found.form.query == (b"Since=2016-01-01T00:00:00Z", b"a=1")
    assert found.form.body == (b"At=2016-01-01T00:00:00Z", b"From=b")
    assert found.sent == {b"2016-01-01T00:00:00Z": ONE.encode()}


def test_law_7_a_string_in_a_value_that_is_json_is_turned_back() -> None:
    attributes = (
        json.dumps({"seen": [ONE, 1], ONE: "at " + ONE, "b&": "%"}).encode().replace(b"%", b"%25").replace(b"&", b"%26")
    )
    (found,) = read(body=b"Attributes=" + attributes)
    form = normalize(
        Request("POST", PATH, FORM, b"Attributes=" + attributes.replace(b'["2026-02-01T10', b'["2016-01-01T00')),
        Rules(),
    )
    assert found.form == form


def test_law_7_a_time_keeps_the_spelling_in_which_it_is_sent() -> None:
    (found,) = read(body=b"At=Sun%2C+01+Feb+2026+15%3A30%3A00+%2B0530")
    assert found.form.body == (b"At=Fri, 01 Jan 2016 05:30:00 +0530",)


def test_law_7_each_recorded_instant_of_a_second_is_a_reading() -> None:
    found = read(PATH + b"?a=" + OTHER.encode() + b"&b=" + ONE.encode() + b"&c=" + OTHER.encode())
    assert len(found) == 4
    assert {one.form.query[0] for one in found} == {b"a=2016-01-01T00:00:05Z", b"a=2016-01-01T00:00:06Z"}
    assert all(one.form.query[1] == b"b=2016-01-01T00:00:00Z" for one in found)


def test_law_7_what_was_not_served_or_is_not_a_whole_string_is_not_turned_back() -> None:
    assert read(PATH + b"?a=2026-02-01T10:00:01Z&b=at+" + ONE.encode(), b"At=[2026]&c") == []
    assert read(body=json.dumps({"at": ONE}).encode(), headers=((b"Content-Type", b"application/json"),)) == []


def test_too_many_readings_are_none() -> None:
    assert len(read(PATH + b"?" + b"&".join(b"a=" + OTHER.encode() for _ in range(8)))) == 256
    assert read(PATH + b"?" + b"&".join(b"a=" + OTHER.encode() for _ in range(9))) == []


def test_law_7_where_an_answer_repeats_a_time_it_stands_as_it_was_sent() -> None:
    sent = {b"2016-01-01T00:00:00+01:00": b"2026-02-01T10:00:00+01:00"}
    text = (
        b'{"body": "2016-01-01T00:00:00+01:00", "attributes": "{\\"a\\":\\"2016-01-01T00:00:00+01:00\\"}", '
        b'"other": "at 2016-01-01T00:00:00+01:00", "url": "/a?s=2016-01-01T00%%3A00%%3A00%%2B01%%3A00&b=1", '
        b'"next": "/a?s=2016-01-01T00%%3A00%%3A00%%2B01%%3A00"}'
    )
    assert repeated(text, sent, "%%") == text.replace(b"2016-01-01T00", b"2026-02-01T10").replace(
        b"at 2026-02-01T10", b"at 2016-01-01T00"
    )
    assert repeated(text.replace(b"%%", b"%"), sent) == repeated(text, sent, "%%").replace(b"%%", b"%")


def test_law_7_a_repeated_time_is_turned_once_though_it_becomes_another_that_was_recorded() -> None:
    first, second, third = (b"2016-01-01T00:00:0%d.5Z" % number for number in range(3))
    sent = {first: second, second: third}
    assert repeated(b'["%b", "%b"]' % (first, second), sent) == b'["%b", "%b"]' % (second, third)


def test_law_7_what_repeats_no_time_stays_with_each_sign() -> None:
    sent = {b"2016-01-01T00:00:00Z": b"2026-02-01T10:00:00Z"}
    text = b'{"body": "hundred per cent are 100%%%b", "url": "/a?s=2016-01-01T00%%3a00%%3a00Z"}'
    assert repeated(text, sent, "%%") == text


def test_times_stand_in_values_and_not_in_names() -> None:
    assert [time.moment for _, _, time in times_in(b"a=1970-01-01T00:00:01Z")] == [SECOND]
    assert list(times_in(b'a={"1970-01-01T00:00:01Z" : 1}')) == []


def test_law_7_the_time_of_a_condition_is_turned_back_in_its_spelling() -> None:
    headers = (*FORM, (b"If-Modified-Since", b"Sun, 01 Feb 2026 10:00:00 GMT"), (b"Range", b"bytes=0-1"))
    (found,) = read(PATH + b"?a=" + ONE.encode(), headers=headers, body=b"b=" + ONE.encode())
    back = (b"2016-01-01T00:00:00Z", b"Fri, 01 Jan 2016 00:00:00 GMT")
    assert found.form.headers == (b"if-modified-since: " + back[1], b"range: bytes=0-1")
    assert (found.form.query, found.form.body) == ((b"a=" + back[0],), (b"b=" + back[0],))
    assert found.sent[back[1]] == b"Sun, 01 Feb 2026 10:00:00 GMT"
    assert read(headers=(*FORM, (b"If-None-Match", b"a"))) == []


def test_in_a_large_request_and_of_readings_that_are_large_together_none_is_looked_at() -> None:
    one, other = b"At=" + ONE.encode(), b"&Until=" + OTHER.encode()
    assert len(read(body=one + other)) == 2
    assert len(read(body=one + other + b"&a=" + b"a" * 900_000)) == 2
    assert read(body=one + other + b"&a=" + b"a" * 1_100_000) == []
    assert len(read(body=one + b"&a=" + b"a" * 1_100_000)) == 1
    assert read(body=one + b"&a=" + b"a" * 2_000_000) == []
