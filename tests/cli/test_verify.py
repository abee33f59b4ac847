import json
import os
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cli.commands import DEMO, REFERENCE, chatproxy
from integration.asking import MESSAGES, ask
from integration.processes import Server, Workplace
from integration.twilio_clients import ACCOUNT, TOKEN

pytestmark = pytest.mark.process

CREDENTIALS = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Workplace(tmp_path_factory.mktemp("upstream")).sandbox() as server:
        yield server


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, upstream: Server) -> Workplace:
    place = Workplace(tmp_path_factory.mktemp("verify"))
    with place.record("talk", upstream.url) as recorder:
        made = ask(recorder.url, "POST", MESSAGES, {"Body": "Hello"})
        ask(recorder.url, "GET", f"{MESSAGES}/{json.loads(made.body)['sid']}")
        ask(recorder.url, "GET", MESSAGES)
    return place


def test_an_upstream_that_answers_alike_has_no_findings(place: Workplace, upstream: Server, tmp_path: Path) -> None:
    reads = chatproxy("verify", "talk", "--upstream", upstream.url, cwd=place.folder, **CREDENTIALS)
    assert (reads.returncode, reads.stderr) == (0, "")
    assert reads.stdout == "2 of 3 exchanges checked, 1 skipped: no findings\n"
    with Workplace(tmp_path).sandbox("--seed", 7, "--start-time", "2020-01-01T00:00:00Z") as fresh:
        flags = ("--upstream", fresh.url, "--writes", "--fail-on", "low")
        everything = chatproxy("verify", "talk", *flags, cwd=place.folder, **CREDENTIALS)
    assert everything.stdout == "3 of 3 exchanges checked: no findings\n"


def test_what_an_upstream_answers_otherwise_is_shown_in_each_format(place: Workplace, tmp_path: Path) -> None:
    with Workplace(tmp_path).sandbox() as empty:
        command = ("verify", "talk", "--upstream", empty.url)
        text = chatproxy(*command, cwd=place.folder, **CREDENTIALS)
        assert text.returncode == 5
        assert "high  talk/2  status was 200, is 404" in text.stdout
        as_json = chatproxy(*command, "--format", "json", cwd=place.folder, **CREDENTIALS)
        assert json.loads(as_json.stdout)["summary"]["checked"] == 2
        junit = chatproxy(*command, cwd=place.folder, CHATPROXY_FORMAT="junit", **CREDENTIALS)
        assert ElementTree.fromstring(junit.stdout).attrib["failures"] == "2"
    for shown in (text, as_json, junit):
        assert TOKEN not in shown.stdout + shown.stderr


def test_what_is_missing_is_said_in_one_line(place: Workplace, upstream: Server) -> None:
    without = {name: "" for name in os.environ if name.startswith("TWILIO_")}
    failed = chatproxy("verify", "talk", "--upstream", upstream.url, cwd=place.folder, **without)
    assert (failed.returncode, failed.stderr.count("\n")) == (2, 1)
    assert "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN or TWILIO_API_KEY and TWILIO_API_SECRET" in failed.stderr
    down = chatproxy("verify", "talk", "--upstream", "http://127.0.0.1:1", cwd=place.folder, **CREDENTIALS)
    assert (down.returncode, down.stderr.count("\n")) == (1, 1)
    assert "cannot be reached" in down.stderr
    canonical = chatproxy("verify", DEMO, "--upstream", upstream.url, cwd=place.folder, **CREDENTIALS)
    assert (canonical.returncode, canonical.stderr.count("\n")) == (2, 1)
    assert "comes from a canonical fixture" in canonical.stderr


def test_a_document_is_checked_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "api.json").write_text(json.dumps({"openapi": "3.0.0", "paths": {}}))
    done = chatproxy("verify", REFERENCE, "--openapi", "api.json", cwd=tmp_path)
    assert done.returncode == 5
    assert done.stdout.splitlines()[-1] == "5 of 5 exchanges checked: 5 high, 0 low"
