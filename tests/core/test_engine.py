import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from random import Random

import pytest
from exchanges import numbered
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, MESSAGES, ORIGIN, UPSTREAM, basic, requests, twilio_responses

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.engine import Engine
from chatproxy.core.errors import CassetteError, ChatproxyError, MissError, RequestError, UpstreamError
from chatproxy.core.http.headers import end_to_end
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import (
    NO_CREDENTIALS,
    NO_EXCHANGE,
    OTHER_CREDENTIALS,
    Exchange,
    ExchangeNumber,
    Forward,
    Request,
    Response,
    is_read,
)
from chatproxy.core.record.recorder import Recorder
from chatproxy.core.replay.bindings import Bindings, Choice
from chatproxy.core.replay.rendered import Rendered, Repeat
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import SESSION, Sessions
from chatproxy.core.scrubbing.rules import Action, LooksAt, Scrub, ScrubRule
from chatproxy.core.time.timestamps import instant

RULES = Rules()
BODY = b'{"url": "https://chat.twilio.com/v1/x", "body": "https://chat.twilio.com"}'
TURNED = BODY.replace(b"https://chat.twilio.com/v1", ORIGIN.encode() + b"/v1")
ANSWER = Response(200, b"Fine", (JSON, (b"Location", b"https://chat.twilio.com/v1/x")), BODY)
OTHER_CHANNEL = MESSAGES.replace(b"CH2", b"CH3")


def get(target: bytes = MESSAGES) -> Request:
    return Request("GET", target, origin=ORIGIN)


def post(body: bytes = b"Body=a", target: bytes = MESSAGES) -> Request:
    return Request("POST", target, (FORM,), body, origin=ORIGIN)


def exchange(number: int, request: Request, response: Response = ANSWER) -> Exchange:
    return numbered(number, request, response, UPSTREAM, number, number)


def sessions(*recorded: Request) -> Sessions:
    return sessions_of([exchange(number, request) for number, request in enumerate(recorded, 1)])


def sessions_of(exchanges: list[Exchange]) -> Sessions:
    cassette = MemoryCassette("tour", exchanges, RULES)
    return Sessions(lambda name, restarts: Session(cassette, RULES, name, restarts))


def ticking() -> Callable[[], int]:
    return count(100).__next__


def forwarded(engine: Engine, request: Request) -> Forward:
    decision = engine.on_request(request)
    assert isinstance(decision, Forward)
    return decision


def kept(engine: Engine, request: Request) -> None:
    """Let a request be answered, and what is recorded of it be kept."""
    forward = forwarded(engine, request)
    _, exchange = engine.on_response(forward, ANSWER)
    if exchange:
        engine.on_kept(forward, exchange)


def answered(engine: Engine, request: Request) -> Response:
    decision = engine.on_request(request)
    assert isinstance(decision, Response)
    return decision


def marks(response: Response) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in response.headers if name.startswith(b"x-chatproxy-")}


# Replay: sessions and no recorder


def test_a_session_begins_anew_when_all_writes_are_done_and_only_a_new_one_can_answer() -> None:
    cassette = MemoryCassette("tour", [exchange(1, get()), exchange(2, post()), exchange(3, post(b"Body=b"))], RULES)
    again = Sessions(lambda name, restarts: Session(cassette, RULES, name, restarts), restart=True)
    engine = Engine(UPSTREAM, ticking(), sessions=again)

    def outcome(request: Request) -> str:
        found = marks(answered(engine, request))
        return found.get("x-chatproxy-exchange", found["x-chatproxy-outcome"])

    assert [outcome(request) for request in (get(), post(), post(), get())] == ["tour/1", "tour/2", "miss", "miss"]
    assert again.restarts("default") == 0
    assert [outcome(request) for request in (post(b"Body=b"), get(), post())] == ["tour/3", "tour/1", "tour/2"]
    assert [outcome(request) for request in (post(b"Body=b"), post(b"Body=c"))] == ["tour/3", "miss"]
    assert (again.restarts("default"), [one.restarts for one in again]) == (1, [1])


def test_law_13_a_hit_is_served_as_recorded_and_says_which_exchange_it_is() -> None:
    engine = Engine(UPSTREAM, ticking(), sessions=sessions(post(), get()))
    answered(engine, post())
    answer = answered(engine, get())
    assert (answer.status, answer.reason) == (200, b"Fine")
    assert answer.headers[:1] == (JSON,)
    assert marks(answer) == {"x-chatproxy-outcome": "hit", "x-chatproxy-exchange": "tour/2"}


def test_law_10_a_hit_has_the_address_that_the_client_used() -> None:
    answer = answered(Engine(UPSTREAM, ticking(), sessions=sessions(get())), get())
    assert answer.body == TURNED
    assert answer.headers[1] == (b"Location", ORIGIN.encode() + b"/v1/x")


def test_law_10_urls_can_be_kept() -> None:
    answer = answered(Engine(UPSTREAM, ticking(), sessions=sessions(get()), keep_urls=True), get())
    assert (answer.body, answer.headers[:2]) == (ANSWER.body, ANSWER.headers)
    assert marks(answer) == {"x-chatproxy-outcome": "hit", "x-chatproxy-exchange": "tour/1"}


def test_law_12_a_miss_is_a_424_in_twilios_error_json_with_the_reason() -> None:
    misses: list[MissError] = []
    engine = Engine(UPSTREAM, ticking(), sessions=sessions(post(b"Body=b")), on_miss=misses.append)
    answer = answered(engine, post())
    assert (answer.status, answer.reason) == (424, b"Failed Dependency")
    assert answer.headers[0] == (b"Content-Type", b"application/json; charset=utf-8")
    assert json.loads(answer.body) == {"code": 424, "message": str(misses[0]), "status": 424}
    assert str(misses[0]).startswith(
        f"POST {MESSAGES.decode()}: never recorded; nearest is tour/1, where form field 'Body'"
    )
    assert marks(answer) == {"x-chatproxy-outcome": "miss"}


def test_law_12_a_miss_shows_values_as_they_were_sent_on_one_line_and_no_command() -> None:
    misses: list[MissError] = []
    engine = Engine(UPSTREAM, ticking(), sessions=sessions(post(b"Body=a")), on_miss=misses.append)
    answer = answered(engine, post(b"Body=%26+100%25%0A::error::%23%23%5Berror%5D"))
    assert str(misses[0]).endswith(r"'Body' is 'a' where this has '& 100%\n::error::\u0023#[error]'")
    assert json.loads(answer.body)["message"] == str(misses[0])


def test_law_2_a_miss_shows_no_secret() -> None:
    misses: list[MissError] = []
    engine = Engine(UPSTREAM, ticking(), sessions=sessions(get()), on_miss=misses.append)
    headers = (FORM, basic(b"me", b"password-of-today"))
    target = MESSAGES + b"?a=password-of-today"
    answer = answered(engine, Request("GET", target, headers, b"Body=password%2Dof%2Dtoday"))
    assert b"__blanked__" in answer.body
    assert "password" not in str(misses[0])
    assert b"password" not in answer.body


def test_law_12_one_write_more_than_recorded_is_a_miss_that_says_so() -> None:
    engine = Engine(UPSTREAM, ticking(), sessions=sessions(post(), post()))
    outcomes = [marks(answered(engine, post())).get("x-chatproxy-exchange") for _ in range(3)]
    assert outcomes == ["tour/1", "tour/2", None]
    assert b"all 2 recorded answers are used" in answered(engine, post()).body


def test_a_miss_that_follows_from_another_says_so_in_its_reason_and_in_the_journal() -> None:
    engine = Engine(UPSTREAM, ticking(), sessions=sessions(post(), get()))
    headers = (FORM, basic(b"me", b"password-of-today"))
    secret = Request("POST", MESSAGES + b"?a=password-of-today", headers, b"Body=x")
    answers = [answered(engine, request) for request in (secret, get(), get())]
    cause = f"POST {MESSAGES.decode()}?a=__blanked__"
    assert [f"; follows from the miss of {cause}".encode() in answer.body for answer in answers] == [False, True, True]
    assert entries(engine, "follows") == [[None], [cause], [cause]]
    assert engine.journal.total.following == 2
    assert [kind.follows for kind in engine.journal.total.misses] == [None, cause]


def test_reads_repeat_the_last_recorded_answer() -> None:
    engine = Engine(UPSTREAM, ticking(), sessions=sessions(get(), get()))
    numbers = [marks(answered(engine, get()))["x-chatproxy-exchange"] for _ in range(4)]
    assert numbers == ["tour/1", "tour/2", "tour/2", "tour/2"]


def test_outcomes_are_counted() -> None:
    engine = Engine(UPSTREAM, ticking(), sessions=sessions(get()))
    for request in (get(), get(), post()):
        engine.on_request(request)
    assert engine.counts == {"hit": 2, "miss": 1}


# Record: a recorder and no sessions


def test_recording_forwards_everything_with_its_moment() -> None:
    engine = Engine(UPSTREAM, ticking(), recorder=Recorder("tour", UPSTREAM))
    assert forwarded(engine, get()) == Forward(get(), asked=100, after=NO_EXCHANGE)
    assert forwarded(engine, get()) == Forward(get(), asked=101, after=NO_EXCHANGE)


def test_an_answer_is_kept_raw_and_turned_for_the_client() -> None:
    engine = Engine(UPSTREAM, ticking(), recorder=Recorder("tour", UPSTREAM))
    answer, kept = engine.on_response(forwarded(engine, get()), ANSWER)
    assert kept == numbered(1, get(), ANSWER, UPSTREAM, asked=100, answered=101, user=NO_CREDENTIALS)
    assert answer.body == TURNED
    assert marks(answer) == {"x-chatproxy-outcome": "recorded", "x-chatproxy-exchange": "tour/1"}


@pytest.mark.parametrize("recorder", [None, Recorder("tour", UPSTREAM)])
@pytest.mark.parametrize(
    "answer",
    [replace(ANSWER, status=101), replace(ANSWER, reason=b"\0"), replace(ANSWER, headers=((b"X-A", b"\x1b"),))],
)
def test_an_answer_that_cannot_be_taken_is_neither_recorded_nor_passed_on(
    recorder: Recorder | None, answer: Response
) -> None:
    engine = Engine(UPSTREAM, ticking(), recorder=recorder)
    with pytest.raises(UpstreamError):
        engine.on_response(forwarded(engine, get()), answer)
    assert (engine.counts, engine.journal.count) == ({}, 0)


def test_what_is_not_on_disk_is_neither_counted_nor_noted_as_recorded() -> None:
    engine = Engine(UPSTREAM, ticking(), recorder=Recorder("tour", UPSTREAM))
    engine.on_response(forwarded(engine, get()), ANSWER)
    assert (engine.counts, engine.journal.count) == ({}, 0)
    engine.on_error(CassetteError("store", "the disk is full"), get())
    kept(engine, get())
    assert engine.counts == {"error": 1, "recorded": 1}
    assert entries(engine, "outcome", "exchange") == [["error", None], ["recorded", 2]]


def test_a_write_that_auto_could_not_keep_is_none_that_others_come_after() -> None:
    engine = auto(post(), get())
    answered(engine, post())
    engine.on_response(forwarded(engine, post(b"Body=lost")), ANSWER)
    assert forwarded(engine, get()).after == 0
    kept(engine, post(b"Body=kept"))
    assert forwarded(engine, get()).after == 4


def test_law_10_urls_can_be_kept_when_recording_too() -> None:
    engine = Engine(UPSTREAM, ticking(), recorder=Recorder("tour", UPSTREAM), keep_urls=True)
    answer, _ = engine.on_response(forwarded(engine, get()), ANSWER)
    assert answer.body == BODY


def test_law_5_numbers_follow_answers_and_after_is_the_last_write_answered_when_the_request_came() -> None:
    engine = Engine(UPSTREAM, ticking(), recorder=Recorder("tour", UPSTREAM, first=ExchangeNumber(5)))
    early, late = forwarded(engine, post(b"Body=early")), forwarded(engine, post(b"Body=late"))
    _, first = engine.on_response(late, ANSWER)
    between = forwarded(engine, get())
    _, second = engine.on_response(early, ANSWER)
    _, third = engine.on_response(between, ANSWER)
    assert first
    assert second
    assert third
    assert [one.number for one in (first, second, third)] == [5, 6, 7]
    assert [one.after for one in (first, second, third)] == [0, 0, 5]
    assert first.request.body == b"Body=late"
    assert forwarded(engine, get()).after == 6


# Passthrough: neither


def test_passing_through_keeps_nothing() -> None:
    engine = Engine(UPSTREAM, ticking())
    answer, kept = engine.on_response(forwarded(engine, post()), ANSWER)
    assert kept is None
    assert answer.body == TURNED
    assert marks(answer) == {"x-chatproxy-outcome": "passed"}


# Auto: both


def auto(*recorded: Request) -> Engine:
    recorder = Recorder("tour", UPSTREAM, first=ExchangeNumber(len(recorded) + 1))
    return Engine(UPSTREAM, ticking(), sessions=sessions(*recorded), recorder=recorder)


def test_auto_replays_what_is_recorded_and_records_what_is_missing() -> None:
    engine = auto(get())
    assert marks(answered(engine, get()))["x-chatproxy-outcome"] == "hit"
    answer, kept = engine.on_response(forwarded(engine, get(OTHER_CHANNEL)), ANSWER)
    assert marks(answer) == {"x-chatproxy-outcome": "recorded", "x-chatproxy-exchange": "tour/2"}
    assert kept


def test_auto_a_missing_read_leaves_its_place_to_the_recording() -> None:
    engine = auto(get())
    forwarded(engine, get(MESSAGES + b"?Page=1"))
    assert marks(answered(engine, get()))["x-chatproxy-exchange"] == "tour/1"


def refused(engine: Engine, request: Request, status: int = 401) -> None:
    """Let a request be answered with an error by the upstream, and what is recorded of it be kept."""
    forward = forwarded(engine, request)
    _, exchange = engine.on_response(forward, Response(status))
    assert exchange
    engine.on_kept(forward, exchange)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
def test_auto_a_write_that_the_upstream_refused_changed_nothing(status: int) -> None:
    engine = auto(get(), post())
    refused(engine, post(b"Body=new"), status)
    assert marks(answered(engine, get()))["x-chatproxy-exchange"] == "tour/1"
    assert marks(answered(engine, post()))["x-chatproxy-exchange"] == "tour/2"


@pytest.mark.parametrize("status", [200, 201, 304, 500, 503])
def test_auto_a_write_that_may_have_been_done_has_changed_its_place(status: int) -> None:
    engine = auto(get())
    refused(engine, post(b"Body=new"), status)
    assert forwarded(engine, get()).request == get()


def test_auto_a_refused_write_leaves_live_what_another_has_changed() -> None:
    engine = auto(get())
    kept(engine, post(b"Body=new"))
    refused(engine, post(b"Body=newer"))
    assert forwarded(engine, get()).request == get()


def test_auto_a_write_refused_after_its_session_began_anew_leaves_live_what_the_new_one_has_changed() -> None:
    before = sessions(get())
    engine = Engine(UPSTREAM, ticking(), sessions=before, recorder=Recorder("tour", UPSTREAM, first=ExchangeNumber(2)))
    forward = forwarded(engine, post(b"Body=new"))
    before.end_all()
    kept(engine, post(b"Body=newer"))
    _, exchange = engine.on_response(forward, Response(401))
    assert exchange is not None
    engine.on_kept(forward, exchange)
    assert forwarded(engine, get()).request == get()


def test_auto_a_request_for_credentials_that_is_not_recorded_changes_nothing() -> None:
    account = "AC" + "1" * 32
    recorder = Recorder("tour", UPSTREAM, first=ExchangeNumber(2))
    sessions = sessions_of([replace(exchange(1, get()), user=account)])
    engine = Engine(UPSTREAM, ticking(), sessions=sessions, recorder=recorder)
    for request in (get(), post(), post(b"Body=new"), post()):
        refused(engine, request)
    sent = replace(get(), headers=(basic(account.encode(), b"x"), (SESSION, b"default")))
    assert marks(answered(engine, sent))["x-chatproxy-exchange"] == "tour/1"


def test_auto_a_recorded_request_for_credentials_is_answered_after_a_write_at_the_upstream() -> None:
    challenge = replace(exchange(1, get(), Response(401)), user=NO_CREDENTIALS)
    account = replace(exchange(2, get()), user="AC" + "1" * 32)
    recorder = Recorder("tour", UPSTREAM, first=ExchangeNumber(3))
    engine = Engine(UPSTREAM, ticking(), sessions=sessions_of([challenge, account]), recorder=recorder)
    kept(engine, post(b"Body=new"))
    assert marks(answered(engine, get()))["x-chatproxy-exchange"] == "tour/1"
    forwarded(engine, replace(get(), headers=(basic(b"AC" + b"1" * 32, b"x"), (SESSION, b"default"))))


# Sessions and the journal


def within(session: bytes, request: Request) -> Request:
    return replace(request, headers=((SESSION, session), *request.headers))


_TRAFFIC = st.lists(st.sampled_from([get(), post(), post(b"Body=b"), get(OTHER_CHANNEL)]), max_size=8)


@given(_TRAFFIC, _TRAFFIC, st.randoms(use_true_random=False))
def test_law_6_any_interleaving_of_two_sessions_gives_each_the_answers_that_it_gets_alone(
    one: list[Request], other: list[Request], order: Random
) -> None:
    recorded = (get(), post(), get(), post(), post(b"Body=b"))
    engine = Engine(UPSTREAM, ticking(), sessions=sessions(*recorded))
    left = {b"one": list(one), b"other": list(other)}
    got: dict[bytes, list[object]] = {b"one": [], b"other": []}
    while names := sorted(name for name, asked in left.items() if asked):
        name = order.choice(names)
        got[name].append(engine.on_request(within(name, left[name].pop(0))))
    for name, asked in ((b"one", one), (b"other", other)):
        alone = Engine(UPSTREAM, ticking(), sessions=sessions(*recorded))
        assert got[name] == [alone.on_request(within(name, request)) for request in asked]


def test_a_session_with_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(RequestError, match="is no name for a session"):
        Engine(UPSTREAM, ticking(), sessions=sessions(get())).on_request(within(b"a b", get()))


def entries(engine: Engine, *names: str) -> list[list[object]]:
    return [[entry[name] for name in names] for entry in engine.journal.entries()]


def test_the_journal_notes_hits_and_misses_with_their_session() -> None:
    engine = Engine(UPSTREAM, ticking(), sessions=sessions(get()))
    engine.on_request(within(b"mine", get()))
    engine.on_request(post())
    assert entries(engine, "session", "method", "outcome", "status", "exchange") == [
        ["mine", "GET", "hit", 200, 1],
        ["default", "POST", "miss", 424, None],
    ]
    reason = engine.journal.entries()[1]["reason"]
    assert str(reason).startswith("never recorded")


def test_the_journal_notes_what_is_recorded_and_passed() -> None:
    for recorder, outcome, number in ((Recorder("tour", UPSTREAM), "recorded", 1), (None, "passed", None)):
        engine = Engine(UPSTREAM, ticking(), recorder=recorder)
        kept(engine, get())
        assert entries(engine, "session", "outcome", "status", "exchange") == [[None, outcome, 200, number]]


def test_the_journal_of_auto_names_its_session() -> None:
    engine = auto(get())
    kept(engine, post())
    assert entries(engine, "session", "outcome", "exchange") == [["default", "recorded", 2]]


def test_the_journal_notes_errors_of_requests_that_could_be_read() -> None:
    engine = Engine(UPSTREAM, ticking())
    engine.on_error(RequestError(400, "it is no HTTP"))
    engine.on_error(UpstreamError(502, "it is gone"), get())
    assert entries(engine, "outcome", "status", "reason") == [["error", 502, "it is gone"]]
    assert engine.counts == {"error": 2}


@pytest.mark.parametrize("mode", ["replay", "record", "passthrough", "auto"])
def test_law_2_the_journal_holds_no_secret(mode: str) -> None:
    recorder = Recorder("tour", UPSTREAM, first=ExchangeNumber(2)) if mode in {"record", "auto"} else None
    held = sessions(get()) if mode in {"replay", "auto"} else None
    engine = Engine(UPSTREAM, ticking(), sessions=held, recorder=recorder)
    headers = (FORM, basic(b"me", b"password-of-today"))
    for target in (MESSAGES, MESSAGES + b"?a=password-of-today"):
        request = Request("GET", target, headers, b"Body=password%2Dof%2Dtoday")
        decision = engine.on_request(request)
        if isinstance(decision, Forward):
            _, exchange = engine.on_response(decision, ANSWER)
            if exchange:
                engine.on_kept(decision, exchange)
        error = engine.on_error(UpstreamError(502, "no password-of-today"), request)
        assert b"no __blanked__" in error.body
    shown = json.dumps(engine.journal.entries()) + repr(engine.journal.tallies)
    assert "__blanked__" in shown
    assert "password" not in shown


# Errors


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (ChatproxyError("x"), 500, b"Internal Server Error"),
        (RequestError(400, "x"), 400, b"Bad Request"),
        (RequestError(413, "x"), 413, b"Request Entity Too Large"),
        (RequestError(431, "x"), 431, b"Request Header Fields Too Large"),
        (UpstreamError(502, "x"), 502, b"Bad Gateway"),
        (UpstreamError(504, "x"), 504, b"Gateway Timeout"),
    ],
)
def test_law_13_what_goes_wrong_is_answered_in_twilios_error_json(
    error: ChatproxyError, status: int, reason: bytes
) -> None:
    engine = Engine(UPSTREAM, ticking())
    answer = engine.on_error(error)
    assert answer.status == status
    assert answer.reason.lower() == reason.lower() or status == 413
    assert json.loads(answer.body) == {"code": status, "message": "x", "status": status}
    assert marks(answer) == {"x-chatproxy-outcome": "error"}
    assert engine.counts == {"error": 1}


# What is recorded replays


@given(st.lists(st.tuples(requests, twilio_responses), max_size=6))
def test_law_9_whatever_is_recorded_replays_in_its_order(traffic: list[tuple[Request, Response]]) -> None:
    recording = Engine(UPSTREAM, ticking(), recorder=Recorder("tour", UPSTREAM))
    kept, given = [], []
    for request, response in traffic:
        answer, one = recording.on_response(forwarded(recording, request), response)
        assert one
        kept.append(one)
        given.append(answer)
    replay = Engine(UPSTREAM, ticking(), sessions=sessions_of(kept))
    for (request, _), live in zip(traffic, given, strict=True):
        answer = answered(replay, request)
        assert (answer.status, answer.reason, answer.body) == (live.status, live.reason, live.body)
        assert end_to_end(answer.headers) == end_to_end(live.headers)
        assert marks(answer)["x-chatproxy-exchange"] == marks(live)["x-chatproxy-exchange"]
    for request, _ in traffic:
        if not is_read(request.method):
            assert marks(answered(replay, request))["x-chatproxy-outcome"] == "miss"


def test_what_auto_records_stands_after_all_that_was_recorded_before() -> None:
    recorder = Recorder("tour", UPSTREAM, first=ExchangeNumber(3), last_write=ExchangeNumber(1))
    engine = Engine(UPSTREAM, ticking(), sessions=sessions(post(), get()), recorder=recorder)
    assert answered(engine, post()).status == 200
    assert forwarded(engine, get(MESSAGES + b"?Page=1")).after == 1
    kept(engine, post(b"Body=new"))
    assert forwarded(engine, get()).after == 3


def test_auto_asks_the_upstream_only_if_all_that_it_has_behind_it_is_done() -> None:
    recorder = Recorder("tour", UPSTREAM, first=ExchangeNumber(4))
    misses: list[MissError] = []
    before = sessions(post(), post(target=OTHER_CHANNEL), post(b"Body=late"))
    engine = Engine(UPSTREAM, ticking(), sessions=before, recorder=recorder, on_miss=misses.append)
    assert marks(answered(engine, get())) == {"x-chatproxy-outcome": "miss"}
    assert misses[0].reason.startswith("not recorded, and not put to the upstream, which has tour/1 POST")
    assert answered(engine, post()).status == 200
    assert marks(answered(engine, get())) == {"x-chatproxy-outcome": "miss"}
    assert "which has tour/3 POST" in misses[1].reason
    assert answered(engine, post(b"Body=late")).status == 200
    assert isinstance(forwarded(engine, get()), Forward)
    assert entries(engine, "outcome", "in_doubt") == [["miss", None], ["hit", None], ["miss", None], ["hit", None]]


def test_auto_puts_what_its_own_write_touches_to_the_upstream_once_all_that_is_behind_it_is_done() -> None:
    recorder, misses = Recorder("tour", UPSTREAM, first=ExchangeNumber(3)), list[MissError]()
    engine = Engine(UPSTREAM, ticking(), sessions=sessions(get(), post()), recorder=recorder, on_miss=misses.append)
    assert answered(engine, get()).status == 200
    kept(engine, post(b"Body=new"))
    assert marks(answered(engine, get()))["x-chatproxy-outcome"] == "miss"
    assert misses[0].reason.startswith("changed by this run, and not put to the upstream, which has tour/2 POST")
    assert marks(answered(engine, post()))["x-chatproxy-exchange"] == "tour/2"
    assert isinstance(forwarded(engine, get()), Forward)


def test_auto_puts_nothing_to_the_upstream_that_a_session_before_has_changed_there() -> None:
    recorder, misses, before = Recorder("tour", UPSTREAM, first=ExchangeNumber(2)), list[MissError](), sessions(get())
    engine = Engine(UPSTREAM, ticking(), sessions=before, recorder=recorder, on_miss=misses.append)
    kept(engine, post(b"Body=new"))
    before.end_all()
    assert marks(answered(engine, get()))["x-chatproxy-exchange"] == "tour/1"
    assert marks(answered(engine, get(MESSAGES + b"?Page=1")))["x-chatproxy-outcome"] == "miss"
    assert "which has a write of session 'default' behind it: it was begun anew since" in misses[0].reason
    assert isinstance(forwarded(engine, get(OTHER_CHANNEL)), Forward)


def test_auto_a_session_that_has_written_to_the_upstream_does_not_begin_anew() -> None:
    cassette = MemoryCassette("tour", [exchange(1, get()), exchange(2, post())], RULES)
    again = Sessions(lambda name, restarts: Session(cassette, RULES, name, restarts), restart=True)
    engine = Engine(UPSTREAM, ticking(), sessions=again, recorder=Recorder("tour", UPSTREAM, first=ExchangeNumber(3)))
    for request in (get(), post()):
        assert answered(engine, request).status == 200
    kept(engine, post(b"Body=new"))
    assert isinstance(forwarded(engine, get()), Forward)
    assert again.restarts("default") == 0


def test_law_4_an_answer_past_skipped_writes_is_marked() -> None:
    cassette = MemoryCassette("tour", [exchange(1, post()), exchange(2, post(b"Body=b")), exchange(3, get())], RULES)
    held = Sessions(lambda name, restarts: Session(cassette, RULES, name, restarts, skips=True))
    engine = Engine(UPSTREAM, ticking(), sessions=held)
    answered(engine, post(b"Body=b"))
    for _ in range(2):
        decision = engine.decide(get())
        assert isinstance(decision, Rendered)
        assert (marks(decision.response)["x-chatproxy-skipped"], decision.repeat) == ("1", None)
    assert entries(engine, "exchange", "skipped") == [[2, []], [3, [1]], [3, [1]]]
    assert entries(engine, "reordered") == [[True], [False], [False]]


def test_what_auto_records_of_a_session_that_was_ended_is_kept() -> None:
    before = sessions(post())
    auto = Engine(UPSTREAM, ticking(), sessions=before, recorder=Recorder("tour", UPSTREAM, first=ExchangeNumber(2)))
    forward = forwarded(auto, post(b"Body=new"))
    before.end_all()
    _, exchange = auto.on_response(forward, ANSWER)
    assert exchange is not None
    auto.on_kept(forward, exchange)
    assert exchange.number == 2
    assert auto.counts == {"recorded": 1}


# Answers that repeat


def repeat_of(engine: Engine, request: Request) -> Repeat:
    decision = engine.decide(request)
    assert isinstance(decision, Rendered)
    assert decision.repeat is not None
    return decision.repeat


def test_an_answer_is_given_again_until_its_session_changes() -> None:
    engine = Engine(UPSTREAM, ticking(), sessions=sessions(get(), post()))
    repeat = repeat_of(engine, get())
    given = [engine.again(repeat) for _ in range(3)]
    assert [one and (one[0].name, one[1]) for one in given] == [("default", 101), ("default", 102), ("default", 103)]
    assert engine.counts == {"hit": 4}
    assert [entry["exchange"] for entry in engine.journal.entries()] == [1, 1, 1, 1]
    assert [entry["at"] for entry in engine.journal.entries()] == [instant(100 + nth) for nth in range(4)]
    answered(engine, post())
    assert engine.again(repeat) is None


def test_a_fetch_is_answered_as_it_would_be_when_it_was_decided() -> None:
    sid = b"IM" + b"a" * 32
    fetched = get(MESSAGES + b"/" + sid)
    recorded = [exchange(number, fetched) for number in (1, 2, 3)]
    cassette = MemoryCassette("tour", recorded, RULES)

    def begin(name: str, restarts: int) -> Session:
        return Session(cassette, RULES, name, restarts, sids=Bindings(cassette, Choice()))

    both = [Engine(UPSTREAM, ticking(), sessions=Sessions(begin)) for _ in range(2)]
    asker = both[0].asker(fetched.headers)
    assert both[0].fetch(fetched.target, asker, ORIGIN) is None  # there is no session yet
    for engine in both:
        answered(engine, fetched)
    for _ in range(3):
        first, second = both[0].fetch(fetched.target, asker, ORIGIN), both[1].decide(fetched)
        assert isinstance(first, Rendered)
        assert isinstance(second, Rendered)
        assert first[:5] == second[:5]
    assert both[0].journal.entries() == both[1].journal.entries()
    assert both[0].fetch(MESSAGES + b"/IM" + b"b" * 32, asker, ORIGIN) is None


def test_an_answer_is_not_given_again_once_its_session_has_ended() -> None:
    held = sessions(get())
    engine = Engine(UPSTREAM, ticking(), sessions=held)
    repeat = repeat_of(engine, get())
    held.end_all()
    assert engine.again(repeat) is None
    assert engine.again(repeat_of(engine, get())) is not None
    assert engine.again(repeat) is None
    assert Engine(UPSTREAM, ticking()).again(repeat) is None


def test_only_the_last_answer_to_a_read_repeats_and_none_to_a_write() -> None:
    engine = Engine(UPSTREAM, ticking(), sessions=sessions(get(), get(), post()))
    decisions = [engine.decide(request) for request in (get(), get(), get(), post())]
    assert [isinstance(one, Rendered) and one.repeat is not None for one in decisions] == [False, True, True, False]


def test_what_goes_to_the_upstream_ends_what_repeats() -> None:
    engine = Engine(
        UPSTREAM, ticking(), sessions=sessions(get()), recorder=Recorder("tour", UPSTREAM, first=ExchangeNumber(2))
    )
    repeat = repeat_of(engine, get())
    forwarded(engine, post())
    assert engine.again(repeat) is None


def test_nothing_repeats_where_pseudonyms_may_stand_for_other_values_by_then() -> None:
    rules = Rules(scrub=Scrub((ScrubRule(LooksAt.FIELD, "from", Action.PSEUDONYM),), "salt of the team"))
    cassette = MemoryCassette("tour", [exchange(1, get())], rules)
    held = Sessions(lambda name, restarts: Session(cassette, rules, name, restarts))
    decision = Engine(UPSTREAM, ticking(), sessions=held).decide(get())
    assert isinstance(decision, Rendered)
    assert decision.repeat is None


# Users


def test_law_12_a_miss_names_the_other_session_that_made_the_write_before() -> None:
    account, key = b"AC" + b"1" * 32, b"SK" + b"1" * 32
    create, listed = post(), get()
    recorded = [
        numbered(1, create, ANSWER, UPSTREAM, 1, 1, user=account.decode()),
        numbered(2, listed, ANSWER, UPSTREAM, 2, 2, 1, user=OTHER_CREDENTIALS),
    ]
    engine = Engine(UPSTREAM, ticking(), sessions=sessions_of(recorded))
    by_account = replace(create, headers=(*create.headers, basic(account, b"x")))
    assert marks(answered(engine, by_account))["x-chatproxy-outcome"] == "hit"
    by_token = replace(listed, headers=((b"Authorization", b"Bearer x"),))
    reason = json.loads(answered(engine, by_token).body)["message"]
    assert reason.endswith(
        f"but session {account.decode()!r} has; a program that uses several users needs --sessions one"
    )
    by_key = replace(listed, headers=(basic(key, b"x"),))
    assert marks(answered(engine, by_key))["x-chatproxy-exchange"] == "tour/2"


def test_a_kept_answer_is_not_given_again_to_a_key_that_belongs_to_another_session_since() -> None:
    account, key = b"AC" + b"1" * 32, b"SK" + b"1" * 32
    engine = Engine(UPSTREAM, ticking(), sessions=sessions(get()))
    by_key = replace(get(), headers=(basic(key, b"x"),))
    decided = engine.decide(by_key)
    assert isinstance(decided, Rendered)
    assert decided.repeat is not None
    assert engine.again(decided.repeat) is not None
    answered(engine, replace(get(), headers=(basic(account, b"x"),)))
    assert decided.repeat.state.session is None
    assert engine.again(decided.repeat) is None
