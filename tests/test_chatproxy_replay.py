"""Where the distribution begins, beside another's package of the name chatproxy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import chatproxy.cli
import chatproxy.pytest_plugin
import chatproxy_replay
from chatproxy_replay import namesake

ROOT = Path(__file__).parents[1]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of packages, in which another distribution is."""
    (tmp_path / "chatproxy-0.0.1.dist-info").mkdir()
    return tmp_path


def run(site: Path, code: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}
    return subprocess.run(
        [sys.executable, "-P", "-c", code, "--version"], env=environ, capture_output=True, text=True, check=False
    )


COMMAND = "import chatproxy_replay; chatproxy_replay.main()"


@pytest.mark.parametrize(
    "name",
    ["chatproxy-0.0.1.dist-info", "chatproxy-1.0.egg-info", "Chatproxy-2.dist-info", "chatproxy-1-py3.11.egg-info"],
)
def test_another_distribution_of_the_name_is_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "other-1.dist-info").mkdir()
    assert namesake([str(tmp_path)]) is None
    (tmp_path / name).mkdir()
    line = namesake(["/nowhere", str(tmp_path / "other-1.dist-info"), str(tmp_path)])
    assert line is not None
    assert line.startswith(f"chatproxy: {tmp_path}/{name} is of another package")


@pytest.mark.parametrize(
    "name", ["chatproxy_replay-0.1.0.dist-info", "chatproxy", "chatproxy-replay", "chatproxyx-1.dist-info"]
)
def test_this_distribution_is_no_other(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert namesake([str(tmp_path)]) is None


def test_an_empty_entry_of_the_path_is_the_current_folder(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site)
    assert namesake([""]) is not None


def test_the_plugin_is_that_of_the_package() -> None:
    assert chatproxy_replay.pytest_plugin is chatproxy.pytest_plugin
    with pytest.raises(AttributeError):
        chatproxy_replay.other  # noqa: B018 - looked up


@pytest.mark.process
def test_the_command_runs_and_says_that_another_package_is_installed(site: Path) -> None:
    done = run(site, COMMAND)
    assert done.stdout.startswith("chatproxy ")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert done.stderr.startswith(f"chatproxy: {site}/chatproxy-0.0.1.dist-info is of another package called chatproxy")


@pytest.mark.process
@pytest.mark.parametrize("text", ["import nowhere_installed", "__version__ = '0.0.1'"])
def test_where_the_other_package_is_in_the_place_of_ours_one_line_says_so(site: Path, text: str) -> None:
    (site / "chatproxy").mkdir()
    (site / "chatproxy" / "__init__.py").write_text(text)
    done = run(site, COMMAND)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "is of another package called chatproxy" in done.stderr
    assert "pip uninstall chatproxy" in done.stderr
    plugin = run(site, "from chatproxy_replay import pytest_plugin")
    assert plugin.stderr.splitlines()[-1] == f"ImportError: {done.stderr.rstrip()}"


@pytest.mark.process
def test_what_is_missing_for_another_reason_is_told_as_python_tells_it(tmp_path: Path) -> None:
    done = run(tmp_path, f"import sys; sys.modules['click'] = None; {COMMAND}")
    assert done.returncode == 1
    assert "click" in done.stderr.splitlines()[-1]
