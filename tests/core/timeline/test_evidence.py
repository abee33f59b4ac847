import pytest
from core.timeline.recordings import CHANNEL, CHANNELS, MEMBERS, MESSAGES, A, Recording, compiled

from chatproxy.core.timeline.evidence import Evidence
from chatproxy.core.timeline.places import Places
from chatproxy.core.twilio.objects import shown

GONE = ("GET", f"{MESSAGES}/{A}", 404)


def shows(recording: Recording, number: int, write: int) -> bool | None:
    """Tell whether the answer of one number shows the effect of a write."""
    traces, _ = compiled(recording.exchanges)
    evidence = Evidence(traces, lambda each: shown(recording.exchanges[each - 1].response))
    places, one, other = Places(), traces[number - 1], traces[write - 1]
    done = places.done(other)
    assert done is not None
    return evidence.shows(one, places.where(one.path), other, done)


@pytest.mark.parametrize(
    ("read", "made", "deleted"),
    [
        (Recording().fetch(A), True, False),
        (Recording().add(*GONE), False, True),
        (Recording().add("GET", f"{MESSAGES}/{A}/Media", 404), False, True),
        (Recording().add("GET", f"{MESSAGES}/{A}/Media"), True, False),
        (Recording().add("GET", f"{MESSAGES}/{A}", 503), None, None),
        (Recording().page(A), True, False),
        (Recording().page(), False, True),
        (Recording().page(last=False), None, None),
        (Recording().page(query="?From=bob"), None, None),
        (Recording().add("GET", MESSAGES), None, None),
        (Recording().add("GET", MESSAGES, 503), None, None),
        (Recording().add("POST", MESSAGES, 400), None, None),
        (Recording().add("GET", CHANNEL), None, None),
        (Recording().page(into=MEMBERS), None, None),
    ],
)
def test_a_create_and_a_delete_are_shown_by_the_object_or_its_absence(
    read: Recording, made: bool | None, deleted: bool | None
) -> None:
    assert shows(read.create(A), 1, 2) is made
    assert shows(read.delete(A), 1, 3) is deleted
    assert shows(read.add("DELETE", f"{MESSAGES}/{A}", 503), 1, 4) is deleted


def test_an_unknown_object_is_shown_by_nothing() -> None:
    assert shows(Recording().page().add("POST", MESSAGES, 503), 1, 2) is None


@pytest.mark.parametrize(
    ("before", "left", "now", "effect"),
    [
        ("a", "b", "b", True),
        ("a", "b", "a", False),
        ("b", "b", "b", None),
        (None, "b", "b", None),
    ],
)
def test_an_update_is_shown_by_what_it_left_where_it_was_not_so_before(
    before: str | None, left: str, now: str, effect: bool | None
) -> None:
    recording = Recording().add("GET", MESSAGES) if before is None else Recording().fetch(A, before)
    assert shows(recording.update(A, left, asked=11).fetch(A, now, asked=12), 3, 2) is effect


def test_an_update_is_shown_by_a_value_that_it_sent_though_another_differs() -> None:
    recording = Recording().add("GET", f"{MESSAGES}/{A}", shows={"sid": A, "body": "a", "from": "x"})
    recording.add("POST", f"{MESSAGES}/{A}", body="Body=b", shows={"sid": A, "body": "b", "from": "x"})
    recording.add("GET", f"{MESSAGES}/{A}", shows={"sid": A, "body": "b", "from": "y"})
    assert shows(recording, 3, 2) is True


def test_what_an_update_shows_of_another_is_not_judged_here() -> None:
    recording = Recording().fetch(A, "a").update(A, "b")
    recording.add("POST", f"{MESSAGES}/{A}", body="From=x", shows={"sid": A, "body": "z"})
    assert shows(recording, 3, 2) is None


def test_an_update_is_shown_by_nothing_elsewhere_or_without_the_object() -> None:
    recording = Recording().update(A, "b").page().add("GET", CHANNEL, shows={"sid": A}).add(*GONE)
    recording.add("POST", f"{MESSAGES}/{A}", 503).fetch(A)
    assert [shows(recording, number, 1) for number in (2, 3, 4)] == [None, None, None]
    assert shows(recording, 6, 5) is None


def test_an_update_is_not_shown_by_what_one_that_was_given_up_has_left() -> None:
    recording = Recording().fetch(A, "a").update(A, "b", abandoned=True).update(A, "b", asked=21)
    assert shows(recording.fetch(A, "b", asked=22), 4, 3) is None


def test_what_several_objects_share_a_place_of_tells_nothing() -> None:
    one, other = ({"sid": f"CH{digit * 32}", "unique_name": "general"} for digit in "67")
    recording = Recording().add("POST", CHANNELS, 201, body="UniqueName=general", shows=one)
    recording.add("POST", CHANNELS, 201, body="UniqueName=general", shows=other).page(one, into=CHANNELS)
    assert [shows(recording, 3, number) for number in (1, 2)] == [None, None]
