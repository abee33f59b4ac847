import asyncio
import gc
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Barrier
from typing import Any

import aiohttp
import pytest
from cli.commands import DEMO
from integration.twilio_clients import ACCOUNT, CHANNEL, SERVICE, TOKEN
from servers import settings
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from chatproxy.core.errors import ConfigError
from chatproxy.core.model import Mode
from chatproxy.serve.hosting import in_background
from chatproxy.serve.listen import proxy, sandbox
from chatproxy.testing import AsyncHttpClient, HttpClient, twilio_client

PLACES = [(None, None), ("dublin", None), (None, "ie1"), ("dublin", "ie1")]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with in_background(sandbox(settings(tmp_path))) as running:
        yield running.url


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """An HTTP server of another product."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"else")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("edge", "region"), PLACES)
def test_a_client_reaches_the_proxy_page_by_page_wherever_it_is(
    url: str, edge: str | None, region: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    client = Client(ACCOUNT, TOKEN, http_client=HttpClient(url), edge=edge, region=region)
    messages = client.chat.v1.services(SERVICE).channels(CHANNEL).messages
    made = [messages.create(body=str(number)).sid for number in range(5)]
    assert [message.sid for message in messages.list(page_size=2)] == made


@pytest.mark.parametrize(("edge", "region"), PLACES)
async def test_an_async_client_reaches_the_proxy_page_by_page_wherever_it_is(
    url: str, edge: str | None, region: str | None
) -> None:
    client = Client(ACCOUNT, TOKEN, http_client=AsyncHttpClient(url), edge=edge, region=region)
    messages = client.chat.v1.services(SERVICE).channels(CHANNEL).messages
    made = [(await messages.create_async(body=str(number))).sid for number in range(5)]
    assert [message.sid for message in await messages.list_async(page_size=2)] == made


async def test_a_client_made_here_needs_no_settings(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    client = twilio_client(url, ACCOUNT, TOKEN)
    made = client.chat.v1.services(SERVICE).channels(CHANNEL).messages.create(body="Hello")
    client = twilio_client(url, ACCOUNT, TOKEN, is_async=True)
    listed = await client.chat.v1.services(SERVICE).channels(CHANNEL).messages.list_async()
    assert [message.sid for message in listed] == [made.sid]


BODIES = [f"m{number}" for number in range(50)]


def messages_of(client: Client) -> Any:
    return client.chat.v1.services(SERVICE).channels(CHANNEL).messages


@pytest.mark.parametrize("pooled", [False, True])
async def test_each_of_many_async_calls_at_once_gets_its_own_answer(url: str, *, pooled: bool) -> None:
    async with AsyncHttpClient(url, pool_connections=pooled) as http_client:
        messages = messages_of(Client(ACCOUNT, TOKEN, http_client=http_client))
        made = await asyncio.gather(*(messages.create_async(body=body) for body in BODIES))
        assert [message.body for message in made] == BODIES
        fetched = await asyncio.gather(*(messages(message.sid).fetch_async() for message in made))
        assert [message.sid for message in fetched] == [message.sid for message in made]


@pytest.mark.parametrize("pooled", [False, True])
def test_each_of_many_threads_gets_its_own_answer(url: str, *, pooled: bool) -> None:
    """The package forgets its last answer where a thread begins a call, which then is what another one returns."""
    messages = messages_of(Client(ACCOUNT, TOKEN, http_client=HttpClient(url, pool_connections=pooled)))
    interval, all_there = sys.getswitchinterval(), Barrier(20)
    with ThreadPoolExecutor(20) as threads:
        list(threads.map(lambda _: all_there.wait(20), range(20)))  # what measures coverage cannot begin in two at once
        sys.setswitchinterval(1e-6)
        try:
            made = list(threads.map(lambda body: messages.create(body=body), BODIES * 4))
        finally:
            sys.setswitchinterval(interval)
    assert [message.body for message in made] == BODIES * 4


def test_an_async_client_is_used_in_one_event_loop_after_another(url: str) -> None:
    messages = messages_of(twilio_client(url, ACCOUNT, TOKEN, is_async=True))
    made = [asyncio.run(messages.create_async(body=body)).body for body in BODIES[:3]]
    assert made == BODIES[:3]


async def test_no_connection_is_left_open_whatever_becomes_of_a_call(url: str) -> None:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        nobody = AsyncHttpClient("http://127.0.0.1:9")
        with pytest.raises(aiohttp.ClientConnectionError):
            await nobody.request("GET", "https://chat.twilio.com/v1/Services")
        given_up = asyncio.create_task(AsyncHttpClient(url).request("GET", "https://chat.twilio.com/v1/Services"))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        await asyncio.to_thread(
            messages_of(Client(ACCOUNT, TOKEN, http_client=HttpClient(url, pool_connections=False))).list
        )
        del nobody
        gc.collect()
    assert [str(warning.message) for warning in found if "nclosed" in str(warning.message)] == []


def test_retries_that_are_asked_for_need_no_event_loop_before_a_call_and_leave_nothing_open(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(ACCOUNT, TOKEN, http_client=AsyncHttpClient(url, max_retries=2))
    assert asyncio.run(messages_of(client).create_async(body="Hello")).body == "Hello"
    del client
    gc.collect()
    assert "not closed" not in caplog.text


async def test_what_the_package_keeps_of_the_last_call_is_there(url: str) -> None:
    for http_client in (HttpClient(url), AsyncHttpClient(url)):
        answer = http_client.request("GET", "https://chat.twilio.com/v1/Services", headers={"X-Of": "mine"})
        answer = await answer if asyncio.iscoroutine(answer) else answer
        assert http_client._test_only_last_response is answer
        assert http_client._test_only_last_request.headers == {"X-Of": "mine"}


async def test_other_hosts_are_left_alone(url: str, elsewhere: str) -> None:
    assert HttpClient(url).request("GET", f"{elsewhere}/2010-04-01").text == "else"
    assert (await AsyncHttpClient(url).request("GET", f"{elsewhere}/2010-04-01")).text == "else"


def test_the_address_is_that_of_the_environment_where_none_is_given(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHATPROXY_URL", raising=False)
    for kind in (HttpClient, AsyncHttpClient):
        with pytest.raises(ConfigError, match="CHATPROXY_URL: is not set"):
            kind()
    monkeypatch.setenv("CHATPROXY_URL", url)
    client = Client(ACCOUNT, TOKEN, http_client=HttpClient())
    assert client.chat.v1.services(SERVICE).channels(CHANNEL).messages.list() == []


def test_a_miss_is_the_clients_own_exception_with_the_reason(tmp_path: Path) -> None:
    with in_background(proxy(Mode.REPLAY, str(DEMO), settings(tmp_path), print)) as running:
        client = twilio_client(running.url, ACCOUNT, TOKEN)
        with pytest.raises(TwilioRestException, match="never recorded") as caught:
            client.chat.v1.services(SERVICE).channels(CHANNEL).messages("IM" + "9" * 32).fetch()
    assert caught.value.status == 424


@pytest.mark.process
def test_without_the_package_one_line_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['twilio'] = None; import chatproxy.testing"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.stderr.splitlines()[-1] == (
        "ImportError: chatproxy.testing needs the twilio package: pip install 'twilio>=9'"
    )
