import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from chatproxy.runs.child import NotStartedError, run_child

WAITING = """
import signal, sys, time
def end(number, frame):
    open(sys.argv[2], "w").write(signal.Signals(number).name)
    sys.exit(7)
for name in sys.argv[3:]:
    signal.signal(getattr(signal, name), end)
open(sys.argv[1], "w").close()
time.sleep(30)
"""
RUNNING = "import os, sys; from chatproxy.runs.child import run_child; sys.exit(run_child(sys.argv[1:], os.environ))"


def python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


@pytest.mark.process
@pytest.mark.parametrize(
    ("code", "status"),
    [("pass", 0), ("import sys; sys.exit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137), ("1/0", 1)],
)
def test_the_status_is_the_childs_as_a_shell_has_it(code: str, status: int) -> None:
    assert run_child(python(code), os.environ) == status


@pytest.mark.process
def test_what_is_not_there_is_127_and_what_cannot_be_run_126(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    text, folder = str(tmp_path / "text"), str(tmp_path)
    for command, status in (("no-such-program", 127), (text, 126), (folder, 126), ("a\0b", 126)):
        with pytest.raises(NotStartedError) as caught:
            run_child([command], os.environ)
        assert caught.value.status == status
        assert str(caught.value).startswith(f"{command}: ")


@pytest.mark.process
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGUSR1"])
def test_a_signal_is_passed_on(tmp_path: Path, name: str) -> None:
    ready, got = tmp_path / "ready", tmp_path / "got"
    before = signal.getsignal(getattr(signal, name))

    def send() -> None:
        while not ready.exists():
            time.sleep(0.005)
        os.kill(os.getpid(), getattr(signal, name))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        assert run_child(python(WAITING, ready, got, name), os.environ) == 7
    finally:
        thread.join()
    assert got.read_text() == name
    assert signal.getsignal(getattr(signal, name)) == before


@pytest.mark.process
def test_an_ignored_signal_stays_ignored_in_the_child(tmp_path: Path) -> None:
    code = "import signal, sys; sys.exit(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)"
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert run_child(python(code), os.environ) == 1
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.process
def test_what_a_terminal_sends_to_both_is_not_passed_on_twice(tmp_path: Path) -> None:
    count = tmp_path / "count"
    code = f"""
import signal, time
def note(number, frame):
    with open({str(count)!r}, "a") as file:
        file.write("x")
signal.signal(signal.SIGINT, note)
print("ready", flush=True)
time.sleep(0.5)
time.sleep(0.5)
"""
    import pty  # noqa: PLC0415 - a terminal of its own, for this test only

    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, python(RUNNING, *python(code)))
    seen = b""
    while b"ready" not in seen:
        seen += os.read(terminal, 1000)
    os.write(terminal, b"\x03")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert count.read_text() == "x"


@pytest.mark.process
def test_it_runs_the_command_in_its_own_process_group() -> None:
    code = "import os; print(os.getpgrp())"
    done = subprocess.run(python(RUNNING, *python(code)), capture_output=True, text=True, check=True)
    assert int(done.stdout) == os.getpgrp()
