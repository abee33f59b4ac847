import errno
import os
from pathlib import Path

import pytest
from store.stores import PAGE, disk_full_beyond

from chatproxy.store.room import Room, taken


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data.mdb"


def on_disk(path: Path) -> int:
    return path.stat().st_blocks * 512


def test_a_file_is_made_longer_and_takes_no_room_by_that(data: Path) -> None:
    data.write_bytes(b"x" * PAGE)
    room = Room(data.parent)
    room.lengthen(100 * PAGE)
    room.lengthen(10)
    assert data.stat().st_size == 100 * PAGE
    assert on_disk(data) < 50 * PAGE
    assert data.read_bytes() == b"x" * PAGE + bytes(99 * PAGE)


def test_room_is_taken_and_what_is_there_stays(data: Path) -> None:
    data.write_bytes(b"x" * PAGE)
    room = Room(data.parent)
    room.lengthen(100 * PAGE)
    for end in (40 * PAGE, 30 * PAGE, 80 * PAGE):
        room.keep(end)
    assert data.stat().st_size == 100 * PAGE
    assert on_disk(data) >= 80 * PAGE
    assert data.read_bytes() == b"x" * PAGE + bytes(99 * PAGE)


def test_where_there_is_no_room_that_is_an_error_each_time(data: Path) -> None:
    data.write_bytes(b"")
    room = Room(data.parent)
    with disk_full_beyond(PAGE):
        for _ in range(2):
            with pytest.raises(OSError, match="too large"):
                room.keep(2 * PAGE)
    room.keep(2 * PAGE)
    assert on_disk(data) >= 2 * PAGE


def test_a_system_that_takes_no_room_beforehand_is_left_alone(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate")
    Room(data.parent).keep(PAGE)
    assert not data.exists()


def test_a_file_system_that_takes_no_room_beforehand_is_left_alone(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, begin: int, size: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    data.write_bytes(b"")
    monkeypatch.setattr(os, "posix_fallocate", refuse)
    Room(data.parent).keep(PAGE)
    assert data.read_bytes() == b""


@pytest.mark.parametrize(
    ("key", "value", "most"), [(10, 20, 100), (10, 1000, 2100), (10, PAGE, 2 * PAGE + 100), (5, 10 * PAGE, 12 * PAGE)]
)
def test_what_an_entry_takes_is_what_it_has_and_pages_that_it_does_not_fill(key: int, value: int, most: int) -> None:
    assert key + value < taken(key, value) <= most
