"""Runs mitmproxy, with the addon in it, as the forward proxy of one child.

1. The authority that signs certificates is made for that run, trusted by that child alone, and removed with the run.
2. Only connections to the service and to the upstream that stands for it are decrypted, all others are tunnelled.
3. mitmproxy runs in a process of its own. It ends with its parent, however that ends; a recording is a whole one only
   if the parent says so.
"""

import importlib.util
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from chatproxy.config.settings import Settings
from chatproxy.core.errors import ChatproxyError, ConfigError
from chatproxy.core.model import Mode
from chatproxy.core.products.every import HOSTS
from chatproxy.core.report.report import RunOutcome, outcome_of
from chatproxy.core.timeline.known import holding
from chatproxy.core.twilio.origins import is_twilio
from chatproxy.environment import direct
from chatproxy.runs.languages import told
from chatproxy.runs.served import Wanted

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")
_BUNDLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "TWILIO_CA_BUNDLE")
"""The variables in which Python's requests, OpenSSL, Node and Twilio's library for it look for authorities."""

REPORT, END = b"report\n", b"end\n"
"""What the process is told: to write a report of what came so far, and that a recording is whole."""

_PATIENCE = 60.0
"""Seconds that the process gets to begin, or to write its report."""


class Interceptor:
    """Serves attempts by mitmproxy."""

    def serve(self, wanted: Wanted) -> "Interception":
        """Begin to serve; raises ConfigError where mitmproxy is not installed, or a bundle cannot be read."""
        assert isinstance(wanted.cassette, str)
        assert wanted.tied is None
        if importlib.util.find_spec("mitmproxy") is None:
            raise ConfigError("--intercept", "needs mitmproxy: pip install 'mitmproxy>=11'")
        return Interception(wanted.mode, wanted.cassette, wanted.settings, holding(wanted.environ))


class Interception:
    """A process with mitmproxy that serves one child."""

    def __init__(self, mode: Mode, cassette: str, settings: Settings, held: Mapping[str, str]) -> None:
        self._authorities = _authorities(os.environ)
        self._temporary = tempfile.TemporaryDirectory(prefix="chatproxy-")
        self._folder = Path(self._temporary.name)
        self._content: dict[str, Any] = {}
        ready = self._folder / "ready.json"
        own = replace(settings, report=None, ready_file=ready)
        task = b64encode(pickle.dumps((mode, cassette, own, self._folder / "report.json", dict(held))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chatproxy.mitm", *_arguments(self._folder / "authority", settings.upstream)],
            stdin=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # what a terminal sends is for the child
        )
        try:
            self._tell(task + b"\n")
            begun = self._awaited(ready)
            if "error" in begun:
                raise ChatproxyError(begun["error"])
            self.url = str(begun["url"])
        except BaseException:
            self.close(well=False)
            raise

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a child whose connections to the service come here, and that trusts them."""
        bundle = self._folder / "bundle.pem"
        authority = (self._folder / "authority" / "mitmproxy-ca-cert.pem").read_bytes()
        bundle.write_bytes(self._authorities + b"\n" + authority)
        past = direct(environ, but=_is_service)
        return {
            **environ,
            **dict.fromkeys(_PROXIES, self.url),
            **dict.fromkeys(_BUNDLES, str(bundle)),
            **past,
            **told(environ, self.url, bundle, past["NO_PROXY"]),
        }

    def outcome(self) -> RunOutcome:
        """Return what came of it."""
        return outcome_of(self.content())

    def content(self) -> dict[str, object]:
        """Return the whole report, as JSON has it."""
        if not self._content:
            self._tell(REPORT)
            self._content = self._awaited(self._folder / "report.json")
        return self._content

    def close(self, *, well: bool) -> None:
        """Stop serving; a recording that did not go well stays as an interrupted one."""
        try:
            if well:
                self._tell(END)
        finally:
            assert self._process.stdin is not None
            self._process.stdin.close()
            status = self._process.wait()
            self._temporary.cleanup()
        if well and status:
            raise ChatproxyError(f"mitmproxy ended with status {status}; what it printed says why")

    def _tell(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
        except BrokenPipeError as error:
            raise ChatproxyError("mitmproxy ended too early; what it printed says why") from error

    def _awaited(self, path: Path) -> dict[str, Any]:
        """Return what a file holds once the process has written it."""
        until = time.monotonic() + _PATIENCE
        while not path.exists():
            if self._process.poll() is not None:
                raise ChatproxyError("mitmproxy ended too early; what it printed says why")
            if time.monotonic() > until:
                raise ChatproxyError(f"mitmproxy did not answer within {_PATIENCE:g} s")
            time.sleep(0.01)
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return content


def _arguments(authority: Path, upstream: str) -> list[str]:
    """Return mitmproxy's own arguments."""
    given = re.escape(upstream.partition("://")[2])
    hosts = f"^(?:{HOSTS}:\\d+|{given}(?::\\d+)?)$"
    return ["--listen-host", "127.0.0.1", "--listen-port", "0", "--set", f"confdir={authority}", "--allow-hosts", hosts]


def _is_service(host: str) -> bool:
    """Tell whether an entry of NO_PROXY leads a client past the proxy to the service, or to an edge or region of it."""
    name = host.lower().partition(":")[0].strip("*.")
    return not name or is_twilio(name) or _ABOVE.fullmatch(name) is not None


_ABOVE = re.compile(r"com|(?:(?:[a-z0-9-]+\.)?[a-z]{2}\d\.)?twilio\.com")
"""The domains that hosts of the service are in, as chat.dublin.ie1.twilio.com."""


def _authorities(environ: Mapping[str, str]) -> bytes:
    """Return the authorities that a child trusts already: those that its environment names, or else certifi's."""
    found = []
    for name in dict.fromkeys(_BUNDLES):
        path = environ.get(name)
        if path and not os.path.isdir(path):  # a folder of hashed certificates is looked into by OpenSSL alone
            try:
                found.append(Path(path).read_bytes())
            except OSError as error:
                raise ConfigError(name, f"{path} cannot be read: {error.strerror}") from error
    if not found:
        import certifi  # noqa: PLC0415 - comes with mitmproxy

        found.append(Path(certifi.where()).read_bytes())
    return b"\n".join(dict.fromkeys(found))
