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
    ],
)
def test_a_wrong_mark_is_one_line(project: Project, mark: str, message: str) -> None:
    project.write(f"\n@pytest.mark.chatproxy({mark})\ndef test_says(chatproxy): pass\n")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")


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
