import json
import os
from pathlib import Path

import pytest
from cli.commands import DEMO, REFERENCE
from fixture.mutations import OLD_FILES
from repositories import edited
from store.stores import RULES, read_only

from chatproxy.cassettes.transfer import canonical_fixture, export_cassette, import_fixture, open_document
from chatproxy.cassettes.upgrade import Upgraded, upgrade
from chatproxy.core.answers.template import origin_filler
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import CassetteError, LeakError
from chatproxy.core.leaks.gate import Gate
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, RecordedSid, Request
from chatproxy.core.replay.bindings import Bindings
from chatproxy.core.replay.player import play_request
from chatproxy.core.replay.session import Session
from chatproxy.core.scrubbing.rules import Action, LooksAt, Scrub, ScrubRule
from chatproxy.core.time.session_clock import SessionClock
from chatproxy.core.time.timestamps import CANONICAL_BEGIN
from chatproxy.core.twilio.sids import replace_in_path
from chatproxy.store import Store

GATE = Gate()
OLD_EXACT, OLD_CANONICAL = OLD_FILES


@pytest.fixture
def old(tmp_path: Path) -> list[Path]:
    """Fixtures of the versions 1 and 2."""
    paths = [tmp_path / "one.json", tmp_path / "two.json"]
    for path, text in zip(paths, OLD_FILES, strict=True):
        path.write_text(text)
    return paths


def opened(path: Path) -> MemoryCassette:
    with open_document(path) as document:
        return MemoryCassette(document.name, document.exchanges, RULES, document.declared, document.variables)


def replayed(cassette: MemoryCassette, asked: MemoryCassette) -> list[object]:
    """Return what a cassette answers to the requests of one, by clients who have the SIDs that they were shown."""
    session = Session(cassette, RULES, clock=SessionClock(CANONICAL_BEGIN, stands=True), sids=Bindings(cassette))
    shown = Bindings(asked)
    found: list[object] = []
    for number in asked.order():
        exchange = asked.exchange(number)
        request = exchange.request
        target = replace_in_path(request.target, lambda sid: shown.to_live(RecordedSid(sid)))
        live = Request(request.method, target, request.headers, request.body)
        played = play_request(session, live, exchange.user or NO_CREDENTIALS)
        assert played.number == number, played.refusal
        stencil = cassette.stencil(played.number)
        found.append((stencil.status, session.fill(stencil, origin_filler("http://h"), CANONICAL_BEGIN)))
    return found


def test_a_file_of_version_2_replays_as_before_once_it_is_upgraded(old: list[Path]) -> None:
    before = opened(old[1])
    expected = replayed(before, before)
    (done,) = upgrade(old[1:], RULES, GATE)
    assert (done.version, done.count, done.is_changed) == (2, 13, True)
    after = opened(old[1])
    assert '"chatproxy": 3' in old[1].read_text()
    assert replayed(after, before) == expected


def test_it_is_what_importing_and_exporting_makes_of_it(old: list[Path], tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    import_fixture(store, old[1], 1)
    export_cassette(canonical_fixture(store, "demo", RULES), tmp_path / "exported.json")
    store.close()
    upgrade(old[1:], RULES, GATE)
    assert old[1].read_text() == (tmp_path / "exported.json").read_text()


def test_a_file_of_version_1_gets_the_head_of_the_current_one(old: list[Path]) -> None:
    assert upgrade(old[:1], RULES, GATE) == [Upgraded(old[0], 1, 5)]
    assert old[0].read_text() == REFERENCE.read_text()


def test_nobody_asked_without_credentials_but_for_what_was_answered_401(old: list[Path]) -> None:
    document = json.loads(OLD_EXACT)
    document["exchanges"][0]["response"]["status"] = 401
    old[0].write_text(json.dumps(document))
    upgrade(old[:1], RULES, GATE)
    assert [one["user"] for one in json.loads(old[0].read_text())["exchanges"]] == ["none", None, None, None, None]


def test_an_exact_file_is_upgraded_less_what_the_rules_of_scrubbing_leave_out(old: list[Path]) -> None:
    assert '"body": "Hello"' in old[0].read_text()
    rules = Rules(scrub=Scrub((ScrubRule(LooksAt.FIELD, "body", Action.REPLACE, "a text"),)))
    upgrade(old[:1], rules, GATE)
    assert '"body": "Hello"' not in old[0].read_text()
    assert '"body": "a text"' in old[0].read_text()


def test_a_file_of_the_current_version_is_left_to_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(json.loads(DEMO.read_text())))
    before = path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino
    assert upgrade([path, path], RULES, GATE) == [Upgraded(path, 3, 13)]
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_permissions_and_links_stay_and_again_nothing_changes(old: list[Path], tmp_path: Path) -> None:
    old[1].chmod(0o640)
    (tmp_path / "link.json").symlink_to(old[1])
    upgrade([tmp_path / "link.json"], RULES, GATE)
    text = old[1].read_text()
    assert (tmp_path / "link.json").is_symlink()
    assert old[1].stat().st_mode & 0o777 == 0o640
    assert not upgrade(old[1:], RULES, GATE)[0].is_changed
    assert old[1].read_text() == text


def test_sids_that_keep_exempted_stay_and_numbers_are_told(old: list[Path]) -> None:
    real = "IM" + "f" * 32
    old[1].write_text(OLD_CANONICAL.replace("IM00000000000000000000000000000001", real))
    (done,) = upgrade(old[1:], RULES, GATE)
    assert real in old[1].read_text()
    assert real not in done.names
    number, mark = "0" * 31 + "1", "ca765a4cadaca3670000000000000001"
    assert list(done.to_say) == [(prefix + number, prefix + mark) for prefix in ("AC", "CH", "IS")]


def test_a_number_that_becomes_another_is_told(old: list[Path]) -> None:
    old[1].write_text(OLD_CANONICAL.replace("IM00000000000000000000000000000001", "IM" + "9".zfill(32)))
    (done,) = upgrade(old[1:], RULES, GATE)
    assert ("IM" + "9".zfill(32), "IMca765a4cadaca3670000000000000001") in done.to_say


@pytest.mark.parametrize("broken", ["<<<<<<<", OLD_EXACT.replace('"after": 0', '"after": 7'), "current"])
def test_all_are_upgraded_or_none(old: list[Path], tmp_path: Path, broken: str) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(edited(DEMO.read_text(), '"status": 204', '"status": 999') if broken == "current" else broken)
    with pytest.raises(CassetteError, match=rf"^{bad}: "):
        upgrade([*old, bad], RULES, GATE)
    assert [path.read_text() for path in old] == OLD_FILES
    assert sorted(os.listdir(tmp_path)) == ["bad.json", "one.json", "two.json"]


def test_a_file_with_a_secret_or_in_a_folder_that_cannot_be_written_changes_none(
    old: list[Path], tmp_path: Path
) -> None:
    secret = "0f1e2d3c4b5a69780f1e2d3c4b5a6978"
    old[0].write_text(leaky := edited(OLD_EXACT, '"body": "Hello"', f'"body": "{secret}"'))
    with pytest.raises(LeakError, match="is not written, for 1 finding"):
        upgrade(old[::-1], RULES, GATE)
    with read_only(tmp_path), pytest.raises(CassetteError, match="cannot be written"):
        upgrade(old[1:], RULES, GATE)
    assert [path.read_text() for path in old] == [leaky, OLD_CANONICAL]
