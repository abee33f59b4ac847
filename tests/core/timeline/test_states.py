from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.model import ExchangeNumber
from chatproxy.core.timeline.states import Done, Effect, States, Where, mark, place_digest, unique_digest

SERVICE, ROOM, MESSAGE = (place_digest(path) for path in (b"/S/1", b"/S/1/R/1", b"/S/1/R/1/M/1"))
ROOMS, MESSAGES = place_digest(b"/S/1/R"), place_digest(b"/S/1/R/1/M")
BOB = unique_digest(MESSAGES, b"bob")
AT_ROOM, AT_MESSAGE = Where((SERVICE,), ROOM, True), Where((SERVICE, ROOM), MESSAGE, True)
IN_ROOMS, IN_MESSAGES = Where((SERVICE,), ROOMS, False), Where((SERVICE, ROOM), MESSAGES, False)


def room(number: int, effect: Effect) -> Done:
    return Done(mark(ExchangeNumber(number)), effect, (SERVICE,), ROOM, (ROOMS,))


def message(number: int, effect: Effect, nth: int = 1, unique: int = 0) -> Done:
    place = MESSAGE if nth == 1 else MESSAGE + nth
    return Done(mark(ExchangeNumber(number)), effect, (SERVICE, ROOM), place, (MESSAGES, ROOM, ROOMS), unique)


def after(*writes: Done) -> States:
    states = States()
    for write in writes:
        states.do(write)
    return states


def test_marks_and_digests_are_never_nothing_and_always_the_same() -> None:
    assert mark(ExchangeNumber(1)) == mark(ExchangeNumber(1)) != mark(ExchangeNumber(2))
    assert unique_digest(1, b"a") not in {0, unique_digest(2, b"a"), unique_digest(1, b"b")}


def test_law_3_a_state_is_a_set_of_writes() -> None:
    writes = [message(1, Effect.MAKES), message(2, Effect.MAKES, 2), message(3, Effect.MAKES, 3)]
    assert len({after(*order).of(IN_MESSAGES) for order in permutations(writes)}) == 1
    assert len({after(*writes[:count]).of(IN_MESSAGES) for count in range(4)}) == 4


@pytest.mark.parametrize("where", [AT_MESSAGE, IN_MESSAGES, AT_ROOM, IN_ROOMS])
def test_law_2_a_write_touches_its_place_its_collection_and_the_owner_that_counts(where: Where) -> None:
    assert after(message(1, Effect.MAKES)).of(where) == mark(ExchangeNumber(1))


@pytest.mark.parametrize(
    ("effect", "touches"),
    [(Effect.MAKES, True), (Effect.MAY_DELETE, True), (Effect.CHANGES, False), (Effect.MAY_CHANGE, False)],
)
def test_law_2_only_creates_and_deletes_touch_what_is_below(effect: Effect, touches: bool) -> None:
    assert bool(after(room(1, effect)).of(AT_MESSAGE)) is touches


def test_law_2_siblings_are_not_touched() -> None:
    assert after(message(1, Effect.MAKES, 2)).of(AT_MESSAGE) == 0


def test_law_3_a_delete_makes_all_at_and_below_its_place_forgotten() -> None:
    states = after(room(1, Effect.MAKES), message(2, Effect.MAKES), room(3, Effect.DELETES), message(4, Effect.MAKES))
    for where in (AT_ROOM, AT_MESSAGE, IN_MESSAGES, IN_ROOMS):
        assert states.of(where) == mark(ExchangeNumber(3))
    one = after(message(1, Effect.MAKES), message(2, Effect.CHANGES), message(3, Effect.DELETES))
    assert one.of(IN_MESSAGES) == one.of(AT_MESSAGE) == one.of(AT_ROOM) == mark(ExchangeNumber(3))


def test_law_4_a_delete_needs_that_the_object_lives() -> None:
    made = message(1, Effect.MAKES)
    assert after(made).to_delete(AT_MESSAGE) == after(made, message(2, Effect.CHANGES)).to_delete(AT_MESSAGE)
    for effect in (Effect.MAY_CHANGE, Effect.MAY_DELETE, Effect.DELETES):
        assert after(made).to_delete(AT_MESSAGE) != after(made, message(2, effect)).to_delete(AT_MESSAGE)


def test_law_4_a_create_needs_what_is_above_and_what_was_done_to_objects_of_its_unique_value() -> None:
    made = message(1, Effect.MAKES, unique=BOB)
    assert after(made).to_create(IN_MESSAGES) == after().to_create(IN_MESSAGES, BOB)
    assert after(made).to_create(IN_MESSAGES, BOB) != after().to_create(IN_MESSAGES, BOB)
    assert after(room(2, Effect.DELETES)).to_create(IN_MESSAGES) != after().to_create(IN_MESSAGES)


def test_law_4_what_is_needed_for_one_thing_is_never_taken_for_another() -> None:
    states = after()
    assert len({states.of(AT_MESSAGE), states.to_delete(AT_MESSAGE), states.to_create(IN_MESSAGES)}) == 3


def test_what_a_request_needs_if_it_is_carried_out() -> None:
    states = after(message(1, Effect.MAKES, unique=BOB))
    for method in ("GET", "HEAD", "DELETE"):
        assert states.needed(method, IN_MESSAGES) == states.of(IN_MESSAGES)
    assert states.needed("GET", AT_MESSAGE) == states.needed("POST", AT_MESSAGE) == states.of(AT_MESSAGE)
    assert states.needed("DELETE", AT_MESSAGE) == states.to_delete(AT_MESSAGE)
    for method in ("POST", "PUT"):
        assert states.needed(method, IN_MESSAGES, BOB) == states.to_create(IN_MESSAGES, BOB)


_writes = st.lists(st.tuples(st.sampled_from(Effect), st.integers(0, 3), st.booleans()), max_size=8)


def _done(number: int, effect: Effect, nth: int, is_unique: bool) -> Done:
    return message(number, effect, nth, BOB if is_unique else 0) if nth else room(number, effect)


@given(_writes, _writes)
def test_what_is_done_as_long_as_something_lasts_is_as_if_it_were_done_and_then_as_before(
    before: list[tuple[Effect, int, bool]], also: list[tuple[Effect, int, bool]]
) -> None:
    first = [_done(number, *write) for number, write in enumerate(before, 1)]
    second = [_done(number, *write) for number, write in enumerate(also, 101)]

    def all_of(states: States) -> list[int]:
        wheres = (AT_MESSAGE, IN_MESSAGES, AT_ROOM, IN_ROOMS)
        return [states.of(where) for where in wheres] + [states.to_delete(AT_ROOM), states.to_create(IN_MESSAGES, BOB)]

    states = after(*first)
    with states.also(second):
        assert all_of(states) == all_of(after(*first, *second))
    assert all_of(states) == all_of(after(*first))
    assert all_of(after(*first, *second)) == all_of(_more(states, second))


def _more(states: States, writes: list[Done]) -> States:
    for write in writes:
        states.do(write)
    return states
