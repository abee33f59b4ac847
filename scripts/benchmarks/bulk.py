"""Import, compile and export of a large cassette, against reading and writing its file as JSON and nothing else."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import servers
import workload
from rounds import Line, Say, Size, paired, ratio
from servers import PYTHON, SERVER_CORE, children_cpu, environment, pinned
from stores import KEPT

from chatproxy.fixture import write_fixture

_WATCHED = """
import sys, threading, time

peak = 0
def watch():
    global peak
    while True:
        status = open("/proc/self/status").read()
        peak = max(peak, int(status.split("RssAnon:")[1].split()[0]))
        time.sleep(0.01)

threading.Thread(target=watch, daemon=True).start()
try:
    {work}
finally:
    print(peak, file=sys.stderr)
"""
"""Runs something and prints the most memory of its own that it had, in kB; the store's mapped file is not its own."""

_COMMAND = "from chatproxy.cli import main; main()"
_COMPILE = (
    "from pathlib import Path; from chatproxy.core.matching.normal_form import Rules; "
    "from chatproxy.store import Store; "
    "Store(Path('.chatproxy')).compile('made', Rules())"
)
_JSON = "import json; json.dumps(json.load(open('made.json', encoding='utf-8')))"

STEPS = {
    "import": (_COMMAND, "import", "made.json", "--replace"),
    "compile": (_COMPILE,),
    "export": (_COMMAND, "export", "made"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """How long a step took, how much CPU, and the most memory of its own that it had, in MB."""

    seconds: float
    cpu: float
    memory: float


def bulk(size: Size, say: Say) -> Iterator[Line]:
    """Import, compile and export a cassette, and the same with a tenth of it, to see whether memory grows."""
    tenth, _ = _measured(max(100, size.bulk // 10), 1)
    whole, megabytes = _measured(size.bulk, max(1, size.rounds // 2))
    json = whole.pop("json")
    other = f"{median(one.seconds for one in json):.1f} s, {max(one.memory for one in json):,.0f} MB"
    for step, several in whole.items():
        memory, before = (max(one.memory for one in runs) for runs in (several, tenth[step]))
        shown = f"{median(one.seconds for one in several):.1f} s, {memory:.0f} MB (of a tenth {before:.0f} MB)"
        work = f"{step} of {size.bulk:,} exchanges, {megabytes:.0f} MB"
        value = ratio([one.seconds for one in several], [one.seconds for one in json])
        by_cpu = ratio([one.cpu for one in several], [one.cpu for one in json])
        yield Line(work, value, "× json", 5.0, at_least=False, ours=shown, other=other, by_cpu=by_cpu)
        yield Line(f"{step}, memory against a tenth", memory / before, "×", 1.5, at_least=False, ours=shown)


def _measured(count: int, rounds: int) -> tuple[dict[str, list[Run]], float]:
    """Return what each step took in each round, and the file's size in MB."""
    KEPT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=KEPT) as name:
        folder = Path(name)
        made = folder / "made.json"
        with made.open("w", encoding="utf-8", newline="\n") as file:
            write_fixture("made", workload.exchanges(workload.mixed(count)), file)
        _run(folder, _COMMAND, "import", "made.json")
        steps = {step: (lambda arguments=arguments: _run(folder, *arguments)) for step, arguments in STEPS.items()}
        return paired(rounds, steps | {"json": lambda: _run(folder, _JSON)}), made.stat().st_size / 2**20


def _run(folder: Path, work: str, *arguments: str) -> Run:
    begun, before = time.perf_counter(), children_cpu()
    with pinned(SERVER_CORE):
        done = subprocess.run(
            [PYTHON, "-c", _WATCHED.replace("{work}", work), *arguments],
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    took = time.perf_counter() - begun
    assert done.returncode == 0, done.stderr
    return Run(took, children_cpu() - before, int(done.stderr.split()[-1]) / 1024)


def check_bulk() -> None:
    """Import and export a small cassette; the file must come out as it went in."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "made.json").open("w", encoding="utf-8", newline="\n") as file:
            write_fixture("made", workload.exchanges(workload.mixed(200)), file)
        command = [*map(str, servers.chatproxy())]
        for arguments in (("import", "made.json"), ("export", "made", "again.json", "--exact")):
            done = subprocess.run(
                [*command, *arguments], cwd=folder, env=environment(), capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
        assert (folder / "made.json").read_bytes() == (folder / "again.json").read_bytes()
