"""The laws of replay, on random programs that are recorded from an upstream which shares no code with the package."""

import re
from collections.abc import Iterator

import pytest
from laws.every import LAWS, Tried, outcome, passing_store
from laws.survey import main
from laws.twice import Twice
from profiles import many

from chatproxy.store import Store


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with passing_store() as opened:
        yield opened


class BrokenLawError(AssertionError):
    """Says which cases are wrong; what fails otherwise fails as a mistake of these tests or of the package."""


@pytest.mark.parametrize("tried", [pytest.param(tried, id=name) for name, tried in LAWS.items()])
def test_law_random_programs_replay_as_the_table_says(tried: Tried, store: Store) -> None:
    found = outcome(tried, store, many(tried.count))
    if found.wrong:
        raise BrokenLawError(str(found))


def test_most_programs_that_are_recorded_among_others_are_compared() -> None:
    case = Twice(others=True)
    assert [case(seed) for seed in range(20)] == [[]] * 20
    assert case.compared > 10


def test_the_survey_tells_how_many_are_wrong_and_the_smallest(capsys: pytest.CaptureFixture[str]) -> None:
    main(["3", "reordered", "one"])
    first, *shown = capsys.readouterr().out.splitlines()
    assert re.match(r"reordered: one channel: [0-3] of 3 in [0-9.]+ s \(", first)
    assert all(re.match(r" +seed [0-2], ([0-9]+|some) operations: ", line) for line in shown)
