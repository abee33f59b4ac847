import json
import shutil
from pathlib import Path

import pytest
from cli.commands import DEMO, REFERENCE, apart, chatproxy

pytestmark = pytest.mark.process

CHANNEL = "/v1/Services/IS{}/Channels/CH{}/Messages"
LIST = CHANNEL.format("a" * 32, "a" * 32)
MESSAGE = CHANNEL.format("X" * 32, "X" * 32) + "/IM" + "X" * 32


def report(place: Path, name: str, *asked: tuple[str, str]) -> None:
    """Report on a run that asks for these methods and paths."""
    asking = ";".join(f'curl -s -o /dev/null -X {method} "$CHATPROXY_URL{path}"' for method, path in asked)
    done = apart("run", REFERENCE, "--report", name, "--", "sh", "-c", asking, cwd=place)
    assert done.returncode in {0, 3}, done.stderr


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the reports of two runs."""
    folder = tmp_path_factory.mktemp("reports")
    report(folder, "one.json", ("GET", LIST))
    report(folder, "two.json", ("GET", LIST), ("DELETE", MESSAGE), ("GET", "/v1/none"))
    return folder


@pytest.fixture
def place(tmp_path: Path, reports: Path) -> Path:
    """A copy of it."""
    for name in ("one.json", "two.json"):
        shutil.copy(reports / name, tmp_path)
    return tmp_path


def test_what_no_run_was_served_is_listed(place: Path) -> None:
    done = chatproxy("coverage", "merge", "one.json", "two.json", cwd=place)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["CASSETTE", "RUNS", "EXCHANGES", "SERVED", "MISSES"]
    assert lines[1].split()[1:] == ["2", "5", "2", "1"]
    assert [line.split()[2] for line in lines[2:-1]] == ["reference/2", "reference/3", "reference/4"]
    assert lines[2].startswith("never served: reference/2 POST /v1/Services/")
    assert lines[-1] == "2 of 5 exchanges served"


def test_reports_can_be_merged_in_parts(place: Path) -> None:
    whole = chatproxy("coverage", "merge", "one.json", "two.json", "--report", "whole.json", cwd=place)
    assert chatproxy("coverage", "merge", "whole.json", cwd=place).stdout == whole.stdout
    (fixture,) = json.loads((place / "whole.json").read_text())["fixtures"]
    assert (fixture["runs"], fixture["unused"]) == (2, [2, 3, 4])


def test_a_fixture_that_no_run_used_counts_if_it_is_named(place: Path) -> None:
    given = ("--fixture", str(DEMO), "--fixture", str(REFERENCE))
    lines = chatproxy("coverage", "merge", "one.json", *given, cwd=place).stdout.splitlines()
    assert sorted(line.split()[1:] for line in lines[1:3]) == [["0", "13", "0", "0"], ["1", "5", "1", "0"]]
    assert lines[-1] == "1 of 18 exchanges served"


def test_all_fixtures_of_a_folder_count_if_it_is_named(place: Path) -> None:
    (place / "cassettes" / "deep").mkdir(parents=True)
    shutil.copy(DEMO, place / "cassettes" / "deep" / "demo.json")
    shutil.copy(REFERENCE, place / "cassettes")
    done = chatproxy("coverage", "merge", "whole.json", "--fixture", "cassettes", cwd=place)
    assert done.returncode == 1
    done = chatproxy("coverage", "merge", "one.json", "--fixture", "cassettes", "--fail-on-unused", cwd=place)
    assert done.returncode == 4
    assert "never served: demo/13 " in done.stdout


def test_unused_exchanges_are_4_where_that_is_asked_for(place: Path) -> None:
    assert chatproxy("coverage", "merge", "one.json", "--fail-on-unused", cwd=place).returncode == 4
    content = json.loads((place / "one.json").read_text())
    (place / "all.json").write_text(json.dumps(content | {"unused": []}))
    assert chatproxy("coverage", "merge", "one.json", "all.json", "--fail-on-unused", cwd=place).returncode == 0


def test_runs_of_two_recordings_of_a_file_are_refused(place: Path) -> None:
    content = json.loads((place / "one.json").read_text())
    (place / "old.json").write_text(json.dumps(content | {"recording": {"last": 5, "digest": "old"}}))
    done = chatproxy("coverage", "merge", "one.json", "old.json", cwd=place)
    assert (done.returncode, "was recorded anew between these runs" in done.stderr) == (1, True)


@pytest.mark.parametrize("text", ["", "[" * 100_000, "{}", '{"fixtures": 3}'], ids=["empty", "deep", "other", "broken"])
def test_what_is_no_report_is_one_line(place: Path, text: str) -> None:
    (place / "x.json").write_text(text)
    done = chatproxy("coverage", "merge", "x.json", cwd=place)
    assert done.returncode == 1
    assert done.stderr == "chatproxy: x.json: is no report of a run; `--report` writes one, and so does pytest\n"


def test_a_report_that_is_not_there_and_none_that_replays(place: Path) -> None:
    done = chatproxy("coverage", "merge", "none.json", cwd=place)
    assert (done.returncode, done.stderr) == (1, "chatproxy: none.json: cannot be read: No such file or directory\n")
    content = json.loads((place / "one.json").read_text())
    (place / "one.json").write_text(json.dumps(content | {"mode": "record"}))
    assert chatproxy("coverage", "merge", "one.json", cwd=place).stdout == "no replay is in these reports\n"


def test_without_a_command_its_help_is_shown(place: Path) -> None:
    assert "merge" in chatproxy("coverage", cwd=place).stdout
