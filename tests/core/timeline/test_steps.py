from typing import Any

import pytest
from core.timeline.recordings import CHANNEL, CHANNELS, MEMBERS, MESSAGES, A, B, Recording

from chatproxy.core.timeline.states import place_digest

ROOM = CHANNEL[-34:]


def test_a_value_that_no_own_write_explains_is_anothers() -> None:
    assert Recording().create(A, "a").fetch(A, "a").fetch(A, "b").fetch(A, "b").steps == [3]
    assert Recording().create(A, "a").update(A, "b").fetch(A, "b").steps == []
    assert Recording().fetch(A, "a").page({"sid": A, "body": "b"}).steps == [2]


def test_a_write_explains_what_it_sends_and_what_is_derived() -> None:
    def updated(**fields: object) -> list[int]:
        recording = Recording().add(
            "GET", f"{MESSAGES}/{A}", shows={"sid": A, "body": "a", "from": "x", "date_updated": "1"}
        )
        shows = {"sid": A, "body": "a", "from": "x", "date_updated": "1"} | fields
        return recording.add("POST", f"{MESSAGES}/{A}", body="Body=b", shows=shows).steps

    assert updated(body="b", date_updated="2") == []
    assert updated(body="b", **{"from": "y"}) == [2]


def test_a_repeated_parameter_is_a_field_in_the_plural() -> None:
    path = f"{CHANNELS[:-9]}/Roles/RL{'1' * 32}"
    recording = Recording().add("GET", path, shows={"sid": path[-34:], "permissions": ["a"]})
    recording.add("POST", path, body="Permission=b", shows={"sid": path[-34:], "permissions": ["b"]})
    assert recording.steps == []


def test_a_write_below_explains_what_is_derived_above() -> None:
    def counted(**fields: object) -> list[int]:
        recording = Recording().add("GET", CHANNEL, shows={"sid": ROOM, "messages_count": 1, "friendly_name": "a"})
        recording.create(A).add("GET", CHANNEL, shows={"sid": ROOM, "messages_count": 2, "friendly_name": "a"} | fields)
        return recording.steps

    assert counted() == []
    assert counted(friendly_name="b") == [3]


def test_what_was_counted_once_is_explained_no_more() -> None:
    recording = Recording().add("GET", CHANNEL, shows={"sid": ROOM, "messages_count": 1}).create(A)
    recording.add("GET", CHANNEL, shows={"sid": ROOM, "messages_count": 1})
    assert recording.add("GET", CHANNEL, shows={"sid": ROOM, "messages_count": 2}).steps == [4]


def test_a_5xx_explains_all_until_the_object_is_shown() -> None:
    recording = Recording().fetch(A, "a").add("POST", f"{MESSAGES}/{A}", 503, body="Body=b").fetch(A, "c")
    assert recording.steps == []
    assert recording.fetch(A, "d").steps == [4]
    unchanged = Recording().fetch(A, "a").add("POST", f"{MESSAGES}/{A}", 503, body="Body=b").fetch(A, "a").fetch(A, "b")
    assert unchanged.steps == [4]


def test_an_absence_that_no_own_write_explains_is_anothers() -> None:
    gone = ("GET", f"{MESSAGES}/{A}", 404)
    assert Recording().create(A).page().steps == [2]
    assert Recording().create(A).add(*gone).steps == [2]
    assert Recording().create(A).delete(A).page().add(*gone).steps == []
    assert Recording().create(A).add("DELETE", CHANNEL, 204).add(*gone).steps == []
    assert Recording().create(A).add("POST", f"{MESSAGES}/{A}", 503, body="Body=b").add(*gone).steps == []
    assert Recording().fetch(A).delete(A, asked=11).add(*gone, asked=12).steps == []


def test_what_a_whole_list_was_without_and_no_own_create_made_appears() -> None:
    assert Recording().page().page(A).steps == [2]
    assert Recording().page().create(A).page(A).steps == []
    assert Recording().page(query="?From=bob").page(A).steps == []
    assert Recording().page(A).steps == []


def test_what_a_part_of_a_list_was_without_in_an_equal_state_appears() -> None:
    part: dict[str, Any] = {"last": False, "query": "?PageSize=2"}
    assert Recording().page(A, **part).page(A, B, **part).steps == [2]
    assert Recording().page(A, **part).fetch(B).page(A, B, **part).steps == [2]
    assert Recording().fetch(B).page(A, **part).page(A, B, **part).steps == [3]
    assert Recording().page(A, **part).create(B).page(A, B, **part).steps == []
    assert Recording().page(A, **part).create(B).page(A, B, **part).steps == []


def test_what_a_create_in_flight_has_not_made_yet_is_not_gone() -> None:
    assert Recording().create(A).create(B, "b", asked=11).page(A, asked=12).page(A, B).steps == []


def test_what_an_update_in_flight_has_not_changed_yet_is_not_changed_back() -> None:
    recording = Recording().fetch(A, "a").update(A, "b", asked=11).fetch(A, "a", asked=12).fetch(A, "b")
    assert recording.steps == []
    assert recording.fetch(A, "c").steps == [5]


def test_what_an_update_in_flight_may_have_changed_is_explained() -> None:
    recording = Recording().add("GET", CHANNEL, shows={"sid": ROOM, "messages_count": 1}).create(A, asked=11)
    recording.add("GET", CHANNEL, shows={"sid": ROOM, "messages_count": 2}, asked=12)
    assert recording.steps == []
    late = (
        Recording().fetch(A, "a").fetch(A, "b", asked=11).add("POST", f"{MESSAGES}/{A}", 503, body="Body=b", asked=12)
    )
    assert late.steps == []


def test_a_5xx_in_flight_may_explain_a_value() -> None:
    recording = Recording().fetch(A, "a").add("POST", f"{MESSAGES}/{A}", 503, body="Body=b", asked=11)
    assert recording.fetch(A, "b", asked=12).steps == []


def test_a_delete_in_flight_may_explain_an_absence() -> None:
    recording = Recording().create(A).add("DELETE", f"{MESSAGES}/{A}", 503, asked=11)
    assert recording.add("GET", f"{MESSAGES}/{A}", 404, asked=12).steps == []


def test_a_step_raises_floors_at_what_shows_the_object() -> None:
    recording = Recording().create(A, "a").fetch(A, "b").page({"sid": A, "body": "b"})
    recording.add("GET", CHANNEL, shows={"sid": ROOM})
    recording.fetch("MB" + "1" * 32, into=MEMBERS).add("GET", f"{MESSAGES}/{A}/Media", 404).add("POST", MESSAGES, 400)
    paths = [f"{MESSAGES}/{A}", MESSAGES, CHANNEL, CHANNELS]
    floors = tuple(place_digest(path.encode()) for path in paths)
    (step,) = recording.timeline.steps[floors[0]]
    assert step.floors == floors
    assert recording.timeline.steps.keys() == set(floors)
    assert [standing.step for standing in recording.standings] == [0, 2, 2, 2, 0, 2, 0]


@pytest.mark.parametrize("place", [f"{CHANNEL}/Invites/IN{'1' * 32}"])
def test_what_its_owner_does_not_count_raises_no_floor_there(place: str) -> None:
    recording = Recording().add("GET", place, shows={"sid": place[-34:], "identity": "a"})
    recording.add("GET", place, shows={"sid": place[-34:], "identity": "b"})
    assert recording.timeline.steps.keys() == {place_digest(path.encode()) for path in (place, place[:-35])}


def test_a_write_explains_nothing_once_its_own_answer_was_shown() -> None:
    recording = Recording().create(A, "a").fetch(A, "b", asked=11).update(A, "b", asked=12).fetch(A, "b")
    assert recording.steps == []
    assert recording.fetch(A, "c").steps == [5]


def test_a_write_explains_nothing_of_another_object() -> None:
    recording = Recording().page(A, B).update(B, "b", asked=11)
    assert recording.page({"sid": A, "body": "c"}, {"sid": B, "body": "b"}, asked=12).steps == [3]


OTHER = "CH" + "2" * 32


def refused(recording: Recording, into: str, value: str) -> Recording:
    return recording.add("POST", into, 409, body=value, shows={"code": 50307})


def test_what_a_create_is_refused_for_has_appeared() -> None:
    listed = refused(Recording().page(into=CHANNELS), CHANNELS, "UniqueName=a")
    assert listed.steps == [2]
    assert listed.page({"sid": OTHER, "unique_name": "a"}, into=CHANNELS).steps == [2, 3]
    not_found = Recording().add("GET", f"{CHANNELS}/a", 404)
    assert refused(not_found, CHANNELS, "UniqueName=a").standings[1].step == 2
    assert refused(Recording().page(into=MEMBERS), MEMBERS, "Identity=a").steps == [2]


def test_a_refusal_tells_nothing_new_where_the_object_was_shown_or_nothing_was_asked_before() -> None:
    own = Recording().page(into=CHANNELS)
    own.add("POST", CHANNELS, 201, body="UniqueName=a", shows={"sid": OTHER, "unique_name": "a"})
    assert refused(own, CHANNELS, "UniqueName=a").steps == []
    assert (
        refused(Recording().page({"sid": OTHER, "unique_name": "a"}, into=CHANNELS), CHANNELS, "UniqueName=a").steps
        == []
    )
    assert refused(Recording(), CHANNELS, "UniqueName=a").steps == []
    assert refused(Recording().page(into=CHANNELS), CHANNELS, "FriendlyName=a").steps == []
    invites = f"{CHANNEL}/Invites"
    assert refused(Recording().page(into=invites), invites, "Identity=a").steps == []
    assert refused(Recording().page(into=CHANNELS), CHANNEL, "UniqueName=a").steps == []
    other = refused(Recording().page(into=CHANNELS), CHANNELS, "UniqueName=a")
    assert refused(other, CHANNELS, "UniqueName=a").standings[2].step == 3
