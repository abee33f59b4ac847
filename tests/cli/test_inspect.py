import json
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from cli.commands import REFERENCE, chatproxy
from repositories import again, edited

from chatproxy.store import Store


@pytest.mark.process
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
        done = chatproxy("explain", REFERENCE, *flags, cwd=tmp_path, stdin="GET /v1/x")
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


TOKEN = "0f1e2d3c4b5a69780f1e2d3c4b5a6978"


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """A text with a token, and an address that a user wrote."""
    file = tmp_path / "leaky.json"
    file.write_text(f'{{"to": "{TOKEN}",\n"body": "write to alice@corp.com"}}\n')
    return file


def test_check_shows_findings_as_a_linter_does(leaky: Path, tmp_path: Path) -> None:
    done = chatproxy("check", REFERENCE, "leaky.json", cwd=tmp_path)
    assert done.returncode == 5
    assert re.fullmatch(
        r"leaky\.json:1:9: twilio-auth-token: what looks like a Twilio auth token in 'to' \([0-9a-f]{8}\)\n",
        done.stdout,
    )
    assert done.stderr == (
        "chatproxy: 1 finding; keep secrets out by a scrub rule; allow what is none by its id, --allow ID\n"
    )
    assert TOKEN not in done.stdout


def test_check_takes_files_or_the_store(tmp_path: Path) -> None:
    for arguments in ((), (REFERENCE, "--store")):
        done = chatproxy("check", *arguments, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (
            2,
            "chatproxy: give files, or --store alone; `chatproxy check --help` shows how\n",
        )


def test_check_reads_the_store_of_the_settings_for_damage(tmp_path: Path) -> None:
    done = chatproxy("check", "--store", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "chatproxy: no cassettes in .chatproxy\n")
    assert chatproxy("import", REFERENCE, "--store", "other", cwd=tmp_path).returncode == 0
    done = chatproxy("check", "--store", cwd=tmp_path, CHATPROXY_STORE="other")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"chatproxy: no damage in other: 1 cassettes, \d+ exchanges\n", done.stdout)


def test_check_shows_what_is_damaged_in_the_store(tmp_path: Path) -> None:
    assert chatproxy("import", REFERENCE, cwd=tmp_path).returncode == 0
    with closing(Store(tmp_path / ".chatproxy")) as store:
        key, value = store.environment.scan(b"e", limit=1)[0]
        store.environment.write(lambda transaction: transaction.put(key, value[:-1] + b"?"))
    done = chatproxy("check", "--store", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, ".chatproxy: exchange 1 of cassette reference is damaged\n")
    assert done.stderr.startswith("chatproxy: .chatproxy: is damaged; the lines before say where: ")

    page = bytearray((tmp_path / ".chatproxy" / "data.mdb").read_bytes())
    page[4096 * 2 :] = bytes(len(page) - 4096 * 2)
    (tmp_path / ".chatproxy" / "data.mdb").write_bytes(page)
    done = chatproxy("check", "--store", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"chatproxy: \.chatproxy: is damaged \(.+\); move it away and import .*\n", done.stderr)


def test_check_says_that_there_are_no_findings(tmp_path: Path) -> None:
    done = chatproxy("check", REFERENCE, "--strict", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"chatproxy: no findings in {REFERENCE}\n", "")


def test_check_allows_what_it_is_told_by_flag_variable_or_file(leaky: Path, tmp_path: Path) -> None:
    found = chatproxy("check", leaky, cwd=tmp_path).stdout
    (found_id,) = re.findall(r"\((\w+)\)", found)
    assert chatproxy("check", leaky, "--allow", found_id, cwd=tmp_path).returncode == 0
    assert chatproxy("check", leaky, "--allow", "[0-9a-f]{32},x", cwd=tmp_path).returncode == 0
    for flags in (("--allow", found_id, "--allow", "x"), ("--allow", "x", "--allow", found_id)):
        assert chatproxy("check", leaky, *flags, cwd=tmp_path).returncode == 0
    assert chatproxy("check", leaky, cwd=tmp_path, CHATPROXY_ALLOW=found_id).returncode == 0
    (tmp_path / "chatproxy.toml").write_text(f'allow = ["{found_id}"]')
    assert chatproxy("check", leaky, cwd=tmp_path).returncode == 0
    strict = chatproxy("check", leaky, "--strict", cwd=tmp_path)
    assert (strict.returncode, strict.stdout.split(": ")[1]) == (5, "email")


def test_check_knows_the_credentials_of_the_environment(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("it is %74he-auth-token-of-the-account")
    environ = {"TWILIO_AUTH_TOKEN": "the-auth-token-of-the-account"}
    assert chatproxy("check", "a.txt", cwd=tmp_path).returncode == 0
    done = chatproxy("check", "a.txt", cwd=tmp_path, **environ)
    assert (done.returncode, done.stdout.split(": ")[:2]) == (5, ["a.txt:1:7", "known-credential"])


def test_check_reads_fixtures_as_a_replay_would(leaky: Path, tmp_path: Path) -> None:
    text = REFERENCE.read_text()
    (tmp_path / "status.json").write_text(text.replace('"status": 201', '"status": 600', 1))
    (tmp_path / "cut.json").write_text(text[: len(text) // 2])
    (tmp_path / "other.json").write_text('{"chatproxies": 1}')
    done = chatproxy("check", "status.json", "cut.json", "other.json", leaky, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{leaky}:1:9: ")
    wrong, cut, total, _ = done.stderr.split("\n")
    assert re.fullmatch(r"chatproxy: status.json: /exchanges/\d+/response/status: must be an integer from .*", wrong)
    assert cut.startswith("chatproxy: cut.json: is no JSON: ")
    assert total == "chatproxy: 1 finding, but 2 of 4 files could not be read"


def test_check_takes_a_folder(leaky: Path, tmp_path: Path) -> None:
    (tmp_path / "cassettes" / "deep").mkdir(parents=True)
    for name in ("a.json", "deep/b.json"):
        (tmp_path / "cassettes" / name).write_text(REFERENCE.read_text())
    done = chatproxy("check", "cassettes", cwd=tmp_path)
    assert done.stdout == "chatproxy: no findings in cassettes: 2 files\n"
    (tmp_path / "cassettes" / "deep" / "b.json").write_text(leaky.read_text())
    done = chatproxy("check", "cassettes", cwd=tmp_path)
    assert (done.returncode, done.stdout.split(":")[0]) == (5, "cassettes/deep/b.json")


def test_check_goes_on_after_a_file_that_cannot_be_read(leaky: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = chatproxy("check", "none.json", leaky, "empty", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{leaky}:1:9: ")
    assert done.stderr.split("\n") == [
        "chatproxy: empty: is a folder without a file that ends in .json",
        "chatproxy: none.json: cannot be read: No such file or directory",
        "chatproxy: 1 finding, but 2 of 3 files could not be read",
        "",
    ]
    assert chatproxy("check", cwd=tmp_path).returncode == 2


def test_the_known_sids_are_printed_for_another_environment_to_fill_in(tmp_path: Path) -> None:
    done = chatproxy("sids", REFERENCE, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    block = done.stdout
    assert "[bind]\n# CHca765a4cadaca3670000000000000001, below IS" in block
    (tmp_path / "chatproxy.toml").write_text(re.sub(r"# CH\.\.\.", f"CH{'f' * 32}", block))
    assert chatproxy("explain", REFERENCE, cwd=tmp_path, stdin="GET /v1/x").returncode == 0
