"""The demo: the twilio client records against the sandbox, the sandbox stops, and the same program runs again."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chatproxy.cassettes.transfer import canonical_fixture, export_cassette
from chatproxy.config.settings import Settings, load
from chatproxy.config.values import FREE
from chatproxy.core.errors import ChatproxyError
from chatproxy.core.model import Mode, Outcome
from chatproxy.core.twilio.sids import SID
from chatproxy.serve.hosting import in_background
from chatproxy.serve.listen import proxy, sandbox
from chatproxy.show.table import table
from chatproxy.store import Store
from chatproxy.wiring.sessions import rules_of

Say = Callable[[str], None]

NAME = "demo"
_ACCOUNT = "AC" + "0123456789abcdef" * 2
_TOKEN = "not a real token, only for the demo"
_SERVICE = "IS" + "0123456789abcdef" * 2
_CHANNEL = "CH" + "0123456789abcdef" * 2


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the client: what was called, and what it gave, as text."""

    call: str
    result: str


def run_demo(file: Path | None, say: Say) -> None:
    """Print what was recorded, served and compared; raises ChatproxyError if the replay differs."""
    with tempfile.TemporaryDirectory(prefix="chatproxy-demo-") as folder:
        settings = replace(load({}, {}, Path(folder)), store=Path(folder, "store"), listen=FREE, sandbox_listen=FREE)
        recorded = _record(settings, say)
        path = file or Path(tempfile.mkdtemp(prefix="chatproxy-")) / f"{NAME}.json"
        with closing(Store(settings.store)) as store:
            count = export_cassette(canonical_fixture(store, NAME, rules_of(settings)), path)
        with in_background(proxy(Mode.REPLAY, str(path), settings, say)) as replayer:
            replayed = list(_program(replayer.url))
            counts = replayer.engine.counts if replayer.engine else {}
    differing, fresh = _show(recorded, replayed, say)
    say(f"\n{count} exchanges recorded from the sandbox and exported to {path}")
    say(f"{counts[Outcome.HIT]} served with the sandbox stopped, {counts[Outcome.MISS]} missed")
    if differing:
        raise ChatproxyError(f"{differing} of {len(recorded)} results differ")
    say(f"all {len(recorded)} results are equal, but for {fresh} fresh SIDs")


def _record(settings: Settings, say: Say) -> list[Step]:
    with in_background(sandbox(settings)) as upstream:
        recording = replace(settings, upstream=upstream.url)
        with in_background(proxy(Mode.RECORD, NAME, recording, say)) as recorder:
            return list(_program(recorder.url))


def _show(recorded: list[Step], replayed: list[Step], say: Say) -> tuple[int, int]:
    """Print both runs side by side; return how many results differ, and how many SIDs are fresh."""
    rows, differing, fresh = [], 0, Renaming()
    for one, other in zip(recorded, replayed, strict=True):
        if one == other:
            verdict = "equal"
        elif one.call == other.call and fresh.explains(one.result, other.result):
            verdict = f"equal, with {', '.join(_sids(other.result))}"
        else:
            verdict = f"DIFFERS: {other.result}"
            differing += 1
        rows.append((one.call, one.result, verdict))
    say(table(("CALL OF THE TWILIO CLIENT", "RECORDED", "REPLAYED"), rows))
    return differing, len(fresh.names)


class Renaming:
    """Which SID of the replay stands for which of the recording: always the same one, and for no other."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def explains(self, recorded: str, replayed: str) -> bool:
        """Tell whether two texts differ by renamed SIDs alone, and remember the names if so."""
        names = {**self.names, **dict(zip(_sids(recorded), _sids(replayed), strict=False))}
        renamed = SID.sub(lambda found: names.get(found[0].decode(), "").encode(), recorded.encode())
        if renamed.decode() != replayed or len(set(names.values())) < len(names):
            return False
        self.names = names
        return True


def _sids(text: str) -> list[str]:
    return [found[0].decode() for found in SID.finditer(text.encode())]


def _program(url: str) -> Iterator[Step]:
    """Call all five operations through the twilio client, as a user's program would."""
    twilio_client, api_error = _twilio()
    client = twilio_client(url, _ACCOUNT, _TOKEN)
    messages = client.chat.v1.services(_SERVICE).channels(_CHANNEL).messages
    bodies = ("Hello", "1 + 1 = 2 & more", "Grüße, 世界", "", "last")
    sids = []
    for body in bodies:
        made = messages.create(body=body, from_="alice", attributes='{"nested": {"list": [1, 2.5, null]}}')
        sids.append(made.sid)
        yield Step(f"create(body={body!r})", f"{made.sid}, index {made.index}")
    pages = [page := messages.page(page_size=2)]
    while page := page.next_page():
        pages.append(page)
    listed = [message.body for page in pages for message in page]
    yield Step("page(page_size=2), next_page()…", f"{len(listed)} messages on {len(pages)} pages, last {listed[-1]!r}")
    yield Step("fetch()", repr(messages(sids[2]).fetch().body))
    updated = messages(sids[0]).update(body="Hello again")
    yield Step("update(body='Hello again')", f"{updated.body!r}, edited: {updated.was_edited}")
    yield Step("fetch()", repr(messages(sids[0]).fetch().body))
    yield Step("delete()", str(messages(sids[1]).delete()))
    try:
        yield Step("fetch()", repr(messages(sids[1]).fetch().body))
    except api_error as error:
        yield Step("fetch()", f"TwilioRestException, status {error.status}, code {error.code}")


def _twilio() -> tuple[Callable[[str, str, str], Any], type[Any]]:
    """Return what makes a client, and its exception, from the twilio package, which is an extra."""
    try:
        from twilio.base.exceptions import TwilioRestException  # noqa: PLC0415

        from chatproxy.testing import twilio_client  # noqa: PLC0415
    except ImportError as error:
        raise ChatproxyError("the demo needs the twilio package: pip install 'twilio>=9'") from error
    return twilio_client, TwilioRestException
