import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from integration.processes import PATIENCE, Server, Workplace, unmeasured
from integration.twilio_clients import (
    ACCOUNT,
    ATTRIBUTES,
    BODIES,
    CHANNEL,
    RESPELLED,
    SERVICE,
    TOKEN,
    Step,
    anywhere,
    messages_at,
    program,
)

FOLDER = Path(__file__).with_name("node")
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(NODE is None, reason="node is not installed"),
    pytest.mark.skipif(
        not (FOLDER / "node_modules" / "twilio").is_dir(),
        reason="node's twilio package is not installed: `npm ci` in tests/integration/node",
    ),
]


@dataclass
class Run:
    steps: list[Step]
    asked: int
    connected: list[str]
    failure: dict[str, Any] | None


def node(url: str, attributes: str) -> Run:
    """Run the program of the Node client."""
    assert NODE is not None
    arguments = (url, ACCOUNT, TOKEN, SERVICE, CHANNEL, attributes)
    done = subprocess.run(
        [NODE, "program.mjs", *arguments],
        cwd=FOLDER,
        env=unmeasured(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    run = Run(**json.loads(done.stdout))
    run.steps = anywhere([(call, result) for call, result in run.steps], url)
    return run


def python(url: str, attributes: str) -> list[Step]:
    """Run the program of the Python client, its steps called as the Node client's are."""
    with messages_at(url) as (messages, _):
        steps = anywhere(list(program(messages, attributes)), url)
    names = {f"create {body!r}": f"create {at}" for at, body in enumerate(BODIES)}
    return [(names.get(call, call), result) for call, result in steps]


def check(run: Run, server: Server, outcome: str) -> None:
    """All went well, all of it through the proxy and nothing elsewhere; the server is ended."""
    assert run.failure is None
    server.stop()
    assert server.count(outcome) == run.asked
    assert run.connected == ["127.0.0.1"]


def test_what_node_recorded_both_clients_replay(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    with place.sandbox() as upstream, place.record("node", upstream.url) as recorder:
        recorded = node(recorder.url, ATTRIBUTES)
        check(recorded, recorder, "recorded")

    with place.replay("node", "--sids", "recorded") as replayer:
        replayed = node(replayer.url, RESPELLED)
        check(replayed, replayer, "hit")
    assert replayed.steps == recorded.steps
    assert dict(recorded.steps)["fetch deleted"] == {"status": 404, "code": 20404}
    assert [one["body"] for one in dict(recorded.steps)["list by twos"]] == [*BODIES, "last"]

    with place.replay("node", "--sids", "recorded") as replayer:
        assert python(replayer.url, RESPELLED) == recorded.steps


def test_what_python_recorded_node_replays(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    with place.sandbox() as upstream, place.record("python", upstream.url) as recorder:
        recorded = python(recorder.url, ATTRIBUTES)
    with place.replay("python", "--sids", "recorded") as replayer:
        replayed = node(replayer.url, RESPELLED)
        check(replayed, replayer, "hit")
    assert replayed.steps == recorded


def test_the_guard_would_have_seen_a_request_to_twilio() -> None:
    run = node("https://chat.twilio.com", ATTRIBUTES)
    assert run.failure is not None
    assert run.connected == ["chat.twilio.com"]
