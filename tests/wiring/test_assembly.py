import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from cli.commands import REFERENCE
from servers import settings
from strategies import FORM, MESSAGES

from chatproxy.config.settings import Settings
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import CassetteError, ConfigError, MissError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Forward, Mode, Request, Response, header_values
from chatproxy.core.replay.marks import OUTCOME
from chatproxy.core.replay.sessions import SESSION
from chatproxy.store import Existing, Store
from chatproxy.wiring.assembly import Assembly, assembled, existing_of

CREATE = Request("POST", MESSAGES, (FORM,), b"Body=a")
OTHER = Request("POST", MESSAGES, (FORM,), b"Body=b")


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return settings(tmp_path)


def ask(assembly: Assembly, request: Request = CREATE) -> str:
    """Let a request be answered, by an upstream that says the same to all, and return its outcome."""
    decision = assembly.engine.on_request(request)
    if isinstance(decision, Forward):
        forward = decision
        decision, exchange = assembly.engine.on_response(forward, Response(201, b"Created", (), b"{}"))
        if exchange is not None:
            assert assembly.recording is not None
            assembly.recording.put([exchange])
            assembly.engine.on_kept(forward, exchange)
    return next(header_values(decision.headers, OUTCOME)).decode()


def record(here: Settings, name: str = "talk") -> None:
    with assembled(Mode.RECORD, name, here, print) as assembly:
        assert ask(assembly) == "recorded"


def names(here: Settings) -> dict[str, int]:
    with closing(Store(here.store)) as store:
        return {one.name: one.exchanges for one in store.listing()}


def test_record_records_and_replay_replays(here: Settings) -> None:
    with assembled(Mode.RECORD, "talk", here, print) as assembly:
        assert (assembly.replayed, assembly.store is None) == (None, False)
        assert ask(assembly) == "recorded"
    with assembled(Mode.REPLAY, "talk", here, print) as assembly:
        assert (assembly.recording, assembly.store is None) == (None, False)
        assert assembly.replayed is not None
        assert assembly.replayed.name == "talk"
        assert [ask(assembly), ask(assembly)] == ["hit", "miss"]


def test_auto_replays_and_records_what_is_missing(here: Settings) -> None:
    record(here)
    with assembled(Mode.AUTO, "talk", here, print) as assembly:
        assert [ask(assembly), ask(assembly, OTHER)] == ["hit", "recorded"]
        assert assembly.recording is not None
        assert assembly.replayed is not None
    assert names(here) == {"talk": 2}


def test_auto_begins_a_cassette_that_is_not_there_with_its_first_exchange(here: Settings) -> None:
    with assembled(Mode.AUTO, "talk", here, print) as assembly:
        assert assembly.store is not None
        assert assembly.store.listing() == []
        assert ask(assembly) == "recorded"
    assert names(here) == {"talk": 1}


def test_passthrough_passes_and_opens_nothing(here: Settings) -> None:
    with assembled(Mode.PASSTHROUGH, "", here, print) as assembly:
        assert ask(assembly) == "passed"
        assert (assembly.recording, assembly.replayed, assembly.store) == (None, None, None)
    assert not here.store.exists()


def test_a_file_and_a_cassette_that_is_open_are_replayed_without_a_store(here: Settings) -> None:
    for cassette in (str(REFERENCE), MemoryCassette("reference", (), Rules())):
        with assembled(Mode.REPLAY, cassette, here, lambda line: None) as assembly:
            assert assembly.store is None
            assert assembly.report.name == "reference"
            assert ask(assembly) == "miss"
    assert names(here) == {}


def test_the_store_is_the_one_that_is_open(here: Settings) -> None:
    record(here)
    for mode, name in ((Mode.REPLAY, "talk"), (Mode.AUTO, "talk"), (Mode.RECORD, "other")):
        with assembled(mode, name, here, print) as assembly:
            assert assembly.store is not None
            assert assembly.store.find("talk") is not None


def interrupt(here: Settings) -> None:
    with pytest.raises(KeyError):  # noqa: PT012 - the block is what fails
        with assembled(Mode.RECORD, "talk", here, print) as assembly:
            ask(assembly)
            raise KeyError("something breaks")


def test_a_recording_that_fails_stays_as_an_interrupted_one(here: Settings) -> None:
    interrupt(here)
    assert names(here) == {"talk.partial": 1}


def test_what_was_left_of_a_recording_is_named_before_it_is_deleted(here: Settings) -> None:
    interrupt(here)
    told: list[str] = []
    with assembled(Mode.RECORD, "talk", replace(here, replace=True), told.append) as assembly:
        assert told == [
            "chatproxy: talk.partial, left of an interrupted recording, is deleted when this recording ends well"
        ]
        ask(assembly)
    assert names(here) == {"talk": 1}


def test_that_nothing_was_recorded_is_said(here: Settings) -> None:
    told: list[str] = []
    with assembled(Mode.RECORD, "talk", here, told.append):
        pass
    record(here)
    with assembled(Mode.RECORD, "talk", replace(here, replace=True), told.append):
        pass
    assert told == [
        "chatproxy: nothing was recorded, there is no cassette talk",
        "chatproxy: nothing was recorded, talk is as it was",
    ]
    assert names(here) == {"talk": 1}


def test_a_miss_is_said_or_told_to_who_wants_to_know(here: Settings) -> None:
    record(here)
    told, missed = list[str](), list[MissError]()
    with assembled(Mode.REPLAY, "talk", here, told.append) as assembly:
        ask(assembly, OTHER)
    assert [line.partition(";")[0] for line in told] == [f"chatproxy: miss: POST {MESSAGES.decode()}: never recorded"]
    with assembled(Mode.REPLAY, "talk", here, told.append, on_miss=missed.append) as assembly:
        ask(assembly, OTHER)
    assert (len(told), [miss.request_line for miss in missed]) == (1, [OTHER.line])


def test_all_requests_belong_to_the_session_that_is_tied(here: Settings) -> None:
    record(here)
    named = replace(CREATE, headers=(FORM, (SESSION, b"other")))
    with assembled(Mode.REPLAY, "talk", here, print, tied="mine") as assembly:
        ask(assembly, named)
        assert list(assembly.engine.journal.tallies) == ["mine"]


@pytest.mark.parametrize(
    ("mode", "cassette", "totals"),
    [
        (Mode.RECORD, "new", {"recorded": 1}),
        (Mode.REPLAY, "talk", {"hit": 1}),
        (Mode.AUTO, "talk", {"hit": 1}),
        (Mode.PASSTHROUGH, "", {"passed": 1}),
    ],
)
def test_a_report_is_written_at_the_end(here: Settings, mode: Mode, cassette: str, totals: dict[str, int]) -> None:
    record(here)
    report = here.store.with_name("reports") / "report.json"
    report.parent.mkdir()
    with assembled(mode, cassette, replace(here, report=report), print) as assembly:
        ask(assembly)
        assert not report.exists()
    content = json.loads(report.read_text())
    assert (content["mode"], content["cassette"], content["totals"]) == (mode, cassette or None, totals)
    assert ("unused_requests" in content) == (assembly.replayed is not None)


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_opened(here: Settings) -> None:
    file = here.store.with_name("file")
    file.write_text("no folder")
    with pytest.raises(ConfigError, match=r"^--report: "):
        with assembled(Mode.RECORD, "talk", replace(here, report=file / "report.json"), print):
            pytest.fail("it began")
    assert not here.store.exists()


def test_a_recording_has_ended_well_whatever_becomes_of_its_report(here: Settings) -> None:
    report = here.store.with_name("report.json")
    with pytest.raises(ConfigError, match=r"^--report: .*report\.json cannot be written"):  # noqa: PT012 - as it ends
        with assembled(Mode.RECORD, "talk", replace(here, report=report), print) as assembly:
            ask(assembly)
            report.mkdir()
    assert names(here) == {"talk": 1}


def test_no_report_is_written_of_what_failed(here: Settings) -> None:
    report = here.store.with_name("report.json")
    with pytest.raises(KeyError):
        with assembled(Mode.RECORD, "talk", replace(here, report=report), print):
            raise KeyError("something breaks")
    assert not report.exists()


def test_a_cassette_that_exists_is_kept_added_to_or_replaced(here: Settings) -> None:
    record(here)
    with pytest.raises(CassetteError, match=r"^talk: exists; give --append"):
        record(here)
    record(replace(here, append=True))
    assert names(here) == {"talk": 2}
    record(replace(here, replace=True))
    assert names(here) == {"talk": 1}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, Existing.REFUSE), ({"append": True}, Existing.APPEND), ({"replace": True}, Existing.REPLACE)],
)
def test_what_is_done_where_a_cassette_stands_follows_from_the_settings(
    here: Settings, changes: dict[str, bool], expected: Existing
) -> None:
    assert existing_of(replace(here, **changes)) is expected  # type: ignore[arg-type]  # switches, all of them


def test_append_and_replace_contradict_each_other(here: Settings) -> None:
    with pytest.raises(ConfigError, match=r"^--append: contradicts --replace"):
        existing_of(replace(here, append=True, replace=True))
