"""An attempt: one run of a program or of a test against one cassette, which it replays, records or extends.

The laws:

1. A file is changed only by an attempt that went well: it passed, each of its requests was answered, something was
   recorded, and the leak gate finds nothing. The file is then replaced whole.
2. Two attempts are never mixed in one file; only a file with live SIDs, which an exact one has, is extended.
3. What was recorded stays in the store, whatever becomes of the file.
"""

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from chatproxy.cassettes.leak_gate import gate_of
from chatproxy.cassettes.names import fixture_name, has_store, is_file, open_store
from chatproxy.cassettes.transfer import (
    canonical_fixture,
    exact_fixture,
    export_cassette,
    import_fixture,
    open_document,
)
from chatproxy.clock import now
from chatproxy.config.settings import Settings
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import CassetteError, LeakError
from chatproxy.core.model import Mode, Outcome
from chatproxy.core.report.report import RunOutcome
from chatproxy.core.timeline.known import holding, variables_of
from chatproxy.files import write_json
from chatproxy.fixture import Document
from chatproxy.runs.served import Host, Wanted
from chatproxy.store import Store
from chatproxy.wiring.assembly import Say
from chatproxy.wiring.sessions import rules_of

_EPISODES = ".episodes"
"""What is added to the name of a file's cassette while the file is being extended."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an attempt is about: a cassette by its name, in the file at ``path`` or else in the store."""

    name: str
    path: Path | None
    exists: bool
    is_canonical: bool

    @property
    def is_extendable(self) -> bool:
        """Tell whether what is missing can be recorded to it: a server must know its SIDs."""
        return self.exists and not self.is_canonical

    @property
    def shown(self) -> str:
        """Its path or its name, for a person to read."""
        return self.name if self.path is None else os.path.relpath(self.path)


def subject_of(argument: str, settings: Settings, folder: Path = Path()) -> Subject:
    """Look at what a NAME or a FILE of this folder stands for; raises CassetteError for a file that is no fixture."""
    if is_file(argument):
        path = folder.resolve() / argument
        if not os.path.lexists(path):
            return Subject(fixture_name(path), path, exists=False, is_canonical=False)
        with open_document(path, os.path.relpath(path)) as document:
            return Subject(document.name, path, exists=True, is_canonical=document.declared is not None)
    if not has_store(settings.store):
        return Subject(argument, None, exists=False, is_canonical=False)
    with closing(Store(settings.store)) as store:
        record = store.find(argument)
    is_canonical = record is not None and record.declared is not None
    return Subject(argument, None, exists=record is not None, is_canonical=is_canonical)


class RecordMode(StrEnum):
    """What a test does with its cassette, in the words that vcrpy uses (https://vcrpy.readthedocs.io/en/latest/usage.html)."""

    NONE = "none"
    ONCE = "once"
    NEW_EPISODES = "new_episodes"
    ALL = "all"
    REWRITE = "rewrite"


def mode_of_test(word: RecordMode, subject: Subject) -> Mode:
    """Return what a test is to do: a cassette that is there is never mixed with a second recording."""
    if word is RecordMode.NONE:
        return Mode.REPLAY
    if not subject.exists or word in {RecordMode.ALL, RecordMode.REWRITE}:
        return Mode.RECORD
    return Mode.AUTO if word is RecordMode.NEW_EPISODES and subject.is_extendable else Mode.REPLAY


def mode_of_run(mode: Mode, subject: Subject) -> Mode:
    """Return what a run of a program is to do; raises CassetteError if what is missing cannot be added to a file."""
    if mode is Mode.REPLAY and subject.path is not None and not subject.exists:
        raise CassetteError(subject.shown, "is not there; `chatproxy run --mode record` records it")
    if mode is Mode.AUTO and subject.path is not None:
        if not subject.exists:
            return Mode.RECORD
        if subject.is_canonical:
            raise CassetteError(
                subject.shown, "has canonical SIDs, which no server knows; `--mode record` records it anew"
            )
    return mode


class Attempt:
    """Serves one run of a program or test, from its construction until ``end``; ``write`` then keeps what it recorded.

    All its requests belong to the session of that name, if one is given. A replay of a file that is not there has no
    answers: each request is a miss. ``warn`` gets a line for what a user should know, misses aside. ``environ`` is the
    program's environment, which may change meanwhile; of a recording the names of those variables are kept that held
    known SIDs.
    """

    def __init__(
        self,
        subject: Subject,
        mode: Mode,
        settings: Settings,
        host: Host,
        *,
        session: str | None = None,
        warn: Say = lambda line: None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.subject = subject
        self.mode = mode
        self.settings = settings
        self.session = session
        self.went_well = False
        self._name = subject.name
        if mode is Mode.AUTO and subject.path is not None:
            self._name = self._imported(subject.path)
        self._environ = environ
        self._held = holding(environ)
        cassette = self._replayed() if mode is Mode.REPLAY else self._name
        self.served = host.serve(Wanted(mode, cassette, self._for_proxy(), warn, environ, session))

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return self.served.url

    def report(self) -> dict[str, object]:
        """Return the whole report as JSON has it; it must not have ended."""
        shown = None if self.subject.path is None else self.subject.shown
        return self.served.content() | {"file": shown}

    def end(self, *, passed: bool) -> RunOutcome:
        """Stop serving, and return what came of it; a recording that did not go well stays as an interrupted one."""
        try:
            outcome = self.served.outcome()
        except BaseException:
            self.served.close(well=False)
            raise
        self.went_well = passed and not outcome.counts.get(Outcome.MISS) and not outcome.counts.get(Outcome.ERROR)
        report = self.report() if self.settings.report else None
        self.served.close(well=self.went_well or self.mode is not Mode.RECORD)
        if self.settings.report is not None:
            write_json(self.settings.report, report, flag="--report")
        self._recorded = bool(outcome.counts.get(Outcome.RECORDED))
        if self._recorded and self.went_well:
            self._note_variables()
        return outcome

    def look_at_environment(self) -> None:
        """Take in which variables hold SIDs now; it is done when the attempt begins and ends, too."""
        self._held |= holding(self._environ)

    def _note_variables(self) -> None:
        """Keep by which variables the known SIDs of the recording were held."""
        self.look_at_environment()
        with closing(open_store(self.settings.store, self._name)) as store:
            known = store.open(self._name, rules_of(self.settings)).known
            store.note_variables(self._name, variables_of(self._held, known))

    def write(self) -> int | None:
        """Write what was recorded to the file, and return how many exchanges that has; None if it is not to change.

        Raises LeakError if the leak gate finds in it what should not be shared.
        """
        path = self.subject.path
        if path is None or self.mode is Mode.REPLAY or not self._recorded or not self.went_well:
            return None
        settings = self.settings
        with closing(open_store(settings.store, self._name)) as store:
            try:
                gate = gate_of(settings.allow, settings.strict, os.environ)
                count = export_cassette(self._fixture(store), path, gate, bind=settings.bind)
            except LeakError as error:
                kept = f"what was recorded is in the store as {self._name}"
                raise LeakError("\n".join((str(error), kept))) from error
            if self.mode is Mode.AUTO:
                store.drop(self._name)
        return count

    def _fixture(self, store: Store) -> Document:
        """Return what goes to the file: in the form that it has, and in canonical form where there is none."""
        rules = rules_of(self.settings)
        if self.subject.is_extendable:
            return replace(exact_fixture(store, self._name, rules.scrub), name=self.subject.name)
        return canonical_fixture(store, self._name, rules, self.settings.keep)

    def _imported(self, path: Path) -> str:
        """Put a file into the store, for what is missing to be recorded to it, and return its name there."""
        name = self._name[:_LONGEST] + _EPISODES
        with closing(Store(self.settings.store)) as store:
            import_fixture(store, path, now(), name=name, replace=True)
        return name

    def _replayed(self) -> str | MemoryCassette:
        if self.subject.path is None:
            return self._name
        if self.subject.exists:
            return str(self.subject.path)
        return MemoryCassette(self._name, (), rules_of(self.settings))

    def _for_proxy(self) -> Settings:
        """Return settings for the proxy, whose report is written here, so that there is one of a failed run too."""
        return replace(self.settings, report=None, replace=self.settings.replace or self.subject.path is not None)


_LONGEST = 90
