import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chatproxy import __version__

REFERENCE = Path(__file__).parent.parent / "cassettes" / "reference.json"


def chatproxy(*arguments: str | Path, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "chatproxy", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_lists_the_commands(tmp_path: Path) -> None:
    for arguments in ([], ["--help"], ["-h"]):
        shown = chatproxy(*arguments, cwd=tmp_path)
        assert shown.returncode == 0
        for command in "record replay auto passthrough export import list show explain sandbox demo".split():  # noqa: SIM905
            assert f"\n  {command} " in shown.stdout


@pytest.mark.parametrize(
    "command",
    ["record", "replay", "auto", "passthrough", "export", "import", "list", "show", "explain", "sandbox", "demo"],
)
def test_each_help_text_carries_an_example(tmp_path: Path, command: str) -> None:
    shown = chatproxy(command, "--help", cwd=tmp_path)
    assert shown.returncode == 0
    assert f"Example:\n    chatproxy {command}" in shown.stdout


def test_the_version_is_shown(tmp_path: Path) -> None:
    assert chatproxy("--version", cwd=tmp_path).stdout == f"chatproxy {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["nonsense"], 2, "No such command 'nonsense'; `chatproxy --help` shows how"),
        (["replay"], 2, "Missing argument 'NAME|FILE'"),
        (["replay", "x", "--quux"], 2, "No such option '--quux'; `chatproxy replay --help` shows how"),
        (["replay", "x", "--listen", "y"], 2, "--listen: 'y' is no HOST:PORT"),
        (["export", "x"], 1, "x: there is no such cassette"),
        (["show", "x"], 1, "x: there is no such cassette"),
        (["show", "x.json"], 1, "x.json: cannot be read: No such file or directory"),
        (["replay", "./x"], 1, "x: cannot be read"),
        (["record", "a/b"], 1, "a/b: is no name for a cassette"),
        (["import", "a.json", "b.json", "--name", "c"], 2, "--name: names one cassette"),
    ],
)
def test_an_error_is_one_line_and_an_exit_status(
    tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    failed = chatproxy(*arguments, cwd=tmp_path)
    assert failed.returncode == status
    assert failed.stderr.startswith("chatproxy: ")
    assert message in failed.stderr
    assert failed.stderr.count("\n") == 1
    assert failed.stdout == ""


def test_a_cassette_goes_in_and_comes_out_the_same(tmp_path: Path) -> None:
    assert chatproxy("list", cwd=tmp_path).stdout == "chatproxy: no cassettes in .chatproxy\n"
    imported = chatproxy("import", REFERENCE, cwd=tmp_path)
    assert imported.stdout == f"chatproxy: imported {REFERENCE} as reference, 5 exchanges\n"
    listed = chatproxy("list", cwd=tmp_path).stdout.splitlines()
    assert listed[0].split() == ["NAME", "EXCHANGES", "BEGUN", "STATE"]
    assert listed[1].split()[:2] == ["reference", "5"]
    exported = chatproxy("export", "reference", cwd=tmp_path)
    assert exported.stdout == "chatproxy: exported reference to cassettes/reference.json, 5 exchanges\n"
    assert (tmp_path / "cassettes/reference.json").read_bytes() == REFERENCE.read_bytes()


def test_an_import_refuses_a_name_that_exists_unless_told_to_replace_it(tmp_path: Path) -> None:
    assert chatproxy("import", REFERENCE, cwd=tmp_path).returncode == 0
    refused = chatproxy("import", REFERENCE, cwd=tmp_path)
    assert refused.returncode == 1
    assert "reference: exists; give --replace" in refused.stderr
    assert chatproxy("import", REFERENCE, "--replace", cwd=tmp_path).returncode == 0
    assert chatproxy("import", REFERENCE, "--name", "other", cwd=tmp_path).returncode == 0
    assert chatproxy("export", "other", "o.json", cwd=tmp_path).returncode == 0
    assert json.loads((tmp_path / "o.json").read_text())["name"] == "other"


def test_show_lists_the_exchanges_of_a_name_and_of_a_file_alike(tmp_path: Path) -> None:
    assert chatproxy("import", REFERENCE, cwd=tmp_path).returncode == 0
    of_file = chatproxy("show", REFERENCE, cwd=tmp_path).stdout
    assert chatproxy("show", "reference", cwd=tmp_path).stdout == of_file
    lines = of_file.splitlines()
    assert len(lines) == 6
    assert lines[2].split()[0] == "2"
    assert lines[2].split()[2] == "POST"
    assert lines[5].split()[-2:] == ["204", "0"]


def test_the_environment_and_the_file_set_what_flags_do_not(tmp_path: Path) -> None:
    (tmp_path / "chatproxy.toml").write_text('store = "from-file"')
    assert chatproxy("list", cwd=tmp_path).stdout == "chatproxy: no cassettes in from-file\n"
    assert chatproxy("list", cwd=tmp_path, CHATPROXY_STORE="env").stdout == "chatproxy: no cassettes in env\n"
    assert (
        chatproxy("list", "--store", "flag", cwd=tmp_path, CHATPROXY_STORE="env").stdout
        == "chatproxy: no cassettes in flag\n"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_says_that_it_is_ready_and_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    ready = tmp_path / "ready"
    ready.write_text("left of an earlier run")
    command = [sys.executable, "-m", "chatproxy", "replay", str(REFERENCE), "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        [*command, "--ready-file", str(ready)], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        content = json.loads(ready.read_text())
        assert line == f"chatproxy: replay on {content['url']}\n"
        assert content["mode"] == "replay"
        assert content["pid"] == server.pid
        server.send_signal(number)
        assert server.stdout.read() == "chatproxy: replay ended: no request came\n"
    assert server.returncode == 0
    assert not ready.exists()


def test_a_ready_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    failed = chatproxy("sandbox", "--listen", "127.0.0.1:0", "--ready-file", "no/such/folder", cwd=tmp_path)
    assert failed.returncode == 2
    assert failed.stderr.startswith("chatproxy: --ready-file: no/such/folder cannot be written")


def test_a_long_import_shows_its_progress_to_a_terminal_only(tmp_path: Path) -> None:
    document = json.loads(REFERENCE.read_text())
    first = document["exchanges"][0]
    document["exchanges"] = [first | {"number": number} for number in range(1, 601)]
    (tmp_path / "long.json").write_text(json.dumps(document))
    assert chatproxy("import", "long.json", cwd=tmp_path).stderr == ""
    program = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
    command = [sys.executable, "-m", "chatproxy", "import", "long.json", "--replace"]
    shown = subprocess.run(
        [sys.executable, "-c", program, *command],
        cwd=tmp_path,
        env=os.environ | {"TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert b"import" in shown.stdout
    assert b"100%" in shown.stdout


def test_a_server_beyond_the_loopback_shows_its_control_token_and_reports_at_its_end(tmp_path: Path) -> None:
    ready, report = tmp_path / "ready", tmp_path / "report"
    command = [sys.executable, "-m", "chatproxy", "replay", str(REFERENCE), "--listen", "0.0.0.0:0"]
    with subprocess.Popen(
        [*command, "--ready-file", str(ready), "--report", str(report)], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        server.stdout.readline()
        token = json.loads(ready.read_text())["token"]
        assert server.stdout.readline() == f"chatproxy: control token {token}\n"
        assert ready.stat().st_mode & 0o077 == 0
        server.send_signal(signal.SIGTERM)
        assert server.stdout.read() == "chatproxy: replay ended: no request came\n"
    assert server.returncode == 0
    assert json.loads(report.read_text())["unused_total"] == 5


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
