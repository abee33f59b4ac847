from dataclasses import replace

import pytest
from core.timeline.recordings import CHANNEL, MEMBERS, MESSAGES, A, B, Recording, compiled

from chatproxy.core.model import ExchangeNumber
from chatproxy.core.timeline.flights import Flight, Flights, Spot
from chatproxy.core.timeline.places import Places
from chatproxy.core.twilio.objects import shown


def flights(recording: Recording) -> Flights:
    traces, _ = compiled(recording.exchanges)
    places, spots = Places(), []
    for one in traces:
        done = places.done(one)
        spots.append(Spot(one, places.where(one.path), places.need(one, done), places.unique(one), done))
    return Flights(spots, lambda number: shown(recording.exchanges[number - 1].response))


def test_law_5_done_are_the_writes_answered_before_it_was_sent() -> None:
    found = flights(Recording().create(A).page(A).create(B).page(A, B))
    assert (found.before, found.of, found.pairs) == ([0, 1, 1, 2], {}, [])


def test_law_5_where_moments_are_equal_it_counts_what_was_known() -> None:
    recording = Recording().create(A).page(A, asked=10)
    assert flights(recording).of == {1: Flight([0], [], [])}
    known = [replace(one, after=ExchangeNumber(one.number - 1)) for one in recording.exchanges]
    recording.exchanges = known
    assert (flights(recording).before, flights(recording).of) == ([0, 1], {})


def test_law_5_a_clock_that_was_set_back_does_not_undo_what_was_known() -> None:
    recording = Recording().create(A).page(A)
    recording.exchanges[0] = replace(recording.exchanges[0], asked=10**6, answered=10**6)
    recording.exchanges[1] = replace(recording.exchanges[1], after=ExchangeNumber(1))
    assert (flights(recording).before, flights(recording).of) == ([0, 1], {})


def test_law_5_a_write_that_knew_of_the_answer_was_not_in_flight() -> None:
    recording = Recording().create(A, asked=1).create(B, asked=1)
    assert flights(recording).before == [0, 0]
    late = Recording().page(asked=1).create(A, asked=2).page(asked=3)
    assert flights(late).of == {0: Flight([], [1 - 1], []), 2: Flight([], [0], [])}
    late.exchanges[1] = replace(late.exchanges[1], after=ExchangeNumber(1))
    assert flights(late).of == {2: Flight([], [0], [])}


def test_only_what_touches_it_matters() -> None:
    recording = Recording().create(A, asked=1).fetch(B, asked=2).create(B, asked=3, body="b")
    assert flights(recording).of == {1: Flight([], [], [])} or not flights(recording).of.get(0)
    other = Recording().create(A, asked=1).add("POST", f"{CHANNEL}/Members/MB{'1' * 32}", asked=2)
    assert flights(other).of == {}


@pytest.mark.parametrize(("method", "status"), [("POST", 200), ("DELETE", 204), ("DELETE", 503)])
def test_law_5_an_update_or_delete_has_done_what_was_written_to_its_object_before_it(method: str, status: int) -> None:
    recording = Recording().add("POST", f"{MESSAGES}/{A}", 503, body="Body=x", asked=1)
    recording.add(method, f"{MESSAGES}/{A}", status, body="Body=y" if method == "POST" else "", asked=2)
    assert flights(recording).of.get(1, Flight()).done == [0]
    assert flights(recording).pairs == [(0, 1)]


def test_law_5_an_update_does_not_know_what_was_written_below_it() -> None:
    recording = Recording().create(A, asked=1).add("POST", CHANNEL, body="Type=x", asked=2)
    assert flights(recording).of == {1: Flight([], [], [0])}


def test_law_5_a_create_has_done_what_was_written_to_objects_of_its_unique_value() -> None:
    path, one = f"{CHANNEL}/Members", "MB" + "1" * 32
    recording = Recording().add("POST", path, 201, body="Identity=b", shows={"sid": one})
    recording.add("POST", f"{path}/{one}", 503, body="RoleSid=x", asked=11)
    recording.add("POST", path, 409, body="Identity=b", asked=12).add("POST", path, 201, body="Identity=b", asked=13)
    assert flights(recording).of == {2: Flight([], [], [1, 2]), 3: Flight([1], [], [])}
    assert bool(Flight()) is False


def member(recording: Recording, digit: str, asked: int | None = None) -> Recording:
    sid = "MB" + digit * 32
    return recording.add("POST", MEMBERS, 201, body="Identity=b", shows={"sid": sid, "identity": "b"}, asked=asked)


def test_law_5_a_create_shows_that_what_had_its_unique_value_was_deleted_though_that_was_answered_later() -> None:
    recording = member(member(Recording(), "1"), "2", asked=11).delete("MB" + "1" * 32, into=MEMBERS, asked=12)
    assert flights(recording).of[1] == Flight([2], [], [])
    failed = member(member(Recording(), "1"), "2", asked=11)
    failed.add("DELETE", f"{MEMBERS}/MB{'1' * 32}", 503, asked=12)
    assert flights(failed).of[1] == Flight([2], [], [])


def test_law_5_a_create_shows_that_another_with_its_unique_value_was_not_done_or_was_deleted() -> None:
    recording = member(member(Recording(), "1", asked=1), "2", asked=2)
    assert flights(recording).of[1] == Flight([], [0], [])
    between = member(Recording(), "1", asked=1).delete("MB" + "1" * 32, into=MEMBERS, asked=12)
    assert flights(member(between, "2", asked=3)).of[2] == Flight([0, 1], [], [])


def test_law_5_a_create_tells_nothing_of_an_update_or_of_a_create_that_failed() -> None:
    recording = Recording().add("POST", MEMBERS, 503, body="Identity=b", asked=1)
    assert flights(member(recording, "2", asked=2)).of[1] == Flight([0], [], [])
    updated = member(Recording(), "1").add("POST", f"{MEMBERS}/MB{'1' * 32}", body="RoleSid=x", asked=11)
    assert 2 not in flights(member(updated, "2", asked=12)).of


def test_law_5_two_updates_whose_order_or_outcome_is_known_are_no_pair() -> None:
    recording = Recording().create(A).update(A, "x", asked=11).update(A, "y", asked=12)
    assert flights(recording).pairs == [(1, 2)]
    assert flights(recording.fetch(A, "x")).pairs == []
    assert flights(Recording().update(A, "x", asked=1).update(A, "x", asked=2)).pairs == []


def test_law_5_a_list_shows_of_each_update_in_flight_whether_it_was_done() -> None:
    recording = Recording().create(A).create(B).update(A, "x", asked=21).update(B, "y", asked=22)
    recording.page({"sid": A, "body": "x"}, {"sid": B, "body": "a"}, asked=23)
    assert flights(recording).of[4] == Flight([2], [3], [])
