"""The same scenario, recorded again with other SIDs, delays and dates by the real client, gives the same fixture."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path

import pytest
from integration.processes import Workplace
from integration.twilio_clients import NO_EDGE
from twilio.rest import Client

pytestmark = pytest.mark.process


@dataclass
class Recorded:
    place: Workplace
    files: list[Path]
    results: list[list[object]]


def sid(prefix: str, run: int) -> str:
    return prefix + md5(f"{prefix}{run}".encode()).hexdigest()


def client(url: str, run: int) -> Client:
    made = Client(sid("AC", run), "0123456789abcdef0123456789abcdef", environment=NO_EDGE)
    made.chat.base_url = url
    return made


def program(url: str, run: int) -> list[object]:
    """Write one after another, and read at the same time."""
    channels = client(url, run).chat.v1.services(sid("IS", run)).channels
    messages = channels(sid("CH", run)).messages
    made = [messages.create(body=body, attributes='{"a": [1, 2]}') for body in ("one", "two", "three")]
    with ThreadPoolExecutor(3) as pool:
        pages = [pool.submit(messages.list, page_size=size) for size in (1, 2, 50)]
        fetched = [pool.submit(messages(one.sid).fetch) for one in made]
        lists = [[one.body for one in page.result()] for page in pages]
        bodies = [one.result().body for one in fetched]
    updated = messages(made[1].sid).update(body=f"see {url}/x and {made[0].sid}")
    messages(made[0].sid).delete()
    left = messages.list()
    other = channels("general").messages
    other.create(body="elsewhere", from_="bob@example.com")
    return [
        lists,
        bodies,
        [one.body.replace(url, "") == updated.body.replace(url, "") for one in left],
        [one.date_created <= one.date_updated for one in left],
        [one.body for one in other.list(order="desc")],
    ]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    files, results = [], []
    for run, start in enumerate(("2026-11-23T12:00:00Z", "2019-02-28T23:59:58Z")):
        place = Workplace(tmp_path_factory.mktemp("recorded"))
        file = place.folder / "tour.json"
        with place.sandbox("--seed", run, "--latency", "0:0.2", "--start-time", start) as upstream:
            with place.record("tour", upstream.url) as recorder:
                results.append(program(recorder.url, run))
        place.run("export", "tour", file)
        place.run("export", "tour", "anonymous.json", "--anonymous")
        files.append(file)
    return Recorded(place, files, results)


def test_law_two_recordings_of_one_program_are_one_file(recorded: Recorded) -> None:
    one, other = (file.read_text() for file in recorded.files)
    own = [re.findall(r'.*"own": .*', text) for text in (one, other)]
    assert len(own[0]) == len(own[1]) == 4
    assert [line for line in one.splitlines() if line not in own[0]] == [
        line for line in other.splitlines() if line not in own[1]
    ]
    anonymous = [(file.parent / "anonymous.json").read_bytes() for file in recorded.files]
    assert anonymous[0] == anonymous[1]
    assert recorded.results[0] == recorded.results[1]
    assert "127.0.0.1" not in one


def configured(file: Path) -> str:
    """Return the channel that the recorded client had in its settings, as a fixture has it."""
    target = json.loads(file.read_text())["exchanges"][0]["request"]["target"]
    return str(target.split("/")[5])


@pytest.mark.parametrize("way", ["file", "imported"])
def test_the_file_answers_a_client_with_sids_of_its_own(recorded: Recorded, way: str, tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    if way == "imported":
        place.run("import", recorded.files[0])
    bound = ("--bind", f"{sid('CH', 7)}={configured(recorded.files[0])}")
    with place.serving("replay", "tour" if way == "imported" else recorded.files[0], *bound) as replayer:
        assert program(replayer.url, 7) == recorded.results[0]
        replayer.stop()
    assert replayer.count("miss") == 0


def test_importing_and_exporting_again_gives_the_same_file(recorded: Recorded, tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.run("import", recorded.files[0])
    place.run("export", "tour", "again.json")
    assert (tmp_path / "again.json").read_bytes() == recorded.files[0].read_bytes()
    assert "nothing more exact is known" in place.run("export", "tour", "--exact", status=1)
    for refused in (("record", "tour", "--append"), ("auto", "tour")):
        assert "comes from a canonical fixture" in place.run(*refused, status=1)


def test_an_exact_file_has_what_was_on_the_wire(recorded: Recorded) -> None:
    place = recorded.place
    place.run("export", "tour", "exact.json", "--exact")
    document = json.loads((place.folder / "exact.json").read_text())
    assert (document["chatproxy"], document["exact"]) == (3, True)
    assert {one["user"] for one in document["exchanges"]} == {sid("AC", 1)}
    assert all(one["asked"].startswith("202") for one in document["exchanges"])
    place.run("import", "exact.json", "--name", "exact")
    place.run("export", "exact", "canonical.json")
    assert (place.folder / "canonical.json").read_text().replace('"exact"', '"tour"') == recorded.files[1].read_text()


def test_a_fixture_comes_through_a_pipe(recorded: Recorded, tmp_path: Path) -> None:
    chatproxy = Path(sys.executable).with_name("chatproxy")
    command = f"cat {recorded.files[0]} | {chatproxy} import /dev/stdin"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0].startswith("chatproxy: imported /dev/stdin as tour, ")
