"""A project whose tests use the plugin, as pytester runs it."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from integration.processes import WITHOUT_PLUGINS

ACCOUNT = "AC0123456789abcdef0123456789abcdef"
TOKEN = "the-auth-token-of-the-account"
FILE = "cassettes/test_chat/test_says.json"

ASKING = """
import os
import urllib.error
import urllib.parse
import urllib.request
import pytest

CHANNEL = "/v1/Services/IS0123456789abcdef0123456789abcdef/Channels/CH0123456789abcdef0123456789abcdef/Messages"
BASIC = "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjp0aGUtYXV0aC10b2tlbi1vZi10aGUtYWNjb3VudA=="

def ask(url, form=None, path=CHANNEL):
    data = None if form is None else urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(url + path, data, {"Authorization": BASIC})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        error.close()
        raise

def say(proxy, body):
    return ask(proxy.url, {"Body": body})
"""
"""What each test file begins with: a client of the standard library alone."""

_ALWAYS = ("-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function")
_APART = ("-p", "no:cacheprovider", *WITHOUT_PLUGINS)


@dataclass
class Project:
    pytester: pytest.Pytester
    monkeypatch: pytest.MonkeyPatch
    folder: Path

    def asking(self, upstream: str) -> None:
        """Let recordings ask this upstream from now on."""
        self.monkeypatch.setenv("CHATPROXY_UPSTREAM", upstream)

    def offline(self) -> None:
        """Let there be no upstream any more."""
        self.monkeypatch.setenv("CHATPROXY_UPSTREAM", "http://127.0.0.1:9")

    def write(self, tests: str, name: str = "test_chat") -> None:
        """Write the test file."""
        (self.folder / f"{name}.py").write_text(ASKING + tests, "utf-8")

    def saying(self, body: str, more: str = "") -> None:
        """Write a test file with one test that says this."""
        self.write(f"\ndef test_says(chatproxy):\n    assert {body!r} in say(chatproxy, {body!r})\n    {more}\n")

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in this process."""
        return self.pytester.runpytest_inprocess(*_ALWAYS, *arguments)

    def run_apart(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in a process of its own."""
        return self.pytester.runpytest_subprocess(*_APART, *arguments)

    @property
    def files(self) -> list[str]:
        """All fixtures that are there."""
        found = (self.folder / "cassettes").rglob("*")
        return sorted(path.relative_to(self.folder).as_posix() for path in found if path.is_file())

    def text(self, file: str = FILE) -> str:
        """What a fixture holds."""
        return (self.folder / file).read_text("utf-8")
