"""mitmproxy as ``chatproxy run --intercept`` starts it: with one task, given by its parent, with which it ends."""

import logging
import pickle
import sys
import threading
from base64 import b64decode
from pathlib import Path
from typing import Any

from mitmproxy.options import Options
from mitmproxy.tools import cmdline
from mitmproxy.tools.dump import DumpMaster
from mitmproxy.tools.main import run

from chatproxy.config.settings import Settings
from chatproxy.core.errors import ChatproxyError
from chatproxy.core.model import Mode
from chatproxy.files import write_json
from chatproxy.mitm.addon import Chatproxy
from chatproxy.mitm.options import Choice
from chatproxy.outside import reason, trace
from chatproxy.runs.intercept import END, REPORT

Task = tuple[Mode, str, Settings, Path, dict[str, str]]


class _Master(DumpMaster):
    """mitmdump with the addon; what it has to say goes to standard error, and its parent is heard on standard input."""

    task: Task

    def __init__(self, options: Options) -> None:
        super().__init__(options, with_termlog=False, with_dumper=False)
        mode, cassette, settings, self._report, environ = self.task
        self._addon = Chatproxy(Choice(mode, cassette, settings, environ))
        self._addon.ends_well = False
        self.addons.add(self._addon)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in sys.stdin.buffer:
            if line == REPORT:
                self.event_loop.call_soon_threadsafe(self._write_report)
            if line == END:
                self._addon.ends_well = True
        self.shutdown()  # type: ignore[no-untyped-call]  # mitmproxy's has no types

    def _write_report(self) -> None:
        works = self._addon.current.works
        if works is None:
            return
        try:
            write_json(self._report, works.assembly.report.content(whole=True), flag="--report")
        except ChatproxyError as error:
            logging.getLogger(__name__).error("chatproxy: %s", error)


class _Lines(logging.Formatter):
    """Shows what mitmproxy says, except the texts of errors, which may repeat what was received."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if text.startswith("chatproxy: "):
            return text
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:  # the message repeats its text
            return f"chatproxy: mitmproxy: {reason(error)}\n{trace(error)}"
        return f"chatproxy: mitmproxy: {text.partition(_TRACE)[0].strip()}"


_TRACE = "Traceback (most recent call last)"


def _is_news(record: logging.LogRecord) -> bool:
    """Tell whether a record is a warning that the parent does not give anyway: the report has what became of requests.

    That a client broke off its handshake is one too, if it says no more than that.
    """
    text = record.getMessage()
    if text.startswith(("chatproxy: miss", "chatproxy: error")):
        return False
    return record.levelno >= logging.WARNING or text.startswith("Client TLS handshake failed")


def main() -> Any:
    """Read the task, and serve until the parent is done."""
    _Master.task = pickle.loads(b64decode(sys.stdin.buffer.readline()))
    shown = logging.StreamHandler()
    shown.setFormatter(_Lines())
    shown.addFilter(_is_news)
    logging.getLogger().addHandler(shown)
    return run(_Master, cmdline.mitmdump, sys.argv[1:])


if __name__ == "__main__":
    main()
