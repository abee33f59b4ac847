"""A large cassette goes in and out piece by piece: memory does not depend on how long its bodies are."""

import subprocess
import sys
from pathlib import Path

import pytest
from integration.processes import unmeasured

pytestmark = pytest.mark.process

BENCHMARK = Path(__file__).parents[2] / "scripts" / "bench-fixtures"


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
def test_importing_and_exporting_hold_no_bodies() -> None:
    command = [str(BENCHMARK), "300", "1500"]
    done = subprocess.run(command, env=unmeasured(), capture_output=True, text=True, timeout=300, check=True)
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    assert [(row[0], row[3]) for row in rows] == [
        ("300", "import"),
        ("300", "export"),
        ("1500", "import"),
        ("1500", "export"),
    ]
    sizes, memory = [float(row[1]) for row in rows], [float(row[5]) for row in rows]
    for step in (0, 1):
        # what is held of each exchange beside its body is about half of that here
        assert memory[step + 2] - memory[step] < (sizes[step + 2] - sizes[step]) * 2 / 3
