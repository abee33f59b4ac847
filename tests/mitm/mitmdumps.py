"""Real mitmdump processes with the addon, and clients that speak to them in each way there is."""

import json
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

import forks
from forks import Forked
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded
from integration.asking import Answer, answered, basic
from integration.processes import PATIENCE, environment

TWILIO = "https://chat.twilio.com"
ADDON = Path(__file__).parents[2] / "chatproxy" / "addon.py"

WATCH = """
import os, sys

def note(event, arguments):
    if event == "socket.getaddrinfo":
        seen = arguments[0]
    elif event == "socket.connect":
        seen = arguments[1][0]
    else:
        return
    with open(os.environ["WATCHED"], "a") as file:
        file.write(f"{seen}\\n")

sys.addaudithook(note)
"""
"""Notes each host that a Python process looks up or connects to."""


@dataclass
class Mitmdump:
    """A running mitmdump, at ``url``; it trusts nobody else's certificates but signs with ``authority``."""

    process: Forked
    folder: Path
    url: str = ""

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def log(self) -> str:
        """Its event log so far."""
        return (self.folder / "mitmdump.log").read_text()

    @property
    def authority(self) -> Path:
        return self.folder / "authority" / "mitmproxy-ca-cert.pem"

    @property
    def reached(self) -> set[str]:
        """The hosts that it looked up or connected to."""
        watched = self.folder / "watched"
        return set(watched.read_text().split()) if watched.exists() else set()

    def stop(self) -> str:
        """End it as a person does, and return its log."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(PATIENCE) == 0, self.log
        return self.log

    def awaited(self, text: str) -> None:
        """Wait until its log has a text."""
        until = time.monotonic() + PATIENCE
        while text not in self.log:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.01)


@contextmanager
def mitmdump(
    folder: Path, *arguments: str, options: Mapping[str, object] | None = None, scripts: tuple[Path, ...] = (ADDON,)
) -> Iterator[Mitmdump]:
    """Run mitmdump with the addon in a folder while the block lasts; options are those of the addon, by their ends."""
    (folder / "sitecustomize.py").write_text(WATCH)
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    given = {f"chatproxy_{name}": value for name, value in {"ready_file": ready, **(options or {})}.items()}
    command = [*arguments]
    command += ["--listen-host", "127.0.0.1", "--listen-port", "0", "--set", f"confdir={folder / 'authority'}"]
    for script in scripts:
        command += ["-s", str(script)]
    for name, value in given.items():
        command += ["--set", f"{name}={value}"]
    with (folder / "mitmdump.log").open("wb") as log:
        environ = environment() | {"PYTHONPATH": str(folder), "WATCHED": str(folder / "watched")}
        process = forks.mitmdump(command, cwd=folder, env=environ, stdout=log, stderr=subprocess.STDOUT)
    running = Mitmdump(process, folder)
    try:
        running.awaited(" listening at ")
        if scripts and "ready_file" not in (options or {}):
            running.url = _url(ready, running)
        else:
            port = running.log.partition(" listening at 127.0.0.1:")[2].split(".")[0]
            running.url = f"http://127.0.0.1:{port}"
        yield running
        if process.poll() is None:
            running.stop()
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)


def _url(ready: Path, running: Mitmdump) -> str:
    until = time.monotonic() + PATIENCE
    while not ready.exists():
        assert running.process.poll() is None, running.log
        assert time.monotonic() < until, running.log
        time.sleep(0.01)
    return str(json.loads(ready.read_text())["url"])


def ask_through(
    proxy: Mitmdump, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> Answer:
    """Make one request through mitmproxy as a forward proxy: over HTTPS by CONNECT, with its authority trusted."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    connection: HTTPConnection
    if scheme == "https":
        trusted = ssl.create_default_context(cafile=proxy.authority)
        connection = HTTPSConnection("127.0.0.1", proxy.port, timeout=PATIENCE, context=trusted)
        connection.set_tunnel(host)
        target = slash + path
    else:
        connection = HTTPConnection("127.0.0.1", proxy.port, timeout=PATIENCE)
        target = url
    return answered(connection, method, target, body, headers)


def ask_tls(
    proxy: Mitmdump, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> Answer:
    """Make one request to mitmproxy as a reverse proxy, over HTTPS."""
    trusted = ssl.create_default_context(cafile=proxy.authority)
    connection = HTTPSConnection("127.0.0.1", proxy.port, timeout=PATIENCE, context=trusted)
    return answered(connection, method, target, body, headers)


def ask_http2(
    proxy: Mitmdump, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> Answer:
    """Make one request to the service over HTTP/2, in a tunnel through mitmproxy as a forward proxy."""
    host = TWILIO.removeprefix("https://")
    trusted = ssl.create_default_context(cafile=proxy.authority)
    trusted.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", proxy.port), PATIENCE) as plain:
        plain.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
        assert plain.recv(65536).startswith(b"HTTP/1.1 200")
        with trusted.wrap_socket(plain, server_hostname=host) as secured:
            assert secured.selected_alpn_protocol() == "h2"
            fields = [(":method", method), (":authority", host), (":scheme", "https"), (":path", target)]
            fields += [(name.lower(), value) for name, value in {**basic(), **(headers or {})}.items()]
            return _over_http2(secured, fields, body)


def _over_http2(secured: ssl.SSLSocket, fields: list[tuple[str, str]], body: bytes) -> Answer:
    connection = H2Connection(H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    connection.send_headers(1, fields, end_stream=not body)
    if body:
        connection.send_data(1, body, end_stream=True)
    got: dict[Any, Any] = {}  # texts, which h2's types of today call bytes
    content = b""
    while True:
        secured.sendall(connection.data_to_send())
        for event in connection.receive_data(secured.recv(65536)):
            if isinstance(event, ResponseReceived):
                got = dict(event.headers)
            elif isinstance(event, DataReceived):
                content += event.data
                connection.acknowledge_received_data(len(event.data), 1)
            elif isinstance(event, StreamEnded):
                status = int(got.pop(":status"))
                return Answer(status, "", tuple(got.items()), content)
