from itertools import count

import pytest
from core.timeline.recordings import CHANNEL, CHANNELS, MEMBERS, A, B, Recording, compiled
from core.timeline.second import MODEL, exchanges, recorded
from profiles import many

from chatproxy.core.model import Exchange
from chatproxy.core.timeline.places import Need, Places, touches
from chatproxy.core.timeline.precedence import Precedence, is_done, rows_of
from chatproxy.core.timeline.standing import Role


def orders(found: list[Exchange]) -> tuple[list[int], dict[int, int]]:
    """Return which may come first, and when each comes if always the last comes that may."""
    traces, timeline = compiled(found)
    kept = [nth for nth, one in enumerate(timeline.standings) if one.role not in {Role.ABANDONED, Role.DOUBTFUL}]
    precedence = Precedence(traces, timeline, kept)
    ready = first = sorted(precedence.first())
    at: dict[int, int] = {}
    for position in count():
        if not ready:
            return [nth + 1 for nth in first], at
        nth = max(ready)
        at[nth] = position
        ready = [one for one in ready if one != nth] + list(precedence.after(nth))
    raise AssertionError


def test_siblings_may_come_in_any_order() -> None:
    recording = Recording().create(A, "a").create(B, "b").add("POST", MEMBERS, 201, body="Identity=x")
    assert orders(recording.exchanges)[0] == [1, 2, 3]


def test_what_reads_or_changes_an_object_has_its_place() -> None:
    recording = Recording().page(into=CHANNELS).create(A).fetch(A).update(A, "b").fetch(A, "b").delete(A).page()
    assert orders(recording.exchanges) == ([1], {nth: nth for nth in range(7)})


def test_what_is_below_an_object_comes_before_its_delete() -> None:
    recording = Recording().create(A).fetch(B).add("DELETE", CHANNEL, 204)
    assert orders(recording.exchanges)[0] == [1, 2]


def test_the_order_of_what_was_walked_is_held_no_longer() -> None:
    traces, timeline = compiled(Recording().create(A).fetch(A).update(A, "b").fetch(A, "b").exchanges)
    precedence = Precedence(traces, timeline, range(4))
    assert list(precedence.first()) == [0]
    assert [list(precedence.after(nth)) for nth in range(4)] == [[1], [2], [3], []]
    assert [list(precedence.after(nth)) for nth in range(4)] == [[], [], [], []]


@pytest.mark.parametrize("kind", ["seq", "list", "shared"])
def test_law_each_write_comes_before_what_it_is_done_for_and_after_what_it_is_not(kind: str) -> None:
    if MODEL is None:
        pytest.skip("the model of the laws is not beside the repository")
    for seed in range(many(20)):
        found = exchanges(recorded(kind, seed))
        traces, timeline = compiled(found)
        _, at = orders(found)
        if len(at) < sum(one.role not in {Role.ABANDONED, Role.DOUBTFUL} for one in timeline.standings):
            continue  # a circle
        places = Places()
        for nth in at:
            one, standing = traces[nth], timeline.standings[nth]
            need = places.need(one, standing.done)
            for write in at:
                done = timeline.standings[write].done
                if done and write != nth and need is not Need.ROOM and touches(done, standing.where, need):
                    assert (at[write] < at[nth]) is is_done(traces[write], one, standing)


def test_rows_without_writes_or_without_lookers_are_none() -> None:
    traces, timeline = compiled(Recording().page().exchanges)
    assert rows_of(traces, timeline.standings, [0]) == []
