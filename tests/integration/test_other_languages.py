import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from integration.processes import PATIENCE, Server, Workplace, unmeasured
from integration.programs import installed
from integration.twilio_clients import ACCOUNT, CHANNEL, SERVICE, TOKEN

pytestmark = pytest.mark.process

PAGE = Path(__file__).parents[2] / "docs" / "other-languages.md"
LIBRARIES = Path(__file__).with_name("languages")
MESSAGES = f"/v1/Services/{SERVICE}/Channels/{CHANNEL}/Messages"


@dataclass(frozen=True)
class Language:
    """How a program is put together and run; ``before`` and ``after`` stand around the page's recipe."""

    name: str
    program: str
    before: str
    after: str

    def text(self, recipe: str = "") -> str:
        """Return a program that uses the stand-in for the library as the page's recipe says, or this one."""
        found = re.findall(rf"^```{self.name}\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        return "\n".join([self.before, recipe or "\n".join(found), self.after])


RUBY = Language(
    "ruby",
    "ruby",
    f"require {str(LIBRARIES / 'twilio.rb')!r}\naccount_sid, auth_token = {ACCOUNT!r}, {TOKEN!r}",
    f"talk(client.chat, {MESSAGES!r})",
)
PHP = Language(
    "php",
    "php",
    f"<?php\nrequire {str(LIBRARIES / 'twilio.php')!r};\n[$accountSid, $authToken] = [{ACCOUNT!r}, {TOKEN!r}];",
    f"\\Twilio\\Rest\\talk($client, {MESSAGES!r});",
)
BY_ADDRESS = """
client = Twilio::REST::Client.new(account_sid, auth_token)
client.chat.instance_variable_set(:@base_url, ENV.fetch("CHATPROXY_URL") + "/")
"""


def run(language: Language, text: str, server: Server, folder: Path, edge: str) -> str:
    """Run a program with the address of a server, and return what it printed."""
    file = folder / f"program.{language.name}"
    file.write_text(text)
    environ = unmeasured() | {"CHATPROXY_URL": server.url} | ({"TWILIO_EDGE": edge} if edge else {})
    done = subprocess.run(
        [installed(language.program), str(file)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.mark.parametrize(
    ("language", "recipe", "edge"),
    [
        (RUBY, "", ""),
        (RUBY, "", "dublin"),
        (RUBY, BY_ADDRESS, ""),
        (PHP, "", ""),
        (PHP, "", "dublin"),
    ],
    ids=["ruby", "ruby with an edge", "ruby by its address", "php", "php with an edge"],
)
def test_a_recipe_leads_every_request_of_its_library_to_the_proxy(
    language: Language, recipe: str, edge: str, tmp_path: Path
) -> None:
    installed(language.program)
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
