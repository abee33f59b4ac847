"""What a test gets: a proxy of its own, and what came of the test's requests so far."""

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from chatproxy.cassettes.names import plain_name
from chatproxy.config.settings import Settings, load, private
from chatproxy.core.errors import ConfigError
from chatproxy.core.model import Mode, Outcome
from chatproxy.core.replay.journal import Entry, Journal
from chatproxy.core.report.coverage import Covered, read_coverage
from chatproxy.core.report.report import RunOutcome, Trouble, troubles
from chatproxy.core.text.excerpts import counted
from chatproxy.runs.attempt import Attempt, RecordMode, Subject, mode_of_test
from chatproxy.runs.served import InBackground, ServedProxy
from chatproxy.serve.hosting import Background

MARK = "@pytest.mark.chatproxy"
_OF_SETTINGS = ("clock", "ignore")
_NAMES = {"cassette", "mode", *_OF_SETTINGS}

_TEST_FOR_EACH = "where a test runs the program twice, give each run a test of its own, or record both in one"

_MADE_UP = ("AC" + "0" * 32, "a token that nobody has")
"""Credentials for a replay, which takes any account, and any password."""


def default_cassette(module: str, test: str) -> str:
    """Return the file of a test that names none, below the project's root; ``test`` has its classes before it."""
    return f"cassettes/{plain_name(module)}/{plain_name(_flat(test))}.json"


def session_name(module: str, test: str) -> str:
    """Return the name of a test's session."""
    return plain_name(f"{module}.{_flat(test)}")


def _flat(test: str) -> str:
    """Return a test's name with its parameters, ``test_x[1-a]``, as ``test_x-1-a``."""
    return test.removesuffix("]").replace("[", "-", 1)


def settings_of(marked: dict[str, Any], root: Path) -> Settings:
    """Return the settings of a test: its mark over the environment over the file at the root."""
    if unknown := marked.keys() - _NAMES:
        raise ConfigError(f"{MARK}: {min(unknown)}", f"is not known; it takes {', '.join(sorted(_NAMES))}")
    flags = {name: marked[name] for name in _OF_SETTINGS if name in marked}
    try:
        settings = load(flags, os.environ, root)
    except ConfigError as error:
        name = error.source.removeprefix("--")
        raise ConfigError(f"{MARK}: {name}" if name in flags else error.source, error.reason) from error
    store = root / settings.store
    return replace(private(settings), store=store, report=None, append=False, replace=True)


def record_mode(marked: dict[str, Any], given: str) -> RecordMode:
    """Return what a test does with its cassette: what its mark says, else what the command line says."""
    word = marked.get("mode", given)
    try:
        return RecordMode(word)
    except ValueError as error:
        words = ", ".join(RecordMode)
        raise ConfigError(f"{MARK}: mode", f"{word!r} is none of {words}") from error


def recording(word: RecordMode, marked: dict[str, Any], test: str) -> str:
    """Return what records a test in this way: a command, unless its mark decides; ``test`` is as pytest takes it."""
    if "mode" in marked:
        return f"mode={word.value!r} in its {MARK}"
    return f"pytest --record-mode={word} {shlex.quote(test)}"


def _exact(subject: Subject) -> str:
    """Return what makes a cassette one to which new_episodes adds."""
    command = ["chatproxy", "export", "--exact", subject.name, *([] if subject.path is None else [subject.shown])]
    return f"new_episodes adds nothing to canonical SIDs; once recorded anew, {shlex.join(command)} gives it live ones"


def _pairs(assumed: Mapping[str, str]) -> list[str]:
    return [f"{live}={recorded}" for live, recorded in assumed.items()]


class Proxied:
    """A proxy for one test; whatever client knows its ``url`` is in the test's session.

    ``recorded_by`` says for a record mode what records the test so.
    """

    def __init__(
        self,
        subject: Subject,
        word: RecordMode,
        settings: Settings,
        *,
        session: str,
        background: Background,
        recorded_by: Callable[[RecordMode], str],
    ) -> None:
        self._recorded_by = recorded_by
        self._word = word
        self._attempt = Attempt(
            subject, mode_of_test(word, subject), settings, InBackground(background), session=session
        )
        self._outcome: RunOutcome | None = None
        self._covered: list[Covered] = []

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return self._attempt.url

    @property
    def session(self) -> str:
        """The name of the session to which all requests belong."""
        return self._attempt.session or ""

    @property
    def mode(self) -> Mode:
        """What is done: the cassette is replayed, recorded, or replayed and extended."""
        return self._attempt.mode

    @property
    def path(self) -> Path | None:
        """The file of the cassette, if it is in one."""
        return self._attempt.subject.path

    @property
    def misses(self) -> list[Trouble]:
        """The requests so far that had no recorded answer."""
        return list(troubles(self._journal.total.misses))

    @property
    def errors(self) -> list[Trouble]:
        """The requests so far that were refused, or got no answer of the upstream."""
        return list(troubles(self._journal.total.errors))

    @property
    def exchanges(self) -> list[Entry]:
        """The last requests so far and what became of each, the oldest first."""
        return self._journal.noted()

    def twilio_client(self, account_sid: str = "", auth_token: str = "", *, is_async: bool = False) -> Any:
        """Return a client of the twilio package that uses this proxy, for its async calls if that is asked for.

        Credentials are those given, else TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN; a replay needs none.
        """
        from chatproxy.testing import twilio_client  # noqa: PLC0415 - an extra

        user = account_sid or os.environ.get("TWILIO_ACCOUNT_SID")
        token = auth_token or os.environ.get("TWILIO_AUTH_TOKEN")
        if self.mode is Mode.REPLAY:
            user, token = user or _MADE_UP[0], token or _MADE_UP[1]
        if not user or not token:
            raise ConfigError("twilio_client", "needs credentials to record: set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN")
        return twilio_client(self.url, user, token, is_async=is_async)

    def ran(self) -> None:
        """Take in that the test itself has ended, before what it set in its environment is taken back."""
        self._attempt.look_at_environment()

    def close(self, *, passed: bool, report: bool) -> None:
        """Stop serving; with ``report``, remember for a report what was served."""
        if report and self.mode is not Mode.RECORD and self._attempt.subject.exists:
            self._covered = read_coverage(self._attempt.report(), self._attempt.subject.shown)
        self._outcome = self._attempt.end(passed=passed)

    @property
    def covered(self) -> list[Covered]:
        """What was served, if that was to be remembered."""
        return self._covered

    def assumed(self) -> str | None:
        """Return a line that says which SIDs were assumed to stand for recorded ones, if any were."""
        assumed = {} if self._outcome is None else self._outcome.assumed
        pairs = ", ".join(_pairs(assumed))
        return f"{self._attempt.subject.shown}: assumed {pairs}; --bind settles it" if pairs else None

    def trouble(self) -> str | None:
        """Return what came of misses and of requests without answer, and what helps; None if there were none."""
        counts = self._journal.total.outcomes
        kinds = [(counts[Outcome.MISS], "missed request"), (counts[Outcome.ERROR], "refused request")]
        found = [counted(count, noun) for count, noun in kinds if count]
        if not found:
            return None
        lines = [f"{self._attempt.subject.shown}: {' and '.join(found)}"]
        lines += [f"  {trouble.text}" for trouble in (*self.misses, *self.errors)]
        lines += [f"  assumed {pair}" for pair in _pairs(self._journal.total.assumed)]
        return "\n".join([*lines, *self._advice()])

    def _advice(self) -> list[str]:
        from chatproxy.core.replay.explain import SECOND_RUN  # noqa: PLC0415 - most replays never miss

        subject = self._attempt.subject
        if self.mode is Mode.REPLAY and not subject.exists:
            return [f"{subject.shown} is not there: {self._recorded_by(RecordMode.ONCE)} records it"]
        lines = [f"{subject.shown} is as it was"] if self.mode is not Mode.REPLAY else []
        if any(SECOND_RUN in miss.reason for miss in self.misses):
            lines.append(_TEST_FOR_EACH)
        if self.misses:
            lines.append(f"if the test is to ask otherwise, {self._recorded_by(RecordMode.REWRITE)} records it anew")
            if self._word is RecordMode.NEW_EPISODES and subject.is_canonical:
                lines.append(_exact(subject))
        return lines

    def write(self) -> str | None:
        """Write what was recorded to the file, and return a line that says so, or that it was left as it was."""
        if self.mode is Mode.REPLAY:
            return None
        count = self._attempt.write()
        shown = self._attempt.subject.shown
        if count is not None:
            mixture = self._outcome.mixture if self._outcome is not None else None
            anew = f"; {mixture}; {self._recorded_by(RecordMode.REWRITE)} records it anew" if mixture else ""
            return f"recorded {shown}, {counted(count)}{anew}"
        recorded = self._outcome is not None and self._outcome.counts.get(Outcome.RECORDED)
        if recorded and self._attempt.subject.path is None:
            return f"recorded {shown} in the store"
        return f"{shown} is as it was" + ("" if recorded else ": no request came to be recorded")

    @property
    def _journal(self) -> Journal:
        served = self._attempt.served
        assert isinstance(served, ServedProxy)
        engine = served.running.engine
        assert engine is not None
        return engine.journal
