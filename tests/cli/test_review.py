import json
import os
import subprocess
import sys
from pathlib import Path

from cli.commands import REFERENCE, chatproxy
from repositories import again, edited


def test_a_request_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path) -> None:
    unreadable = os.open(tmp_path / "written", os.O_WRONLY | os.O_CREAT)
    command = [sys.executable, "-m", "chatproxy", "explain", str(REFERENCE)]
    done = subprocess.run(
        command, stdin=unreadable, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    os.close(unreadable)
    assert (done.returncode, done.stderr) == (2, "chatproxy: standard input: cannot be read: Bad file descriptor\n")


def test_a_request_is_explained_as_text_and_as_json(tmp_path: Path) -> None:
    for flags, shown in (((), "miss: never recorded"), (("--json",), '"outcome": "miss"')):
        command = [sys.executable, "-m", "chatproxy", "explain", str(REFERENCE), *flags]
        done = subprocess.run(
            command, input="GET /v1/x", cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert shown in done.stdout


def test_cassettes_that_mean_the_same_do_not_differ(tmp_path: Path) -> None:
    (tmp_path / "again.json").write_text(again(REFERENCE.read_text()))
    assert chatproxy("import", REFERENCE, cwd=tmp_path).returncode == 0
    assert chatproxy("import", "again.json", "--name", "again", cwd=tmp_path).returncode == 0
    for one, other in (("reference", "again"), (REFERENCE, "again.json"), ("again", REFERENCE)):
        done = chatproxy("diff", one, other, "--fail-on", "low", cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "no differences\n", "")


def test_a_difference_is_shown_and_fails_from_its_severity_on(tmp_path: Path) -> None:
    text = REFERENCE.read_text()
    (tmp_path / "low.json").write_text(edited(text, '"body": "Hello"', '"body": "Hi"'))
    (tmp_path / "high.json").write_text(edited(text, '"status": 204', '"status": 200'))
    low = chatproxy("diff", REFERENCE, "low.json", cwd=tmp_path)
    assert low.returncode == 0
    assert low.stdout.splitlines() == [
        "GET /v1/Services/IS*/Channels/CH*/Messages",
        '  low   a/1 b/1  /messages/0/body was "Hello", is "Hi"',
        "1 endpoint differs: 1 changed, 0 only in a, 0 only in b",
    ]
    assert chatproxy("diff", REFERENCE, "low.json", "--fail-on", "low", cwd=tmp_path).returncode == 5
    assert chatproxy("diff", REFERENCE, "low.json", cwd=tmp_path, CHATPROXY_FAIL_ON="low").returncode == 5
    high = chatproxy("diff", REFERENCE, "high.json", "--json", cwd=tmp_path)
    assert (high.returncode, high.stderr) == (5, "")
    assert json.loads(high.stdout)["findings"][0]["message"] == "was 204, is 200"
    assert json.loads(high.stdout)["b"] == "high.json"


def test_the_rules_say_what_counts(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(REFERENCE.read_text().replace("Body=MESSAGE", "Body=MESSAGE&Now=1"))
    assert "request form field Now" in chatproxy("diff", REFERENCE, "b.json", cwd=tmp_path).stdout
    assert chatproxy("diff", REFERENCE, "b.json", "--ignore", "Now", cwd=tmp_path).stdout == "no differences\n"


def test_the_merge_driver_takes_the_side_that_changed(tmp_path: Path) -> None:
    text = REFERENCE.read_text()
    for name, content in (("o", text), ("a", again(text)), ("b", edited(text, "Hello", "Hi"))):
        (tmp_path / name).write_text(content)
    done = chatproxy("merge-driver", "o", "a", "b", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text()
    assert "merge.chatproxy.driver" in chatproxy("merge-driver", "--help", cwd=tmp_path).stdout
