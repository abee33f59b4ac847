"""A client speaks TLS with a server of others, which passes its requests on to the proxy in plain HTTP."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
import trustme
from integration.processes import Workplace
from integration.programs import free_port, installed, serving
from integration.twilio_clients import messages_at

pytestmark = pytest.mark.process


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a certificate of this machine that the client trusts, with its key in the same file."""
    authority, file = trustme.CA(), tmp_path / "server.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(file))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    return file


_NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/client;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {certificate};
    location / {{
      proxy_pass {backend};
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Real-IP $remote_addr;
      {more}
    }}
  }}
}}
"""


@contextmanager
def nginx(folder: Path, port: int, certificate: Path, backend: str, *, more: str = "") -> Iterator[None]:
    program, file = installed("nginx"), folder / "nginx.conf"
    to = f"http://{backend}:" if backend.startswith("unix:") else backend
    file.write_text(_NGINX.format(folder=folder, port=port, certificate=certificate, backend=to, more=more))
    with serving([program, "-p", folder, "-e", "stderr", "-c", file], port, folder / "nginx.out"):
        yield


@contextmanager
def nginx_with_host(folder: Path, port: int, certificate: Path, backend: str) -> Iterator[None]:
    with nginx(folder, port, certificate, backend, more="proxy_set_header Host $http_host;"):
        yield


@contextmanager
def stunnel(folder: Path, port: int, certificate: Path, backend: str) -> Iterator[None]:
    program, file = installed("stunnel"), folder / "stunnel.conf"
    to = backend.removeprefix("unix:").removeprefix("http://")
    lines = ["foreground = yes", "pid =", "[chat]", f"accept = 127.0.0.1:{port}", f"connect = {to}"]
    file.write_text("\n".join([*lines, f"cert = {certificate}", ""]))
    with serving([program, file], port, folder / "stunnel.out"):
        yield


Before = Callable[[Path, int, Path, str], AbstractContextManager[None]]


def talk(url: str) -> tuple[list[str], list[str]]:
    """Write and list by twos, and return what was said and which URLs were asked for."""
    with messages_at(url) as (messages, asked):
        for body in "abcde":
            messages.create(body=body)
        said = [message.body for message in messages.list(page_size=2)]
    return said, [one.partition(" ")[2] for one in asked]


@pytest.mark.parametrize("before", [nginx, nginx_with_host, stunnel])
def test_behind_tls_every_page_of_a_recording_and_of_its_replay_is_asked_for_over_tls(
    tmp_path: Path, certificate: Path, before: Before
) -> None:
    place, port = Workplace(tmp_path), free_port()
    public = f"https://localhost:{port}"
    flags = ("--public-url", public)
    with place.sandbox() as sandbox, place.record("talk", sandbox.url, *flags) as server, ExitStack() as stack:
        stack.enter_context(before(tmp_path, port, certificate, server.url))
        recorded = talk(public)
    with place.replay("talk", *flags) as server, before(tmp_path, port, certificate, server.url):
        replayed = talk(public)
    for said, asked in (recorded, replayed):
        assert said == list("abcde")
        assert len(asked) == 8
        assert {url.startswith(f"{public}/v1/") for url in asked} == {True}
    place.run("export", "talk")
    fixture = (tmp_path / "cassettes" / "talk.json").read_text()
    assert "localhost" not in fixture
    assert "forwarded" not in fixture.lower()


def test_behind_nginx_a_client_that_names_twilio_is_led_to_twilio_over_tls(tmp_path: Path, certificate: Path) -> None:
    place, port = Workplace(tmp_path), free_port()
    with place.sandbox() as sandbox, place.record("talk", sandbox.url) as server, ExitStack() as stack:
        named = "proxy_set_header Host chat.twilio.com;"
        stack.enter_context(nginx(tmp_path, port, certificate, server.url, more=named))
        with messages_at(f"https://localhost:{port}") as (messages, _):
            assert messages.create(body="a").url.startswith("https://chat.twilio.com/v1/")


def test_behind_nginx_a_socket_in_the_file_system_is_enough_and_others_need_a_token(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    place, port = Workplace(tmp_path), free_port()
    public = f"https://localhost:{port}"
    path = tmp_path / "chat.sock"
    with place.sandbox() as sandbox, place.record("talk", sandbox.url, "--public-url", public) as server:
        with nginx(tmp_path, port, certificate, server.url):
            talk(public)
    with place.replay("talk", "--public-url", public, listen=f"unix:{path}") as server:
        assert server.url == f"unix:{path}"
        with nginx(tmp_path, port, certificate, server.url):
            said, asked = talk(public)
            assert said == list("abcde")
            assert {url.startswith(f"{public}/v1/") for url in asked} == {True}
            with urlopen(f"{public}/__chatproxy/health") as answer:
                assert json.load(answer)["mode"] == "replay"
    assert not path.exists()
