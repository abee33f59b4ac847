"""The command as a user types it."""

import os
import subprocess
import sys
from pathlib import Path

REFERENCE = Path(__file__).parents[2] / "cassettes" / "reference.json"
DEMO = REFERENCE.with_name("demo.json")


def chatproxy(*arguments: str | Path, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "chatproxy", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
