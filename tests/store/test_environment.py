import os
import random
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import lmdb
import pytest
from store.stores import PAGE, child, disk_full_beyond, error_of_opening, read_only

from chatproxy.core.errors import CassetteError
from chatproxy.store.environment import FORMAT, Environment, Transaction

SMALL = 16 * PAGE

READS_FOR_EVER = """
environment = Environment(Path(sys.argv[1]), map_size=int(sys.argv[2]))
for count in itertools.count():
    is_last = os.path.exists(sys.argv[3])
    entries = environment.scan(b"e", limit=10**6)
    assert all(len(value) == 1000 for _, value in entries)
    if count == 0 or is_last:
        print(len(entries), flush=True)
    if is_last:
        break
"""
WRITES = """
environment = Environment(Path(sys.argv[1]))
environment.write(lambda transaction: [transaction.put(b"o%d" % number, bytes(1000)) for number in range(3000)])
environment.close()
"""
IS_HELD_WHERE_IT_GROWS = """
environment = Environment(Path(sys.argv[1]))
lengthen = os.truncate
def held(path, size):
    print(size, flush=True)
    input()
    lengthen(path, size)
os.truncate = held
environment.write(lambda transaction: [transaction.put(b"h%06d" % number, bytes(1000)) for number in range(100)])
environment.close()
"""
FILLS = """
environment = Environment(Path(sys.argv[1]))
print("open", flush=True)
environment.write(lambda transaction: [transaction.put(b"o%06d" % number, bytes(1000)) for number in range(3000)])
environment.close()
"""
OPENS = """
try:
    environment = Environment(Path(sys.argv[1]))
except CassetteError as error:
    print(os.getpid(), error, flush=True)
else:
    print(os.getpid(), "open", flush=True)
    input()
    environment.close()
"""
DIES_READING = """
environment = Environment(Path(sys.argv[1]))
transaction = environment._env.begin()
print(transaction.get(b"a"), flush=True)
input()
"""


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    opened = Environment(tmp_path / "store", map_size=SMALL)
    yield opened
    opened.close()


def putting(**entries: bytes) -> Callable[[Transaction], None]:
    def work(transaction: Transaction) -> None:
        for key, value in entries.items():
            transaction.put(key.encode(), value)

    return work


def fill(environment: Environment, count: int, begin: int = 0) -> None:
    def work(transaction: Transaction) -> None:
        for number in range(begin, begin + count):
            transaction.put(b"e%06d" % number, b"x" * 1000)

    environment.write(work)


# Reading and writing


def test_what_was_written_is_read_after_opening_anew(tmp_path: Path) -> None:
    first = Environment(tmp_path / "store")
    first.write(putting(a=b"1"))
    first.close()

    second = Environment(tmp_path / "store")
    assert second.get(b"a") == b"1"
    assert second.get(b"b") is None
    second.close()


def test_a_commit_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    """No power is cut here: LMDB writes a commit through to the disk unless one of these flags says otherwise."""
    for _ in ("made", "opened again"):
        opened = Environment(tmp_path / "store")
        opened.write(putting(a=b"1"))
        flags = opened._env.flags()
        assert flags["sync"], "pages would stay in the memory of the system"
        assert flags["metasync"], "the last commit would"
        assert not flags["writemap"] or not flags["map_async"]
        opened.close()


def test_a_transaction_sees_what_it_wrote_and_deleted(environment: Environment) -> None:
    environment.write(putting(a=b"1", b=b"2"))

    def work(transaction: Transaction) -> tuple[bytes | None, bytes | None, bytes | None]:
        transaction.put(b"c", b"3")
        transaction.delete(b"a")
        transaction.delete(b"never there")
        return transaction.get(b"a"), transaction.get(b"b"), transaction.get(b"c")

    assert environment.write(work) == (None, b"2", b"3")


def test_a_transaction_that_fails_leaves_nothing(environment: Environment) -> None:
    def work(transaction: Transaction) -> None:
        transaction.put(b"a", b"1")
        raise KeyError

    with pytest.raises(KeyError):
        environment.write(work)

    assert environment.get(b"a") is None


def test_a_scan_gives_the_entries_under_a_prefix_sorted(environment: Environment) -> None:
    environment.write(putting(b=b"0", c3=b"3", c1=b"1"))
    environment.write(putting(c2=b"2", d=b"4"))

    assert environment.scan(b"c", limit=9) == [(b"c1", b"1"), (b"c2", b"2"), (b"c3", b"3")]
    assert environment.scan(b"c", limit=2) == [(b"c1", b"1"), (b"c2", b"2")]
    assert environment.scan(b"c", after=b"1", limit=9) == [(b"c2", b"2"), (b"c3", b"3")]
    assert environment.scan(b"c", after=b"3", limit=9) == []
    assert environment.scan(b"zz", limit=9) == []


def test_all_under_a_prefix_is_deleted_and_nothing_else(environment: Environment) -> None:
    fill(environment, 100)
    environment.write(putting(d=b"1", f0=b"2"))

    environment.write(lambda transaction: transaction.delete_all(b"e", 10**6))

    assert environment.scan(b"e", limit=9) == []
    assert environment.get(b"d") == b"1"
    assert environment.get(b"f0") == b"2"


def test_deleting_up_to_the_last_key_ends(environment: Environment) -> None:
    environment.write(putting(z1=b"", z2=b""))

    environment.write(lambda transaction: transaction.delete_all(b"z", 10**6))

    assert environment.scan(b"z", limit=9) == []


def test_a_key_that_lmdb_refuses_is_an_error_of_ours(environment: Environment) -> None:
    with pytest.raises(CassetteError, match="cannot be used"):
        environment.write(lambda transaction: transaction.put(b"", b""))


def test_a_folder_is_open_once_in_a_process(environment: Environment) -> None:
    assert "already open in this process" in error_of_opening(environment.folder)


# Damage


def damaged(folder: Path) -> str:
    text = error_of_opening(folder)
    assert re.fullmatch(r"is damaged( \(.+\))?; move it away and import your fixtures into a new one", text)
    return text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    opened = Environment(tmp_path / "store", map_size=SMALL)
    fill(opened, 200)
    opened.close()
    return opened.folder


def used(folder: Path) -> int:
    opened = Environment(folder)
    size = int(opened._env.info()["last_pgno"]) + 1
    opened.close()
    return size * PAGE


@pytest.mark.parametrize("part", [0.999, 0.5, 0.1, 0.001])
def test_a_truncated_file_is_damaged(folder: Path, part: float) -> None:
    os.truncate(folder / "data.mdb", int(used(folder) * part))

    damaged(folder)


def test_an_emptied_file_is_not_read_as_a_new_store(folder: Path) -> None:
    (folder / "locks").mkdir()
    os.truncate(folder / "data.mdb", 0)

    damaged(folder)


def test_a_store_whose_making_was_interrupted_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"")

    opened = Environment(tmp_path)

    assert opened.get(b"f") == FORMAT
    opened.close()


@pytest.mark.parametrize("size", [1, 100, PAGE, 5 * PAGE])
def test_a_file_of_garbage_is_damaged(folder: Path, size: int) -> None:
    (folder / "data.mdb").write_bytes(random.Random(size).randbytes(size))

    damaged(folder)


def test_a_refused_store_can_be_opened_again_after_its_repair(folder: Path) -> None:
    whole = (folder / "data.mdb").read_bytes()
    os.truncate(folder / "data.mdb", 5 * PAGE)
    damaged(folder)

    (folder / "data.mdb").write_bytes(whole)

    opened = Environment(folder)
    assert len(opened.scan(b"e", limit=999)) == 200
    opened.close()


@pytest.mark.parametrize("seed", [161, 276, 293, 299])
def test_pages_that_lmdb_left_unwritten_are_no_damage(tmp_path: Path, seed: int) -> None:
    """With these seeds LMDB ends with pages in its map that it never wrote to the file."""
    opened = Environment(tmp_path / "store", map_size=PAGE)
    chance = random.Random(seed)

    def work(transaction: Transaction) -> None:
        for _ in range(chance.randrange(1, 200)):
            key = chance.randrange(300).to_bytes(4, "big")
            if chance.random() < 0.6:
                transaction.put(key, b"x" * chance.choice([10, 300, 3000, 9000]))
            else:
                transaction.delete(key)

    for _ in range(6):
        opened.write(work)
    opened.close()

    Environment(tmp_path / "store").close()


def test_another_format_is_refused_with_both_versions(folder: Path) -> None:
    opened = Environment(folder)
    opened.write(putting(f=b"7"))
    opened.close()

    assert error_of_opening(folder).startswith("is of format 7, this chatproxy reads format 3; ")
    with read_only(folder):
        assert error_of_opening(folder).startswith("is of format 7, ")


@pytest.mark.parametrize("older", [b"1", b"2"])
def test_a_store_of_an_older_format_is_read_and_becomes_of_this_one_where_it_can_be_written(
    folder: Path, older: bytes
) -> None:
    opened = Environment(folder)
    opened.write(putting(f=older))
    opened.close()

    with read_only(folder):
        opened = Environment(folder)
        assert opened.get(b"f") == older
        opened.close()
    opened = Environment(folder)
    assert opened.get(b"f") == FORMAT
    opened.close()


def test_the_environment_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    with lmdb.open(str(tmp_path / "other")) as other, other.begin(write=True) as transaction:
        transaction.put(b"theirs", b"1")

    assert error_of_opening(tmp_path / "other") == "is no store of chatproxy; give a folder of its own"

    with lmdb.open(str(tmp_path / "other")) as other, other.begin() as transaction:
        assert list(transaction.cursor()) == [(b"theirs", b"1")]


def test_a_file_of_another_lmdb_version_is_refused(folder: Path) -> None:
    content = bytearray((folder / "data.mdb").read_bytes())
    for page in (0, 1):
        magic = content.index((0xBEEFC0DE).to_bytes(4, "little"), page * PAGE)
        content[magic + 4] = 99
    (folder / "data.mdb").write_bytes(content)

    assert error_of_opening(folder) == "was written by another version of LMDB; export its cassettes with that one"


# Growth


def test_a_small_map_grows_by_itself(environment: Environment) -> None:
    for begin in range(0, 1000, 100):
        fill(environment, 100, begin)

    assert len(environment.scan(b"e", limit=9999)) == 1000


def test_one_transaction_can_be_larger_than_twice_the_map(environment: Environment) -> None:
    fill(environment, 3000)

    assert len(environment.scan(b"e", limit=9999)) == 3000


def test_readers_go_on_while_the_map_grows(environment: Environment) -> None:
    done = threading.Event()
    failed: list[BaseException] = []
    counts: list[int] = []

    def read() -> None:
        try:
            while not done.is_set():
                entries = environment.scan(b"e", limit=10**6)
                assert all(len(value) == 1000 for _, value in entries)
                counts.append(len(entries))
                environment.get(b"e000001")
        except BaseException as error:
            failed.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for begin in range(0, 4000, 50):
        fill(environment, 50, begin)
    done.set()
    for reader in readers:
        reader.join()

    assert failed == []
    assert counts


@pytest.mark.process
def test_readers_of_another_process_go_on_while_the_map_grows(environment: Environment, tmp_path: Path) -> None:
    fill(environment, 1)
    with child(READS_FOR_EVER, environment.folder, SMALL, tmp_path / "done") as reader:
        assert reader.line() == "1"
        for begin in range(0, 4000, 100):
            fill(environment, 100, begin)
        (tmp_path / "done").touch()
        assert reader.line() == "4000"


@pytest.mark.process
def test_a_map_that_another_process_made_grow_is_read_and_written(environment: Environment) -> None:
    with child(WRITES, environment.folder) as writer:
        assert writer.process.wait(20) == 0

    fill(environment, 1)

    assert len(environment.scan(b"o", limit=9999)) == 3000


@pytest.mark.process
def test_a_reader_adopts_a_map_that_another_process_made_grow(environment: Environment) -> None:
    assert environment.get(b"o1") is None
    with child(WRITES, environment.folder) as writer:
        assert writer.process.wait(20) == 0

    assert environment.get(b"o1") == bytes(1000)


@pytest.mark.process
def test_a_process_that_grows_the_store_keeps_what_another_wrote_since_it_looked(environment: Environment) -> None:
    fill(environment, 1)
    with child(IS_HELD_WHERE_IT_GROWS, environment.folder) as held:
        looked = int(held.line())
        with child(FILLS, environment.folder) as other:
            assert other.line() == "open"
            with pytest.raises(subprocess.TimeoutExpired):  # it waits for the one that has looked and not yet written
                other.process.wait(0.5)
            held.go_on()
            assert (held.process.wait(20), other.process.wait(20)) == (0, 0)
    assert looked < (environment.folder / "data.mdb").stat().st_size

    assert [len(environment.scan(prefix, limit=9999)) for prefix in (b"h", b"o")] == [100, 3000]
    environment.close()
    Environment(environment.folder).close()


@pytest.mark.process
def test_processes_that_grow_a_store_at_once_lose_nothing(environment: Environment) -> None:
    with child(FILLS, environment.folder) as other:
        assert other.line() == "open"
        for begin in range(0, 2000, 50):
            fill(environment, 50, begin)
        assert other.process.wait(20) == 0

    assert [len(environment.scan(prefix, limit=9999)) for prefix in (b"e", b"o")] == [2000, 3000]


def test_a_store_opens_with_the_size_that_it_has(folder: Path) -> None:
    size = (folder / "data.mdb").stat().st_size

    opened = Environment(folder, map_size=PAGE)
    fill(opened, 200, 200)

    assert len(opened.scan(b"e", limit=9999)) == 400
    assert opened._env.info()["map_size"] >= size
    opened.close()


@pytest.mark.process
def test_who_was_killed_while_reading_keeps_no_old_pages(tmp_path: Path) -> None:
    first = Environment(tmp_path / "store")
    first.write(putting(a=b"1"))
    with child(DIES_READING, tmp_path / "store") as reader:
        assert reader.line() == "b'1'"
        reader.kill()
    first.close()

    second = Environment(tmp_path / "store")
    assert second._env.reader_check() == 0
    second.close()


# A full disk


def fill_up(environment: Environment) -> tuple[int, str]:
    """Write until there is an error, and return how many entries went in, and the error's text."""
    for begin in range(0, 10**6, 10):
        try:
            fill(environment, 10, begin)
        except CassetteError as error:
            return begin, str(error)
    raise AssertionError("the disk is large")


def test_a_full_disk_is_an_error_that_loses_nothing(environment: Environment) -> None:
    with disk_full_beyond(40 * PAGE):
        written, error = fill_up(environment)

    assert error == (
        f"{environment.folder}: cannot grow, the disk is full; "
        "nothing recorded before is lost, free some space and go on"
    )
    assert written > 0
    assert len(environment.scan(b"e", limit=9999)) == written

    fill(environment, 100, written)
    environment.close()
    again = Environment(environment.folder)
    assert len(again.scan(b"e", limit=9999)) == written + 100
    again.close()


def test_what_fits_is_still_written_to_a_full_disk(environment: Environment) -> None:
    with disk_full_beyond(SMALL):
        with pytest.raises(CassetteError, match="the disk is full"):
            fill(environment, 100)
        environment.write(putting(a=b"1"))

    assert environment.get(b"a") == b"1"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount") or "mount"
    options = ["-t", "tmpfs", "-o", "size=256k", "chatproxy-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.process
def test_a_disk_without_room_is_an_error_that_loses_nothing(tiny_disk: Path) -> None:
    (tiny_disk / "large").write_bytes(bytes(100 * 1024))
    opened = Environment(tiny_disk / "store", map_size=SMALL)
    written, error = fill_up(opened)
    assert "cannot grow, the disk is full" in error
    assert len(opened.scan(b"e", limit=9999)) == written > 0
    opened.close()

    again = Environment(tiny_disk / "store")
    (tiny_disk / "large").unlink()
    fill(again, 10, written)
    assert len(again.scan(b"e", limit=9999)) == written + 10
    again.close()


# Too many readers, and the end


def test_more_readers_than_there_is_room_for_are_an_error(environment: Environment) -> None:
    readers = [environment._env.begin() for _ in range(int(environment._env.info()["max_readers"]))]

    with pytest.raises(CassetteError, match="is open in too many processes; stop some of them"):
        environment.get(b"a")
    with pytest.raises(CassetteError, match="is open in too many processes"):
        environment.scan(b"a", limit=1)

    readers.clear()
    assert environment.get(b"a") is None


@pytest.mark.process
def test_a_process_of_the_same_number_in_another_container_is_told_the_ways_out(tmp_path: Path) -> None:
    own_numbers = ["unshare", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*own_numbers, "true"], capture_output=True, check=False).returncode:
        pytest.skip("process numbers of one's own are not allowed here")
    with child(OPENS, tmp_path / "store", within=own_numbers) as one:
        assert one.line() == "1 open"
        with child(OPENS, tmp_path / "store", within=own_numbers) as other:
            assert other.line() == (
                f"1 {tmp_path / 'store'}: is open in another container, in a process of this one's number, and LMDB "
                "knows processes by their numbers; replay a FILE, give each container a --store of its own, or let "
                "them share the process numbers (--pid)"
            )
        one.go_on()
        assert one.process.wait(20) == 0


def test_a_closed_environment_is_not_read(environment: Environment) -> None:
    environment.close()

    with pytest.raises(CassetteError, match="cannot be used"):
        environment.get(b"a")
    with pytest.raises(CassetteError, match="cannot be used"):
        environment.scan(b"a", limit=1)
