from dataclasses import replace

import pytest
from core.timeline.recordings import CHANNEL, MESSAGES, A, B, Recording, compiled
from core.timeline.second import MODEL, exchanges, recorded
from profiles import many

from chatproxy.core.model import NO_EXCHANGE, Exchange, ExchangeNumber, InOrder, is_read
from chatproxy.core.timeline.order import canonical_order
from chatproxy.core.timeline.standing import Role
from chatproxy.core.timeline.telling import told


def in_file(recording: Recording, *order: int) -> dict[int, InOrder]:
    traces, timeline = compiled(recording.exchanges)
    return dict(told(traces, timeline, [ExchangeNumber(number) for number in order]).items())


def exceptions(with_: tuple[int, ...] = (), without: tuple[int, ...] = ()) -> InOrder:
    return InOrder(tuple(map(ExchangeNumber, with_)), tuple(map(ExchangeNumber, without)))


def test_what_stands_after_just_its_writes_has_nothing_to_tell() -> None:
    recording = Recording().page().create(A).create(B, "b").page(A, B)
    assert in_file(recording, 1, 3, 2, 4) == {}


def test_what_a_file_has_on_the_wrong_side_is_told() -> None:
    recording = Recording().page().create(A).page(A).create(B, "b").fetch(A)
    assert in_file(recording, 2, 1, 4, 3, 5) == {1: exceptions(without=(2,)), 3: exceptions(without=(4,))}
    assert in_file(recording, 1, 3, 2, 4) == {3: exceptions(with_=(2,))}


def test_what_does_not_matter_is_not_told() -> None:
    recording = Recording().create(A).update(A, "b").delete(A)
    assert in_file(recording, 1, 3, 2) == {2: exceptions(without=(3,))}


def test_what_was_in_flight_is_told_where_it_is_no_exception_in_the_file() -> None:
    recording = Recording().create(A).page(A, B, asked=11).create(B, "b", asked=12)
    assert in_file(recording, 1, 3, 2) == {}
    assert in_file(recording, 1, 2, 3) == {2: exceptions(with_=(3,))}


def test_writes_that_look_like_none_are_told() -> None:
    gone = ("DELETE", f"{MESSAGES}/{A}", 404)
    recording = Recording().delete(A, abandoned=True).add(*gone).create(B, asked=30)
    recording.add("POST", CHANNEL, body="Type=x", asked=21)
    assert recording.roles[-1] is Role.DOUBTFUL
    assert in_file(recording, 2, 3, 4) == {2: InOrder(counts=True), 4: InOrder(is_doubtful=True)}


def test_a_create_is_told_of_objects_of_its_unique_value() -> None:
    path, one = f"{CHANNEL}/Members", "MB" + "1" * 32
    recording = Recording().add("POST", path, 201, body="Identity=b", shows={"sid": one})
    recording.add("DELETE", f"{path}/{one}", 204).add("POST", path, 201, body="Identity=b", shows={"sid": "MB"})
    assert in_file(recording, 1, 3, 2)[3] == exceptions(with_=(2,))


@pytest.mark.parametrize("kind", ["seq", "own", "list", "shared"])
def test_law_a_fixture_has_each_exchange_in_the_state_in_which_it_was_recorded(kind: str) -> None:
    if MODEL is None:
        pytest.skip("the model of the laws is not beside the repository")
    for seed in range(many(20)):
        found = exchanges(recorded(kind, seed))
        traces, timeline = compiled(found)
        held = {one.number: one for one in found}
        order = list(canonical_order(traces, timeline, lambda _: None, lambda _: b""))
        roles = {one.number: standing.role for one, standing in zip(found, timeline.standings, strict=True)}
        kept = [
            number
            for number in order
            if roles[number] is not Role.ABANDONED
            and not (roles[number] is Role.DOUBTFUL and is_read(held[number].request.method))
        ]
        states = [timeline.standings[number - 1].states for number in kept]
        _, again = compiled(_file([held[number] for number in kept], told(traces, timeline, kept)))
        keys = [traces[number - 1].key for number in kept]
        pairs = [
            (key, one[0], other.states[0])
            for key, one, other in zip(keys, states, again.standings, strict=True)
            if len(one) == 1  # one that fits several states stands in one of them in a file
        ]
        for key, one, other in pairs:
            assert {each for equal, state, each in pairs if (equal, state) == (key, one)} == {other}
            assert {state for equal, state, each in pairs if (equal, each) == (key, other)} == {one}


def _file(found: list[Exchange], said: dict[ExchangeNumber, InOrder]) -> list[Exchange]:
    """Return exchanges as a fixture has them: numbered in its order, without moments."""
    numbers = {one.number: ExchangeNumber(position) for position, one in enumerate(found, 1)}

    def renumbered(one: Exchange) -> InOrder:
        tells = said.get(one.number, InOrder())
        with_, without = (tuple(numbers[each] for each in side) for side in (tells.with_, tells.without))
        return InOrder(with_, without, tells.counts, tells.is_doubtful)

    return [
        replace(
            one,
            number=numbers[one.number],
            asked=0,
            answered=0,
            after=NO_EXCHANGE,
            abandoned=False,
            in_order=renumbered(one),
        )
        for one in found
    ]
