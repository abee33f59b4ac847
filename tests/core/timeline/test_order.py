from collections import Counter

import pytest
from core.timeline.recordings import CHANNEL, CHANNELS, MEMBERS, MESSAGES, SERVICE, A, B, Recording, compiled
from core.timeline.second import MODEL, exchanges, model
from hypothesis import given
from hypothesis import strategies as st
from profiles import many

from chatproxy.core.model import Exchange, ExchangeNumber, Standing
from chatproxy.core.timeline.order import canonical_order, untimed
from chatproxy.core.timeline.standing import Role
from chatproxy.core.twilio.objects import Shown, shown
from chatproxy.core.twilio.sids import sids_in

ROLES = f"{SERVICE}/Roles"


def ordered(recorded: list[Exchange]) -> list[int]:
    """Return the numbers in canonical order, where SIDs get their numbers as they come."""
    traces, timeline = compiled(recorded)
    held = {one.number: one for one in recorded}
    numbers: dict[bytes, int] = {}
    counts: Counter[bytes] = Counter()
    found: list[int] = []

    def tie(number: ExchangeNumber) -> bytes:
        return untimed(shown(held[number].response))

    for number in canonical_order(traces, timeline, numbers.get, tie):
        found.append(number)
        for sid in sids_in(held[number].request.target + held[number].response.body):
            if sid not in numbers:
                counts[sid[:2]] += 1
                numbers[sid] = counts[sid[:2]]
    return found


def order(recording: Recording) -> list[int]:
    return ordered(recording.exchanges)


def test_what_needs_nothing_comes_by_path_method_query_body_and_status() -> None:
    recording = Recording().create(B, "b").create(A, "a").page(into=ROLES, query="?Page=1").page(into=ROLES)
    assert order(recording) == [2, 1, 4, 3]


def test_an_exchange_comes_after_the_writes_of_its_state_and_before_the_others_that_touch_it() -> None:
    recording = Recording().page().create(B, "b").page(B).create(A, "a").page(A, B)
    assert order(recording) == [1, 2, 3, 4, 5]


def test_earlier_ones_of_a_key_come_first() -> None:
    recording = Recording().create(B, "b").create(A, "b").fetch(A, "b").fetch(A, "c")
    assert [number for number in order(recording) if number != 1] == [2, 3, 4]


def test_a_delete_comes_after_what_was_recorded_below_before_it() -> None:
    recording = Recording().create(B, "b").page(B).add("DELETE", CHANNEL, 204).page(into=CHANNELS)
    assert order(recording) == [1, 2, 3, 4]


def test_a_create_comes_after_what_was_done_to_objects_of_its_unique_value() -> None:
    members = f"{CHANNEL}/Members"
    recording = Recording().add("POST", members, 201, body="Identity=b", shows={"sid": "MB" + "1" * 32})
    recording.add("DELETE", f"{members}/MB{'1' * 32}", 204)
    recording.add("POST", members, 201, body="Identity=b&RoleSid=", shows={"sid": "MB" + "2" * 32})
    assert order(recording) == [1, 2, 3]


def test_what_lies_before_a_step_comes_before_what_lies_after_and_of_that_what_showed_it_first() -> None:
    recording = Recording().fetch(A, "z").page({"sid": A, "body": "z"}).fetch(B).fetch(A, "y")
    recording.add("GET", MESSAGES + "?PageSize=9", shows={"messages": []})
    assert order(recording) == [2, 3, 1, 4, 5]


def test_what_lies_below_an_object_stays_on_its_side_of_a_change_of_that() -> None:
    recording = Recording().add("GET", CHANNEL, shows={"sid": CHANNEL[-34:], "friendly_name": "a"}).page(into=MESSAGES)
    recording.add("GET", CHANNEL, shows={"sid": CHANNEL[-34:], "friendly_name": "b"}).add("GET", MEMBERS, shows={})
    assert order(recording) == [1, 2, 3, 4]


def test_the_sids_of_paths_are_compared_by_the_numbers_that_they_have_so_far() -> None:
    recording = Recording().page(B, A, into=CHANNELS).fetch(B, into=MESSAGES).fetch(A, into=MESSAGES)
    assert order(recording) == [1, 2, 3]
    unknown = Recording().fetch(B, "y").fetch(A, "x").page(B, A, into=f"{CHANNEL}/Aaa")
    assert order(unknown) == [3, 1, 2]


def test_what_only_its_answer_tells_apart_comes_by_that_without_times() -> None:
    recording = Recording().fetch(A, "y").fetch(B, "x")
    assert order(recording) == [2, 1]
    assert untimed(Shown({A: {"date_created": "x", "b": A}})) == untimed(Shown({B: {"date_created": "y", "b": B}}))


def test_of_what_is_equal_the_first_recorded_comes_first() -> None:
    assert order(Recording().fetch(B).fetch(A)) == [1, 2]


def test_in_a_circle_the_first_recorded_comes_first() -> None:
    recording = Recording().fetch(A, "a", asked=1).update(A, "b", asked=2).fetch(B, "a", asked=3)
    recording.update(B, "b", asked=4)
    recording.told(1, with_=(2,))
    traces, timeline = compiled(recording.exchanges)
    for one in traces:
        one.in_order = None
    standings = [
        standing._replace(with_=(ExchangeNumber(4),) if nth == 1 else ())
        for nth, standing in enumerate(timeline.standings)
    ]
    found = list(canonical_order(traces, timeline._replace(standings=standings), lambda _: None, lambda _: b""))
    assert sorted(found) == [1, 2, 3, 4]


def test_where_two_reads_each_lack_the_write_of_the_other_the_first_recorded_comes_first() -> None:
    recording = Recording().create(B, "b").create(A, "a").page(A, query="?PageSize=2").page(B)
    recording.told(3, without=(1,)).told(4, without=(2,))
    traces, timeline = compiled(recording.exchanges)
    for one in traces:
        one.in_order = None
    assert list(canonical_order(traces, timeline, lambda _: None, lambda _: b"")) == [1, 4, 2, 3]


def test_reads_that_answer_nothing_and_what_was_given_up_come_last() -> None:
    recording = Recording().create(A, abandoned=True).create(B).add("GET", CHANNEL, shows={"sid": "x"}, asked=21)
    recording.add("POST", MESSAGES, 503, body="Body=c", asked=22).fetch(B)
    assert order(recording) == [2, 4, 5, 1, 3]


def test_a_step_parts_what_was_recorded_before_and_after_it_where_what_showed_it_is_left_out() -> None:
    recording = Recording().add("GET", f"{MESSAGES}/{A}?z=1", shows={"sid": A, "body": "a"})
    recording.update(B, "x", asked=11).update(B, "y", asked=12)
    recording.page({"sid": A, "body": "b"}, {"sid": B}).fetch(A, "b")
    assert (recording.roles[3], recording.steps) == (Role.DOUBTFUL, [4])
    found = order(recording)
    assert found.index(1) < found.index(5)
    assert found[-1] == 4


def test_a_fixture_is_in_order_already() -> None:
    assert order(Recording().create(B, "b").create(A, "a").told(0)) == [1, 2]
    recording = Recording().create(B, "b").create(A, "a")
    old = [
        Exchange(one.number, one.request, one.response, one.upstream, 0, 0, standing=Standing(nth))
        for nth, one in enumerate(recording.exchanges, 1)
    ]
    assert ordered(old) == [1, 2]


@pytest.mark.parametrize("kind", ["seq", "chan"])
def test_law_recording_a_scenario_again_gives_the_same_order(kind: str) -> None:
    if MODEL is None:
        pytest.skip("the model of the laws is not beside the repository")
    for seed in range(many(20)):
        requests = []
        for again in (0, 1):
            recorded = exchanges(model("test_k").rec(kind, seed, again)[0])
            held: dict[int, Exchange] = {one.number: one for one in recorded}
            requests.append(
                [
                    (
                        held[number].request.method,
                        held[number].request.target[:90].count(b"/"),
                        held[number].request.body,
                    )
                    for number in ordered(recorded)
                ]
            )
        assert requests[0] == requests[1]


_PLACES = [ROLES, CHANNELS, CHANNEL, f"{CHANNELS}/general", MESSAGES, f"{CHANNELS}/general/Messages", f"{MESSAGES}/{A}"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["GET", "POST", "DELETE"]),
            st.sampled_from(_PLACES),
            st.sampled_from([200, 201, 204, 404, 409, 503]),
            st.integers(0, 25),
            st.sampled_from(["", "Body=a", "UniqueName=general"]),
            st.sampled_from(
                [None, {"sid": A, "body": "a"}, {"sid": CHANNEL[-34:], "unique_name": "general"}, {"sid": B}]
            ),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_law_whatever_was_recorded_each_exchange_stands_somewhere_and_comes_once(
    recorded: list[tuple[str, str, int, int, str, object, bool]],
) -> None:
    recording = Recording()
    for number, (method, path, status, before, body, shows, abandoned) in enumerate(recorded, 1):
        sent = body if method == "POST" else ""
        asked = max(0, 10 * number - 9 - before)
        recording.add(method, path, status, asked=asked, body=sent, shows=shows, abandoned=abandoned)
    timeline = recording.timeline
    numbers = [one.number for one in recording.exchanges]
    for number, standing in zip(numbers, timeline.standings, strict=True):
        assert bool(standing.states) is (standing.role in {Role.READ, Role.WRITE, Role.REFUSAL})
        assert all(each > number for each in standing.with_)
        assert all(each < number for each in standing.without)
        assert standing.step <= number
    assert sorted(order(recording)) == numbers
