import subprocess
import sys
from pathlib import Path

import pytest
from store.stores import child, read_only

from chatproxy.core.errors import CassetteError
from chatproxy.store.locks import FileLock

TAKES_A_LOCK = """
lock = FileLock.take(Path(sys.argv[1]))
print("taken" if lock else "refused", flush=True)
input()
"""


def taken(path: Path, *, shared: bool = False) -> FileLock:
    lock = FileLock.take(path, shared=shared)
    assert lock is not None
    return lock


def test_an_exclusive_lock_keeps_others_out_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "one"
    lock = taken(path)

    assert FileLock.take(path) is None
    assert FileLock.take(path, shared=True) is None

    lock.release()
    taken(path).release()


def test_readers_share_a_lock_and_keep_writers_out(tmp_path: Path) -> None:
    path = tmp_path / "one"
    readers = [taken(path, shared=True), taken(path, shared=True)]
    readers[0].release()

    assert FileLock.take(path) is None

    readers[1].release()
    taken(path).release()


def test_a_lock_is_released_once(tmp_path: Path) -> None:
    lock = taken(tmp_path / "one")
    lock.release()
    other = taken(tmp_path / "one")  # it may have got the number of the descriptor that was closed

    lock.release()

    assert FileLock.take(tmp_path / "one") is None
    other.release()


@pytest.mark.process
def test_another_process_is_kept_out(tmp_path: Path) -> None:
    lock = taken(tmp_path / "one")

    with child(TAKES_A_LOCK, tmp_path / "one") as other:
        assert other.line() == "refused"
    lock.release()


@pytest.mark.process
def test_a_killed_holder_frees_its_lock(tmp_path: Path) -> None:
    with child(TAKES_A_LOCK, tmp_path / "one") as holder:
        assert holder.line() == "taken"
        assert FileLock.take(tmp_path / "one") is None
        holder.kill()

        taken(tmp_path / "one").release()


@pytest.mark.process
def test_a_program_that_the_holder_starts_does_not_inherit_the_lock(tmp_path: Path) -> None:
    lock = taken(tmp_path / "one")
    command = [sys.executable, "-c", "print('up', flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"up\n"
        lock.release()

        taken(tmp_path / "one").release()

        program.communicate(b"\n")


def test_one_can_see_whether_a_lock_is_taken_without_taking_it(tmp_path: Path) -> None:
    path = tmp_path / "one"
    assert not FileLock.is_taken(path)
    assert not path.exists()
    lock = taken(path)
    assert FileLock.is_taken(path)
    lock.release()
    assert not FileLock.is_taken(path)


def test_one_can_see_whether_a_lock_is_taken_without_the_right_to_write(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "one"
    lock = taken(path)
    with read_only(path.parent):
        assert FileLock.is_taken(path)
    lock.release()


def test_a_lock_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    folder.mkdir()

    with read_only(folder), pytest.raises(CassetteError, match=r"locks/one: cannot be locked: Permission denied"):
        FileLock.take(folder / "one")
