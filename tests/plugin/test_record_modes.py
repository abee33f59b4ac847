from contextlib import closing
from pathlib import Path

import pytest
from plugin.projects import FILE, Project
from servers import settings

from chatproxy.cassettes.transfer import exact_fixture, export_cassette
from chatproxy.serve.hosting import in_background
from chatproxy.serve.listen import sandbox
from chatproxy.store import Store


def recorded(project: Project, upstream: str, body: str = "Hello") -> str:
    project.asking(upstream)
    project.saying(body)
    project.run("--record-mode=rewrite").assert_outcomes(passed=1)
    return project.text()


def make_exact(project: Project) -> None:
    with closing(Store(project.folder / ".chatproxy")) as store:
        export_cassette(exact_fixture(store, "test_chat.test_says"), project.folder / FILE)


@pytest.mark.parametrize("words", [(), ("--record-mode=none",)])
def test_none_replays_and_is_the_default(project: Project, upstream: str, words: tuple[str, ...]) -> None:
    recorded(project, upstream)
    project.offline()
    project.run(*words).assert_outcomes(passed=1)


def test_none_without_a_file_misses_and_names_what_records_it(project: Project) -> None:
    project.write("""
def test_says(chatproxy):
    with pytest.raises(urllib.error.HTTPError) as caught:
        say(chatproxy, "Hello")
    assert caught.value.code == 424
""")
    result = project.run("--record-mode=none")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            f"{FILE}: 1 missed request",
            f"{FILE} is not there: pytest --record-mode=once test_chat.py::test_says records it",
        ]
    )
    assert project.files == []


def test_a_test_that_asks_nothing_needs_no_file_and_makes_none(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.write("\ndef test_says(chatproxy): pass\n")
    for mode in ("none", "once", "rewrite"):
        result = project.run(f"--record-mode={mode}")
        result.assert_outcomes(passed=1)
        assert project.files == []
    result.stdout.fnmatch_lines([f"{FILE} is as it was: no request came to be recorded"])


def test_rewrite_keeps_a_file_when_nothing_is_asked_any_more(project: Project, upstream: str) -> None:
    before = recorded(project, upstream)
    project.write("\ndef test_says(chatproxy): pass\n")
    project.run("--record-mode=rewrite").assert_outcomes(passed=1)
    assert project.text() == before


@pytest.mark.parametrize("mode", ["once", "new_episodes", "all", "rewrite"])
def test_every_other_mode_records_where_no_file_is(project: Project, upstream: str, mode: str) -> None:
    project.asking(upstream)
    project.saying("Hello")
    result = project.run(f"--record-mode={mode}")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"recorded {FILE}, 1 exchange"])
    assert project.files == [FILE]
    project.offline()
    project.run().assert_outcomes(passed=1)


def test_once_replays_where_a_file_is(project: Project, upstream: str) -> None:
    before = recorded(project, upstream)
    project.offline()
    project.run("--record-mode=once").assert_outcomes(passed=1)
    assert project.text() == before


@pytest.mark.parametrize("mode", ["all", "rewrite"])
def test_a_test_is_recorded_anew_in_its_place(project: Project, upstream: str, mode: str) -> None:
    before = recorded(project, upstream)
    with in_background(sandbox(settings(project.folder))) as another:
        assert recorded(project, another.url) == before
    project.asking(upstream)
    project.saying("Bye")
    project.run(f"--record-mode={mode}").assert_outcomes(passed=1)
    assert "Bye" in project.text()
    assert "Hello" not in project.text()


def test_new_episodes_of_a_canonical_file_fails_and_names_rewrite(project: Project, upstream: str) -> None:
    before = recorded(project, upstream)
    project.saying("Hello", 'say(chatproxy, "more")')
    result = project.run("--record-mode=new_episodes")
    result.assert_outcomes(failed=1)
    anew = "if the test is to ask otherwise, pytest --record-mode=rewrite test_chat.py::test_says records it anew"
    exact = (
        "new_episodes adds nothing to canonical SIDs; once recorded anew, "
        f"chatproxy export --exact test_chat.test_says {FILE} gives it live ones"
    )
    result.stdout.fnmatch_lines([anew, exact])
    assert project.text() == before
    project.write("""
def test_says(chatproxy):
    say(chatproxy, "Hello")
    with pytest.raises(urllib.error.HTTPError):
        say(chatproxy, "more")
""")
    result = project.run("--record-mode=new_episodes")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([anew, exact])
    assert project.text() == before


def test_a_mode_of_the_mark_is_what_records_a_test(project: Project, upstream: str) -> None:
    recorded(project, upstream)
    project.write("""
@pytest.mark.chatproxy(mode="none")
def test_says(chatproxy):
    say(chatproxy, "more")
""")
    result = project.run("--record-mode=rewrite")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*, mode='rewrite' in its @pytest.mark.chatproxy records it anew"])


def test_new_episodes_adds_to_a_file_with_live_sids(project: Project, upstream: str) -> None:
    recorded(project, upstream)
    make_exact(project)
    before = project.text()
    project.saying("Hello", 'say(chatproxy, "more")')
    project.run("--record-mode=new_episodes").assert_outcomes(passed=1)
    after = project.text()
    assert after.startswith(before.rstrip("\n]} "))
    assert '"name": "test_chat.test_says"' in after
    project.offline()
    project.run().assert_outcomes(passed=1)
    with closing(Store(project.folder / ".chatproxy")) as store:
        assert [one.name for one in store.listing()] == ["test_chat.test_says"]


def test_new_episodes_of_a_changed_test_says_that_the_file_holds_several_runs(project: Project, upstream: str) -> None:
    recorded(project, upstream)
    make_exact(project)
    project.saying("Bye")
    result = project.run("--record-mode=new_episodes")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            f"recorded {FILE}, 2 exchanges; the cassette is no recording of one run any more: this one left out 1 "
            "recorded write, and recorded 1 exchange; pytest --record-mode=rewrite test_chat.py::test_says records it "
            "anew"
        ]
    )


def test_new_episodes_of_a_test_that_misses_by_what_it_has_not_done_names_rewrite(
    project: Project, upstream: str
) -> None:
    recorded(project, upstream)
    make_exact(project)
    project.write("""
def test_says(chatproxy):
    say(chatproxy, "Bye")
    ask(chatproxy.url)
""")
    result = project.run("--record-mode=new_episodes")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*changed by this run, and not put to the upstream, which has *(pytest: --record-mode=rewrite)",
            "if the test is to ask otherwise, pytest --record-mode=rewrite test_chat.py::test_says records it anew",
        ]
    )


def test_rewrite_leaves_an_exact_file_exact(project: Project, upstream: str) -> None:
    recorded(project, upstream)
    make_exact(project)
    project.run("--record-mode=rewrite").assert_outcomes(passed=1)
    assert '"exact": true' in project.text()


def test_new_episodes_of_a_failing_test_changes_nothing(project: Project, upstream: str) -> None:
    recorded(project, upstream)
    make_exact(project)
    before = project.text()
    project.saying("Hello", 'say(chatproxy, "more"); assert False')
    project.run("--record-mode=new_episodes").assert_outcomes(failed=1)
    assert project.text() == before


@pytest.mark.parametrize("more", ["assert False", "pytest.skip()", "pytest.xfail()"])
def test_a_test_that_does_not_pass_leaves_no_file(project: Project, upstream: str, more: str) -> None:
    project.asking(upstream)
    project.saying("Hello", more)
    project.run("--record-mode=once")
    assert project.files == []


@pytest.mark.process
def test_an_interrupted_run_leaves_the_file_as_it_was_and_what_came_in_the_store(
    project: Project, upstream: str
) -> None:
    before = recorded(project, upstream)
    project.saying("Bye", "raise KeyboardInterrupt")
    assert project.run_apart("--record-mode=rewrite").ret == pytest.ExitCode.INTERRUPTED
    assert project.text() == before
    with closing(Store(project.folder / ".chatproxy")) as store:
        assert store.count("test_chat.test_says.partial") == 1


def test_a_test_that_does_not_pass_leaves_its_file_as_it_was(project: Project, upstream: str) -> None:
    before = recorded(project, upstream)
    project.saying("Bye", "assert False")
    project.run("--record-mode=rewrite").assert_outcomes(failed=1)
    assert project.text() == before


def test_a_failing_teardown_of_another_fixture_leaves_the_file_as_it_was(project: Project, upstream: str) -> None:
    before = recorded(project, upstream)
    project.write("""
@pytest.fixture
def other():
    yield
    assert False

def test_says(other, chatproxy):
    say(chatproxy, "Bye")
""")
    project.run("--record-mode=rewrite").assert_outcomes(passed=1, errors=1)
    assert project.text() == before


def test_an_upstream_that_fails_fails_the_test_and_leaves_the_file_as_it_was(project: Project, upstream: str) -> None:
    before = recorded(project, upstream)
    project.offline()
    project.write("""
def test_says(chatproxy):
    with pytest.raises(urllib.error.HTTPError):
        say(chatproxy, "Hello")
    assert [error.reason for error in chatproxy.errors]
""")
    result = project.run("--record-mode=rewrite")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([f"{FILE}: 1 refused request", "*cannot be reached*", f"{FILE} is as it was"])
    assert project.text() == before


def test_a_leak_fails_the_test_and_keeps_what_was_recorded_in_the_store(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.saying(
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
    )
    result = project.run("--record-mode=once")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*is not written, for * finding*", "what was recorded is in the store as test_chat*"])
    assert project.files == []
    with closing(Store(project.folder / ".chatproxy")) as store:
        assert store.count("test_chat.test_says") == 1


def test_a_cassette_of_the_store_is_recorded_replayed_and_extended(project: Project, upstream: str) -> None:
    mark = "\n@pytest.mark.chatproxy(cassette='talk')"
    project.asking(upstream)
    project.write(f"{mark}\ndef test_says(chatproxy):\n    say(chatproxy, 'Hello')\n")
    result = project.run("--record-mode=once")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["recorded talk in the store"])
    project.write(f"{mark}\ndef test_says(chatproxy):\n    say(chatproxy, 'Hello')\n    say(chatproxy, 'more')\n")
    project.run().assert_outcomes(failed=1)
    project.run("--record-mode=new_episodes").assert_outcomes(passed=1)
    project.offline()
    project.run().assert_outcomes(passed=1)
    assert project.files == []


def test_a_file_that_is_no_fixture_is_never_taken_for_none(project: Project, upstream: str) -> None:
    recorded(project, upstream)
    Path(project.folder, FILE).write_text('{"chatproxy": 1', "utf-8")
    for mode in ("none", "once", "rewrite"):
        result = project.run(f"--record-mode={mode}")
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines([f"*{FILE}: is no JSON*"])


@pytest.mark.process
def test_an_unknown_mode_is_wrong_usage(project: Project) -> None:
    project.saying("Hello")
    result = project.run_apart("--record-mode=sometimes")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*invalid choice: 'sometimes'*"])


IN_ENVIRONMENT = """
import json, os

def test_says(chatproxy, monkeypatch):
    for name, sid in {values!r}.items():
        monkeypatch.setenv(name, sid)
    service, channel = os.environ["SERVICE"], os.environ.get("CHANNEL", "CH" + "7" * 32)
    answer = ask(chatproxy.url, {{"Body": "Hello"}}, f"/v1/Services/{{service}}/Channels/{{channel}}/Messages")
    assert json.loads(answer)["channel_sid"] == channel
"""


def test_law_2_a_test_replays_with_what_its_environment_holds(project: Project, upstream: str) -> None:
    held = {"SERVICE": "IS" + "1" * 32, "CHANNEL": "CH" + "1" * 32}
    project.asking(upstream)
    project.write(IN_ENVIRONMENT.format(values=held))
    project.run("--record-mode=rewrite").assert_outcomes(passed=1)
    project.offline()
    for values in (held, {"SERVICE": "IS" + "2" * 32, "CHANNEL": "CH" + "2" * 32}):
        project.write(IN_ENVIRONMENT.format(values=values))
        result = project.run()
        result.assert_outcomes(passed=1)
        result.stdout.no_fnmatch_line("*assumed*")
    project.write(IN_ENVIRONMENT.format(values={"SERVICE": "IS" + "1" * 32}))
    result = project.run()
    result.stdout.fnmatch_lines(["*stands for no SID of cassette*the recorder's own SIDs were sent*"])


def test_law_2_what_was_assumed_is_said_in_the_summary(project: Project, upstream: str) -> None:
    recorded(project, upstream)
    project.offline()
    file = project.folder / FILE
    file.write_text(file.read_text().replace('"own": "IS0', '"own": "IS9').replace('"own": "CH0', '"own": "CH9'))
    result = project.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"{FILE}: assumed IS0*=IS9*, CH0*=CH9*; --bind settles it"])
