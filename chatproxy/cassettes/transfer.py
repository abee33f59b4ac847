"""Fixtures in and out of stores: export, import, merge, and a FILE opened for replay."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from chatproxy.cassettes.leak_gate import refuse_leaks
from chatproxy.cassettes.reach import scrubbed, within_reach
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import CassetteError
from chatproxy.core.leaks.gate import Gate
from chatproxy.core.matching.rules import Rules
from chatproxy.core.scrubbing.rules import NO_SCRUB, Scrub
from chatproxy.core.sharing.canonical import Canonical, numbered_sids
from chatproxy.core.sharing.merging import Merged
from chatproxy.core.sharing.retries import repeated_attempts, without
from chatproxy.core.sharing.taking_over import taken_over
from chatproxy.core.timeline.known import NO_VARIABLES, Declared
from chatproxy.core.timeline.standing import Role
from chatproxy.files import whole_file
from chatproxy.fixture import Document, check_fixture, read_fixture, write_fixture
from chatproxy.store import Existing, Progress, Recording, Store, is_damage, stepped, unseen

GATE = Gate()
"""It knows no credentials, and lets pass what users write."""

_BLOCK = 1 << 20
_FILES_KEPT = 20
_CACHE = "files"


def open_cache(folder: Path) -> Store | None:
    """Open the cache of fixtures in the store's folder; where none can be had, there is none: it only saves time.

    One that is damaged is made anew.
    """
    path = folder / _CACHE
    for _ in range(2):
        try:
            cache = Store(path)
        except CassetteError as error:
            if not is_damage(error):
                return None
        else:
            if not cache.flaws:
                return cache
            cache.close()
        shutil.rmtree(path, ignore_errors=True)
    return None


def open_file(path: Path, cache: Store | None, rules: Rules, begun: int) -> Cassette:
    """Open a fixture for replay, by way of a cache, or in memory where there is none.

    The cache is keyed by the file's content and knows no cassette of the store.
    """
    with open_document(path) as document:
        if cache is not None:
            with suppress(CassetteError):  # another process fills it just now
                return _cached(cache, document, rules, begun)
        return MemoryCassette(document.name, document.exchanges, rules, document.declared, document.variables)


def _cached(cache: Store, document: "Opened", rules: Rules, begun: int) -> Cassette:
    """Open a fixture by way of the cache, where the oldest ones are forgotten."""
    key = document.digest()
    if cache.find(key) is None:
        recording = Recording(
            cache,
            key,
            Existing.REPLACE,
            begun,
            title=document.name,
            declared=document.declared,
            variables=document.variables,
        )
        _put_all(recording, document)
        oldest_first = sorted(cache.listing(), key=lambda listed: listed.begun)
        for listed in oldest_first[:-_FILES_KEPT]:
            cache.drop(listed.name)
    return cache.open(key, rules)


def exact_fixture(store: Store, name: str, scrub: Scrub = NO_SCRUB) -> Document:
    """Return a cassette as it was recorded, less what the rules of scrubbing leave out.

    Its exchanges raise LeakError where the rules cannot be applied.
    """
    record = store.find(name)
    if record is not None and record.declared is not None:
        raise CassetteError(name, "comes from a canonical fixture, nothing more exact is known; leave out --exact")
    exchanges = scrubbed(name, store.exchanges(name), scrub)
    return Document(name, store.count(name), exchanges, variables=record.variables if record else {})


@dataclass(frozen=True, slots=True)
class Shared(Document):
    """A cassette in canonical form, with how many of its exchanges are left out, by the reason why."""

    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def left_out_text(self) -> str:
        """What there is to say of what is left out, to stand behind the number of what is not."""
        reasons = [f"{count} {reason}" for reason, count in self.left_out.items() if count]
        return f"; left out: {', '.join(reasons)}" if reasons else ""


_REASONS = {
    Role.ABANDONED: "given up by the client and sent again",
    Role.DOUBTFUL: "read while it is not known what had been done",
}
_REPEATED = "answered 429 or 503 and sent again"


def canonical_fixture(
    store: Store,
    name: str,
    rules: Rules,
    keep: frozenset[str] = frozenset(),
    progress: Progress = unseen,
    *,
    anonymous: bool = False,
    without_retries: bool = False,
) -> Shared:
    """Return a cassette in canonical form under these rules, with the SIDs of ``keep`` as recorded.

    An ``anonymous`` one does not tell the recorder's own SIDs; one ``without_retries`` has no attempts that were never
    processed and were repeated. Its exchanges raise LeakError where the rules of scrubbing cannot be applied.
    """
    cassette: Cassette = store.open(name, rules, progress)
    repeated = repeated_attempts(store.exchanges(name), rules) if without_retries else frozenset()
    if repeated:
        kept, record = without(store.exchanges(name), repeated), store.existing(name)
        cassette = MemoryCassette(name, kept, rules, record.declared, record.variables)
    canonical = Canonical(cassette, rules, numbered_sids(keep))
    exchanges = within_reach(name, zip(canonical.numbers, canonical.exchanges(), strict=True), rules.scrub)
    left_out = {reason: canonical.left_out[role] for role, reason in _REASONS.items()} | {_REPEATED: len(repeated)}
    return Shared(name, len(canonical.numbers), exchanges, canonical.declared(anonymous=anonymous), left_out=left_out)


def export_cassette(
    fixture: Document,
    path: Path,
    gate: Gate = GATE,
    progress: Progress = unseen,
    bind: Mapping[str, str] = NO_VARIABLES,
) -> int:
    """Write a fixture, whole or not at all, and return how many exchanges it has.

    Of the file that stands there it takes over what ``bind`` and variables lead to. Raises LeakError if the gate finds
    what should not be shared, and CassetteError if what was written cannot be read again.
    """

    def check(written: Path) -> None:
        refuse_leaks(written, path, gate)
        refuse_unreadable(written, path)

    declared = fixture.declared and _taken_over(fixture.declared, path, bind)
    with (
        whole_file(path, permissions=_SHARED, check=check, make_folder=True) as file,
        progress("export", fixture.count) as step,
    ):
        write_fixture(fixture.name, stepped(fixture.exchanges, step), file, declared, fixture.variables)
    return fixture.count


def _taken_over(declared: Declared, path: Path, bind: Mapping[str, str]) -> Declared:
    """Return what a new fixture says of its SIDs at a path; what cannot be read there says nothing."""
    if path.is_file():
        with suppress(CassetteError), open_document(path) as before:
            if before.declared is not None and not before.declared.bare:
                return taken_over(declared, before.declared, bind)
    return declared


def refuse_unreadable(path: Path, shown: Path) -> None:
    """Raise CassetteError if a file that is about to become the fixture ``shown`` cannot be read."""
    try:
        with path.open("rb") as stream:
            check_fixture(stream, str(shown))
    except CassetteError as error:
        raise CassetteError(
            error.place, f"{error.reason}; no fixture can hold this, and none is written: record it anew"
        ) from error


def check_if_fixture(path: Path) -> None:
    """Raise CassetteError for a file that begins as a fixture and cannot be read as one."""
    if not path.is_file():  # what came through a pipe is gone
        return
    with path.open("rb") as stream:
        if _BEGIN.match(stream.read(_BLOCK)):
            check_fixture(stream, str(path))


_BEGIN = re.compile(rb'\s*\{\s*"chatproxy"\s*:')

_SHARED = 0o644
"""A fixture is shared, unlike the store: readable by all, as files of a repository are."""


def import_fixture(
    store: Store, path: Path, begun: int, *, name: str | None = None, replace: bool = False, progress: Progress = unseen
) -> tuple[str, int]:
    """Put a fixture into the store under the name inside it, or another; whole or not at all.

    Returns the name, and how many exchanges it has.
    """
    with open_document(path) as document:
        known = name or document.name
        existing = Existing.RENEW if replace else Existing.REFUSE
        if not replace and store.find(known) is not None:
            raise CassetteError(known, "exists; give --replace to replace it or --name for another name")
        recording = Recording(store, known, existing, begun, declared=document.declared, variables=document.variables)
        _put_all(recording, document, progress)
        return known, document.count


def merge_cassettes(
    store: Store, name: str, merged: Merged, begun: int, *, replace: bool = False, progress: Progress = unseen
) -> None:
    """Put several cassettes into the store as one; whole or not at all."""
    existing = Existing.RENEW if replace else Existing.REFUSE
    if not replace and store.find(name) is not None:
        raise CassetteError(name, "exists; give --replace to replace it or merge under another name")
    document = Document(name, merged.count, merged.exchanges(), merged.declared())
    _put_all(Recording(store, name, existing, begun, declared=document.declared), document, progress)


def _put_all(recording: Recording, document: Document, progress: Progress = unseen) -> None:
    work = ("import", document.count)
    recording.fill(document.exchanges, Rules(), work=work, progress=progress, keep_empty=True)


@dataclass(frozen=True, slots=True)
class Opened(Document):
    """A fixture whose file is open."""

    stream: BinaryIO = field(default_factory=BytesIO)

    def digest(self) -> str:
        """Return what stands for the file's content."""
        self.stream.seek(0)
        digest = blake2b(digest_size=16)
        while chunk := self.stream.read(_BLOCK):
            digest.update(chunk)
        return digest.hexdigest()


@contextmanager
def open_document(path: Path, shown: str | None = None) -> Iterator[Opened]:
    """Open a fixture; its exchanges are read while the block lasts.

    Errors call it by its path, or as it is ``shown``.
    """
    name = shown or str(path)
    with ExitStack() as stack:
        try:
            stream = _seekable(path, stack)
        except OSError as error:
            raise CassetteError(name, f"cannot be read: {error.strerror}") from error
        document = read_fixture(stream, name)
        try:
            said = (document.declared, document.variables, document.version)
            yield Opened(document.name, document.count, document.exchanges, *said, stream)
        except CassetteError as error:
            if error.place:
                raise
            raise CassetteError(name, error.reason) from error


def _seekable(path: Path, stack: ExitStack) -> BinaryIO:
    """Open a file; what comes through a pipe is put on disk, since it is read twice."""
    stream = stack.enter_context(path.open("rb"))
    if stream.seekable():
        return stream
    spooled = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    shutil.copyfileobj(stream, spooled)
    return spooled
