import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, UnixConnector, web
from servers import raw, settings, upstream

from chatproxy import __version__
from chatproxy.config.addresses import SocketFile
from chatproxy.config.values import Address
from chatproxy.core.model import Mode
from chatproxy.serve.listen import Running, proxy


async def ok(request: web.BaseRequest) -> web.StreamResponse:
    await request.read()
    return web.Response(text="ok")


@asynccontextmanager
async def replay(folder: Path, **changes: object) -> AsyncIterator[Running]:
    """Replay a cassette that has one write and one read."""
    async with upstream(ok) as url:
        async with proxy(Mode.RECORD, "c", settings(folder, upstream=url), print) as running:
            await ask(running, "POST", "/v1/y")
            await ask(running, "GET", "/v1/x")
    async with proxy(Mode.REPLAY, "c", settings(folder, **changes), print) as running:
        yield running


async def ask(running: Running, method: str, path: str, **headers: str) -> tuple[int, Any]:
    """Return an answer's status and what its JSON holds."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with ClientSession() as client:
        async with client.request(method, running.url + path, headers=named) as answer:
            body = await answer.read()
            assert ("x-chatproxy-outcome" in answer.headers) is not path.startswith("/__chatproxy/")
            assert ("X-Content-Type-Options" in answer.headers) is (
                path.startswith("/__chatproxy/") or answer.status >= 400
            )
            return answer.status, json.loads(body) if body.startswith(b"{") else body


async def test_health_says_what_runs(tmp_path: Path) -> None:
    async with replay(tmp_path) as running:
        content = {"status": "ok", "mode": "replay", "cassette": "c", "version": __version__}
        assert await ask(running, "GET", "/__chatproxy/health") == (200, content)


async def test_the_journal_can_be_cut_to_a_session_and_to_the_last_entries(tmp_path: Path) -> None:
    async with replay(tmp_path) as running:
        for session in ("a", "b", "a"):
            await ask(running, "GET", "/v1/x", x_chatproxy_session=session)
        numbers = {}
        for query in ("", "?session=a", "?session=a&limit=1", "?limit=0"):
            status, content = await ask(running, "GET", "/__chatproxy/journal" + query)
            assert (status, content["noted"]) == (200, 3)
            numbers[query] = [entry["number"] for entry in content["entries"]]
        assert numbers == {"": [1, 2, 3], "?session=a": [1, 3], "?session=a&limit=1": [3], "?limit=0": []}
        assert (await ask(running, "GET", "/__chatproxy/journal?limit=-1"))[0] == 400


async def test_the_report_is_that_of_the_moment(tmp_path: Path) -> None:
    async with replay(tmp_path) as running:
        await ask(running, "GET", "/v1/x", x_chatproxy_session="a")
        status, content = await ask(running, "GET", "/__chatproxy/report")
        assert (status, content["totals"], content["unused"]) == (200, {"hit": 1}, [1])
        assert content["sessions"]["a"]["served"] == 1


async def test_a_session_that_is_deleted_begins_anew_and_others_go_on(tmp_path: Path) -> None:
    async with replay(tmp_path) as running:
        for session in ("a", "b"):
            assert (await ask(running, "POST", "/v1/y", x_chatproxy_session=session))[0] == 200
        status, missed = await ask(running, "POST", "/v1/y", x_chatproxy_session="a")
        assert status == 424
        needs = "; if the program runs a second time, it needs DELETE /__chatproxy/sessions/a before it"
        assert needs in missed["message"]
        assert await ask(running, "DELETE", "/__chatproxy/sessions/a") == (204, b"")
        assert (await ask(running, "DELETE", "/__chatproxy/sessions/a"))[0] == 404
        assert (await ask(running, "POST", "/v1/y", x_chatproxy_session="a"))[0] == 200
        assert (await ask(running, "POST", "/v1/y", x_chatproxy_session="b"))[0] == 424


async def test_all_sessions_can_be_deleted(tmp_path: Path) -> None:
    async with replay(tmp_path) as running:
        for _ in range(2):
            assert (await ask(running, "POST", "/v1/y"))[0] == 200
            assert (await ask(running, "DELETE", "/__chatproxy/sessions"))[0] == 204


@pytest.mark.parametrize(
    "path", ["/__chatproxy/", "/__chatproxy/nonsense", "/__chatproxy/health/x", "/__chatprox%79/x"]
)
async def test_an_unknown_path_is_a_404_of_chatproxy(tmp_path: Path, path: str) -> None:
    async with replay(tmp_path) as running:
        answer = await raw(
            running.url, b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path.encode()
        )
        assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n")
        assert b"no such path in the control API, which has /__chatproxy/health, " in answer
        assert running.engine
        assert running.engine.counts == {}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("POST", "health", b"GET, HEAD"), ("GET", "sessions/a", b"DELETE"), ("HEAD", "sessions", b"DELETE")],
)
async def test_another_method_is_a_405(tmp_path: Path, method: str, path: str, allowed: bytes) -> None:
    async with replay(tmp_path) as running:
        text = f"{method} /__chatproxy/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = await raw(running.url, text.encode())
        assert answer.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
        assert b"\r\nAllow: %b\r\n" % allowed in answer


async def test_control_requests_are_not_recorded_or_forwarded_in_any_mode(tmp_path: Path) -> None:
    told: list[str] = []
    for mode in (Mode.RECORD, Mode.PASSTHROUGH):
        async with proxy(mode, "c" * (mode is Mode.RECORD), settings(tmp_path), told.append) as running:
            for path in ("health", "journal", "report"):
                assert (await ask(running, "GET", f"/__chatproxy/{path}"))[0] == 200
            assert (await ask(running, "DELETE", "/__chatproxy/sessions"))[0] == 204
            assert (await ask(running, "DELETE", "/__chatproxy/sessions/default"))[0] == 404
            assert running.engine
            assert (running.engine.counts, running.engine.journal.count) == ({}, 0)
    assert told == ["chatproxy: nothing was recorded, there is no cassette c"]


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("localhost", None, 200),
        ("[::1]:1", None, 200),
        ("evil.example", None, 403),
        ("127.0.0.1.evil.example:80", None, 403),
        ("localhost", "http://localhost", 200),
        ("localhost", "http://localhost:1", 403),
        ("localhost", "https://evil.example", 403),
        ("localhost", "null", 403),
    ],
)
async def test_on_loopback_pages_of_other_sites_are_refused(
    tmp_path: Path, host: str, origin: str | None, status: int
) -> None:
    async with replay(tmp_path) as running:
        headers = {"Host": host} | ({"Origin": origin} if origin else {})
        assert (await ask(running, "GET", "/__chatproxy/health", **headers))[0] == status
        assert running.token is None


async def test_beyond_the_loopback_a_token_is_demanded(tmp_path: Path) -> None:
    async with replay(tmp_path, listen=Address("0.0.0.0", 0), allow_host=frozenset()) as running:
        assert running.token
        for given in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {running.token}"}):
            assert (await ask(running, "GET", "/__chatproxy/report", **given))[0] == 401
        bearer = {"Authorization": f"Bearer {running.token}"}
        assert (await ask(running, "GET", "/__chatproxy/report", **bearer))[0] == 200
        assert (await ask(running, "GET", "/__chatproxy/report", Host="any.example", **bearer))[0] == 200
        assert (await ask(running, "GET", "/__chatproxy/report", Origin="http://any.example", **bearer))[0] == 403
        assert (await ask(running, "GET", "/v1/x"))[0] == 200


async def test_beyond_the_loopback_health_without_a_token_says_its_status_alone(tmp_path: Path) -> None:
    async with replay(tmp_path, listen=Address("0.0.0.0", 0)) as running:
        health = "/__chatproxy/health"
        assert await ask(running, "GET", health) == (200, {"status": "ok"})
        assert await ask(running, "HEAD", health) == (200, b"")
        assert (await ask(running, "POST", health))[0] == 405
        assert (await ask(running, "GET", health, Origin="http://any.example"))[0] == 403
        for wrong in ("Bearer x", f"Basic {running.token}"):
            assert (await ask(running, "GET", health, Authorization=wrong))[0] == 401
        status, content = await ask(running, "GET", health, Authorization=f"Bearer {running.token}")
        assert (status, content["mode"]) == (200, "replay")


async def test_a_token_that_is_given_is_demanded_on_the_loopback_and_never_said(tmp_path: Path) -> None:
    token = "a-token-of-24-characters"
    async with replay(tmp_path, control_token=token) as running:
        assert running.token is None
        assert (await ask(running, "GET", "/__chatproxy/report"))[0] == 401
        assert (await ask(running, "GET", "/__chatproxy/report", Authorization=f"bearer {token}"))[0] == 200


async def test_head_is_answered_as_get_without_its_body(tmp_path: Path) -> None:
    async with replay(tmp_path) as running:
        for path in ("health", "journal", "report"):
            assert await ask(running, "HEAD", f"/__chatproxy/{path}") == (200, b"")


async def test_a_page_of_the_public_address_is_no_other_sites(tmp_path: Path) -> None:
    public = "https://localhost:8443"
    async with replay(tmp_path, public_url=public) as running:
        for origin, status in ((public, 200), (running.url, 200), ("https://localhost", 403)):
            assert (await ask(running, "GET", "/__chatproxy/health", Origin=origin))[0] == status
        assert (await ask(running, "GET", "/__chatproxy/health", Host="evil.example"))[0] == 403


async def test_a_socket_in_the_file_system_may_be_named_by_any_host_and_asks_for_no_token(tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    async with replay(tmp_path, listen=SocketFile(path), allow_host=frozenset()) as running:
        assert (running.url, running.token) == (f"unix:{path}", None)
        async with ClientSession(connector=UnixConnector(str(path))) as client:
            async with client.get("http://any.example/__chatproxy/health") as answer:
                assert (answer.status, (await answer.json())["mode"]) == (200, "replay")
            async with client.get("http://any.example/__chatproxy/health", headers={"Origin": "http://a"}) as answer:
                assert answer.status == 403
