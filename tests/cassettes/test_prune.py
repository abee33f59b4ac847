import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from store import stores
from store.stores import RULES, child, disk_full_beyond, record

from chatproxy.cassettes.prune import carry_out, plan_pruning
from chatproxy.core.engine import Engine
from chatproxy.core.errors import CassetteError
from chatproxy.core.model import Exchange, ExchangeNumber, Mode
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import Sessions
from chatproxy.core.report.report import Report
from chatproxy.store import Existing, Recording, Store

PRUNES = """
from contextlib import contextmanager
from chatproxy.cassettes.prune import carry_out, plan_pruning

@contextmanager
def progress(label, steps):
    done = itertools.count(1)

    def step():
        if next(done) == 1100 and label == "prune":
            print("half way", flush=True)
            input()

    yield step

store = Store(Path(sys.argv[1]))
carry_out(store, plan_pruning(store, "a", [Path(sys.argv[2])], RULES), RULES, progress)
store.close()
"""


def exchange(number: int, body: bytes = b"{}") -> Exchange:
    """Return a create in a channel that is named by its SID: a name could stand for whatever is made there."""
    one = stores.exchange(number, body)
    target = one.request.target.replace(b"general", b"CH" + b"2" * 32)
    return replace(one, request=replace(one.request, target=target))


def exchanges(count: int, body: bytes = b"{}") -> list[Exchange]:
    return [exchange(number, body) for number in range(1, count + 1)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store")
    yield opened
    opened.close()


def reported(store: Store, path: Path, *numbers: int, name: str = "a") -> Path:
    """Replay these exchanges, and write the report of that run."""
    cassette = store.open(name, RULES)
    sessions = Sessions(lambda name, restarts: Session(cassette, RULES, name, restarts))
    engine = Engine("https://chat.twilio.com", lambda: 0, sessions=sessions)
    for number in numbers:
        engine.on_request(exchange(number).request)
    path.write_text(json.dumps(Report(Mode.REPLAY, cassette.name, engine, cassette).content(whole=True)))
    return path


def numbers(store: Store, name: str = "a") -> list[int]:
    return [one.number for one in store.exchanges(name)]


def test_what_no_run_was_served_is_deleted_and_all_else_is_as_it_was(store: Store, tmp_path: Path) -> None:
    record(store, "a", exchanges(6))
    reports = [reported(store, tmp_path / "1", 1), reported(store, tmp_path / "2", 1, 3, 9)]
    before = store.find("a")

    plan = plan_pruning(store, "a", reports, RULES)
    assert (plan.pruning.deleted, plan.pruning.needed, plan.misses) == ((2, 4, 5, 6), (), (0, 1))
    carry_out(store, plan, RULES)

    assert list(store.exchanges("a")) == [exchange(1), exchange(3)]
    after = store.find("a")
    assert before
    assert after
    assert (after.begun, after.interim) == (before.begun, False)
    assert [listed.name for listed in store.listing()] == ["a"]


def test_what_is_left_keeps_its_numbers(store: Store, tmp_path: Path) -> None:
    refused = [replace(one, response=replace(one.response, status=400)) for one in exchanges(4)]
    record(store, "a", refused)

    carry_out(store, plan_pruning(store, "a", [reported(store, tmp_path / "1", 1, 3)], RULES), RULES)

    assert numbers(store) == [1, 3]
    assert store.open("a", RULES).numbers() == [1, 3]


def test_a_report_is_of_use_after_more_was_added(store: Store, tmp_path: Path) -> None:
    record(store, "a", exchanges(3))
    report = reported(store, tmp_path / "1", 1)
    record(store, "a", [exchange(4), exchange(5)], Existing.APPEND)

    carry_out(store, plan_pruning(store, "a", [report], RULES), RULES)

    assert numbers(store) == [1, 4, 5]


def test_a_report_is_of_no_use_for_another_recording_nor_after_pruning(store: Store, tmp_path: Path) -> None:
    record(store, "a", exchanges(3))
    report = reported(store, tmp_path / "1", 1)
    carry_out(store, plan_pruning(store, "a", [report], RULES), RULES)
    assert numbers(store) == [1]
    with pytest.raises(CassetteError, match="is the report of another recording of 'a'"):
        plan_pruning(store, "a", [report], RULES)
    record(store, "a", exchanges(3, b"[]"))
    with pytest.raises(CassetteError, match="is the report of another recording of 'a'"):
        plan_pruning(store, "a", [report], RULES)


@pytest.mark.parametrize("content", [b"", b"\xff", b"{", b"[" * 100_000, b"[]"])
def test_what_is_no_report_is_refused(store: Store, tmp_path: Path, content: bytes) -> None:
    record(store, "a", exchanges(1))
    (tmp_path / "1").write_bytes(content)
    with pytest.raises(CassetteError, match=r"1: is no report of a run; --report writes one$"):
        plan_pruning(store, "a", [tmp_path / "1"], RULES)


def test_a_report_that_is_not_there_is_refused(store: Store, tmp_path: Path) -> None:
    record(store, "a", exchanges(1))
    with pytest.raises(CassetteError, match="cannot be read: No such file or directory"):
        plan_pruning(store, "a", [tmp_path / "1"], RULES)


def test_a_cassette_that_no_run_was_served_of_is_not_pruned_to_nothing(store: Store, tmp_path: Path) -> None:
    record(store, "a", exchanges(3))
    with pytest.raises(CassetteError, match=r"^a: no run was served any of it; delete it with `chatproxy rm a`"):
        plan_pruning(store, "a", [reported(store, tmp_path / "1", 9)], RULES)


def interrupted(store: Store, size: int) -> None:
    recording = Recording(store, "a", Existing.REPLACE, 1)
    recording.put(exchanges(size))
    recording.abandon()


def test_pruning_deletes_no_interrupted_recording_of_the_name(store: Store, tmp_path: Path) -> None:
    record(store, "a", exchanges(3))
    report = reported(store, tmp_path / "1", 1)
    plan = plan_pruning(store, "a", [report], RULES)
    interrupted(store, 2)

    for attempt in (
        lambda: carry_out(store, plan, RULES),
        lambda: plan_pruning(store, "a", [report], RULES),
    ):
        with pytest.raises(CassetteError, match=r"^a\.partial: is left of a recording that was interrupted; "):
            attempt()

    assert {listed.name: listed.exchanges for listed in store.listing()} == {"a": 3, "a.partial": 2}
    with pytest.raises(CassetteError, match="is no name for a cassette"):
        plan_pruning(store, "a.partial", [report], RULES)


def test_what_was_changed_since_the_plan_is_left_alone(store: Store, tmp_path: Path) -> None:
    record(store, "a", exchanges(3))
    plan = plan_pruning(store, "a", [reported(store, tmp_path / "1", 1)], RULES)
    for existing in (Existing.APPEND, Existing.REPLACE):
        record(store, "a", [exchange(4)], existing)
        with pytest.raises(CassetteError, match="was changed meanwhile; nothing is deleted"):
            carry_out(store, plan, RULES)
    assert numbers(store) == [4]
    assert [listed.name for listed in store.listing()] == ["a"]


def test_what_is_being_recorded_is_not_pruned(store: Store, tmp_path: Path) -> None:
    record(store, "a", exchanges(3))
    plan = plan_pruning(store, "a", [reported(store, tmp_path / "1", 1)], RULES)
    recording = Recording(store, "a", Existing.APPEND, 1)
    with pytest.raises(CassetteError, match="is being recorded by another process"):
        carry_out(store, plan, RULES)
    recording.abandon()


def test_pruning_on_a_full_disk_leaves_the_cassette_as_it_was(store: Store, tmp_path: Path) -> None:
    record(store, "a", exchanges(300, b'"%s"' % (b"x" * 5000)))
    plan = plan_pruning(store, "a", [reported(store, tmp_path / "1", *range(1, 291))], RULES)
    with disk_full_beyond((store.folder / "data.mdb").stat().st_size):
        with pytest.raises(CassetteError, match="the disk is full"):
            carry_out(store, plan, RULES)
    assert numbers(store) == list(range(1, 301))
    assert store.find("a") == plan.record


def test_pruning_that_is_interrupted_leaves_the_cassette_as_it_was(store: Store, tmp_path: Path) -> None:
    @contextmanager
    def interrupting(label: str, steps: int) -> Iterator[Callable[[], object]]:
        def interrupt() -> None:
            raise KeyboardInterrupt

        yield interrupt

    record(store, "a", exchanges(3))
    plan = plan_pruning(store, "a", [reported(store, tmp_path / "1", 1)], RULES)
    with pytest.raises(KeyboardInterrupt):
        carry_out(store, plan, RULES, interrupting)
    assert [(listed.name, listed.exchanges) for listed in store.listing()] == [("a", 3)]


@pytest.mark.process
def test_pruning_that_is_killed_half_way_leaves_the_cassette_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    record(store, "a", exchanges(1200))
    report = reported(store, tmp_path / "1", *range(1, 1191))
    with child(PRUNES, store.folder, report) as other:
        assert other.line() == "half way"
        other.kill()
    assert numbers(store) == list(range(1, 1201))
    assert {one.name: one.state for one in store.listing()} == {"a": "complete", "a.partial": "interrupted"}
    store.drop("a.partial")
    carry_out(store, plan_pruning(store, "a", [report], RULES), RULES)
    assert numbers(store) == list(range(1, 1191))
    store.close()


def test_a_replay_goes_on_while_its_cassette_is_pruned(store: Store, tmp_path: Path) -> None:
    record(store, "a", exchanges(3))
    replayed = store.open("a", RULES)
    carry_out(store, plan_pruning(store, "a", [reported(store, tmp_path / "1", 1)], RULES), RULES)
    assert replayed.exchange(ExchangeNumber(3)) == exchange(3)
