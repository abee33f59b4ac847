import json
import os
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from servers import settings

from chatproxy.core.errors import CassetteError
from chatproxy.core.model import Mode
from chatproxy.core.report.report import outcome_of
from chatproxy.environment import environment
from chatproxy.serve.hosting import Background, in_background, run_server
from chatproxy.serve.listen import proxy, sandbox
from chatproxy.store import Store


def accepts(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port))).close()
    except ConnectionRefusedError:
        return False
    return True


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


CHANNEL = "/v1/Services/IS0123456789abcdef0123456789abcdef/Channels/CH0123456789abcdef0123456789abcdef/Messages"
BASIC = {"Authorization": "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjp0aGUtYXV0aC10b2tlbg=="}


def say(url: str, body: str) -> int:
    try:
        request = Request(url + CHANNEL, f"Body={body}".encode(), BASIC)
        with build_opener(ProxyHandler({})).open(request, timeout=20) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code


def test_a_proxy_serves_until_it_is_closed_and_tells_what_came_of_it(tmp_path: Path) -> None:
    told: list[str] = []
    with Background() as background, background.serving(sandbox(settings(tmp_path))) as upstream:
        here = settings(tmp_path, upstream=upstream.url)
        recording = background.serve(Mode.RECORD, "talk", here, told.append)
        assert [say(recording.url, body) for body in ("a", "b")] == [201, 201]
        recording.close(well=True)
        assert not accepts(recording.url)
        replay = background.serve(Mode.REPLAY, "talk", here, told.append, tied="mine")
        assert [say(replay.url, body) for body in ("a", "c")] == [201, 424]
        outcome, content = replay.outcome(), replay.content()
        replay.close(well=True)
    assert (outcome.mode, outcome.counts, list(outcome.unused)) == (Mode.REPLAY, {"hit": 1, "miss": 1}, [2])
    assert outcome_of(json.loads(json.dumps(content))) == outcome
    assert content["sessions"].keys() == {"mine"}  # type: ignore[attr-defined]  # an object by its name
    assert told == []


@pytest.mark.parametrize(("well", "left"), [(True, "talk"), (False, "talk.partial")])
def test_a_recording_that_did_not_go_well_stays_as_an_interrupted_one(tmp_path: Path, *, well: bool, left: str) -> None:
    with Background() as background, background.serving(sandbox(settings(tmp_path))) as upstream:
        here = settings(tmp_path, upstream=upstream.url)
        served = background.serve(Mode.RECORD, "talk", here, print)
        assert say(served.url, "a") == 201
        served.close(well=well)
    with closing(Store(here.store)) as store:
        assert [one.name for one in store.listing()] == [left]


def test_a_child_finds_a_proxy_by_its_address_and_reaches_it_directly(tmp_path: Path) -> None:
    with Background() as background:
        served = background.serve(Mode.PASSTHROUGH, "", settings(tmp_path), print)
        assert served.environment({"A": "b"}) == environment({"A": "b"}, served.url)
        served.close(well=True)
