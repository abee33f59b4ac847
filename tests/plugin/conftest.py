"""What all tests of the pytest plugin have: an upstream to record, and a project with tests that ask it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from plugin.projects import ACCOUNT, TOKEN, Project
from servers import settings

import chatproxy.runs.per_test  # what a run in this process loads would be loaded anew for each run
import chatproxy.testing  # noqa: F401 - as above
from chatproxy.serve.hosting import in_background
from chatproxy.serve.listen import sandbox


@pytest.fixture
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of a stand-in for Twilio."""
    with in_background(sandbox(replace(settings(tmp_path_factory.mktemp("sandbox"))))) as running:
        yield running.url


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project without an upstream: whatever it asks for is refused."""
    for name, value in (("TWILIO_ACCOUNT_SID", ACCOUNT), ("TWILIO_AUTH_TOKEN", TOKEN)):
        monkeypatch.setenv(name, value)
    for name in ("CHATPROXY_UPSTREAM", "GITHUB_ACTIONS", "HTTP_PROXY", "http_proxy", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CHATPROXY_UPSTREAM", "http://127.0.0.1:9")
    return Project(pytester, monkeypatch, Path(pytester.path))
