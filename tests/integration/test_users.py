"""Who sends a request decides which recorded exchange answers it, for clients as they are."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp import encode_basic_auth
from integration.asking import MESSAGES, Answer, ask
from integration.processes import PATIENCE, Workplace
from integration.twilio_clients import ACCOUNT, TOKEN

pytestmark = pytest.mark.process

KEY = "SK" + "7" * 32


def sent(url: str, method: str, user: str | None) -> Answer:
    """Send a request by this user, or without credentials."""
    headers = {"Authorization": "" if user is None else encode_basic_auth(user, "any-password")}
    return ask(url, method, MESSAGES, {"Body": "hello"} if method == "POST" else None, headers=headers)


PROGRAM = [("POST", ACCOUNT), ("GET", None), ("GET", ACCOUNT), ("GET", KEY), ("POST", None)]


def run(url: str, program: Sequence[tuple[str, str | None]] = PROGRAM) -> list[tuple[int, bytes]]:
    return [(answer.status, answer.body) for answer in (sent(url, *one) for one in program)]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workplace, list[tuple[int, bytes]]]:
    place = Workplace(tmp_path_factory.mktemp("users"))
    with place.sandbox() as sandbox, place.record("users", sandbox.url) as recorder:
        answers = run(recorder.url)
    assert [status for status, _ in answers] == [201, 401, 200, 200, 401]
    place.run("export", "users", "exact.json", "--exact")
    place.run("export", "users", "users.json")
    return place, answers


@pytest.mark.parametrize("cassette", ["users", "exact.json", "users.json"])
@pytest.mark.parametrize("flags", [(), ("--sessions", "one")], ids=["by user", "one session"])
def test_each_user_is_answered_as_recorded(
    recorded: tuple[Workplace, list[tuple[int, bytes]]], cassette: str, flags: tuple[str, ...]
) -> None:
    place, answers = recorded
    sids = () if cassette == "users.json" else ("--sids", "recorded", "--urls", "keep")
    with place.replay(cassette, *sids, *flags) as replayer:
        replayed = run(replayer.url)
    assert [status for status, _ in replayed] == [status for status, _ in answers]
    for (_, before), (_, after) in zip(answers, replayed, strict=True):
        assert json.loads(before).keys() == json.loads(after).keys()


def test_a_request_for_credentials_is_answered_in_any_session_and_at_any_time(
    recorded: tuple[Workplace, list[tuple[int, bytes]]],
) -> None:
    place, _ = recorded
    with place.replay("users") as replayer:
        answers = [sent(replayer.url, method, None) for method in ("POST", "GET", "POST", "GET")]
        named = ask(replayer.url, "GET", MESSAGES, headers={"Authorization": "", "x-chatproxy-session": "other"})
        assert sent(replayer.url, "POST", ACCOUNT).status == 201
        answers += [sent(replayer.url, method, None) for method in ("GET", "POST")]
    assert {(answer.status, answer.outcome) for answer in (*answers, named)} == {(401, "hit")}
    assert {answer.header("WWW-Authenticate") for answer in answers} == {'Basic realm="Twilio API"'}


def test_what_was_recorded_with_credentials_is_neither_given_nor_used_up_without_them(
    recorded: tuple[Workplace, list[tuple[int, bytes]]], tmp_path: Path
) -> None:
    place, _ = recorded
    fixture = json.loads((place.folder / "exact.json").read_text())
    fixture["exchanges"] = [one for one in fixture["exchanges"] if one["user"] != "none"]
    (tmp_path / "with.json").write_text(json.dumps(fixture))
    with Workplace(tmp_path).replay("with.json") as replayer:
        missed = sent(replayer.url, "POST", None)
        assert (missed.status, missed.outcome) == (424, "miss")
        assert b"sent without credentials" in missed.body
        assert sent(replayer.url, "POST", ACCOUNT).status == 201


def test_a_program_of_several_users_is_told_of_one_session(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    program = [("POST", ACCOUNT), ("GET", "AC" + "8" * 32)]
    with place.sandbox() as sandbox, place.record("several", sandbox.url) as recorder:
        recorded = run(recorder.url, program)
    with place.replay("several") as replayer:
        assert sent(replayer.url, "POST", ACCOUNT).status == 201
        assert b"--sessions one" in sent(replayer.url, "GET", "AC" + "8" * 32).body
    with place.replay("several", "--sessions", "one") as replayer:
        assert [status for status, _ in run(replayer.url, program)] == [status for status, _ in recorded]


URLLIB = """
import sys, urllib.request
url, user, password = sys.argv[1:]
passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
passwords.add_password(None, url, user, password)
opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
for body in (b"Body=challenged", None):
    print(opener.open(url, body).status)
"""


def challenged(client: str, url: str) -> list[str]:
    """Post a form and read with a client that sends credentials only once it is asked for them: what it says."""
    commands = {
        "urllib": [[sys.executable, "-c", URLLIB, url, ACCOUNT, TOKEN]],
        "wget": [
            ["wget", "-q", "-S", "-O-", f"--user={ACCOUNT}", f"--password={TOKEN}", *form, url]
            for form in (["--post-data=Body=challenged"], [])
        ],
        "curl": [
            [
                "curl",
                "-sS",
                "--anyauth",
                "-u",
                f"{ACCOUNT}:{TOKEN}",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}\n",
                *form,
                url,
            ]
            for form in (["-d", "Body=challenged"], [])
        ],
        "java": [["java", str(Path(__file__).with_name("Challenge.java")), url, ACCOUNT, TOKEN]],
    }[client]
    if shutil.which(commands[0][0]) is None:
        pytest.skip(f"{commands[0][0]} is not installed")
    done = [subprocess.run(one, capture_output=True, text=True, timeout=PATIENCE, check=False) for one in commands]
    assert all(one.returncode == 0 for one in done), done
    lines = [line.strip() for one in done for line in (one.stdout + one.stderr).splitlines()]
    return [line for line in lines if line.isdigit() or line.startswith("HTTP/1.1")]


@pytest.mark.parametrize("client", ["urllib", "wget", "curl", "java"])
def test_a_client_that_authenticates_only_when_asked_to_replays_as_it_recorded(client: str, tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    with place.sandbox() as sandbox, place.record("challenge", sandbox.url) as recorder:
        said = challenged(client, recorder.url + MESSAGES)
    assert any("200" in line for line in said)
    place.run("export", "challenge", "challenge.json")
    for cassette in ("challenge", "challenge.json"):
        with place.replay(cassette) as replayer:
            assert challenged(client, replayer.url + MESSAGES) == said


def test_a_fixture_of_two_accounts_replays_in_one_session_for_other_accounts(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    first, second = "AC" + "8" * 32, "AC" + "9" * 32
    with place.sandbox() as sandbox, place.record("accounts", sandbox.url) as recorder:
        recorded = run(recorder.url, [("POST", first), ("POST", second), ("GET", second), ("GET", first)])
    place.run("export", "accounts", "accounts.json")
    canonical = {one["own"]: one["sid"] for one in json.loads((tmp_path / "accounts.json").read_text())["known"]}
    others = ("AC" + "6" * 32, "AC" + "5" * 32)
    bound = ("--bind", f"{others[0]}={canonical[first]}")  # the other one stands for the only one that is left
    for (one, other), flags in (((first, second), ()), (others, bound)):
        with place.replay("accounts.json", "--sessions", "one", *flags) as replayer:
            replayed = run(replayer.url, [("POST", one), ("POST", other), ("GET", other), ("GET", one)])
        for (status, before), (again, after), account in zip(recorded, replayed, (one, other, other, one), strict=True):
            assert again == status, after
            assert json.loads(before).keys() == json.loads(after).keys()
            assert account in after.decode()
    with place.replay("accounts.json", "--sessions", "one") as replayer:
        missed = sent(replayer.url, "POST", others[0])
    assert missed.status == 424
    assert b"bind" in missed.body
