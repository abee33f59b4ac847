import re
import subprocess
import sys
from pathlib import Path

import pytest
from fixture.fixtures import read

from chatproxy.demo import Renaming, run_demo

pytest.importorskip("twilio", reason="the demo needs the twilio package")


def test_the_demo_records_replays_and_compares(tmp_path: Path) -> None:
    said: list[str] = []
    run_demo(tmp_path / "demo.json", said.append)
    table, *rest = said
    rows = table.splitlines()
    assert rows[0].split("  ")[0] == "CALL OF THE TWILIO CLIENT"
    assert len(rows) == 12
    fresh = [row.rpartition("  equal, with ")[2] for row in rows[1:6]]
    assert len(set(fresh)) == 5
    assert all(re.fullmatch("IM[0-9a-f]{32}", sid) and table.count(sid) == 1 for sid in fresh)
    assert all(row.endswith("  equal") for row in rows[6:])
    assert "5 messages on 3 pages" in table
    assert "status 404, code 20404" in table
    assert rest == [
        f"\n13 exchanges recorded from the sandbox and exported to {tmp_path / 'demo.json'}",
        "13 served with the sandbox stopped, 0 missed",
        "all 11 results are equal, but for 5 fresh SIDs",
    ]
    document = read((tmp_path / "demo.json").read_text(), "demo.json")
    assert document.count == 13


def test_results_may_differ_by_a_consistent_renaming_of_sids_alone() -> None:
    one, two, three = (f"IM{digit * 32}" for digit in "123")
    fresh = Renaming()
    assert fresh.explains(f"{one}, index 0", f"{two}, index 0")
    assert fresh.explains(f"{two} after {one}", f"{three} after {two}")
    assert fresh.names == {one: two, two: three}
    assert not fresh.explains(one, three), "a SID has one name"
    assert not fresh.explains(three, two), "and no two have the same"
    assert not fresh.explains(f"{one}, index 0", f"{two}, index 1")
    assert not fresh.explains(one, "other")


@pytest.mark.process
def test_without_a_file_nothing_is_left_in_the_working_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "chatproxy", "demo"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "all 11 results are equal" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process
def test_without_the_twilio_package_the_demo_says_what_to_install(tmp_path: Path) -> None:
    program = "import sys; sys.modules['twilio'] = None; import chatproxy.cli; chatproxy.cli.main()"
    failed = subprocess.run(
        [sys.executable, "-c", program, "demo"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert failed.returncode == 1
    assert failed.stderr == "chatproxy: the demo needs the twilio package: pip install 'twilio>=9'\n"
