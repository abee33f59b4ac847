import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cli.commands import Done, to_end
from integration.processes import PATIENCE, Server, Workplace, environment
from integration.programs import installed
from integration.twilio_clients import ACCOUNT, CHANNEL, SERVICE, TOKEN
from servers import settings

from chatproxy.core.errors import ChatproxyError, ConfigError
from chatproxy.core.model import Mode
from chatproxy.runs.intercept import Interceptor
from chatproxy.runs.served import Wanted

pytestmark = pytest.mark.process

MESSAGES = f"services({SERVICE!r}).channels({CHANNEL!r}).messages"

PYTHON = f"""
import os, sys
from twilio.rest import Client
assert "CHATPROXY_URL" not in os.environ
messages = Client({ACCOUNT!r}, {TOKEN!r}).chat.v1.{MESSAGES}
made = [messages.create(body=body) for body in sys.argv[1:]]
print(" ".join(one.body for one in messages.list(page_size=1)))
"""

NODE = f"""
const twilio = require("twilio");
const messages = twilio({ACCOUNT!r}, {TOKEN!r}).chat.v1.{MESSAGES};
messages.create({{ body: process.argv[1] }}).then(() => messages.list({{ pageSize: 1 }}))
  .then((listed) => console.log(listed.map((one) => one.body).join(" ")));
"""

ADDRESS = f"https://chat.twilio.com/v1/Services/{SERVICE}/Channels/{CHANNEL}/Messages"

PHP = f"""<?php
$curl = curl_init({ADDRESS!r});
curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_USERPWD => "{ACCOUNT}:{TOKEN}",
    CURLOPT_POSTFIELDS => "Body=Hello"]);
echo json_decode(curl_exec($curl))->body ?? curl_error($curl), "\n";
"""

RUBY = f"""
require "json"
require "net/http"
address = URI({ADDRESS!r})
asked = Net::HTTP::Post.new(address)
asked.basic_auth({ACCOUNT!r}, {TOKEN!r})
asked.set_form_data("Body" => "Hello")
answer = Net::HTTP.start(address.host, address.port, use_ssl: true) {{ |http| http.request(asked) }}
puts JSON.parse(answer.body)["body"]
"""

FETCH = f"""
const Authorization = "Basic " + btoa("{ACCOUNT}:{TOKEN}");
const body = new URLSearchParams({{ Body: "Hello" }});
const answer = await fetch({ADDRESS!r}, {{ method: "POST", headers: {{ Authorization }}, body }});
console.log((await answer.json()).body);
"""

JAVA = f"""
import java.net.URI;
import java.net.http.*;
import java.util.Base64;

public class Program {{
    public static void main(String[] arguments) throws Exception {{
        String user = Base64.getEncoder().encodeToString("{ACCOUNT}:{TOKEN}".getBytes());
        HttpRequest asked = HttpRequest.newBuilder(URI.create("{ADDRESS}")).header("Authorization", "Basic " + user)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString("Body=Hello")).build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(asked, HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.body().replaceAll("(?s).*\\"body\\": ?\\"(.*?)\\".*", "$1"));
    }}
}}
"""

OTHERS = {
    "php": ("php", "program.php", PHP),
    "ruby": ("ruby", "program.rb", RUBY),
    "java": ("javac", "Program.java", JAVA),
    "fetch": ("node", "program.mjs", FETCH),
}
"""What has to be there, and a program in a file."""

PACKAGES = Path(__file__).parents[1] / "integration" / "node"
FILE = "cassettes/talk.json"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    with Workplace(folder).sandbox() as server:
        yield server


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A fixture of the program's run that says Hello."""
    place = tmp_path_factory.mktemp("talk")
    (place / "program.py").write_text(PYTHON)
    with Workplace(place).sandbox() as sandbox:
        run(place, "--mode", "record", FILE, *program("Hello"), environ=asking(sandbox))
    return (place / FILE).read_text()


@pytest.fixture
def recorded(place: Path, talk: str) -> None:
    """Put that fixture beside the program."""
    (place / "cassettes").mkdir()
    (place / FILE).write_text(talk)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "place"
    folder.mkdir()
    (folder / "program.py").write_text(PYTHON)
    return folder


def run(place: Path, *arguments: str, environ: Mapping[str, str] | None = None, status: int = 0) -> Done:
    env = environment() | dict(environ or {}) | {"TMPDIR": str(place)}
    done = to_end(("run", "--intercept", *arguments), place, env)
    assert done.returncode == status, done.stdout + done.stderr
    assert not list(place.glob("chatproxy-*")), "what was made for the run is removed with it"
    return done


def asking(sandbox: Server) -> dict[str, str]:
    return {"CHATPROXY_UPSTREAM": sandbox.url}


def program(*bodies: str) -> tuple[str, ...]:
    return ("--", sys.executable, "program.py", *bodies)


def test_an_unchanged_program_is_recorded_and_replayed_over_https(place: Path, sandbox: Server) -> None:
    recorded = run(place, "--mode", "record", FILE, *program("Hello", "Bye"), environ=asking(sandbox))
    assert recorded.stdout == "Hello Bye\n"
    assert recorded.stderr.splitlines() == [
        f"chatproxy: recorded {FILE}, 4 exchanges",
        "chatproxy: record talk: 4 recorded",
    ]
    first = (place / FILE).read_text()
    assert TOKEN not in first
    sandbox.stop()
    replayed = run(place, FILE, *program("Hello", "Bye"), environ=asking(sandbox))
    assert replayed.stdout == "Hello Bye\n"
    assert replayed.stderr == "chatproxy: replay talk: 4 hit, 0 of 4 exchanges unused\n"
    assert (place / FILE).read_text() == first


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.skipif(not (PACKAGES / "node_modules" / "twilio").is_dir(), reason="its twilio package is not installed")
def test_an_unchanged_program_of_node_is_too(place: Path, sandbox: Server) -> None:
    node = ("--", str(shutil.which("node")), "-e", NODE, "Hello")
    found = {"NODE_PATH": str(PACKAGES / "node_modules")}
    recorded = run(place, "--mode", "record", FILE, *node, environ={**found, **asking(sandbox)})
    sandbox.stop()
    replayed = run(place, FILE, *node, environ=found)
    assert recorded.stdout == replayed.stdout == "Hello\n"
    assert replayed.stderr == "chatproxy: replay talk: 2 hit, 0 of 2 exchanges unused\n"


@pytest.mark.parametrize("language", OTHERS)
def test_an_unchanged_program_of_another_language_is_too(place: Path, sandbox: Server, language: str) -> None:
    needed, file, text = OTHERS[language]
    found = Path(installed(needed))
    if language == "fetch" and not heeds_proxies(found):
        pytest.skip("this Node's fetch knows no proxy: it needs 22.21, or 24")
    (place / file).write_text(text)
    command = ("--", str(found.with_name("java") if needed == "javac" else found), file)
    recorded = run(place, "--mode", "record", FILE, *command, environ=asking(sandbox))
    sandbox.stop()
    replayed = run(place, FILE, *command)
    assert recorded.stdout == replayed.stdout == "Hello\n"
    assert replayed.stderr.endswith("chatproxy: replay talk: 1 hit, 0 of 1 exchange unused\n")


def heeds_proxies(node: Path) -> bool:
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(map(int, told.strip().removeprefix("v").split(".")[:2]))
    return version >= (24, 0) or (22, 21) <= version < (23, 0)


@pytest.mark.usefixtures("recorded")
def test_a_miss_is_explained_and_fails_the_run(place: Path) -> None:
    (place / "careless.py").write_text(PYTHON.replace("made =", "try: made =").partition("print(")[0] + "except: pass")
    report, junit = place / "report.json", place / "run.xml"
    arguments = ("--report", str(report), "--junit", str(junit), FILE, "--", sys.executable, "careless.py", "Ciao")
    done = run(place, *arguments, status=3)
    assert "chatproxy: miss: POST /v1/" in done.stderr
    assert "nearest is talk/1, where " in done.stderr
    assert "form field 'Body' is 'Hello' where this has 'Ciao'" in done.stderr
    assert '"miss": 1' in report.read_text()
    assert 'failures="1"' in junit.read_text()
    assert run(place, FILE, "--", "true", status=3).stderr.startswith(
        "chatproxy: replay talk: no request came (does the command use HTTPS_PROXY or HTTP_PROXY?), 2 of"
    )


def test_a_recording_of_a_command_that_fails_stays_in_the_store(place: Path, sandbox: Server) -> None:
    (place / "program.py").write_text(PYTHON + "\nsys.exit(5)\n")
    done = run(place, "--mode", "record", FILE, *program("Hello"), status=5, environ=asking(sandbox))
    assert f"chatproxy: {FILE} is as it was; what was recorded is in the store" in done.stderr
    assert not (place / FILE).exists()
    assert "talk.partial" in Workplace(place).run("list")


def test_an_exact_file_is_extended(place: Path, sandbox: Server) -> None:
    run(place, "--mode", "record", "talk", *program("Hello"), environ=asking(sandbox))
    Workplace(place).run("export", "--exact", "talk", FILE)
    done = run(place, "--mode", "auto", FILE, *program("Hello", "Bye"), environ=asking(sandbox))
    assert re.search(rf"chatproxy: recorded {FILE}, \d exchanges", done.stderr), done.stderr
    assert "Bye" in (place / FILE).read_text()


@pytest.mark.usefixtures("recorded")
def test_other_hosts_are_tunnelled_and_not_decrypted(place: Path, sandbox: Server) -> None:
    port = str(sandbox.port)
    tunnel = f"""
import os, socket, sys
host, port = os.environ["HTTPS_PROXY"].removeprefix("http://").split(":")
with socket.create_connection((host, int(port))) as tunnel:
    tunnel.sendall(b"CONNECT localhost:{port} HTTP/1.1\\r\\n\\r\\n")
    begin = tunnel.recv(4096)
    print(begin[:12].decode())
    if not begin.startswith(b"HTTP/1.1 200"):
        sys.exit()
    tunnel.sendall(b"GET /v1 HTTP/1.0\\r\\n\\r\\n")
    print(b"chatproxy-sandbox" in tunnel.recv(65536), b"outcome" in tunnel.recv(65536))
"""
    passing = "HTTP/1.1 200\nTrue False\n"
    for others in ("pass", "elsewhere.test,LOCALHOST"):
        done = run(place, "--allow-idle", "--others", others, FILE, "--", sys.executable, "-c", tunnel)
        assert done.stdout == passing
    done = run(place, "--mode", "record", "new", "--", sys.executable, "-c", tunnel, environ=asking(sandbox))
    assert done.stdout == passing
    for flags in ((), ("--others", "elsewhere.test"), ("--others", "refuse")):
        done = run(place, *flags, FILE, "--", sys.executable, "-c", tunnel, status=1)
        assert done.stdout == "HTTP/1.1 403\n"
        refused = f"chatproxy: error: CONNECT localhost:{port}: localhost:{port} is not Twilio's chat, nor --upstream"
        assert f"{refused} (--others localhost, or pass)\n" in done.stderr


@pytest.mark.usefixtures("recorded")
def test_plain_http_to_other_hosts_is_refused_in_a_replay_too(place: Path, sandbox: Server) -> None:
    plain = f"""
import os, socket
host, port = os.environ["HTTP_PROXY"].removeprefix("http://").split(":")
with socket.create_connection((host, int(port))) as client:
    client.sendall(b"GET http://localhost:{sandbox.port}/v1?Token=the-secret HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
    print(client.recv(4096)[:12].decode())
"""
    done = run(place, FILE, "--", sys.executable, "-c", plain, status=1)
    assert done.stdout == "HTTP/1.1 403\n"
    assert f"chatproxy: error: GET http://localhost:{sandbox.port}: localhost:{sandbox.port} is not" in done.stderr
    assert "the-secret" not in done.stderr
    done = run(place, "--allow-idle", "--others", "pass", FILE, "--", sys.executable, "-c", plain)
    assert done.stdout == "HTTP/1.1 401\n"


@pytest.mark.usefixtures("recorded")
def test_the_child_keeps_what_it_trusts_and_what_it_reaches_directly(place: Path) -> None:
    own = place / "own.pem"
    own.write_text("-----BEGIN CERTIFICATE-----\nmine\n-----END CERTIFICATE-----\n")
    show = (
        "import os; bundle = open(os.environ['SSL_CERT_FILE']).read(); "
        "print(bundle.count('BEGIN'), 'mine' in bundle, os.environ['NO_PROXY'], os.environ['no_proxy'])"
    )
    bundles = {"REQUESTS_CA_BUNDLE": str(own), "SSL_CERT_FILE": "", "CURL_CA_BUNDLE": "", "NODE_EXTRA_CA_CERTS": ""}
    leading = (
        "*.twilio.com,*,ip-messaging.twilio.com .ie1.twilio.com chat.twilio.com:443,chat.dublin.ie1.twilio.com.,.com"
    )
    given = {**bundles, "NO_PROXY": f"a.test,{leading},api.twilio.com"}
    done = run(place, "--allow-idle", FILE, "--", sys.executable, "-c", show, environ=given)
    direct = "a.test,api.twilio.com,localhost,127.0.0.1,::1"
    assert done.stdout == f"2 True {direct} {direct}\n"
    missing = run(place, FILE, "--", "true", status=2, environ={"REQUESTS_CA_BUNDLE": str(place / "none.pem")})
    assert missing.stderr.startswith("chatproxy: REQUESTS_CA_BUNDLE: ")
    assert "none.pem cannot be read" in missing.stderr


@pytest.mark.usefixtures("recorded")
def test_a_client_that_does_not_trust_the_authority_is_told_of(place: Path) -> None:
    (place / "program.py").write_text(
        f"import os\nimport certifi\nos.environ['REQUESTS_CA_BUNDLE'] = certifi.where()\n{PYTHON}"
    )
    done = run(place, FILE, *program("Hello"), status=1)
    assert "chatproxy: mitmproxy: Client TLS handshake failed." in done.stderr


def test_what_cannot_be_opened_ends_the_run_before_its_command(place: Path) -> None:
    done = run(place, "missing", "--", sys.executable, "-c", "print('ran')", status=1)
    assert done.stdout == ""
    assert "there is no such cassette" in done.stderr


def test_mitmproxy_ends_with_a_run_that_is_killed(place: Path, sandbox: Server) -> None:
    chatproxy = (str(Path(sys.executable).with_name("chatproxy")), "run", "--intercept")
    waits = "import time; print('up', flush=True); time.sleep(60)"
    running = subprocess.Popen(
        [*chatproxy, "--mode", "record", FILE, "--upstream", sandbox.url, "--", sys.executable, "-c", waits],
        cwd=place,
        env=environment() | {"TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert running.stdout is not None
    assert running.stdout.readline() == b"up\n"
    os.kill(running.pid, signal.SIGKILL)
    running.wait(PATIENCE)
    try:
        until = time.monotonic() + PATIENCE
        while _interceptors(place):
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.stdout.close()


def _interceptors(place: Path) -> list[str]:
    """The processes that chatproxy has started in a folder."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if "-m chatproxy.mitm" in line and str(place) in line]


def test_a_process_that_ends_too_early_is_an_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    here = settings(tmp_path, upstream="http://127.0.0.1:9")
    served = Interceptor().serve(Wanted(Mode.RECORD, "talk", here, print))
    served._process.kill()
    with pytest.raises(ChatproxyError, match="mitmproxy ended too early"):
        served.content()
    with pytest.raises(ChatproxyError, match="mitmproxy ended"):
        served.close(well=True)


def test_mitmproxy_must_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mitmproxy", None)
    with pytest.raises(ConfigError, match="needs mitmproxy: pip install"):
        Interceptor().serve(Wanted(Mode.RECORD, "talk", settings(tmp_path), print))


SHOWN = """
import logging
from chatproxy.mitm.__main__ import _Lines

def show(message, error=None):
    info = (type(error), error, None) if error else None
    print(_Lines().format(logging.LogRecord("mitmproxy", logging.ERROR, "", 0, message, (), info)))

show("chatproxy: miss: x")
show("Client TLS handshake failed. (x)")
show("mitmproxy has crashed!\\nTraceback (most recent call last):\\nKeyError: 'the-secret'")
show("Addon error: the-secret", KeyError("the-secret"))
"""


def test_what_mitmproxy_says_is_shown_without_the_texts_of_errors() -> None:
    done = subprocess.run([sys.executable, "-c", SHOWN], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "chatproxy: miss: x",
        "chatproxy: mitmproxy: Client TLS handshake failed. (x)",
        "chatproxy: mitmproxy: mitmproxy has crashed!",
        "chatproxy: mitmproxy: an error of the kind KeyError",
        "builtins.KeyError",
    ]
