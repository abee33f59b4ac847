import json

import pytest
from core.recordings import Given
from exchanges import numbered
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, MESSAGES, UPSTREAM

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.engine import Engine
from chatproxy.core.errors import CassetteError, UpstreamError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, ExchangeNumber, Forward, Mode, Request, Response
from chatproxy.core.record.recorder import Recorder
from chatproxy.core.replay.bindings import Bindings
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import SESSION, Sessions
from chatproxy.core.report.report import Report, Run, RunOutcome, Trouble, outcome_of, read_report
from chatproxy.core.timeline.standing import Role

RULES = Rules()


def page(number: int) -> bytes:
    return MESSAGES + b"?Page=%d" % number


def replay(*numbers: int, bound: int = 10) -> Report:
    """Report on a replay of a cassette that has these exchanges, of the page of that number each."""
    exchanges = [numbered(number, Request("GET", page(number)), Response(200), UPSTREAM, 0, 0) for number in numbers]
    cassette = MemoryCassette("tour", exchanges, RULES)
    sessions = Sessions(lambda name, restarts: Session(cassette, RULES, name, restarts), bound=bound)
    return Report(Mode.REPLAY, "tour", Engine(UPSTREAM, lambda: 0, sessions=sessions), cassette)


def ask(report: Report, session: bytes, number: int) -> None:
    report.engine.on_request(Request("GET", page(number), ((SESSION, session),)))


def test_a_replay_reports_each_session_and_the_whole() -> None:
    report = replay(1, 2, 4)
    for session, number in ((b"b", 1), (b"b", 1), (b"a", 2), (b"a", 9)):
        ask(report, session, number)
    content = report.content()
    assert json.loads(json.dumps(content)) == content
    sessions = content.pop("sessions")
    assert isinstance(sessions, dict)
    assert content == {
        "mode": "replay",
        "cassette": "tour",
        "totals": {"hit": 3, "miss": 1},
        "following": 0,
        "left_out": 0,
        "assumed": {},
        "served": 2,
        "unused": [4],
        "unused_total": 1,
        "dropped_sessions": 0,
        "unlisted_sessions": 0,
    }
    assert list(sessions) == ["a", "b"]
    (missed,) = sessions["a"].pop("misses")
    assert missed["request"] == f"GET {page(9).decode()}"
    assert missed["reason"].startswith("never recorded; nearest is tour/1")
    assert (missed["count"], missed["follows"]) == (1, None)
    assert sessions["a"] == {
        "restarts": 0,
        "outcomes": {"hit": 1, "miss": 1},
        "hits": 1,
        "following": 0,
        "errors": [],
        "served": 1,
        "unused": [1, 4],
        "unused_total": 2,
        "skipped": [],
        "reordered": [],
        "in_doubt": [],
        "assumed": {},
    }
    assert (sessions["b"]["hits"], sessions["b"]["served"], sessions["b"]["unused"]) == (2, 1, [2, 4])


def test_a_session_that_was_ended_or_dropped_is_still_reported() -> None:
    report = replay(1, bound=1)
    sessions = report.engine.sessions
    assert sessions
    ask(report, b"a", 1)
    assert sessions.end("a")
    ask(report, b"a", 1)
    ask(report, b"b", 1)
    content = report.content()
    of_session = content["sessions"]
    assert isinstance(of_session, dict)
    assert (of_session["a"]["restarts"], of_session["a"]["hits"]) == (1, 2)
    assert content["dropped_sessions"] == 1


def test_the_first_thousand_unused_exchanges_are_listed_and_all_are_counted() -> None:
    content = replay(*range(1, 1203)).content()
    assert content["unused"] == list(range(1, 1001))
    assert content["unused_total"] == 1202


def test_a_whole_report_lists_all_unused_exchanges_and_tells_which_recording_it_is_of() -> None:
    content = replay(*range(1, 1203)).content(whole=True)
    assert content["unused"] == list(range(1, 1203))
    assert content.keys() - replay(1).content().keys() == {"recording", "unused_requests", "misses", "errors"}
    requests = content["unused_requests"]
    assert isinstance(requests, dict)
    assert list(requests) == [str(number) for number in range(1, 1001)]
    assert requests["3"] == f"GET {page(3).decode()}"
    assert "recording" not in Report(Mode.PASSTHROUGH, None, Engine(UPSTREAM, lambda: 0)).content(whole=True)


def extended(*asked: Request) -> Report:
    """Report on a run in auto on two recorded writes, of which these are asked for."""
    exchanges = [
        numbered(number, Request("POST", MESSAGES, (FORM,), body), Response(201), UPSTREAM, 0, 0)
        for number, body in enumerate((b"Body=a", b"Body=b"), 1)
    ]
    cassette = MemoryCassette("tour", exchanges, RULES)
    sessions = Sessions(lambda name, restarts: Session(cassette, RULES, name, restarts))
    recorder = Recorder("tour", UPSTREAM, first=ExchangeNumber(3))
    report = Report(Mode.AUTO, "tour", Engine(UPSTREAM, lambda: 0, sessions=sessions, recorder=recorder), cassette)
    for request in asked:
        decision = report.engine.on_request(request)
        if isinstance(decision, Forward):
            _, exchange = report.engine.on_response(decision, Response(201))
            assert exchange
            report.engine.on_kept(decision, exchange)
    return report


def test_a_run_that_leaves_out_recorded_writes_and_records_others_makes_a_mixture() -> None:
    first, second, new = (Request("POST", MESSAGES, (FORM,), b"Body=" + text) for text in (b"a", b"b", b"c"))
    mixed = extended(first, new, new)
    assert mixed.outcome().mixture == (
        "the cassette is no recording of one run any more: this one left out 1 recorded write, and recorded 2 exchanges"
    )
    assert mixed.ended is None
    mixed.end()
    assert mixed.ended == mixed.outcome() == outcome_of(json.loads(json.dumps(mixed.content(whole=True))))
    for asked in ((first,), (first, second, new)):
        assert extended(*asked).outcome().mixture is None


def cassette(*numbers: int, name: str = "tour", body: bytes = b"") -> MemoryCassette:
    exchanges = [
        numbered(number, Request("GET", page(number)), Response(200, body=body), UPSTREAM, 0, 0) for number in numbers
    ]
    return MemoryCassette(name, exchanges, RULES)


def test_a_whole_report_is_read_back() -> None:
    report = replay(1, 2, 4)
    for number in (1, 9):
        ask(report, b"a", number)
    content = json.loads(json.dumps(report.content(whole=True)))
    assert read_report(content, cassette(1, 2, 4), "r") == Run(frozenset({ExchangeNumber(2), ExchangeNumber(4)}), 1)
    assert read_report(content | {"mode": "auto"}, cassette(1, 2, 4, 5), "r").unused == {2, 4}


@given(st.sets(st.integers(1, 9)).map(sorted), st.lists(st.integers(1, 10), max_size=20))
def test_law_the_outcome_is_read_back_from_a_whole_report(recorded: list[int], asked: list[int]) -> None:
    report = replay(*recorded)
    for number in asked:
        ask(report, b"a", number)
    content = json.loads(json.dumps(report.content(whole=True)))
    assert outcome_of(content) == report.outcome()


def test_the_outcome_that_is_read_back_has_the_first_thousand_unused_exchanges_and_counts_all() -> None:
    report = replay(*range(1, 1203))
    ask(report, b"a", 7)
    outcome = outcome_of(json.loads(json.dumps(report.content(whole=True))))
    assert (outcome.exchanges, outcome.unused_total, len(outcome.unused)) == (1202, 1201, 1000)
    assert outcome.unused[ExchangeNumber(8)] == f"GET {page(8).decode()}"
    assert outcome == report.outcome()


def test_what_was_recorded_and_what_went_wrong_is_read_back() -> None:
    report = Report(Mode.RECORD, "new", Engine(UPSTREAM, lambda: 0, recorder=Recorder("new", UPSTREAM)))
    engine, request = report.engine, Request("GET", MESSAGES)
    decision = engine.on_request(request)
    assert not isinstance(decision, Response)
    _, exchange = engine.on_response(decision, Response(200))
    assert exchange
    engine.on_kept(decision, exchange)
    for _ in range(2):
        engine.on_error(UpstreamError(504, "it gave no answer in time"), request)
    outcome = outcome_of(json.loads(json.dumps(report.content(whole=True))))
    assert outcome == report.outcome()
    assert outcome.counts == {"error": 2, "recorded": 1}
    assert outcome.errors == (Trouble(request.line, "it gave no answer in time", 2),)


def test_a_trouble_tells_how_often_it_came() -> None:
    assert Trouble("GET /v1/x", "never recorded", 1).text == "GET /v1/x: never recorded"
    assert Trouble("GET /v1/x", "never recorded", 3).text == "GET /v1/x: never recorded (3 times)"


def test_a_trouble_is_one_line_and_no_command() -> None:
    assert Trouble("GET /", "##[error]\n", 1).text == "GET /: \\u0023#[error]\\n"


def test_a_run_without_a_cassette_is_read_back() -> None:
    report = Report(Mode.PASSTHROUGH, None, Engine(UPSTREAM, lambda: 0))
    assert outcome_of(report.content(whole=True)) == report.outcome()


@pytest.mark.parametrize(
    ("change", "recorded", "message"),
    [
        ({"totals": None}, cassette(1, 2), "is no report of a run; --report writes one"),
        ({"unused": 5}, cassette(1, 2), "is no report of a run; --report writes one"),
        ({"mode": "record"}, cassette(1, 2), "is the report of a run of record, which serves nothing"),
        ({"mode": []}, cassette(1, 2), "is the report of a run of "),
        ({}, cassette(1, 2, name="other"), "is the report of cassette 'tour', not of 'other'"),
        ({"recording": None}, cassette(1, 2), "does not tell of which recording it is"),
        ({"recording": {}}, cassette(1, 2), "is the report of another recording of 'tour'"),
        ({}, cassette(1), "is the report of another recording of 'tour'"),
        ({}, cassette(1, 3), "is the report of another recording of 'tour'"),
        ({}, cassette(1, 2, body=b"x"), "is the report of another recording of 'tour'; replay this one with --report"),
    ],
)
def test_no_other_report_is_read(change: dict[str, object], recorded: MemoryCassette, message: str) -> None:
    with pytest.raises(CassetteError, match=rf"^r.json: {message}"):
        read_report(replay(1, 2).content(whole=True) | change, recorded, "r.json")


@pytest.mark.parametrize("content", [None, [], 5, "mode"])
def test_what_is_no_object_is_no_report(content: object) -> None:
    with pytest.raises(CassetteError, match="is no report of a run"):
        read_report(content, cassette(1), "r.json")


def test_a_run_without_sessions_reports_its_totals() -> None:
    engine = Engine(UPSTREAM, lambda: 0)
    decision = engine.on_request(Request("GET", MESSAGES))
    assert not isinstance(decision, Response)
    engine.on_response(decision, Response(200))
    content = Report(Mode.PASSTHROUGH, None, engine).content()
    assert (content["mode"], content["cassette"], content["sessions"]) == ("passthrough", None, {})
    assert (content["totals"], content["unused_total"]) == ({"passed": 1}, 0)


def reported(
    exchanges: list[Exchange], *asked: Request, skips: bool = False, learnt: Given | None = None
) -> dict[str, object]:
    """Return what the report says of the default session of a replay that was asked these requests."""
    cassette = MemoryCassette("tour", exchanges, RULES, learnt=learnt)
    sessions = Sessions(
        lambda name, restarts: Session(cassette, RULES, name, restarts, sids=Bindings(cassette), skips=skips)
    )
    report = Report(Mode.REPLAY, "tour", Engine(UPSTREAM, lambda: 0, sessions=sessions), cassette)
    for request in asked:
        report.engine.on_request(request)
    of_sessions = report.content()["sessions"]
    assert isinstance(of_sessions, dict)
    found = of_sessions["default"]
    assert isinstance(found, dict)
    return found


def test_law_4_the_report_names_writes_that_were_skipped_and_answers_in_another_order() -> None:
    writes = [Request("POST", MESSAGES, (FORM,), b"Body=%d" % number) for number in range(3)]
    exchanges = [
        numbered(number, write, Response(201), UPSTREAM, number, number, number - 1)
        for number, write in enumerate(writes, 1)
    ]
    exchanges.append(numbered(4, Request("GET", MESSAGES), Response(200), UPSTREAM, 4, 4, 3))

    def found(*asked: Request, skips: bool = False) -> list[object]:
        of_session = reported(exchanges, *asked, skips=skips)
        return [of_session[name] for name in ("skipped", "reordered", "in_doubt")]

    read = Request("GET", MESSAGES)
    assert found(*writes, read) == [[], [], []]
    assert found(writes[2], writes[0], read) == [[], [1, 3], []]
    assert found(writes[2], writes[0], read, skips=True) == [[2], [1, 3], []]


def test_law_5_the_report_names_what_is_in_doubt() -> None:
    exchanges = [numbered(1, Request("GET", MESSAGES), Response(200), UPSTREAM, 0, 0)]
    doubtful = Given(changes={1: lambda one: one._replace(role=Role.DOUBTFUL, states=())})
    assert reported(exchanges, exchanges[0].request, learnt=doubtful)["in_doubt"] == [1]


def test_law_2_the_report_shows_what_was_assumed() -> None:
    recorded, live = ("CH" + digit * 32 for digit in "19")
    requests = [Request("GET", f"/v1/{sid}".encode()) for sid in (recorded, live)]
    exchanges = [numbered(1, requests[0], Response(200), UPSTREAM, 0, 0)]
    assert reported(exchanges, requests[1])["assumed"] == {live: recorded}
    assert reported(exchanges, requests[0])["assumed"] == {}


@pytest.mark.parametrize(
    ("mode", "counts", "expected"),
    [
        (Mode.REPLAY, {}, True),
        (Mode.REPLAY, {"miss": 1}, False),
        (Mode.REPLAY, {"error": 1}, False),
        (Mode.RECORD, {}, False),
        (Mode.AUTO, {}, False),
    ],
)
def test_a_replay_is_idle_if_nobody_asked(mode: Mode, counts: dict[str, int], expected: bool) -> None:
    assert RunOutcome(mode, "c", counts, (), (), 0, {}, 0).is_idle is expected
