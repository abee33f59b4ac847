"""README and docs name all that a user can type or see, and their examples do what they show.

A fenced block is one of three kinds:

- ``console``: ``$`` commands, each with what it prints (standard error too; empty lines do not count). They are run in
  a folder of their own that has a copy of ``cassettes/``, with other ports in place of 8765 and 8766. A ``chatproxy``
  that needs no shell is a forked process, which spares the start of the interpreter. ``…`` stands for
  anything within a line, a line ``…`` for any lines. A command that ends in ``&`` serves until ``kill %N`` or the end
  of the page; what it prints while another command runs stands before that command's output.
- a file: its name stands in backquotes and with a colon at the end of the line before. A later command uses it.
- a language of NOT_RUN.
"""

import ast
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import click
import forks
import pytest
from fixture.fixtures import read
from integration.processes import Process, environment, unmeasured

from chatproxy.cli import cli
from chatproxy.cli.main import COMMANDS
from chatproxy.cli.options import FINDINGS, UNUSED
from chatproxy.cli.run import MISSES
from chatproxy.config.settings import SETTINGS
from chatproxy.core import errors
from chatproxy.core.model import Mode, Outcome
from chatproxy.core.replay.marks import EXCHANGE, OUTCOME
from chatproxy.fixture.document import CURRENT
from chatproxy.mitm.options import NAMES
from chatproxy.runs.child import NOT_EXECUTABLE, NOT_FOUND

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text("utf-8") for page in PAGES}
EVERYTHING = "\n".join(TEXTS.values())
SOURCES = {path: ast.parse(path.read_text("utf-8")) for path in sorted((ROOT / "chatproxy").rglob("*.py"))}
NODE_PACKAGES = ROOT / "tests" / "integration" / "node" / "node_modules"

NOT_RUN = {
    "sh": "installs into a virtual environment; that its scripts are there is tested",
    "yaml": "read by pre-commit, by GitHub Actions or by Docker; what its command does is shown before",
    "java": "run by tests/integration/test_other_languages.py",
    "ruby": "as above",
    "php": "as above",
    "csharp": "as above",
    "go": "as above",
}
"""Languages of blocks that are not run, and why."""

NONE = "\N{EN DASH}"
"""What stands in a table where there is nothing."""

PATIENCE = 30.0

SERVES = re.compile(r" on http| listening at .*\n")
"""What a server prints when it accepts: chatproxy's, or mitmproxy."""


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    file: str | None
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> Iterator[Block]:
    lines = TEXTS[page].split("\n")
    begin: int | None = None
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if begin is None:
            begin = number
            continue
        before = next((text for text in reversed(lines[:begin]) if text), "")
        named = re.search(r"`([\w.-]+)`:$", before)
        text = "\n".join(lines[begin + 1 : number]) + "\n"
        yield Block(page, begin + 1, lines[begin][3:], named[1] if named else None, text)
        begin = None
    assert begin is None, f"{page}: a block is not closed"


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Yield each command with what it is to print."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


@dataclass
class Job:
    process: Process
    log: Path
    read: int = 0

    def news(self) -> str:
        """Return what it has printed since the last time."""
        text = self.log.read_text("utf-8")
        self.read, begin = len(text), self.read
        return text[begin:]


@dataclass
class Terminal:
    """Runs a page's commands one after another as a person would; ``ports`` are those to use instead.

    The commands are those of this environment, or those in ``commands``, a folder, and then each is a process.
    """

    folder: Path
    ports: dict[str, str]
    commands: Path | None = None
    jobs: dict[int, Job] = field(default_factory=dict)
    assignments: str = ""
    exported: dict[str, str] = field(default_factory=dict)
    status: int = 0

    def run(self, command: str) -> str:
        """Return what a command prints, after what the servers print meanwhile."""
        command = self.here(command)
        if assigned := re.fullmatch(r"(export )?([A-Z_]+)=(\S+|\$\(.+\))", command):
            self.assignments += command + "\n"
            if assigned[1]:
                self.exported[assigned[2]] = assigned[3]
            return ""
        if killed := re.fullmatch(r"kill (?:-(\d+) )?%(\d+)", command):
            return self._kill(int(killed[2]), int(killed[1] or 15))
        if command.endswith(" &"):
            return self._start(command.removesuffix(" &"))
        with TemporaryFile() as output:
            done = self._begin(command, output, f"(exit {self.status})\n{command}")
            try:
                self.status = done.wait(PATIENCE)
            finally:
                done.kill()
            output.seek(0)
            return "".join(job.news() for job in self.jobs.values()) + output.read().decode()

    def here(self, text: str) -> str:
        """Put this terminal's ports in a text."""
        return re.sub("|".join(self.ports), lambda found: self.ports[found[0]], text)

    def close(self) -> None:
        """End what is still running."""
        for job in self.jobs.values():
            job.process.terminate()
            job.process.wait(PATIENCE)

    def _start(self, command: str) -> str:
        log = self.folder / f".job-{time.monotonic_ns()}"
        with log.open("wb") as output:
            job = Job(self._begin(command, output, f"exec {command}"), log)
        self.jobs[max(self.jobs, default=0) + 1] = job
        until = time.monotonic() + PATIENCE
        while not SERVES.search(log.read_text("utf-8")) and job.process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        return job.news()

    def _kill(self, number: int, signal: int) -> str:
        job = self.jobs.pop(number)
        job.process.send_signal(signal)
        assert job.process.wait(PATIENCE) == (0 if signal == 15 else -signal), job.news()
        return job.news()

    def _begin(self, command: str, output: IO[bytes], script: str) -> Process:
        """Start a command: by itself if it is chatproxy and needs no shell, else by this script."""
        ours = self.commands is None and re.search("chatproxy|mitmdump|git ", command)
        environ = (environment() if ours else unmeasured()) | {
            "HOME": str(self.folder / ".home"),  # mitmproxy makes its authority there
            "PATH": os.pathsep.join([str(self.commands or Path(sys.executable).parent), os.environ["PATH"]]),
            "NODE_PATH": str(NODE_PACKAGES),
            "CHATPROXY_LISTEN": f"127.0.0.1:{self.ports['8765']}",
            "CHATPROXY_SANDBOX_LISTEN": f"127.0.0.1:{self.ports['8766']}",
        }
        if self.commands is not None:
            del environ["PYTEST_ADDOPTS"]  # plugins that are not there
        elif re.fullmatch(r"chatproxy [\w ./:%,=-]+", command):
            given = environ | self.exported
            arguments = command.split()[1:]
            return forks.chatproxy(arguments, cwd=self.folder, env=given, stdout=output, stderr=subprocess.STDOUT)
        bash = ["bash", "-c", self.assignments + script]
        return subprocess.Popen(bash, cwd=self.folder, env=environ, stdout=output, stderr=subprocess.STDOUT)


@contextmanager
def other_ports() -> Iterator[dict[str, str]]:
    """Give two free ports, and keep all others from them: whoever asks for any port does not get one that is bound.

    A server can listen there nonetheless, since both it and this socket, which does not listen, set SO_REUSEADDR.
    """
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for one in sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", 0))
        yield dict(zip(("8765", "8766"), (str(one.getsockname()[1]) for one in sockets), strict=True))


def pattern(expected: str) -> str:
    """Return a regular expression for what a block shows."""
    lines = [
        r"(?:.*\n)*?" if line == "…" else re.sub("…", "[^\\\\n]*", re.escape(line)) + r"\n"
        for line in expected.rstrip("\n").split("\n")
        if line
    ]
    return "".join(lines)


def without_blank_lines(text: str) -> str:
    return "".join(line + "\n" for line in text.replace("\r\n", "\n").split("\n") if line)


@pytest.mark.process
@pytest.mark.parametrize("page", TEXTS)
def test_the_examples_do_what_they_show(page: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "cassettes", tmp_path / "cassettes")
    with other_ports() as ports, closing(Terminal(tmp_path, ports)) as terminal:
        play(page, terminal)


def play(page: str, terminal: Terminal) -> None:
    """Write a page's files and run its commands, and hold what they print against what it shows."""
    for block in blocks(page):
        if block.file:
            (terminal.folder / block.file).write_text(terminal.here(block.text), "utf-8")
        for command, expected in commands(block) if block.language == "console" else ():
            if re.search(r"(^|-- )node ", command) and not (shutil.which("node") and NODE_PACKAGES.exists()):
                pytest.skip(f"{block.place}: Node or its twilio package is not here")
            printed = without_blank_lines(terminal.run(command))
            assert re.fullmatch(pattern(terminal.here(expected)), printed), (
                f"{block.place}: $ {command}\nshows\n{expected}\nbut prints\n{printed}"
            )


@pytest.mark.process
@pytest.mark.timeout(600)
def test_readme_works_in_a_clean_clone_with_what_its_script_installs(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone")
    clone = clean_clone(tmp_path / "clone")
    environ = unmeasured() | {"PYTHON": sys.executable}
    script = blocks_of_language("README.md", "sh")[0].text.split("\n")[0]
    done = subprocess.run(["bash", "-c", script], cwd=clone, env=environ, capture_output=True, text=True, check=False)
    if "No matching distribution" in done.stderr:
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    assert "all 11 results are equal" in done.stdout
    with other_ports() as ports, closing(Terminal(clone, ports, clone / ".venv" / "bin")) as terminal:
        play("README.md", terminal)


def clean_clone(folder: Path) -> Path:
    """Copy what a clone of this tree as it is would have."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def blocks_of_language(page: str, language: str) -> list[Block]:
    return [block for block in blocks(page) if block.language == language]


def test_every_block_is_run_or_says_why_not() -> None:
    for page in TEXTS:
        found = list(blocks(page))
        for place, block in enumerate(found):
            later = [
                command for other in found[place:] if other.language == "console" for command, _ in commands(other)
            ]
            if block.language == "console":
                assert block.text.startswith("$ "), block.place
            elif block.file:
                assert any(block.file in command for command in later), f"{block.place}: no command uses {block.file}"
            else:
                assert block.language in NOT_RUN, f"{block.place}: {block.language or 'a block without a language'}"


def test_the_scripts_are_there() -> None:
    shown = [
        line for page in TEXTS for block in blocks(page) if block.language == "sh" for line in block.text.split("\n")
    ]
    named = {
        *re.findall(r"`(scripts/\w+)`", EVERYTHING),
        *re.findall(r"^(scripts/\w+)", "\n".join(shown), re.MULTILINE),
    }
    assert {"scripts/demo", "scripts/test"} <= named
    for script in named:
        assert os.access(ROOT / script, os.X_OK), script


def slug(heading: str) -> str:
    """Return a heading's anchor as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_links_lead_somewhere() -> None:
    for page, text in TEXTS.items():
        for link in re.findall(r"\]\(([^)]+)\)", text):
            path, _, anchor = link.partition("#")
            target = ((ROOT / page).parent / path).resolve() if path else ROOT / page
            assert target.exists(), f"{page}: {link}"
            headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE) if anchor else []
            assert not anchor or anchor in map(slug, headings), f"{page}: {link}"


def test_readme_leads_to_every_page() -> None:
    for page in TEXTS:
        assert page == "README.md" or f"({page})" in TEXTS["README.md"], page


def every_command() -> Iterator[tuple[str, click.Command]]:
    """Yield each command by its whole name; those of a group have the group's before their own."""
    context = click.Context(cli)
    for name in (name for names in COMMANDS.values() for name in names):
        command = cli.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", one) for below, one in command.commands.items())


def parameters() -> Iterator[tuple[str, click.Parameter]]:
    for name, command in every_command():
        yield from ((name, parameter) for parameter in command.params)


def test_every_command_and_flag_is_named() -> None:
    for name, _ in every_command():
        assert f"chatproxy {name}" in EVERYTHING, name
    for name, parameter in parameters():
        for flag in parameter.opts if isinstance(parameter, click.Option) else ():
            assert f"`{flag}`" in TEXTS["docs/configuration.md"], f"{name} {flag}"
    for flag in ("--version", "--help", "-h"):
        assert flag in TEXTS["docs/configuration.md"]


def test_every_option_and_command_of_the_addon_is_named() -> None:
    commands = {word for call in calls("command") for word in constants(call) if str(word).startswith("chatproxy.")}
    assert "chatproxy.explain" in commands
    assert commands | NAMES | {"Twilio message"} <= {
        *re.findall(r"`([\w. ]+?)(?: [@N][^`]*)?`", TEXTS["docs/mitmproxy.md"])
    }


def test_the_table_of_settings_agrees_with_the_settings() -> None:
    row = r"^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \| (\S+) \| ([^|]+) \| ([^|]+) \|$"
    shown = [(*found[:4], found[5]) for found in re.findall(row, TEXTS["docs/configuration.md"], re.MULTILINE)]
    taken = [
        (
            setting.flag,
            setting.variable,
            setting.name,
            f"`{setting.default}`" if setting.default else NONE,
            ", ".join(name for name, one in parameters() if one.name == setting.name.replace("-", "_")),
        )
        for setting in SETTINGS
    ]
    assert shown == taken


def test_every_mode_is_explained() -> None:
    for mode in Mode:
        assert f"| `chatproxy {mode}" in TEXTS["README.md"], mode
        assert f"\n## `{mode}`\n" in TEXTS["docs/modes.md"], mode


def first_column(page: str) -> set[str]:
    return set(re.findall(r"^\| `?([^`|]+?)`? \|", TEXTS[page], re.MULTILINE))


def error_classes() -> list[type[errors.ChatproxyError]]:
    return [errors.ChatproxyError, *errors.ChatproxyError.__subclasses__()]


def calls(*names: str) -> Iterator[ast.Call]:
    for tree in SOURCES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names:
                yield node


def constants(node: ast.AST) -> Iterator[object]:
    return (one.value for one in ast.walk(node) if isinstance(one, ast.Constant))


def test_every_exit_status_is_explained() -> None:
    statuses = {
        0,
        130,
        MISSES,
        UNUSED,
        FINDINGS,
        NOT_EXECUTABLE,
        NOT_FOUND,
        click.UsageError.exit_code,
        *(error.exit_code for error in error_classes()),
    }
    for status in statuses:
        assert str(status) in first_column("docs/errors.md"), status


def test_every_http_status_is_explained() -> None:
    statuses = {431, *(error.status for error in error_classes())}
    for call in calls("RequestError", "UpstreamError"):
        statuses |= {number for number in constants(call.args[0]) if isinstance(number, int)}
    assert statuses >= {400, 408, 413, 424, 500, 502, 503, 504}
    for status in statuses:
        assert str(status) in first_column("docs/errors.md"), status


def test_every_outcome_is_explained() -> None:
    row = next(line for line in TEXTS["docs/errors.md"].split("\n") if line.startswith(f"| `{OUTCOME.decode()}` |"))
    for outcome in Outcome:
        assert f"`{outcome}`: " in row, outcome
    assert EXCHANGE.decode() in first_column("docs/errors.md")


def messages() -> Iterator[str]:
    """Yield the longest fixed part of every error's text in the program, where it has three words or more."""
    of_code = {"json_text.py", "api.py"}  # raised by code for code: caught, or no user's doing
    trees = {id(node) for path, tree in SOURCES.items() if path.name in of_code for node in ast.walk(tree)}
    raised = (
        "ConfigError",
        "CassetteError",
        "LeakError",
        "RequestError",
        "UpstreamError",
        "ChatproxyError",
        "ValueError",
        "wrong",
    )
    for call in calls(*raised):
        texts = [one for argument in call.args for one in constants(argument) if isinstance(one, str)]
        longest = max(texts, key=len, default="").strip(" :;,.(`")
        if len(longest.split()) > 2 and id(call) not in trees:
            yield longest


@pytest.mark.parametrize("message", sorted(set(messages())))
def test_every_message_is_explained(message: str) -> None:
    assert message.replace("`", "") in TEXTS["docs/errors.md"].replace("`", "")


@pytest.mark.parametrize("cassette", ["reference", "demo"])
def test_every_field_of_a_fixture_is_explained(cassette: str) -> None:
    file = ROOT / "cassettes" / f"{cassette}.json"
    assert read(file.read_text("utf-8"), file.name).name == cassette
    top = json.loads(file.read_text("utf-8"))
    exchange = top["exchanges"][0]
    for name in (*top, *exchange, *exchange["request"], *exchange["response"]):
        assert f"`{name}`" in TEXTS["docs/format.md"], name
    assert top["chatproxy"] == CURRENT


@pytest.mark.parametrize("page", TEXTS)
def test_a_page_is_short(page: str) -> None:
    assert TEXTS[page].count("\n") <= {"README.md": 220, "docs/errors.md": 200}.get(page, 150)
