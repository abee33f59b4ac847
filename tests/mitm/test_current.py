import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from servers import settings, upstream
from strategies import FORM, MESSAGES

from chatproxy.config.settings import Settings
from chatproxy.core.errors import CassetteError, ChatproxyError, ConfigError, UpstreamError
from chatproxy.core.model import Forward, Mode, Request, Response, header_values
from chatproxy.core.replay.marks import OUTCOME
from chatproxy.mitm.current import Current, Works
from chatproxy.mitm.options import Choice
from chatproxy.store import Store

CREATE = Request("POST", MESSAGES, (FORM,), b"Body=a")


async def ok(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text="ok")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings with an upstream."""
    async with upstream(ok) as url:
        yield settings(tmp_path, upstream=url)


@pytest.fixture
async def current() -> AsyncIterator[Current]:
    made = Current()
    yield made
    await made.close(well=True)


async def stays() -> bool:
    return False


async def asked(works: Works) -> str:
    """Let a request be answered, as the addon does, and return its outcome."""
    decision = works.engine.on_request(CREATE)
    if isinstance(decision, Forward):
        answer = await works.ask(decision, stays)
        if answer is None:
            return "left to mitmproxy"
        decision = answer
    assert isinstance(decision, Response)
    return next(header_values(decision.headers, OUTCOME)).decode()


async def outcome(current: Current) -> str:
    async with current.use() as works:
        return await asked(works)


def names(here: Settings) -> dict[str, int]:
    with closing(Store(here.store)) as store:
        return {one.name: one.exchanges for one in store.listing()}


async def test_what_is_wanted_is_put_in_force_with_the_next_request(current: Current, here: Settings) -> None:
    for mode, expected in (
        (Mode.RECORD, "recorded"),
        (Mode.PASSTHROUGH, "left to mitmproxy"),
        (Mode.AUTO, "hit"),
        (Mode.REPLAY, "hit"),
    ):
        current.want(Choice(mode, "talk", here))
        assert await outcome(current) == expected
        assert current.works is not None
        assert current.works.choice.mode is mode


async def test_what_is_in_force_stays_so_from_request_to_request(current: Current, here: Settings) -> None:
    current.want(Choice(Mode.RECORD, "talk", here))
    async with current.use() as one, current.use() as other:
        assert one is other
        assert {await asked(one), await asked(other)} == {"recorded"}


async def test_law_1_a_change_waits_for_the_requests_in_flight_and_new_ones_for_the_change(
    current: Current, here: Settings
) -> None:
    current.want(Choice(Mode.RECORD, "talk", here))
    first, second = await current.take(), await current.take()
    current.want(Choice(Mode.REPLAY, "talk", here))
    waiting = [asyncio.create_task(outcome(current)) for _ in range(2)]
    await asyncio.sleep(0.05)
    assert current.is_changing
    assert await asked(first) == "recorded"
    first.end()
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in waiting)
    assert await asked(second) == "recorded"
    second.end()
    assert await asyncio.gather(*waiting) == ["hit", "hit"]
    assert not current.is_changing


async def test_law_2_a_recording_that_is_changed_away_from_is_there_to_be_replayed_next(
    current: Current, here: Settings
) -> None:
    current.want(Choice(Mode.RECORD, "talk", here))
    assert await outcome(current) == "recorded"
    current.want(Choice(Mode.REPLAY, "talk", here))
    assert [await outcome(current) for _ in range(2)] == ["hit", "miss"]


async def test_the_same_choice_made_again_begins_nothing_anew(current: Current, here: Settings) -> None:
    for _ in range(2):
        current.want(Choice(Mode.RECORD, "talk", here))
        assert await outcome(current) == "recorded"
    for expected in ("hit", "hit", "miss"):
        current.want(Choice(Mode.REPLAY, "talk", replace(here)))
        assert await outcome(current) == expected


async def test_a_replay_is_renewed_but_no_recording(current: Current, here: Settings) -> None:
    current.want(Choice(Mode.RECORD, "talk", here))
    async with current.use() as works:
        assert await asked(works) == "recorded"
    current.renew()
    async with current.use() as same:
        assert same is works
    current.want(Choice(Mode.REPLAY, "talk", here))
    assert [await outcome(current) for _ in range(2)] == ["hit", "miss"]
    current.renew()
    assert await outcome(current) == "hit"


async def test_a_choice_that_could_not_be_put_in_force_is_tried_when_it_is_made_again(
    current: Current, here: Settings
) -> None:
    replay = Choice(Mode.REPLAY, "talk", here)
    current.want(replay)
    with pytest.raises(CassetteError, match="there is no such cassette"):
        await current.take()
    other = Current()
    other.want(Choice(Mode.RECORD, "talk", here))
    await outcome(other)
    await other.close(well=True)
    current.want(replace(replay))
    assert await outcome(current) == "hit"


async def test_law_3_a_trouble_is_what_requests_are_answered_with_until_a_good_choice_comes(
    current: Current, here: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    current.want(Choice(Mode.REPLAY, "none", here))
    for _ in range(3):
        with pytest.raises(CassetteError, match=r"^none: there is no such cassette"):
            await current.take()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.messages[0].startswith("chatproxy: none: there is no such cassette")
    current.want(Choice(Mode.RECORD, "talk", here))
    assert await outcome(current) == "recorded"
    assert current.trouble is None


async def test_law_3_wrong_options_are_a_trouble_too_and_end_what_was_in_force(
    current: Current, here: Settings
) -> None:
    current.want(Choice(Mode.RECORD, "talk", here))
    assert await outcome(current) == "recorded"
    current.want(ConfigError("chatproxy_clock", "is wrong"))
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"^chatproxy_clock: is wrong$"):
            await current.take()
    assert current.works is None
    assert names(here) == {"talk": 1}


async def test_what_is_in_force_is_said_once(
    current: Current, here: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "chatproxy"):
        current.want(Choice(Mode.RECORD, "talk", here))
        for _ in range(2):
            await outcome(current)
    assert caplog.messages == ["chatproxy: record talk"]


async def test_what_a_recording_has_to_say_is_a_warning(
    current: Current, here: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    current.want(Choice(Mode.RECORD, "talk", here))
    (await current.take()).end()
    await current.close(well=True)
    assert caplog.messages == ["chatproxy: nothing was recorded, there is no cassette talk"]


async def test_a_miss_is_left_to_its_flow(current: Current, here: Settings, caplog: pytest.LogCaptureFixture) -> None:
    current.want(Choice(Mode.RECORD, "talk", here))
    await outcome(current)
    current.want(Choice(Mode.REPLAY, "talk", here))
    assert [await outcome(current) for _ in range(2)] == ["hit", "miss"]
    assert caplog.messages == []


async def test_an_upstream_that_is_down_fails_its_request_only(current: Current, here: Settings) -> None:
    current.want(Choice(Mode.RECORD, "talk", replace(here, upstream="http://127.0.0.1:9")))
    for _ in range(2):
        with pytest.raises(UpstreamError, match="cannot be reached"):
            await outcome(current)
    current.want(Choice(Mode.RECORD, "talk", here))
    assert await outcome(current) == "recorded"


async def test_an_authority_that_cannot_be_read_is_a_trouble_that_leaves_nothing_open(
    current: Current, here: Settings, tmp_path: Path
) -> None:
    current.want(Choice(Mode.RECORD, "talk", replace(here, upstream_ca=tmp_path / "none.pem")))
    with pytest.raises(ConfigError, match=r"none\.pem"):
        await current.take()
    assert names(here) == {}


@pytest.mark.parametrize(("well", "left"), [(True, {"talk": 1}), (False, {"talk.partial": 1})])
async def test_a_recording_ends_well_or_stays_as_an_interrupted_one(
    here: Settings, *, well: bool, left: dict[str, int]
) -> None:
    current = Current()
    current.want(Choice(Mode.RECORD, "talk", here))
    assert await outcome(current) == "recorded"
    await current.close(well=well)
    assert names(here) == left


async def test_the_end_waits_for_the_requests_in_flight_and_nothing_is_after_it(here: Settings) -> None:
    current = Current()
    current.want(Choice(Mode.RECORD, "talk", here))
    works = await current.take()
    closing_ = asyncio.create_task(current.close(well=True))
    await asyncio.sleep(0.05)
    assert not closing_.done()
    assert await asked(works) == "recorded"
    works.end()
    await closing_
    with pytest.raises(ChatproxyError, match=r"^chatproxy has ended$"):
        await current.take()
    await current.close(well=True)
    assert names(here) == {"talk": 1}


async def test_a_report_is_written_with_the_change(current: Current, here: Settings, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    current.want(Choice(Mode.RECORD, "talk", replace(here, report=report)))
    await outcome(current)
    assert not report.exists()
    current.want(Choice(Mode.REPLAY, "talk", here))
    await outcome(current)
    assert '"recorded": 1' in report.read_text()


async def test_a_report_that_cannot_be_written_is_said_and_the_change_is_made(
    current: Current, here: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    current.want(Choice(Mode.RECORD, "talk", replace(here, report=folder / "report.json")))
    await outcome(current)
    (folder / "report.json").mkdir()
    current.want(Choice(Mode.REPLAY, "talk", here))
    assert await outcome(current) == "hit"
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "report.json cannot be written" in caplog.messages[0]
