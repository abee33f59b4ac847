"""By which ways what was recorded is replayed: from memory, from a store, from a file."""

import re
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from laws.runs import LATER, NAME, RULES, Recorded

from chatproxy.cassettes.transfer import canonical_fixture, export_cassette, open_file
from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.sharing.canonical import Canonical, numbered_sids
from chatproxy.fixture import read_fixture, write_fixture
from chatproxy.store import Store


def exported(cassette: Cassette, *, anonymous: bool = False) -> str:
    """Return the text of a cassette's fixture, ``anonymous`` without the recorder's own SIDs."""
    canonical, file = Canonical(cassette, RULES, numbered_sids(frozenset())), StringIO()
    write_fixture(cassette.name, canonical.exchanges(), file, canonical.declared(anonymous=anonymous))
    return file.getvalue()


def imported(text: str) -> MemoryCassette:
    """Return the cassette of a fixture."""
    document = read_fixture(BytesIO(text.encode()), "laws.json")
    return MemoryCassette(document.name, tuple(document.exchanges), RULES, document.declared)


def transferred(recorded: Recorded, store: Store) -> Cassette:
    """Return what was recorded by way of a file that is exported from a store as users do, past the leak gate."""
    recorded.stored(store)
    with TemporaryDirectory(dir=store.folder) as folder:
        path = Path(folder) / "laws.json"
        export_cassette(canonical_fixture(store, NAME, RULES), path)
        return open_file(path, None, RULES, LATER)


def without_known(text: str) -> str:
    """Return a fixture without the lines of its head that tell known SIDs."""
    return _KNOWN.sub("", text)


_KNOWN = re.compile(r'^  "known": \[.*?^  \],\n', re.DOTALL | re.MULTILINE)


Source = Callable[[Recorded], Cassette]
"""By which way what was recorded is replayed."""


def shared(recorded: Recorded) -> Cassette:
    """Return what was recorded by way of a file."""
    return imported(exported(recorded.cassette()))


def by_export(store: Store) -> Source:
    """Return what leads by way of a store and of a file that is exported from it."""
    return lambda recorded: transferred(recorded, store)


def by_memory(store: Store) -> Source:
    """Return what leads by no way at all."""
    return Recorded.cassette


def by_store(store: Store) -> Source:
    """Return what leads by way of a store."""
    return lambda recorded: recorded.stored(store)
