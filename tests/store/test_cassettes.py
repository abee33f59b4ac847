import os
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from core.programs import Listed
from exchanges import numbered
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import many
from store.stores import (
    RULES,
    child,
    disk_full_beyond,
    everything,
    exchange,
    exchanges,
    on_small_disk,
    read_only,
    record,
)
from strategies import MESSAGES, UPSTREAM
from strategies import exchanges as any_exchange

from chatproxy.core.cassette.compile import compile_exchanges
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, ExchangeNumber, Request, Response
from chatproxy.store import Existing, Recording, Store, layout
from chatproxy.store.compiled import StoredCassette
from chatproxy.store.locks import FileLock

REPLACES = """
store = Store(Path(sys.argv[1]))
record(store, "a", [exchange(1, b'"new"')])
store.close()
"""
REPLACES_AGAIN_AND_AGAIN = """
store = Store(Path(sys.argv[1]))
for turn in range(1, 61):
    record(store, "a", exchanges(turn, b'"%d"' % turn))
store.close()
"""
REPLAYS = """
store = Store(Path(sys.argv[1]))
cassette = store.open("a", RULES)
print(cassette.exchange(1).response.body.decode(), flush=True)
input()
print(cassette.exchange(1).response.body.decode(), cassette.reply(2).status, flush=True)
input()
store.close()
"""
RECORDS = """
store = Store(Path(sys.argv[1]))
recording = Recording(store, sys.argv[2], Existing.REFUSE, 1)
for chunk in range(40):
    recording.put([exchange(5 * chunk + number, os.urandom(2000)) for number in range(1, 6)])
recording.finish(RULES)
store.close()
"""
DIES_WHILE_RECORDING = """
recording = Recording(Store(Path(sys.argv[1])), "a", Existing.APPEND, 1)
recording.put(exchanges(3))
print("kept", flush=True)
input()
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store", map_size=2**16)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store(tmp_path_factory.mktemp("cassettes"))
    yield opened
    opened.close()


def states(store: Store) -> dict[str, tuple[int, str]]:
    return {listed.name: (listed.exchanges, listed.state) for listed in store.listing()}


def kept_ids(store: Store) -> set[int]:
    """Return of which cassettes there are data."""
    entries = [entry for kind in b"kecrx" for entry in store.environment.scan(bytes([kind]), limit=10**6)]
    return {int.from_bytes(key[1:5], "big") for key, _ in entries if key != layout.LAST_WRITTEN}


# By name

names = (f"name{number}" for number in count())


@settings(max_examples=many(40))
@given(st.lists(any_exchange, max_size=5, unique_by=lambda exchange: exchange.number))
def test_exchanges_come_back_as_they_were_kept_in_order(shared_store: Store, recorded: list[Exchange]) -> None:
    name = next(names)
    in_order = sorted(recorded, key=lambda exchange: exchange.number)
    recording = Recording(shared_store, name, Existing.REPLACE, 1)
    recording.put(recorded)
    recording.finish(RULES, keep_empty=True)

    assert list(shared_store.exchanges(name)) == in_order
    assert shared_store.count(name) == len(recorded)


def test_more_exchanges_than_one_reading_takes_come_back(store: Store) -> None:
    record(store, "a", exchanges(600))

    assert list(store.exchanges("a")) == exchanges(600)


def test_a_cassette_that_is_not_there_is_an_error_at_once(store: Store) -> None:
    expected = rf"^b: there is no such cassette in {store.folder}; `chatproxy list` shows what is$"
    for use in (store.exchanges, store.count, lambda name: store.open(name, RULES)):
        with pytest.raises(CassetteError, match=expected):
            use("b")


@pytest.mark.parametrize("name", ["", "x" * 600, "\udcff", "a b", "../a", "a\0", "ä"])
def test_what_can_be_no_name_is_not_found(store: Store, name: str) -> None:
    assert store.find(name) is None
    with pytest.raises(CassetteError, match="there is no such cassette"):
        store.count(name)


def test_a_list_is_sorted_by_name(store: Store) -> None:
    for name, size in (("b", 1), ("a", 2), ("ab", 3)):
        record(store, name, exchanges(size))

    assert [(listed.name, listed.exchanges, listed.begun, listed.state) for listed in store.listing()] == [
        ("a", 2, 1, "complete"),
        ("ab", 3, 1, "complete"),
        ("b", 1, 1, "complete"),
    ]


def test_names_that_begin_alike_do_not_disturb_each_other(store: Store) -> None:
    for name, size in (("a", 1), ("ab", 2), ("a.", 3), ("a-2", 4)):
        record(store, name, exchanges(size))
    left = Recording(store, "ab", Existing.REPLACE, 1)
    left.put(exchanges(5))
    left.abandon()

    record(store, "a", exchanges(6))
    store.drop("a.")

    assert states(store) == {
        "a": (6, "complete"),
        "a-2": (4, "complete"),
        "ab": (2, "complete"),
        "ab.partial": (5, "interrupted"),
    }
    assert store.partials("a") == store.partials("b") == []
    assert store.partials("ab") == store.partials("b", "ab") == store.partials() == ["ab.partial"]
    assert list(store.exchanges("ab")) == exchanges(2)


# Opening


@pytest.mark.process
def test_who_first_opens_a_recording_after_a_crash_compiles_it(tmp_path: Path) -> None:
    with child(DIES_WHILE_RECORDING, tmp_path / "store") as recorder:
        assert recorder.line() == "kept"
        recorder.kill()

    store = Store(tmp_path / "store")
    cassette = store.open("a", RULES)

    assert isinstance(cassette, StoredCassette)
    assert cassette.last_number == 3
    assert cassette.reply(ExchangeNumber(3)).status == 201
    store.close()


def test_where_the_store_cannot_be_written_a_compiled_cassette_is_replayed_from_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    record(store, "a", exchanges(3))
    store.close()

    with read_only(tmp_path / "store"):
        store = Store(tmp_path / "store")
        assert isinstance(store.open("a", RULES), StoredCassette)
        store.close()


def test_where_the_store_cannot_be_written_other_rules_are_compiled_in_memory(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    Recording(store, "a", Existing.REPLACE, 1, title="inside").finish(RULES, keep_empty=True)
    store.close()

    with read_only(tmp_path / "store"):
        store = Store(tmp_path / "store")
        cassette = store.open("a", Rules(("X-A",)))
        assert isinstance(cassette, MemoryCassette)
        assert cassette.name == "inside"
        store.close()


def test_a_store_that_cannot_be_written_can_be_listed_and_read_but_not_recorded_to(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    record(store, "a", exchanges(3))
    left = Recording(store, "b", Existing.REPLACE, 1)
    left.put(exchanges(2))
    left.abandon()
    store.close()

    with read_only(tmp_path / "store"):
        store = Store(tmp_path / "store")
        assert states(store) == {"a": (3, "complete"), "b.partial": (2, "interrupted")}
        assert list(store.exchanges("a")) == exchanges(3)
        with pytest.raises(CassetteError, match="Permission denied"):
            Recording(store, "c", Existing.REPLACE, 1)
        store.close()


def test_a_store_is_closed_twice_without_harm(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    record(store, "a", exchanges(1))
    store.open("a", RULES)
    store.close()
    store.close()


# Replacing and dropping while others replay


def test_dropping_deletes_at_once_what_nobody_replays(store: Store) -> None:
    record(store, "a", exchanges(3))
    record(store, "b", exchanges(3))

    store.drop("a")

    assert states(store) == {"b": (3, "complete")}
    assert kept_ids(store) == {2}
    assert not (store.folder / "locks" / "1.replaying").exists()


def test_dropping_what_is_not_there_does_nothing(store: Store) -> None:
    store.drop("a")

    assert store.listing() == []


@pytest.mark.process
def test_a_replay_goes_on_after_its_cassette_was_replaced_by_another_process(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    record(store, "a", exchanges(2, b'"old"'))
    cassette = store.open("a", RULES)

    with child(REPLACES, tmp_path / "store") as other:
        assert other.process.wait(20) == 0

    assert cassette.exchange(ExchangeNumber(1)).response.body == b'"old"'
    assert cassette.reply(ExchangeNumber(2)).body.pieces == (b'"old"',)
    assert [kept.response.body for kept in store.exchanges("a")] == [b'"new"']
    assert kept_ids(store) == {1, 2}
    store.close()

    again = Store(tmp_path / "store")
    assert kept_ids(again) == {2}
    assert again.environment.scan(layout.DROPPED, limit=9) == []
    again.close()


@pytest.mark.process
@pytest.mark.parametrize("way", ["replace", "drop"])
def test_what_another_process_replays_is_deleted_when_it_is_done(store: Store, way: str) -> None:
    record(store, "a", exchanges(2, b'"old"'))
    with child(REPLAYS, store.folder) as replay:
        assert replay.line() == '"old"'
        if way == "replace":
            record(store, "a", exchanges(1, b'"new"'))
        else:
            store.drop("a")
        replay.go_on()
        assert replay.line() == '"old" 201'
        store.drop("never there")
        assert 1 in kept_ids(store)
        replay.end()

    store.drop("never there")
    assert 1 not in kept_ids(store)


@pytest.mark.process
def test_the_data_of_a_replay_that_was_killed_are_deleted(store: Store) -> None:
    record(store, "a", exchanges(2, b'"old"'))
    with child(REPLAYS, store.folder) as replay:
        assert replay.line() == '"old"'
        store.drop("a")
        replay.kill()

    store.drop("never there")

    assert kept_ids(store) == set()


def test_what_is_being_read_is_read_to_its_end_though_it_is_dropped(store: Store) -> None:
    record(store, "a", exchanges(600))
    reading = store.exchanges("a")
    first = next(reading)

    store.drop("a")

    assert [first, *reading] == exchanges(600)
    store.drop("never there")
    assert kept_ids(store) == set()


@pytest.mark.process
def test_opening_and_replacing_at_once_never_gives_a_part(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    record(store, "a", exchanges(1, b'"1"'))
    with child(REPLACES_AGAIN_AND_AGAIN, tmp_path / "store") as other:
        while other.process.poll() is None:
            cassette = store.open("a", RULES)
            size = cassette.last_number
            assert cassette.exchange(size).response.body == b'"%d"' % size
            whole = list(store.exchanges("a"))
            assert whole == exchanges(len(whole), b'"%d"' % len(whole))
        assert other.process.returncode == 0
    store.close()

    again = Store(tmp_path / "store")
    assert len(kept_ids(again)) == 1
    assert len(list((tmp_path / "store" / "locks").glob("*.replaying"))) <= 1
    again.close()


@pytest.mark.process
def test_reading_what_is_replaced_meanwhile_leaves_no_lock_behind(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    record(store, "a", exchanges(1, b'"1"'))
    another = REPLACES_AGAIN_AND_AGAIN.replace('"a"', '"b"')  # it, too, deletes what "a" was before
    with child(REPLACES_AGAIN_AND_AGAIN, store.folder) as one, child(another, store.folder) as other:
        while one.process.poll() is None or other.process.poll() is None:
            assert list(store.exchanges("a"))
    store.close()

    Store(tmp_path / "store").close()
    assert len(list((tmp_path / "store" / "locks").glob("*.replaying"))) == 2


def test_a_cassette_that_cannot_be_opened_is_not_held(store: Store) -> None:
    record(store, "a", exchanges(2))
    flip_a_byte_of(store, b"Body=2")

    with pytest.raises(CassetteError):
        store.open("a", Rules(("X-A",)))

    lock = FileLock.take(store.folder / "locks" / "1.replaying")
    assert lock is not None
    lock.release()


def test_what_cannot_be_deleted_on_a_full_disk_keeps_nobody_from_working(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = Store(folder, map_size=2**16)
    record(store, "a", exchanges(300, bytes(2000)))
    record(store, "b", exchanges(1))
    store.open("a", RULES)
    store.drop("a")
    store.close()

    with disk_full_beyond(100):
        store = Store(folder)
        assert store.open("b", RULES).last_number == 1
        store.close()

    Store(folder).close()
    store = Store(folder)
    assert kept_ids(store) == {2}
    store.close()


FILLS_UP = """
def fill():
    with open("large", "ab", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass

def left():
    listed = [(one.name, one.exchanges) for one in store.listing()]
    print(listed, len(store.environment.scan(b"d", limit=99)), flush=True)

store = Store(Path("store"))
for number in range(8):
    record(store, f"c{number}", exchanges(1))
"""
DELETES_ONE_AFTER_ANOTHER = """
fill()
for number in range(8):
    store.drop(f"c{number}")
left()
record(store, "again", exchanges(3))
left()
"""
DELETES_WHAT_FILLED_IT = """
recording = Recording(store, "long", Existing.REFUSE, 1)
try:
    for number in itertools.count(1):
        recording.put([exchange(number, bytes(3000))])
except CassetteError as error:
    print(error.reason.partition(";")[0], flush=True)
recording.abandon()
fill()
store.close()
store = Store(Path("store"))
store.drop("long.partial")
for number in range(8):
    store.drop(f"c{number}")
left()
record(store, "again", [exchange(number, bytes(3000)) for number in range(1, 41)])
left()
"""


@pytest.mark.process
def test_on_a_full_disk_cassettes_are_deleted_and_their_room_is_recorded_to(tmp_path: Path) -> None:
    with child(FILLS_UP + DELETES_ONE_AFTER_ANOTHER, within=on_small_disk(tmp_path)) as other:
        assert other.rest() == ["[] 0", "[('again', 3)] 0"]


@pytest.mark.process
def test_on_a_disk_that_a_recording_filled_it_is_deleted_and_its_room_is_recorded_to(tmp_path: Path) -> None:
    with child(FILLS_UP + DELETES_WHAT_FILLED_IT, within=on_small_disk(tmp_path)) as other:
        assert other.rest() == ["cannot grow, the disk is full", "[] 0", "[('again', 40)] 0"]


def test_what_is_long_is_deleted_in_several_transactions(store: Store) -> None:
    record(store, "a", exchanges(40, bytes(2**20)))
    before = store.environment._env.info()["last_txnid"]

    store.drop("a")

    assert store.environment._env.info()["last_txnid"] - before >= 4
    assert store.environment.scan(b"", limit=99) == store.environment.scan(b"f", limit=1) + [
        entry for kind in (b"i", b"k") for entry in store.environment.scan(kind, limit=1)
    ]


# Renaming and deleting


def test_a_renamed_cassette_is_the_same_under_its_new_name(store: Store) -> None:
    record(store, "a", exchanges(3))
    before = store.find("a")

    store.rename("a", "b")

    assert states(store) == {"b": (3, "complete")}
    assert store.find("b") == before
    assert list(store.exchanges("b")) == exchanges(3)
    assert store.open("b", RULES).name == "b"


@pytest.mark.parametrize("taken", ["a", "b"])
def test_no_cassette_is_renamed_to_one_that_is_there(store: Store, taken: str) -> None:
    record(store, "a", exchanges(1))
    record(store, "b", exchanges(2))

    with pytest.raises(CassetteError, match=rf"^{taken}: exists; give another name, or delete it first"):
        store.rename("a", taken)

    assert states(store) == {"a": (1, "complete"), "b": (2, "complete")}


@pytest.mark.parametrize("name", ["", "x" * 101, "a b", "../a", "b.partial", "b.partial-2", "ä"])
def test_no_cassette_is_renamed_to_what_is_no_name(store: Store, name: str) -> None:
    record(store, "a", exchanges(1))

    with pytest.raises(CassetteError, match="is no name for a cassette"):
        store.rename("a", name)

    assert states(store) == {"a": (1, "complete")}


def test_what_is_not_there_is_not_renamed(store: Store) -> None:
    with pytest.raises(CassetteError, match=r"^a: there is no such cassette"):
        store.rename("a", "b")

    assert states(store) == {}


@pytest.mark.parametrize("new", ["a", "b"])
def test_an_interrupted_recording_is_complete_once_it_is_renamed(store: Store, new: str) -> None:
    for size in (1, 2):
        recording = Recording(store, "a", Existing.REPLACE, 1)
        recording.put(exchanges(size))
        recording.abandon()

    store.rename("a.partial-2", new)

    assert states(store) == {new: (2, "complete"), "a.partial": (1, "interrupted")}
    assert store.open(new, RULES).numbers() == range(1, 3)


@pytest.mark.parametrize(("name", "new"), [("a", "c"), ("a.partial", "c"), ("b", "a"), ("b", "c")])
def test_neither_name_may_be_recorded_during_a_renaming(store: Store, name: str, new: str) -> None:
    record(store, "b", exchanges(1))
    recorded = [Recording(store, one, Existing.REPLACE, 1) for one in {"a", "c"} & {name.partition(".")[0], new}]

    with pytest.raises(CassetteError, match="is being recorded; wait for its end"):
        store.rename(name, new)

    for recording in recorded:
        recording.discard()
    assert states(store) == {"b": (1, "complete")}
    store.rename("b", "c")


@pytest.mark.process
def test_a_replay_goes_on_after_its_cassette_was_renamed(store: Store) -> None:
    record(store, "a", exchanges(2))

    with child(REPLAYS, store.folder) as replay:
        assert replay.line() == "{}"
        store.rename("a", "b")
        replay.go_on()
        assert replay.line() == "{} 201"
        replay.end()
    assert list(store.exchanges("b")) == exchanges(2)


def test_several_cassettes_are_deleted_at_once(store: Store) -> None:
    for name in "abc":
        record(store, name, exchanges(1))

    with store.unrecorded("a", "c"):
        store.drop("a", "c")

    assert list(states(store)) == ["b"]
    assert len(kept_ids(store)) == 1


def test_while_names_are_kept_from_being_recorded_none_of_them_is(store: Store) -> None:
    with store.unrecorded("a", "b.partial-2"):
        for name in "ab":
            with pytest.raises(CassetteError, match="is being recorded by another process"):
                Recording(store, name, Existing.REPLACE, 1)
    for name in "ab":
        Recording(store, name, Existing.REPLACE, 1).discard()


# Several processes


@pytest.mark.process
def test_two_processes_that_record_at_once_both_keep_everything(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with child(RECORDS, folder, "a") as one, child(RECORDS, folder, "b") as other:
        assert one.process.wait(30) == 0
        assert other.process.wait(30) == 0

    store = Store(folder)
    assert states(store) == {"a": (200, "complete"), "b": (200, "complete")}
    for name in ("a", "b"):
        assert [kept.number for kept in store.exchanges(name)] == list(range(1, 201))
        assert store.open(name, RULES).last_number == 200
    store.close()


@pytest.mark.process
def test_listing_keeps_nobody_from_recording(store: Store) -> None:
    left = Recording(store, "a", Existing.REPLACE, 1)
    left.put(exchanges(1))
    left.abandon()
    looking = FileLock.take(store.folder / "locks" / "a.recording", shared=True)
    assert looking is not None
    with child(RECORDS.replace("REFUSE", "REPLACE"), store.folder, "a") as recorder:
        assert states(store)["a.partial"][1] == "interrupted"
        looking.release()
        assert recorder.process.wait(20) == 0


# Damage


def flip_a_byte_of(store: Store, text: bytes) -> None:
    """Change the first byte of each place in the file where this text stands."""
    path = store.folder / "data.mdb"
    with path.open("r+b") as file:
        content = file.read()
        at = content.find(text)
        assert at >= 0
        while at >= 0:
            file.seek(at)
            file.write(bytes([content[at] ^ 1]))
            at = content.find(text, at + 1)


def test_a_flipped_byte_in_an_exchange_is_found_and_named(store: Store) -> None:
    record(store, "a", exchanges(3))
    cassette = store.open("a", RULES)
    flip_a_byte_of(store, b"Body=2")

    expected = rf"^{store.folder}: exchange a/2: is damaged; record it again, or import its fixture$"
    assert cassette.exchange(ExchangeNumber(1)) == exchange(1)
    with pytest.raises(CassetteError, match=expected):
        cassette.exchange(ExchangeNumber(2))
    with pytest.raises(CassetteError, match=expected):
        list(store.exchanges("a"))


def test_a_flipped_byte_in_a_large_exchange_is_found(store: Store) -> None:
    record(store, "a", [exchange(1, b"begin" + os.urandom(20_000) + b"the end")])
    cassette = store.open("a", RULES)
    flip_a_byte_of(store, b"the end")

    with pytest.raises(CassetteError, match="exchange a/1: is damaged"):
        cassette.exchange(ExchangeNumber(1))
    with pytest.raises(CassetteError, match="cassette a: is damaged where it was compiled; start again"):
        cassette.reply(ExchangeNumber(1))


def test_a_flipped_byte_in_the_record_of_a_cassette_is_found_and_named(store: Store) -> None:
    record(store, "a", exchanges(3))
    flip_a_byte_of(store, b'"begun"')

    expected = rf"^{store.folder}: cassette a: is damaged; "
    with pytest.raises(CassetteError, match=expected):
        store.count("a")
    with pytest.raises(CassetteError, match=expected):
        store.listing()


def test_an_exchange_that_is_gone_is_noticed(store: Store) -> None:
    record(store, "a", exchanges(3))
    key = layout.exchange_prefix(1) + layout.number(2)
    store.environment.write(lambda transaction: transaction.delete(key))

    with pytest.raises(CassetteError, match="cassette a: lacks 1 of its exchanges"):
        list(store.exchanges("a"))
    with pytest.raises(CassetteError, match="cassette a: lacks 1 of its exchanges"):
        store.open("a", Rules(("X-A",)))


def swap(store: Store, one: bytes, other: bytes) -> None:
    """Let each of two values stand where the other one belongs."""
    values = [store.environment.get(key) for key in (one, other)]
    assert values[0] is not None is not values[1]
    store.environment.write(lambda transaction: transaction.put(one, values[1] or b""))
    store.environment.write(lambda transaction: transaction.put(other, values[0] or b""))


def test_two_exchanges_in_each_others_place_are_noticed(store: Store) -> None:
    record(store, "a", exchanges(3))
    swap(store, *(layout.exchange_prefix(1) + layout.number(number) for number in (1, 2)))

    with pytest.raises(CassetteError, match="exchange a/1: is damaged"):
        list(store.exchanges("a"))


@pytest.mark.parametrize("kind", [kind for kind in layout.COMPILED if kind != b"f"])  # no change by others is in it
def test_whatever_is_compiled_and_stands_in_anothers_place_is_refused_and_compiled_anew(
    tmp_path: Path, kind: bytes
) -> None:
    recorded = [
        numbered(
            number, Request("GET", MESSAGES), Response(200, b"OK", (), b'{"sid": "IM%032x"}' % number), UPSTREAM, 0, 0
        )
        for number in (1, 2)
    ] + [
        numbered(
            number, Request("POST", MESSAGES), Response(201, b"", (), b'{"sid": "IM%032x"}' % number), UPSTREAM, 9, 9
        )
        for number in (3, 4)
    ]
    (tmp_path / "undamaged").mkdir()
    whole, store = Store(tmp_path / "undamaged" / "store"), Store(tmp_path / "store")
    for one in (whole, store):
        record(one, "a", recorded)
    expected = everything(whole.open("a", RULES))
    found = store.environment.scan(kind + layout.number(1), limit=99)
    sizes = Counter(len(value) for _, value in found)
    alike = next(len(value) for _, value in reversed(found) if sizes[len(value)] > 1)
    same = [key for key, value in found if len(value) == alike]
    swap(store, same[-1], same[-2])

    cassette = store.open("a", RULES)
    with pytest.raises(CassetteError, match="a: is damaged where it was compiled; start again, which compiles it anew"):
        everything(cassette)
    store.close()

    store = Store(tmp_path / "store")
    assert everything(store.open("a", RULES)) == expected
    store.close()
    whole.close()


def test_a_tally_that_is_gone_is_no_cassette_without_exchanges(store: Store) -> None:
    record(store, "a", exchanges(3))
    store.environment.write(lambda transaction: transaction.delete(layout.tally_key(1)))

    with pytest.raises(CassetteError, match="is damaged"):
        store.count("a")
    with pytest.raises(CassetteError, match="is damaged"):
        Recording(store, "a", Existing.APPEND, 1)


def test_an_id_that_a_cassette_has_is_not_given_out_again(store: Store) -> None:
    record(store, "a", exchanges(3))
    store.environment.write(lambda transaction: transaction.delete(layout.LAST_ID))

    with pytest.raises(CassetteError, match="is damaged"):
        record(store, "b", exchanges(1))

    assert list(store.exchanges("a")) == exchanges(3)


@pytest.mark.parametrize("value", [b"", b"\0\0\0\0"])
def test_a_damaged_order_to_delete_deletes_nothing(store: Store, value: bytes) -> None:
    record(store, "a", exchanges(3))
    store.environment.write(lambda transaction: transaction.put(layout.DROPPED + layout.number(1), value))
    store.close()

    again = Store(store.folder)
    assert list(again.exchanges("a")) == exchanges(3)
    again.close()


def test_the_folder_can_hold_nothing_but_the_store(store: Store) -> None:
    record(store, "a", exchanges(1))

    assert {path.name for path in store.folder.iterdir()} == {".gitignore", "data.mdb", "in-use", "lock.mdb", "locks"}
    assert (store.folder / "locks").stat().st_mode & 0o777 == 0o700


def test_compiling_finds_by_key_shape_and_route(store: Store) -> None:
    record(store, "a", exchanges(3))
    cassette = store.open("a", RULES)

    compiled = list(compile_exchanges(Listed(exchanges(3)), RULES))

    assert [cassette.find(key, 0) for one in compiled for key in one.keys] == [1, 2, 3]
    assert [cassette.find(compiled[0].route, nth) for nth in range(4)] == [1, 2, 3, None]
    assert cassette.find(compiled[1].shape, 0) == 2


def test_what_there_is_no_room_to_compile_is_compiled_in_memory(store: Store) -> None:
    recorded = exchanges(300, b'"%s"' % (b"x" * 2000))
    record(store, "a", recorded)
    expected = everything(store.open("a", RULES))
    other = Rules(("X-A",))
    with disk_full_beyond(100):
        assert isinstance(store.open("a", other), MemoryCassette)
    store.close()

    again = Store(store.folder)
    assert everything(again.open("a", RULES)) == expected
    again.close()
