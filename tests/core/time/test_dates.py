import json

import pytest
from exchanges import numbered

from chatproxy.core.model import Exchange, Headers, Request, Response
from chatproxy.core.time.dates import answered_at, date_fields
from chatproxy.core.time.timestamps import SECOND

BEGIN = 1_767_225_600 * SECOND
JSON: Headers = ((b"Content-Type", b"application/json"),)
SID, EARLY = "IM" + "4" * 32, "2026-01-01T00:00:00Z"


def answered(body: bytes, headers: Headers = JSON) -> Exchange:
    return numbered(1, Request("GET", b"/v1/a"), Response(200, b"", headers, body), "https://x", BEGIN, BEGIN + 300_000)


def test_law_8_instants_stand_in_date_fields_only() -> None:
    exchange = answered(
        json.dumps(
            {"sid": SID, "date_created": EARLY, "body": EARLY, "attributes": EARLY, "friendly_name": EARLY}
        ).encode()
    )
    (field,) = date_fields(exchange)
    assert field.known_by == (SID.encode(), b"date_created", BEGIN)
    assert exchange.response.body[field.start : field.end] == EARLY.encode()


def test_an_instant_is_of_the_answer_itself_or_of_an_object_in_it() -> None:
    inner = {"sid": SID, "date_created": EARLY}
    found = list(date_fields(answered(json.dumps({"items": [inner], "date_updated": EARLY}).encode())))
    assert [(one.sid, one.is_root) for one in found] == [(SID.encode(), False), (b"", True)]
    (flat,) = date_fields(answered(json.dumps(inner).encode()))
    assert flat.is_root


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"sid": 5}', b'{"sid": "\\ud800"}', b"[" * 5000])
def test_an_answer_without_an_object_has_no_instants(body: bytes) -> None:
    assert list(date_fields(answered(body))) == []


def test_what_is_no_json_has_no_date_fields() -> None:
    assert list(date_fields(answered(b'{"date_created": "2026-01-01T00:00:00Z"}', ()))) == []


def test_the_upstreams_clock_is_read_from_its_date_header() -> None:
    assert answered_at(answered(b"", ((b"date", b"Thu, 01 Jan 2026 01:00:00 GMT"),))) == BEGIN + 3600 * SECOND
    assert answered_at(answered(b"")) == BEGIN + 300_000
    assert answered_at(answered(b"", ((b"date", b"soon"),))) == BEGIN + 300_000
