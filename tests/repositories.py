"""Fixtures as they change from one recording to the next, and git repositories that hold them."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from integration.processes import environment

CASSETTE = "cassettes/a.json"


def edited(text: str, old: str, new: str) -> str:
    """Put another text in the place of the first that is there."""
    assert old in text
    return text.replace(old, new, 1)


def again(text: str) -> str:
    """Return a fixture as another recording of the same run could be: at other times, with another message's SID."""
    text = re.sub(r"(?<=T)\d\d:\d\d:\d\d", "01:02:03", text)
    return re.sub("(?<=IM)[0-9a-f]{32}", "5" * 32, text)


@dataclass(frozen=True)
class Repository:
    """A repository of git whose fixtures are compared and merged by chatproxy."""

    folder: Path

    def begin(self, content: str) -> None:
        """Make the repository with a fixture in it, on branch ``main``."""
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "diff.chatproxy.textconv", "chatproxy show --bodies")
        self.git("config", "merge.chatproxy.driver", "chatproxy merge-driver %O %A %B %P")
        (self.folder / ".gitattributes").write_text("cassettes/**/*.json diff=chatproxy merge=chatproxy\n")
        self.commit(content)

    @property
    def file(self) -> Path:
        """The fixture."""
        return self.folder / CASSETTE

    def commit(self, content: str, branch: str = "main") -> None:
        """Commit another content of the fixture."""
        if branch != "main":
            self.git("checkout", "--quiet", "-b", branch, "main")
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", branch)

    def git(self, *arguments: str, status: int = 0) -> str:
        """Run git as a user without settings of their own, and return what it says."""
        user = {f"GIT_{role}_{part}": "a@b" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
        nothing = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=environment() | user | nothing | {"PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == status, done.stdout
        return done.stdout
