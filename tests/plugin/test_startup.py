import subprocess
import sys

import pytest
from plugin.projects import Project

HEAVY = ("chatproxy.", "aiohttp", "asyncio", "lmdb", "orjson", "uvloop", "twilio", "click")
SHOWING = f"""
def pytest_unconfigure():
    import sys
    loaded = sorted(name for name in sys.modules if name.startswith({HEAVY!r}))
    print("loaded", *(name for name in loaded if name not in ("chatproxy.pytest_options", "chatproxy.pytest_plugin")))
"""
QUIET = ("-p", "no:asyncio", "-p", "no:aiohttp", "-p", "no:hypothesispytest", "-p", "no:xdist")


@pytest.mark.process
def test_the_plugin_itself_loads_nothing_of_chatproxy() -> None:
    code = """
import pytest, sys
before = set(sys.modules)
import chatproxy.pytest_plugin
print(*sorted(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["chatproxy", "chatproxy.pytest_options", "chatproxy.pytest_plugin"]


@pytest.mark.process
def test_a_run_without_the_fixture_loads_nothing(project: Project) -> None:
    (project.folder / "conftest.py").write_text(SHOWING)
    project.write("\ndef test_nothing(): pass\n")
    for arguments in (("--collect-only",), ()):
        result = project.pytester.runpytest_subprocess(*QUIET, "-s", *arguments)
        result.stdout.fnmatch_lines(["loaded"])
