import os
import stat
from pathlib import Path

import pytest
from store.stores import child, disk_full_beyond, read_only

from chatproxy.core.errors import CassetteError, ConfigError
from chatproxy.files import read_json, remove_file, whole_file, write_whole

WRITES = """
from chatproxy.files import whole_file
with whole_file(Path(sys.argv[1])) as file:
    file.write(sys.argv[2] * 100_000)
    print("half way", flush=True)
    input()
    file.write(sys.argv[2])
"""


def only(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file that is to be replaced."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_text("old")
    return folder


def test_a_text_is_written_in_utf_8_with_plain_newlines(folder: Path) -> None:
    write_whole(folder / "a", "Grüße\n")
    assert (folder / "a").read_bytes() == "Grüße\n".encode()
    assert [path.name for path in folder.iterdir()] == ["a"]


def test_the_old_file_is_there_until_the_block_ends(folder: Path) -> None:
    with whole_file(folder / "a") as file:
        file.write("new")
        file.flush()
        assert (folder / "a").read_text() == "old"
    assert only(folder) == {"a": "new"}


def test_an_exception_half_way_leaves_the_old_file_and_is_passed_on(folder: Path) -> None:
    def fail() -> None:
        with whole_file(folder / "a") as file:
            file.write("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert only(folder) == {"a": "old"}


def test_a_check_sees_all_of_the_text_and_what_it_raises_leaves_the_old_file(folder: Path) -> None:
    seen: list[str] = []

    def refuse(path: Path) -> None:
        seen.append(path.read_text())
        raise CassetteError("a", "has a leak")

    with pytest.raises(CassetteError, match="has a leak"):
        with whole_file(folder / "a", permissions=0o644, check=refuse) as file:
            file.write("new")
    assert (seen, only(folder)) == (["new"], {"a": "old"})


def test_a_check_that_passes_lets_the_file_be_replaced(folder: Path) -> None:
    with whole_file(folder / "a", check=lambda path: None) as file:
        file.write("new")
    assert only(folder) == {"a": "new"}


@pytest.mark.parametrize("size", [1_000, 1_000_000])
def test_a_full_disk_leaves_the_old_file(folder: Path, size: int) -> None:
    with disk_full_beyond(900), pytest.raises(CassetteError) as raised:
        write_whole(folder / "a", "x" * size)
    assert str(raised.value) == f"{folder / 'a'}: cannot be written: File too large; the old file, if any, is untouched"
    assert only(folder) == {"a": "old"}


def test_a_folder_that_can_only_be_read_leaves_the_old_file(folder: Path) -> None:
    with read_only(folder), pytest.raises(CassetteError, match="cannot be written: Permission denied"):
        write_whole(folder / "a", "new")
    assert only(folder) == {"a": "old"}


def test_a_folder_that_nobody_may_list_is_written_to(folder: Path) -> None:
    folder.chmod(0o300)
    write_whole(folder / "a", "new")
    folder.chmod(0o700)
    assert only(folder) == {"a": "new"}


def test_of_a_path_that_a_flag_gave_the_flag_is_named(folder: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        write_whole(folder / "no" / "a", "new", flag="--report")
    assert str(raised.value) == (
        f"--report: {folder / 'no' / 'a'} cannot be written: No such file or directory; "
        "the old file, if any, is untouched"
    )


@pytest.mark.process
def test_two_at_once_leave_one_of_the_two_whole(folder: Path) -> None:
    with child(WRITES, folder / "a", "x") as one, child(WRITES, folder / "a", "y") as other:
        assert (one.line(), other.line()) == ("half way", "half way")
        assert (folder / "a").read_text() == "old"
        other.end()
        assert only(folder)["a"] == "y" * 100_001
        one.end()
    assert only(folder) == {"a": "x" * 100_001}


@pytest.mark.process
def test_a_kill_half_way_leaves_the_old_file_beside_a_hidden_one(folder: Path) -> None:
    with child(WRITES, folder / "a", "x") as one:
        assert one.line() == "half way"
        one.kill()
    assert (folder / "a").read_text() == "old"
    assert sorted(path.name[:3] for path in folder.iterdir()) == [".a.", "a"]


def test_permissions_are_those_given_and_else_what_the_umask_leaves(folder: Path) -> None:
    umask = os.umask(0o027)
    try:
        write_whole(folder / "a", "new")
        write_whole(folder / "b", "new", permissions=0o644)
        write_whole(folder / "c", "new", permissions=0o600)
    finally:
        os.umask(umask)
    assert [mode(folder / name) for name in "abc"] == [0o640, 0o644, 0o600]


def test_what_gets_its_permissions_later_is_its_owners_alone_until_then(folder: Path) -> None:
    seen: list[int] = []
    with whole_file(folder / "b", permissions=0o644) as file:
        seen += [mode(path) for path in folder.iterdir() if path.name != "a"]
        file.write("new")
    assert seen == [0o600]


def test_a_symbolic_link_stays_and_the_file_that_it_leads_to_is_replaced(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder / "a")
    write_whole(link, "new")
    assert link.is_symlink()
    assert only(folder) == {"a": "new"}
    remove_file(link)
    assert link.is_symlink()
    assert only(folder) == {}
    write_whole(link, "newer")
    assert only(folder) == {"a": "newer"}


def test_symbolic_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(CassetteError, match="Too many levels of symbolic links"):
        write_whole(tmp_path / "a", "new")


def test_what_is_no_file_is_not_replaced(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(CassetteError, match="cannot be written: it is no regular file"):
        write_whole(folder / "pipe", "new")
    with pytest.raises(CassetteError, match="cannot be written: Is a directory"):
        write_whole(folder, "new")
    assert sorted(path.name for path in folder.iterdir()) == ["a", "pipe"]


def test_a_folder_is_made_where_wanted_and_removed_if_nothing_comes_of_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "er" / "a"
    with disk_full_beyond(10), pytest.raises(CassetteError, match="File too large"):
        with whole_file(path, make_folder=True) as file:
            file.write("x" * 100)
    assert list(tmp_path.iterdir()) == []
    with whole_file(path, make_folder=True) as file:
        file.write("new")
    assert path.read_text() == "new"


def test_a_made_folder_stays_where_somebody_put_something(tmp_path: Path) -> None:
    def put(path: Path) -> None:
        path.with_name("b").write_text("other")
        raise KeyError

    with pytest.raises(KeyError):
        with whole_file(tmp_path / "new" / "a", check=put, make_folder=True) as file:
            file.write("new")
    assert only(tmp_path / "new") == {"b": "other"}


def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path) -> None:
    name = "ü" * 127
    write_whole(tmp_path / name, "new")
    assert only(tmp_path) == {name: "new"}


def test_what_is_not_there_is_removed_already_and_a_folder_is_not_removed(folder: Path) -> None:
    remove_file(folder / "a")
    remove_file(folder / "a")
    with pytest.raises(ConfigError, match="--ready-file: "):
        remove_file(folder, flag="--ready-file")
    assert only(folder) == {}


def test_a_file_of_json_is_read_and_any_other_holds_nothing(folder: Path) -> None:
    path = folder / "a.json"
    for text, content in ((b'{"a": 1}', {"a": 1}), (b'\xef\xbb\xbf"a"', "a"), (b"{", None), (b"[" * 900, None)):
        path.write_bytes(text)
        assert read_json(path) == content
    with pytest.raises(CassetteError, match="cannot be read: Is a directory"):
        read_json(folder)
