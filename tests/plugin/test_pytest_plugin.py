import json

import pytest
from plugin.projects import Project


def test_it_offers_its_url_its_session_and_what_came(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.write("""
def test_says(chatproxy):
    say(chatproxy, "Hello")
    assert chatproxy.url.startswith("http://127.0.0.1:")
    assert chatproxy.session == "test_chat.test_says"
    assert chatproxy.path.name == "test_says.json"
    assert [(one.method, one.status) for one in chatproxy.exchanges] == [("POST", 201)]
    assert [one.outcome for one in chatproxy.exchanges] == ["recorded" if chatproxy.mode == "record" else "hit"]
    assert not chatproxy.misses and not chatproxy.errors
""")
    project.run("--record-mode=once").assert_outcomes(passed=1)
    project.run().assert_outcomes(passed=1)


def test_the_twilio_client_is_sync_or_async(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.write("""
def messages(client):
    service = client.chat.v1.services("IS0123456789abcdef0123456789abcdef")
    return service.channels("CH0123456789abcdef0123456789abcdef").messages

def test_sync(chatproxy):
    made = messages(chatproxy.twilio_client()).create(body="Hello")
    assert [made.sid] == [one.sid for one in messages(chatproxy.twilio_client()).list()][-1:]

async def test_async(chatproxy):
    made = await messages(chatproxy.twilio_client(is_async=True)).create_async(body="Hello")
    listed = await messages(chatproxy.twilio_client(is_async=True)).list_async()
    assert [made.sid] == [one.sid for one in listed][-1:]
""")
    arguments = ("-o", "asyncio_mode=auto", "-W", "error")
    project.run("--record-mode=once", *arguments).assert_outcomes(passed=2)
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        project.monkeypatch.delenv(name)
    project.offline()
    project.run(*arguments).assert_outcomes(passed=2)


def test_each_of_many_async_calls_at_once_gets_its_own_answer(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.write("""
import asyncio

async def test_async(chatproxy):
    service = chatproxy.twilio_client(is_async=True).chat.v1.services("IS0123456789abcdef0123456789abcdef")
    messages = service.channels("CH0123456789abcdef0123456789abcdef").messages
    bodies = [f"m{number}" for number in range(50)]
    made = await asyncio.gather(*(messages.create_async(body=body) for body in bodies))
    assert [message.body for message in made] == bodies
""")
    arguments = ("-o", "asyncio_mode=auto", "-W", "error")
    project.run("--record-mode=once", *arguments).assert_outcomes(passed=1)
    project.offline()
    project.run(*arguments).assert_outcomes(passed=1)


def test_a_recording_needs_credentials(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.monkeypatch.delenv("TWILIO_AUTH_TOKEN")
    project.write("\ndef test_says(chatproxy):\n    chatproxy.twilio_client()\n")
    result = project.run("--record-mode=once")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*needs credentials to record: set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN*"])


def test_tests_of_pytest_aiohttp_and_pytest_asyncio(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.write("""
import aiohttp, asyncio

async def test_auto(chatproxy, aiohttp_client):
    async with aiohttp.ClientSession() as client:
        async with client.post(chatproxy.url + CHANNEL, data={"Body": "a"}, headers={"Authorization": BASIC}) as answer:
            assert answer.status == 201

@pytest.mark.asyncio
async def test_marked(chatproxy):
    assert "b" in await asyncio.to_thread(say, chatproxy, "b")
""")
    arguments = ("-o", "asyncio_mode=auto")
    project.run("--record-mode=once", *arguments).assert_outcomes(passed=2)
    project.run(*arguments).assert_outcomes(passed=2)


def test_a_miss_fails_a_test_that_does_not_mind_and_shows_in_one_that_does(project: Project) -> None:
    project.write("""
def test_swallows(chatproxy):
    try:
        say(chatproxy, "Hello")
    except urllib.error.HTTPError:
        pass
    assert len(chatproxy.misses) == 1

def test_minds(chatproxy):
    say(chatproxy, "Hello")
""")
    result = project.run()
    result.assert_outcomes(passed=1, failed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_swallows*",
            "*1 missed request*",
            "*never recorded*",
            "* is not there: pytest --record-mode=once test_chat.py::test_swallows records it",
            "*- chatproxy -*",
            "*test_minds.json: 1 missed request",
            "  POST /v1/Services/*never recorded*",
            "* is not there: pytest --record-mode=once test_chat.py::test_minds records it",
        ]
    )


def test_a_program_that_a_test_runs_twice_is_told_to_have_a_test_for_each_run(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.saying("Hello")
    project.run("--record-mode=once").assert_outcomes(passed=1)
    helps = "where a test runs the program twice, give each run a test of its own, or record both in one"
    project.saying("Hello", more="say(chatproxy, 'Hello')")
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "  POST /v1/*: the one recorded answer is used: the first recorded request came again; if the "
            "program runs a second time, it needs DELETE /__chatproxy/sessions/test_chat.test_says before it or "
            "--on-exhausted restart",
            helps,
        ]
    )
    project.write("""
def test_says(chatproxy):
    for _ in range(2):
        try:
            say(chatproxy, "Hello")
        except urllib.error.HTTPError:
            pass
""")
    result = project.run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            helps,
            "if the test is to ask otherwise, pytest --record-mode=rewrite test_chat.py::test_says records it anew",
        ]
    )


def test_the_nearest_recording_is_named(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.saying("Hello")
    project.run("--record-mode=once").assert_outcomes(passed=1)
    project.saying("Bye")
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*nearest is test_chat.test_says/1, where*form field 'Body' is 'Hello' where this has 'Bye'"]
    )


def test_parametrised_tests_classes_and_unittest_have_a_file_each(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.write("""
import unittest
from chatproxy.pytest_plugin import ChatproxyMixin

@pytest.mark.parametrize("body", ["plain", "with/slash", "with-slash", "ü", "x" * 200])
def test_many(chatproxy, body):
    say(chatproxy, body)

class TestOne:
    class TestInner:
        def test_says(self, chatproxy):
            say(chatproxy, "inner")

    def test_says(self, chatproxy):
        say(chatproxy, "one")

class Case(ChatproxyMixin, unittest.TestCase):
    def setUp(self):
        self.sid = say(self.chatproxy, "set up")

    def test_says(self):
        assert "case" in say(self.chatproxy, "case")
""")
    project.run("--record-mode=once").assert_outcomes(passed=8)
    names = {file.removeprefix("cassettes/test_chat/") for file in project.files}
    assert len(names) == 8
    assert names >= {"TestOne.TestInner.test_says.json", "TestOne.test_says.json", "Case.test_says.json"}
    assert names >= {"test_many-plain.json", "test_many-with-slash.json"}
    assert all(len(name) <= 100 for name in names)
    project.offline()
    project.run().assert_outcomes(passed=8)


def test_a_unittest_case_that_misses_fails(project: Project) -> None:
    project.write("""
import unittest
from chatproxy.pytest_plugin import ChatproxyMixin

class Case(ChatproxyMixin, unittest.TestCase):
    def test_says(self):
        with self.assertRaises(urllib.error.HTTPError):
            say(self.chatproxy, "Hello")
""")
    project.run().assert_outcomes(passed=1, errors=1)


def test_modules_of_one_name_in_two_packages_keep_apart(project: Project, upstream: str) -> None:
    project.asking(upstream)
    for package in ("a", "b"):
        (project.folder / package).mkdir()
        (project.folder / package / "__init__.py").touch()
        project.write(f"\ndef test_says(chatproxy): say(chatproxy, {package!r})\n", f"{package}/test_chat")
    project.run("--record-mode=once").assert_outcomes(passed=2)
    assert project.files == ["cassettes/a/test_chat/test_says.json", "cassettes/b/test_chat/test_says.json"]


def test_each_test_has_a_session_of_its_own_and_sees_the_same_sids_again(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.write("""
@pytest.mark.chatproxy(cassette="cassettes/shared.json", mode="once")
@pytest.mark.parametrize("n", [1, 2])
def test_says(chatproxy, n):
    with open("seen", "a") as seen:
        seen.write(say(chatproxy, "Hello").split('"sid": "')[1][:34] + "\\n")
""")
    for _ in range(2):
        project.run().assert_outcomes(passed=2)
    recorded, *seen = (project.folder / "seen").read_text().split()
    assert seen[0] == seen[2]
    assert len({recorded, *seen}) == 3


def test_a_listener_is_closed_with_its_test(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.write("""
seen = []

def test_says(chatproxy):
    say(chatproxy, "Hello")
    seen.append(chatproxy.url)

def test_later():
    with pytest.raises(urllib.error.URLError, match="refused"):
        ask(seen[0])
""")
    project.run("--record-mode=once").assert_outcomes(passed=2)


def test_only_one_server_thread_runs_and_none_is_left(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.write("""
import threading
seen = set()

@pytest.mark.parametrize("n", range(3))
def test_says(chatproxy, n):
    say(chatproxy, "Hello")
    seen.update(thread.ident for thread in threading.enumerate() if thread.name == "chatproxy-server")
    assert len(seen) <= 2  # the upstream of this test has one of its own
""")
    project.run("--record-mode=once").assert_outcomes(passed=3)


def test_credentials_stand_in_no_file_and_in_no_output(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.saying("the-auth-token-of-the-account")
    result = project.run("--record-mode=once")
    assert "the-auth-token" not in "".join(project.text(file) for file in project.files)
    assert "the-auth-token" not in "\n".join(line for line in result.outlines if "cassettes/" in line)


def test_the_report_tells_what_was_never_served(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.saying("Hello", 'ask(chatproxy.url) if os.environ.get("LIST") else None')
    project.monkeypatch.setenv("LIST", "1")
    project.run("--record-mode=once").assert_outcomes(passed=1)
    project.monkeypatch.delenv("LIST")
    (project.folder / "report.json").write_text("of an earlier run")
    project.run("--chatproxy-report=report.json").assert_outcomes(passed=1)
    (fixture,) = json.loads((project.folder / "report.json").read_text())["fixtures"]
    assert (fixture["file"], fixture["runs"], fixture["unused"]) == ("cassettes/test_chat/test_says.json", 1, [2])
    assert fixture["unused_requests"]["2"].startswith("GET /v1/Services/")


@pytest.mark.process
def test_a_report_that_cannot_be_written_is_wrong_usage(project: Project) -> None:
    project.saying("Hello")
    result = project.run_apart("--chatproxy-report=no/report.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--chatproxy-report: *no/report.json cannot be written*"])


def test_a_report_that_cannot_be_written_in_the_end_fails_the_run(project: Project) -> None:
    project.write("\ndef test_breaks(): os.mkdir('report.json')\n")
    result = project.run("--chatproxy-report=report.json")
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    result.stdout.fnmatch_lines(["*--chatproxy-report: *cannot be written*"])
