"""The laws of replay, on random programs that are recorded from an upstream which shares no code with the package."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from laws.every import CHANGED, CURSORS, FIXTURES, RACES, REORDERED, SAME, THREADS, Tried, outcome, passing_store
from laws.survey import main
from profiles import many

from chatproxy.store import Store


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with passing_store() as opened:
        yield opened


class BrokenLawError(AssertionError):
    """Says which cases are wrong; what fails otherwise fails as a mistake of these tests or of the package."""


def each(of: Mapping[str, Tried]) -> list[Any]:
    """Return what is tried, each with a mark if it fails today."""
    return [
        pytest.param(tried, id=name, marks=[pytest.mark.xfail(strict=False, reason=tried.fails)] if tried.fails else [])
        for name, tried in of.items()
    ]


def held(tried: Tried, store: Store) -> None:
    found = outcome(tried, store, many(tried.count))
    if found.wrong:
        raise BrokenLawError(str(found))


@pytest.mark.parametrize("tried", each(SAME))
def test_the_same_program_gets_the_same_answers_and_polls_as_it_likes(tried: Tried, store: Store) -> None:
    held(tried, store)


@pytest.mark.parametrize("tried", each(CHANGED))
def test_a_changed_program_gets_what_a_fresh_upstream_gives_or_a_miss_that_is_true(tried: Tried, store: Store) -> None:
    held(tried, store)


@pytest.mark.parametrize("tried", each(REORDERED))
def test_calls_that_do_not_touch_each_other_may_change_places(tried: Tried, store: Store) -> None:
    held(tried, store)


@pytest.mark.parametrize("tried", each(THREADS))
def test_threads_with_messages_of_their_own_replay_in_any_order(tried: Tried, store: Store) -> None:
    held(tried, store)


@pytest.mark.parametrize("tried", each(RACES))
def test_threads_that_share_a_channel_get_right_answers_or_misses(tried: Tried, store: Store) -> None:
    held(tried, store)


@pytest.mark.parametrize("tried", each(CURSORS))
def test_a_program_that_goes_by_dates_takes_the_same_messages(tried: Tried, store: Store) -> None:
    held(tried, store)


@pytest.mark.parametrize("tried", each(FIXTURES))
def test_a_program_that_is_recorded_again_gives_the_same_bytes(tried: Tried, store: Store) -> None:
    held(tried, store)


def test_the_survey_tells_how_many_are_wrong_and_the_smallest(capsys: pytest.CaptureFixture[str]) -> None:
    main(["3", "reordered", "one"])
    first, *shown = capsys.readouterr().out.splitlines()
    assert re.match(r"reordered: one channel: [0-3] of 3 in [0-9.]+ s \(", first)
    assert all(re.match(r" +seed [0-2], ([0-9]+|some) operations: ", line) for line in shown)
