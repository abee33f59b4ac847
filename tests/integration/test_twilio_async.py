from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from integration.processes import Workplace
from integration.twilio_clients import (
    ACCOUNT,
    ATTRIBUTES,
    BODIES,
    CHANNEL,
    NO_EDGE,
    RESPELLED,
    SERVICE,
    TOKEN,
    Step,
    anywhere,
    guarded,
    messages_at,
    plain,
    program,
)
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

# The twilio package itself uses what aiohttp will take away.
pytestmark = [
    pytest.mark.process,
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]


class CountingHttpClient(AsyncTwilioHttpClient):  # type: ignore[misc]  # the package ships no types
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        self.asked.append(f"{method} {url}")
        return await super().request(method, url, *args, **kwargs)


@asynccontextmanager
async def async_messages_at(url: str) -> AsyncIterator[tuple[Any, list[str]]]:
    async with CountingHttpClient() as http:
        client = Client(ACCOUNT, TOKEN, http_client=http, environment=NO_EDGE)
        client.chat.base_url = url
        yield client.chat.v1.services(SERVICE).channels(CHANNEL).messages, http.asked


async def async_program(messages: Any, attributes: str) -> AsyncIterator[Step]:
    """Call the same as the synchronous program does, so that each can replay what the other recorded."""
    sids = []
    for body in BODIES:
        made = await messages.create_async(body=body, from_="alice", attributes=attributes)
        sids.append(made.sid)
        yield f"create {body!r}", plain(made)
    yield "create, all by default", plain(await messages.create_async(body="last"))
    yield "list", [plain(one) for one in await messages.list_async()]
    yield "list by twos", [plain(one) for one in await messages.list_async(page_size=2)]
    yield "list five by twos", [plain(one) for one in await messages.list_async(limit=5, page_size=2)]
    yield "list three", [plain(one) for one in await messages.list_async(limit=3)]
    yield "list 5000", [plain(one) for one in await messages.list_async(limit=5000)]
    yield "list backwards", [plain(one) for one in await messages.list_async(order="desc", page_size=3)]
    yield "stream", [plain(one) async for one in await messages.stream_async(page_size=3)]
    yield "pages", [page async for page in there_and_back(messages)]
    yield "fetch", plain(await messages(sids[2]).fetch_async())
    yield "update body", plain(await messages(sids[0]).update_async(body="é + &"))
    yield "update attributes", plain(await messages(sids[0]).update_async(attributes=attributes))
    yield "update nothing", plain(await messages(sids[0]).update_async())
    yield "update to empty", plain(await messages(sids[3]).update_async(body=""))
    yield "fetch updated", plain(await messages(sids[0]).fetch_async())
    yield "delete", await messages(sids[1]).delete_async()
    with pytest.raises(TwilioRestException) as caught:
        await messages(sids[1]).fetch_async()
    yield "fetch deleted", {"status": caught.value.status, "code": caught.value.code}
    yield "list after", [plain(one) for one in await messages.list_async(limit=20)]


async def there_and_back(messages: Any) -> AsyncIterator[list[Any]]:
    page = await messages.page_async(page_size=3)
    while following := await page.next_page_async():
        yield [plain(one) for one in page]
        page = following
    while page:
        yield [plain(one) for one in page]
        page = await page.previous_page_async()


async def run(url: str, attributes: str) -> tuple[list[Step], int]:
    async with async_messages_at(url) as (messages, asked):
        steps = [step async for step in async_program(messages, attributes)]
    return anywhere(steps, url), len(asked)


async def test_what_one_client_recorded_every_client_replays(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    with guarded() as guard:
        with place.sandbox() as upstream, place.record("async", upstream.url) as recorder:
            recorded, asked = await run(recorder.url, ATTRIBUTES)
            recorder.stop()
        assert recorder.count("recorded") == asked

        with place.replay("async", "--sids", "recorded") as replayer:
            replayed, asked = await run(replayer.url, RESPELLED)
            replayer.stop()
        assert replayed == recorded
        assert (replayer.count("hit"), replayer.count("miss")) == (asked, 0)

        with place.replay("async", "--sids", "recorded") as replayer, messages_at(replayer.url) as (messages, _):
            assert anywhere(list(program(messages, RESPELLED)), replayer.url) == recorded
    assert guard.outside == set()


async def test_the_other_way_round(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    with (
        place.sandbox() as upstream,
        place.record("sync", upstream.url) as recorder,
        messages_at(recorder.url) as (messages, _),
    ):
        recorded = anywhere(list(program(messages, ATTRIBUTES)), recorder.url)
    with place.replay("sync", "--sids", "recorded") as replayer:
        assert (await run(replayer.url, RESPELLED))[0] == recorded


async def test_the_guard_would_have_seen_a_request_to_twilio() -> None:
    with guarded() as guard:
        async with async_messages_at("https://chat.twilio.com") as (messages, _):
            with pytest.raises(OSError, match=r"chat\.twilio\.com"):
                await messages.list_async()
        assert guard.outside == {"chat.twilio.com"}
