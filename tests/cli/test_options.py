import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli.commands import REFERENCE, chatproxy


def test_the_environment_and_the_file_set_what_flags_do_not(tmp_path: Path) -> None:
    (tmp_path / "chatproxy.toml").write_text('store = "from-file"')
    assert chatproxy("list", cwd=tmp_path).stdout == "chatproxy: no cassettes in from-file\n"
    assert chatproxy("list", cwd=tmp_path, CHATPROXY_STORE="env").stdout == "chatproxy: no cassettes in env\n"
    assert (
        chatproxy("list", "--store", "flag", cwd=tmp_path, CHATPROXY_STORE="env").stdout
        == "chatproxy: no cassettes in flag\n"
    )


@pytest.mark.process
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


def test_no_line_that_is_shown_is_a_command_to_a_ci_system(tmp_path: Path) -> None:
    request = "GET /v1/##[error]x HTTP/1.1\nHost: a\n\n"
    explained = chatproxy("explain", REFERENCE, cwd=tmp_path, stdin=request)
    refused = chatproxy("explain", REFERENCE, cwd=tmp_path, stdin="GET / HTTP/1.1\nHost: ##[error]\n\n")
    unknown = chatproxy("show", "##[error]", cwd=tmp_path)
    assert (explained.returncode, refused.returncode) == (0, 2)
    for shown in (explained.stdout, refused.stderr, unknown.stderr):
        assert "\\u0023#[error]" in shown
        assert "##[" not in shown
