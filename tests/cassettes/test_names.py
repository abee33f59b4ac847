import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from store.stores import exchanges, read_only, record

from chatproxy.cassettes.names import files_of, fixture_path, has_store, is_file, open_store
from chatproxy.core.errors import CassetteError
from chatproxy.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store")
    yield opened
    opened.close()


# FILE or NAME


@pytest.mark.parametrize("argument", ["a.json", "cassettes/a.json", "./a", "/a", ".json", "a/"])
def test_what_ends_in_json_or_has_a_slash_is_a_file(argument: str) -> None:
    assert is_file(argument)


@pytest.mark.parametrize("argument", ["a", "a.JSON", "json", "a.partial", ""])
def test_all_else_is_a_name(argument: str) -> None:
    assert not is_file(argument)


def test_the_fixture_of_a_name_lies_in_cassettes() -> None:
    assert fixture_path("a.b") == Path("cassettes/a.b.json")


# Folders


def test_a_folder_stands_for_the_json_files_below_it_in_the_place_where_it_is_given(tmp_path: Path) -> None:
    for name in ("a.json", "b/c/d.json", "b/e.txt", ".git/f.json", ".g.json", "b.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "dir.json").mkdir()
    below = [f"{tmp_path}/{name}" for name in ("a.json", "b.json", "b/c/d.json")]
    assert files_of(["x.json", str(tmp_path), "gone", "y"]) == ["x.json", *sorted(below), "gone", "y"]
    assert files_of([]) == []
    assert files_of([f"{tmp_path}/b/"]) == [f"{tmp_path}/b/c/d.json"]


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(CassetteError, match=r"a: is a folder without a file that ends in \.json"):
        files_of([str(tmp_path / "a")])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up rights")
def test_a_folder_that_cannot_be_read_whole_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a" / "closed").mkdir(parents=True)
    (tmp_path / "a" / "closed").chmod(0o700)
    (tmp_path / "a" / "b.json").touch()
    (tmp_path / "other").mkdir()
    with read_only(tmp_path / "other"), pytest.raises(CassetteError, match="closed: cannot be read: Permission denied"):
        files_of([str(tmp_path / "a")])


def test_a_name_opens_the_store_that_has_it(store: Store) -> None:
    record(store, "a", exchanges(2))
    store.close()

    with closing(open_store(store.folder, "a")) as opened:
        assert opened.count("a") == 2


def test_a_name_that_is_only_a_fixture_gets_the_commands_that_use_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cassettes").mkdir()
    (tmp_path / "cassettes" / "a.json").write_text("")

    with pytest.raises(CassetteError) as raised:
        open_store(tmp_path / "s", "a")

    assert str(raised.value) == (
        f"a: is not in the store {tmp_path / 's'}, but cassettes/a.json is there: `chatproxy replay cassettes/a.json` "
        "replays it, `chatproxy import cassettes/a.json` puts it into the store"
    )


@pytest.mark.parametrize("name", ["a", "x" * 5000, "\udcff", "a\0"])
def test_a_name_that_is_nowhere_is_an_error(store: Store, name: str) -> None:
    store.close()

    with pytest.raises(CassetteError, match="there is no such cassette"):
        open_store(store.folder, name)
    Store(store.folder).close()  # it was not left open


def test_looking_for_a_name_makes_no_store(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="there is no such cassette"):
        open_store(tmp_path / "s", "a")
    assert not has_store(tmp_path / "s")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up rights")
def test_a_folder_that_is_closed_to_us_is_none_without_a_store(tmp_path: Path) -> None:
    closed, other = tmp_path / "closed", tmp_path / "other"
    closed.mkdir(mode=0o700)
    other.mkdir()
    with (
        read_only(other),
        pytest.raises(CassetteError, match="closed: cannot be opened: Permission denied; give another"),
    ):
        has_store(closed)


def test_a_folder_whose_name_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="cannot be opened: File name too long; give another --store"):
        open_store(tmp_path / ("a" * 300), "name")


def test_a_file_is_no_folder_with_a_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not has_store(tmp_path / "file")
