"""The plugin beside others that add options by the same names, before it or after it."""

import pytest
from plugin.projects import FILE, Project

CASSETTER = """
def pytest_addoption(parser):
    group = parser.getgroup("cassetter")
    group.addoption("--record-mode", choices=["none", "once", "all"], default=None, help="its own")
    group.addoption("--block-network", action="store_true", default=False, help="its own")
"""
"""The options as other plugins that record and replay add them, without looking at who else has them."""

RECORDING = """
def pytest_addoption(parser):
    parser.getgroup("recording").addoption("--record-mode", dest="vcr_mode", default="none")
"""
ANOTHER_MEANING = """
def pytest_addoption(parser):
    parser.addoption("--record-mode", action="append", default=[], help="as many words as one likes")
    parser.addoption("--block-network", metavar="HOST", help="a host")
"""

FIRST, LAST = "first", "last"


def beside(project: Project, options: str, when: str) -> tuple[str, ...]:
    """Let another plugin add options before ours, as what ``-p`` names does, or after it, as a conftest.py does."""
    name = "other_plugin" if when == FIRST else "conftest"
    (project.folder / f"{name}.py").write_text(options)
    if when == LAST:
        return ()
    project.monkeypatch.syspath_prepend(project.folder)
    return ("-p", name)


@pytest.mark.parametrize("when", [FIRST, LAST])
@pytest.mark.parametrize("options", [CASSETTER, RECORDING, ANOTHER_MEANING])
def test_it_runs_with_whoever_has_options_of_its_names(
    project: Project, upstream: str, options: str, when: str
) -> None:
    arguments = beside(project, options, when)
    project.asking(upstream)
    project.saying("Hello")
    project.run(*arguments, "--chatproxy-record-mode=once").assert_outcomes(passed=1)
    assert project.files == [FILE]
    project.offline()
    project.run(*arguments, "--chatproxy-block-network").assert_outcomes(passed=1)


@pytest.mark.parametrize("when", [FIRST, LAST])
@pytest.mark.parametrize("options", [CASSETTER, RECORDING])
def test_the_option_of_another_counts_where_it_has_our_words(
    project: Project, upstream: str, options: str, when: str
) -> None:
    arguments = beside(project, options, when)
    project.asking(upstream)
    project.saying("Hello")
    project.run(*arguments, "--record-mode=once", "--chatproxy-record-mode=none").assert_outcomes(failed=1)
    project.run(*arguments, "--record-mode=once").assert_outcomes(passed=1)
    project.saying("Bye")
    result = project.run(*arguments)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*, pytest --chatproxy-record-mode=rewrite test_chat.py::test_says records it anew"])


def test_the_option_of_another_with_another_meaning_does_not_count(project: Project, upstream: str) -> None:
    arguments = beside(project, ANOTHER_MEANING, LAST)
    project.asking(upstream)
    project.saying("Hello")
    project.run(*arguments, "--record-mode=once", "--block-network=example.org").assert_outcomes(failed=1)
    assert project.files == []


REACHING = """
import socket

def test_reaches():
    socket.create_connection(("192.0.2.1", 9), timeout=0.01)
"""


@pytest.mark.parametrize("arguments", [("--block-network",), ("--chatproxy-block-network",)])
def test_the_network_is_blocked_by_either_name(project: Project, arguments: tuple[str, ...]) -> None:
    project.write(REACHING)
    result = project.run(*arguments)
    result.stdout.fnmatch_lines(["*192.0.2.1: is another machine, and --block-network keeps tests from the network"])


def test_the_network_is_blocked_where_another_has_the_option(project: Project) -> None:
    arguments = beside(project, CASSETTER, FIRST)
    project.write(REACHING)
    result = project.run(*arguments, "--block-network")
    result.stdout.fnmatch_lines(["*192.0.2.1: is another machine, and --block-network keeps tests from the network"])


@pytest.mark.parametrize(("options", "shared"), [("", True), (CASSETTER, False)])
def test_the_help_names_what_is_ours(project: Project, options: str, shared: bool) -> None:
    arguments = beside(project, options, LAST)
    text = project.run(*arguments, "--help").stdout.str()
    ours = text.partition("recorded answers of Twilio Programmable Chat")[2].partition("\n\n")[0]
    assert all(f"--chatproxy-{name}" in ours for name in ("record-mode", "block-network", "report"))
    assert ("\n  --record-mode" in ours, "\n  --block-network" in ours) == (shared, shared)


def test_both_names_are_one_option(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.saying("Hello")
    project.run("--chatproxy-record-mode", "once").assert_outcomes(passed=1)
    project.run("--record-mode", "none").assert_outcomes(passed=1)
