import os
from pathlib import Path

import pytest
from store.stores import child, error_of_opening, on_small_disk, read_only

from chatproxy.core.errors import CassetteError
from chatproxy.store.environment import Environment

OPENS_IN_LITTLE_ROOM = """
import shutil

def fill(room):
    with open("large", "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            file.truncate(file.tell() - room)

for room in range(0, 2**16, 2**12):
    fill(room)
    try:
        Store(Path("store")).close()
        print("opened", flush=True)
    except CassetteError as error:
        print(error.reason.partition(";")[0], os.path.exists("store/data.mdb"), flush=True)
    os.remove("large")
    Store(Path("store")).close()
    assert Path("store/.gitignore").read_text() == "*\\n"
    shutil.rmtree("store")
"""
READS_WITHOUT_ITS_LOCKS = """
store = Store(Path("store"))
record(store, "a", exchanges(3))
store.close()
os.remove("store/lock.mdb")
with open("large", "wb", buffering=0) as file:
    try:
        while file.write(bytes(4096)):
            pass
    except OSError:
        pass
store = Store(Path("store"))
print(store.open("a", RULES).last_number, flush=True)
store.close()
os.remove("large")
store = Store(Path("store"))
store.drop("a")
print(store.listing(), flush=True)
"""


def test_the_folder_is_private_and_git_ignores_it(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "store"
    Environment(folder).close()

    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "data.mdb").stat().st_mode & 0o777 == 0o600
    assert (folder / ".gitignore").read_text() == "*\n"


def test_an_empty_folder_becomes_private(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir(mode=0o755)

    Environment(folder).close()

    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    mode = tmp_path.stat().st_mode

    assert error_of_opening(tmp_path) == "is no store: it holds other files (notes.txt); give a folder of its own"

    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert tmp_path.stat().st_mode == mode


def test_the_gitignore_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log\n")

    Environment(tmp_path).close()

    assert (tmp_path / ".gitignore").read_text() == "*.log\n"


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")

    assert error_of_opening(tmp_path / "store") == "cannot be made a store: File exists"


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()

    with read_only(folder):
        assert error_of_opening(folder / "store") == "cannot be made a store: Permission denied"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up rights")
def test_a_folder_that_is_closed_to_us_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "closed" / "store"
    Environment(folder).close()
    other = tmp_path / "other"
    other.mkdir()

    with read_only(other):
        assert error_of_opening(folder) == "cannot be made a store: Permission denied"


def test_a_folder_that_can_only_be_read_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    first = Environment(folder)
    first.write(lambda transaction: transaction.put(b"a", b"1"))
    first.close()

    with read_only(folder):
        second = Environment(folder)
        assert not second.writable
        assert second.get(b"a") == b"1"
        with pytest.raises(CassetteError, match="cannot be written; give another --store or its permissions"):
            second.write(lambda transaction: transaction.put(b"a", b"2"))
        second.close()


@pytest.mark.process
def test_a_store_that_no_disk_has_room_for_is_refused_and_is_none_until_there_is_room(tmp_path: Path) -> None:
    with child(OPENS_IN_LITTLE_ROOM, within=on_small_disk(tmp_path)) as other:
        said = other.rest()
    assert len(said) == 16
    refused = {"cannot be made a store: No space left on device False", "cannot grow, the disk is full False"}
    assert refused < set(said) <= {*refused, "cannot grow, the disk is full or fails False", "opened"}
    assert said[-1] == "opened"


@pytest.mark.process
def test_a_store_is_read_though_the_disk_has_no_room_for_its_locks(tmp_path: Path) -> None:
    with child(READS_WITHOUT_ITS_LOCKS, within=on_small_disk(tmp_path)) as other:
        assert other.rest() == ["3", "[]"]
