"""Scrubbing from end to end: recorded from the sandbox, exported and replayed under rules of a configuration file."""

import json
from pathlib import Path
from typing import Any

import pytest
from integration.asking import MESSAGES, Answer, ask
from integration.processes import Workplace

pytestmark = pytest.mark.process

CONFIGURATION = """
salt = "a salt of the team"

[[scrub]]
header = "User-Agent"
drop = true

[[scrub]]
parameter = "From"
pseudonym = true

[[scrub]]
field = "from"
pseudonym = true

[[scrub]]
pattern = '\\+[1-9][0-9]{6,14}'
pseudonym = true

[[scrub]]
pattern = "[0-9]{16}"
replace = "0"
"""
PERSONAL = ("alice@corp.example", "15551234567", "4111111111111111", "python-agent")
FORMS = (
    {"From": "alice@corp.example", "Body": "call +15551234567"},
    {"From": "alice@corp.example", "Body": "card 4111111111111111"},
)


def program(url: str) -> list[Answer]:
    made = [ask(url, "POST", MESSAGES, form, headers={"User-Agent": "python-agent"}) for form in FORMS]
    sid = json.loads(made[0].body)["sid"]
    attributes = json.dumps({"phone": "+15551234567", "n": 1})
    updated = ask(url, "POST", f"{MESSAGES}/{sid}", {"Attributes": attributes})
    listed = ask(url, "GET", f"{MESSAGES}?Note=%2B15551234567")
    return [*made, updated, listed]


def shown(answers: list[Answer]) -> list[Any]:
    """Return what a program sees, without what differs in each run."""
    contents = [json.loads(answer.body) for answer in answers]
    messages = [*contents[:-1], *contents[-1]["messages"]]
    return [[one[name] for name in ("from", "body", "attributes", "index")] for one in messages]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(tmp_path_factory.mktemp("scrubbing"))


@pytest.fixture(scope="module")
def recorded(place: Workplace) -> list[Any]:
    """What the program saw when it was recorded; the cassette and its fixture are there then."""
    (place.folder / "chatproxy.toml").write_text(CONFIGURATION)
    with place.sandbox() as upstream, place.record("personal", upstream.url, "--report", "recorded.json") as recorder:
        answers = program(recorder.url)
    assert {answer.outcome for answer in answers} == {"recorded"}
    place.run("export", "personal", "shared.json")
    place.run("export", "personal", "exact.json", "--exact")
    return shown(answers)


@pytest.mark.parametrize("cassette", ["personal", "shared.json", "exact.json"])
def test_the_same_program_hits_and_sees_its_own_values(place: Workplace, recorded: list[Any], cassette: str) -> None:
    with place.replay(cassette) as replayer:
        answers = program(replayer.url)
    assert {answer.outcome for answer in answers} == {"hit"}
    seen = shown(answers)
    assert [one[1] for one in recorded] != [one[1] for one in seen]
    assert seen == [[*one[:1], str(one[1]).replace("4111111111111111", "0"), *one[2:]] for one in recorded]


def test_what_is_shared_shows_nothing_personal(place: Workplace, recorded: list[Any]) -> None:
    for name in ("shared.json", "exact.json"):
        shared = (place.folder / name).read_text() + (place.folder / "recorded.json").read_text()
        assert [value for value in PERSONAL if value in shared] == []
        assert "pseudonym-" not in shared
        assert shared.count("@pseudonym.invalid") >= 4
        assert shared.count("+999") >= 3


def test_another_value_misses_and_is_not_shown(place: Workplace, recorded: list[Any]) -> None:
    with place.replay("shared.json", "--report", "replayed.json") as replayer:
        answer = ask(replayer.url, "POST", MESSAGES, {"From": "carol@corp.example", "Body": "call +15551234567"})
        other = ask(replayer.url, "GET", f"{MESSAGES}?Note=%2B15559999999")
        output = replayer.stop()
    assert (answer.status, other.status) == (424, 424)
    said = answer.body.decode() + other.body.decode() + output + (place.folder / "replayed.json").read_text()
    assert "form field 'From' is '" in said
    assert [value for value in (*PERSONAL, "carol", "15559999999") if value in said] == []


def test_another_salt_misses(place: Workplace, recorded: list[Any]) -> None:
    with place.replay("shared.json", "--salt", "the salt of another team") as replayer:
        assert ask(replayer.url, "POST", MESSAGES, FORMS[0]).status == 424


def test_without_rules_a_shared_fixture_serves_pseudonyms(place: Workplace, recorded: list[Any]) -> None:
    document = json.loads((place.folder / "shared.json").read_text())
    request = document["exchanges"][1]["request"]
    other = Workplace(place.folder / "other")
    other.folder.mkdir()
    fixture: Path = place.folder / "shared.json"
    with other.replay(fixture.absolute()) as replayer:
        answer = ask(
            replayer.url,
            "POST",
            MESSAGES,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=request["body"]["text"].encode(),
        )
    assert answer.outcome == "hit"
    assert json.loads(answer.body)["from"].endswith("@pseudonym.invalid")
