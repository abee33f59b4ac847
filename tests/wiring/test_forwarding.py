import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from servers import settings, upstream

from chatproxy.core.engine import Engine
from chatproxy.core.errors import UpstreamError
from chatproxy.core.model import Exchange, ExchangeNumber, Forward, Request
from chatproxy.core.record.recorder import Recorder
from chatproxy.upstream import Upstream
from chatproxy.wiring.forwarding import recorded
from chatproxy.wiring.upstream import upstream_settings


async def stays() -> bool:
    return False


async def answers(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text=f"answer to {request.path}")


async def test_the_exchange_is_kept_before_the_client_gets_its_answer(tmp_path: Path) -> None:
    kept: list[Exchange] = []

    async def keep(exchange: Exchange) -> None:
        kept.append(exchange)

    async with upstream(answers) as origin, Upstream(upstream_settings(settings(tmp_path, upstream=origin))) as server:
        engine = Engine(origin, lambda: 1, recorder=Recorder("talk", origin, ExchangeNumber(1)))
        forward = engine.on_request(Request("GET", b"/v1/x"))
        assert isinstance(forward, Forward)
        answer = await recorded(forward, engine, server, keep, stays)
    assert answer.body == b"answer to /v1/x"
    assert [one.response.body for one in kept] == [answer.body]
    assert engine.counts == {"recorded": 1}
    assert [entry.exchange for entry in engine.journal.noted()] == [1]


async def test_what_cannot_be_kept_is_not_answered(tmp_path: Path) -> None:
    async def keep(exchange: Exchange) -> None:
        raise OSError("no space")

    async with upstream(answers) as origin, Upstream(upstream_settings(settings(tmp_path, upstream=origin))) as server:
        engine = Engine(origin, lambda: 1, recorder=Recorder("talk", origin, ExchangeNumber(1)))
        forward = engine.on_request(Request("GET", b"/v1/x"))
        assert isinstance(forward, Forward)
        with pytest.raises(OSError, match="no space"):
            await recorded(forward, engine, server, keep, stays)
    assert (engine.counts, engine.journal.count) == ({}, 0)


async def test_what_is_stored_counts_though_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def keep(exchange: Exchange) -> None:
        begun.set()
        await may_go_on.wait()

    async with upstream(answers) as origin, Upstream(upstream_settings(settings(tmp_path, upstream=origin))) as server:
        engine = Engine(origin, lambda: 1, recorder=Recorder("talk", origin, ExchangeNumber(1)))
        forward = engine.on_request(Request("GET", b"/v1/x"))
        assert isinstance(forward, Forward)
        waiting = asyncio.ensure_future(recorded(forward, engine, server, keep, stays))
        await begun.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert engine.counts == {}
        may_go_on.set()
        await asyncio.sleep(0.01)
    assert engine.counts == {"recorded": 1}


async def test_where_the_upstream_gives_no_answer_nothing_is_kept(tmp_path: Path) -> None:
    async def keep(exchange: Exchange) -> None:
        raise AssertionError("nothing is to be kept")

    async with Upstream(upstream_settings(settings(tmp_path, upstream="http://127.0.0.1:9"))) as server:
        engine = Engine(
            "http://127.0.0.1:9", lambda: 1, recorder=Recorder("talk", "http://127.0.0.1:9", ExchangeNumber(1))
        )
        forward = engine.on_request(Request("GET", b"/v1/x"))
        assert isinstance(forward, Forward)
        with pytest.raises(UpstreamError):
            await recorded(forward, engine, server, keep, stays)


@pytest.mark.parametrize("has_gone", [False, True])
async def test_a_client_that_has_gone_before_the_answer_came_is_noted(has_gone: bool, tmp_path: Path) -> None:
    kept: list[Exchange] = []

    async def told() -> bool:
        return has_gone

    async def keep(exchange: Exchange) -> None:
        kept.append(exchange)

    async with upstream(answers) as origin, Upstream(upstream_settings(settings(tmp_path, upstream=origin))) as server:
        engine = Engine(origin, lambda: 1, recorder=Recorder("talk", origin, ExchangeNumber(1)))
        forward = engine.on_request(Request("GET", b"/v1/x"))
        assert isinstance(forward, Forward)
        await recorded(forward, engine, server, keep, told)
    assert [one.abandoned for one in kept] == [has_gone]
