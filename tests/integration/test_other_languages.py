import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from integration.processes import Server, Workplace, unmeasured
from integration.programs import installed
from integration.twilio_clients import ACCOUNT, CHANNEL, SERVICE, TOKEN

pytestmark = pytest.mark.process

PAGE = Path(__file__).parents[2] / "docs" / "other-languages.md"
LIBRARIES = Path(__file__).with_name("languages")
MESSAGES = f"/v1/Services/{SERVICE}/Channels/{CHANNEL}/Messages"


@dataclass(frozen=True)
class Language:
    """How a program is put together of the page's recipe and a stand-in for the library, and how it is run.

    A recipe is of declarations, up to where ``main`` begins, and statements.
    """

    name: str
    file: str
    before: str
    after: str
    commands: tuple[tuple[str, ...], ...]
    begins: str = ""
    main: str = ""
    besides: tuple[tuple[str, str], ...] = ()

    def text(self, recipe: str = "") -> str:
        """Return a program that does as the page's recipe says, or this one."""
        found = re.search(rf"^```{self.name}\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        assert found is not None
        given = recipe or found[1]
        at = given.index(self.begins) if self.begins else len(given)
        return "\n".join([self.before, given[:at], self.main, given[at:], self.after])


RUBY = Language(
    "ruby",
    "program.rb",
    f"require {str(LIBRARIES / 'twilio.rb')!r}\naccount_sid, auth_token = {ACCOUNT!r}, {TOKEN!r}",
    f"talk(client.chat, {MESSAGES!r})",
    (("ruby", "program.rb"),),
)
PHP = Language(
    "php",
    "program.php",
    f"<?php\nrequire {str(LIBRARIES / 'twilio.php')!r};\n[$accountSid, $authToken] = [{ACCOUNT!r}, {TOKEN!r}];",
    f"\\Twilio\\Rest\\talk($client, {MESSAGES!r});",
    (("php", "program.php"),),
)
JARS = [Path("/usr/share/java") / f"{name}.jar" for name in ("httpclient5", "httpcore5", "httpcore5-h2", "slf4j-api")]
JAVA = Language(
    "java",
    "Program.java",
    """
import java.net.URI;
import java.util.*;
import java.util.regex.*;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.classic.methods.*;
import org.apache.hc.client5.http.impl.classic.*;
import org.apache.hc.core5.http.*;
import org.apache.hc.core5.http.io.entity.*;

public class Program {
""",
    f'client.talk("{MESSAGES}");\n}}\n}}\n' + (LIBRARIES / "Twilio.java").read_text("utf-8"),
    (("java", "-cp", ":".join(map(str, JARS)), "Program.java"),),
    begins="URI proxy",
    main=f"""public static void main(String[] arguments) throws Exception {{
String accountSid = "{ACCOUNT}", authToken = "{TOKEN}";""",
)
CSHARP = Language(
    "csharp",
    "program.cs",
    (LIBRARIES / "Twilio.cs").read_text("utf-8"),
    f'TwilioClient.Rest.Talk("{MESSAGES}");\n}}\n}}',
    (("mcs", "-r:System.Net.Http", "-out:program.exe", "program.cs"), ("mono", "program.exe")),
    begins="var http",
    main=f"""class Program {{
static void Main() {{
string accountSid = "{ACCOUNT}", authToken = "{TOKEN}";""",
)
GO_MODULE = f"""module program
go 1.19
require example.test/twilio v0.0.0
replace example.test/twilio => {LIBRARIES / "go"}
"""
GO = Language(
    "go",
    "program.go",
    """package main

import (
	"net/http"
	"net/url"
	"os"
	"strings"

	"example.test/twilio"
	"example.test/twilio/client"
)
""",
    f'if err != nil {{ panic(err) }}\nrest.Talk("{MESSAGES}")\n}}',
    (("go", "run", "program.go"),),
    begins="address, err",
    main=f'func main() {{\naccountSid, authToken := "{ACCOUNT}", "{TOKEN}"',
    besides=(("go.mod", GO_MODULE),),
)
BY_ADDRESS = """
client = Twilio::REST::Client.new(account_sid, auth_token)
client.chat.instance_variable_set(:@base_url, ENV.fetch("CHATPROXY_URL") + "/")
"""


def run(language: Language, text: str, server: Server, folder: Path, edge: str) -> str:
    """Run a program with the address of a server, and return what it printed."""
    for file, content in ((language.file, text), *language.besides):
        (folder / file).write_text(content)
    environ = unmeasured() | {"CHATPROXY_URL": server.url, "GOFLAGS": "-mod=mod", "GOPROXY": "off"}
    said = ""
    for program, *arguments in language.commands:
        done = subprocess.run(
            [installed(program), *arguments],
            cwd=folder,
            env=environ | ({"TWILIO_EDGE": edge} if edge else {}),
            capture_output=True,
            text=True,
            timeout=COMPILED_WITHIN,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        said = done.stdout
    return said


COMPILED_WITHIN = 120.0
"""Seconds that a program gets: the first one of Go has its library compiled."""


@pytest.mark.parametrize(
    ("language", "recipe", "edge"),
    [
        (RUBY, "", ""),
        (RUBY, "", "dublin"),
        (RUBY, BY_ADDRESS, ""),
        (PHP, "", ""),
        (PHP, "", "dublin"),
        (JAVA, "", ""),
        (JAVA, "", "dublin"),
        (CSHARP, "", ""),
        (CSHARP, "", "dublin"),
        (GO, "", ""),
        (GO, "", "dublin"),
    ],
    ids=lambda one: one.name if isinstance(one, Language) else None,
)
def test_a_recipe_leads_every_request_of_its_library_to_the_proxy(
    language: Language, recipe: str, edge: str, tmp_path: Path
) -> None:
    for program, *_ in language.commands:
        installed(program)
    if language is JAVA and not all(jar.exists() for jar in JARS):
        pytest.skip("Apache HttpClient is not installed (on Debian: apt-get install libhttpclient5-java)")
    assert not recipe or recipe.split("\n")[2] in PAGE.read_text("utf-8")
    place = Workplace(tmp_path)
    with place.sandbox() as sandbox, place.record("talk", sandbox.url) as recorder:
        assert run(language, language.text(recipe), recorder, tmp_path, edge) == "Hello Bye\n"
        recorder.stop()
        assert recorder.count("recorded") == 4
    with place.replay("talk") as replayer:
        assert run(language, language.text(recipe), replayer, tmp_path, edge) == "Hello Bye\n"
        replayer.stop()
        assert replayer.count("hit") == 4
