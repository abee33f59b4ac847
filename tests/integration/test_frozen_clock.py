"""Programs that go by dates, replayed in a process whose clock is frozen or travels, as tests make it."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from integration.twilio_clients import ACCOUNT, CHANNEL, SERVICE, TOKEN
from servers import settings

from chatproxy.core.model import Mode, Outcome
from chatproxy.serve.hosting import in_background
from chatproxy.serve.listen import proxy, sandbox
from chatproxy.testing import twilio_client

POLLS = 3
DAY = 86_400


def takes(url: str, sleep: Callable[[float], object]) -> Iterator[list[str]]:
    """Write, sleep, and take what is later than the last that was taken, again and again."""
    messages = twilio_client(url, ACCOUNT, TOKEN).chat.v1.services(SERVICE).channels(CHANNEL).messages
    last: datetime | None = None
    for nth in range(POLLS):
        messages.create(body=f"message {nth}")
        sleep(1.05)
        new: list[Any] = [one for one in messages.list() if last is None or one.date_created > last]
        yield [one.body for one in new]
        last = max((one.date_created for one in new), default=last)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store in which the program is recorded."""
    folder = tmp_path_factory.mktemp("frozen")
    with (
        in_background(sandbox(settings(folder))) as upstream,
        in_background(proxy(Mode.RECORD, "c", settings(folder, upstream=upstream.url), print)) as recorder,
    ):
        assert list(takes(recorder.url, time.sleep)) == [[f"message {nth}"] for nth in range(POLLS)]
    return folder


@pytest.mark.parametrize("by", [0, 1, -1, DAY, -DAY], ids=["stands", "goes on", "goes back", "a day on", "a day back"])
def test_what_is_taken_by_dates_is_taken_where_the_clock_is_frozen(
    folder: Path, by: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = [1_900_000_000 * 10**9]
    with in_background(proxy(Mode.REPLAY, "c", settings(folder), print)) as replayer:
        with monkeypatch.context() as patch:
            patch.setattr(time, "time_ns", lambda: frozen[0])
            patch.setattr(time, "time", lambda: frozen[0] / 10**9)
            taken = list(takes(replayer.url, lambda _: frozen.append(frozen.pop() + by * 10**9)))
        assert replayer.engine is not None
        assert set(replayer.engine.counts) == {Outcome.HIT}
    assert taken == [[f"message {nth}"] for nth in range(POLLS)]
