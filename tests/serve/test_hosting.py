import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from servers import accepts, settings

from chatproxy.core.errors import CassetteError
from chatproxy.core.model import Mode
from chatproxy.serve.hosting import Background, in_background, run_server
from chatproxy.serve.listen import proxy, sandbox


def test_a_server_in_the_background_serves_until_the_block_ends(tmp_path: Path) -> None:
    with in_background(sandbox(settings(tmp_path))) as running:
        assert accepts(running.url)
    assert not accepts(running.url)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("chatproxy")]


def test_what_stops_a_server_in_the_background_from_starting_is_raised(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="cannot be read"):
        with in_background(proxy(Mode.REPLAY, str(tmp_path / "none.json"), settings(tmp_path), print)):
            pytest.fail("it started")


def test_one_thread_runs_several_servers_each_for_its_time(tmp_path: Path) -> None:
    with Background() as background:
        with background.serving(sandbox(settings(tmp_path))) as one:
            with background.serving(sandbox(settings(tmp_path))) as other:
                assert accepts(one.url)
                assert accepts(other.url)
            assert accepts(one.url)
            assert not accepts(other.url)


def test_a_block_that_fails_ends_its_server_with_its_error(tmp_path: Path) -> None:
    seen: list[BaseException] = []

    @asynccontextmanager
    async def telling() -> AsyncIterator[str]:
        try:
            yield "served"
        except KeyError as error:
            seen.append(error)
            raise

    @asynccontextmanager
    async def forgiving() -> AsyncIterator[str]:
        with suppress(KeyError):
            yield "served"

    with Background() as background:
        with pytest.raises(KeyError):
            with background.serving(telling()) as served:
                raise KeyError(served)
        with background.serving(forgiving()):
            raise KeyError("forgiven")
    assert len(seen) == 1


def test_a_server_of_this_process_ends_with_a_signal_and_has_its_ready_file_until_then(tmp_path: Path) -> None:
    ready, told = tmp_path / "ready.json", list[str]()
    content: dict[str, object] = {}

    def interrupt() -> None:
        while not ready.exists():
            time.sleep(0.005)
        content.update(json.loads(ready.read_text()))
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=interrupt)
    thread.start()
    before = signal.getsignal(signal.SIGTERM)
    try:
        run_server(sandbox(settings(tmp_path)), "sandbox", ready, told.append)
    finally:
        thread.join()
        signal.signal(signal.SIGTERM, before)
    assert told == [f"chatproxy: sandbox on {content['url']}"]
    assert content == {"url": content["url"], "mode": "sandbox", "pid": os.getpid()}
    assert not ready.exists()


def test_what_fails_beside_all_requests_is_reported_by_its_kind_and_place(caplog: pytest.LogCaptureFixture) -> None:
    def fail(received: str) -> None:
        raise ValueError(received)

    @asynccontextmanager
    async def failing() -> AsyncIterator[None]:
        asyncio.get_running_loop().call_soon(fail, "the " + "secret")
        yield

    with in_background(failing()):
        pass
    assert "in fail" in caplog.text
    assert "ValueError" in caplog.text
    assert "the secret" not in caplog.text
