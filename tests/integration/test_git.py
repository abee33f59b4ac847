from pathlib import Path

import pytest
from cli.commands import REFERENCE, chatproxy
from repositories import CASSETTE, Repository, again, edited

pytestmark = pytest.mark.process

X = "X" * 32
DELETED = f"/v1/Services/IS{X}/Channels/CH{X}/Messages/IM{X}"
MESSAGES = "/v1/Services/IS*/Channels/CH*/Messages"
TEXT = REFERENCE.read_text()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    made.begin(TEXT)
    return made


def changed_lines(shown: str) -> list[str]:
    return [line for line in shown.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_git_diff_shows_a_changed_body_and_no_moments(repository: Repository) -> None:
    times = TEXT.replace('"answered": "2016', '"answered": "2017')
    repository.file.write_text(edited(times, '"body": "Hello"', '"body": "Hi"'))
    shown = repository.git("diff")
    assert changed_lines(shown) == ['-        "body": "Hello",', '+        "body": "Hi",']
    assert len(changed_lines(repository.git("diff", "--no-textconv"))) > 2
    assert not (repository.folder / ".chatproxy").exists()


def test_a_side_that_was_recorded_again_gives_way_to_one_that_changed(repository: Repository) -> None:
    changed = edited(TEXT, '"body": "Hello"', '"body": "Hi"')
    repository.commit(changed, "theirs")
    repository.git("checkout", "--quiet", "main")
    repository.commit(again(TEXT))
    repository.git("merge", "--quiet", "--no-edit", "theirs")
    assert repository.file.read_text() == changed
    assert repository.git("status", "--short") == ""


def test_a_side_that_changed_stays_as_it_is(repository: Repository) -> None:
    changed = edited(TEXT, '"body": "Hello"', '"body": "Hi"')
    repository.commit(again(TEXT), "theirs")
    repository.git("checkout", "--quiet", "main")
    repository.commit(changed)
    repository.git("merge", "--quiet", "--no-edit", "theirs")
    assert repository.file.read_text() == changed


def test_two_sides_that_changed_are_a_conflict_without_marks_in_the_file(repository: Repository) -> None:
    repository.commit(edited(TEXT, '"body": "Hello"', '"body": "Hey"'), "theirs")
    repository.git("checkout", "--quiet", "main")
    changed = edited(TEXT, '"status": 204', '"status": 200')
    repository.commit(changed)
    shown = repository.git("merge", "--no-edit", "theirs", status=1)
    reason = f"chatproxy: {CASSETTE}: both sides changed what it means; ours is kept, record it again: "
    assert f"{reason}ours changed DELETE {DELETED} (ours/5), theirs changed GET {MESSAGES} (theirs/1)\n" in shown
    assert f"CONFLICT (content): Merge conflict in {CASSETTE}" in shown
    assert repository.file.read_text() == changed
    assert repository.git("status", "--short") == f"UU {CASSETTE}\n"


def test_two_sides_that_changed_one_place_are_a_conflict_that_names_it(repository: Repository) -> None:
    repository.commit(edited(TEXT, '"body": "Hello"', '"body": "Hey"'), "theirs")
    repository.git("checkout", "--quiet", "main")
    repository.commit(edited(TEXT, '"body": "Hello"', '"body": "Hi"'))
    shown = repository.git("merge", "--no-edit", "theirs", status=1)
    assert f"record it again: both changed GET {MESSAGES} (ours/1, theirs/1)\n" in shown


def test_what_is_shown_for_gitattributes_holds_for_fixtures_in_any_depth(repository: Repository) -> None:
    page = (Path(__file__).parents[2] / "docs" / "review.md").read_text("utf-8")
    shown = page.partition("```gitattributes\n")[2].partition("```")[0]
    (repository.folder / ".gitattributes").write_text(shown)
    for path, driver in (
        ("cassettes/a.json", "chatproxy"),
        ("cassettes/tests/a/b.json", "chatproxy"),
        ("a.json", "un"),
    ):
        for kind in ("diff", "merge"):
            assert f"{path}: {kind}: {driver}" in repository.git("check-attr", kind, path)


def test_a_union_of_lines_is_no_fixture_and_is_refused(repository: Repository) -> None:
    (repository.folder / ".gitattributes").write_text("cassettes/*.json merge=union\n")
    repository.commit(edited(TEXT, '"body": "Hello"', '"body": "Hey"'), "theirs")
    repository.git("checkout", "--quiet", "main")
    (repository.folder / ".gitattributes").write_text("cassettes/*.json merge=union\n")
    repository.commit(edited(TEXT, '"body": "Hello"', '"body": "Hi"'))
    repository.git("merge", "--quiet", "--no-edit", "theirs")
    shown = chatproxy("show", CASSETTE, cwd=repository.folder)
    assert (shown.returncode, shown.stdout) == (1, "")
    assert shown.stderr.startswith(f"chatproxy: {CASSETTE}: is no JSON: the name 'body' stands twice in an object")
