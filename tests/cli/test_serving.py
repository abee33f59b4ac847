import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cli.commands import REFERENCE, chatproxy

from chatproxy.cli.serving import replay


@pytest.mark.process
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


@pytest.mark.process
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


@pytest.mark.process
def test_a_replay_reads_no_authorities_since_it_asks_nobody(tmp_path: Path) -> None:
    never_ending = tmp_path / "authorities.pem"
    os.mkfifo(never_ending)
    command = [sys.executable, "-m", "chatproxy", "replay", str(REFERENCE), "--listen", "127.0.0.1:0"]
    environ = os.environ | {"SSL_CERT_FILE": str(never_ending)}
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        timer = threading.Timer(30, server.kill)
        timer.start()
        assert server.stdout.readline().startswith("chatproxy: replay on ")
        timer.cancel()
        server.send_signal(signal.SIGTERM)
        server.stdout.read()
    assert server.returncode == 0


@pytest.mark.parametrize("authorities", [None, "of-the-user.pem"])
def test_the_process_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authorities: str | None
) -> None:
    if authorities is None:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    else:
        monkeypatch.setenv("SSL_CERT_FILE", authorities)
    ready, seen = tmp_path / "ready.json", list[object]()

    def interrupt() -> None:
        while not ready.exists():
            time.sleep(0.005)
        seen.extend((os.environ.get("SSL_CERT_FILE"), gc.isenabled(), gc.get_freeze_count() > 0))
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=interrupt)
    thread.start()
    before = signal.getsignal(signal.SIGTERM)
    try:
        replay.main([str(REFERENCE), "--listen", "127.0.0.1:0", "--ready-file", str(ready)], standalone_mode=False)
    finally:
        thread.join()
        signal.signal(signal.SIGTERM, before)
        gc.unfreeze()
    assert seen == [authorities, True, True], "an ordinary search for garbage, but not through what was loaded"
    with pytest.raises(Exception, match="no/such"):
        replay.main([str(REFERENCE), "--ready-file", "no/such/folder"], standalone_mode=False)
    assert gc.isenabled()
    assert os.environ.get("SSL_CERT_FILE") == authorities
