"""What holds for all tests: how many examples laws are held to, who may start processes, how signals are taken."""

import signal
import sys
from collections.abc import Iterator

import profiles  # noqa: F401 - it registers them
import pytest
from hypothesis import settings

settings.load_profile("ci")

# What a shell starts in the background ignores the first two, what `nohup` starts the third, and so would all that is
# started here.
for _number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number is signal.SIGINT else signal.SIG_DFL)

_STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "forks.Forked"}
_running: list[pytest.Item] = []


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event in _STARTS and _running and _running[0].get_closest_marker("process") is None:
        pytest.fail(f"{_running[0].nodeid} starts a process ({event} {arguments[:1]}) without the marker `process`")


sys.addaudithook(_note)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note which test runs, its fixtures included."""
    _running.append(item)
    try:
        return (yield)
    finally:
        _running.pop()
