"""The benchmarks measure what answers rightly; their times are no test's business."""

import subprocess
import sys
from pathlib import Path

import pytest
from integration.processes import unmeasured

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "scripts" / "benchmarks"
PAGE = ROOT / "docs" / "speed.md"

pytestmark = [pytest.mark.process, pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc")]


def python(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(
        command, cwd=BENCHMARKS, env=unmeasured(), capture_output=True, text=True, timeout=300, check=False
    )


def test_all_that_is_measured_answers_rightly() -> None:
    done = python(BENCHMARKS, "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    looked_at = {line.partition(":")[0] for line in done.stdout.splitlines() if not line.startswith("made ")}
    assert looked_at == {"fetch", "list", "create", "references", "record", "bulk"}


def test_one_wrong_byte_is_found() -> None:
    done = python(
        "-c",
        "import checks, workload; one = workload.fetch(0, 1); "
        "checks.compare(one, 200, one.answer, one.answer); print('right'); "
        "checks.compare(one, 200, one.answer.replace(b'system', b'System'), one.answer)",
    )
    assert done.stdout == "right\n"
    assert "load.Wrong: GET /v1/Services/" in done.stderr


def test_tables_are_written_between_their_marks_and_nowhere_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A\n\n<!-- bench one -->\nold\n<!-- bench end -->\n\nB\n<!-- bench two -->\nkept\n<!-- bench end -->\nC\n"
    )
    done = python("-c", f"import pathlib, table; table.write(pathlib.Path({str(page)!r}), {{'one': '| new |'}})")
    assert done.returncode == 0, done.stderr
    one = "<!-- bench one -->\n\n| new |\n\n<!-- bench end -->\n"
    two = "<!-- bench two -->\n\nkept\n\n<!-- bench end -->\n"
    assert page.read_text() == f"# A\n\n{one}\nB\n{two}C\n"


def test_the_page_has_a_place_for_each_table() -> None:
    text = PAGE.read_text("utf-8")
    for name in ("machine", "goals", "rivals"):
        assert text.count(f"<!-- bench {name} -->\n") == 1
    assert text.count("<!-- bench end -->\n") == 3
