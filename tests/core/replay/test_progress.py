from core.recordings import MESSAGES, Given, get, message, post, session, sid, where

from chatproxy.core.model import ExchangeNumber
from chatproxy.core.replay.progress import Progress
from chatproxy.core.timeline.standing import Role, Standing, Step, below
from chatproxy.core.timeline.states import Where

A, B, C = (post(body=b"Body=%d" % number) for number in (1, 2, 3))
MADE = tuple((request, 201, sid("IM", number)) for number, request in enumerate((A, B, C), 1))


def order(*numbers: int) -> list[bool]:
    """Return of which of three creates it is said that they come in another order."""
    replay = session(*MADE)
    return [replay.progress.do(ExchangeNumber(one), replay.cassette.standing(ExchangeNumber(one))) for one in numbers]


def test_what_is_made_where_just_those_were_made_that_had_been_is_in_order() -> None:
    assert order(1, 2, 3) == [False, False, False]
    assert order(2, 1, 3) == [True, True, False]
    assert order(1, 3, 2) == [False, True, True]
    assert order(3) == [True]


def test_other_collections_and_updates_are_in_order() -> None:
    replay = session(MADE[0], post(message(1), b"Body=c"), (get(), 200))
    for number in (2, 1):
        standing = replay.cassette.standing(ExchangeNumber(number))
        assert replay.progress.do(ExchangeNumber(number), standing) is False


def test_what_changes_nothing_is_not_done() -> None:
    progress = Progress()
    assert progress.do(ExchangeNumber(1), Standing(Role.READ, where(MESSAGES), (0,))) is False
    assert (len(progress.done), progress.furthest) == (0, 0)


def test_the_furthest_write_is_the_one_that_was_recorded_last() -> None:
    progress, cassette = Progress(), session(*MADE).cassette
    for number, furthest in ((2, 2), (1, 2), (3, 3)):
        progress.do(ExchangeNumber(number), cassette.standing(ExchangeNumber(number)))
        assert progress.furthest == furthest


def test_a_floor_never_sinks() -> None:
    steps = [Step(ExchangeNumber(1), (7,)), Step(ExchangeNumber(3), (7, 8)), Step(ExchangeNumber(4), (7,))]
    cassette = session(get(), given=Given(given={5: steps, 6: steps[:1]})).cassette
    progress = Progress()
    assert progress.see(cassette, 5, (), ExchangeNumber(3))
    assert progress.floors == {7: 3, 8: 3}
    assert not progress.see(cassette, 6, (), ExchangeNumber(1))
    assert not progress.see(cassette, 5, (), ExchangeNumber(2))
    assert progress.floors == {7: 3, 8: 3}
    assert progress.see(cassette, 5, (), ExchangeNumber(4))
    assert progress.floors == {7: 4, 8: 3}


def test_a_read_goes_on_after_what_was_given_and_not_below_the_floor() -> None:
    progress = Progress()
    seven, eight = (Where((), place, is_object=False) for place in (7, 8))
    assert progress.at_least(b"k", 1, seven) == 0
    progress.floors[7] = ExchangeNumber(4)
    assert [progress.at_least(b"k", 1, place) for place in (seven, eight)] == [4, 0]
    progress.given[progress.counter(b"k", 1)] = ExchangeNumber(5)
    found = [progress.at_least(b"k", state, place) for state, place in ((1, seven), (2, seven), (2, eight))]
    assert found == [6, 4, 1]


def test_what_is_below_an_object_that_came_or_went_has_its_floor() -> None:
    progress = Progress()
    member = Where((3, 5), 7, is_object=True)
    progress.floors = {5: ExchangeNumber(2), below(3): ExchangeNumber(4)}
    assert progress.floor(member) == 4
    assert progress.floor(member._replace(above=(5,))) == 0
    progress.floors[7] = ExchangeNumber(6)
    assert progress.floor(member) == 6
