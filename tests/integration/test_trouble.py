import json
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme
from integration.asking import basic
from integration.processes import PATIENCE, Server, Workplace
from integration.raw_http import Message, RawUpstream, ask_raw, connected, raw_upstream, request

pytestmark = pytest.mark.process

LIMIT = 1000
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(scope="module")
def upstream() -> Iterator[RawUpstream]:
    with raw_upstream() as upstream:
        upstream.answers |= {"/ok": [OK], "/": [OK]}
        yield upstream


@pytest.fixture(scope="module")
def recorder(upstream: RawUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A recorder with small limits, of which nothing must be recorded."""
    flags = ("--max-body", LIMIT, "--max-header", LIMIT, "--upstream-timeout", 0.5, "--client-timeout", 0.5)
    place = Workplace(tmp_path_factory.mktemp("trouble"))
    with place.record("none", upstream.origin, *flags, "--max-connections", 4) as recorder:
        yield recorder
        output = recorder.stop()
    assert recorder.count("recorded") == 0
    assert "nothing was recorded, there is no cassette none" in output
    assert "Traceback" not in output
    assert "no cassettes" in place.run("list")


def is_error(answer: Message | None, status: int, *words: str) -> bool:
    """Twilio's error JSON with this status and reason, not recorded, and framed well."""
    assert answer is not None
    error = json.loads(answer.body)
    assert (answer.status, answer.outcome, answer.values("x-chatproxy-exchange")) == (status, "error", [])
    assert answer.values("Content-Type") == ["application/json; charset=utf-8"]
    assert list(error) == ["code", "message", "status"]
    assert error["code"] == error["status"] == status
    assert all(word in error["message"] for word in words), error["message"]
    return True


BROKEN = {
    "no HTTP": (b"SMTP ready\r\n\r\n",),
    "nothing": (b"",),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-",),
    "half a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",),
    "half a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n12345",),
    "no last chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n",),
    "no gzip": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n12345",),
    "odd status": (b"HTTP/1.1 abc OK\r\n\r\n",),
    "lengths that differ": (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12",),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_answer_is_502(upstream: RawUpstream, recorder: Server, how: str) -> None:
    upstream.answers["/broken"] = list(BROKEN[how])
    for method in ("GET", "POST"):
        assert is_error(ask_raw(recorder.port, request("/broken", method=method)), 502, upstream.origin)


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_write_is_never_sent_twice(upstream: RawUpstream, recorder: Server, method: str) -> None:
    """Its effect may be there though no answer came; asked again, a delete would be answered with 404."""
    upstream.answers["/dropped"] = [b""]
    upstream.received.clear()
    assert is_error(ask_raw(recorder.port, request("/dropped", method=method)), 502)
    assert len(upstream.received) == 1


def test_an_answer_that_is_too_large_is_502(upstream: RawUpstream, recorder: Server) -> None:
    upstream.answers["/fits"] = [b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001]
    assert is_error(ask_raw(recorder.port, request("/fits")), 502, "larger than 1000 bytes (--max-body)")


def test_a_late_answer_is_504(upstream: RawUpstream, recorder: Server) -> None:
    upstream.answers["/late"] = [3.0, OK]
    upstream.answers["/half"] = [OK[:-1], 3.0, OK[-1:]]
    for target in ("/late", "/half"):
        begun = time.monotonic()
        assert is_error(ask_raw(recorder.port, request(target)), 504, "--upstream-timeout")
        assert time.monotonic() - begun < 2.5


def test_a_request_that_is_too_large_is_413(upstream: RawUpstream, recorder: Server) -> None:
    upstream.received.clear()
    known = request("/ok", method="POST", body=b"x" * (LIMIT + 1))
    in_chunks = request("/ok", "Transfer-Encoding: chunked", method="POST") + b"3e9\r\n" + b"x" * (LIMIT + 1) + b"\r\n"
    announced = request("/ok", "Expect: 100-continue", "Content-Length: 5000", method="POST")
    for data in (known, in_chunks, announced):
        assert is_error(ask_raw(recorder.port, data), 413, "larger than 1000 bytes (--max-body)")
    assert upstream.received == []


def test_a_body_that_does_not_come_is_408(recorder: Server) -> None:
    data = request("/ok", "Content-Length: 5", method="POST")
    assert is_error(ask_raw(recorder.port, data), 408, "--client-timeout")


def test_a_header_that_is_too_long_is_431(recorder: Server) -> None:
    for data in (request("/ok", "X-Long: " + "x" * (LIMIT + 1)), request("/" + "x" * LIMIT)):
        assert is_error(ask_raw(recorder.port, data), 431, "--max-header")


NO_HTTP = {
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "words": b"hello there\r\n\r\n",
    "a bad header": b"GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
    "a bad length": request("/", "Content-Length: -1"),
    "a bad version": b"GET / HTTP/9.9.9\r\nHost: localhost\r\n\r\n",
    "a bad chunk": request("/", "Transfer-Encoding: chunked", method="POST") + b"zz\r\n",
    "length and chunks": request("/", "Content-Length: 1", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n",
    "two lengths": request("/", "Content-Length: 1", "Content-Length: 2", method="POST") + b"12",
    "a bad host": b"GET / HTTP/1.1\r\nHost: a b/c\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "a header in Latin-1": request("/", "X-A: a").replace(b"X-A: a", b"X-A: \xe9"),
    "no path": request("*", method="OPTIONS"),
    "a forward proxy's target": b"CONNECT chat.twilio.com:443 HTTP/1.1\r\nHost: chat.twilio.com:443\r\n\r\n",
}


@pytest.mark.parametrize("what", NO_HTTP)
def test_what_is_no_http_is_400_and_goes_nowhere(upstream: RawUpstream, recorder: Server, what: str) -> None:
    upstream.received.clear()
    with connected(recorder.port) as stream:
        stream.send(NO_HTTP[what])
        assert is_error(stream.read(), 400)
        assert stream.ended()
    assert upstream.received == []


def test_too_many_connections_are_503(recorder: Server) -> None:
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(connected(recorder.port))
        with connected(recorder.port) as one_more:
            assert is_error(one_more.read(), 503, "more than 4 connections", "--max-connections")
            assert one_more.ended()
    until = time.monotonic() + PATIENCE
    while ask_raw(recorder.port, b"no HTTP\r\n\r\n").status == 503:  # it has not noticed yet that they are gone
        assert time.monotonic() < until


def test_passthrough_streams_what_is_larger_than_any_limit(upstream: RawUpstream, tmp_path: Path) -> None:
    large = b"x" * 300_000
    upstream.answers["/large"] = [b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n", large[:1000], 0.3, large[1000:]]
    with Workplace(tmp_path).serving("passthrough", "--upstream", upstream.origin, "--max-body", LIMIT) as server:
        answer = ask_raw(server.port, request("/large"))
    assert (answer.status, answer.outcome, answer.body) == (200, "passed", large)


def test_passthrough_reads_json_for_its_urls_up_to_the_limit(upstream: RawUpstream, tmp_path: Path) -> None:
    for name, padding in (("/small", 10), ("/big", 3000)):
        body = json.dumps({"url": f"{upstream.origin}/x", "body": "x" * padding}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        upstream.answers[name] = [head.encode() + body]
    with Workplace(tmp_path).serving("passthrough", "--upstream", upstream.origin, "--max-body", LIMIT) as server:
        small, big = (json.loads(ask_raw(server.port, request(name)).body) for name in ("/small", "/big"))
    assert small["url"] == "http://127.0.0.1/x"
    assert (big["url"], len(big["body"])) == (f"{upstream.origin}/x", 3000)


def test_passthrough_does_not_let_half_an_answer_look_whole(upstream: RawUpstream, tmp_path: Path) -> None:
    upstream.answers["/broken"] = list(BROKEN["half a body"])
    with Workplace(tmp_path).serving("passthrough", "--upstream", upstream.origin) as server:
        with connected(server.port) as stream:
            stream.send(request("/broken"))
            with pytest.raises((OSError, ValueError)):  # no last chunk comes
                stream.read()
        assert "Traceback" not in server.stop()


def test_an_upstream_that_cannot_be_reached_is_502(tmp_path: Path) -> None:
    with Workplace(tmp_path).record("none", "http://127.0.0.1:1") as recorder:
        assert is_error(ask_raw(recorder.port, request("/ok")), 502, "http://127.0.0.1:1", "cannot be reached")
        assert "nothing was recorded" in recorder.stop()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


@pytest.fixture(scope="module")
def secure(authority: trustme.CA) -> Iterator[RawUpstream]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with raw_upstream(context) as upstream:
        url = f"https://localhost:{upstream.port}/a"
        body = json.dumps({"url": url}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        upstream.answers["/ok"] = [head.encode() + body]
        yield upstream


def test_a_local_authority_is_trusted_by_its_file(secure: RawUpstream, ca_file: Path, tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    credentials = f"Authorization: {basic()['Authorization']}"
    secure.received.clear()
    with place.record("secure", f"https://localhost:{secure.port}", "--upstream-ca", ca_file) as recorder:
        answer = ask_raw(recorder.port, request("/ok", credentials))
        assert answer.outcome == "recorded"
        assert json.loads(answer.body) == {"url": "http://127.0.0.1/a"}
    assert secure.received[0].values("Authorization") == [basic()["Authorization"]]
    with place.replay("secure") as replayer:
        assert ask_raw(replayer.port, request("/ok", credentials)).body == answer.body


def test_an_authority_that_is_none_is_refused(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    (tmp_path / "ca.pem").write_text("no certificate")
    for file in ("ca.pem", "absent.pem"):
        refusal = place.run("record", "none", "--listen", "127.0.0.1:0", "--upstream-ca", file, status=2)
        assert refusal.startswith(f"chatproxy: --upstream-ca: {file} cannot be read as PEM certificates")
        assert len(refusal.splitlines()) == 1


@pytest.mark.parametrize(("host", "trusting"), [("localhost", False), ("127.0.0.1", True)])
def test_an_upstream_that_cannot_prove_its_name_gets_nothing(
    secure: RawUpstream, ca_file: Path, tmp_path: Path, host: str, trusting: bool
) -> None:
    place = Workplace(tmp_path)
    secure.received.clear()
    flags = ("--upstream-ca", ca_file) if trusting else ()
    with place.record("insecure", f"https://{host}:{secure.port}", *flags) as recorder:
        answer = ask_raw(recorder.port, request("/ok", f"Authorization: {basic()['Authorization']}"))
        assert is_error(answer, 502, f"https://{host}:{secure.port}", "certificate verify failed")
        assert "nothing was recorded" in recorder.stop()
    assert secure.received == []
