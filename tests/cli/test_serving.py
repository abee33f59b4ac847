import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli.commands import REFERENCE, chatproxy


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
