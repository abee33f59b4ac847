from importlib import import_module
from pathlib import Path

import click
import pytest
from cli.commands import chatproxy

from chatproxy import __version__

CLI = Path(__file__).parents[2] / "chatproxy" / "cli"
main = import_module("chatproxy.cli.main")  # the package has the function by that name
COMMANDS = [name for names in main.COMMANDS.values() for name in names]


def test_help_lists_the_commands(tmp_path: Path) -> None:
    for arguments in ([], ["--help"], ["-h"]):
        shown = chatproxy(*arguments, cwd=tmp_path)
        assert shown.returncode == 0
        for command in COMMANDS:
            assert f"\n  {command} " in shown.stdout


@pytest.mark.parametrize("module", [path.stem for path in sorted(CLI.glob("[!_]*.py"))])
def test_every_command_is_found_by_its_name(module: str) -> None:
    there = import_module(f"chatproxy.cli.{module}")
    own = [one for one in vars(there).values() if isinstance(one, click.Command) and one is not main.cli]
    below = [one for group in own if isinstance(group, click.Group) for one in group.commands.values()]
    assert sorted(str(one.name) for one in own if one not in below) == sorted(main.COMMANDS.get(module, ()))


@pytest.mark.parametrize("command", ["coverage merge" if name == "coverage" else name for name in COMMANDS])
def test_each_help_text_carries_an_example(tmp_path: Path, command: str) -> None:
    shown = chatproxy(*command.split(), "--help", cwd=tmp_path)
    assert shown.returncode == 0
    assert f"chatproxy {command}" in shown.stdout.partition("\n  Example:\n    ")[2]


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
        (["diff", "x", "y"], 1, "x: there is no such cassette"),
        (["diff", "x.json", "y"], 1, "x.json: cannot be read"),
        (["diff", "x", "y", "--fail-on", "all"], 2, "--fail-on: 'all' is none of high, low"),
        (["merge-driver", "x", "y", "z"], 1, "y (ours): cannot be read"),
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
