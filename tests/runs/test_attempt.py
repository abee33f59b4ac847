import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from cli.commands import DEMO, REFERENCE
from servers import settings

from chatproxy.cassettes.transfer import exact_fixture, export_cassette, import_fixture
from chatproxy.config.settings import Settings
from chatproxy.core.errors import CassetteError, LeakError
from chatproxy.core.model import Mode
from chatproxy.runs.attempt import Attempt, RecordMode, Subject, mode_of_run, mode_of_test, subject_of
from chatproxy.runs.served import InBackground
from chatproxy.serve.hosting import Background, in_background
from chatproxy.serve.listen import sandbox
from chatproxy.store import Existing, Recording, Store
from chatproxy.wiring.sessions import rules_of

CHANNEL = "/v1/Services/IS0123456789abcdef0123456789abcdef/Channels/CH0123456789abcdef0123456789abcdef/Messages"
BASIC = "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjp0aGUtYXV0aC10b2tlbi1vZi10aGUtYWNjb3VudA=="


@pytest.fixture(scope="module")
def background() -> Iterator[Background]:
    with Background() as made:
        yield made


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings with an upstream, in whose folder the test runs."""
    monkeypatch.chdir(tmp_path)
    with in_background(sandbox(settings(tmp_path))) as upstream:
        yield replace(settings(tmp_path, upstream=upstream.url), replace=True)


def say(attempt: Attempt, body: str) -> int:
    request = Request(attempt.url + CHANNEL, f"Body={body}".encode(), {"Authorization": BASIC})
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=20) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code


def attempt(argument: str, mode: Mode, here: Settings, background: Background, *bodies: str) -> Attempt:
    """Make an attempt that says this."""
    made = Attempt(subject_of(argument, here), mode, here, InBackground(background))
    for body in bodies:
        say(made, body)
    return made


def recorded(argument: str, here: Settings, background: Background, *bodies: str) -> str:
    made = attempt(argument, Mode.RECORD, here, background, *bodies)
    made.end(passed=True)
    assert made.write() == len(bodies)
    return Path(argument).read_text()


def names(here: Settings) -> dict[str, int]:
    with closing(Store(here.store)) as store:
        return {one.name: one.exchanges for one in store.listing()}


def test_a_subject_is_a_file_or_a_cassette_of_the_store(here: Settings) -> None:
    assert subject_of("talk", here) == Subject("talk", None, exists=False, is_canonical=False)
    assert not here.store.exists()
    with closing(Store(here.store)) as store:
        import_fixture(store, REFERENCE, 1)
        import_fixture(store, DEMO, 1)
    assert subject_of("reference", here) == Subject("reference", None, exists=True, is_canonical=False)
    assert subject_of("demo", here) == Subject("demo", None, exists=True, is_canonical=True)
    assert subject_of("other", here).exists is False
    assert subject_of(str(REFERENCE), here) == Subject("reference", REFERENCE, exists=True, is_canonical=False)
    assert subject_of(str(DEMO), here) == Subject("demo", DEMO, exists=True, is_canonical=True)
    new = subject_of("cassettes/a b/c.json", here)
    assert new.path == Path.cwd() / "cassettes/a b/c.json"
    assert (new.shown, new.exists, new.is_extendable) == ("cassettes/a b/c.json", False, False)
    assert new.name.startswith("a-b.c-")


NEW = Subject("n", Path("n.json"), exists=False, is_canonical=False)
EXACT = Subject("n", Path("n.json"), exists=True, is_canonical=False)
CANONICAL = Subject("n", Path("n.json"), exists=True, is_canonical=True)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (RecordMode.NONE, (Mode.REPLAY, Mode.REPLAY, Mode.REPLAY)),
        (RecordMode.ONCE, (Mode.RECORD, Mode.REPLAY, Mode.REPLAY)),
        (RecordMode.NEW_EPISODES, (Mode.RECORD, Mode.AUTO, Mode.REPLAY)),
        (RecordMode.ALL, (Mode.RECORD, Mode.RECORD, Mode.RECORD)),
        (RecordMode.REWRITE, (Mode.RECORD, Mode.RECORD, Mode.RECORD)),
    ],
)
def test_the_words_of_tests(word: RecordMode, expected: tuple[Mode, ...]) -> None:
    assert tuple(mode_of_test(word, subject) for subject in (NEW, EXACT, CANONICAL)) == expected


def test_the_modes_of_runs() -> None:
    assert mode_of_run(Mode.RECORD, NEW) is mode_of_run(Mode.RECORD, CANONICAL) is Mode.RECORD
    assert mode_of_run(Mode.AUTO, NEW) is Mode.RECORD
    assert mode_of_run(Mode.AUTO, EXACT) is Mode.AUTO
    assert mode_of_run(Mode.AUTO, replace(NEW, path=None)) is Mode.AUTO
    assert mode_of_run(Mode.REPLAY, EXACT) is Mode.REPLAY
    with pytest.raises(
        CassetteError, match="has canonical SIDs, which no server knows; `--mode record` records it anew"
    ):
        mode_of_run(Mode.AUTO, CANONICAL)
    with pytest.raises(CassetteError, match=r"n\.json: is not there"):
        mode_of_run(Mode.REPLAY, NEW)


def test_law_only_an_attempt_that_went_well_changes_the_file(here: Settings, background: Background) -> None:
    file = "cassettes/talk.json"
    before = recorded(file, here, background, "Hello")
    for passed, bodies in ((False, ("Bye",)), (True, ())):
        made = attempt(file, Mode.RECORD, here, background, *bodies)
        made.end(passed=passed)
        assert made.write() is None
        assert Path(file).read_text() == before
    nowhere = replace(here, upstream="http://127.0.0.1:9")
    made = attempt(file, Mode.RECORD, nowhere, background, "Bye")
    outcome = made.end(passed=True)
    assert (outcome.counts, made.went_well, made.write()) == ({"error": 1}, False, None)
    assert "cannot be reached" in outcome.errors[0].text
    assert Path(file).read_text() == before


def test_law_two_attempts_are_never_mixed(here: Settings, background: Background) -> None:
    recorded("talk.json", here, background, "Hello")
    text = recorded("talk.json", here, background, "Bye")
    assert "Bye" in text
    assert "Hello" not in text


def test_law_what_was_recorded_stays_in_the_store(here: Settings, background: Background) -> None:
    recorded("talk.json", here, background, "Hello")
    attempt("talk.json", Mode.RECORD, here, background, "a", "b").end(passed=False)
    assert names(here) == {"talk": 1, "talk.partial": 2}
    made = attempt("leak.json", Mode.RECORD, here, background, "sk_live_" + "a1B2c3D4" * 4)
    made.end(passed=True)
    with pytest.raises(LeakError, match=r"(?s)leak\.json: is not written.*is in the store as leak"):
        made.write()
    assert not Path("leak.json").exists()
    assert names(here)["leak"] == 1


def test_a_replay_changes_nothing_and_answers_in_one_session(here: Settings, background: Background) -> None:
    before = recorded("talk.json", here, background, "Hello")
    made = Attempt(subject_of("talk.json", here), Mode.REPLAY, here, InBackground(background), session="mine")
    assert [say(made, body) for body in ("Hello", "Bye")] == [201, 424]
    assert list(made.report()["sessions"]) == ["mine"]  # type: ignore[call-overload]  # an object by its name
    assert made.report()["file"] == "talk.json"
    outcome = made.end(passed=True)
    assert (dict(outcome.counts), len(outcome.misses), made.went_well) == ({"hit": 1, "miss": 1}, 1, False)
    assert made.write() is None
    assert Path("talk.json").read_text() == before


def test_a_file_that_is_not_there_answers_nothing(here: Settings, background: Background) -> None:
    made = attempt("talk.json", Mode.REPLAY, here, background, "Hello")
    outcome = made.end(passed=True)
    assert (dict(outcome.counts), outcome.exchanges, outcome.unused) == ({"miss": 1}, 0, {})
    assert not Path("talk.json").exists()


def test_an_exact_file_is_extended_and_keeps_its_name(here: Settings, background: Background) -> None:
    recorded("talk.json", here, background, "Hello")
    with closing(Store(here.store)) as store:
        export_cassette(exact_fixture(store, "talk"), Path("other.json"))
    made = attempt("other.json", Mode.AUTO, here, background, "Hello", "Bye")
    assert dict(made.end(passed=True).counts) == {"hit": 1, "recorded": 1}
    assert made.write() == 2
    content = json.loads(Path("other.json").read_text())
    assert (content["chatproxy"], content["exact"], content["name"]) == (3, True, "talk")
    assert len(content["exchanges"]) == 2
    assert names(here) == {"talk": 1}


def test_a_report_is_written_of_a_failed_recording_too(here: Settings, background: Background, tmp_path: Path) -> None:
    reporting = replace(here, report=tmp_path / "report.json")
    attempt("talk.json", Mode.RECORD, reporting, background, "Hello").end(passed=False)
    content = json.loads((tmp_path / "report.json").read_text())
    assert (content["mode"], content["totals"], content["file"]) == ("record", {"recorded": 1}, "talk.json")


def test_what_is_written_is_counted_as_the_file_has_it(here: Settings, background: Background) -> None:
    made = attempt("talk.json", Mode.RECORD, here, background, "a", "a")
    made.end(passed=True)
    with closing(Store(here.store)) as store:
        first, again = store.exchanges("talk")
        changed = Recording(store, "talk", Existing.RENEW, 1)
        changed.put([replace(first, abandoned=True), again])
        changed.finish(rules_of(here))
    assert made.write() == 1
    assert len(json.loads(Path("talk.json").read_text())["exchanges"]) == 1


def test_law_2_the_names_of_variables_that_held_known_sids_are_kept_and_nothing_else(
    here: Settings, background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, channel = CHANNEL.split("/")[3], CHANNEL.split("/")[5]
    environ = {"SERVICE": service, "OTHER": "IS" + "9" * 32, "SECRET": "s3cret-value"}
    made = Attempt(subject_of("talk", here), Mode.RECORD, here, InBackground(background), environ=environ)
    say(made, "a")
    environ["CHANNEL"] = channel  # as a test may set it after the fixture has begun
    made.end(passed=True)
    with closing(Store(here.store)) as store:
        record = store.find("talk")
        assert record is not None
        assert record.variables == {service: "SERVICE", channel: "CHANNEL"}
        assert exact_fixture(store, "talk").variables == record.variables
        export_cassette(exact_fixture(store, "talk"), Path("talk.json"))
        assert import_fixture(store, Path("talk.json"), 1, name="again")[1] == 1
        again = store.find("again")
        assert again is not None
        assert again.variables == record.variables
