from contextlib import ExitStack
from pathlib import Path

import pytest
from servers import settings
from store.stores import exchanges, record

from chatproxy.cassettes.transfer import canonical_fixture, export_cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import RecordedSid, Request
from chatproxy.store import Store
from chatproxy.wiring.sessions import open_replayed, rules_of, sessions_of


def test_rules_are_those_of_the_settings(tmp_path: Path) -> None:
    assert rules_of(settings(tmp_path, match_headers=("x-a",))) == Rules(("x-a",))


@pytest.mark.parametrize("way", ["name", "file"])
def test_a_name_and_a_file_are_opened_and_closed(tmp_path: Path, way: str) -> None:
    chosen = settings(tmp_path)
    store = Store(chosen.store)
    record(store, "tour", exchanges(2))
    export_cassette(canonical_fixture(store, "tour", Rules()), tmp_path / "tour.json")
    store.close()
    with ExitStack() as stack:
        cassette = open_replayed(stack, "tour" if way == "name" else str(tmp_path / "tour.json"), chosen, Rules())
        assert (cassette.name, list(cassette.numbers())) == ("tour", [1, 2])


def test_auto_has_one_session_that_serves_all_as_recorded(tmp_path: Path) -> None:
    chosen = settings(tmp_path, sids="fresh")
    store = Store(chosen.store)
    record(store, "tour", exchanges(1, b'{"sid": "IM' + b"1" * 32 + b'"}'))
    cassette = store.open("tour", Rules())
    request = Request("GET", b"/", ((b"x-chatproxy-session", b"mine"),))
    of_auto, of_replay = (sessions_of(cassette, chosen, Rules(), is_auto=auto).of(request, 0) for auto in (True, False))
    sid = b"IM" + b"1" * 32
    assert (of_auto.name, of_auto.sids.to_live(RecordedSid(sid))) == ("default", sid)
    assert of_replay.name == "mine"
    assert of_replay.sids.to_live(RecordedSid(sid)) != sid
    store.close()


def test_a_replay_may_be_told_to_serve_past_skipped_writes_but_auto_is_not(tmp_path: Path) -> None:
    cassette = MemoryCassette("tour", [], Rules())
    request = Request("GET", b"/")
    found = [
        sessions_of(cassette, settings(tmp_path, skipped=skipped), Rules(), is_auto=auto).of(request, 0).skips
        for skipped, auto in (("done", False), ("miss", False), ("done", True))
    ]
    assert found == [True, False, False]
