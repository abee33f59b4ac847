import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cli.commands import apart
from integration.processes import Server, Workplace, environment

pytestmark = pytest.mark.process

CLIENT = """
import os, sys
import urllib.error, urllib.parse, urllib.request

def say(body):
    path = "/v1/Services/IS0123456789abcdef0123456789abcdef/Channels/CH0123456789abcdef0123456789abcdef/Messages"
    basic = "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjp0aGUtYXV0aC10b2tlbi1vZi10aGUtYWNjb3VudA=="
    data = urllib.parse.urlencode({"Body": body}).encode()
    request = urllib.request.Request(os.environ["CHATPROXY_URL"] + path, data, {"Authorization": basic})
    try:
        urllib.request.urlopen(request).read()
    except urllib.error.HTTPError as error:
        print(error.code)

for body in sys.argv[2:]:
    say(body)
sys.exit(int(sys.argv[1]))
"""
FILE = "cassettes/talk.json"


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Workplace(tmp_path_factory.mktemp("upstream")).sandbox() as server:
        yield server


@pytest.fixture
def place(tmp_path: Path, upstream: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a client, and a fixture of what it said."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (tmp_path / "client.py").write_text(CLIENT)
    done = run(tmp_path, "--mode", "record", "--upstream", upstream.url, FILE, says=("Hello", "Bye"))
    assert done.returncode == 0, done.stderr
    assert "chatproxy: recorded cassettes/talk.json, 2 exchanges\n" in done.stderr
    return tmp_path


def run(
    place: Path, *arguments: str, says: tuple[str, ...] = (), status: int = 0, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the client that says this and then ends with this status."""
    command = (sys.executable, "client.py", str(status), *says)
    return apart("run", *arguments, "--", *command, cwd=place, **environ)


def test_a_run_that_hits_ends_well(place: Path) -> None:
    done = run(place, FILE, says=("Hello", "Bye"))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "chatproxy: replay talk: 2 hit, 0 of 2 exchanges unused\n"


def test_misses_are_3_and_told_with_the_nearest(place: Path) -> None:
    done = run(place, FILE, says=("Hello", "Ciao"))
    assert (done.returncode, done.stdout) == (3, "424\n")
    first, miss, unused = done.stderr.splitlines()
    assert first == "chatproxy: replay talk: 1 hit, 1 miss, 1 of 2 exchanges unused"
    assert re.fullmatch(r"chatproxy: miss: POST /v1/.*: never recorded; nearest is talk/\d, where .*'Ciao'", miss)
    assert re.fullmatch(r"chatproxy: unused: talk/\d POST /v1/\S+", unused)


def test_unused_exchanges_are_4_where_that_is_asked_for(place: Path) -> None:
    assert run(place, FILE, says=("Hello",)).returncode == 0
    assert run(place, FILE, "--fail-on-unused", says=("Hello",)).returncode == 4
    assert run(place, FILE, says=("Hello",), CHATPROXY_FAIL_ON_UNUSED="1").returncode == 4
    assert run(place, FILE, "--fail-on-unused", says=("Hello", "Ciao")).returncode == 3


def test_the_commands_own_status_comes_first(place: Path) -> None:
    assert run(place, FILE, "--fail-on-unused", says=("Ciao",), status=7).returncode == 7
    assert apart("run", FILE, "--", "sh", "-c", "kill -9 $$", cwd=place).returncode == 137
    done = apart("run", FILE, "--", "no-such-program", cwd=place)
    assert (done.returncode, done.stderr.splitlines()[0]) == (127, "chatproxy: no-such-program: is not found")


def test_a_program_that_runs_again_is_told_what_a_second_run_needs(place: Path) -> None:
    twice = f"{sys.executable} client.py 0 Hello Bye; {sys.executable} client.py 0 Hello Bye"
    done = apart("run", FILE, "--", "sh", "-c", twice, cwd=place)
    assert (done.returncode, done.stdout) == (3, "424\n424\n")
    reasons = [line.partition(": the one recorded answer is used")[2] for line in done.stderr.splitlines()]
    (needs,) = [reason for reason in reasons if reason.startswith(": the first recorded request came again; ")]
    assert needs.endswith("before it, a session name of its own or --on-exhausted restart")
    assert apart("run", "--on-exhausted", "restart", FILE, "--", "sh", "-c", twice, cwd=place).returncode == 0


AT_ONCE = """
import asyncio
from chatproxy.testing import AsyncHttpClient
from twilio.rest import Client

async def main():
    service = Client("AC" + "0" * 32, "nobody's", http_client=AsyncHttpClient()).chat.v1.services("IS" + "0" * 32)
    messages = service.channels("CH" + "0" * 32).messages
    bodies = [f"m{number}" for number in range(50)]
    made = await asyncio.gather(*(messages.create_async(body=body) for body in bodies))
    print(sum(message.body == body for message, body in zip(made, bodies)))

asyncio.run(main())
"""


def test_each_of_many_async_calls_at_once_gets_its_own_answer(place: Path, upstream: Server) -> None:
    (place / "at_once.py").write_text(AT_ONCE)
    program = ("--", sys.executable, "at_once.py")
    for flags in (("--mode", "record", "--upstream", upstream.url), ()):
        done = apart("run", *flags, "cassettes/at_once.json", *program, cwd=place)
        assert (done.returncode, done.stdout) == (0, "50\n"), done.stderr


def test_a_run_without_requests_is_told_of(place: Path) -> None:
    done = run(place, FILE)
    assert "no request came (does the command use CHATPROXY_URL?)" in done.stderr


def test_a_replay_without_requests_is_3_unless_that_is_allowed(place: Path, upstream: Server) -> None:
    done = run(place, FILE, "--junit", "j.xml", GITHUB_ACTIONS="true")
    assert done.returncode == 3
    assert "\nchatproxy: error: no request came to the replay; --allow-idle " in done.stderr
    assert (
        done.stdout
        == "::error title=chatproxy::talk: no request came to the replay; --allow-idle takes that for a success\n"
    )
    assert ElementTree.parse(place / "j.xml").getroot().get("failures") == "1"
    allowed = run(place, FILE, "--allow-idle", "--junit", "j.xml")
    assert (allowed.returncode, "error" in allowed.stderr) == (0, False)
    assert ElementTree.parse(place / "j.xml").getroot().get("failures") == "0"
    assert run(place, FILE, CHATPROXY_ALLOW_IDLE="true").returncode == 0
    assert run(place, FILE, "--allow-idle", "--fail-on-unused").returncode == 4
    for flags in ((), ("--allow-idle",)):
        failed = run(place, FILE, *flags, status=7)
        assert (failed.returncode, "error: no request" in failed.stderr) == (7, False)
    for mode in ("record", "auto"):
        assert run(place, "--mode", mode, "--upstream", upstream.url, "new").returncode == 0


def test_a_recording_replaces_the_file_if_the_command_succeeds(place: Path, upstream: Server) -> None:
    before = (place / FILE).read_text()
    recording = ("--mode", "record", "--upstream", upstream.url, FILE)
    done = run(place, *recording, says=("Ciao",), status=1)
    assert done.returncode == 1
    assert "chatproxy: cassettes/talk.json is as it was; what was recorded is in the store" in done.stderr
    assert (place / FILE).read_text() == before
    assert run(place, *recording, says=("Ciao",)).returncode == 0
    assert "Ciao" in (place / FILE).read_text()


def test_an_upstream_that_fails_is_1_and_leaves_the_file(place: Path) -> None:
    before = (place / FILE).read_text()
    done = run(place, "--mode", "record", "--upstream", "http://127.0.0.1:9", FILE, says=("Ciao",))
    assert (done.returncode, done.stdout) == (1, "502\n")
    assert "chatproxy: error: POST /v1/" in done.stderr
    assert (place / FILE).read_text() == before


def test_a_cassette_of_the_store_is_recorded_and_extended(place: Path, upstream: Server) -> None:
    asking = ("--upstream", upstream.url)
    assert run(place, "--mode", "record", *asking, "kept", says=("a",)).returncode == 0
    again = run(place, "--mode", "record", *asking, "kept", says=("a",))
    assert (again.returncode, "--replace" in again.stderr) == (1, True)
    done = run(place, "--mode", "auto", *asking, "kept", says=("a", "b"))
    assert "chatproxy: auto kept: 1 hit, 1 recorded" in done.stderr
    assert run(place, "kept", says=("a", "b")).returncode == 0


def test_auto_does_not_add_to_a_canonical_file_and_replay_needs_one(place: Path) -> None:
    done = run(place, "--mode", "auto", FILE)
    assert (done.returncode, "has canonical SIDs" in done.stderr) == (1, True)
    done = run(place, "cassettes/none.json")
    assert (done.returncode, done.stderr.startswith("chatproxy: cassettes/none.json: is not there;")) == (1, True)


def test_report_and_junit_are_written_also_of_a_run_that_fails(place: Path) -> None:
    done = run(place, FILE, "--report", "r.json", "--junit", "j.xml", "--fail-on-unused", says=("Ciao",), status=9)
    assert done.returncode == 9
    report = json.loads((place / "r.json").read_text())
    assert (report["totals"], report["unused"], report["file"]) == ({"miss": 1}, [1, 2], FILE)
    suite = ElementTree.parse(place / "j.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("4", "4")
    assert suite[0].get("name", "").endswith("client.py 9 Ciao")


def test_a_place_where_nothing_can_be_written_is_refused_before_the_command_runs(place: Path) -> None:
    done = run(place, FILE, "--junit", "no/j.xml", says=("Ciao",))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("chatproxy: --junit: no/j.xml cannot be written")


def test_a_miss_is_an_annotation_on_github_actions(place: Path) -> None:
    done = run(place, FILE, says=("Ciao",), GITHUB_ACTIONS="true")
    assert done.stdout.splitlines()[1].startswith("::error title=chatproxy%3A miss in talk::POST /v1/")


def test_a_command_is_needed(place: Path) -> None:
    done = apart("run", FILE, cwd=place)
    assert (done.returncode, "Missing argument" in done.stderr) == (2, True)


def test_a_signal_ends_the_command_and_the_report_follows(place: Path) -> None:
    code = "import time; print('up', flush=True); time.sleep(30)"
    process = subprocess.Popen(
        [sys.executable, "-m", "chatproxy", "run", FILE, "--", sys.executable, "-c", code],
        cwd=place,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    assert told.startswith("chatproxy: replay talk: no request came")


def test_a_file_that_cannot_be_written_is_one_line_and_keeps_the_recording(place: Path, upstream: Server) -> None:
    shutil.rmtree(place / "cassettes")
    (place / "cassettes").write_text("a file in the folder's place")
    done = run(place, "--mode", "record", "--upstream", upstream.url, FILE, says=("Ciao",))
    assert done.returncode == 1
    assert "cassettes/talk.json: cannot be written" in done.stderr.splitlines()[-1]
    assert "talk " in apart("list", cwd=place).stdout


@pytest.mark.skipif(not shutil.which("node"), reason="Node is not here")
def test_an_unchanged_node_test_file_is_recorded_and_replayed(tmp_path: Path, upstream: Server) -> None:
    modules = Path(__file__).parents[1] / "integration" / "node" / "node_modules"
    if not modules.exists():
        pytest.skip("the Node client is not installed")
    (tmp_path / "chat.test.cjs").write_text("""
const assert = require("node:assert");
const test = require("node:test");
const twilio = require("twilio");

test("a message is listed", async () => {
  const client = twilio("AC0123456789abcdef0123456789abcdef", "the-auth-token-of-the-account");
  client.chat.baseUrl = process.env.CHATPROXY_URL;
  const service = client.chat.v1.services("IS0123456789abcdef0123456789abcdef");
  const messages = service.channels("CHfedcba98765432100123456789abcdef").messages;
  const made = await messages.create({ body: "Hello from Node" });
  assert.ok((await messages.list()).map((message) => message.sid).includes(made.sid));
});
""")
    command = ("cassettes/node.json", "--", "node", "--test", "chat.test.cjs")
    node = {"NODE_PATH": str(modules)}
    recording = ("--mode", "record", "--upstream", upstream.url)
    assert apart("run", *recording, *command, cwd=tmp_path, **node).returncode == 0
    shutil.rmtree(tmp_path / ".chatproxy")
    done = apart("run", *command, cwd=tmp_path, **node)
    assert (done.returncode, done.stderr) == (0, "chatproxy: replay node: 2 hit, 0 of 2 exchanges unused\n")


def test_a_command_that_is_slow_to_end_is_waited_for(place: Path) -> None:
    begun = time.monotonic()
    assert apart("run", FILE, "--allow-idle", "--", "sleep", "1", cwd=place).returncode == 0
    assert time.monotonic() - begun >= 1
    assert os.environ.get("CHATPROXY_URL") is None


TALKS = """
import os, sys
import urllib.error, urllib.request

def say(channel, body):
    path = f"/v1/Services/{os.environ['SERVICE']}/Channels/{channel}/Messages"
    basic = "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjp0aGUtYXV0aC10b2tlbi1vZi10aGUtYWNjb3VudA=="
    url = os.environ["CHATPROXY_URL"] + path
    request = urllib.request.Request(url, f"Body={body}".encode(), {"Authorization": basic})
    try:
        answer = urllib.request.urlopen(request)
        print(body, channel in answer.read().decode(), answer.headers["x-chatproxy-assumed"])
    except urllib.error.HTTPError as error:
        print(body, error.code)

for name in sys.argv[1:]:
    say(os.environ.get(name, name), name)
"""
"""A program with two channels that it takes from its environment."""


def test_law_2_what_the_environment_holds_stands_for_what_it_held(tmp_path: Path, upstream: Server) -> None:
    (tmp_path / "talks.py").write_text(TALKS)
    held = {"SERVICE": "IS" + "1" * 32, "ONE": "CH" + "a" * 32, "TWO": "CH" + "b" * 32}
    now = {"SERVICE": "IS" + "2" * 32, "ONE": "CH" + "c" * 32, "TWO": "CH" + "d" * 32}
    program = ("--", sys.executable, "talks.py")
    made = apart(
        *("run", "--mode", "record", "--upstream", upstream.url, "cassettes/two.json", *program, "ONE", "TWO"),
        cwd=tmp_path,
        **held,
        SECRET="a value that is nobody's business",
    )
    assert made.returncode == 0, made.stderr
    text = (tmp_path / "cassettes/two.json").read_text()
    assert {known.get("variable") for known in json.loads(text)["known"]} == {None, "SERVICE", "ONE", "TWO"}
    assert "SECRET" not in text
    for environ, replayed in ((held, "two"), (held, "cassettes/two.json"), (now, "two"), (now, "cassettes/two.json")):
        done = apart("run", replayed, *program, "TWO", "ONE", "CH" + "9" * 32, cwd=tmp_path, **environ)
        assert done.stdout.splitlines()[:2] == ["TWO True None", "ONE True None"]
        assert done.returncode == 3
        assert "stands for no SID of cassette 'two'" in done.stderr
    both = apart("run", "cassettes/two.json", *program, "TWO", cwd=tmp_path, **{**now, "ONE": now["TWO"]})
    assert "by the variable ONE and" in both.stderr
    shown = apart("sids", "cassettes/two.json", cwd=tmp_path).stdout
    assert f'below {held["SERVICE"]}, from ONE\n# CH... = "{held["ONE"]}"' in shown


def test_law_2_what_was_assumed_is_said_at_the_end(place: Path) -> None:
    file = place / FILE
    file.write_text(file.read_text().replace('"own": "IS0', '"own": "IS9').replace('"own": "CH0', '"own": "CH9'))
    done = run(place, FILE, says=("Hello", "Bye"))
    assert done.returncode == 0
    assert "chatproxy: assumed: IS0123456789abcdef0123456789abcdef=IS9123456789abcdef0123456789abcdef\n" in done.stderr
    none = run(place, "--bind", "none", FILE, says=("Hello",))
    assert none.returncode == 3
