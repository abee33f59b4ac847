from random import Random

from core.scenarios import RULES, Recording, Step, exported, scenarios
from fixture.fixtures import read
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.cassette import MemoryCassette


@given(scenarios, st.integers(0, 2**32), st.integers(0, 2**32))
def test_law_recording_the_same_scenario_again_gives_the_same_file(
    scenario: list[list[Step]], one: int, other: int
) -> None:
    first = Recording(Random(one)).run(scenario)
    again = Recording(Random(other), "http://localhost:1", "https://chat.us1.twilio.com").run(scenario)
    assert exported(first.cassette()) == exported(again.cassette())


@given(scenarios, st.integers(0, 2**32))
def test_law_a_canonical_file_is_exported_as_it_was_imported(scenario: list[list[Step]], seed: int) -> None:
    text = exported(Recording(Random(seed)).run(scenario).cassette())
    document = read(text)
    assert exported(MemoryCassette(document.name, document.exchanges, RULES, document.declared)) == text
