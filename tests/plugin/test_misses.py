"""What a test that missed prints, whatever became of it: the file, whether it is there, and what records it."""

import pytest
from plugin.projects import FILE, Project

SWALLOWING = """
def swallow(proxy):
    try:
        say(proxy, "Hello")
    except urllib.error.HTTPError:
        pass
"""
CASES = {
    "raised": "def test_says(chatproxy):\n    say(chatproxy, 'Hello')\n",
    "swallowed": "def test_says(chatproxy):\n    swallow(chatproxy)\n",
    "failed later": "def test_says(chatproxy):\n    swallow(chatproxy)\n    assert False\n",
    "skipped": "def test_says(chatproxy):\n    swallow(chatproxy)\n    pytest.skip()\n",
    "expected to fail": "@pytest.mark.xfail\ndef test_says(chatproxy):\n    say(chatproxy, 'Hello')\n",
    "raised while set up": """
@pytest.fixture
def said(chatproxy):
    return say(chatproxy, "Hello")

def test_says(said):
    pass
""",
    "raised while torn down": """
@pytest.fixture
def saying(chatproxy):
    yield
    say(chatproxy, "Hello")

def test_says(saying):
    pass
""",
    "of unittest": """
import unittest
from chatproxy.pytest_plugin import ChatproxyMixin

class Case(ChatproxyMixin, unittest.TestCase):
    def test_says(self):
        say(self.chatproxy, "Hello")
""",
}
HIDING = ((), ("--tb=no",), ("--tb=line",), ("--show-capture=no",), ("--tb=short", "-q"), ("--show-capture=stdout",))


def told(project: Project, case: str, *arguments: str) -> tuple[str, str, str]:
    project.write(SWALLOWING + CASES[case])
    text = project.run(*arguments).stdout.str()
    name = "Case::test_says" if case == "of unittest" else "test_says"
    return text, f"cassettes/test_chat/{name.replace('::', '.')}.json", f"test_chat.py::{name}"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("arguments", HIDING, ids=" ".join)
def test_a_miss_tells_its_file_and_what_records_it_once(
    project: Project, case: str, arguments: tuple[str, ...]
) -> None:
    text, file, test = told(project, case, *arguments)
    lines = text.split("\n")
    assert f"{file}: 1 missed request" in lines
    assert f"{file} is not there: pytest --record-mode=once {test} records it" in lines
    most = 2 if {"--tb=line", "--show-capture=no", "--show-capture=stdout"} & {*arguments} else 1
    assert lines.count(f"{file}: 1 missed request") <= most
    assert "During handling of the above exception" not in text


def test_a_miss_of_a_file_that_is_there_says_so(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.saying("Bye")
    project.run("--record-mode=once").assert_outcomes(passed=1)
    for case in ("raised", "swallowed", "skipped", "raised while set up"):
        text, file, test = told(project, case)
        lines = text.split("\n")
        assert file == FILE
        assert f"{FILE} is there" in lines
        anew = f"if the test is to ask otherwise, pytest --record-mode=rewrite {test} records it anew"
        assert anew in lines


def test_the_command_is_one_that_a_shell_takes_from_where_pytest_was_started(project: Project) -> None:
    (project.folder / "pytest.ini").write_text("[pytest]\n")
    (project.folder / "tests").mkdir()
    project.write(
        "\n@pytest.mark.parametrize('n', ['a b'])\ndef test_says(chatproxy, n):\n    say(chatproxy, n)\n",
        "tests/test_chat",
    )
    project.monkeypatch.chdir(project.folder / "tests")
    result = project.run()
    result.stdout.fnmatch_lines(
        ["* is not there: pytest --record-mode=once 'test_chat.py::test_says[[]a b[]]' records it"]
    )


def test_a_test_that_misses_in_each_of_two_tries_fails_in_each(project: Project) -> None:
    (project.folder / "conftest.py").write_text("""
import pytest
from _pytest.runner import runtestprotocol

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    for _ in range(2):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        item._initrequest()
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
""")
    project.write(SWALLOWING + CASES["swallowed"])
    project.run().assert_outcomes(passed=1, errors=1)


@pytest.mark.parametrize("case", ["cassette='../x.json'", "clock='noon'", "cassette=['a.json']"])
def test_an_error_of_ours_is_no_chain_of_exceptions(project: Project, case: str) -> None:
    project.write(f"\n@pytest.mark.chatproxy({case})\ndef test_says(chatproxy): pass\n")
    result = project.run()
    result.assert_outcomes(errors=1)
    assert "another exception occurred" not in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


def test_a_leak_is_no_chain_of_exceptions(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.saying("sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc")
    result = project.run("--record-mode=once")
    assert "is not written" in result.stdout.str()
    assert "another exception occurred" not in result.stdout.str()
