"""A large cassette goes in and out piece by piece."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
def test_importing_and_exporting_hold_no_bodies() -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "bench-fixtures", "200", "1500"], capture_output=True, text=True, timeout=300, check=True
    )
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    assert [(row[0], row[3]) for row in rows] == [
        (count, step) for count in ("200", "1500") for step in ("import", "export")
    ]
    sizes, memory = [float(row[1]) for row in rows], [float(row[5]) for row in rows]
    for step in (0, 1):
        assert memory[step + 2] - memory[step] < (sizes[step + 2] - sizes[step]) / 2
