from dataclasses import replace

import pytest
from core.timeline.recordings import CHANNEL, MESSAGES, A, B, Recording, Replay

from chatproxy.core.errors import CassetteError
from chatproxy.core.model import NO_CREDENTIALS, NO_EXCHANGE, Standing
from chatproxy.core.timeline.standing import Role


def given(recording: Recording, *epochs: int, opened: dict[int, int] | None = None) -> Recording:
    """Have a fixture of version 2 say in which epochs exchanges stand, and what some open below."""
    below = {number: ((MESSAGES.encode(), epoch), (b"/elsewhere", 1)) for number, epoch in (opened or {}).items()}
    recording.exchanges = [
        replace(one, asked=0, answered=0, after=NO_EXCHANGE, standing=Standing(epoch, below.get(one.number, ())))
        for one, epoch in zip(recording.exchanges, epochs, strict=True)
    ]
    return recording


def test_a_read_stands_after_the_writes_of_its_epoch() -> None:
    recording = given(Recording().page().create(A).page(A).create(B, "b").page(A, B), 0, 1, 1, 2, 2)
    assert Replay(recording).again(1, 2, 3, 4, 5) == [1, 2, 3, 4, 5]
    assert Replay(recording).again(1, 4, 1, 2, 5) == [1, 4, None, 2, 5]


def test_what_stands_in_another_collection_is_touched_by_deletes_above_alone() -> None:
    recording = Recording().add("GET", CHANNEL, shows={}).add("DELETE", CHANNEL, 204).create(A).page(A)
    given(recording.add("GET", MESSAGES, 404), 0, 1, 1, 1, 2, opened={2: 2})
    assert Replay(recording).again(1, 3, 4, 1, 2, 5) == [1, 3, 4, 1, 2, 5]


def test_a_refusal_and_what_asks_for_credentials() -> None:
    recording = Recording().add("POST", MESSAGES, 400).add("GET", MESSAGES, 401, user=NO_CREDENTIALS)
    assert given(recording, 0, 5).roles == [Role.REFUSAL, Role.CHALLENGE]


@pytest.mark.parametrize("epochs", [(1, 0), (1, 1)])
def test_epochs_that_contradict_each_other_are_refused(epochs: tuple[int, int]) -> None:
    recording = given(Recording().create(A).create(B, "b"), *epochs)
    with pytest.raises(CassetteError, match="make it 2 at least"):
        _ = recording.standings
