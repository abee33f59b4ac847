import gzip
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pytest
from integration.asking import FORM, MESSAGES, Answer, ask, basic
from integration.processes import PATIENCE, Server, Workplace, unmeasured
from integration.programs import free_port
from integration.raw_http import raw_upstream
from integration.twilio_clients import ACCOUNT, BODIES, CHANNEL, SERVICE, TOKEN
from mitm.mitmdumps import ADDON, TWILIO, Mitmdump, ask_http2, ask_through, ask_tls, mitmdump

pytestmark = pytest.mark.process

SAME = {"seed": 7, "clock": "2026-03-01T12:00:00Z", "urls": "keep"}
"""What makes two replays give the same bytes."""

FLAGS = [text for name, value in SAME.items() for text in (f"--{name}", str(value))]

Asking = Callable[[str, str, bytes, dict[str, str]], Answer]
"""Makes a request by its method, target, body and header fields."""


def scenario(asking: Asking) -> list[Answer]:
    """Create, list, fetch, update and delete, as one client does; the SIDs are those that it is given."""
    form = {"Content-Type": FORM}
    made = [asking("POST", MESSAGES, urlencode({"Body": body}).encode(), form) for body in BODIES[:3]]
    one = f"{MESSAGES}/{json.loads(made[0].body)['sid']}"
    return [
        *made,
        asking("GET", f"{MESSAGES}?PageSize=2", b"", {}),
        asking("GET", one, b"", {}),
        asking("HEAD", one, b"", {}),
        asking("POST", one, urlencode({"Attributes": '{"a": [1, 2]}'}).encode(), form),
        asking("DELETE", one, b"", {}),
        asking("GET", one, b"", {}),
        asking("GET", MESSAGES, b"", {}),
    ]


def directly(url: str) -> Asking:
    return lambda method, target, body, headers: ask(url, method, target, headers=headers, body=body)


def through(proxy: Mitmdump, origin: str = TWILIO) -> Asking:
    return lambda method, target, body, headers: ask_through(proxy, method, origin + target, body, headers)


def unframed(answers: list[Answer]) -> list[tuple[object, ...]]:
    """Return answers without the fields that frame them."""
    framing = {"content-length", "transfer-encoding", "connection"}
    return [
        (one.status, one.reason, [field for field in one.headers if field[0].lower() not in framing], one.body)
        for one in answers
    ]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    with Workplace(folder).sandbox("--start-time", "2026-01-01T00:00:00Z") as server:
        yield server


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    folder = tmp_path / "place"
    folder.mkdir()
    return Workplace(folder)


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario as the server records it."""
    place = Workplace(tmp_path_factory.mktemp("recorded"))
    with place.sandbox("--start-time", "2026-01-01T00:00:00Z") as sandbox, place.record("talk", sandbox.url) as server:
        scenario(directly(server.url))
    place.run("export", "talk", "talk.json")
    return place.folder / "talk.json"


@pytest.fixture(scope="module")
def replayed(fixture: Path) -> list[Answer]:
    """What the server replays of it."""
    with Workplace(fixture.parent).replay(fixture, *FLAGS) as server:
        return scenario(directly(server.url))


# -- the same bytes as the server


def test_a_reverse_proxy_replays_the_bytes_that_the_server_replays(
    place: Workplace, fixture: Path, replayed: list[Answer]
) -> None:
    with mitmdump(place.folder, "--mode", f"reverse:{TWILIO}", options={"cassette": fixture, **SAME}) as proxy:
        assert unframed(scenario(directly(proxy.url))) == unframed(replayed)


def test_a_forward_proxy_replays_them_too_and_keeps_urls_by_itself(
    place: Workplace, fixture: Path, replayed: list[Answer]
) -> None:
    options = {"cassette": fixture, **SAME, "urls": "rewrite"}
    with mitmdump(place.folder, options=options) as proxy:
        assert unframed(scenario(through(proxy))) == unframed(replayed)


def test_plain_http_through_a_forward_proxy_is_replayed(
    place: Workplace, fixture: Path, replayed: list[Answer]
) -> None:
    with mitmdump(place.folder, options={"cassette": fixture, **SAME}) as proxy:
        assert unframed(scenario(through(proxy, "http://chat.twilio.com"))) == unframed(replayed)


def test_tls_on_the_side_of_a_reverse_proxy_gives_https_urls(place: Workplace, fixture: Path) -> None:
    with mitmdump(place.folder, "--mode", f"reverse:{TWILIO}", options={"cassette": fixture}) as proxy:
        made = ask_tls(proxy, "POST", MESSAGES, urlencode({"Body": BODIES[0]}).encode(), {"Content-Type": FORM})
        assert made.outcome == "hit"
        assert json.loads(made.body)["url"].startswith(f"https://127.0.0.1:{proxy.port}{MESSAGES}/")


def test_urls_have_the_name_by_which_the_client_called(place: Workplace, fixture: Path) -> None:
    options = {"cassette": fixture, "allow_host": "mitm.test"}
    with mitmdump(place.folder, "--mode", f"reverse:{TWILIO}", options=options) as proxy:
        headers = {"Content-Type": FORM, "Host": "mitm.test:8080"}
        made = ask(proxy.url, "POST", MESSAGES, {"Body": BODIES[0]}, headers=headers)
        assert json.loads(made.body)["url"].startswith(f"http://mitm.test:8080{MESSAGES}/")


def test_an_http2_client_is_answered_the_same(place: Workplace, fixture: Path, replayed: list[Answer]) -> None:
    with mitmdump(place.folder, options={"cassette": fixture, **SAME}) as proxy:
        form = {"Content-Type": FORM}
        body = urlencode({"Body": BODIES[0]}).encode()
        made = ask_http2(proxy, "POST", MESSAGES, body, form)
    assert (made.status, made.body) == (201, replayed[0].body)
    assert made.outcome == "hit"


@pytest.mark.parametrize("way", ["reverse", "forward"])
def test_what_the_addon_records_is_what_the_server_records(
    place: Workplace, sandbox: Server, fixture: Path, replayed: list[Answer], way: str
) -> None:
    options = {"mode": "record", "cassette": "talk", "upstream": sandbox.url}
    mode = ("--mode", f"reverse:{sandbox.url}") if way == "reverse" else ()
    with mitmdump(place.folder, *mode, options=options) as proxy:
        answers = scenario(directly(proxy.url) if way == "reverse" else through(proxy))
        log = proxy.stop()
    assert "Traceback" not in log
    assert [one.outcome for one in answers] == ["recorded"] * len(answers)
    place.run("export", "talk", "talk.json")
    assert (place.folder / "talk.json").read_bytes() == fixture.read_bytes()
    with place.replay("talk.json", *FLAGS) as server:
        assert unframed(scenario(directly(server.url))) == unframed(replayed)


# -- nothing goes out


@pytest.mark.parametrize("mode", [(), ("--mode", f"reverse:{TWILIO}")])
def test_a_replay_looks_up_no_name_and_opens_no_connection(
    place: Workplace, fixture: Path, mode: tuple[str, ...]
) -> None:
    options = {"cassette": fixture}
    with mitmdump(place.folder, *mode, "--set", "connection_strategy=eager", options=options) as proxy:
        asking = directly(proxy.url) if mode else through(proxy)
        assert scenario(asking)[0].outcome == "hit"
        assert asking("GET", "/v1/Services/none", b"", {}).status == 424
        proxy.stop()
        assert proxy.reached <= {"127.0.0.1"}


def test_a_tunnel_without_a_request_leads_nowhere(place: Workplace, fixture: Path) -> None:
    with mitmdump(place.folder, options={"cassette": fixture}) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port), PATIENCE) as tunnel:
            tunnel.sendall(b"CONNECT chat.twilio.com:443 HTTP/1.1\r\nHost: chat.twilio.com:443\r\n\r\n")
            assert tunnel.recv(65536).startswith(b"HTTP/1.1 200")
            tunnel.sendall(b"\0\1\2 no TLS and no HTTP\n\n")
            tunnel.settimeout(PATIENCE)
            assert tunnel.recv(65536) == b""
        proxy.stop()
        assert proxy.reached <= {"127.0.0.1"}


def test_other_hosts_pass_untouched(place: Workplace, sandbox: Server, fixture: Path) -> None:
    with mitmdump(place.folder, options={"cassette": fixture}) as proxy:
        made = ask_through(proxy, "GET", sandbox.url + MESSAGES)
        assert (made.status, made.outcome) == (200, None)
    options = {"mode": "record", "cassette": "talk"}
    with mitmdump(place.folder, "--mode", f"reverse:{sandbox.url}", options=options) as proxy:
        made = ask(proxy.url, "GET", MESSAGES)
        assert (made.status, made.outcome) == (200, None)
        assert json.loads(made.body)["meta"]["url"].startswith(sandbox.url)
        assert f"is left alone; to serve it, set chatproxy_upstream={sandbox.url}" in proxy.log


def test_a_replay_behind_a_reverse_proxy_to_another_host_is_not_begun(place: Workplace, fixture: Path) -> None:
    with raw_upstream() as elsewhere:
        options = {"cassette": fixture, "ready_file": place.folder / "other.json"}
        with mitmdump(place.folder, "--mode", f"reverse:{elsewhere.origin}", options=options) as proxy:
            assert proxy.process.wait(PATIENCE) == 1
            assert f"chatproxy: mode: reverse:{elsewhere.origin} leads past the cassette to another host; " in proxy.log
            assert "Traceback" not in proxy.log
        assert elsewhere.received == []


def test_a_reverse_proxy_of_a_wrong_choice_passes_nothing_on(place: Workplace) -> None:
    with raw_upstream() as upstream:
        options = {"cassette": "talk", "upstream": upstream.origin, "seed": "x", "ready_file": place.folder / "o.json"}
        with mitmdump(place.folder, "--mode", f"reverse:{upstream.origin}", options=options) as proxy:
            answer = ask(proxy.url, "GET", MESSAGES)
            assert (answer.status, answer.outcome) == (500, "error")
            assert "chatproxy_seed: 'x' is no number" in json.loads(answer.body)["message"]
        assert upstream.received == []


# -- its start


@pytest.mark.parametrize("way", ["reverse", "forward"])
def test_a_client_that_connects_at_the_first_accept_is_answered(place: Workplace, fixture: Path, way: str) -> None:
    port = free_port()
    mode = f"reverse:{TWILIO}@127.0.0.1:{port}" if way == "reverse" else f"regular@127.0.0.1:{port}"
    got: list[bytes] = []
    early = threading.Thread(target=lambda: got.append(at_the_first_accept(port, "" if way == "reverse" else TWILIO)))
    early.start()
    with mitmdump(place.folder, "--mode", mode, options={"cassette": fixture}):
        early.join(PATIENCE)
    assert got[0].startswith(b"HTTP/1.1 201 CREATED\r\n")
    assert b"x-chatproxy-outcome: hit\r\n" in got[0].lower()


def at_the_first_accept(port: int, origin: str) -> bytes:
    """Return the answer to a request over the first connection that is accepted at a port."""
    host = "chat.twilio.com" if origin else f"127.0.0.1:{port}"
    body = urlencode({"Body": BODIES[0]})
    head = f"POST {origin.replace('https', 'http')}{MESSAGES} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {FORM}\r\n"
    head += f"Authorization: {basic()['Authorization']}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            client = socket.create_connection(("127.0.0.1", port), PATIENCE)
        except ConnectionRefusedError:
            continue
        with client:
            client.sendall((head + body).encode())
            return b"".join(iter(partial(client.recv, 65536), b""))
    return b""


def test_a_connection_that_is_to_end_is_said_to(place: Workplace, fixture: Path) -> None:
    with mitmdump(place.folder, "--mode", f"reverse:{TWILIO}", options={"cassette": fixture}) as proxy:
        for target in (MESSAGES, "/v1/Services/none", "/__chatproxy/report"):
            assert ask(proxy.url, "GET", target, headers={"Connection": "close"}).header("connection") == "close"
            assert ask(proxy.url, "GET", target).header("connection") is None


# -- the modes, and changing them


def test_passthrough_lets_mitmproxy_ask_and_turns_the_urls(place: Workplace, sandbox: Server) -> None:
    options = {"mode": "passthrough", "upstream": sandbox.url}
    with mitmdump(place.folder, "--mode", f"reverse:{sandbox.url}", options=options) as proxy:
        answers = scenario(directly(proxy.url))
        assert {one.outcome for one in answers} == {"passed"}
        assert json.loads(answers[3].body)["meta"]["next_page_url"].startswith(proxy.url)
    assert not place.store.exists()


def test_passthrough_leaves_an_answer_that_it_cannot_read_as_it_came(place: Workplace) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n%b"
    body, whole = b'{"a": 1}', gzip.compress(gzip.compress(b'{"a": 1}'))
    with raw_upstream() as upstream:
        upstream.answers = {
            "/unknown": [head % (b"compress", len(body), body)],
            "/cut": [head % (b"gzip", 20, whole[:20])],
            "/whole": [head % (b"gzip, x-gzip", len(whole), whole)],
            "/status": [b"HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\n{}"],
        }
        options = {"mode": "passthrough", "upstream": upstream.origin}
        with mitmdump(place.folder, "--mode", f"reverse:{upstream.origin}", options=options) as proxy:
            given = [ask(proxy.url, "GET", target) for target in upstream.answers]
            seen = ask(proxy.url, "GET", "/__chatproxy/report")
            assert "Traceback" not in proxy.stop()
    assert [(one.header("content-encoding"), one.body) for one in given] == [
        ("compress", body),
        ("gzip", whole[:20]),
        (None, body),
        (None, given[3].body),
    ]
    assert (given[3].status, given[3].outcome) == (502, "error")
    assert json.loads(seen.body)["totals"] == {"passed": 3, "error": 1}


def test_auto_records_what_is_missing(place: Workplace, sandbox: Server) -> None:
    options = {"mode": "auto", "cassette": "talk", "upstream": sandbox.url}
    target = f"{MESSAGES}?PageSize=1"
    for outcome in ("recorded", "hit"):
        with mitmdump(place.folder, "--mode", f"reverse:{sandbox.url}", options=options) as proxy:
            assert ask(proxy.url, "GET", target).outcome == outcome


SWITCH = """
import os
from mitmproxy import ctx, http
from mitmproxy.exceptions import OptionsError

def request(flow: http.HTTPFlow) -> None:
    if flow.request.path.startswith("/set/"):
        name, _, value = flow.request.path.removeprefix("/set/").partition("=")
        try:
            ctx.options.update(**{name: value})
            flow.response = http.Response.make(200, b"set")
        except OptionsError as error:
            flow.response = http.Response.make(400, str(error).encode())
    if flow.request.path.startswith("/run/"):
        from urllib.parse import unquote
        try:
            said = ctx.master.commands.execute(unquote(flow.request.path.removeprefix("/run/")))
            flow.response = http.Response.make(200, repr(said).encode())
        except Exception as error:
            flow.response = http.Response.make(400, str(error).encode())
"""
"""A script by which a test sets options and runs commands while mitmproxy runs, as a person at its console does."""


@pytest.fixture
def switch(place: Workplace) -> Path:
    script = place.folder / "switch.py"
    script.write_text(SWITCH)
    return script


def test_a_recording_can_be_replayed_at_once(place: Workplace, sandbox: Server, switch: Path) -> None:
    options = {"mode": "record", "cassette": "talk", "upstream": sandbox.url}
    mode = ("--mode", f"reverse:{sandbox.url}")
    with mitmdump(place.folder, *mode, options=options, scripts=(switch, ADDON)) as proxy:
        assert ask(proxy.url, "POST", MESSAGES, {"Body": "once"}).outcome == "recorded"
        assert ask(proxy.url, "GET", MESSAGES).outcome == "recorded"
        assert ask(proxy.url, "GET", "/set/chatproxy_mode=replay").body == b"set"
        assert ask(proxy.url, "POST", MESSAGES, {"Body": "once"}).outcome == "hit"
        assert ask(proxy.url, "GET", MESSAGES).outcome == "hit"
        refused = ask(proxy.url, "GET", "/set/chatproxy_clock=noon")
        assert refused.status == 400
        assert b"chatproxy_clock: 'noon' is neither now, shift nor recorded" in refused.body
        assert ask(proxy.url, "POST", MESSAGES, {"Body": "once"}).outcome == "miss"  # the session goes on
        assert ask(proxy.url, "GET", "/set/chatproxy_mode=passthrough").body == b"set"
        assert ask(proxy.url, "GET", MESSAGES).outcome == "passed"


def test_what_mitmproxy_must_do_stays_so_while_it_runs(place: Workplace, fixture: Path, switch: Path) -> None:
    port = free_port()
    mode = ("--mode", f"reverse:{TWILIO}@127.0.0.1:{port}")
    with mitmdump(place.folder, *mode, options={"cassette": fixture}, scripts=(switch, ADDON)) as proxy:
        assert ask(proxy.url, "GET", "/set/connection_strategy=eager").body == b"set"
        form = {"Content-Type": FORM}
        assert ask(proxy.url, "POST", MESSAGES, {"Body": BODIES[0]}, headers=form).outcome == "hit"
        refused = ask(proxy.url, "GET", "/run/set%20mode%20reverse:http://127.0.0.1:9")
        assert b"leads past the cassette to another host" in refused.body
        assert at_the_first_accept(port, "").startswith(b"HTTP/1.1 424 ")  # mitmproxy listens anew
        proxy.stop()
        assert proxy.reached <= {"127.0.0.1"}


def test_the_commands_work_on_captured_flows(place: Workplace, sandbox: Server, switch: Path) -> None:
    options = {"mode": "passthrough", "cassette": "talk", "upstream": sandbox.url}
    scripts = (switch, ADDON)
    kept = place.folder / "flows"
    mode = ("--mode", f"reverse:{sandbox.url}")
    with mitmdump(place.folder, *mode, "-w", str(kept), options=options, scripts=scripts) as proxy:
        scenario(directly(proxy.url))
    loader = place.folder / "loader.py"
    loader.write_text(LOADER)
    with mitmdump(place.folder, *mode, options={**options, "mode": "replay"}, scripts=(loader, switch)) as proxy:
        first = ask(proxy.url, "GET", "/run/test.record")
        assert first.body == b"None", first.body
        assert ask(proxy.url, "GET", MESSAGES).outcome == "passed"  # the change of mode is done
        rest = ask(proxy.url, "GET", "/run/test.look")
        assert rest.body == b"None", rest.body
    log = proxy.log
    assert "chatproxy: recorded talk, 10 exchanges" in log
    assert "hit: talk/1" in log
    assert "talk/1: no differences" in log
    assert "chatproxy: exported talk to cassettes/talk.json, 10 exchanges" in log
    assert "played: chatproxy: hit talk/1" in log
    with place.replay("cassettes/talk.json") as server:
        assert {one.outcome for one in scenario(directly(server.url))} == {"hit"}


LOADER = """
import logging
from mitmproxy import command, ctx, http, io
from chatproxy.mitm.addon import Chatproxy

class Tester:
    @command.command("test.record")
    def record(self) -> None:
        with open("flows", "rb") as file:
            self.flows = [flow for flow in io.FlowReader(file).stream() if "/Messages" in flow.request.path]
        ctx.master.commands.call("chatproxy.record", self.flows, "talk")
        ctx.options.update(chatproxy_mode="passthrough")

    @command.command("test.look")
    def look(self) -> None:
        call = ctx.master.commands.call
        call("chatproxy.explain", self.flows[0])
        call("chatproxy.diff", self.flows[0])
        call("chatproxy.export", "talk")
        call("chatproxy.play", self.flows[:1])
        logging.info("played: %s", self.flows[0].comment)

addons = [Chatproxy(), Tester()]
"""


# -- clients


def test_the_unchanged_twilio_client_is_replayed_through_https_proxy(place: Workplace, fixture: Path) -> None:
    program = f"""
from twilio.rest import Client
messages = Client({ACCOUNT!r}, {TOKEN!r}).chat.v1.services({SERVICE!r}).channels({CHANNEL!r}).messages
made = [messages.create(body=body) for body in {BODIES[:3]!r}]
print([one.body for one in messages.list(limit=2, page_size=2)] == {list(BODIES[:2])!r}, made[0].sid != made[1].sid)
"""
    with mitmdump(place.folder, options={"cassette": fixture}) as proxy:
        given = unmeasured() | {"HTTPS_PROXY": proxy.url, "REQUESTS_CA_BUNDLE": str(proxy.authority)}
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.stdout == "True True\n", done.stderr + proxy.log


NODE = shutil.which("node")
PACKAGES = Path(__file__).parents[1] / "integration" / "node"


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.skipif(
    not (PACKAGES / "node_modules" / "twilio").is_dir(), reason="node's twilio package is not installed"
)
def test_the_unchanged_node_client_is_replayed_through_http_proxy(place: Workplace, fixture: Path) -> None:
    program = f"""
const twilio = require("twilio");
const messages = twilio({ACCOUNT!r}, {TOKEN!r}).chat.v1.services({SERVICE!r}).channels({CHANNEL!r}).messages;
messages.create({{ body: {BODIES[0]!r} }}).then((made) => console.log(made.body));
"""
    with mitmdump(place.folder, options={"cassette": fixture}) as proxy:
        given = unmeasured() | {"HTTP_PROXY": proxy.url, "NODE_EXTRA_CA_CERTS": str(proxy.authority)}
        done = subprocess.run(
            [str(NODE), "-e", program],
            cwd=PACKAGES,
            env=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.stdout == f"{BODIES[0]}\n", done.stderr + proxy.log


def test_in_reverse_mode_a_web_page_is_refused(place: Workplace, fixture: Path) -> None:
    form = {"Content-Type": FORM}
    with mitmdump(place.folder, "--mode", f"reverse:{TWILIO}", options={"cassette": fixture}) as proxy:
        for page in ({"Host": "evil.test"}, {"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
            refused = ask(proxy.url, "POST", MESSAGES, {"Body": BODIES[0]}, headers=form | page)
            assert (refused.status, refused.outcome) == (403, "error")
        assert ask(proxy.url, "POST", MESSAGES, {"Body": BODIES[0]}, headers=form).outcome == "hit"


def test_a_session_is_begun_anew_by_the_control_api(place: Workplace, fixture: Path) -> None:
    with mitmdump(place.folder, "--mode", f"reverse:{TWILIO}", options={"cassette": fixture}) as proxy:
        for _ in range(2):
            assert ask(proxy.url, "POST", MESSAGES, {"Body": BODIES[0]}).outcome == "hit"
            used = ask(proxy.url, "POST", MESSAGES, {"Body": BODIES[0]})
            assert b"DELETE /__chatproxy/sessions/" in used.body
            assert ask(proxy.url, "DELETE", "/__chatproxy/sessions").status == 204
        proxy.awaited("chatproxy: miss: POST")


# -- trouble


def test_an_upstream_that_is_down_is_answered_with_502(place: Workplace) -> None:
    options = {"mode": "record", "cassette": "talk", "upstream": "http://127.0.0.1:9"}
    with mitmdump(place.folder, "--mode", "reverse:http://127.0.0.1:9", options=options) as proxy:
        answer = ask(proxy.url, "GET", MESSAGES)
        assert (answer.status, answer.outcome) == (502, "error")
        assert "http://127.0.0.1:9 cannot be reached" in json.loads(answer.body)["message"]
        proxy.awaited("chatproxy: error: http://127.0.0.1:9 cannot be reached")
        assert ask(proxy.url, "GET", MESSAGES).status == 502


def test_an_upstream_that_is_down_is_noted_in_passthrough(place: Workplace) -> None:
    options = {"mode": "passthrough", "upstream": "http://127.0.0.1:9"}
    with mitmdump(place.folder, "--mode", "reverse:http://127.0.0.1:9", options=options) as proxy:
        assert ask(proxy.url, "GET", MESSAGES).status == 502
        proxy.awaited("chatproxy: error: http://127.0.0.1:9 gave no answer")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"cassette": "missing"}, "there is no such cassette"),
        ({"cassette": "missing.json"}, "missing.json: cannot be read"),
        ({}, "chatproxy_cassette: is not set; replay needs a cassette"),
        ({"mode": "rewind", "cassette": "talk"}, "chatproxy_mode: 'rewind' is none of record, replay"),
        ({"cassette": "talk", "seed": "x"}, "chatproxy_seed: 'x' is no number of at least 0"),
        ({"cassette": "talk", "store": "broken"}, "is damaged; move it away"),
    ],
)
def test_what_cannot_be_served_is_said_in_the_log_and_in_each_answer(
    place: Workplace, options: dict[str, object], reason: str
) -> None:
    broken = place.folder / "broken"
    broken.mkdir()
    (broken / "data.mdb").write_bytes(b"no LMDB" * 10_000)
    given = {**options, "ready_file": place.folder / "other.json"}
    with mitmdump(place.folder, "--mode", f"reverse:{TWILIO}", options=given) as proxy:
        proxy.awaited(reason)
        for _ in range(2):
            answer = ask(proxy.url, "GET", MESSAGES)
            assert (answer.status, answer.outcome) == (500, "error")
            assert reason in json.loads(answer.body)["message"]
        assert proxy.stop().count("Traceback") == 0
        assert proxy.reached <= {"127.0.0.1"}


def test_what_cannot_be_taken_is_refused(place: Workplace, fixture: Path) -> None:
    options = {"cassette": fixture, "max_body": 10}
    with mitmdump(place.folder, "--mode", f"reverse:{TWILIO}", options=options) as proxy:
        large = ask(proxy.url, "POST", MESSAGES, {"Body": "x" * 20})
        assert (large.status, large.outcome) == (413, "error")
        coded = ask(proxy.url, "POST", MESSAGES, headers={"Content-Encoding": "gzip"}, body=b"x")
        assert coded.status == 415


def test_an_exchange_is_kept_though_its_client_has_gone(place: Workplace, tmp_path: Path) -> None:
    folder = tmp_path / "slow"
    folder.mkdir()
    with Workplace(folder).sandbox("--latency", "0.5:0.5") as slow:
        options = {"mode": "record", "cassette": "talk", "upstream": slow.url}
        with mitmdump(place.folder, "--mode", f"reverse:{slow.url}", options=options) as proxy:
            head = f"GET {MESSAGES} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {basic()['Authorization']}\r\n\r\n"
            with socket.create_connection(("127.0.0.1", proxy.port), PATIENCE) as client:
                client.sendall(head.encode())
                proxy.awaited("client connect")
                time.sleep(0.2)
            proxy.stop()
    assert "talk " in place.run("list")
    assert "1" in place.run("list").splitlines()[1].split()


def test_a_recording_survives_its_process(place: Workplace, sandbox: Server) -> None:
    options = {"mode": "record", "cassette": "talk", "upstream": sandbox.url}
    with mitmdump(place.folder, "--mode", f"reverse:{sandbox.url}", options=options) as proxy:
        assert ask(proxy.url, "GET", MESSAGES).outcome == "recorded"
        proxy.process.kill()
        proxy.process.wait(PATIENCE)
    assert "talk.partial" in place.run("list")


def test_the_report_is_written_when_it_ends(place: Workplace, fixture: Path) -> None:
    options = {"cassette": fixture, "report": place.folder / "report.json"}
    with mitmdump(place.folder, "--mode", f"reverse:{TWILIO}", options=options) as proxy:
        scenario(directly(proxy.url))
    assert json.loads((place.folder / "report.json").read_text())["totals"] == {"hit": 10}
    assert not (place.folder / "ready.json").exists()


def test_a_changed_script_is_loaded_anew(place: Workplace, fixture: Path) -> None:
    script = place.folder / "mine.py"
    script.write_text("from chatproxy.mitm.addon import Chatproxy\naddons = [Chatproxy()]\n")
    options = {"cassette": fixture}
    with mitmdump(place.folder, "--mode", f"reverse:{TWILIO}", options=options, scripts=(script,)) as proxy:
        (place.folder / "ready.json").unlink()
        later = time.time() + 10
        os.utime(script, (later, later))
        until = time.monotonic() + PATIENCE
        while not (place.folder / "ready.json").exists():
            assert time.monotonic() < until, proxy.log
            time.sleep(0.05)
        assert ask(proxy.url, "POST", MESSAGES, {"Body": BODIES[0]}).outcome == "hit"
        assert "Traceback" not in proxy.stop()


def test_the_path_of_the_addon_is_printed(place: Workplace) -> None:
    assert Path(place.run("addon-path").removesuffix("\n")).read_text() == ADDON.read_text()


def test_bodies_that_are_streamed_are_warned_of(place: Workplace, fixture: Path) -> None:
    arguments = ("--mode", f"reverse:{TWILIO}", "--set", "stream_large_bodies=5")
    with mitmdump(place.folder, *arguments, options={"cassette": fixture}) as proxy:
        assert ask(proxy.url, "POST", MESSAGES, {"Body": BODIES[0]}).status == 502
        assert "bodies that are streamed can be neither recorded nor matched" in proxy.stop()
        assert proxy.reached <= {"127.0.0.1"}
