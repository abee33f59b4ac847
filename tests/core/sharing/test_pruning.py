import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain
from random import Random

from core.programs import BEGIN, programs
from core.recordings import Given
from core.scenarios import Recording as Scenario
from core.scenarios import Step, exported
from exchanges import as_sent, numbered
from fixture.fixtures import read
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, UPSTREAM

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.engine import Engine
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import (
    NO_CREDENTIALS,
    OTHER_CREDENTIALS,
    Exchange,
    ExchangeNumber,
    RecordedSid,
    Request,
    Response,
    is_read,
)
from chatproxy.core.replay.bindings import Bindings, Choice
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import Sessions
from chatproxy.core.sharing.pruning import Pruning, prune
from chatproxy.core.time.session_clock import SessionClock
from chatproxy.core.time.timestamps import SECOND, Spelling, spell_instant
from chatproxy.core.twilio.sids import replace_sids

RULES = Rules()
SERVICE = f"/v1/Services/IS{'1' * 32}"
CHANNELS = [f"CH{digit * 32}" for digit in "23"]
ACCOUNTS = [f"AC{digit * 32}" for digit in "45"]
KEY = f"SK{'4' * 32}"
MEMBERS = [f"IM{digit * 32}" for digit in "678"]
LIVE = {channel.encode(): f"CH{digit * 32}".encode() for channel, digit in zip(CHANNELS, "ab", strict=True)}


# Recordings and runs


class Recording:
    """Exchanges in the order of their answers; each is asked when the last one was answered, unless it says when."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def add(
        self,
        method: str,
        path: str,
        shows: object = None,
        *,
        early: int = 0,
        status: int = 200,
        user: str | None = None,
        body: bytes = b"Body=a",
    ) -> "Recording":
        number = len(self.exchanges) + 1
        answered = BEGIN + number * SECOND
        asked = answered - SECOND // 2 - early * SECOND
        writes = [one.number for one in self.exchanges if not is_read(one.request.method) and one.answered <= asked]
        request = Request(method, (SERVICE + path).encode(), (FORM,), b"" if is_read(method) else body)
        response = Response(status, b"", (JSON,), json.dumps(shows).encode())
        after = max(writes, default=0)
        self.exchanges.append(numbered(number, request, response, UPSTREAM, asked, answered, after, user))
        return self

    @property
    def cassette(self) -> MemoryCassette:
        return MemoryCassette("tour", self.exchanges, RULES)

    def pruned(self, *unused: int) -> Pruning:
        return prune(self.cassette, map(ExchangeNumber, unused), RULES)


def plan(deleted: tuple[int, ...], needed: tuple[int, ...]) -> Pruning:
    return Pruning(tuple(map(ExchangeNumber, deleted)), tuple(map(ExchangeNumber, needed)))


Client = Callable[[Session, bytes], bytes]
"""What a program sends in place of a recorded SID."""


def run(cassette: MemoryCassette, requests: Iterable[Request], choice: Choice, client: Client) -> list[Response]:
    """Return what a program gets in a new session of its own, whose clock begins with the recording."""
    bindings = Bindings(cassette, choice)
    session = Session(cassette, RULES, clock=SessionClock(BEGIN, stands=True), sids=bindings)
    engine = Engine(UPSTREAM, lambda: BEGIN, sessions=Sessions(lambda name, restarts: session, by_user=False))
    answers = []
    for request in requests:
        target = replace_sids(request.target, lambda sid: client(session, sid))
        answer = engine.on_request(replace(request, target=target))
        assert isinstance(answer, Response)
        answers.append(answer)
    return answers


def served(answers: Iterable[Response]) -> set[int]:
    marks = [value for answer in answers for name, value in answer.headers if name == b"x-chatproxy-exchange"]
    return {int(mark.removeprefix(b"tour/")) for mark in marks}


def without(cassette: MemoryCassette, pruning: Pruning) -> MemoryCassette:
    kept = [cassette.exchange(number) for number in cassette.numbers() if number not in pruning.deleted]
    return MemoryCassette("tour", kept, RULES)


# The laws


PATHS = [
    f"/Channels/{channel}{below}"
    for channel in (*CHANNELS, "general")
    for below in ("", "/Messages", *(f"/Messages/{sid}" for sid in MEMBERS[:2]))
]


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """Answers that show anything, of overlapping requests."""
    recording = Recording()
    for _ in range(draw(st.integers(1, 9))):
        shown = {
            "sid": draw(st.sampled_from([*MEMBERS, *CHANNELS])),
            "channel_sid": draw(st.sampled_from(CHANNELS)),
            "index": draw(st.integers(0, 2)),
            "body": draw(st.sampled_from(["a", "b"])),
            "date_updated": f"2026-01-01T00:00:0{draw(st.integers(0, 9))}Z",
        }
        recording.add(
            draw(st.sampled_from(["GET", "GET", "POST", "POST", "DELETE"])),
            draw(st.sampled_from(PATHS)),
            draw(st.sampled_from([shown, {}, {"meta": {}, "messages": [shown]}])),
            early=draw(st.integers(0, 3)),
            status=draw(st.sampled_from([200, 200, 200, 401, 404, 503])),
            user=draw(st.sampled_from([None, NO_CREDENTIALS, OTHER_CREDENTIALS, *ACCOUNTS, KEY])),
        )
    return recording


overlapping = recordings().map(lambda recording: recording.cassette)
sequential = programs.map(lambda program: MemoryCassette("tour", program.exchanges, RULES))


def requests_of(cassette: MemoryCassette) -> st.SearchStrategy[list[Request]]:
    return st.lists(st.sampled_from([as_sent(cassette.exchange(number)) for number in cassette.numbers()]), max_size=12)


@given(overlapping | sequential, st.data())
def test_law_1_what_the_runs_asked_is_answered_as_before(cassette: MemoryCassette, data: st.DataObject) -> None:
    def programmed(session: Session, sid: bytes) -> bytes:
        return sid

    runs = data.draw(st.lists(requests_of(cassette), max_size=2))
    choice = Choice(recorded=True)
    before = [run(cassette, asked, choice, programmed) for asked in runs]
    unused = set(cassette.numbers()) - set().union(*map(served, before))
    pruning = prune(cassette, unused, RULES)
    assert {*pruning.deleted, *pruning.needed} == unused
    after = [run(without(cassette, pruning), asked, choice, programmed) for asked in runs]
    for one, other in zip(map(untimed, chain(*before)), map(untimed, chain(*after)), strict=True):
        assert one == other or (one.status, other.status) == (424, 424)


def untimed(answer: Response) -> Response:
    """Return an answer without its times: the ranks that nothing kept shows are gone."""
    return replace(answer, body=re.sub(rb"20..-..-..T..:..:..Z", b"*", answer.body))


def canonical(answers: list[Response]) -> list[tuple[int, bytes, list[bytes]]]:
    """Return what came back, each SID by its first appearance."""
    numbers: dict[bytes, bytes] = {}

    def number(sid: bytes) -> bytes:
        return numbers.setdefault(sid, b"%d" % len(numbers))

    return [
        (answer.status, replace_sids(untimed(answer).body, number), [value for _, value in answer.headers])
        for answer in answers
    ]


@given(overlapping | sequential, st.data())
def test_law_3_a_program_with_sids_of_its_own_is_answered_as_before(
    cassette: MemoryCassette, data: st.DataObject
) -> None:
    live = {sid: other for sid, other in LIVE.items() if data.draw(st.booleans())}

    def programmed(session: Session, sid: bytes) -> bytes:
        known = session.cassette.numbered(sid)
        return live.get(sid) or (sid if known is None or known.is_known else session.sids.to_live(RecordedSid(sid)))

    asked = data.draw(requests_of(cassette))
    answers = run(cassette, asked, Choice(), programmed)
    hits = [request for request, answer in zip(asked, answers, strict=True) if answer.status != 424]
    before = run(cassette, hits, Choice(), programmed)
    pruning = prune(cassette, set(cassette.numbers()) - served(before), RULES)
    after = run(without(cassette, pruning), hits, Choice(), programmed)
    assert canonical(after) == canonical(before)


# Examples

CHANNEL, OTHER = CHANNELS
LIST, ONE, TWO = f"/Channels/{CHANNEL}/Messages", *(f"/Channels/{CHANNEL}/Messages/{sid}" for sid in MEMBERS[:2])


def test_what_nothing_stands_on_is_deleted() -> None:
    recording = Recording().add("GET", LIST).add("POST", LIST).add("GET", LIST).add("GET", LIST).add("POST", LIST)
    assert recording.pruned(3, 5) == plan((3, 5), ())
    assert recording.pruned() == plan((), ())
    assert recording.pruned(4, 99) == plan((4,), ())


def test_law_2_a_write_stays_if_something_kept_needs_that_it_is_done() -> None:
    recording = Recording().add("GET", LIST).add("POST", LIST).add("POST", LIST).add("GET", LIST).add("POST", LIST)
    assert recording.pruned(2, 3, 5) == plan((5,), (2, 3))
    assert recording.pruned(2, 3, 4, 5) == plan((2, 3, 4, 5), ())
    assert recording.pruned(1, 2, 4) == plan((2, 4), (1,))  # the recording begins with 1, and siblings need no other


def test_law_3_a_create_that_tells_of_the_upstreams_clock_when_the_recording_began_stays() -> None:
    created = spell_instant(BEGIN + 60 * SECOND, Spelling(0)).decode()
    made = {"sid": MEMBERS[0], "date_created": created, "date_updated": created}
    recording = Recording().add("GET", LIST).add("GET", LIST).add("POST", LIST, made, status=201)
    assert recording.pruned(2, 3) == plan((2,), (3,))


def test_law_2_a_sibling_that_nothing_kept_shows_is_deleted() -> None:
    recording = Recording().add("POST", LIST, {"sid": MEMBERS[0]}, status=201)
    recording.add("POST", LIST, {"sid": MEMBERS[1]}, status=201).add("GET", TWO).add("POST", TWO)
    recording.add("DELETE", ONE, status=204)
    assert recording.pruned(5) == plan((5,), ())
    assert recording.pruned(2, 3, 4, 5) == plan((2, 3, 4, 5), ())
    assert recording.pruned(2, 4, 5) == plan((4, 5), (2,))


def test_law_2_a_create_keeps_what_was_done_to_what_had_its_unique_value() -> None:
    members = f"/Channels/{CHANNEL}/Members"
    recording = Recording().add("GET", LIST)
    recording.add("POST", members, {"sid": "MB" + "1" * 32}, status=201, body=b"Identity=a")
    recording.add("POST", members, {"sid": "MB" + "2" * 32}, status=201, body=b"Identity=b")
    recording.add("DELETE", f"{members}/MB{'1' * 32}", status=204)
    recording.add("POST", members, {"sid": "MB" + "3" * 32}, status=201, body=b"Identity=a")
    assert recording.pruned(2, 3, 4) == plan((3,), (2, 4))


def test_law_2_what_is_shown_though_it_was_answered_later_stays() -> None:
    exchanges = Recording().add("GET", LIST).add("GET", LIST).add("POST", LIST).exchanges
    early = Given(changes={2: lambda one: one._replace(with_=(ExchangeNumber(3),))})
    cassette = MemoryCassette("tour", exchanges, RULES, learnt=early)
    assert ExchangeNumber(3) in prune(cassette, [ExchangeNumber(3)], RULES).needed


def test_law_2_a_write_that_was_refused_is_deleted() -> None:
    recording = Recording().add("GET", LIST).add("POST", LIST, status=400).add("GET", LIST)
    assert recording.pruned(2) == plan((2,), ())


def test_law_2_a_write_stays_if_an_owner_that_shows_counts_of_it_is_kept() -> None:
    owner = f"/Channels/{CHANNEL}"
    recording = Recording().add("GET", owner).add("POST", LIST).add("GET", owner)
    assert recording.pruned(2) == plan((), (2,))
    assert recording.pruned(2, 3) == plan((2, 3), ())
    assert Recording().add("GET", LIST).add("POST", owner).add("GET", LIST).pruned(2) == plan((2,), ())


def test_law_3_a_given_sid_does_not_become_known() -> None:
    recording = Recording().add("GET", LIST).add("GET", LIST, {"last_sid": MEMBERS[0]}).add("GET", ONE)
    assert recording.pruned(2) == plan((), (2,))
    assert recording.pruned(2, 3) == plan((2, 3), ())


def test_law_3_a_known_sid_stays_known() -> None:
    recording = Recording().add("GET", LIST).add("GET", ONE).add("GET", LIST, {"last_sid": MEMBERS[0]})
    assert recording.pruned(2) == plan((), (2,))
    assert recording.pruned(3) == plan((3,), ())


def test_law_3_known_sids_come_in_the_order_in_which_they_came() -> None:
    recording = Recording().add("GET", "").add("GET", f"/Channels/{CHANNEL}")
    recording.add("GET", f"/Channels/{OTHER}/Messages").add("GET", LIST)
    assert recording.pruned(2) == plan((), (2,))
    assert recording.pruned(2, 3) == plan((2, 3), ())
    assert recording.pruned(2, 4) == plan((2, 4), ())


def test_law_3_the_account_stays_the_one_that_recorded_first() -> None:
    one, other = ACCOUNTS
    recording = (
        Recording().add("GET", "", {"account_sid": other}).add("GET", LIST, user=one).add("GET", ONE, user=other)
    )
    assert recording.cassette.account == one.encode()
    assert recording.pruned(2) == plan((), (2,))
    assert recording.pruned(2, 3) == plan((3,), (2,))


def test_law_3_the_account_stays_the_one_that_was_seen_first_where_nobody_gave_one() -> None:
    one, other = ACCOUNTS
    shows = [{"account_sid": one}, {"account_sid": other}]
    recording = Recording().add("GET", "").add("GET", LIST, shows[0]).add("GET", ONE, shows[1])
    assert recording.cassette.account == one.encode()
    assert recording.pruned(2) == plan((), (2,))


def test_law_3_what_began_the_recording_stays_unless_what_follows_came_in_the_same_second() -> None:
    recording = Recording().add("GET", LIST).add("GET", TWO).add("GET", ONE)
    assert recording.pruned(1) == plan((), (1,))
    recording.exchanges[1] = replace(recording.exchanges[1], answered=recording.exchanges[0].answered)
    recording.exchanges[1] = replace(recording.exchanges[1], asked=recording.exchanges[0].asked)
    assert recording.pruned(1) == plan((1,), ())


def test_law_3_a_read_stays_that_tells_where_another_stands() -> None:
    recording = Recording().add("POST", LIST, {"sid": MEMBERS[0], "body": "a"})
    recording.add("GET", ONE, {"sid": MEMBERS[0], "body": "b"})
    recording.add("GET", ONE, {"sid": MEMBERS[0], "body": "b"}, early=0)
    recording.add("GET", ONE, {"sid": MEMBERS[0], "body": "b"}, early=1)
    recording.add("POST", ONE, {"sid": MEMBERS[0], "body": "b"}, early=2)
    whole = recording.cassette
    pruning = recording.pruned(2, 3)
    again = without(whole, pruning)
    for number in map(ExchangeNumber, (1, 4, 5)):
        assert again.standing(number) == whole.standing(number)


def test_law_3_where_another_collection_tells_which_channel_is_which_all_stays() -> None:
    recording = Recording().add("GET", LIST)
    recording.add("GET", "/Channels/general/Members", {"sid": MEMBERS[0], "channel_sid": CHANNEL})
    recording.add("GET", LIST).add("DELETE", "/Channels/general", status=204)
    assert recording.pruned(2) == plan((), (2,))


def test_law_3_two_places_stay_two() -> None:
    recording = Recording().add("GET", LIST, {"sid": MEMBERS[0]})
    recording.add("GET", "/Channels/general/Messages", {"sid": MEMBERS[0], "channel_sid": CHANNEL})
    recording.add("GET", f"/Channels/{OTHER}/Messages")
    recording.add("GET", "/Channels/general/Messages", {"sid": MEMBERS[0], "channel_sid": OTHER})
    assert recording.pruned(2) == plan((), (2,))


def test_law_3_a_write_in_another_timeline_goes_though_it_set_an_instant_that_is_kept() -> None:
    shows = {"sid": MEMBERS[0], "date_created": "2026-01-01T00:00:02Z"}
    recording = Recording().add("GET", "").add("POST", LIST, shows).add("GET", f"/Channels/{OTHER}/Messages", shows)
    third = ExchangeNumber(3)
    assert recording.cassette.reply(third) != without(recording.cassette, plan((2,), ())).reply(third)
    assert recording.pruned(2) == plan((2,), ())


def test_of_a_cassette_that_nothing_was_served_of_only_what_it_is_known_by_stays() -> None:
    assert Recording().add("GET", LIST).add("GET", ONE).pruned(1, 2) == plan((2,), (1,))
    assert Recording().pruned(1) == plan((), ())


def test_a_canonical_cassette_keeps_its_states_and_what_it_declares() -> None:
    scenario: list[list[Step]] = [
        [("create", 0, "Body=a")],
        [("create", 1, "Body=b")],
        [("fetch", 0, ""), ("list", 0, "")],
        [("update", 0, "Body=c")],
        [("list", 1, "")],
    ]
    document = read(exported(Scenario(Random(1)).run(scenario).cassette()))
    cassette = MemoryCassette("a", document.exchanges, RULES, document.declared)
    reads = frozenset(number for number in cassette.order() if is_read(cassette.exchange(number).request.method))
    last = max(cassette.order())
    assert prune(cassette, reads - {last}, RULES) == plan(tuple(sorted(reads - {last})), ())
    kept = [one for one in cassette if one.number not in reads - {last}]
    left = MemoryCassette("a", kept, RULES, document.declared)
    for one in kept:
        assert left.standing(one.number) == cassette.standing(one.number)
    assert left.numbered(b"CH" + b"0" * 31 + b"2") == cassette.numbered(b"CH" + b"0" * 31 + b"2")


def test_law_4_of_equal_requests_of_several_users_one_of_each_stays_and_one_of_each_other_user() -> None:
    one, other = ACCOUNTS
    recording = Recording().add("GET", LIST, user=one).add("GET", LIST, user=KEY).add("GET", LIST, user=KEY)
    recording.add("GET", ONE, user=other).add("GET", TWO, user=other)
    assert recording.pruned(2, 3, 4, 5) == plan((3, 5), (2, 4))
    assert recording.pruned(1, 2, 3, 4) == plan((3, 4), (1, 2))  # the recording begins with 1
    unused = Recording().add("GET", "", user=one).add("GET", LIST, user=one).add("GET", LIST, user=KEY)
    assert unused.pruned(2, 3) == plan((2, 3), ())


def test_law_4_what_was_recorded_without_credentials_is_told_apart_only_where_others_are_not_known() -> None:
    one, _ = ACCOUNTS
    first = Recording().add("GET", "", user=one)
    refused = first.add("GET", LIST, status=401, user=NO_CREDENTIALS).add("GET", LIST, user=one)
    assert refused.pruned(2) == plan((2,), ())
    unknown = Recording().add("GET", "").add("GET", LIST, user=NO_CREDENTIALS).add("GET", LIST)
    assert unknown.pruned(2) == plan((), (2,))
