import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp.plugin import AiohttpClient, AiohttpRawServer
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from yarl import URL

from chatproxy.sandbox import Sandbox, SandboxSettings

ACCOUNT, SERVICE = "AC" + "a" * 32, "IS" + "a" * 32
AUTH = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, "secret")}
PATH = f"/v1/Services/{SERVICE}/Channels/general/Messages"
LONG_FIRST_DELAY = 72
"""A seed whose first delay is nearly the longest."""

type_of_client = TestClient[Any, None]
Start = Callable[..., Awaitable[type_of_client]]


@pytest.fixture
def start(aiohttp_client: AiohttpClient, aiohttp_raw_server: AiohttpRawServer) -> Start:
    """Start a sandbox and return a client with credentials for it."""

    async def started(**settings: Any) -> type_of_client:
        sandbox = Sandbox(SandboxSettings(**settings))
        client: type_of_client = await aiohttp_client(await aiohttp_raw_server(sandbox.handle), headers=AUTH)
        return client

    return started


async def create(client: type_of_client, body: str = "Hello") -> dict[str, Any]:
    async with client.post(PATH, data={"Body": body}) as response:
        assert response.status == 201
        return dict(await response.json())


async def raw(client: type_of_client, request: bytes) -> bytes:
    """Send bytes, and return all that comes until the server closes the connection."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(request)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


def head(method: str, *lines: str, path: str = PATH) -> bytes:
    common = (f"{method} {path} HTTP/1.1", "Host: box", f"Authorization: {AUTH['Authorization']}", "Connection: close")
    return "".join(f"{line}\r\n" for line in (*common, *lines, "")).encode()


async def test_the_life_of_a_message(start: Start) -> None:
    client = await start()
    message = await create(client)
    url = URL(message["url"])
    assert url.origin() == client.make_url("/").origin()
    async with client.get(url.path) as fetched:
        assert (fetched.status, fetched.reason) == (200, "OK")
        assert await fetched.json() == {**message, "attributes": "{}"}
    async with client.post(url.path, data={"Body": "New", "Attributes": '{"a": 1}'}) as updated:
        assert (updated.status, updated.reason) == (200, "OK")
        assert (await updated.json())["attributes"] == '{"a": 1}'
    async with client.delete(url.path) as deleted:
        assert (deleted.status, deleted.reason, await deleted.read()) == (204, "NO CONTENT", b"")
        assert deleted.headers["Content-Type"] == "application/json; charset=utf-8"
    async with client.get(url.path) as gone:
        assert (gone.status, gone.reason) == (404, "NOT FOUND")


async def test_twilios_own_client_lists_three_pages_and_finds_errors(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TWILIO_EDGE", raising=False)
    monkeypatch.delenv("TWILIO_REGION", raising=False)
    client = await start(start_time=datetime(2020, 1, 1, tzinfo=UTC))

    def use() -> None:
        twilio = Client(ACCOUNT, "secret")
        twilio.chat.base_url = str(client.make_url("/")).rstrip("/")
        messages = twilio.chat.v1.services(SERVICE).channels("my channel").messages
        made = [messages.create(body=str(number), from_="bob", attributes='{"n": 1}') for number in range(5)]
        assert made[0].date_created.year == 2020
        assert [message.body for message in messages.list(page_size=2)] == list("01234")
        assert [message.index for message in messages.list(order="desc", limit=4, page_size=2)] == [4, 3, 2, 1]
        assert messages(made[0].sid).update(body="New").was_edited
        assert messages(made[0].sid).fetch().attributes == '{"n": 1}'
        assert messages(made[0].sid).delete()
        with pytest.raises(TwilioRestException) as caught:
            messages(made[0].sid).fetch()
        assert (caught.value.status, caught.value.code) == (404, 20404)
        assert len(messages.list(limit=5000)) == 4

    await asyncio.to_thread(use)


@pytest.mark.parametrize(("order", "expected"), [("asc", "01234"), ("desc", "43210")])
async def test_the_urls_of_a_list_lead_forth_and_back(start: Start, order: str, expected: str) -> None:
    client = await start()
    for number in range(5):
        await create(client, str(number))

    async def walk(url: str, onwards: str) -> tuple[str, list[str]]:
        found, urls = "", []
        following: str | None = url
        while following:
            async with client.session.get(following) as response:
                page = await response.json()
            found += "".join(message["body"] for message in page["messages"])
            urls.append(page["meta"]["url"])
            following = page["meta"][onwards]
        return found, urls

    there, urls = await walk(str(client.make_url(f"{PATH}?PageSize=2&Order={order}")), "next_page_url")
    back, urls_back = await walk(urls[-1], "previous_page_url")
    assert there == expected
    assert back == expected[4] + expected[2:4] + expected[:2]
    assert urls == urls_back[::-1]


async def test_head_is_get_without_its_body(start: Start) -> None:
    client = await start()
    await create(client)
    got, headed = [await raw(client, head(method)) for method in ("GET", "HEAD")]
    headers = [re.sub(rb"(Date|Twilio-Request-Id): .*", b"", each).partition(b"\r\n\r\n")[0] for each in (got, headed)]
    assert headers[0] == headers[1]
    assert headed.endswith(b"\r\n\r\n")


async def test_the_headers_of_an_answer(start: Start) -> None:
    client = await start(start_time=datetime(2016, 3, 24, 20, 37, 57, tzinfo=UTC))
    answer = (await raw(client, head("GET"))).partition(b"\r\n\r\n")[0].decode()
    assert re.sub(r"RQ[0-9a-f]{32}", "RQ", answer).splitlines() == [
        "HTTP/1.1 200 OK",
        "Access-Control-Allow-Credentials: true",
        "Access-Control-Allow-Headers: Accept, Authorization, Content-Type, If-Match, If-Modified-Since, "
        "If-None-Match, If-Unmodified-Since",
        "Access-Control-Allow-Methods: GET, POST, DELETE, OPTIONS",
        "Access-Control-Allow-Origin: *",
        "Access-Control-Expose-Headers: ETag",
        "Content-Type: application/json; charset=utf-8",
        "Date: Thu, 24 Mar 2016 20:37:57 GMT",
        "Strict-Transport-Security: max-age=31536000",
        "Twilio-Concurrent-Requests: 1",
        "Twilio-Request-Duration: 0.000",
        "Twilio-Request-Id: RQ",
        "X-API-Domain: chat.twilio.com",
        "X-Home-Region: us1",
        "X-Powered-By: AT-5000",
        "X-Shenanigans: none",
        "Server: chatproxy-sandbox",
        "Content-Length: 414",
        "Connection: close",
    ]


async def test_without_credentials_nothing_is_told(start: Start) -> None:
    client = await start()
    for path in (PATH, "/nowhere"):
        async with client.get(path, headers={"Authorization": "none"}) as response:
            assert (response.status, response.reason) == (401, "UNAUTHORIZED")
            assert response.headers["WWW-Authenticate"] == 'Basic realm="Twilio API"'
            assert (await response.json())["code"] == 20003


async def test_a_wrong_method_names_the_right_ones(start: Start) -> None:
    async with (await start()).put(PATH) as response:
        assert (response.status, response.reason) == (405, "METHOD NOT ALLOWED")
        assert response.headers["Allow"] == "HEAD, GET, POST"
        assert (await response.json())["code"] == 20004


async def test_the_same_seed_gives_the_same_sids(start: Start) -> None:
    first, again, other = [await create(await start(seed=seed)) for seed in (1, 1, 2)]
    assert (first["sid"], first["channel_sid"]) == (again["sid"], again["channel_sid"])
    assert first["sid"] != other["sid"]
    assert first["channel_sid"] != other["channel_sid"]


async def test_the_clock_begins_at_the_start_time_and_goes_on(start: Start) -> None:
    began = datetime(2001, 2, 3, 6, 5, 6, tzinfo=UTC).astimezone()
    message = await create(await start(start_time=began))
    created = datetime.strptime(message["date_created"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert began <= created < began + timedelta(minutes=1)


async def test_without_a_start_time_the_clock_is_the_real_one(start: Start) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    created = datetime.fromisoformat((await create(await start()))["date_created"])
    assert before <= created <= datetime.now(UTC)


async def test_a_request_has_its_effect_before_its_answer(start: Start) -> None:
    client = await start(seed=LONG_FIRST_DELAY, latency=(0.0, 30.0))

    async def listed() -> list[Any]:
        async with client.get(PATH) as response:
            assert int(response.headers["Twilio-Concurrent-Requests"]) > 1
            return list((await response.json())["messages"])

    creating = asyncio.ensure_future(create(client))
    # A body that cannot be read is answered at once: so we see that the first request has come in.
    unreadable = head("POST", "Content-Length: 7", "Content-Encoding: gzip") + b"Body=hi"
    while b"Twilio-Concurrent-Requests: 2" not in await raw(client, unreadable):
        pass
    listings = [asyncio.ensure_future(listed()) for _ in range(90)]
    try:
        assert [message["body"] for message in await next(asyncio.as_completed(listings))] == ["Hello"]
        assert not creating.done()
    finally:
        for task in (creating, *listings):
            task.cancel()
        await asyncio.gather(creating, *listings, return_exceptions=True)


async def test_every_delay_is_within_its_bounds_and_the_seeds_own(start: Start) -> None:
    delays = []
    for seed in (3, 3, 4):
        client = await start(seed=seed, latency=(0.001, 0.009))
        responses = [await client.get(PATH) for _ in range(5)]
        delays.append([float(response.headers["Twilio-Request-Duration"]) for response in responses])
    assert delays[0] == delays[1] != delays[2]
    assert all(0.001 <= delay <= 0.009 for delay in delays[0])


async def test_an_upstream_in_trouble_processes_nothing(start: Start) -> None:
    client = await start(fail_rate=1.0)
    told = set()
    for _ in range(30):
        async with client.post(PATH, data={"Body": "x"}, headers={"Authorization": "none"}) as response:
            told.add((response.status, response.reason, await response.text()))
    assert told == {
        (
            429,
            "TOO MANY REQUESTS",
            '{"code": 20429, "message": "Too Many Requests", '
            '"more_info": "https://www.twilio.com/docs/errors/20429", "status": 429}',
        ),
        (500, "INTERNAL SERVER ERROR", '{"message": "An error occurred", "status": 500}'),
        (503, "SERVICE UNAVAILABLE", '{"code": 503, "message": "Service Unavailable", "status": 503}'),
    }


async def test_a_request_that_fails_has_no_effect(start: Start) -> None:
    client = await start(fail_rate=0.5, seed=5)
    done = 0
    for _ in range(20):
        async with client.post(PATH, data={"Body": "x"}) as response:
            done += response.status == 201
    assert 0 < done < 20
    while (response := await client.get(PATH)).status != 200:
        pass
    assert [message["index"] for message in (await response.json())["messages"]] == list(range(done))


@pytest.mark.parametrize(
    "settings",
    [
        {"latency": (-1.0, 0.0)},
        {"latency": (2.0, 1.0)},
        {"latency": (0.0, float("inf"))},
        {"latency": (float("nan"), 1.0)},
        {"fail_rate": 1.1},
        {"fail_rate": -0.1},
        {"start_time": datetime(2020, 1, 1)},  # noqa: DTZ001 - without a zone, on purpose
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"latency|fail_rate|start_time"):
        SandboxSettings(**settings)


async def test_a_chunked_form_of_one_mebibyte_is_read(start: Start) -> None:
    async def chunks() -> Any:
        yield b"Body=x&Padding="
        yield b"p" * (2**20 - len("Body=x&Padding="))

    async with (await start()).post(PATH, data=chunks()) as response:
        assert response.status == 201


async def test_a_client_that_expects_100_gets_it_before_it_sends(start: Start) -> None:
    client = await start()
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(head("POST", "Content-Length: 6", "Expect: 100-continue"))
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"Body=x")
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 201 CREATED\r\n")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["body"] == "x"
