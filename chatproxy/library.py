"""Cassettes as a user names them: a NAME in the store, or a FILE that is a fixture."""

import os
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing, suppress
from hashlib import blake2b
from itertools import islice
from pathlib import Path

from chatproxy.core.cassette import Cassette, MemoryCassette
from chatproxy.core.errors import CassetteError
from chatproxy.core.model import Exchange
from chatproxy.core.normalize import Rules
from chatproxy.files import whole_file
from chatproxy.fixture import Document, read_fixture, write_fixture
from chatproxy.store import Existing, Recording, Store

Watch = Callable[[Iterable[Exchange], int], Iterable[Exchange]]
"""Gets exchanges and their number, and gives them on: a progress bar, say."""

_CHUNK = 256
_FILES_KEPT = 20
_CACHE = "files"


def is_file(argument: str) -> bool:
    """Tell whether an argument means a FILE: it ends in .json or has a slash; else it is a NAME."""
    return argument.endswith(".json") or "/" in argument


def fixture_path(name: str) -> Path:
    """Return where the fixture of a cassette lies unless one says otherwise."""
    return Path("cassettes") / f"{name}.json"


def now() -> int:
    """Return the moment in microseconds since 1970."""
    return time.time_ns() // 1000


def unwatched(exchanges: Iterable[Exchange], count: int) -> Iterable[Exchange]:
    """Watch nothing."""
    return exchanges


def open_store(folder: Path, name: str) -> Store:
    """Open the store that has this cassette; raises CassetteError where there is none, and makes none."""
    if has_store(folder):
        with ExitStack() as undo:
            store = undo.enter_context(closing(Store(folder)))
            if store.find(name) is not None:
                undo.pop_all()
                return store
    path = fixture_path(name)
    if os.path.isfile(path):  # unlike Path.is_file for any text
        raise CassetteError(
            name,
            f"is not in the store {folder}, but {path} is there: "
            f"`chatproxy replay {path}` replays it, `chatproxy import {path}` puts it into the store",
        )
    raise CassetteError(name, f"there is no such cassette in {folder}; `chatproxy list` shows what is")


def has_store(folder: Path) -> bool:
    """Tell whether a store stands in a folder."""
    return (folder / "data.mdb").exists()


def open_file(path: Path, folder: Path, rules: Rules, begun: int) -> tuple[Cassette, Store | None]:
    """Open a fixture for replay, by way of a cache in the store's ``folder``, or in memory where there can be none.

    The cache is keyed by the file's content and knows no cassette of the store. Its own store is returned too,
    to be closed after the replay.
    """
    content = _content(path)
    with suppress(CassetteError), ExitStack() as undo:
        # Where no cache can be had, or another process fills it just now, there is none: it only saves time.
        cache = undo.enter_context(closing(Store(folder / _CACHE)))
        cassette = _cached(cache, content, path, rules, begun)
        undo.pop_all()
        return cassette, cache
    document = _document(content, path)
    return MemoryCassette(document.name, document.exchanges, rules), None


def _cached(cache: Store, content: bytes, path: Path, rules: Rules, begun: int) -> Cassette:
    """Open a fixture's content by way of the cache, where the oldest ones are forgotten."""
    key = blake2b(content, digest_size=16).hexdigest()
    if cache.find(key) is None:
        document = _document(content, path)
        _put_all(Recording(cache, key, Existing.REPLACE, begun, title=document.name), document)
        oldest_first = sorted(cache.listing(), key=lambda listed: listed.begun)
        for listed in oldest_first[:-_FILES_KEPT]:
            cache.drop(listed.name)
    return cache.open(key, rules)


def export_cassette(store: Store, name: str, path: Path, watch: Watch = unwatched) -> int:
    """Write a cassette as a fixture, whole or not at all, and return how many exchanges it has."""
    count = store.count(name)
    with whole_file(path, permissions=_SHARED, make_folder=True) as file:
        write_fixture(name, watch(store.exchanges(name), count), file)
    return count


_SHARED = 0o644
"""A fixture is shared, unlike the store: readable by all, as files of a repository are."""


def import_fixture(
    store: Store, path: Path, begun: int, *, name: str | None = None, replace: bool = False, watch: Watch = unwatched
) -> Document:
    """Put a fixture into the store under the name inside it, or another; whole or not at all."""
    document = read_document(path)
    document = Document(name or document.name, document.exchanges)
    existing = Existing.REPLACE if replace else Existing.REFUSE
    if not replace and store.find(document.name) is not None:
        raise CassetteError(document.name, "exists; give --replace to replace it or --name for another name")
    _put_all(Recording(store, document.name, existing, begun), document, watch)
    return document


def _put_all(recording: Recording, document: Document, watch: Watch = unwatched) -> None:
    try:
        exchanges = iter(watch(document.exchanges, len(document.exchanges)))
        while chunk := list(islice(exchanges, _CHUNK)):
            recording.put(chunk)
        recording.finish(Rules(), keep_empty=True)
    except BaseException:
        with suppress(CassetteError):  # where even that fails, it stays under the name of an interrupted recording
            recording.discard()
        raise


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CassetteError(str(path), f"cannot be read: {error.strerror}") from error


def read_document(path: Path) -> Document:
    """Read a fixture."""
    return _document(_content(path), path)


def _document(content: bytes, path: Path) -> Document:
    try:
        return read_fixture(content.decode(), str(path))
    except UnicodeDecodeError as error:
        raise CassetteError(str(path), f"is no UTF-8: {error.reason} at byte {error.start}") from error
