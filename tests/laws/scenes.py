"""What programs are recorded in: among others who change things, by services with quirks, with failures."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from laws.clients import Choices, Entry, Log, Polls, Runner
from laws.compare import reason
from laws.joining import joining_program
from laws.programs import Handles, Op, Program, Style, random_program
from laws.resources import SECOND
from laws.runs import BEGIN, Clients, Recorded, record
from laws.traffic import Client, Fault
from laws.upstream import OTHERS, PLAIN, Other, Quirks, Upstream

TROUBLE = (Fault.UNAVAILABLE, Fault.BUSY, Fault.BROKEN, Fault.LOST, Fault.LATE)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a program is recorded in: the changes of others within its first seconds, the failures, the quirks.

    These are those given, or drawn if it is ``quirky``. ``programs`` says of which kind the program is.
    """

    style: Style
    others: int = 0
    faults: tuple[Fault, ...] = ()
    quirky: bool = False
    quirks: Quirks = PLAIN
    seeded: int = 1
    programs: Callable[[int, Style], Program] = random_program


QUIET = Scene(Style())
LIVELY = Scene(Style(reactions=0.25), others=6)
QUIRKY = replace(LIVELY, quirky=True)
TROUBLED = replace(QUIRKY, faults=TROUBLE)


def joining(*without: str, named: bool = False, limits: tuple[str, ...] = Style().limits) -> Scene:
    """Return where roles, users and invites are, without calls that are told by what they do and what with."""
    left_out = frozenset((one.split()[0], one.split()[1]) for one in without)
    style = Style(most=26, aliases=0, named_users=named, limits=limits, without=left_out)
    return Scene(style, programs=joining_program)


JOINING = joining("delete Channels")


def quirks_of(draw: Random) -> Quirks:
    """Draw how a service deviates."""
    return Quirks(
        ahead=draw.choice([0, 0, 37, -11, 4000]) * SECOND + draw.randrange(SECOND),
        date_ahead=draw.choice([0, 0, 1, -2, 30]) * SECOND,
        lag=draw.choice([0, 0, 0, 400_000, 1_500_000]),
        last_updated_by=draw.random() < 0.3,
        marks=draw.random() < 0.3,
    )


def program_in(scene: Scene, seed: int) -> Program:
    """Return the program of a seed."""
    return scene.programs(seed, replace(scene.style, faults=scene.faults))


def recorded_in(scene: Scene, seed: int, choices: Choices | None = None) -> tuple[Program, Recorded]:
    """Record the program of a seed in a scene, and take in which choices it makes."""
    draw = Random(f"scene {seed}")
    program = program_in(scene, seed)
    begin = BEGIN + draw.randrange(10**9)
    others = [
        Other(draw.choice(["hi", "hi", *OTHERS]), draw.randrange(10**6), at=begin + draw.randrange(25 * SECOND))
        for _ in range(draw.randrange(scene.others + 1))
    ]
    quirks = quirks_of(draw) if scene.quirky else scene.quirks
    upstream = Upstream(seed, begin, quirks=quirks, seeded=scene.seeded, others=others)
    return program, record(upstream, clients(program, choices), draw, begin)


def clients(program: Program, choices: Choices | None = None, polls: Polls | None = None) -> Clients:
    """Return what runs a program as one client."""

    def made(handles: Handles, log: Log, address: str) -> list[Client]:
        return [Runner(handles, log, address, choices, polls).program(program)]

    return made


def clients_of(ops: tuple[Op, ...]) -> Clients:
    """Return what runs operations as one client."""
    return clients(Program(ops))


def misses(log: Log) -> list[str]:
    """Return a line for the first miss, if there is one."""
    found: list[Entry] = [entry for entry in log if entry.is_miss]
    return [f"miss: {one.op} {one.call.method} {one.call.target}: {reason(one)}" for one in found[:1]]
