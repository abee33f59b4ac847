import pytest
from plugin.projects import Project

TIMES = """
def created(proxy):
    return say(proxy, "Hello").split('"date_created": "')[1][:20]
"""


def test_the_nearest_mark_counts_name_by_name(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.write("""
pytestmark = pytest.mark.chatproxy(cassette="cassettes/module.json", mode="once")

def test_of_module(chatproxy):
    say(chatproxy, "Hello")

@pytest.mark.chatproxy(cassette="cassettes/class.json")
class TestIt:
    def test_of_class(self, chatproxy):
        say(chatproxy, "Hello")

    @pytest.mark.chatproxy(cassette="cassettes/deep/function.json")
    def test_of_function(self, chatproxy):
        say(chatproxy, "Hello")
""")
    project.run().assert_outcomes(passed=3)
    assert project.files == ["cassettes/class.json", "cassettes/deep/function.json", "cassettes/module.json"]
    assert '"name": "deep.function"' in project.text("cassettes/deep/function.json")


def test_a_mode_of_a_mark_counts_before_that_of_the_command_line(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.write("""
@pytest.mark.chatproxy(mode="none")
def test_pinned(chatproxy):
    with pytest.raises(urllib.error.HTTPError):
        say(chatproxy, "Hello")
""")
    project.run("--record-mode=all").assert_outcomes(passed=1, errors=1)
    assert project.files == []


def test_ignored_parameters_do_not_count(project: Project, upstream: str) -> None:
    project.asking(upstream)
    tests = """
@pytest.mark.chatproxy(ignore=["Body"])
def test_says(chatproxy):
    assert {body!r} in say(chatproxy, {body!r})
"""
    project.write(tests.format(body="Hello"))
    project.run("--record-mode=once").assert_outcomes(passed=1)
    project.write(tests.format(body="Bye"))
    project.run().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("clock", "expected"), [("recorded", "2026-01-01T00:00:00Z"), ("2030-06-01T00:00:00Z", "2030-06-01T00:00:00Z")]
)
def test_the_clock_is_that_of_the_mark(project: Project, upstream: str, clock: str, expected: str) -> None:
    project.asking(upstream)
    project.write(f"{TIMES}\ndef test_says(chatproxy):\n    created(chatproxy)\n")
    project.run("--record-mode=once").assert_outcomes(passed=1)
    project.write(
        f"{TIMES}\n@pytest.mark.chatproxy(clock={clock!r})\ndef test_says(chatproxy):\n"
        f"    assert created(chatproxy) == {expected!r}\n"
    )
    project.run().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ("casette='x'", "@pytest.mark.chatproxy: casette: is not known; it takes cassette, clock, ignore, mode"),
        ("clock='noon'", "@pytest.mark.chatproxy: clock: 'noon' is neither now, shift nor recorded*"),
        ("mode='sometimes'", "@pytest.mark.chatproxy: mode: 'sometimes' is none of none, once*"),
        ("'x.json'", "@pytest.mark.chatproxy takes names: chatproxy(cassette='x.json')"),
        ("cassette='no such name'", "no such name: *"),
        (
            "cassette=['a.json', 'b.json']",
            "@pytest.mark.chatproxy: cassette: ['a.json', 'b.json'] is no name and no file*",
        ),
        ("cassette='../a.json'", "@pytest.mark.chatproxy: cassette: ../a.json is not below the project's root, /*"),
    ],
)
def test_a_wrong_mark_is_one_line(project: Project, mark: str, message: str) -> None:
    project.write(f"\n@pytest.mark.chatproxy({mark})\ndef test_says(chatproxy): pass\n")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message.replace("[", "[[]")])
    result.stdout.no_fnmatch_line("*Traceback*")


ACTING = """
import os
def speak(body):
    return ask(os.environ["CHATPROXY_URL"], {"Body": body})
"""


def test_the_mark_acts_without_the_fixture(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.monkeypatch.delenv("CHATPROXY_URL", raising=False)
    project.write(f"""{ACTING}
import unittest

@pytest.mark.chatproxy(cassette="cassettes/marked.json")
def test_says():
    assert "Hello" in speak("Hello")

@pytest.mark.parametrize("body", ["plain", pytest.param("marked", marks=pytest.mark.chatproxy)])
def test_many(body):
    assert ("CHATPROXY_URL" in os.environ) == (body == "marked")

@pytest.mark.chatproxy
class TestIt:
    def test_says(self, tmp_path):
        speak("class")

@pytest.mark.chatproxy
class Case(unittest.TestCase):
    def setUp(self):
        speak("set up")

    def test_says(self):
        speak("case")

def test_unmarked():
    assert "CHATPROXY_URL" not in os.environ
""")
    project.run("--record-mode=once").assert_outcomes(passed=6)
    assert project.files == [
        "cassettes/marked.json",
        "cassettes/test_chat/Case.test_says.json",
        "cassettes/test_chat/TestIt.test_says.json",
    ]
    project.offline()
    project.run().assert_outcomes(passed=6)


def test_a_marked_test_without_the_fixture_that_misses_fails(project: Project) -> None:
    project.write(f"""{ACTING}
@pytest.mark.chatproxy
def test_says():
    try:
        speak("Hello")
    except urllib.error.HTTPError:
        pass
""")
    project.run().assert_outcomes(passed=1, errors=1)


def test_a_program_that_a_test_runs_finds_the_tests_own_proxy(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.monkeypatch.setenv("CHATPROXY_URL", "http://127.0.0.1:9")
    project.write(f"""{ACTING}
def test_says(chatproxy):
    assert os.environ["CHATPROXY_URL"] == chatproxy.url
    speak("Hello")

def test_later():
    assert os.environ["CHATPROXY_URL"] == "http://127.0.0.1:9"
""")
    project.run("--record-mode=once").assert_outcomes(passed=2)


def test_the_file_follows_the_path_of_the_test_however_it_is_imported(project: Project, upstream: str) -> None:
    project.asking(upstream)
    for folder in ("suite", "suite/deep"):
        (project.folder / folder).mkdir()
        project.write(f"\ndef test_says(chatproxy): say(chatproxy, {folder!r})\n", f"{folder}/test_{folder[-4:]}")
    project.run("--record-mode=once", "--import-mode=prepend").assert_outcomes(passed=2)
    assert project.files == [
        "cassettes/suite/deep/test_deep/test_says.json",
        "cassettes/suite/test_uite/test_says.json",
    ]
    project.offline()
    project.run("--import-mode=importlib").assert_outcomes(passed=2)
    (project.folder / "suite" / "__init__.py").touch()
    project.run("--import-mode=prepend").assert_outcomes(passed=2)


def test_two_tests_do_not_record_one_file(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.write("""
@pytest.mark.chatproxy(cassette="cassettes/shared.json")
@pytest.mark.parametrize("n", [1, 2])
def test_says(chatproxy, n):
    say(chatproxy, str(n))
""")
    result = project.run("--record-mode=rewrite")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*cassettes/shared.json: was recorded by *test_says[[]1[]] just now; give each test*"])


def test_settings_come_from_the_project(project: Project, upstream: str) -> None:
    project.asking(upstream)
    (project.folder / "chatproxy.toml").write_text('store = "elsewhere"\nignore = ["Body"]\n')
    project.saying("Hello")
    project.run("--record-mode=once").assert_outcomes(passed=1)
    assert (project.folder / "elsewhere" / "data.mdb").exists()
    project.saying("Bye")
    project.run().assert_outcomes(passed=1)


def test_a_wrong_setting_is_one_line(project: Project) -> None:
    (project.folder / "chatproxy.toml").write_text("storre = 1\n")
    project.saying("Hello")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["chatproxy.toml: storre: is no setting*"])


def test_files_are_found_from_any_folder(project: Project, upstream: str) -> None:
    project.asking(upstream)
    (project.folder / "pytest.ini").write_text("[pytest]\n")
    project.saying("Hello")
    project.run("--record-mode=once").assert_outcomes(passed=1)
    elsewhere = project.folder / "cassettes"
    project.monkeypatch.chdir(elsewhere)
    project.run("--rootdir", str(project.folder), str(project.folder / "test_chat.py")).assert_outcomes(passed=1)
