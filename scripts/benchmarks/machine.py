"""What the figures were measured on, and with."""

import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import lmdb
from servers import CORES, LOAD_CORE, SERVER_CORE

PACKAGES = ("aiohttp", "uvloop", "lmdb", "orjson")


def described() -> dict[str, str]:
    """Return the machine, and the versions of what was measured."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{_cpu()}, {len(CORES)} cores (servers on {SERVER_CORE}, load on {LOAD_CORE}), {_memory()}",
        "system": f"{_system()}, Linux {platform.release()}",
        "software": ", ".join([python, *(f"{name} {version(name)}" for name in PACKAGES)])
        + f" (LMDB {'.'.join(map(str, lmdb.version()))}), {_wrk()}",
        "chatproxy": _commit(),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.machine()


def _memory() -> str:
    kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
    return f"{kilobytes / 2**20:.0f} GB of memory"


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _wrk() -> str:
    try:
        said = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return "no wrk"
    return " ".join(said.split()[:2])


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout.strip()

    changed = ", with changes" if git("status", "--porcelain", "--", "chatproxy") else ""
    return f"commit {git('rev-parse', '--short=12', 'HEAD') or 'unknown'}{changed}"
