import asyncio
import json
import socket
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import ClientSession, UnixConnector, encode_basic_auth, web
from servers import settings, upstream

from chatproxy.config.addresses import SocketFile
from chatproxy.config.values import Address
from chatproxy.core.errors import CassetteError, ConfigError
from chatproxy.core.model import Mode
from chatproxy.serve.listen import proxy, sandbox
from chatproxy.store import Store


async def ok(request: web.BaseRequest) -> web.StreamResponse:
    await request.read()
    return web.Response(text="ok")


async def post(url: str, times: int = 1, **headers: str) -> None:
    async with ClientSession(headers=headers) as client:
        for _ in range(times):
            async with client.post(url + "/v1/x") as answer:
                assert await answer.text() == "ok"


def listing(folder: Path) -> list[tuple[str, int, str]]:
    with closing(Store(folder)) as store:
        return [(one.name, one.exchanges, one.state) for one in store.listing()]


async def test_record_refuses_a_cassette_that_exists_appends_or_replaces(tmp_path: Path) -> None:
    async with upstream(ok) as url:
        here = settings(tmp_path, upstream=url)
        async with proxy(Mode.RECORD, "c", here, print) as running:
            await post(running.url)
        with pytest.raises(CassetteError, match="--append"):
            async with proxy(Mode.RECORD, "c", here, print):
                pytest.fail("it recorded over a cassette")
        async with proxy(Mode.RECORD, "c", settings(tmp_path, upstream=url, append=True), print) as running:
            await post(running.url)
        assert listing(here.store) == [("c", 2, "complete")]
        async with proxy(Mode.RECORD, "c", settings(tmp_path, upstream=url, replace=True), print) as running:
            await post(running.url)
    assert listing(here.store) == [("c", 1, "complete")]


async def test_append_and_replace_contradict_each_other(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--append: contradicts --replace"):
        async with proxy(Mode.RECORD, "c", settings(tmp_path, append=True, replace=True), print):
            pytest.fail("it started")


async def test_a_recording_that_fails_stands_as_partial_and_is_named_before_it_is_replaced(tmp_path: Path) -> None:
    async with upstream(ok) as url:
        here = settings(tmp_path, upstream=url)
        with pytest.raises(RuntimeError):  # noqa: PT012 - the block is what fails
            async with proxy(Mode.RECORD, "c", here, print) as running:
                await post(running.url, 2)
                raise RuntimeError("something breaks")
        assert listing(here.store) == [("c.partial", 2, "interrupted")]
        told: list[str] = []
        async with proxy(Mode.RECORD, "c", settings(tmp_path, upstream=url, replace=True), told.append) as running:
            assert told == [
                "chatproxy: c.partial, left of an interrupted recording, is deleted when this recording ends well"
            ]
            await post(running.url)
    assert listing(here.store) == [("c", 1, "complete")]


async def test_replay_of_what_is_not_there_names_it_and_makes_no_store(tmp_path: Path) -> None:
    here = settings(tmp_path)
    with pytest.raises(CassetteError, match="there is no such cassette"):
        async with proxy(Mode.REPLAY, "c", here, print):
            pytest.fail("it started")
    assert not here.store.exists()


async def test_replay_makes_no_connector_and_resolves_no_name(tmp_path: Path) -> None:
    async with upstream(ok) as url:
        async with proxy(Mode.RECORD, "c", settings(tmp_path, upstream=url), print) as running:
            await post(running.url)
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        sealed = settings(tmp_path, upstream=f"http://127.0.0.1:{trap.getsockname()[1]}")
        async with proxy(Mode.REPLAY, "c", sealed, print) as running, ClientSession() as client:
            await post(running.url)
            async with client.post(running.url + "/v1/x") as answer:
                assert answer.status == 424
        with pytest.raises(BlockingIOError):
            trap.accept()


async def test_requests_in_flight_are_answered_and_recorded_before_the_end(tmp_path: Path) -> None:
    arrived, may_answer = asyncio.Event(), asyncio.Event()

    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        arrived.set()
        await may_answer.wait()
        return await ok(request)

    async with upstream(slow) as url:
        here = settings(tmp_path, upstream=url)
        async with proxy(Mode.RECORD, "c", here, print) as running:
            asking = asyncio.create_task(post(running.url))
            await arrived.wait()
            asyncio.get_running_loop().call_later(0.2, may_answer.set)
        await asking
    assert listing(here.store) == [("c", 1, "complete")]


async def test_a_port_in_use_is_refused_with_the_flag(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"--listen: cannot listen on 127.0.0.1:{port}"):
            async with sandbox(settings(tmp_path, sandbox_listen=Address("127.0.0.1", port))):
                pytest.fail("it listened")


async def test_a_socket_that_cannot_be_made_is_refused_with_the_flag(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    for name, reason in (("taken", "in use"), ("no/folder", "No such file"), ("long" * 40, "too long")):
        place = SocketFile(tmp_path / name)
        with pytest.raises(ConfigError, match=f"--listen: cannot listen on unix:.*{name}: .*{reason}"):
            async with sandbox(settings(tmp_path, sandbox_listen=place)):
                pytest.fail("it listened")


@pytest.mark.parametrize("mode", [Mode.RECORD, Mode.PASSTHROUGH])
async def test_a_socket_in_the_file_system_serves_as_a_port_does(tmp_path: Path, mode: Mode) -> None:
    path = tmp_path / "chat.sock"
    async with upstream(ok) as url:
        here = settings(tmp_path, upstream=url, listen=SocketFile(path))
        async with proxy(mode, "c" if mode is Mode.RECORD else "", here, print) as running:
            assert running.url == f"unix:{path}"
            async with ClientSession(connector=UnixConnector(str(path))) as client:
                for _ in range(2):
                    async with client.post("http://localhost/v1/x") as answer:
                        assert (answer.status, await answer.text()) == (200, "ok")
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"POST /v1/x HTTP/1.0\r\n\r\n")
            writer.write_eof()
            assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
            writer.close()
    assert not path.exists()
    if mode is Mode.RECORD:
        with closing(Store(here.store)) as store:
            assert {one.request.origin for one in store.exchanges("c")} == {"http://localhost"}
        async with proxy(Mode.REPLAY, "c", here, print), ClientSession(connector=UnixConnector(str(path))) as client:
            async with client.post("http://localhost/v1/x") as answer:
                assert (answer.status, answer.headers["x-chatproxy-exchange"]) == (200, "c/1")


async def test_a_recording_is_told_of_a_client_that_has_gone_from_a_socket(tmp_path: Path) -> None:
    path, arrived, may_answer = tmp_path / "chat.sock", asyncio.Event(), asyncio.Event()

    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        arrived.set()
        await may_answer.wait()
        return await ok(request)

    async with upstream(slow) as url:
        here = settings(tmp_path, upstream=url, listen=SocketFile(path))
        async with proxy(Mode.RECORD, "c", here, print):
            _, writer = await asyncio.open_unix_connection(path)
            writer.write(b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await arrived.wait()
            writer.close()
            may_answer.set()
    with closing(Store(here.store)) as store:
        assert [one.abandoned for one in store.exchanges("c")] == [True]


@pytest.mark.parametrize(("host", "shown"), [("", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("localhost", "localhost")])
async def test_the_url_is_one_that_a_client_can_use(tmp_path: Path, host: str, shown: str) -> None:
    async with sandbox(settings(tmp_path, sandbox_listen=Address(host, 0))) as running, ClientSession() as client:
        assert running.url.startswith(f"http://{shown}:")
        async with client.get(running.url + "/v1") as answer:
            assert answer.status in {401, 404}


async def test_a_fixture_is_replayed_without_touching_a_cassette(tmp_path: Path) -> None:
    document = {
        "chatproxy": 1,
        "name": "c",
        "exchanges": [
            {
                "number": 1,
                "asked": "2026-01-01T00:00:00.000000Z",
                "answered": "2026-01-01T00:00:00.000000Z",
                "after": 0,
                "upstream": "https://chat.twilio.com",
                "user": None,
                "request": {
                    "method": "POST",
                    "target": "/v1/x",
                    "host": "chat.twilio.com",
                    "origin": "http://127.0.0.1:8765",
                    "headers": [],
                    "body": None,
                },
                "response": {"status": 200, "reason": "OK", "headers": [], "body": {"text": "ok"}},
            }
        ],
    }
    file = tmp_path / "c.json"
    file.write_text(json.dumps(document))
    here = settings(tmp_path)
    for _ in range(2):
        async with proxy(Mode.REPLAY, str(file), here, print) as running:
            await post(running.url)
    assert listing(here.store) == []


async def test_a_report_is_written_when_the_server_has_stopped(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    async with upstream(ok) as url:
        here = settings(tmp_path, upstream=url, report=file)
        for mode, outcome in ((Mode.RECORD, "recorded"), (Mode.REPLAY, "hit"), (Mode.AUTO, "hit")):
            async with proxy(mode, "c", here, print) as running:
                assert not file.exists()
                await post(running.url)
            content = json.loads(file.read_text())
            assert (content["mode"], content["cassette"], content["totals"]) == (mode, "c", {outcome: 1})
        async with proxy(Mode.PASSTHROUGH, "", here, print) as running:
            await post(running.url)
    assert json.loads(file.read_text())["cassette"] is None
    assert not list(tmp_path.glob(".report*"))  # noqa: ASYNC240 - nothing else runs


async def test_a_report_that_cannot_be_written_is_refused_before_anything_starts(tmp_path: Path) -> None:
    here = settings(tmp_path, report=tmp_path / "no" / "report.json")
    with pytest.raises(ConfigError, match=r"--report: .*report\.json cannot be written"):
        async with proxy(Mode.PASSTHROUGH, "", here, print):
            pytest.fail("it started")


async def test_auto_has_one_session_whatever_the_client_names(tmp_path: Path) -> None:
    async with upstream(ok) as url:
        async with proxy(Mode.AUTO, "c", settings(tmp_path, upstream=url), print) as running, ClientSession() as client:
            for name in ("a", "b"):
                async with client.get(running.url + "/v1/x", headers={"x-chatproxy-session": name}):
                    pass
    assert running.engine
    assert list(running.engine.journal.tallies) == ["default"]


async def test_sessions_one_ignores_user_names(tmp_path: Path) -> None:
    async with upstream(ok) as url:
        async with proxy(Mode.RECORD, "c", settings(tmp_path, upstream=url), print) as running:
            await post(running.url, Authorization=encode_basic_auth("AC" + "1" * 32, "x"))
    for sessions, expected in (("one", [200, 424]), ("user", [200, 200])):
        async with proxy(Mode.REPLAY, "c", settings(tmp_path, sessions=sessions), print) as running:
            statuses = []
            for digit in "12":
                user = {"Authorization": encode_basic_auth("AC" + digit * 32, "x")}
                async with ClientSession(headers=user) as client:
                    async with client.post(running.url + "/v1/x") as answer:
                        statuses.append(answer.status)
        assert statuses == expected


async def test_the_sandbox_takes_no_requests_of_web_pages_either(tmp_path: Path) -> None:
    async with sandbox(settings(tmp_path)) as running, ClientSession() as client:
        for headers, status in (({}, 401), ({"Host": "evil.test"}, 403), ({"Origin": "https://evil.test"}, 403)):
            async with client.get(running.url + "/v1/x", headers=headers) as answer:
                assert answer.status == status
                assert (await answer.json(content_type=None))["status"] == status
                assert ("X-Content-Type-Options" in answer.headers) is (status == 403)


async def test_the_sandbox_at_a_socket_in_the_file_system_takes_any_name_and_no_web_page(tmp_path: Path) -> None:
    place = SocketFile(tmp_path / "chat.sock")
    here = settings(tmp_path, sandbox_listen=place, allow_host=frozenset())
    async with sandbox(here), ClientSession(connector=UnixConnector(str(place.path))) as client:
        for headers, status in (({}, 401), ({"Origin": "https://evil.test"}, 403)):
            async with client.get("http://any.test/v1/x", headers=headers) as answer:
                assert answer.status == status
