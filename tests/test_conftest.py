import signal
import subprocess
import sys

import pytest
from integration.processes import WITHOUT_PLUGINS

HANGS = """
import asyncio, threading, time

def test_in_a_thread():
    thread = threading.Thread(target=time.sleep, args=(5,))
    thread.start()
    thread.join()

def test_in_a_loop():
    async def forever():
        await asyncio.Event().wait()
    asyncio.run(forever())

def test_that_ends():
    pass
"""


def test_a_test_without_the_marker_starts_no_process() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"starts a process .* without the marker `process`"):
        subprocess.run([sys.executable, "-c", ""], check=False)


def test_what_is_started_here_can_be_interrupted() -> None:
    assert signal.getsignal(signal.SIGINT) not in {signal.SIG_IGN, None}
    assert signal.getsignal(signal.SIGQUIT) not in {signal.SIG_IGN, None}
    assert signal.getsignal(signal.SIGHUP) not in {signal.SIG_IGN, None}


@pytest.mark.process
def test_a_test_that_hangs_fails_and_is_named(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(HANGS)
    plugins = [option for option in WITHOUT_PLUGINS if "timeout" not in option]
    result = pytester.runpytest_subprocess("--timeout=1", "-rf", "-p", "no:cacheprovider", *plugins)
    result.assert_outcomes(failed=2, passed=1)
    result.stdout.fnmatch_lines(["FAILED *::test_in_a_thread - *", "FAILED *::test_in_a_loop - *"])


def test_all_tests_have_a_time_limit(pytestconfig: pytest.Config) -> None:
    assert float(pytestconfig.getini("timeout")) > 0
