import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from core.programs import places_of
from exchanges import numbered
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, UPSTREAM

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import CassetteError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, Exchange, Request, Response, Standing, is_read
from chatproxy.core.replay.player import play_request
from chatproxy.core.replay.session import Session
from chatproxy.core.timeline.epochs import ALL_MEMBERS, COLLECTION, UNTOUCHED, Place
from chatproxy.sandbox.calls import Call, pairs_of, target_of
from chatproxy.sandbox.messages import ApiError, Messages, make_sid
from chatproxy.sandbox.operations import answer, refusal

RULES = Rules()
ACCOUNT, SERVICE = "AC" + "1" * 32, "IS" + "1" * 32
CHANNELS = ["CH" + digit * 32 for digit in "23"]


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
def steps(draw: st.DrawFn) -> Request:
    channel, nth = draw(st.sampled_from(CHANNELS)), draw(st.integers(0, 2))
    lists = f"/v1/Services/{SERVICE}/Channels/{channel}/Messages"
    member = f"{lists}/{make_sid('IM', 0, ACCOUNT, SERVICE, channel, nth)}"
    body = b"Body=" + draw(st.sampled_from([b"a", b"b"]))
    kinds = [("GET", lists), ("POST", lists), ("GET", member), ("POST", member), ("DELETE", member)]
    method, path = draw(st.sampled_from([*kinds, ("GET", lists + "?PageSize=1")]))
    return Request(method, path.encode(), (FORM,), body if method == "POST" else b"")


@given(st.lists(steps(), max_size=14), st.data())
def test_law_4_every_answer_of_a_sequential_replay_is_right_or_a_miss(
    program: list[Request], data: st.DataObject
) -> None:
    world, recorded, after = Messages(0), [], 0
    for number, request in enumerate(program, 1):
        response = asked(world, request, number)
        recorded.append(numbered(number, request, response, UPSTREAM, 2 * number, 2 * number + 1, after))
        after = after if is_read(request.method) else number
    cassette, now = MemoryCassette("a", recorded, RULES), Messages(0)
    reads = [request for request in program if is_read(request.method)]
    plain, session = Session(cassette, RULES), Session(cassette, RULES)
    for number, request in enumerate(program, 1):
        assert play_request(plain, request, NO_CREDENTIALS).number == number
        for extra in data.draw(st.lists(st.sampled_from(reads), max_size=2)) if reads else ():
            found = play_request(session, extra, NO_CREDENTIALS).number
            assert found is None or cassette.exchange(found).response == asked(now, extra, number)
        found = play_request(session, request, NO_CREDENTIALS).number
        assert found is not None
        assert cassette.exchange(found).response == asked(now, request, number)


# Where an exchange stands

MESSAGES = f"/v1/Services/{SERVICE}/Channels/{CHANNELS[0]}/Messages"
ONE, TWO, THREE = (f"IM{digit * 32}" for digit in "123")


class Recording:
    """Exchanges in the order of their answers; each is asked when the last one was answered, unless it says when."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def add(
        self, method: str, path: str, status: int = 200, *, asked: int | None = None, **shows: object
    ) -> "Recording":
        number = len(self.exchanges) + 1
        asked = 10 * number - 10 if asked is None else asked
        answered = [one.number for one in self.exchanges if not is_read(one.request.method) and one.answered <= asked]
        response = Response(status, b"", (JSON,), json.dumps(shows).encode())
        request = Request(method, path.encode(), (FORM,))
        after = max(answered, default=0)
        self.exchanges.append(numbered(number, request, response, UPSTREAM, asked, 10 * number, after))
        return self

    def create(self, sid: str, index: int = 0, **more: Any) -> "Recording":
        return self.add("POST", MESSAGES, 201, sid=sid, index=index, body="a", **more)

    def page(
        self, *shown: tuple[str, int], first: bool = True, last: bool = True, query: str = "", **more: Any
    ) -> "Recording":
        urls = {"previous_page_url": None if first else "x", "next_page_url": None if last else "x"}
        return self.add(
            "GET", MESSAGES + query, meta=urls, messages=[{"sid": sid, "index": index} for sid, index in shown], **more
        )

    @property
    def epochs(self) -> list[int]:
        places = places_of(self.exchanges)
        return [one.epoch for one in places]


def test_law_4_a_read_stands_after_the_last_write_answered_before_it_was_sent() -> None:
    recording = Recording().page().create(ONE).page((ONE, 0)).add("GET", f"{MESSAGES}/{ONE}", sid=ONE)
    assert recording.create(TWO, 1).page((ONE, 0), (TWO, 1)).epochs == [0, 1, 1, 1, 2, 2]


def test_law_5_a_read_that_shows_a_generated_sid_stands_after_its_create() -> None:
    during = Recording().page((ONE, 0)).create(ONE, asked=0)
    assert during.epochs == [1, 1]
    assert Recording().page().create(ONE, asked=0).epochs == [0, 1]


@pytest.mark.parametrize(("body", "epoch"), [("a", 1), ("b", 2)])
def test_law_5_a_read_stands_after_the_update_whose_value_it_is_the_first_to_show(body: str, epoch: int) -> None:
    member = f"{MESSAGES}/{ONE}"
    recording = Recording().create(ONE).add("GET", member, asked=12, sid=ONE, body=body)
    assert recording.add("POST", member, asked=11, sid=ONE, body="b").epochs == [1, epoch, 2]


def test_law_5_an_update_that_nothing_shows_comes_after_the_read() -> None:
    member = f"{MESSAGES}/{ONE}"
    recording = Recording().create(ONE).add("GET", member, asked=12, sid=ONE, body="a")
    assert recording.add("POST", member, asked=11, sid=ONE, body="a").epochs == [1, 1, 2]


def test_law_5_a_write_that_is_sent_after_the_answer_came_is_shown_by_nothing() -> None:
    recording = Recording().page((ONE, 0), asked=0).add("POST", f"{MESSAGES}/{TWO}", asked=0, sid=TWO)
    assert recording.add("POST", f"{MESSAGES}/{ONE}", asked=15, sid=ONE).epochs == [0, 1, 2]
    late = Recording().page((ONE, 0)).create(TWO, 1, asked=11).create(ONE, asked=5)
    assert late.epochs == [2, 1, 2]


@pytest.mark.parametrize(
    ("path", "status", "epoch"),
    [
        (f"{MESSAGES}/{ONE}", 404, 2),
        (f"{MESSAGES}/{ONE}/Media/x", 404, 2),
        (f"{MESSAGES}/{ONE}", 200, 1),
        (f"{MESSAGES}/{TWO}", 404, 1),
    ],
)
def test_law_5_a_read_that_finds_nothing_stands_after_the_delete(path: str, status: int, epoch: int) -> None:
    recording = Recording().create(ONE).add("GET", path, status, asked=12)
    where = recording.add("DELETE", f"{MESSAGES}/{ONE}", 204, asked=11).epochs
    assert where[1] == (epoch if "Media" not in path else 1)  # a timeline of its own


@pytest.mark.parametrize(
    ("shown", "first", "last", "query", "epoch"),
    [
        ([(ONE, 0), (TWO, 1), (THREE, 2)], True, True, "", 3),
        ([(ONE, 0), (THREE, 2)], True, True, "", 4),
        ([(ONE, 0), (THREE, 2)], False, False, "", 4),
        ([(THREE, 2), (ONE, 0)], False, False, "?Order=desc", 4),
        ([(ONE, 0)], True, True, "?PageSize=1", 4),
        ([(ONE, 0)], True, False, "?PageSize=1", 3),
        ([(THREE, 2)], False, True, "?PageSize=1", 3),
        ([(THREE, 2)], True, True, "?PageSize=1", 4),
        ([], False, True, "?PageSize=1", 3),
    ],
)
def test_law_5_a_page_that_lacks_a_member_which_belongs_in_it_stands_after_the_delete(
    shown: list[tuple[str, int]], first: bool, last: bool, query: str, epoch: int
) -> None:
    recording = Recording().create(ONE).create(TWO, 1).create(THREE, 2)
    recording.page(*shown, first=first, last=last, query=query, asked=32)
    assert recording.add("DELETE", f"{MESSAGES}/{TWO}", 204, asked=31).epochs == [1, 2, 3, epoch, 4]


def test_law_5_a_delete_of_what_was_never_shown_or_that_may_have_failed_shows_in_nothing() -> None:
    unknown = Recording().page(asked=0).add("DELETE", f"{MESSAGES}/{ONE}", 204, asked=0)
    assert unknown.epochs == [0, 1]
    failed = Recording().create(ONE).page(asked=12).add("DELETE", f"{MESSAGES}/{ONE}", 503, asked=11)
    assert failed.epochs == [1, 1, 2]
    no_list = Recording().create(ONE).add("GET", MESSAGES, asked=12).add("DELETE", f"{MESSAGES}/{ONE}", 204, asked=11)
    assert no_list.epochs == [1, 1, 2]


@pytest.mark.parametrize(
    ("known", "last", "query", "epoch"),
    [(0, False, "", 2), (0, True, "", 1), (0, False, "?Order=desc", 1), (2, False, "", 3)],
)
def test_law_5_a_page_that_goes_on_stands_after_the_create_that_makes_it_go_on(
    known: int, last: bool, query: str, epoch: int
) -> None:
    recording = Recording().create(ONE)
    if known:
        recording.create(TWO, 1)
    asked = 10 * len(recording.exchanges) + 1
    recording.page((ONE, 0), last=last, query=query, asked=asked + 1).create(THREE, 2, asked=asked)
    assert recording.epochs[-2] == (epoch if not known else 2)  # with another member after it, both are right


def test_a_deleted_member_does_not_make_a_page_go_on() -> None:
    recording = Recording().create(ONE).create(TWO, 1).add("DELETE", f"{MESSAGES}/{TWO}", 204)
    recording.page((ONE, 0), last=False, asked=32).create(THREE, 2, asked=31)
    assert recording.epochs == [1, 2, 3, 4, 4]


CHANNEL = MESSAGES.rpartition("/")[0]


@pytest.mark.parametrize(
    ("method", "path", "epoch", "touches"),
    [
        ("POST", CHANNEL, 2, ALL_MEMBERS),
        ("DELETE", CHANNEL, 2, ALL_MEMBERS),
        ("POST", f"/v1/Services/{SERVICE}", 2, ALL_MEMBERS),
        ("POST", CHANNEL.rpartition("/")[0], 1, None),
        ("POST", CHANNEL.replace(CHANNELS[0], CHANNELS[1]), 1, None),
    ],
)
def test_law_4_a_write_to_a_member_above_opens_an_epoch_below_and_touches_all(
    method: str, path: str, epoch: int, touches: int | None
) -> None:
    recording = Recording().create(ONE).add(method, path).page((ONE, 0))
    places = places_of(recording.exchanges)
    assert places[2].epoch == epoch
    below = [opening.member for opening in places[1].opens if opening.timeline == places[0].timeline]
    assert below == ([] if touches is None else [touches])


def test_law_4_two_spellings_of_a_channel_are_one_timeline_if_an_answer_says_so() -> None:
    unique = MESSAGES.replace(CHANNELS[0], "general")
    shows: dict[str, Any] = {"sid": ONE, "index": 0, "channel_sid": CHANNELS[0]}
    recording = Recording().add("POST", unique, 201, **shows).page((ONE, 0)).add("POST", MESSAGES, 201, sid=TWO)
    assert recording.epochs == [1, 1, 2]
    without = Recording().add("POST", unique, 201, sid=ONE).page((ONE, 0))
    assert without.epochs == [1, 0]


def standing(number: int, method: str, path: str, epoch: int, **below: int) -> Exchange:
    opened = tuple((f"{SERVICE_PATH}/{name}".encode(), at) for name, at in below.items())
    request = Request(method, path.encode())
    return numbered(number, request, Response(200), UPSTREAM, 0, 0, standing=Standing(epoch, opened))


SERVICE_PATH = f"/v1/Services/{SERVICE}"


def test_the_epochs_of_a_canonical_fixture_are_taken_as_they_are() -> None:
    places = places_of(
        [
            standing(1, "POST", SERVICE_PATH, 1, Users=3, Nowhere=4),
            standing(2, "POST", f"{SERVICE_PATH}/Users", 1),
            standing(3, "GET", f"{SERVICE_PATH}/Users", 3),
        ]
    )
    assert [one.epoch for one in places] == [1, 1, 3]
    assert [(one.timeline, one.epoch) for one in places[0].opens] == [(0, 1), (1, 3)]


@pytest.mark.parametrize(("method", "epoch", "least"), [("POST", 1, 2), ("GET", 0, 1), ("POST", 0, 2)])
def test_epochs_that_contradict_each_other_are_refused(method: str, epoch: int, least: int) -> None:
    several = [standing(1, "POST", SERVICE_PATH + "/Users", 1), standing(2, method, SERVICE_PATH + "/Users", epoch)]
    with pytest.raises(CassetteError, match=f"exchange 2 is said to stand in epoch {epoch} .* make it {least} at"):
        places_of(several)


def test_a_second_contest_is_judged_by_the_same_history() -> None:
    recording = Recording().create(ONE).page((ONE, 0), asked=31).page((ONE, 0), asked=31).create(TWO, 1, asked=30)
    assert recording.epochs[0] == 1


def test_law_4_an_answer_that_asks_for_credentials_stands_where_nothing_touches_it() -> None:
    recording = Recording().create(ONE).add("GET", MESSAGES, 401).add("POST", MESSAGES, 401).create(TWO, 1).page()
    recording.exchanges[1:3] = [replace(one, user=NO_CREDENTIALS) for one in recording.exchanges[1:3]]
    assert places_of(recording.exchanges)[1:3] == [Place(UNTOUCHED, COLLECTION, 0)] * 2
    assert recording.epochs == [1, 0, 0, 2, 2]


def test_law_4_an_answer_that_asks_for_credentials_stands_there_whatever_a_fixture_says() -> None:
    recording = Recording().create(ONE).add("GET", MESSAGES, 401)
    recording.exchanges = [
        replace(one, standing=Standing(epoch), user=user)
        for one, epoch, user in zip(recording.exchanges, (5, 0), (None, NO_CREDENTIALS), strict=True)
    ]
    assert recording.epochs == [5, 0]
