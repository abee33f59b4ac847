"""How calls travel in the tests' own world."""

from collections.abc import Callable
from random import Random

import pytest
from laws.resources import SECOND
from laws.traffic import AT_ONCE, Call, Client, Fault, Got, Pace, Step, Traffic

Event = tuple[str, str, int]


class Echo:
    """Notes what happens, and answers each call with its target."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.gone: list[str] = []

    def ask(self, call: Call, now: int) -> Call:
        self.events.append(("ask", call.target, now))
        return call

    def process(self, token: Call, fault: Fault | None, now: int) -> None:
        self.events.append((f"process {fault.name}" if fault else "process", token.target, now))

    def answer(self, token: Call, now: int, *, gone: bool) -> Got:
        self.events.append(("answer", token.target, now))
        if gone:
            self.gone.append(token.target)
        return Got(200, (), token.target.encode(), now)


def asking(*steps: Step, got: Callable[[Got], object] = lambda got: None) -> Client:
    for step in steps:
        got((yield step))


def step(target: str, sleep: float = 0, fault: Fault | None = None) -> Step:
    return Step(sleep, Call("GET", target), fault)


def ran(*clients: Client, pace: Pace = AT_ONCE, together: int | None = None) -> Echo:
    echo = Echo()
    Traffic(echo, Random(1), 0, pace).run(clients, together)
    return echo


def test_a_client_asks_for_one_after_another_and_sleeps_between() -> None:
    got: list[Got] = []
    echo = ran(asking(step("a"), step("b", 3), got=got.append))
    assert [event[:2] for event in echo.events] == [
        (what, target) for target in "ab" for what in ("ask", "process", "answer")
    ]
    assert [one.body for one in got] == [b"a", b"b"]
    assert 3 * SECOND < echo.events[3][2] - echo.events[2][2] < 3.01 * SECOND


@pytest.mark.parametrize(("sleeps", "least"), [(0, 0), (2, 6)])
def test_sleeps_may_be_mocked_or_stretched(sleeps: float, least: float) -> None:
    echo = ran(asking(step("a", 3)), pace=Pace(sleeps=sleeps))
    assert least * SECOND <= echo.events[0][2] < (least + 0.1) * SECOND


def test_clients_are_in_flight_together() -> None:
    echo = ran(*(asking(*(step(f"{name}{nth}") for nth in range(9))) for name in "abcd"), pace=Pace(0.01, 0.4))
    flying, most = 0, 0
    for what, *_ in echo.events:
        flying += {"ask": 1, "answer": -1}.get(what, 0)
        most = max(most, flying)
    assert most == 4
    asked, answered = ([one for what, one, _ in echo.events if what == event] for event in ("ask", "answer"))
    assert asked != answered
    assert sorted(asked) == sorted(answered)


def test_no_more_clients_run_than_are_let() -> None:
    echo = ran(*(asking(step(str(nth))) for nth in range(12)), pace=Pace(0.01, 0.4), together=3)
    flying, most = 0, 0
    for what, *_ in echo.events:
        flying += {"ask": 1, "answer": -1}.get(what, 0)
        most = max(most, flying)
    assert most == 3
    assert len(echo.events) == 36


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.LATE])
def test_a_lost_answer_comes_when_the_client_has_asked_again(fault: Fault) -> None:
    got: list[Got] = []
    echo = ran(asking(step("a", fault=fault), step("b"), got=got.append), pace=Pace())
    assert echo.gone == ["a"]
    assert [one.body for one in got] == [b"a", b"b"]
    asks = [moment for what, target, moment in echo.events if (what, target) == ("ask", "a")]
    lost = next(moment for what, target, moment in echo.events if what == f"process {fault.name}")
    assert asks[1] - asks[0] == SECOND // 2
    assert (lost > asks[1]) == (fault is Fault.LATE)


def test_a_failure_reaches_the_server_and_the_client() -> None:
    echo = ran(asking(step("a", fault=Fault.BROKEN)), pace=Pace())
    assert [what for what, *_ in echo.events] == ["ask", "process BROKEN", "answer"]
    assert [what for what, *_ in ran(asking(step("a", fault=Fault.BROKEN))).events] == ["ask", "process", "answer"]


def test_a_client_that_asks_for_nothing_lets_the_next_begin() -> None:
    assert len(ran(asking(), asking(), asking(step("a")), together=1).events) == 3
