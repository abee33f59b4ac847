import json

from strategies import MESSAGES, UPSTREAM

from chatproxy.core.cassette import MemoryCassette
from chatproxy.core.engine import Engine
from chatproxy.core.model import Exchange, Mode, Request, Response
from chatproxy.core.normalize import Rules
from chatproxy.core.report import Report
from chatproxy.core.session import Session
from chatproxy.core.sessions import SESSION, Sessions

RULES = Rules()


def page(number: int) -> bytes:
    return MESSAGES + b"?Page=%d" % number


def replay(*numbers: int, bound: int = 10) -> Report:
    """Report on a replay of a cassette that has these exchanges, of the page of that number each."""
    exchanges = [Exchange(number, Request("GET", page(number)), Response(200), UPSTREAM, 0, 0) for number in numbers]
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
    assert missed["count"] == 1
    assert sessions["a"] == {
        "restarts": 0,
        "outcomes": {"hit": 1, "miss": 1},
        "hits": 1,
        "served": 1,
        "unused": [1, 4],
        "unused_total": 2,
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


def test_a_run_without_sessions_reports_its_totals() -> None:
    engine = Engine(UPSTREAM, lambda: 0)
    decision = engine.on_request(Request("GET", MESSAGES))
    assert not isinstance(decision, Response)
    engine.on_response(decision, Response(200))
    content = Report(Mode.PASSTHROUGH, None, engine).content()
    assert (content["mode"], content["cassette"], content["sessions"]) == ("passthrough", None, {})
    assert (content["totals"], content["unused_total"]) == ({"passed": 1}, 0)
