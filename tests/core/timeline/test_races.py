from dataclasses import replace

import pytest
from core.timeline.recordings import CHANNEL, MESSAGES, A, B, Recording, compiled

from chatproxy.core.model import ExchangeNumber
from chatproxy.core.timeline.races import Races, is_update, leave_the_same, shows_the_same
from chatproxy.core.twilio.objects import shown

ONE = f"{MESSAGES}/{A}"


def update(recording: Recording, asked: int, form: str, status: int = 200, **shows: str) -> Recording:
    return recording.add("POST", ONE, status, body=form, asked=asked, shows={"sid": A, **shows} if shows else None)


def fetch(recording: Recording, asked: int, **shows: str) -> Recording:
    return recording.add("GET", ONE, asked=asked, shows={"sid": A, **shows})


def is_first(recording: Recording, one: int, other: int) -> bool | None:
    """Tell whether the update of one number was done before that of another."""
    traces, _ = compiled(recording.exchanges)
    races = Races(traces, lambda number: shown(recording.exchanges[number - 1].response))
    found = races.is_first(traces[one - 1], traces[other - 1])
    turned = races.is_first(traces[other - 1], traces[one - 1])
    assert turned is (None if found is None else not found)
    return found


def race(recording: Recording) -> Recording:
    """Add two updates in flight together, each of which shows only what it sends."""
    at = 10 * len(recording.exchanges)
    return update(update(recording, at + 1, "Body=x", body="x"), at + 2, "Body=y", body="y")


def test_the_answer_of_an_update_tells_whether_another_was_done_before() -> None:
    recording = update(Recording(), 1, "Body=x", body="x", attributes="1")
    update(recording, 2, "Attributes=2", body="x", attributes="2")
    assert is_first(recording, 1, 2) is True
    late = update(Recording(), 1, "Body=x", body="x", attributes="2")
    update(late, 2, "Attributes=2", body="a", attributes="2")
    assert is_first(late, 1, 2) is False


def test_an_answer_before_tells_what_is_new_in_those_of_updates() -> None:
    both = [("Body=x", {"body": "x", "attributes": "2"}), ("Attributes=2", {"body": "x", "attributes": "2"})]
    recording = Recording()
    for asked, (form, shows) in enumerate(both, 1):
        update(recording, asked, form, 200, **shows)
    assert is_first(recording, 1, 2) is None
    known = fetch(Recording(), 1, body="x", attributes="1")
    for asked, (form, shows) in enumerate(both, 11):
        update(known, asked, form, 200, **shows)
    assert is_first(known, 2, 3) is False
    listed = Recording().page({"sid": A, "body": "a", "attributes": "2"})
    for asked, (form, shows) in enumerate(both, 11):
        update(listed, asked, form, 200, **shows)
    assert is_first(listed, 2, 3) is True


def test_an_answer_that_has_not_seen_all_updates_before_tells_nothing() -> None:
    recording = fetch(update(Recording(), 1, "Body=x", body="x", attributes="0"), 2, body="a", attributes="0")
    update(recording, 21, "Body=x", body="x", attributes="1")
    assert is_first(update(recording, 22, "Attributes=1", body="x", attributes="1"), 3, 4) is False


@pytest.mark.parametrize(("body", "first"), [("x", False), ("y", True), ("z", None)])
def test_a_later_read_tells_which_of_two_was_done_last(body: str, first: bool | None) -> None:
    assert is_first(fetch(race(Recording()), 21, body=body), 1, 2) is first
    assert is_first(race(Recording()).page({"sid": A, "body": body}), 1, 2) is first
    assert is_first(race(Recording()).page({"sid": A}), 1, 2) is None


def test_a_later_read_that_was_in_flight_with_one_of_them_does_not_tell() -> None:
    assert is_first(fetch(race(Recording()), 15, body="x"), 1, 2) is None


def test_a_later_update_tells_by_what_it_does_not_send() -> None:
    recording = race(Recording())
    assert is_first(update(recording, 21, "Attributes=1", body="x", attributes="1"), 1, 2) is False
    assert is_first(update(race(Recording()), 21, "Body=x", body="x"), 1, 2) is None


def test_what_perhaps_was_set_again_does_not_tell() -> None:
    recording = race(Recording())
    fetch(recording, 21, body="x")
    assert is_first(update(recording, 22, "Body=x", body="x"), 1, 2) is None
    recording = race(Recording())
    for nth in range(17):
        update(recording, 21, f"Attributes={nth}", body="x", attributes=f"{nth}")
    assert is_first(recording, 1, 2) is None  # there are more than it looks at


def test_an_update_that_failed_leaves_the_fields_unknown_that_it_sends() -> None:
    recording = update(race(Recording()), 3, "Body=x", 503)
    assert is_first(fetch(recording, 31, body="x"), 1, 2) is None
    assert is_first(recording, 1, 3) is None


def test_of_updates_that_show_no_object_nothing_is_known() -> None:
    recording = update(update(Recording(), 1, "Body=x"), 2, "Body=y", body="y")
    assert is_first(fetch(recording, 21, body="x"), 1, 2) is None


def test_of_too_many_updates_nothing_is_known() -> None:
    recording = Recording()
    for nth in range(65):
        update(recording, 1, f"Body={nth}", body=f"{nth}")
    assert is_first(recording, 1, 2) is None


def test_updates_that_were_not_in_flight_together_are_none_of_its() -> None:
    recording = Recording().update(A, "x").update(A, "y")
    assert is_first(recording, 1, 2) is None
    recording.exchanges = [replace(one, asked=5, answered=5, after=ExchangeNumber(0)) for one in recording.exchanges]
    recording.exchanges[1] = replace(recording.exchanges[1], after=ExchangeNumber(1))
    assert is_first(recording, 1, 2) is None


def test_what_several_objects_share_a_path_of_tells_nothing() -> None:
    named, channels = CHANNEL.replace(CHANNEL[-34:], "general"), CHANNEL.rpartition("/")[0]
    recording = Recording()
    for digit in "67":
        shows = {"sid": f"CH{digit * 32}", "unique_name": "general"}
        recording.add("POST", channels, 201, body="UniqueName=general", shows=shows)
    for asked, name in ((21, "x"), (22, "y")):
        recording.add("POST", named, body=f"FriendlyName={name}", asked=asked, shows={**shows, "friendly_name": name})
    recording.add("GET", named, shows={**shows, "friendly_name": "x"})
    assert is_first(recording, 3, 4) is None


def test_an_update_is_a_write_to_an_object_that_may_have_been_done() -> None:
    recording = Recording().create(A).update(A, "x").fetch(A).delete(A)
    for status in (201, 404, 503):
        recording.add("POST", ONE, status)
    traces, _ = compiled(recording.exchanges)
    assert [is_update(one) for one in traces] == [False, True, False, False, True, False, True]


def test_what_an_update_shows_is_the_same_if_it_sends_all_that_the_other_sends_or_shows_nothing() -> None:
    recording = Recording().update(A, "x").update(A, "y")
    recording.add("POST", ONE, body="Body=z&Attributes=1").add("POST", ONE, 503).update(A, "x").update(B, "x")
    body, other, both, failed, equal, _ = compiled(recording.exchanges)[0]
    assert shows_the_same(body, other)
    assert shows_the_same(both, body)
    assert not shows_the_same(body, both)
    assert shows_the_same(failed, both)
    assert leave_the_same(body, equal)
    assert not leave_the_same(body, other)
    deletes, _ = compiled(Recording().add("DELETE", ONE, 503).add("DELETE", ONE, 503).exchanges)
    assert not leave_the_same(*deletes)
