"""One case of what the laws say of files: a program that is recorded twice."""

from random import Random

from laws.agents import OLDER, PYTHON, Agent
from laws.files import exported, without_known
from laws.programs import Program, Style, random_program
from laws.resources import SECOND
from laws.runs import BEGIN, Recorded, record
from laws.scenes import clients
from laws.traffic import Pace
from laws.upstream import OTHERS, Other, Quirks, Upstream

_STYLE = Style(sleeps=(0, 0, 0, 0.3, 1.5, 2.5))


class Twice:
    """A program that is recorded again gives the same file: by other SIDs, delays and clients, and another account.

    That is so while each change by others stays on its side of a second; where one did not, nothing is compared.
    ``compared`` counts the rest. None comes before the first request: how long ago that was is not the same again.
    """

    def __init__(self, *, others: bool = False, agents: tuple[Agent, Agent] = (PYTHON, OLDER)) -> None:
        self._others = others
        self._agents = agents
        self.compared = 0

    def __call__(self, seed: int) -> list[str]:
        """Record the program of a seed three times, at last by another account."""
        program = random_program(seed, _STYLE)
        recorded = [self._recorded(program, seed, nth, owner=nth // 2) for nth in range(3)]
        if any(sides(each.upstream) != sides(recorded[0].upstream) for each in recorded):
            return []
        self.compared += 1
        one, again, other = (each.cassette() for each in recorded)
        first = exported(one)
        found = {
            "same": (first, exported(again)),
            "another account": (without_known(first), without_known(exported(other))),
            "anonymous": (exported(one, anonymous=True), exported(other, anonymous=True)),
        }
        return [f"bytes: {name}: {_first_line(*texts)}" for name, texts in found.items() if texts[0] != texts[1]]

    def _recorded(self, program: Program, seed: int, nth: int, *, owner: int) -> Recorded:
        draw = Random(f"file {seed} {nth}")
        begin = BEGIN + draw.randrange(10**12)
        others: list[Other] = []
        if self._others:
            drawn = Random(f"others {seed}")
            turns = [turn for turn, op in enumerate(program.ops, 1) if op.sleep > 2 and turn > 1]
            others = [Other(drawn.choice(OTHERS), drawn.randrange(10**6), turn=turn) for turn in turns]
        quirks = Quirks(ahead=draw.randrange(100 * SECOND), date_ahead=draw.randrange(3) * SECOND)
        upstream = Upstream(4 * seed + nth, begin, owner=4 * seed + owner, quirks=quirks, others=others)
        pace = Pace(0.01, draw.choice([0.02, 0.1, 0.3]))
        return record(upstream, clients(program), draw, begin, pace=pace, agent=self._agents[nth % 2])


def sides(upstream: Upstream) -> list[list[int]]:
    """Tell of each change on which side of the second of each change by others it was made."""
    theirs = [second for by_others, second in upstream.changes if by_others]
    return [[(second > other) - (second < other) for other in theirs] for _, second in upstream.changes]


def _first_line(one: str, other: str) -> str:
    pairs = zip(one.splitlines(), other.splitlines(), strict=False)
    nth, lines = next(((nth, pair) for nth, pair in enumerate(pairs, 1) if pair[0] != pair[1]), (0, ("", "")))
    return f"line {nth}: {lines[0].strip()[:160]!r}, then {lines[1].strip()[:160]!r}"
