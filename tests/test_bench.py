"""The benchmarks measure what answers rightly; their times are no test's business."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "speed.md"


@pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc")
def test_all_that_is_measured_answers_rightly() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "benchmarks"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    looked_at = {line.partition(":")[0] for line in done.stdout.splitlines() if not line.startswith("made ")}
    assert looked_at == {"fetch", "list", "create", "references", "record", "bulk"}


def test_the_page_has_a_place_for_each_table() -> None:
    text = PAGE.read_text("utf-8")
    for name in ("machine", "goals", "rivals"):
        assert text.count(f"<!-- bench {name} -->\n") == 1
    assert text.count("<!-- bench end -->\n") == 3
