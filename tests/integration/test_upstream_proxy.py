"""The upstream is asked through a proxy of others, as a company has it."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from integration.processes import Workplace
from integration.programs import free_port, installed, serving
from integration.raw_http import ask_raw, raw_upstream, request
from integration.twilio_clients import messages_at

pytestmark = pytest.mark.process

PASSWORD = "the-password-of-the-proxy"


@contextmanager
def tinyproxy(folder: Path) -> Iterator[int]:
    """Run a proxy that demands a user and a password, and give its port."""
    program, port, file = installed("tinyproxy"), free_port(), folder / "tinyproxy.conf"
    lines = [f"Port {port}", "Listen 127.0.0.1", "Timeout 60", "LogLevel Connect", f"BasicAuth me {PASSWORD}"]
    file.write_text("\n".join([*lines, ""]))
    with serving([program, "-d", "-c", file], port, folder / "tinyproxy.log"):
        yield port


def test_an_upstream_over_tls_is_recorded_through_the_proxy_which_sees_no_credentials(tmp_path: Path) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    place = Workplace(tmp_path)
    with tinyproxy(tmp_path) as port, raw_upstream(context) as upstream:
        upstream.answers["/v1"] = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]
        flags = ("--upstream-ca", "ca.pem", "--upstream-proxy", f"http://me:{PASSWORD}@127.0.0.1:{port}")
        with place.record("talk", f"https://localhost:{upstream.port}", *flags) as server:
            answer = ask_raw(server.port, request("/v1"))
            assert (answer.status, answer.outcome, answer.body) == (200, "recorded", b"ok")
    assert upstream.received[0].values("Proxy-Authorization") == []
    assert f"CONNECT localhost:{upstream.port} HTTP/1.1" in (tmp_path / "tinyproxy.log").read_text()
    assert PASSWORD.encode() not in (place.store / "data.mdb").read_bytes()
    assert PASSWORD not in server.output


def test_a_talk_in_plain_http_is_recorded_through_the_proxy_and_replayed_without_it(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    with place.sandbox() as sandbox, tinyproxy(tmp_path) as port:
        proxy = f"http://me:{PASSWORD}@127.0.0.1:{port}"
        with place.record("talk", sandbox.url, "--upstream-proxy", proxy) as server, messages_at(server.url) as (at, _):
            made = [at.create(body=body).body for body in "abc"]
            assert [one.body for one in at.list(page_size=2)] == made
    with place.replay("talk") as server, messages_at(server.url) as (at, _):
        assert [at.create(body=body).body for body in "abc"] == made
        assert [one.body for one in at.list(page_size=2)] == made
    assert PASSWORD.encode() not in (place.store / "data.mdb").read_bytes()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_refuses_is_an_error_and_nothing_is_recorded(tmp_path: Path, scheme: str) -> None:
    place = Workplace(tmp_path)
    with tinyproxy(tmp_path) as port:
        for access, what in (("", "demands a user"), ("me:wrong@", "did not take the user and password")):
            flags = ("--upstream-proxy", f"http://{access}127.0.0.1:{port}")
            with place.record("talk", f"{scheme}://localhost:1", *flags) as server:
                answer = ask_raw(server.port, request("/v1"))
                assert answer.status == 502
                assert f"the proxy http://127.0.0.1:{port} {what}" in json.loads(answer.body)["message"]
                assert "nothing was recorded" in server.stop()
