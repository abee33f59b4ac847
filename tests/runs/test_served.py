import json
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from servers import accepts, settings

from chatproxy.core.model import Mode
from chatproxy.core.report.report import outcome_of
from chatproxy.environment import environment
from chatproxy.runs.served import InBackground, Wanted
from chatproxy.serve.hosting import Background
from chatproxy.serve.listen import sandbox
from chatproxy.store import Store

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
        recording = InBackground(background).serve(Wanted(Mode.RECORD, "talk", here, told.append))
        assert [say(recording.url, body) for body in ("a", "b")] == [201, 201]
        recording.close(well=True)
        assert not accepts(recording.url)
        replay = InBackground(background).serve(Wanted(Mode.REPLAY, "talk", here, told.append, tied="mine"))
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
        served = InBackground(background).serve(Wanted(Mode.RECORD, "talk", here, print))
        assert say(served.url, "a") == 201
        served.close(well=well)
    with closing(Store(here.store)) as store:
        assert [one.name for one in store.listing()] == [left]


def test_a_child_finds_a_proxy_by_its_address_and_reaches_it_directly(tmp_path: Path) -> None:
    with Background() as background:
        served = InBackground(background).serve(Wanted(Mode.PASSTHROUGH, "", settings(tmp_path), print))
        assert served.environment({"A": "b"}) == environment({"A": "b"}, served.url)
        served.close(well=True)
