"""Stores and fixtures that earlier versions wrote replay to the same bytes for the same seed.

``stores/*.tar.xz`` are the ``data.mdb`` of stores, each as it was written by the version that its name tells of, with
the cassettes ``talk`` (recorded from the sandbox) and ``demo`` (imported from the fixture that is read here, too),
compiled. The digests are of what that version replayed, with the times of today and what is said of assumed SIDs.
"""

import json
import re
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

import pytest
from servers import settings
from strategies import FORM, basic

from chatproxy.core.model import Mode, Request, Response
from chatproxy.wiring.assembly import assembled

STORES = sorted((Path(__file__).parent / "stores").glob("*.tar.xz"))
DEMO = Path(__file__).parents[1] / "fixture" / "demo-2.json"
ACCOUNT, SERVICE, CHANNEL = ("%s0123456789abcdef0123456789abcdef" % prefix for prefix in ("AC", "IS", "CH"))  # noqa: UP031
MESSAGES = f"/v1/Services/{SERVICE}/Channels/{CHANNEL}/Messages"

TALK_REPLAYED = "ac756b4a4cbee86c349f8f8a7156f559"
DEMO_REPLAYED = "83faf549afeba100d09f0fad52ec665e"

Ask = Callable[[str, str, str], Response]


def replayed(cassette: str, folder: Path, program: Callable[[Ask], None]) -> list[Response]:
    """Replay with seed 7 at a fixed time, and return all answers."""
    served: list[Response] = []
    with assembled(
        Mode.REPLAY, cassette, settings(folder, seed=7, clock=datetime(2026, 1, 1, tzinfo=UTC)), print
    ) as assembly:

        def ask(method: str, target: str, body: str) -> Response:
            headers = (FORM, basic(ACCOUNT.encode(), b"a token of the account"))
            answer = assembly.engine.on_request(Request(method, target.encode(), headers, body.encode()))
            assert isinstance(answer, Response)
            served.append(answer)
            return answer

        program(ask)
    return served


def talk(ask: Ask) -> None:
    first, *_ = [ask("POST", MESSAGES, "Body=one"), ask("POST", MESSAGES, "Body=two")]
    ask("GET", MESSAGES, "")
    ask("GET", MESSAGES, "")
    sid = json.loads(first.body)["sid"]
    ask("POST", f"{MESSAGES}/{sid}", "Body=three")
    ask("DELETE", f"{MESSAGES}/{sid}", "")


def demo(ask: Ask) -> None:
    """Ask what stands in the fixture, with the SIDs of the answers in place of those in the file."""
    live = {f"IS{1:032}": SERVICE, f"CH{1:032}": CHANNEL}
    for exchange in json.loads(DEMO.read_text("utf-8"))["exchanges"]:
        request = exchange["request"]
        target = re.sub(r"[A-Z]{2}[0-9]{32}", lambda found: live[found[0]], request["target"])
        answer = ask(request["method"], target, (request["body"] or {"text": ""})["text"])
        if answer.status == 201:
            live[f"IM{len(live) - 1:032}"] = json.loads(answer.body)["sid"]


def digest(served: list[Response]) -> str:
    said = [(one.status, one.reason, one.headers, one.body) for one in served]
    return blake2b(repr(said).encode(), digest_size=16).hexdigest()


def opened(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as file:
        file.extractall(folder / "store", filter="data")
    return folder


archives = pytest.mark.parametrize("archive", STORES, ids=lambda path: str(path.name))


@archives
def test_what_an_old_store_recorded_replays_to_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    served = replayed("talk", opened(archive, tmp_path), talk)
    assert [one.status for one in served] == [201, 201, 200, 200, 200, 204]
    assert json.loads(served[0].body)["sid"] == "IMc18f92a4078baf327b605255e3a03d15"
    assert digest(served) == TALK_REPLAYED


@archives
def test_what_an_old_store_imported_replays_to_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    assert digest(replayed("demo", opened(archive, tmp_path), demo)) == DEMO_REPLAYED


def test_a_fixture_replays_to_the_same_bytes(tmp_path: Path) -> None:
    served = replayed(str(DEMO), tmp_path, demo)
    assert [one.status for one in served].count(201) == 5
    assert all((b"x-chatproxy-outcome", b"hit") in one.headers for one in served)
    assert digest(served) == DEMO_REPLAYED
