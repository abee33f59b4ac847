from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from core.timeline.recordings import CHANNEL, CHANNELS, MESSAGES, A, B, Recording, Replay, compiled
from core.timeline.second import MODEL, opinions
from exchanges import numbered
from hypothesis import given
from hypothesis import strategies as st
from profiles import many
from strategies import FORM, JSON, UPSTREAM

from chatproxy.core.model import NO_CREDENTIALS, Request, Response, is_read
from chatproxy.core.timeline.standing import Role
from chatproxy.core.timeline.states import place_digest
from chatproxy.sandbox.calls import Call, pairs_of, target_of
from chatproxy.sandbox.messages import ApiError, Messages, make_sid
from chatproxy.sandbox.operations import answer, refusal

ACCOUNT, SANDBOX = "AC" + "1" * 32, "IS" + "1" * 32
ROOMS = ["CH" + digit * 32 for digit in "23"]


def asked(world: Messages, request: Request, second: int) -> Response:
    path, _, query = request.target.decode().partition("?")
    form, queried = pairs_of(request.body.decode()), pairs_of(query)
    call = Call(request.method, ACCOUNT, target_of(path), UPSTREAM, queried, form)
    try:
        result = answer(world, call, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second))
    except ApiError as error:
        result = refusal(error)
    return Response(result.status, b"", (JSON,), result.body)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    channel, nth = draw(st.sampled_from(ROOMS)), draw(st.integers(0, 2))
    lists = f"/v1/Services/{SANDBOX}/Channels/{channel}/Messages"
    member = f"{lists}/{make_sid('IM', 0, ACCOUNT, SANDBOX, channel, nth)}"
    body = b"Body=" + draw(st.sampled_from([b"a", b"b"]))
    kinds = [("GET", lists), ("POST", lists), ("GET", member), ("POST", member), ("DELETE", member)]
    method, path = draw(st.sampled_from([*kinds, ("GET", lists + "?PageSize=1")]))
    return Request(method, path.encode(), (FORM,), body if method == "POST" else b"")


@given(st.lists(requests(), max_size=14), st.data())
def test_law_4_every_answer_of_a_sequential_replay_is_right_or_a_miss(
    program: list[Request], data: st.DataObject
) -> None:
    world, recording, after, now = Messages(0), Recording(), 0, Messages(0)
    for number, request in enumerate(program, 1):
        response = asked(world, request, number)
        recording.exchanges.append(numbered(number, request, response, UPSTREAM, 2 * number, 2 * number + 1, after))
        after = after if is_read(request.method) else number
    reads = [request for request in program if is_read(request.method)]
    plain, session = Replay(recording), Replay(recording)
    for number, request in enumerate(program, 1):
        assert plain.ask(request) == number
        for extra in data.draw(st.lists(st.sampled_from(reads), max_size=2)) if reads else ():
            found = session.ask(extra)
            assert found is None or recording.exchanges[found - 1].response == asked(now, extra, number)
        assert (found := session.ask(request)) is not None
        assert recording.exchanges[found - 1].response == asked(now, request, number)


def test_law_4_siblings_are_not_touched() -> None:
    recording = Recording().create(A, "a").create(B, "b").fetch(A)
    assert Replay(recording).again(1, 3) == [1, 3]
    assert Replay(recording).again(2, 1, 3) == [2, 1, 3]
    assert Replay(recording).again(3) == [None]


def test_law_4_objects_that_do_not_touch_are_replayed_in_any_order() -> None:
    recording = Recording().create(A, "a").create(B, "b").fetch(A, "a").fetch(B, "b")
    recording.update(A, "x").update(B, "y").fetch(A, "x").fetch(B, "y")
    for order in permutations([(1, 3, 5, 7), (2, 4, 6, 8)]):
        assert Replay(recording).again(*order[0], *order[1]) == [*order[0], *order[1]]
    assert Replay(recording).again(1, 5, 3, 7) == [1, 5, 7, 7]
    assert Replay(recording).again(1, 2, 6, 5, 8, 7) == [1, 2, 6, 5, 8, 7]


def test_law_4_a_list_needs_all_that_is_in_it_in_whichever_order_it_was_made() -> None:
    recording = Recording().create(A, "a").create(B, "b").page(A, B)
    assert Replay(recording).again(1, 3, 2, 3) == [1, None, 2, 3]
    assert Replay(recording).again(2, 1, 3) == [2, 1, 3]


def test_law_4_what_was_refused_is_not_done_and_repeats() -> None:
    recording = Recording().create(A).add("POST", f"{MESSAGES}/{A}", 400, body="Body=x").fetch(A).update(A, "x")
    assert recording.roles == [Role.WRITE, Role.REFUSAL, Role.READ, Role.WRITE]
    assert Replay(recording).again(1, 3, 2, 3) == [1, 3, 2, 3]


def test_law_4_a_delete_needs_only_that_the_object_lives() -> None:
    recording = Recording().create(A).update(A, "b").delete(A).add("GET", f"{MESSAGES}/{A}", 404).page()
    assert Replay(recording).again(1, 3, 4, 5) == [1, 3, 4, 5]
    assert Replay(recording).again(3) == [None]


def test_law_4_a_delete_that_was_refused_needs_the_state_of_its_object() -> None:
    recording = Recording().create(A).add("DELETE", f"{MESSAGES}/{A}", 403).update(A, "b").delete(A)
    assert Replay(recording).again(1, 2, 3, 4) == [1, 2, 3, 4]
    assert Replay(recording).again(1, 4) == [1, 2]


def test_law_4_a_create_needs_what_was_done_to_objects_of_its_unique_value() -> None:
    bob = {"sid": "MB" + "1" * 32, "identity": "bob"}
    path, form = f"{CHANNEL}/Members", "Identity=bob"
    recording = Recording().add("POST", path, 201, body=form, shows=bob).add("POST", path, 409, body=form)
    recording.add("DELETE", f"{path}/{bob['sid']}", 204).add(
        "POST", path, 201, body=form, shows={"sid": "MB" + "2" * 32}
    )
    assert Replay(recording).again(1, 2, 3, 4) == [1, 2, 3, 4]
    assert Replay(recording).again(1, 3, 4) == [1, 3, 4]
    assert Replay(recording).again(1, 4) == [1, 2]


def test_law_4_a_create_that_was_refused_without_a_table_needs_the_state_of_its_collection() -> None:
    path = f"{CHANNEL}/Things"
    recording = Recording().add("POST", path, 201, body="A=1", shows={"sid": A}).add("POST", path, 409, body="A=2")
    assert Replay(recording).again(1, 2) == [1, 2]
    assert Replay(recording).again(2) == [None]


def test_law_4_a_write_answered_5xx_may_have_been_done() -> None:
    recording = Recording().create(A).add("POST", f"{MESSAGES}/{A}", 503, body="Body=x").fetch(A, "x")
    assert Replay(recording).again(1, 3) == [1, None]
    assert Replay(recording).again(1, 2, 3) == [1, 2, 3]


def test_an_answer_that_asks_for_credentials_stands_in_any_state() -> None:
    recording = Recording().add("GET", MESSAGES, 401, user=NO_CREDENTIALS)
    assert recording.standings[0][:3] == (Role.CHALLENGE, recording.standings[0].where, ())


# What was in flight


def test_law_5_a_read_has_done_what_was_answered_before_it_was_sent() -> None:
    recording = Recording().create(A).create(B, asked=12).page(A, B, asked=21)
    assert Replay(recording).again(1, 3, 2, 3) == [1, None, 2, 3]


@pytest.mark.parametrize("shows_it", [True, False])
def test_law_5_a_read_shows_whether_a_write_in_flight_was_done(shows_it: bool) -> None:
    recording = Recording().create(A).page(*([A, B] if shows_it else [A]), asked=11).create(B, "b", asked=12)
    assert recording.exceptions(2) == (((3,), ()) if shows_it else ((), ()))
    assert Replay(recording).again(1, 2, 3, 2) == ([1, None, 3, 2] if shows_it else [1, 2, 3, None])


def test_law_5_what_was_answered_first_may_not_have_been_done() -> None:
    recording = Recording().create(A).delete(A, asked=11).page(A, asked=12)
    assert recording.exceptions(3) == ((), (2,))
    assert Replay(recording).again(1, 3, 2, 3) == [1, 3, 2, None]


def test_law_5_what_shows_nothing_of_a_write_in_flight_answers_nothing() -> None:
    recording = Recording().create(A).add("GET", CHANNEL, shows={"sid": CHANNEL[-34:]}, asked=11).create(B, asked=12)
    assert recording.roles[1] is Role.DOUBTFUL
    assert recording.standings[1].states == ()


def test_law_5_what_is_in_doubt_is_as_in_an_equal_answer_whose_state_is_certain() -> None:
    counts = [{"sid": CHANNEL[-34:], "messages_count": count} for count in (1, 2)]
    recording = Recording().create(A).add("GET", CHANNEL, shows=counts[0])
    recording.add("GET", CHANNEL, shows=counts[1], asked=21).create(B, "b", asked=22).add(
        "GET", CHANNEL, shows=counts[1]
    )
    assert recording.roles[2] is Role.READ
    assert recording.exceptions(3) == ((4,), ())
    assert Replay(recording).again(1, 5, 4, 5) == [1, 2, 4, 3]


def test_law_5_a_list_with_further_pages_fits_both() -> None:
    recording = Recording().create(A).page(A, last=False, query="?PageSize=1", asked=11).create(B, "b", asked=12)
    assert len(recording.standings[1].states) == 2
    assert Replay(recording).again(1, 2, 3, 2) == [1, 2, 3, 2]


def test_law_5_with_too_much_in_doubt_nothing_is_said() -> None:
    recording = Recording().page(last=False, asked=1)
    for _ in range(7):
        recording.add("POST", MESSAGES, 503, body="Body=a", asked=2)
    assert recording.roles[0] is Role.DOUBTFUL


def test_law_5_creates_and_deletes_have_done_what_was_answered_before_them() -> None:
    recording = Recording().add("POST", f"{MESSAGES}/{A}", 503, body="Body=x", asked=1).delete(A, asked=2)
    assert recording.exceptions(2) == ((), ())
    assert Replay(recording).again(2) == [None]
    later = Recording().delete(A, asked=1).add("POST", f"{MESSAGES}/{A}", 503, body="Body=x", asked=2)
    assert Replay(later).again(1) == [1]


def test_law_5_of_two_updates_of_one_object_in_flight_together_a_later_read_tells_the_last() -> None:
    recording = Recording().create(A).update(A, "x", asked=11).update(A, "y", asked=12).fetch(A, "x").update(A, "z")
    assert recording.roles == [Role.WRITE] * 3 + [Role.READ, Role.WRITE]
    assert (recording.exceptions(2), recording.exceptions(3)) == (((3,), ()), ((), (2,)))
    assert Replay(recording).again(1, 2, 3, 2, 4, 5) == [1, None, 3, 2, 4, 5]


def test_law_5_where_nothing_tells_the_last_of_two_updates_what_touches_both_answers_nothing() -> None:
    recording = Recording().create(A).update(A, "x", asked=11).update(A, "y", asked=12)
    recording.add("GET", f"{MESSAGES}/{A}", shows={"sid": A}).page({"sid": A})
    recording.update(A, "z").fetch(B).delete(A).page()
    assert [one is Role.DOUBTFUL for one in recording.roles] == [False] * 3 + [True] * 3 + [False] * 3
    assert Replay(recording).again(1, 2, 3, 8, 9) == [1, 2, 3, 8, 9]


def test_law_5_an_update_that_shows_what_another_in_flight_may_have_set_answers_nothing() -> None:
    recording = Recording()
    for asked, body in ((1, "Body=x"), (2, "Attributes=1")):
        shows = {"sid": A, "body": "x", "attributes": "1"}
        recording.add("POST", f"{MESSAGES}/{A}", body=body, asked=asked, shows=shows)
    assert recording.roles == [Role.DOUBTFUL] * 2
    told = Recording().create(A)
    for asked, form, body in ((11, "Body=x", "x"), (12, "Attributes=1", "a")):
        shows = {"sid": A, "body": body, "attributes": "1"}
        told.add("POST", f"{MESSAGES}/{A}", body=form, asked=asked, shows=shows)
    assert Replay(told).again(1, 2, 3, 2) == [1, None, 3, 2]


def test_law_5_equal_updates_in_flight_together_answer_one_after_another_and_leave_one_state() -> None:
    recording = Recording().create(A).update(A, "x", asked=11).update(A, "x", asked=12).fetch(A, "x")
    assert Replay(recording).again(1, 2, 3, 4) == [1, 2, 3, 4]


def test_law_5_what_a_delete_made_forgotten_is_in_no_doubt() -> None:
    recording = Recording().create(A).update(A, "x", asked=11).delete(A, asked=12).page()
    assert recording.roles[3] is Role.READ
    assert Replay(recording).again(1, 3, 4) == [1, 3, 4]


def test_law_5_two_writes_are_in_doubt_for_what_was_in_flight_with_the_second() -> None:
    recording = Recording().create(A).update(A, "x", asked=11).fetch(A, "y", asked=22).update(A, "y", asked=13)
    assert recording.roles[2] is Role.DOUBTFUL


@pytest.mark.parametrize(("one", "other"), [(503, 503), (200, 503)])
def test_law_5_two_that_may_have_deleted_are_in_doubt_for_all_below(one: int, other: int) -> None:
    recording = Recording().add("DELETE", CHANNEL, 503, asked=1)
    recording.add("DELETE" if one == 503 else "POST", CHANNEL, one, body="", asked=2).fetch(A)
    assert recording.roles[2] is (Role.DOUBTFUL if one == other else Role.READ)


def test_law_5_a_write_that_answers_nothing_is_never_done() -> None:
    recording = Recording().create(A, asked=1).add("POST", CHANNEL, asked=2, body="Type=x", shows={"sid": "x"})
    recording.add("GET", CHANNEL, shows={"sid": "x"})
    assert recording.roles == [Role.WRITE, Role.DOUBTFUL, Role.READ]
    assert Replay(recording).again(1, 2, 3) == [1, None, None]


# Clients that gave up


def test_law_5_a_write_that_was_given_up_and_sent_again_is_another_partys() -> None:
    recording = Recording().create(A, abandoned=True).create(B).page(A, B)
    assert recording.roles == [Role.ABANDONED, Role.WRITE, Role.READ]
    assert recording.standings[0].done is None
    assert Replay(recording).again(2, 3) == [2, 3]
    assert recording.steps == []
    assert Recording().page().create(A, abandoned=True).create(B).page(A, B).steps == [4]


def test_law_5_a_write_that_was_given_up_and_not_sent_again_is_done() -> None:
    assert Recording().create(A, abandoned=True).create(B, "b").roles == [Role.WRITE, Role.WRITE]


def test_law_5_a_4xx_after_what_was_given_up_counts_as_the_write() -> None:
    gone = ("DELETE", f"{MESSAGES}/{A}", 404)
    recording = Recording().create(A).delete(A, abandoned=True).add(*gone).page()
    assert recording.roles == [Role.WRITE, Role.ABANDONED, Role.WRITE, Role.READ]
    assert Replay(recording).again(1, 4, 3, 4) == [1, None, 3, 4]
    twice = Recording().create(A).delete(A, abandoned=True).add(*gone, abandoned=True).add(*gone)
    assert twice.roles[3] is Role.WRITE
    bob = Recording().add("POST", f"{CHANNEL}/Members", 201, body="Identity=bob", abandoned=True)
    assert bob.add("POST", f"{CHANNEL}/Members", 409, body="Identity=bob").roles[1] is Role.WRITE


@pytest.mark.parametrize("status", [404, 429])
def test_law_5_a_4xx_that_says_nothing_of_what_was_done_is_a_refusal(status: int) -> None:
    recording = Recording().create(A, abandoned=True).add("POST", MESSAGES, status, body="Body=a")
    assert recording.roles[1] is Role.REFUSAL
    refused = Recording().add("DELETE", f"{MESSAGES}/{A}", 404, abandoned=True).add("DELETE", f"{MESSAGES}/{A}", status)
    assert refused.roles[1] is Role.REFUSAL


# Names


def channel(sid: str, name: str) -> dict[str, str]:
    return {"sid": sid, "unique_name": name}


def test_a_name_that_stood_for_two_objects_never_gives_a_wrong_answer() -> None:
    one, other = ("CH" + digit * 32 for digit in "67")
    named = f"{CHANNELS}/general"
    recording = Recording().add("POST", CHANNELS, 201, body="UniqueName=general", shows=channel(one, "general"))
    recording.create(A, "a", into=f"{named}/Messages").page(A, into=f"{named}/Messages").add("DELETE", named, 204)
    recording.add("GET", f"{named}/Messages", 404)
    recording.add("POST", CHANNELS, 201, body="UniqueName=general", shows=channel(other, "general"))
    recording.page(into=f"{named}/Messages").create(B, "b", into=f"{named}/Messages").page(B, into=f"{named}/Messages")
    every = list(range(1, 10))
    assert Replay(recording).again(*every) == every
    assert Replay(recording).again(1, 2, 3, 4, 3, 6, 3) == [1, 2, 3, 4, 5, 6, 7]
    assert Replay(recording).again(1, 3, 4, 3) == [1, None, 4, None]


def test_a_new_name_touches_what_was_found_by_the_old_one() -> None:
    sid, named = "CH" + "6" * 32, f"{CHANNELS}/general"
    recording = Recording().add("POST", CHANNELS, 201, body="UniqueName=general", shows=channel(sid, "general"))
    recording.page(into=f"{named}/Messages").add("POST", named, body="UniqueName=lobby", shows=channel(sid, "lobby"))
    recording.add("GET", f"{named}/Messages", 404)
    assert Replay(recording).again(1, 2, 2, 3, 2) == [1, 2, 2, 3, 4]


# What a fixture says


def test_what_a_fixture_says_in_its_order_is_not_derived_again() -> None:
    recording = Recording().create(A).page(A).create(B, "b").page(A, B)
    assert Replay(recording.told(0)).again(1, 2, 3, 4) == [1, 2, 3, 4]
    late = Recording().page(A).create(A).create(B, "b").page(A)
    late.told(1, with_=(2,)).told(4, without=(3,))
    assert late.standings[0].states == late.standings[3].states
    assert (late.exceptions(1), late.exceptions(4)) == (((2,), ()), ((), (3,)))


def test_a_fixture_says_of_writes_what_the_order_does_not_tell() -> None:
    recording = Recording().add("DELETE", f"{MESSAGES}/{A}", 404).update(B, "x").told(1, counts=True)
    assert recording.roles == [Role.WRITE, Role.WRITE]
    assert recording.told(2, is_doubtful=True).roles == [Role.WRITE, Role.DOUBTFUL]


@pytest.mark.parametrize("kind", ["seq", "own", "chan", "list", "shared"])
def test_the_model_of_the_laws_is_of_the_same_opinion(kind: str) -> None:
    if MODEL is None:
        pytest.skip("the model of the laws is not beside the repository")
    for seed in range(many(20)):
        assert list(opinions(kind, seed)) == []


def test_law_4_what_is_asked_for_by_a_name_of_which_no_answer_tells_the_sid_stands_in_its_collections_state() -> None:
    absent = f"{CHANNELS}/general"
    recording = Recording().add("DELETE", CHANNEL, 204).add("GET", f"{absent}/Messages", 404).add("DELETE", absent, 404)
    recording.add("POST", absent, 404, body="FriendlyName=a").add("POST", f"{absent}/Messages", 404, body="Body=a")
    recording.add("GET", CHANNELS, shows={"channels": []}).add("POST", f"{absent}/Messages", 201, body="Body=a")
    _, name, gone, update, create, listed, made = recording.standings
    below_any = place_digest(f"{CHANNELS}/?/".encode())
    where = listed.where._replace(above=(*listed.where.above, below_any))
    assert name.where == gone.where == update.where == create.where == where
    assert {one.states for one in (name, gone, update, create)} == {listed.states}
    assert made.states == listed.states


def test_law_5_what_was_done_by_a_name_of_which_no_answer_tells_the_sid_touches_every_member_and_all_below() -> None:
    general = f"{CHANNELS}/general"
    for name in (general, f"{general}/Members/MB{'1' * 32}"):
        gone = Recording().page().add("DELETE", name, 204).add("GET", MESSAGES, 404)
        gone.add("POST", CHANNEL, 404, body="FriendlyName=a").add("GET", f"{CHANNEL}/Invites", 404)
        assert Replay(gone).again(1, 2, 3, 4, 5) == [1, 2, 3, 4, 5]
        assert Replay(gone).again(1, 4, 5) == [1, None, None]
    racing = Recording().add("DELETE", general, 204).add("DELETE", f"{CHANNELS}/other", 204, asked=2)
    assert Role.DOUBTFUL not in racing.add("GET", MESSAGES, 404).roles
    doubtful = Recording().add("DELETE", general, 204).add("GET", MESSAGES, 404, asked=2)
    assert doubtful.roles[1] is Role.DOUBTFUL


def test_law_4_a_name_stands_for_what_holds_a_member_that_was_found_below_it() -> None:
    named = f"{CHANNELS}/general"
    recording = Recording().create(A).delete(A, into=f"{named}/Messages").page()
    assert recording.standings[2].states == Recording().create(A).delete(A).page().standings[2].states
    assert Replay(recording).again(1, 3, 2, 3) == [1, None, 2, 3]
    unknown = Recording().create(A).delete(B, into=f"{named}/Messages").add("DELETE", f"{named}/Messages/{A}", 404)
    assert unknown.standings[1].where.place != recording.standings[1].where.place
    assert compiled(unknown.exchanges)[0][1].may_be_in == CHANNELS.encode()
