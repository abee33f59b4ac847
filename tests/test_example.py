"""The example project: its tests run offline, and its workflow and its hooks run what they say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from integration.processes import Workplace, unmeasured

pytestmark = pytest.mark.process

EXAMPLE = Path(__file__).parents[1] / "examples" / "notices"
PASSED = re.compile(r"\b4 passed\b")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, as a clone has it."""
    ignored = shutil.ignore_patterns(".chatproxy", "__pycache__", ".pytest_cache", "served.json", "tests.xml")
    return Path(shutil.copytree(EXAMPLE, tmp_path / "notices", ignore=ignored))


def bash(project: Path, script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a workflow does, with the commands of this environment."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=project,
        env=unmeasured() | {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"} | environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def steps(project: Path) -> dict[str, str]:
    workflow = yaml.safe_load((project / ".github/workflows/tests.yml").read_text("utf-8"))
    return {step["name"]: step["run"] for step in workflow["jobs"]["tests"]["steps"] if "run" in step}


def test_its_tests_pass_offline_twice(project: Path) -> None:
    for _ in range(2):
        done = bash(project, "pytest -p no:cacheprovider", http_proxy="http://127.0.0.1:9")
        assert PASSED.search(done.stdout), done.stdout


def test_its_tests_pass_in_parallel(project: Path) -> None:
    done = bash(project, "pytest -n2")
    assert PASSED.search(done.stdout), done.stdout


def test_each_step_of_its_workflow_does_what_it_says(project: Path) -> None:
    names = list(steps(project))
    assert names == [
        "Install",
        "No secrets in what was recorded",
        "Tests, on recordings alone",
        "Each recording is used",
    ]
    for name in names[1:]:
        done = bash(project, steps(project)[name], GITHUB_ACTIONS="true")
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
    assert re.search(r"(\d+) of \1 exchanges served", done.stdout)


def test_its_workflow_fails_for_a_recording_that_no_test_uses(project: Path) -> None:
    shutil.copy(EXAMPLE.parents[1] / "cassettes" / "demo.json", project / "cassettes" / "old.json")
    bash(project, steps(project)["Tests, on recordings alone"])
    done = bash(project, steps(project)["Each recording is used"])
    assert done.returncode != 0
    assert "never served: demo/1 " in done.stdout


def test_its_hooks_run(project: Path) -> None:
    (repository,) = yaml.safe_load((project / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    files = [path.relative_to(project).as_posix() for path in project.rglob("*.json")]
    for hook in repository["hooks"]:
        pattern = re.compile(hook.get("files", ""))
        given = [] if hook.get("pass_filenames") is False else [file for file in files if pattern.search(file)]
        done = bash(project, " ".join([hook["entry"], *given]))
        assert done.returncode == 0, done.stdout + done.stderr


def test_its_tests_are_recorded_anew_as_its_readme_says(project: Path, tmp_path: Path) -> None:
    shutil.rmtree(project / "cassettes")
    credentials = {
        "TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
        "TWILIO_AUTH_TOKEN": "the-auth-token-of-the-account",
    }
    with Workplace(tmp_path).sandbox() as sandbox:
        done = bash(project, "pytest --record-mode=rewrite", CHATPROXY_UPSTREAM=sandbox.url, **credentials)
    assert PASSED.search(done.stdout), done.stdout
    for file in sorted((EXAMPLE / "cassettes").rglob("*.json")):
        again = (project / file.relative_to(EXAMPLE)).read_text("utf-8")
        assert again == file.read_text("utf-8") or "differ" in file.name, file.name
    assert PASSED.search(bash(project, "pytest").stdout)
