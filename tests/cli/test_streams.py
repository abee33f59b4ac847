import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import forks
import pytest
from cli.commands import REFERENCE, chatproxy

pytestmark = pytest.mark.process

FULL = Path("/dev/full")
COMMANDS: list[tuple[str | Path, ...]] = [
    ("--help",),
    ("--version",),
    ("show", "--help"),
    ("coverage",),
    ("list",),
    ("show", REFERENCE),
    ("show", REFERENCE, "--bodies"),
    ("diff", REFERENCE, REFERENCE),
    ("check", REFERENCE),
    ("import", REFERENCE),
    ("merge", "merged", REFERENCE),
    ("addon-path",),
    ("demo",),
    ("sandbox", "--listen", "127.0.0.1:0"),
    ("replay", REFERENCE, "--listen", "127.0.0.1:0"),
]


def shell(script: str, *arguments: object, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a script in which ``chatproxy "$@"`` is the command, each with streams of its own."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", script, "-", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"PATH": path} | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def ended(arguments: tuple[str | Path, ...], output: int, cwd: Path, **environ: str) -> tuple[int, str]:
    """Run a command with this standard output, and return its status and what it says to standard error."""
    with (cwd / "err").open("wb") as error:
        process = forks.chatproxy(arguments, cwd=cwd, env=os.environ | environ, stdout=output, stderr=error)
        try:
            status = process.wait(60)
        finally:
            process.kill()
    return status, (cwd / "err").read_text()


@contextmanager
def full() -> Iterator[int]:
    if not FULL.is_char_device():
        pytest.skip("no device here is always full")
    descriptor = os.open(FULL, os.O_WRONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def given_up(reason: str) -> str:
    return f"chatproxy: standard output: cannot be written: {reason}; lead it to where there is room\n"


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", COMMANDS, ids=str)
def test_a_result_for_which_there_is_no_room_is_an_error(
    tmp_path: Path, arguments: tuple[str | Path, ...], unbuffered: str
) -> None:
    with full() as output:
        done = ended(arguments, output, tmp_path, PYTHONUNBUFFERED=unbuffered)
    assert done == (1, given_up("No space left on device"))


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("list",), ("show", REFERENCE, "--bodies"), ("show", "--help")], ids=str)
def test_a_command_whose_reader_has_gone_ends_quietly(
    tmp_path: Path, arguments: tuple[str | Path, ...], unbuffered: str
) -> None:
    reader, output = os.pipe()
    os.close(reader)
    try:
        done = ended(arguments, output, tmp_path, PYTHONUNBUFFERED=unbuffered)
    finally:
        os.close(output)
    assert done == (1, "")


@pytest.mark.parametrize("arguments", [("list",), ("show", REFERENCE, "--bodies")], ids=str)
def test_a_command_before_a_reader_of_nothing_ends_quietly(tmp_path: Path, arguments: tuple[str | Path, ...]) -> None:
    script = '{ sleep 0.1; chatproxy "$@"; echo $? >&2; } | head -c 0'
    assert shell(script, *arguments, cwd=tmp_path, PYTHONUNBUFFERED="").stderr == "1\n"


def test_a_command_whose_reader_goes_half_way_ends_quietly(tmp_path: Path) -> None:
    content = REFERENCE.read_text().replace('"Body=MESSAGE"', f'"{"x" * 300_000}"')
    (tmp_path / "much.json").write_text(content)
    script = '{ chatproxy "$@"; echo $? >&2; } | head -n 1'
    done = shell(script, "show", "much.json", "--bodies", cwd=tmp_path, PYTHONUNBUFFERED="")
    assert (done.stdout, done.stderr) == ("# 1\n", "1\n")


@pytest.mark.parametrize("arguments", [("--help",), ("list",), ("import", REFERENCE), ("sandbox", "--listen", ":0")])
def test_a_closed_output_is_an_error(tmp_path: Path, arguments: tuple[str | Path, ...]) -> None:
    done = shell('exec chatproxy "$@" >&-', *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, given_up("it is closed"))


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("the system does not show what a process has open")
    command = ("sh", "-c", "for fd in 0 1 2; do readlink /proc/$PPID/fd/$fd; done > out")
    done = shell('exec chatproxy run --allow-idle "$@" <&- >&- 2>&-', REFERENCE, "--", *command, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "out").read_text() == "/dev/null\n" * 3


def test_an_error_that_cannot_be_told_keeps_its_status(tmp_path: Path) -> None:
    for arguments, status in ((("list",), 1), (("nonsense",), 2)):
        with full() as output:
            process = forks.chatproxy(arguments, cwd=tmp_path, env=os.environ, stdout=output, stderr=output)
            assert process.wait(60) == status


def test_a_run_whose_summary_cannot_be_told_keeps_its_status(tmp_path: Path) -> None:
    with full() as output:
        arguments = ("run", REFERENCE, "--", "sh", "-c", "exit 7")
        process = forks.chatproxy(arguments, cwd=tmp_path, env=os.environ, stdout=output, stderr=output)
        assert process.wait(60) == 7


def test_a_server_that_cannot_say_where_it_is_leaves_no_ready_file(tmp_path: Path) -> None:
    arguments = ("record", "a", "--listen", "127.0.0.1:0", "--ready-file", "ready.json")
    with full() as output:
        assert ended(arguments, output, tmp_path)[0] == 1
    assert not (tmp_path / "ready.json").exists()


def test_a_text_that_the_output_has_no_letters_for_is_shown_with_escapes(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9\xc3\xa9.json")
    (tmp_path / name).write_text("{}")
    for encoding, shown in (("utf-8", "caf\\udce9é.json"), ("ascii", "caf\\udce9\\xe9.json")):
        done = shell("exec chatproxy check caf*", cwd=tmp_path, PYTHONIOENCODING=f"{encoding}:strict")
        assert (done.returncode, done.stdout) == (0, f"chatproxy: no findings in {shown}\n"), done.stderr


def test_what_went_well_but_could_not_be_told_is_done(tmp_path: Path) -> None:
    with full() as output:
        assert ended(("import", REFERENCE), output, tmp_path)[0] == 1
    assert "reference " in chatproxy("list", cwd=tmp_path).stdout
