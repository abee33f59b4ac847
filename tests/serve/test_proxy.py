import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import ClientPayloadError, ClientSession, UnixConnector, web
from integration.raw_http import raw_upstream
from multidict import CIMultiDict
from servers import raw, settings, upstream

from chatproxy.cassettes.leak_gate import gate_of
from chatproxy.cassettes.transfer import canonical_fixture, export_cassette
from chatproxy.config.addresses import SocketFile
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.engine import Engine
from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Mode
from chatproxy.serve.listen import Running, proxy
from chatproxy.serve.proxy import Limits, Proxy
from chatproxy.store import Store

PATH = "/v1/Services/IS0123456789abcdef0123456789abcdef/Channels/general/Messages"


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    """Answer with what was asked, and with an URL of this server."""
    body = await request.read()
    content = {"url": f"http://{request.host}{request.path}", "method": request.method, "body": body.decode()}
    return web.json_response(content, headers={"X-Chatproxy-Outcome": "forged"})


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    async with upstream(echo) as url:
        yield url


def outcomes(running: Running) -> dict[str, int]:
    assert running.engine is not None
    return {outcome.value: count for outcome, count in running.engine.counts.items()}


async def test_record_asks_the_upstream_stores_the_exchange_and_then_answers(tmp_path: Path, origin: str) -> None:
    here = settings(tmp_path, upstream=origin)
    async with proxy(Mode.RECORD, "c", here, print) as running, ClientSession() as client:
        async with client.post(running.url + PATH, data={"Body": "hi"}) as answer:
            assert answer.headers.getall("x-chatproxy-outcome") == ["recorded"]
            assert answer.headers["x-chatproxy-exchange"] == "c/1"
            assert (await answer.json())["url"] == running.url + PATH
        assert outcomes(running) == {"recorded": 1}
    with closing(Store(here.store)) as store:
        (exchange,) = store.exchanges("c")
    assert exchange.request.body == b"Body=hi"
    assert json.loads(exchange.response.body)["url"] == origin + PATH
    assert exchange.upstream == origin
    assert 0 < exchange.asked <= exchange.answered


async def test_replay_answers_with_the_upstream_gone_and_turns_urls_to_its_own_address(tmp_path: Path) -> None:
    async with upstream(echo) as url:
        here = settings(tmp_path, upstream=url)
        async with proxy(Mode.RECORD, "c", here, print) as running, ClientSession() as client:
            async with client.get(running.url + PATH) as answer:
                recorded = await answer.read()
                recorder = running.url
    async with proxy(Mode.REPLAY, "c", here, print) as running, ClientSession() as client:
        async with client.get(running.url + PATH) as answer:
            assert answer.headers["x-chatproxy-outcome"] == "hit"
            assert await answer.read() == recorded.replace(recorder.encode(), running.url.encode())


NAMED = [
    (b"/", b"127.0.0.1:1", "https://chat.example:8443"),
    (b"/", b"chat.twilio.com", "https://chat.twilio.com"),
    (b"http://chat.twilio.com/", b"127.0.0.1:1", "https://chat.twilio.com"),
    (b"http://there.test/", b"127.0.0.1:1", "https://chat.example:8443"),
]


async def test_urls_lead_to_the_public_address_or_to_the_twilio_that_a_client_names_in_every_mode(
    tmp_path: Path, origin: str
) -> None:
    names = frozenset({"there.test"})
    here = settings(tmp_path, upstream=origin, public_url="https://chat.example:8443", allow_host=names)
    for mode in (Mode.PASSTHROUGH, Mode.RECORD, Mode.AUTO, Mode.REPLAY):
        async with proxy(mode, "" if mode is Mode.PASSTHROUGH else "c", here, print) as running:
            for target, host, expected in NAMED:
                for end in (b"Connection: close\r\n\r\n", b"Connection: keep-alive\r\n\r\n"):  # the other is fast
                    line = b"GET %b HTTP/1.1\r\nHost: %b\r\n" % (target.removesuffix(b"/") + PATH.encode(), host)
                    answer = await raw(running.url, line + end, half_close=True)
                    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["url"] == expected + PATH


async def test_what_a_client_writes_of_the_public_address_counts_as_the_upstreams(tmp_path: Path, origin: str) -> None:
    for public in ("https://a.example", "https://b.example:8443"):
        here = settings(tmp_path, upstream=origin, public_url=public, append=True)
        async with proxy(Mode.AUTO, "c", here, print) as running, ClientSession() as client:
            async with client.post(running.url + PATH, data={"Body": f"{public}/media"}) as answer:
                first = public == "https://a.example"
                assert answer.headers["x-chatproxy-outcome"] == ("recorded" if first else "hit")


async def test_urls_keep_leaves_answers_as_the_upstream_gave_them(tmp_path: Path, origin: str) -> None:
    here = settings(tmp_path, upstream=origin, urls="keep")
    for mode in (Mode.RECORD, Mode.REPLAY):
        async with proxy(mode, "c", here, print) as running, ClientSession() as client:
            async with client.get(running.url + PATH) as answer:
                assert (await answer.json())["url"] == origin + PATH


async def test_a_miss_is_a_424_and_is_told(tmp_path: Path, origin: str) -> None:
    here = settings(tmp_path, upstream=origin)
    async with proxy(Mode.RECORD, "c", here, print) as running, ClientSession() as client:
        async with client.get(running.url + PATH):
            pass
    told: list[str] = []
    async with proxy(Mode.REPLAY, "c", here, told.append) as running, ClientSession() as client:
        async with client.get(running.url + PATH + "?PageSize=7") as answer:
            assert answer.status == 424
            assert answer.reason == "Failed Dependency"
            assert answer.headers["x-chatproxy-outcome"] == "miss"
            error = await answer.json()
    assert error["status"] == error["code"] == 424
    assert "PageSize" in error["message"]
    assert told == [f"chatproxy: miss: {error['message']}"]


async def test_auto_records_what_is_missing_for_the_next_start(tmp_path: Path, origin: str) -> None:
    here = settings(tmp_path, upstream=origin)
    seen = []
    for _ in range(2):
        async with proxy(Mode.AUTO, "c", here, print) as running, ClientSession() as client:
            async with client.get(running.url + PATH):
                pass
            seen.append(outcomes(running))
    assert seen == [{"recorded": 1}, {"hit": 1}]


async def test_passthrough_records_nothing_and_keeps_pages_on_the_proxy(tmp_path: Path, origin: str) -> None:
    here = settings(tmp_path, upstream=origin)
    async with proxy(Mode.PASSTHROUGH, "", here, print) as running, ClientSession() as client:
        async with client.get(running.url + PATH) as answer:
            assert answer.headers["x-chatproxy-outcome"] == "passed"
            assert (await answer.json())["url"] == running.url + PATH
    assert not here.store.exists()


async def test_passthrough_streams_what_is_no_json(tmp_path: Path) -> None:
    may_go_on = asyncio.Event()

    async def drip(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        await response.write(b"first")
        await may_go_on.wait()
        await response.write(b"second")
        return response

    async with upstream(drip) as url:
        async with proxy(Mode.PASSTHROUGH, "", settings(tmp_path, upstream=url), print) as running:
            async with ClientSession() as client, client.get(running.url + PATH) as answer:
                assert await answer.content.readexactly(5) == b"first"
                may_go_on.set()
                assert await answer.content.read() == b"second"
            old = await raw(running.url, b"GET %b HTTP/1.0\r\n\r\n" % PATH.encode())
            assert b"Transfer-Encoding" not in old
            assert old.endswith(b"Connection: close\r\n\r\nfirstsecond")


async def test_passthrough_streams_json_beyond_the_limit_as_it_is(tmp_path: Path) -> None:
    body = json.dumps({"url": "x" * 5000}).encode()

    async def large(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=body, content_type="application/json")

    async with upstream(large) as url:
        async with proxy(Mode.PASSTHROUGH, "", settings(tmp_path, upstream=url, max_body=100), print) as running:
            async with ClientSession() as client, client.get(running.url + PATH) as answer:
                assert await answer.read() == body


@pytest.mark.parametrize("media", ["application/json", "text/plain"])
async def test_passthrough_leaves_the_field_with_the_bytes_where_it_does_not_know_the_coding(
    tmp_path: Path, media: str
) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        fields = [("Content-Type", media), ("Content-Encoding", "gzip"), ("Content-Encoding", "compress")]
        return web.Response(body=b"coded", headers=CIMultiDict(fields))

    async with (
        upstream(handle) as url,
        proxy(Mode.PASSTHROUGH, "", settings(tmp_path, upstream=url), print) as running,
        ClientSession(auto_decompress=False) as client,
        client.get(running.url + PATH) as answer,
    ):
        assert answer.headers.getall("Content-Encoding") == ["gzip", "compress"]
        assert await answer.read() == b"coded"
        assert outcomes(running) == {"passed": 1}


async def test_passthrough_decodes_what_it_can_and_passes_nothing_on_as_whole_that_is_not(tmp_path: Path) -> None:
    whole = {"/json": ("application/json", b'{"a": 1}'), "/text": ("text/plain", b"a text")}

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        media, body = whole[request.path.removesuffix("/cut")]
        coded = gzip.compress(gzip.compress(body))
        sent = coded[:-1] if request.path.endswith("/cut") else coded
        return web.Response(body=sent, headers={"Content-Type": media, "Content-Encoding": "gzip, x-gzip"})

    async with (
        upstream(handle) as url,
        proxy(Mode.PASSTHROUGH, "", settings(tmp_path, upstream=url), print) as running,
        ClientSession(auto_decompress=False) as client,
    ):
        for path, (_, body) in whole.items():
            async with client.get(running.url + path) as answer:
                assert "Content-Encoding" not in answer.headers
                assert await answer.read() == body
        async with client.get(running.url + "/json/cut") as answer:
            assert answer.status == 502
            assert "cut short" in (await answer.json())["message"]
        with pytest.raises(ClientPayloadError):
            async with client.get(running.url + "/text/cut") as answer:
                await answer.read()


async def test_passthrough_gives_no_body_whose_transfer_coding_it_does_not_know(tmp_path: Path) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: br, chunked\r\n\r\n"
            b"1\r\na\r\n0\r\n\r\n"
        )
        return web.Response()

    async with (
        upstream(handle) as url,
        proxy(Mode.PASSTHROUGH, "", settings(tmp_path, upstream=url), print) as running,
        ClientSession() as client,
        client.get(running.url + PATH) as answer,
    ):
        assert answer.status == 502
        assert "has the coding 'br'" in (await answer.json())["message"]


async def test_nothing_is_recorded_of_an_answer_that_cannot_be_decoded(tmp_path: Path) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=gzip.compress(b"{}")[:-1], headers={"Content-Encoding": "gzip"})

    async with upstream(handle) as url:
        here = settings(tmp_path, upstream=url)
        async with proxy(Mode.RECORD, "c", here, print) as running, ClientSession() as client:
            async with client.get(running.url + PATH) as answer:
                assert answer.status == 502
            assert outcomes(running) == {"error": 1}
    with closing(Store(here.store)) as store:
        assert store.listing() == []


@pytest.mark.parametrize("start", [b"101 Switching", b"600 Odd", b"000 None", b"200 O\0K", b"200 OK\r\nX-A: a\x1bb"])
@pytest.mark.parametrize("mode", [Mode.RECORD, Mode.PASSTHROUGH])
async def test_an_answer_that_no_fixture_could_hold_is_a_502(tmp_path: Path, mode: Mode, start: bytes) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 %b\r\nContent-Length: 2\r\n\r\n{}" % start)
        request.transport.close()
        return web.Response()

    async with upstream(handle) as url:
        here = settings(tmp_path, upstream=url)
        async with proxy(mode, "c", here, print) as running, ClientSession() as client:
            async with client.get(running.url + PATH) as answer:
                assert (answer.status, answer.headers["x-chatproxy-outcome"]) == (502, "error")
            assert outcomes(running) == {"error": 1}
    with closing(Store(here.store)) as store:
        assert store.listing() == []


async def test_bytes_that_are_no_text_are_recorded_and_replayed_as_they_are(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 caf\xe9\r\nX-A: caf\xe9\r\nX-A: caf\xc3\xa9\r\n"

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(head + b"Content-Length: 1\r\n\r\n\xe9")
        request.transport.close()
        return web.Response()

    ask = b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % PATH.encode()
    async with upstream(handle) as url:
        here = settings(tmp_path, upstream=url)
        async with proxy(Mode.RECORD, "c", here, print) as running:
            assert (await raw(running.url, ask)).startswith(head)
    with closing(Store(here.store)) as store:
        export_cassette(canonical_fixture(store, "c", Rules()), tmp_path / "c.json")
    for cassette in ("c", str(tmp_path / "c.json")):
        async with proxy(Mode.REPLAY, cassette, here, print) as running:
            answer = await raw(running.url, ask)
            assert answer.startswith(head)
            assert answer.endswith(b"\r\n\r\n\xe9")


async def test_passthrough_answers_head_and_no_content_without_a_body(tmp_path: Path) -> None:
    async def empty(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=200 if request.method == "HEAD" else 204)

    async with upstream(empty) as url:
        async with proxy(Mode.PASSTHROUGH, "", settings(tmp_path, upstream=url), print) as running:
            text = b"HEAD %b HTTP/1.1\r\nHost: a\r\n\r\nDELETE %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            answers = await raw(running.url, text % (PATH.encode(), PATH.encode()))
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == answers.count(b"HTTP/1.1 204 No Content\r\n") == 1
    assert b"chunked" not in answers
    assert answers.endswith(b"\r\n\r\n")


HEADS = {
    "/v1/known": (b"X-A: 1\r\nContent-Length: 1234\r\nX-B: 2\r\n", b"X-A: 1\r\nContent-Length: 1234\r\nX-B: 2\r\n"),
    "/v1/unknown": (b"X-A: 1\r\nTransfer-Encoding: chunked\r\n", b"X-A: 1\r\n"),
    "/v1/coded": (b"Content-Encoding: gzip\r\nContent-Length: 99\r\nX-A: 1\r\n", b"X-A: 1\r\n"),
}


@pytest.mark.parametrize("path", HEADS)
async def test_head_keeps_its_length_forwarded_recorded_replayed_and_shared(tmp_path: Path, path: str) -> None:
    sent, kept = HEADS[path]
    text = f"HEAD {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
    file = tmp_path / "c.json"
    with raw_upstream() as upstream:
        upstream.answers[path] = [b"HTTP/1.1 200 OK\r\n" + sent + b"\r\n"]
        here = settings(tmp_path, upstream=upstream.origin)
        answers = []
        for mode, cassette in (
            (Mode.PASSTHROUGH, ""),
            (Mode.RECORD, "c"),
            (Mode.REPLAY, "c"),
            (Mode.REPLAY, str(file)),
        ):
            if cassette == str(file):
                with closing(Store(here.store)) as store:
                    export_cassette(canonical_fixture(store, "c", Rules()), file, gate_of((), strict=False, environ={}))
            async with proxy(mode, cassette, here, print) as running:
                answers.append(await raw(running.url, text))
    for answer, outcome in zip(answers, ("passed", "recorded", "hit", "hit"), strict=True):
        head, marks, rest = answer.partition(f"x-chatproxy-outcome: {outcome}\r\n".encode())
        assert (head, bool(marks)) == (b"HTTP/1.1 200 OK\r\n" + kept, True)
        assert rest.endswith(b"Connection: close\r\n\r\n")
        assert b"Content-Length" not in rest


async def test_a_stream_that_breaks_is_not_ended_as_if_it_were_whole(tmp_path: Path) -> None:
    async def broken(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        await response.write(b"part")
        assert request.transport is not None
        request.transport.abort()
        return response

    async with upstream(broken) as url:
        async with proxy(Mode.PASSTHROUGH, "", settings(tmp_path, upstream=url), print) as running:
            async with ClientSession() as client, client.get(running.url + PATH) as answer:
                with pytest.raises((ClientPayloadError, ConnectionError)):
                    await answer.read()


async def test_an_upstream_that_cannot_be_reached_is_a_502_and_is_not_recorded(tmp_path: Path) -> None:
    here = settings(tmp_path, upstream="http://127.0.0.1:9")
    told: list[str] = []
    async with proxy(Mode.RECORD, "c", here, told.append) as running, ClientSession() as client:
        async with client.get(running.url + PATH) as answer:
            assert answer.status == 502
            assert answer.headers["x-chatproxy-outcome"] == "error"
            assert "cannot be reached" in (await answer.json())["message"]
    assert told == ["chatproxy: nothing was recorded, there is no cassette c"]


async def test_more_connections_than_allowed_are_refused_at_once(tmp_path: Path, origin: str) -> None:
    here = settings(tmp_path, upstream=origin, max_connections=1)
    async with proxy(Mode.PASSTHROUGH, "", here, print) as running:
        host, port = running.url.removeprefix("http://").split(":")
        _, first = await asyncio.open_connection(host, int(port))
        first.write(b"GET")
        await first.drain()
        refused = await raw(running.url, b"")
        first.close()
        await first.wait_closed()
    assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"--max-connections" in refused


async def test_what_is_no_http_is_a_400_in_twilios_error_json(tmp_path: Path, origin: str) -> None:
    async with proxy(Mode.PASSTHROUGH, "", settings(tmp_path, upstream=origin), print) as running:
        answer = await raw(running.url, b"\x16\x03\x01 no http\r\n\r\n")
        long = await raw(running.url, b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a" * 40_000))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"x-chatproxy-outcome: error" in head
    assert json.loads(body)["status"] == 400
    assert long.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"--max-header" in long


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], "the client speaks TLS"),
        ([b"\x16", b"\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], "the client speaks TLS"),
        ([b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"], "the client speaks HTTP/2"),
        ([b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], "the client speaks HTTP/2"),
        ([b"PRI *", b" HTTP/2.0\r\n\r\nSM\r\n\r\n"], "the client speaks HTTP/2"),
        ([b"hello\r\n\r\n"], "the request is no HTTP/1.1 ("),
        ([b"GET / HTTP/3.1\r\nHost: a\r\n\r\n"], "the request is no HTTP/1.1 ("),
        ([b"GET / HTTP/1.1\r\nHost: a\r\n\x16\x03\r\n\r\n"], "the request is no HTTP/1.1 ("),
    ],
)
@pytest.mark.parametrize("mode", [Mode.REPLAY, Mode.PASSTHROUGH])
async def test_another_protocol_is_named_and_only_where_it_is_spoken(
    tmp_path: Path, origin: str, mode: Mode, parts: list[bytes], reason: str
) -> None:
    cassette = MemoryCassette("c", (), Rules()) if mode is Mode.REPLAY else ""
    async with proxy(mode, cassette, settings(tmp_path, upstream=origin), print) as running:
        host, port = running.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.02)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["message"].startswith(reason)


async def test_a_mistake_of_ours_is_a_500_that_says_nothing_of_the_inside(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> int:
        raise RuntimeError("inside")

    server = Proxy(Engine("http://127.0.0.1:9", fail), Limits())
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    answer = await raw(f"http://127.0.0.1:{site.port}", b"GET /v1?Token=secret HTTP/1.1\r\nHost: a\r\n\r\n")
    await runner.cleanup()
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"inside" not in answer
    assert "inside" in caplog.text
    assert "secret" not in caplog.text


async def test_a_store_that_is_damaged_while_it_is_replayed_is_a_500_with_the_place(
    tmp_path: Path, origin: str
) -> None:
    here = settings(tmp_path, upstream=origin)
    async with proxy(Mode.RECORD, "c", here, print) as running, ClientSession() as client:
        async with client.get(running.url + PATH), client.delete(running.url + PATH):
            pass
    data = here.store / "data.mdb"
    async with proxy(Mode.REPLAY, "c", here, print) as running, ClientSession() as client:
        text = data.read_bytes()
        with data.open("r+b") as file:  # in place: the store has the file mapped
            for found in re.finditer(b'"method": "DELETE"', text):
                file.seek(found.start())
                file.write(b'"method": "deleet"')
        async with client.delete(running.url + PATH) as answer:
            assert answer.status == 500
            assert "cassette c: is damaged where it was compiled" in (await answer.json())["message"]
    with pytest.raises(CassetteError, match="exchange c/2: is damaged"):
        async with proxy(Mode.REPLAY, "c", here, print):
            pass


async def test_no_answer_no_journal_and_no_report_has_what_a_broken_upstream_sent(tmp_path: Path) -> None:
    async def breaks(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: the-secret\r\nX-Token: the-secret\r\n")
        request.transport.close()
        return web.Response()

    report = tmp_path / "report.json"
    async with upstream(breaks) as url:
        async with proxy(Mode.RECORD, "c", settings(tmp_path, upstream=url, report=report), print) as running:
            async with ClientSession() as client, client.get(running.url + PATH) as answer:
                assert answer.status == 502
                shown = await answer.text()
            assert running.engine
            shown += json.dumps(running.engine.journal.entries())
    shown += report.read_text()
    assert shown.count("the connection ended before the answer was whole") >= 3
    assert "secret" not in shown


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /v1?Token=the-secret\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v1 HTTP/1.1\r\nHost: a\r\nAuthorization the-secret\r\n\r\n",
        b"GET /v1 HTTP/1.1\r\nHost: a\r\nX: the-secret\x00\r\n\r\n",
        b"GET /v1 the-secret\r\nHost: a\r\n\r\n",
        b"the-secret\r\n\r\n",
        b"POST /v1 HTTP/1.1\r\nHost: a\r\nContent-Length: the-secret\r\n\r\n",
        b"POST /v1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nthe-secret\r\n",
        b"POST /v1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nthe-secret\r\n0\r\n\r\n",
    ],
)
async def test_what_refuses_a_malformed_request_repeats_nothing_of_it(
    tmp_path: Path, origin: str, request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with proxy(Mode.PASSTHROUGH, "", settings(tmp_path, upstream=origin), print) as running:
        answer = await raw(running.url, request_)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"secret" not in answer
    assert b"an error of the kind" not in answer
    assert "secret" not in caplog.text


PAGES = [
    {"Host": "evil.test"},
    {"Host": "localhost.evil.test:8765"},
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", PAGES)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_a_web_page_reads_no_cassette_and_uses_up_no_answer(
    tmp_path: Path, origin: str, method: str, headers: dict[str, str]
) -> None:
    async with (
        proxy(Mode.RECORD, "c", settings(tmp_path, upstream=origin), print) as running,
        ClientSession() as client,
    ):
        async with client.request(method, running.url + PATH) as answer:
            assert answer.status == 200
        async with client.request(method, running.url + PATH, headers=headers) as answer:
            assert answer.status == 403
    async with proxy(Mode.REPLAY, "c", settings(tmp_path), print) as running, ClientSession() as client:
        for _ in range(2):
            async with client.request(method, running.url + PATH, headers=headers) as answer:
                assert answer.status == 403
                assert answer.headers["x-chatproxy-outcome"] == "error"
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
        async with client.request(method, running.url + PATH) as answer:
            assert answer.status == 200
            assert "X-Content-Type-Options" not in answer.headers
        assert running.engine
        assert running.engine.counts == {"error": 2, "hit": 1}
        assert "(" in str(running.engine.journal.entries()[0]["reason"])


async def test_a_name_that_is_allowed_is_served_and_so_is_the_service_itself(tmp_path: Path, origin: str) -> None:
    here = settings(tmp_path, upstream=origin, allow_host=frozenset({"chat-proxy"}))
    async with proxy(Mode.PASSTHROUGH, "", here, print) as running, ClientSession() as client:
        for host, status in (("chat-proxy:8765", 200), ("chat.twilio.com", 200), ("other", 403)):
            async with client.get(running.url + PATH, headers={"Host": host}) as answer:
                assert answer.status == status
        absolute = await raw(
            running.url, b"GET http://chat.twilio.com/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        assert absolute.startswith(b"HTTP/1.1 200 ")


async def test_the_public_name_is_served_and_another_is_refused_wherever_urls_lead(tmp_path: Path, origin: str) -> None:
    here = settings(tmp_path, upstream=origin, public_url="https://chat.example:8443", allow_host=frozenset())
    for mode in (Mode.RECORD, Mode.REPLAY):
        async with proxy(mode, "c", here, print) as running:
            for host, status in ((b"127.0.0.1", 200), (b"chat.example", 200), (b"evil.test", 403)):
                for end in (b"Connection: close\r\n\r\n", b"Connection: keep-alive\r\n\r\n"):  # the other is fast
                    for more in (b"", b"Origin: https://chat.example:8443\r\n"):
                        line = b"GET %b HTTP/1.1\r\nHost: %b\r\n" % (PATH.encode(), host)
                        answer = await raw(running.url, line + more + end, half_close=True)
                        assert b"HTTP/1.1 %d " % status in answer
                        assert (b"https://chat.example:8443/v1/" in answer) is (status == 200)


async def test_a_socket_in_the_file_system_takes_any_name_until_some_are_allowed_and_no_web_page(
    tmp_path: Path, origin: str
) -> None:
    place = SocketFile(tmp_path / "chat.sock")
    page = {"Origin": "https://evil.test"}
    for mode in (Mode.RECORD, Mode.REPLAY):
        for names, status in ((frozenset[str](), 200), (frozenset({"chat-proxy"}), 403)):
            here = settings(tmp_path, upstream=origin, listen=place, allow_host=names, append=True)
            async with proxy(mode, "c", here, print), ClientSession(connector=UnixConnector(str(place.path))) as client:
                for host, headers, expected in (
                    *(("any.test", {}, status), ("localhost", {}, 200), ("chat-proxy", {}, 200)),
                    *(("localhost", page, 403), ("any.test", page, 403)),
                ):
                    async with client.get(f"http://{host}{PATH}", headers=headers) as answer:
                        assert answer.status == expected
