"""The stores that are replayed: made once, kept under ``.bench/``, and made anew when what would be in them differs."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import workload
from workload import Asked

from chatproxy.core.matching.rules import COMPILE_VERSION, Rules
from chatproxy.store import Existing, Recording, Store
from chatproxy.store.environment import FORMAT

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".bench"


@dataclass(frozen=True, slots=True)
class Cassette:
    """A cassette of this many exchanges, and the program that it is the recording of."""

    name: str
    exchanges: int
    program: Callable[[], Iterator[Asked]]

    @property
    def folder(self) -> Path:
        """The folder of its store; the name tells what the content depends on."""
        source = Path(workload.__file__).read_bytes() + FORMAT + str(COMPILE_VERSION).encode()
        return KEPT / "stores" / f"{self.name}-{blake2b(source, digest_size=4).hexdigest()}"


def fetches(listed: int, unlisted: int = 1) -> Cassette:
    """Return the cassette of a program that lists so many messages and fetches each, and others."""
    count = -(-listed // workload.PAGE) + listed + unlisted
    return Cassette(f"fetches-{count}", count, lambda: workload.fetches(listed, unlisted))


def fetches_of(messages: int) -> Cassette:
    """Return such a cassette of this many messages, of which 100,000 at most are listed, and none if it is one."""
    listed = listed_of(messages)
    return fetches(listed, max(1, messages - listed))


def listed_of(messages: int) -> int:
    """Return how many messages such a cassette lists."""
    return min(100_000, messages) if messages > 1 else 0


def unlisted(messages: int) -> Asked:
    """Return the last exchange of such a cassette: the fetch of a message that was listed nowhere."""
    return workload.fetch(max(messages - 1, listed_of(messages)), listed_of(messages))


def lists(channels: int, size: int = 50) -> Cassette:
    """Return the cassette of a program that reads the first messages of so many channels."""
    return Cassette(f"lists-{channels}-of-{size}", channels, lambda: workload.lists(channels, size))


def creates(count: int) -> Cassette:
    """Return the cassette of a program that creates so many messages."""
    return Cassette(f"creates-{count}", count, lambda: workload.creates(count))


def stored(cassette: Cassette, say: Callable[[str], None]) -> Path:
    """Return the folder of a store with this cassette, which is made if it is not there."""
    folder = cassette.folder
    made = folder / "made.json"
    if made.exists():
        return folder / "store"
    for old in (*folder.parent.glob(f"{cassette.name}-????????"), folder):
        shutil.rmtree(old, ignore_errors=True)
    begun = time.perf_counter()
    store = Store(folder / "store")
    try:
        recording = Recording(store, cassette.name, Existing.REFUSE, workload.BEGIN * 1_000_000)
        recorded = workload.exchanges(cassette.program())
        recording.fill(recorded, Rules(), work=("make", cassette.exchanges))
        assert store.count(cassette.name) == cassette.exchanges, store.count(cassette.name)
    finally:
        store.close()
    took = time.perf_counter() - begun
    made.write_text(json.dumps({"exchanges": cassette.exchanges, "seconds": took}))
    say(f"made {cassette.name}: {cassette.exchanges:,} exchanges in {took:.1f} s")
    return folder / "store"
