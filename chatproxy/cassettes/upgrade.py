"""Fixtures of older versions, written anew in the current one: what each says stays, and it replays as before.

1. Of several files all are upgraded, or none is changed.
2. A SID that an older file has by its number gets the number that replay knows it by, and a mark; any other stays as
   it stands there. Canonical files become what importing and exporting them would make of them.
3. What is written passes the leak gate, and can be read again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from chatproxy.cassettes.leak_gate import refuse_leaks
from chatproxy.cassettes.reach import scrubbed, within_reach
from chatproxy.cassettes.transfer import Opened, open_document, refuse_unreadable
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.leaks.gate import Gate
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import RecordedSid
from chatproxy.core.sharing.canonical import Canonical, numbered_sids
from chatproxy.core.timeline.numbering import Numbered
from chatproxy.core.twilio.canonical_sids import canonical_nth, is_old_canonical
from chatproxy.files import whole_file
from chatproxy.fixture import write_fixture
from chatproxy.fixture.document import CURRENT


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What became of a file: of which version it was, how many exchanges it has, and its old numbers with the new.

    Of the ``known`` ones of these a program, or its settings, can know.
    """

    path: Path
    version: int
    count: int
    names: Mapping[str, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()

    @property
    def is_changed(self) -> bool:
        """Whether it was of an older version, and is written anew."""
        return self.version != CURRENT

    @property
    def to_say(self) -> Iterator[tuple[str, str]]:
        """Yield old numbers and new SIDs of what settings may name: known ones, and those whose number is another."""
        for old, new in sorted(self.names.items()):
            if old in self.known or canonical_nth(old.encode()) != canonical_nth(new.encode()):
                yield old, new


def upgrade(paths: Sequence[Path], rules: Rules, gate: Gate) -> list[Upgraded]:
    """Write files of older versions anew in their places; those of the current version are read, and left as they are.

    Raises CassetteError for a file that cannot be read or written, LeakError if the gate finds something in one; no
    file is changed then.
    """
    with ExitStack() as stack:
        return [_upgraded(path, rules, gate, stack) for path in dict.fromkeys(paths)]


def _upgraded(path: Path, rules: Rules, gate: Gate, stack: ExitStack) -> Upgraded:
    """Write a file that is put in place when the stack is left, unless something goes wrong until then."""
    with open_document(path) as document:
        if document.version == CURRENT:
            for _ in document.exchanges:  # each is checked as it is read
                pass
            return Upgraded(path, CURRENT, document.count)
        file = stack.enter_context(whole_file(path, permissions=path.stat().st_mode & 0o777))
        done = (_exact if document.declared is None else _canonical)(document, path, rules, file)
    file.flush()
    beside = Path(file.name)
    refuse_leaks(beside, path, gate)
    refuse_unreadable(beside, path)
    return done


def _exact(document: Opened, path: Path, rules: Rules, file: TextIO) -> Upgraded:
    exchanges = scrubbed(document.name, document.exchanges, rules.scrub)
    write_fixture(document.name, exchanges, file, variables=document.variables)
    return Upgraded(path, document.version, document.count)


def _canonical(document: Opened, path: Path, rules: Rules, file: TextIO) -> Upgraded:
    cassette = MemoryCassette(document.name, document.exchanges, rules, document.declared)
    names = dict[str, str]()
    canonical = Canonical(cassette, rules, _naming(names))
    exchanges = within_reach(document.name, zip(canonical.numbers, canonical.exchanges(), strict=True), rules.scrub)
    write_fixture(document.name, exchanges, file, canonical.declared())
    known = frozenset(known.sid.decode() for known in cassette.known)
    return Upgraded(path, document.version, len(canonical.numbers), names, known)


def _naming(names: dict[str, str]) -> Callable[[RecordedSid, Numbered], RecordedSid]:
    """Name SIDs that are old numbers by their new ones, which are noted; others stay, since ``keep`` exempted them."""
    numbered = numbered_sids()

    def name(recorded: RecordedSid, known: Numbered) -> RecordedSid:
        if not is_old_canonical(recorded):
            return recorded
        new = numbered(recorded, known)
        names[recorded.decode()] = new.decode()
        return new

    return name
