import json

import pytest
from plugin.projects import Project

pytestmark = pytest.mark.process

TESTS = """
@pytest.mark.parametrize("n", range(8))
def test_says(chatproxy, n):
    assert f"Hello {n}" in say(chatproxy, f"Hello {n}")
"""


def test_workers_record_and_replay_and_one_report_tells_of_all(project: Project, upstream: str) -> None:
    project.asking(upstream)
    project.write(TESTS)
    result = project.run_apart("-n2", "--record-mode=once")
    result.assert_outcomes(passed=8)
    assert sum("recorded cassettes/" in line for line in result.outlines) == 8
    before = [project.text(file) for file in project.files]
    assert len(before) == 8
    project.offline()
    project.run_apart("-n2", "--block-network", "--chatproxy-report=report.json").assert_outcomes(passed=8)
    report = json.loads((project.folder / "report.json").read_text())
    assert [one["runs"] for one in report["fixtures"]] == [1] * 8
    project.asking(upstream)
    project.run_apart("-n2", "--record-mode=rewrite").assert_outcomes(passed=8)


def test_a_worker_that_dies_is_told_of(project: Project) -> None:
    project.write("\ndef test_dies(): os._exit(3)\n")
    result = project.run_apart("-n1", "--max-worker-restart=0")
    result.stdout.fnmatch_lines(["a worker died (gw0): what it recorded and served is not told here"])
