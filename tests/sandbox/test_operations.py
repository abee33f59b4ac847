import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatproxy.sandbox.calls import Call, Target
from chatproxy.sandbox.messages import ApiError, Messages
from chatproxy.sandbox.operations import answer, refusal

ACCOUNT, SERVICE, CHANNEL = "AC" + "a" * 32, "IS" + "a" * 32, "CH" + "a" * 32
PATH = f"/Services/{SERVICE}/Channels/{CHANNEL}/Messages"
ROOT = "https://chat.twilio.com"
CREATED = datetime(2016, 3, 24, 20, 37, 57, 999_999, tzinfo=UTC)


@pytest.fixture
def messages() -> Messages:
    return Messages(seed=0)


def call(method: str, sid: str | None = None, **parts: dict[str, str]) -> Call:
    target = Target(f"{PATH}/{sid}" if sid else PATH, SERVICE, CHANNEL, sid)
    return Call(method, ACCOUNT, target, ROOT, **parts)


def created(messages: Messages, **form: str) -> dict[str, Any]:
    made = answer(messages, call("POST", form={"Body": "Hello", **form}), CREATED)
    assert made.status == 201
    return dict(json.loads(made.body))


def text_of(sid: str, **changed: str) -> str:
    """The reference's example of a fetched message, byte for byte but for its SID and what ``changed`` says."""
    values = {"attributes": '"{}"', "was_edited": "false", "body": '"Hello"', "date_updated": "2016-03-24T20:37:57Z"}
    values |= changed
    return (
        f'{{"sid": "{sid}", "account_sid": "{ACCOUNT}", "service_sid": "{SERVICE}", "to": "{CHANNEL}", '
        f'"channel_sid": "{CHANNEL}", "date_created": "2016-03-24T20:37:57Z", '
        f'"date_updated": "{values["date_updated"]}", "was_edited": {values["was_edited"]}, "from": "system", '
        f'"attributes": {values["attributes"]}, "body": {values["body"]}, "index": 0, '
        f'"url": "{ROOT}/v1{PATH}/{sid}"}}'
    )


def test_fetch_has_the_references_bytes(messages: Messages) -> None:
    sid = created(messages)["sid"]
    fetched = answer(messages, call("GET", sid), CREATED)
    assert (fetched.status, fetched.body.decode()) == (200, text_of(sid))


def test_create_has_the_references_bytes_and_no_attributes(messages: Messages) -> None:
    made = answer(messages, call("POST", form={"Body": "Hello", "Attributes": '{"a":1}'}), CREATED)
    sid = json.loads(made.body)["sid"]
    assert (made.status, made.body.decode()) == (201, text_of(sid, attributes="null"))
    assert json.loads(answer(messages, call("GET", sid), CREATED).body)["attributes"] == '{"a":1}'


def test_update_has_the_references_bytes(messages: Messages) -> None:
    sid = created(messages)["sid"]
    form = {"Body": "MESSAGE", "Attributes": '{"test": "test"}', "From": "ignored"}
    updated = answer(messages, call("POST", sid, form=form), CREATED + timedelta(seconds=1))
    expected = text_of(
        sid,
        attributes=r'"{\"test\": \"test\"}"',
        was_edited="true",
        body='"MESSAGE"',
        date_updated="2016-03-24T20:37:58Z",
    )
    assert (updated.status, updated.body.decode()) == (200, expected)


def test_list_has_the_references_bytes_and_no_attributes(messages: Messages) -> None:
    sid = created(messages)["sid"]
    listed = answer(messages, call("GET", query={"PageSize": "50", "Page": "0"}), CREATED)
    url = f"{ROOT}/v1{PATH}?PageSize=50&Page=0"
    assert listed.body.decode() == (
        f'{{"meta": {{"page": 0, "page_size": 50, "first_page_url": "{url}", "previous_page_url": null, '
        f'"url": "{url}", "next_page_url": null, "key": "messages"}}, '
        f'"messages": [{text_of(sid, attributes="null")}]}}'
    )


def test_text_beyond_ascii_is_escaped(messages: Messages) -> None:
    sid = created(messages, Body="h\u00e9 \U0001f600 \0")["sid"]
    assert rb'"body": "h\u00e9 \ud83d\ude00 \u0000"' in answer(messages, call("GET", sid), CREATED).body


def test_delete_answers_with_nothing_and_once(messages: Messages) -> None:
    sid = created(messages)["sid"]
    gone = answer(messages, call("DELETE", sid), CREATED)
    assert (gone.status, gone.body) == (204, b"")
    for method in ("GET", "HEAD", "POST", "DELETE"):
        with pytest.raises(ApiError, match=f"The requested resource {PATH}/{sid} was not found") as caught:
            answer(messages, call(method, sid), CREATED)
        assert (caught.value.status, caught.value.code) == (404, 20404)


def test_a_list_is_in_the_order_asked_for(messages: Messages) -> None:
    for number in range(5):
        created(messages, Body=str(number))
    for order, first in (("asc", "0"), ("desc", "4")):
        page = json.loads(answer(messages, call("GET", query={"PageSize": "2", "Order": order}), CREATED).body)
        assert page["messages"][0]["body"] == first
        assert page["meta"]["next_page_url"].endswith(f"?Order={order}&PageSize=2&Page=1&PageToken=PT2")


@pytest.mark.parametrize(
    ("method", "sid", "allowed"),
    [
        ("PUT", None, "HEAD, GET, POST"),
        ("DELETE", None, "HEAD, GET, POST"),
        ("OPTIONS", None, "HEAD, GET, POST"),
        ("PATCH", "IM", "HEAD, GET, POST, DELETE"),
        ("BREW", "IM", "HEAD, GET, POST, DELETE"),
    ],
)
def test_a_wrong_method_is_refused(messages: Messages, method: str, sid: str | None, allowed: str) -> None:
    with pytest.raises(ApiError, match="Method not allowed") as caught:
        answer(messages, call(method, sid), CREATED)
    assert (caught.value.status, caught.value.code, caught.value.headers) == (405, 20004, {"Allow": allowed})


def test_an_error_is_told_in_twilios_json() -> None:
    told = refusal(ApiError(404, "Gone", 20404, {"X": "y"}))
    assert (told.status, told.headers) == (404, {"X": "y"})
    assert told.body == (
        b'{"code": 20404, "message": "Gone", "more_info": "https://www.twilio.com/docs/errors/20404", "status": 404}'
    )
