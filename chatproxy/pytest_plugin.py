"""The pytest plugin: a proxy for each test that asks for one, and what becomes of the test's recording.

Nothing of chatproxy is loaded before the first test that uses it.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chatproxy import pytest_options

if TYPE_CHECKING:
    from chatproxy.core.report.coverage import Covered
    from chatproxy.runs.blocking import Blockade
    from chatproxy.runs.per_test import Proxied
    from chatproxy.serve.hosting import Background

_MARKER = (
    "chatproxy(cassette, mode, ignore, clock): what the fixture chatproxy replays or records: a file or a cassette's "
    "name, a word of --record-mode, parameters that do not count in a match, now|recorded|TIME"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options by names of our own."""
    pytest_options.add_own(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser
) -> Generator[None, object, object]:
    """Add the other names once all plugins, and the project, have added theirs."""
    result = yield
    pytest_options.add_shared(parser, early_config)
    return result


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
    item.stash[_PASSED], item.stash[_TOLD] = False, None  # there may have been an earlier try
    with _failing():
        proxied = item.stash[_PROXIED] = run.begin(item)
    with pytest.MonkeyPatch.context() as environ:
        for name, value in proxied.environment().items():
            environ.setenv(name, value)
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
        from chatproxy.runs import marked as of_test  # noqa: PLC0415 - loaded by the first test that uses it
        from chatproxy.runs.attempt import subject_of  # noqa: PLC0415 - as above
        from chatproxy.runs.per_test import Proxied  # noqa: PLC0415 - as above
        from chatproxy.serve.hosting import Background  # noqa: PLC0415 - as above

        root, test = self._config.rootpath, _name(item)
        marked = of_test.merged((mark.args, mark.kwargs) for mark in item.iter_markers("chatproxy"))
        word = of_test.record_mode(marked, pytest_options.record_mode(self._config))
        settings = of_test.settings_of(marked, root)
        subject = subject_of(of_test.cassette_of(marked, item.path, test, root), settings, root)
        if self._background is None:
            self._background = Background()
        session = of_test.session_name(item.path, test, root)
        flag = pytest_options.record_mode_flag(self._config)
        where = os.path.relpath(item.path, self._config.invocation_params.dir)
        asked_for = where + item.nodeid[item.nodeid.find("::") :]
        begun = Proxied(
            subject,
            word,
            settings,
            session=session,
            background=self._background,
            recorded_by=lambda mode: of_test.recording(mode, marked, asked_for, flag),
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
        trouble = item.stash[_TOLD] = proxied.trouble()
        if trouble is not None:
            self.lines += [trouble] if pytest_options.hides(item.config, "tbstyle") else []
            pytest.fail(trouble, pytrace=False)
        with _failing():
            line = proxied.write()
        self.lines += [line] if line else []
        assumed = proxied.assumed()
        self.lines += [assumed] if assumed and assumed not in self.lines else []

    def tell(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Show the misses of a test that did not pass beside its failure, else at the end of the run."""
        trouble = item.stash[_PROXIED].trouble()
        if trouble is None or trouble == item.stash[_TOLD]:
            return
        item.stash[_TOLD] = trouble
        if report.failed:
            report.sections.append(("chatproxy", trouble))
        if not report.failed or pytest_options.hides(item.config, "tbstyle", "showcapture"):
            self.lines.append(trouble)

    def close(self) -> None:
        if self._background is not None:
            self._background.close()
            self._background = None


_RUN = pytest.StashKey[_Run]()
_PROXIED = pytest.StashKey["Proxied"]()
_PASSED = pytest.StashKey[bool]()
_TOLD = pytest.StashKey[str | None]()


@contextmanager
def _failing() -> Iterator[None]:
    """Turn an error of chatproxy into a failure of the test, without a trace of chatproxy's own lines."""
    from chatproxy.core.errors import ChatproxyError  # noqa: PLC0415 - as above

    try:
        yield
    except ChatproxyError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def _name(item: pytest.Item) -> str:
    """Return a test's name with its classes before it."""
    return ".".join([*(node.name for node in item.listchain() if isinstance(node, pytest.Class)), item.name])


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a test with the mark use the fixture, also where it does not ask for it."""
    if not isinstance(item, pytest.Function) or item.get_closest_marker("chatproxy") is None:
        return
    if "chatproxy" not in item.fixturenames:
        item.fixturenames = ["chatproxy", *item.fixturenames]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether a test passed, and show its misses where it failed."""
    report = yield
    if _PROXIED not in item.stash:
        return report
    if report.when == "call":
        item.stash[_PASSED] = report.passed
        item.stash[_PROXIED].ran()
    if not report.passed:
        item.config.stash[_RUN].tell(item, report)
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
    if not pytest_options.blocks_network(session.config):
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


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter", config: pytest.Config) -> None:
    """Say which files were recorded, and which were not."""
    if lines := config.stash[_RUN].lines:
        terminalreporter.section("chatproxy")
        for line in sorted(lines):
            terminalreporter.line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the servers' thread, also where no session ended."""
    if _RUN in config.stash:
        config.stash[_RUN].close()
