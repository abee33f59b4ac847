import os
from pathlib import Path

import pytest
from store.stores import NOBODY, child, exchanges, read_only, record

from chatproxy.core.errors import CassetteError
from chatproxy.store import Store
from chatproxy.store.use import Use

DIES = """
store = Store(Path(sys.argv[1]))
record(store, "a", exchanges(3))
print("recorded", flush=True)
input()
"""

WRITES_ON = """
store = Store(Path(sys.argv[1]))
print("begun", flush=True)
for number in itertools.count():
    store.environment.write(lambda transaction: transaction.put(b"z", b"%d" % number))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = Store(tmp_path / "store")
    record(store, "a", exchanges(3))
    store.close()
    return store.folder


def is_unproven(folder: Path, *, is_writable: bool = True) -> bool:
    use = Use(folder, is_writable=is_writable)
    use.end()
    return use.is_unproven


def test_a_store_that_was_closed_well_is_taken_as_it_is(folder: Path) -> None:
    assert not is_unproven(folder)
    assert not is_unproven(folder, is_writable=False)


def test_a_store_that_was_changed_since_it_was_closed_is_unproven(folder: Path) -> None:
    os.utime(folder / "data.mdb", ns=(0, 0))
    assert is_unproven(folder)
    Store(folder).close()
    assert not is_unproven(folder)


def test_a_store_without_a_note_is_unproven_where_it_is_not_empty(folder: Path, tmp_path: Path) -> None:
    (folder / "in-use").write_bytes(b"cut")
    assert is_unproven(folder)
    (folder / "in-use").unlink()
    assert is_unproven(folder, is_writable=False)
    assert not is_unproven(tmp_path)


@pytest.mark.process
def test_a_store_whose_process_was_killed_is_unproven(tmp_path: Path) -> None:
    with child(DIES, tmp_path / "store") as dying:
        assert dying.line() == "recorded"
        assert not is_unproven(tmp_path / "store")  # it is at it
        dying.kill()

    assert is_unproven(tmp_path / "store")
    Store(tmp_path / "store").close()
    assert not is_unproven(tmp_path / "store")


def test_others_wait_until_an_unproven_store_was_looked_at(folder: Path) -> None:
    os.utime(folder / "data.mdb", ns=(0, 0))
    first = Use(folder, is_writable=True)
    assert first.is_unproven
    first.share()

    assert not is_unproven(folder)
    first.end()


def test_a_store_that_can_only_be_read_is_looked_at_and_not_noted(folder: Path) -> None:
    os.utime(folder / "data.mdb", ns=(0, 0))
    with read_only(folder):
        store = Store(folder)
        assert list(store.exchanges("a")) == exchanges(3)
        store.close()
    assert is_unproven(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up rights")
def test_where_nobody_tells_who_else_is_at_it_a_store_is_not_looked_at(folder: Path) -> None:
    os.utime(folder / "data.mdb", ns=(0, 0))
    with read_only(folder):
        os.seteuid(0)
        (folder / "in-use").chmod(0o600)
        os.seteuid(NOBODY)
        assert not is_unproven(folder, is_writable=False)


def test_an_older_file_in_the_place_of_a_store_is_damage(folder: Path) -> None:
    older = (folder / "data.mdb").read_bytes()
    store = Store(folder)
    record(store, "b", exchanges(1))
    store.close()
    (folder / "data.mdb").write_bytes(older)

    with pytest.raises(CassetteError, match="is damaged"):
        Store(folder)


@pytest.mark.process
def test_a_store_that_another_process_writes_to_is_opened_and_closed_meanwhile(folder: Path) -> None:
    """What is just being committed stands in the file before others read it: closing notes nothing of that."""
    with child(WRITES_ON, folder) as writing:
        assert writing.line() == "begun"
        for _ in range(200):
            Store(folder).close()
        writing.kill()


def test_what_was_begun_of_a_store_that_could_not_be_made_goes(tmp_path: Path) -> None:
    use = Use(tmp_path, is_writable=True)
    (tmp_path / "data.mdb").write_bytes(b"half of its head")
    use.give_up()
    assert [path.name for path in tmp_path.iterdir()] == ["in-use"]


def test_the_data_of_a_store_that_cannot_be_opened_stay(folder: Path) -> None:
    before = (folder / "data.mdb").read_bytes()
    Use(folder, is_writable=True).give_up()
    assert (folder / "data.mdb").read_bytes() == before


def test_the_data_that_another_one_begins_stay(tmp_path: Path) -> None:
    first = Use(tmp_path, is_writable=True)
    first.share()
    second = Use(tmp_path, is_writable=True)
    (tmp_path / "data.mdb").write_bytes(b"half of its head")
    second.give_up()
    assert (tmp_path / "data.mdb").exists()
    first.end()
