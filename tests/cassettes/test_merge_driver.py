import json
import re
import shutil
from pathlib import Path

import pytest
from cli.commands import REFERENCE
from repositories import again, edited
from store.stores import read_only

from chatproxy.cassettes.merge_driver import merge
from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.rules import Rules

RULES = Rules()
Versions = tuple[Path, Path, Path]


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    """Base, ours and theirs, which are alike."""
    paths = (tmp_path / "base", tmp_path / "ours", tmp_path / "theirs")
    for path in paths:
        shutil.copy(REFERENCE, path)
    return paths


def test_the_side_that_changed_is_taken(versions: Versions) -> None:
    base, ours, theirs = versions
    theirs.write_text(edited(base.read_text(), "Hello", "Hi"))
    ours.write_text(again(base.read_text()))
    ours.chmod(0o640)
    merge(*versions, "a.json", RULES)
    assert ours.read_text() == theirs.read_text()
    assert ours.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in ours.parent.iterdir()) == ["base", "ours", "theirs"]


def test_ours_stays_where_it_alone_changed(versions: Versions) -> None:
    base, ours, theirs = versions
    ours.write_text(changed := edited(base.read_text(), "Hello", "Hi"))
    theirs.write_text(again(base.read_text()))
    merge(*versions, "a.json", RULES)
    assert ours.read_text() == changed


def test_ours_stays_where_both_sides_changed_alike(versions: Versions) -> None:
    base, ours, theirs = versions
    ours.write_text(changed := edited(base.read_text(), "Hello", "Hi"))
    theirs.write_text(again(changed))
    merge(*versions, "a.json", RULES)
    assert ours.read_text() == changed


def test_sides_that_changed_differently_are_a_conflict_and_ours_stays(versions: Versions) -> None:
    base, ours, theirs = versions
    ours.write_text(changed := edited(base.read_text(), "Hello", "Hi"))
    theirs.write_text(edited(base.read_text(), "Hello", "Hey"))
    with pytest.raises(CassetteError, match=r"^c/a.json: both sides changed what it means; ours is kept, record it"):
        merge(*versions, "c/a.json", RULES)
    assert ours.read_text() == changed


def test_another_name_is_a_change(versions: Versions) -> None:
    base, ours, theirs = versions
    theirs.write_text(edited(base.read_text(), "Hello", "Hi"))
    ours.write_text(edited(base.read_text(), '"name": "reference"', '"name": "other"'))
    with pytest.raises(CassetteError, match="both sides changed"):
        merge(*versions, "a.json", RULES)


def test_a_file_that_both_sides_added_is_kept_if_it_is_alike(versions: Versions) -> None:
    base, ours, theirs = versions
    base.write_text("")
    theirs.write_text(again(ours.read_text()))
    merge(*versions, "a.json", RULES)
    assert ours.read_text() == REFERENCE.read_text()
    theirs.write_text(edited(ours.read_text(), "Hello", "Hi"))
    with pytest.raises(CassetteError, match="both sides changed"):
        merge(*versions, "a.json", RULES)


@pytest.mark.parametrize("side", ["base", "ours", "theirs"])
def test_a_side_that_cannot_be_read_is_named(versions: Versions, side: str) -> None:
    path = next(path for path in versions if path.name == side)
    path.write_text("<<<<<<<")
    with pytest.raises(CassetteError, match=rf"^c/a.json \({side}\): is no fixture of chatproxy"):
        merge(*versions, "c/a.json", RULES)
    path.unlink()
    with pytest.raises(CassetteError, match="cannot be read: No such file"):
        merge(*versions, "c/a.json", RULES)


def test_where_ours_cannot_be_replaced_it_stays(versions: Versions, tmp_path: Path) -> None:
    base, ours, theirs = versions
    theirs.write_text(edited(base.read_text(), "Hello", "Hi"))
    folder = tmp_path / "o"
    folder.mkdir()
    ours = ours.rename(folder / "ours")
    with (
        read_only(folder),
        pytest.raises(CassetteError, match=r"ours: cannot be written: .*; the old file, if any, is untouched"),
    ):
        merge(base, ours, theirs, "a.json", RULES)
    assert ours.read_text() == base.read_text()
    assert [path.name for path in folder.iterdir()] == ["ours"]


def conflict(versions: Versions) -> str:
    with pytest.raises(CassetteError, match=r"record it again") as refused:
        merge(*versions, "a.json", RULES)
    return str(refused.value).partition("record it again")[2]


def test_a_conflict_says_what_both_sides_changed_else_what_each_did(versions: Versions) -> None:
    base, ours, theirs = versions
    text, messages = base.read_text(), "/v1/Services/IS*/Channels/CH*/Messages"
    other = edited(edited(text, '"body": "Hello"', '"body": "Hi"'), '"status": 204', '"status": 200')
    ours.write_text(other)
    theirs.write_text(edited(text, '"body": "Hello"', '"body": "Hey"'))
    assert conflict(versions) == f": both changed GET {messages} (ours/1, theirs/1)"
    theirs.write_text(other.replace('"status": 200,\n        "reason": "NO', '"status": 202,\n        "reason": "NO'))
    assert conflict(versions).endswith("(ours/1, theirs/1), and 1 endpoint more")
    theirs.write_text(edited(text, '"name": "reference"', '"name": "other"'))
    assert conflict(versions) == f": ours changed GET {messages} (ours/1)"
    ours.write_text(edited(text, '"name": "reference"', '"name": "another"'))
    assert conflict(versions) == ""
    base.write_text("")
    assert conflict(versions) == ""
    theirs.write_text(edited(text, '"body": "Hello"', '"body": "Hey"'))
    assert conflict(versions) == f": they differ in GET {messages} (theirs/1)"


def test_a_conflict_names_what_a_side_no_longer_has(versions: Versions) -> None:
    base, ours, theirs = versions
    text = base.read_text()
    cut = json.loads(text)
    del cut["exchanges"][4]
    ours.write_text(json.dumps(cut))
    theirs.write_text(edited(text, '"status": 204', '"status": 200'))
    assert re.fullmatch(r": both changed DELETE /v1/\S+ \(base/5, theirs/5\)", conflict(versions))
