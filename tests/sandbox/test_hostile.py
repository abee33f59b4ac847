"""Whatever comes in, the sandbox answers with a message, a list or Twilio's error JSON, and never with a 500."""

import asyncio
import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import RawTestServer
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import many

from chatproxy.sandbox import Sandbox

ACCOUNT, SERVICE, CHANNEL = "AC" + "a" * 32, "IS" + "a" * 32, "CH" + "a" * 32
PATH = f"/v1/Services/{SERVICE}/Channels/{CHANNEL}/Messages"
BASIC = "Basic " + base64.b64encode(f"{ACCOUNT}:secret".encode()).decode()
FIRST_SID = "IMfce3cc5b772220162ceb1bde170c490a"
MESSAGE_KEYS = ["sid", "account_sid", "service_sid", "to", "channel_sid", "date_created", "date_updated"]
MESSAGE_KEYS += ["was_edited", "from", "attributes", "body", "index", "url"]


def request_of(
    method: str, target: str, body: bytes = b"", authorization: str = BASIC, headers: tuple[str, ...] = ("Host: box",)
) -> bytes:
    lines = (f"{method} {target} HTTP/1.1", *headers, f"Authorization: {authorization}", "Connection: close")
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


async def exchanged(requests: list[bytes]) -> list[tuple[int, bytes]]:
    """Send each request to the same sandbox; return statuses and bodies."""
    answers = []
    async with RawTestServer(Sandbox().handle) as server:
        for request in requests:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(request)
            async with asyncio.timeout(10):
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            answers.append((int(head.split()[1]), body))
    return answers


def assert_error(status: int, body: bytes) -> None:
    error = json.loads(body)
    assert error["status"] == status
    assert list(error) in (["code", "message", "more_info", "status"], ["code", "message", "status"])


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (request_of("POST", PATH, b"Body=hi", headers=("Host: box", "Content-Encoding: gzip")), 400),
        (request_of("POST", PATH, b"Body=x&Padding=" + b"p" * 2**20), 413),
        (request_of("GET", "/v1/%00"), 404),
        (request_of("GET", "http://box:80/v1"), 404),
        (request_of("OPTIONS", "*"), 404),
        (request_of("CONNECT", "box:80"), 404),
        (request_of("GET", PATH, headers=("Host: a b",)), 400),
        (request_of("GET", f"{PATH}?PageSize=1{'0' * 5000}"), 400),
        (request_of("GET", f"{PATH}?PageToken=PT{'9' * 5000}"), 400),
        (request_of("GET", f"{PATH}?Page=%FF"), 400),
        (request_of("GET", f"{PATH}/%FF"), 404),
        (request_of("POST", PATH, b"Body=%FF"), 400),
        (request_of("POST", PATH, b'{"Body": "x"}', headers=("Host: box", "Content-Type: application/json")), 400),
        (request_of("POST", PATH, b"Body=x&Attributes=" + b"[" * 4096), 400),
        (request_of("POST", PATH, b"Body=" + b"&" * 10**6), 400),
        (request_of("POST", PATH, b"Body=%00&From=%00"), 201),
        (request_of("GET", PATH, authorization="Basic " + "A" * 4000), 401),
    ],
)
async def test_a_hostile_request_gets_a_plain_answer(request_bytes: bytes, status: int) -> None:
    [(answered, body)] = await exchanged([request_bytes])
    assert answered == status
    if status == 201:
        assert list(json.loads(body)) == MESSAGE_KEYS
    else:
        assert_error(status, body)


async def test_a_client_that_leaves_while_it_sends_has_no_effect() -> None:
    async with RawTestServer(Sandbox().handle) as server:
        _, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(request_of("POST", PATH, b"Body=x" * 9)[:-1])
        await writer.drain()
        writer.transport.abort()
        async with (
            ClientSession(headers={"Authorization": BASIC}) as client,
            client.get(server.make_url(PATH)) as listed,
        ):
            assert (await listed.json())["messages"] == []


anything = st.binary(max_size=20) | st.text(max_size=20).map(lambda text: text.encode(errors="replace"))
escaped = anything.map(quote)
segments = st.sampled_from([SERVICE, CHANNEL, "general", FIRST_SID, "v1", "Services", "Channels", "Messages"]) | escaped
paths = st.one_of(
    st.just(PATH),
    st.just(f"{PATH}/{FIRST_SID}"),
    st.builds("/v1/Services/{}/Channels/{}/Messages".format, segments, segments),
    st.builds("/v1/Services/{}/Channels/{}/Messages/{}".format, segments, segments, segments),
    st.lists(segments, max_size=8).map(lambda parts: "/" + "/".join(parts)),
)
names = st.sampled_from(["PageSize", "Page", "PageToken", "Order", "Body", "From", "Attributes"]) | escaped
values = st.sampled_from(["1", "0", "-1", "PT1", "asc", "desc", "{}", "%7B%22a%22%3A1%7D", "1" * 30]) | escaped
pairs = st.lists(st.builds("{}={}".format, names, values), max_size=4).map("&".join)
requests = st.builds(
    request_of,
    st.sampled_from(["GET", "POST", "POST", "DELETE", "HEAD", "PUT", "OPTIONS", "PATCH"]),
    st.builds("{}?{}".format, paths, pairs),
    pairs.map(str.encode) | anything,
    st.sampled_from([BASIC] * 9 + ["Basic", "Basic !"]),
)


@settings(max_examples=many(60))
@given(st.lists(requests, min_size=1, max_size=20))
def test_any_requests_get_well_formed_answers(sent: list[bytes]) -> None:
    create = request_of("POST", PATH, b"Body=first")
    for request, (status, body) in zip([create, *sent], asyncio.run(exchanged([create, *sent])), strict=True):
        assert status in (200, 201, 204, 400, 401, 404, 405)
        if status == 204 or request.startswith(b"HEAD"):
            assert body == b""
        elif status >= 400:
            assert_error(status, body)
        else:
            assert_message_or_list(json.loads(body))


def assert_message_or_list(value: dict[str, Any]) -> None:
    assert all(list(message) == MESSAGE_KEYS for message in value.get("messages", [value]))


def test_the_first_sid_above_is_the_first_of_the_sandbox() -> None:
    [(_, body)] = asyncio.run(exchanged([request_of("POST", PATH, b"Body=first")]))
    assert json.loads(body)["sid"] == FIRST_SID
