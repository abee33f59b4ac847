"""All that is tried, and how often: one table for the tests and for ``python -m laws.survey``."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from laws.agents import PYTHON
from laws.cases import Changed, Racing, Reordered, Same, Threads
from laws.cursors import Cursors, jumps, runs, stands
from laws.extended import Extended
from laws.files import Source, by_export, by_memory, by_store, shared
from laws.programs import Style
from laws.scenes import JOINING, LIVELY, QUIET, QUIRKY, TROUBLED, Scene, joining, program_in
from laws.twice import Twice
from laws.upstream import Quirks

from chatproxy.store import Store

Case = Callable[[int], list[str]]


@dataclass(frozen=True, slots=True)
class Tried:
    """One thing that must hold: what makes its cases, and with how many seeds it is tried in the profile ``ci``.

    ``scene`` is what its programs are made for, where they are made so. ``first`` is the first seed.
    """

    make: Callable[[Store], Case]
    count: int
    scene: Scene | None = None
    first: int = 0


CLOSE = Scene(Style(sleeps=(0, 0, 0.05, 0.3), most=10, pages=False))
ROLES = replace(QUIET, style=Style(roles=True))
SEVERAL = Scene(Style(most=30), seeded=3)
UNSHOWN = joining("delete Channels", "create Users", "fetch Users", "update Users", "list Users", named=True)
LASTING = joining("delete Roles")
FREE = joining("create Invites", "delete Channels", limits=())
CROWDED = replace(JOINING, style=replace(JOINING.style, sleeps=CLOSE.style.sleeps, most=CLOSE.style.most, pages=False))
GREETED = replace(JOINING, quirks=Quirks(greets=True))
SHY = replace(LIVELY, quirks=Quirks(attributes_in_lists=False))
RENAMES = replace(QUIET, style=Style(renames=True))


def same(scene: Scene) -> Tried:
    """Try the same program."""
    return Tried(lambda store: Same(store, scene), 25, scene)


def changed(scene: Scene, count: int, first: int = 0, by: Callable[[Store], Source] = by_memory) -> Tried:
    """Try changed programs."""
    return Tried(lambda store: Changed(scene, by(store)), count, scene, first)


SAME = {
    "own": same(QUIET),
    "others": same(LIVELY),
    "others and quirks": same(QUIRKY),
    "others, quirks and failures": same(TROUBLED),
    "roles, users and invites": same(joining()),
    "users by names": same(joining("update Users", named=True)),
}
"""The same program gets the same answers, and polls as it likes."""

CHANGED = {
    "memory": Tried(lambda store: Changed(QUIET), 100, QUIET),
    "store": Tried(lambda store: Changed(QUIET, by_store(store)), 100, QUIET, first=10_000),
    "file": Tried(lambda store: Changed(QUIET, shared, renumbered=True), 100, QUIET, first=20_000),
    "export": Tried(lambda store: Changed(QUIET, by_export(store), renumbered=True), 25, QUIET, first=30_000),
    "roles": Tried(lambda store: Changed(ROLES), 100, ROLES, first=40_000),
    "several channels": Tried(lambda store: Changed(SEVERAL), 100, SEVERAL),
    "roles, users and invites": changed(JOINING, 200, 70_000),
    "roles, users and invites, store": changed(JOINING, 100, 80_000, by_store),
    "roles, users and invites, file": Tried(
        lambda store: Changed(JOINING, shared, renumbered=True), 100, JOINING, first=90_000
    ),
    "users by invites": changed(GREETED, 100, 100_000),
    "users by names": changed(UNSHOWN, 100, 110_000),
    "members of what is deleted": changed(LASTING, 100, 120_000),
}
"""A changed program gets what a fresh upstream gives, or a miss that is true."""

EXTENDED = {
    "one channel": Tried(lambda store: Extended(QUIET), 100, QUIET, first=50_000),
    "several channels": Tried(lambda store: Extended(SEVERAL), 50, SEVERAL, first=60_000),
    "roles, users and invites": Tried(lambda store: Extended(FREE), 100, FREE, first=70_000),
}
"""A changed program that is run in auto gets what a fresh upstream gives, or a miss, and replays if it had none."""

REORDERED = {
    "one channel": Tried(lambda store: Reordered(QUIET), 75, QUIET),
    "several channels": Tried(lambda store: Reordered(SEVERAL), 25, SEVERAL),
}
"""Calls that do not touch each other may change places."""

THREADS = {
    "different": Tried(lambda store: Threads(equal=False), 5),
    "equal": Tried(lambda store: Threads(equal=True), 5),
    "twelve, three at a time": Tried(lambda store: Threads(12, equal=False, together=3, replays=10), 3),
}
"""Threads with messages of their own replay in any order."""

RACES = {
    "one channel": Tried(lambda store: Racing(CLOSE), 100),
    "one object": Tried(lambda store: Racing(), 100),
}
"""Threads that share a channel get right answers, or misses."""


def cursor(kind: str, wait: str, *, from_file: bool, strict: bool) -> Tried:
    """Try what goes by dates."""
    sleeps, clock = WAITS[wait]

    def make(store: Store) -> Case:
        source = shared if from_file else by_store(store)
        return Cursors(kind, sleeps=sleeps, clock=clock, strict=strict, source=source)

    return Tried(make, 9)


WAITS = {
    "sleeps kept": (1, runs),
    "sleeps mocked": (0, runs),
    "sleeps mocked, the clock stands": (0, stands),
    "sleeps mocked, the clock jumps": (0, jumps),
    "sleeps kept, the clock jumps": (1, jumps),
}
"""How a replay waits where the recording slept, and what the machine's clock does."""

CURSORS = {
    f"{kind}, {wait}, from a {'file' if from_file else 'store'}": cursor(kind, wait, from_file=from_file, strict=True)
    for kind in ("read", "own", "answer")
    for wait in WAITS
    for from_file in (False, True)
}
"""A program that goes by dates takes the same messages."""

FIXTURES = {
    "own": Tried(lambda store: Twice(), 50),
    "others": Tried(lambda store: Twice(others=True), 50),
    "own, one client": Tried(lambda store: Twice(agents=(PYTHON, PYTHON)), 10),
    "others, one client": Tried(lambda store: Twice(others=True, agents=(PYTHON, PYTHON)), 10),
}
"""A program that is recorded again gives the same bytes."""

BEYOND = {
    "limits of users": changed(joining(limits=("Limits.UserChannels",)), 100),
    "users that an update shows first": same(joining(named=True)),
    "users that take names again": changed(joining("delete Channels", named=True), 1000),
    "roles and channels that are deleted": changed(joining(), 1000),
    "roles, users and invites, in threads": Tried(lambda store: Racing(CROWDED), 100),
    "limits and refused invites, in auto": Tried(lambda store: Extended(JOINING), 100, JOINING),
}
"""What no law promises, or what does not hold yet; ``survey`` tells how it fares."""

LAWS = {
    f"{what}: {name}": tried
    for what, of in (
        ("same", SAME),
        ("changed", CHANGED),
        ("extended", EXTENDED),
        ("reordered", REORDERED),
        ("threads", THREADS),
        ("races", RACES),
        ("cursor", CURSORS),
        ("fixture", FIXTURES),
    )
    for name, tried in of.items()
}
"""What the tests hold."""

EVERY = LAWS | {f"beyond: {name}": tried for name, tried in BEYOND.items()}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of cases: how many were tried, and what was wrong with which seeds, the smallest programs first."""

    count: int
    wrong: list[tuple[int, int, list[str]]]

    def __str__(self) -> str:
        return "\n".join([f"{len(self.wrong)} of {self.count} are wrong", *self.smallest(5)])

    def smallest(self, most: int) -> list[str]:
        """Return a line for each of the smallest, or of the first where programs are not made for a scene."""
        return [f"seed {seed}, {size or 'some'} operations: {found[0]}" for size, seed, found in self.wrong[:most]]

    def kinds(self) -> Counter[str]:
        """Count the kinds of what was wrong: the words in front."""
        return Counter(kind_of(line) for _, _, found in self.wrong for line in found)


def kind_of(line: str) -> str:
    """Return the kind of what a line tells: a run, where one is named, and what happened there."""
    words = line.split(": ")
    return ": ".join(words[: 2 if words[0] in _RUNS else 1])


_RUNS = {"store", "bind", "file", "new year", "extra", "fewer", "bytes"}


def outcome(tried: Tried, store: Store, count: int) -> Outcome:
    """Try so many seeds."""
    case = tried.make(store)
    wrong = []
    for seed in range(tried.first, tried.first + count):
        if found := case(seed):
            size = len(program_in(tried.scene, seed).ops) if tried.scene else 0
            wrong.append((size, seed, found))
    return Outcome(count, sorted(wrong))


_MEMORY = Path("/dev/shm")


@contextmanager
def passing_store() -> Iterator[Store]:
    """Open a store that goes away, in memory where there is a place for it: each program makes five commits."""
    with TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        store = Store(Path(folder))
        yield store
        store.close()
