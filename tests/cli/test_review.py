import os
import subprocess
import sys
from pathlib import Path

from cli.commands import REFERENCE


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
