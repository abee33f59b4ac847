"""The pytest plugin: a proxy for each test that asks for one, and what becomes of the test's recording.

Nothing of chatproxy is loaded before the first test that uses it.
"""

import importlib.util
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from chatproxy.core.report.coverage import Covered
    from chatproxy.runs.blocking import Blockade
    from chatproxy.runs.per_test import Proxied
    from chatproxy.serve.hosting import Background

_MARKER = (
    "chatproxy(cassette, mode, ignore, clock): what the fixture chatproxy replays or records: a file or a cassette's "
    "name, a word of --record-mode, parameters that do not count in a match, now|recorded|TIME"
)
_WORDS = ("none", "once", "new_episodes", "all", "rewrite")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, those aside that pytest-recording adds by the same names and with the same meaning."""
    group = parser.getgroup("chatproxy", "recorded answers of Twilio Programmable Chat")
    group.addoption(
        "--chatproxy-report",
        metavar="FILE",
        help="write which recorded exchanges the tests were served, for `chatproxy coverage merge`",
    )
    if importlib.util.find_spec("pytest_recording") is not None:
        return
    group.addoption(
        "--record-mode",
        choices=_WORDS,
        default=None,
        help="none: replay (the default); once: record where no file is; rewrite, all: record each test anew; "
        "new_episodes: as once, and add what is missing to files with live SIDs",
    )
    group.addoption("--block-network", action="store_true", help="fail a test that reaches for another machine")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and refuse a report that could not be written."""
    config.addinivalue_line("markers", _MARKER)
    run = config.stash[_RUN] = _Run(config)
    if run.report is not None and not run.is_worker:
        from chatproxy.core.errors import ConfigError  # noqa: PLC0415 - only where it is asked for
        from chatproxy.files import make_way  # noqa: PLC0415 - as above

        try:
            make_way(run.report, flag="--chatproxy-report")
        except ConfigError as error:
            raise pytest.UsageError(str(error)) from error


class ChatproxyMixin:
    """Gives each test of a unittest.TestCase the fixture as ``self.chatproxy``; the tests are run by pytest."""

    chatproxy: "Proxied"

    @pytest.fixture(autouse=True)
    def _take_chatproxy(self, chatproxy: "Proxied") -> None:
        self.chatproxy = chatproxy


@pytest.fixture
def chatproxy(request: pytest.FixtureRequest) -> Iterator["Proxied"]:
    """Serve this test alone: ``url``, ``session``, ``twilio_client()``, ``misses``, ``exchanges``.

    A miss fails the test, also where the code under test does not mind the answer.
    """
    run, item = request.config.stash[_RUN], request.node
    item.stash[_PASSED] = False  # it may have passed in an earlier try
    with _failing():
        proxied = item.stash[_PROXIED] = run.begin(item)
    yield proxied
    with _failing():
        proxied.close(passed=item.stash.get(_PASSED, False), report=run.report is not None)
    run.covered += proxied.covered


class _Run:
    """What one process knows of a test run: its servers' thread, what it recorded, and what was served."""

    def __init__(self, config: pytest.Config) -> None:
        self.is_worker = hasattr(config, "workerinput")
        self.lines: list[str] = []
        self.covered: list[Covered] = []
        self.blockade: Blockade | None = None
        self._config = config
        self._background: Background | None = None
        self._recorded: dict[Path | str, str] = {}

    @property
    def report(self) -> Path | None:
        given: str | None = self._config.getoption("--chatproxy-report")
        return self._config.invocation_params.dir / given if given else None

    def begin(self, item: pytest.Item) -> "Proxied":
        """Begin to serve for a test."""
        from chatproxy.core.errors import ConfigError  # noqa: PLC0415 - as above
        from chatproxy.runs import per_test as proxied  # noqa: PLC0415 - loaded by the first test that uses it
        from chatproxy.runs.attempt import subject_of  # noqa: PLC0415 - as above
        from chatproxy.serve.hosting import Background  # noqa: PLC0415 - as above

        root, marked, (module, test) = self._config.rootpath, _marks(item), _names(item)
        word = proxied.record_mode(marked, self._config.getoption("record_mode") or "none")
        settings = proxied.settings_of(marked, root)
        subject = subject_of(str(marked.get("cassette") or proxied.default_cassette(module, test)), settings, root)
        if self._background is None:
            self._background = Background()
        session = proxied.session_name(module, test)
        where = os.path.relpath(item.path, self._config.invocation_params.dir)
        asked_for = where + item.nodeid[item.nodeid.find("::") :]
        begun = proxied.Proxied(
            subject,
            word,
            settings,
            session=session,
            background=self._background,
            recorded_by=lambda mode: proxied.recording(mode, marked, asked_for),
        )
        if begun.mode == "record":
            other = self._recorded.setdefault(begun.path or subject.name, item.nodeid)
            if other != item.nodeid:
                begun.close(passed=False, report=False)
                raise ConfigError(
                    subject.shown, f"was recorded by {other} just now; give each test a cassette of its own"
                )
        return begun

    def settle(self, item: pytest.Item) -> None:
        """Fail a test that missed, else keep what it recorded."""
        proxied = item.stash[_PROXIED]
        trouble = proxied.trouble()
        if trouble is not None:
            pytest.fail(trouble, pytrace=False)
        with _failing():
            line = proxied.write()
        self.lines += [line] if line else []
        assumed = proxied.assumed()
        self.lines += [assumed] if assumed and assumed not in self.lines else []

    def close(self) -> None:
        if self._background is not None:
            self._background.close()
            self._background = None


_RUN = pytest.StashKey[_Run]()
_PROXIED = pytest.StashKey["Proxied"]()
_PASSED = pytest.StashKey[bool]()


@contextmanager
def _failing() -> Iterator[None]:
    """Turn an error of chatproxy into a failure of the test, without a trace of chatproxy's own lines."""
    from chatproxy.core.errors import ChatproxyError  # noqa: PLC0415 - as above

    try:
        yield
    except ChatproxyError as error:
        pytest.fail(str(error), pytrace=False)


def _marks(item: pytest.Item) -> dict[str, Any]:
    """Return what the marks say, that of the function over those of its class and module."""
    marked: dict[str, Any] = {}
    for mark in reversed(list(item.iter_markers("chatproxy"))):
        if mark.args:
            pytest.fail(f"@pytest.mark.chatproxy takes names: chatproxy(cassette={mark.args[0]!r})", pytrace=False)
        marked |= mark.kwargs
    return marked


def _names(item: pytest.Item) -> tuple[str, str]:
    """Return the name of a test's module, and its own with its classes before it."""
    classes = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
    module = getattr(getattr(item, "module", None), "__name__", item.path.stem)
    return module, ".".join([*classes, item.name])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether a test passed, and show its misses where it failed."""
    report = yield
    if report.when == "call" and _PROXIED in item.stash:
        item.stash[_PASSED] = report.passed
        item.stash[_PROXIED].ran()
        if not report.passed:
            trouble = item.stash[_PROXIED].trouble()
            report.sections += [("chatproxy", trouble)] if trouble else []
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Settle what became of a test once all that it used is torn down."""
    result = yield
    run = item.config.stash[_RUN]
    refused = run.blockade.refused() if run.blockade is not None else []
    if refused:
        pytest.fail(f"--block-network refused {', '.join(refused)}", pytrace=False)
    if _PROXIED in item.stash and item.stash.get(_PASSED, False):
        run.settle(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Keep the tests from other machines if that is asked for."""
    if not session.config.getoption("block_network"):
        return (yield)
    from chatproxy.runs.blocking import Blockade  # noqa: PLC0415 - only where it is asked for

    run = session.config.stash[_RUN]
    run.blockade = Blockade()
    with run.blockade.closed():
        return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take in what a worker of pytest-xdist recorded and was served."""
    from chatproxy.core.report.coverage import read_coverage  # noqa: PLC0415 - only where there are workers

    run, content = node.config.stash[_RUN], getattr(node, "workeroutput", {}).get("chatproxy")
    if content is None:
        run.lines.append(f"a worker died ({node.gateway.id}): what it recorded and served is not told here")
        return
    run.lines += content["lines"]
    run.covered += read_coverage(content["coverage"], "worker")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over to the process that has the workers, or write the report."""
    run = session.config.stash[_RUN]
    run.close()
    if not run.is_worker and run.report is None:
        return
    from chatproxy.core.errors import ChatproxyError  # noqa: PLC0415 - as above
    from chatproxy.core.report.coverage import coverage_json, merged  # noqa: PLC0415 - only where it is asked for
    from chatproxy.files import write_json  # noqa: PLC0415 - as above

    if run.is_worker:
        output: dict[str, Any] = session.config.workeroutput  # type: ignore[attr-defined]  # given by pytest-xdist
        output["chatproxy"] = {"lines": run.lines, "coverage": coverage_json(run.covered)}
    elif run.report is not None:
        try:
            write_json(run.report, coverage_json(merged(run.covered)), flag="--chatproxy-report")
        except ChatproxyError as error:
            run.lines.append(str(error))
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which files were recorded, and which were not."""
    if lines := config.stash[_RUN].lines:
        terminalreporter.section("chatproxy")
        for line in sorted(lines):
            terminalreporter.line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the servers' thread, also where no session ended."""
    if _RUN in config.stash:
        config.stash[_RUN].close()
