import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from store.stores import PAGE, RULES, child, disk_full_beyond, exchange, exchanges, record

from chatproxy.core.errors import CassetteError
from chatproxy.core.model import ExchangeNumber
from chatproxy.store import Existing, Recording, Store
from chatproxy.store.records import Record, begin_record

RECORDS = """
store = Store(Path(sys.argv[1]))
recording = Recording(store, "a", Existing[sys.argv[2]], 1)
recording.put(exchanges(3, b'"crashed"'))
print("kept", flush=True)
input()
recording.finish(RULES)
store.close()
"""
RECORDS_NOTHING = """
recording = Recording(Store(Path(sys.argv[1])), "a", Existing[sys.argv[2]], 1)
print("begun", flush=True)
input()
"""
TRIES_TO_RECORD = """
try:
    Recording(Store(Path(sys.argv[1])), "a", Existing.REPLACE, 1)
except CassetteError as error:
    print(error, flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store", map_size=16 * PAGE)
    yield opened
    opened.close()


def states(store: Store) -> dict[str, tuple[int, str]]:
    return {listed.name: (listed.exchanges, listed.state) for listed in store.listing()}


def crash(folder: Path, existing: Existing = Existing.REPLACE) -> None:
    """Leave a recording of three exchanges as a crash does."""
    with child(RECORDS, folder, existing.name) as recorder:
        assert recorder.line() == "kept"
        recorder.kill()


def bodies(store: Store, name: str) -> list[bytes]:
    return [kept.response.body for kept in store.exchanges(name)]


# From begin to end


@pytest.mark.parametrize("existing", [Existing.REFUSE, Existing.REPLACE])
def test_a_new_cassette_stands_under_its_name_when_its_recording_has_ended(store: Store, existing: Existing) -> None:
    recording = Recording(store, "a", existing, 1)
    assert (recording.first_number, recording.last_write) == (1, 0)
    recording.put(exchanges(2))
    assert states(store) == {"a.partial": (2, "recording")}

    assert recording.finish(RULES) == 2

    assert states(store) == {"a": (2, "complete")}
    assert list(store.exchanges("a")) == exchanges(2)


def test_what_is_replaced_stays_until_the_end(store: Store) -> None:
    record(store, "a", exchanges(1, b'"old"'))
    recording = Recording(store, "a", Existing.REPLACE, 1)
    recording.put(exchanges(2, b'"new"'))
    assert bodies(store, "a") == [b'"old"']

    recording.finish(RULES)

    assert bodies(store, "a") == [b'"new"'] * 2
    assert states(store) == {"a": (2, "complete")}


def test_a_cassette_is_compiled_when_its_recording_has_ended(store: Store) -> None:
    record(store, "a", exchanges(2))
    before = store.environment._env.info()["last_txnid"]

    store.open("a", RULES)

    assert store.environment._env.info()["last_txnid"] == before


def test_appending_continues_the_numbers_of_the_cassette_itself(store: Store) -> None:
    record(store, "a", [exchange(2), exchange(7)])

    recording = Recording(store, "a", Existing.APPEND, 1)
    assert (recording.first_number, recording.last_write) == (8, 7)
    recording.put([exchange(8)])
    assert states(store) == {"a": (3, "recording")}

    assert recording.finish(RULES) == 3
    assert store.open("a", RULES).last_number == 8


def test_appending_to_nothing_begins_a_cassette(store: Store) -> None:
    recording = Recording(store, "a", Existing.APPEND, 1)
    assert recording.first_number == 1
    recording.put(exchanges(1))
    recording.finish(RULES)

    assert states(store) == {"a": (1, "complete")}


def test_a_plain_recording_refuses_a_name_that_exists(store: Store) -> None:
    record(store, "a", exchanges(1))

    with pytest.raises(CassetteError, match=r"^a: exists; give --append to add to it or --replace to record it anew$"):
        Recording(store, "a", Existing.REFUSE, 1)

    record(store, "a", exchanges(2), Existing.REPLACE)  # its lock is free
    assert states(store) == {"a": (2, "complete")}


@pytest.mark.parametrize("name", ["", ".", "..", ".a", "-a", "a/b", "a b", "a\n", "ä", "a" * 101, "a.partial", "a\0"])
def test_a_bad_name_is_refused(store: Store, name: str) -> None:
    with pytest.raises(CassetteError, match="is no name for a cassette: up to 100 letters, digits"):
        Recording(store, name, Existing.REPLACE, 1)

    assert store.listing() == []


@pytest.mark.parametrize("name", ["a", "A-1_b.c", "0", "a.part", "a" * 100])
def test_a_good_name_is_taken(store: Store, name: str) -> None:
    record(store, name, exchanges(1))

    assert states(store) == {name: (1, "complete")}


# Without exchanges


@pytest.mark.parametrize("existing", list(Existing))
def test_a_recording_without_exchanges_leaves_no_cassette(store: Store, existing: Existing) -> None:
    assert Recording(store, "a", existing, 1).finish(RULES) == 0

    assert store.listing() == []


@pytest.mark.process
@pytest.mark.parametrize("end", ["finish", "abandon"])
def test_a_replacement_without_exchanges_leaves_all_as_it_was(store: Store, end: str) -> None:
    record(store, "a", exchanges(1))
    crash(store.folder)
    before = states(store)

    recording = Recording(store, "a", Existing.REPLACE, 1)
    recording.finish(RULES) if end == "finish" else recording.abandon()

    assert states(store) == before == {"a": (1, "complete"), "a.partial": (3, "interrupted")}


@pytest.mark.parametrize("end", ["finish", "abandon", "discard"])
def test_appending_nothing_leaves_the_cassette(store: Store, end: str) -> None:
    record(store, "a", exchanges(2))

    recording = Recording(store, "a", Existing.APPEND, 1)
    recording.finish(RULES) if end == "finish" else getattr(recording, end)()

    assert states(store) == {"a": (2, "complete")}


@pytest.mark.parametrize("existing", list(Existing))
def test_a_recording_that_could_store_nothing_leaves_no_cassette_even_on_a_full_disk(
    store: Store, existing: Existing
) -> None:
    with disk_full_beyond(100):
        recording = Recording(store, "a", existing, 1)
        with pytest.raises(CassetteError, match="the disk is full"):
            recording.put(exchanges(1))
        assert store.listing() == []
        recording.abandon()

    assert store.listing() == []


def test_an_exchange_that_was_refused_for_a_full_disk_keeps_no_later_one_out(store: Store) -> None:
    recording = Recording(store, "a", Existing.REFUSE, 1)
    with disk_full_beyond(100), pytest.raises(CassetteError, match="the disk is full"):
        recording.put(exchanges(1))
    recording.put([exchange(2)])

    assert recording.finish(RULES) == 1
    assert list(store.exchanges("a")) == [exchange(2)]


@pytest.mark.process
@pytest.mark.parametrize("existing", list(Existing))
def test_a_recorder_that_is_killed_before_its_first_exchange_leaves_no_cassette(
    store: Store, existing: Existing
) -> None:
    with child(RECORDS_NOTHING, store.folder, existing.name) as recorder:
        assert recorder.line() == "begun"
        recorder.kill()

    assert store.listing() == []


def test_an_empty_cassette_can_be_wanted(store: Store) -> None:
    assert Recording(store, "a", Existing.REFUSE, 1).finish(RULES, keep_empty=True) == 0

    assert states(store) == {"a": (0, "complete")}


def test_putting_nothing_is_allowed(store: Store) -> None:
    recording = Recording(store, "a", Existing.REFUSE, 1)
    recording.put([])
    recording.put(exchanges(1))
    recording.put([])

    assert recording.finish(RULES) == 1


# Ending badly


@pytest.mark.process
def test_what_is_left_of_a_recording_stays_interrupted_while_the_next_one_runs(tmp_path: Path, store: Store) -> None:
    crash(store.folder)
    recording = Recording(store, "a", Existing.REPLACE, 1)
    recording.put(exchanges(1))

    assert states(store) == {"a.partial": (3, "interrupted"), "a.partial-2": (1, "recording")}
    recording.finish(RULES)


def test_an_abandoned_recording_stays_as_interrupted(store: Store) -> None:
    recording = Recording(store, "a", Existing.REFUSE, 1)
    recording.put(exchanges(2))

    recording.abandon()

    assert states(store) == {"a.partial": (2, "interrupted")}


def test_a_discarded_recording_is_gone(store: Store) -> None:
    record(store, "a", exchanges(1))
    recording = Recording(store, "a", Existing.REPLACE, 1)
    recording.put(exchanges(2))

    recording.discard()

    assert states(store) == {"a": (1, "complete")}


async def test_ending_writes_what_is_not_yet_on_disk(store: Store) -> None:
    recording = Recording(store, "a", Existing.REFUSE, 1)
    kept = [recording.keep(one) for one in exchanges(5)]
    await kept.pop(0)
    assert recording._group is not None
    tasks = [asyncio.ensure_future(one) for one in kept]
    await asyncio.sleep(0)

    assert recording.finish(RULES) == 5

    await asyncio.gather(*tasks)


@pytest.mark.parametrize("kept", [0, 1])
async def test_an_exchange_that_comes_after_the_end_is_refused(store: Store, kept: int) -> None:
    recording = Recording(store, "a", Existing.REFUSE, 1)
    for one in exchanges(kept):
        await recording.keep(one)
    recording.finish(RULES)

    with pytest.raises(CassetteError, match="a: is recorded no more"):
        await recording.keep(exchange(2))


def test_an_end_that_fails_keeps_the_exchanges_and_frees_the_name(store: Store) -> None:
    record(store, "a", exchanges(1, b'"old"'))
    recording = Recording(store, "a", Existing.REPLACE, 1)
    number = 0
    while (store.environment._env.info()["last_pgno"] + 1) * PAGE < 0.7 * (store.folder / "data.mdb").stat().st_size:
        number += 1
        recording.put([exchange(number, bytes(3000))])

    with disk_full_beyond((store.folder / "data.mdb").stat().st_size):
        with pytest.raises(CassetteError, match="the disk is full"):
            recording.finish(RULES)
    assert states(store) == {"a": (1, "complete"), "a.partial": (number, "interrupted")}
    assert bodies(store, "a.partial") == [bytes(3000)] * number

    record(store, "a", exchanges(2))
    assert states(store) == {"a": (2, "complete")}


def test_a_recording_that_cannot_begin_frees_the_name(store: Store) -> None:
    record(store, "a", exchanges(1))
    store.environment.write(lambda transaction: transaction.put(b"nb.partial", b"damaged"))

    with pytest.raises(CassetteError, match=r"cassette b\.partial: is damaged"):
        Recording(store, "a", Existing.REPLACE, 1)

    store.environment.write(lambda transaction: transaction.delete(b"nb.partial"))
    record(store, "a", exchanges(2))
    assert states(store) == {"a": (2, "complete")}


# Several processes, and crashes


@pytest.mark.process
def test_a_second_recorder_of_a_name_is_refused_in_one_line(store: Store) -> None:
    recording = Recording(store, "a", Existing.REPLACE, 1)

    with child(TRIES_TO_RECORD, store.folder) as other:
        assert other.rest() == ["a: is being recorded by another process; wait for its end or use another name"]

    recording.abandon()


@pytest.mark.process
def test_a_crashed_recorder_frees_its_name(store: Store) -> None:
    with child(RECORDS, store.folder, "REPLACE") as recorder:
        assert recorder.line() == "kept"
        assert states(store) == {"a.partial": (3, "recording")}
        with pytest.raises(CassetteError, match="is being recorded by another process"):
            Recording(store, "a", Existing.REPLACE, 1)
        recorder.kill()

    assert states(store) == {"a.partial": (3, "interrupted")}
    record(store, "a", exchanges(1))
    assert states(store) == {"a": (1, "complete")}


@pytest.mark.process
def test_a_crashed_recording_is_read_and_replayed_by_its_name(store: Store) -> None:
    crash(store.folder)

    assert bodies(store, "a.partial") == [b'"crashed"'] * 3
    assert store.open("a.partial", RULES).exchange(ExchangeNumber(3)) == exchange(3, b'"crashed"')


@pytest.mark.process
@pytest.mark.parametrize("existing", [Existing.REFUSE, Existing.APPEND])
def test_a_recording_refuses_to_begin_beside_a_crashed_one(store: Store, existing: Existing) -> None:
    crash(store.folder)

    expected = (
        "^a.partial: is left of a recording that was interrupted; `chatproxy rename a.partial NAME` keeps it, "
        "`chatproxy rm --partial a` deletes it$"
    )
    with pytest.raises(CassetteError, match=expected):
        Recording(store, "a", existing, 1)


@pytest.mark.process
def test_a_replacement_names_the_crashed_ones_and_deletes_them_when_it_ends_well(store: Store) -> None:
    crash(store.folder)
    crash(store.folder)
    assert states(store) == {"a.partial": (3, "interrupted"), "a.partial-2": (3, "interrupted")}

    recording = Recording(store, "a", Existing.REPLACE, 1)
    assert recording.superseded == ["a.partial", "a.partial-2"]
    recording.put(exchanges(1))
    assert states(store)["a.partial-3"] == (1, "recording")
    recording.finish(RULES)

    assert states(store) == {"a": (1, "complete")}


@pytest.mark.process
def test_a_replacement_that_ends_badly_keeps_the_crashed_ones(store: Store) -> None:
    crash(store.folder)

    recording = Recording(store, "a", Existing.REPLACE, 1)
    recording.put(exchanges(1))
    recording.abandon()

    assert states(store) == {"a.partial": (3, "interrupted"), "a.partial-2": (1, "interrupted")}


def test_a_crash_before_the_first_exchange_is_in_nobodys_way(store: Store) -> None:
    record = Record(0, 1, interim=True)  # older versions left it
    store.environment.write(partial(begin_record, name="a.partial", record=record, place=str(store.folder)))

    recording = Recording(store, "a", Existing.REFUSE, 1)
    assert recording.superseded == []
    recording.put(exchanges(1))
    recording.finish(RULES)

    assert states(store) == {"a": (1, "complete")}


@pytest.mark.process
def test_a_crash_while_replacing_leaves_what_was_to_be_replaced(store: Store) -> None:
    record(store, "a", exchanges(1))
    crash(store.folder)

    assert states(store) == {"a": (1, "complete"), "a.partial": (3, "interrupted")}


@pytest.mark.process
def test_a_crash_while_appending_loses_nothing(store: Store) -> None:
    record(store, "a", [])
    crash(store.folder, Existing.APPEND)

    recording = Recording(store, "a", Existing.APPEND, 1)
    assert recording.first_number == 4
    recording.put([exchange(4)])
    recording.finish(RULES)

    assert states(store) == {"a": (4, "complete")}
    assert store.open("a", RULES).last_number == 4
