import json
from base64 import b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from strategies import FORM, JSON, UPSTREAM

from chatproxy.checks.upstream_again import ask_again, credentials_of
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import ConfigError, UpstreamError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, Request, Response
from chatproxy.core.scrubbing.rules import Action, LooksAt, Scrub, ScrubRule
from chatproxy.upstream import UpstreamSettings

RULES = Rules()
ACCOUNT, KEY = "AC" + "1" * 32, "SK" + "2" * 32
ANSWER = json.dumps({"body": "Hello", "index": 0}).encode()
RECORDED = [
    Exchange(
        1, Request("POST", b"/v1/a", (FORM,), b"From=alice"), Response(201, b"Created", (JSON,), ANSWER), UPSTREAM, 1, 2
    ),
    Exchange(2, Request("GET", b"/v1/a?b=c"), Response(200, b"OK", (JSON,), ANSWER), UPSTREAM, 3, 4, 1),
]


class Drifted(BaseHTTPRequestHandler):
    """An upstream whose index has become a text; it remembers what it saw."""

    seen: list[tuple[str, str, bytes]]

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.seen.append((f"{self.command} {self.path}", self.headers["Authorization"], self.rfile.read(length)))
        content = json.dumps({"body": "Hello", "index": "0"}).encode()
        self.send_response(200 if self.command == "GET" else 201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def upstream() -> Iterator[ThreadingHTTPServer]:
    Drifted.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Drifted) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def asked(server: ThreadingHTTPServer, *, writes: bool, rules: Rules = RULES) -> list[str]:
    settings = UpstreamSettings(f"http://127.0.0.1:{server.server_port}")
    credentials = credentials_of({"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": "token"})
    cassette = MemoryCassette("a", RECORDED, rules)
    checked = ask_again(cassette, rules, settings, credentials, bind={}, writes=writes)
    return [f"{one.exchange} {one.severity} {one.place}" for each in checked for one in each.findings]


def test_reads_only_send_no_write(upstream: ThreadingHTTPServer) -> None:
    places = asked(upstream, writes=False)
    assert [line for line, _, _ in Drifted.seen] == ["GET /v1/a?b=c"]
    assert "a/2 high /index" in places
    assert b64decode(Drifted.seen[0][1].removeprefix("Basic ")) == f"{ACCOUNT}:token".encode()


def test_writes_are_sent_as_recorded_whatever_is_scrubbed(upstream: ThreadingHTTPServer) -> None:
    scrub = Scrub((ScrubRule(LooksAt.PARAMETER, "From", Action.REPLACE, "x"),))
    assert "a/1 high /index" in asked(upstream, writes=True, rules=Rules(scrub=scrub))
    assert [body for _, _, body in Drifted.seen] == [b"From=alice", b""]


def test_an_upstream_that_cannot_be_reached_is_an_error() -> None:
    cassette = MemoryCassette("a", RECORDED, RULES)
    with pytest.raises(UpstreamError, match="cannot be reached"):
        ask_again(cassette, RULES, UpstreamSettings("http://127.0.0.1:1"), (), bind={}, writes=False)


def test_an_api_key_goes_before_the_account() -> None:
    environ = {"TWILIO_API_KEY": KEY, "TWILIO_API_SECRET": "s", "TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": "t"}
    ((name, value),) = credentials_of(environ)
    assert (name, b64decode(value.removeprefix(b"Basic "))) == (b"Authorization", f"{KEY}:s".encode())
    with pytest.raises(ConfigError, match="needs credentials"):
        credentials_of({"TWILIO_API_KEY": KEY, "TWILIO_ACCOUNT_SID": ACCOUNT})
