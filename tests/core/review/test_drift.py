import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pytest
from core.recordings import Given
from core.scenarios import RULES, Recording, Step, exported, scenarios
from exchanges import numbered
from fixture.fixtures import read
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, UPSTREAM

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.errors import ConfigError
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, OTHER_CREDENTIALS, Exchange, ExchangeNumber, Headers, Request, Response
from chatproxy.core.review.drift import A_WRITE, NOT_LAST, OTHERS_REFUSED, Drift
from chatproxy.core.review.findings import Checked, Severity
from chatproxy.core.timeline.standing import Role
from chatproxy.core.timeline.standing import Step as Change

SERVICE, MESSAGE, LIVE = "IS" + "a" * 32, "IM" + "1" * 32, "IM" + "9" * 32
PATH = f"/v1/Services/{SERVICE}/Channels/general/Messages"
CREDENTIALS = ((b"Authorization", b"Basic " + b64encode(b"AC" + b"0" * 32 + b":a secret of the upstream")),)


def exchange(number: int, method: str, path: str, content: object, *, status: int = 200, body: bytes = b"") -> Exchange:
    request = Request(method, path.encode(), (FORM,) if body else (), body)
    response = Response(status, b"OK", (JSON,), json.dumps(content).encode())
    return numbered(number, request, response, UPSTREAM, 10 * number, 10 * number + 5, number - 1)


def message(body: str, sid: str = MESSAGE, **more: object) -> dict[str, object]:
    return {"sid": sid, "body": body, "date_created": "2026-11-03T10:00:00Z", "url": f"{UPSTREAM}{PATH}/{sid}", **more}


TALK = [
    exchange(1, "POST", PATH, message("a"), status=201, body=b"Body=a"),
    exchange(2, "GET", f"{PATH}/{MESSAGE}", message("a")),
    exchange(3, "POST", f"{PATH}/{MESSAGE}", message("b"), body=b"Body=b"),
    exchange(4, "GET", f"{PATH}/{MESSAGE}", message("b")),
    exchange(5, "GET", f"{PATH}?PageSize=1", {"messages": [message("b")]}),
]


@dataclass
class Asking:
    """Asks for a cassette at an upstream that is a function."""

    recorded: list[Exchange]
    answer: Callable[[int, Request, Response], Response]
    writes: bool = True
    bind: Mapping[str, str] = field(default_factory=dict)
    rules: Rules = RULES
    asked: list[Request] = field(default_factory=list)

    def checked(self) -> list[Checked]:
        cassette = MemoryCassette("a", self.recorded, self.rules)
        drift = Drift(cassette, self.rules, self.bind, writes=self.writes)
        drift.check_askable()
        return [self._one(drift, cassette, number) for number in drift.order()]

    def _one(self, drift: Drift, cassette: MemoryCassette, number: int) -> Checked:
        if (reason := drift.skipped(ExchangeNumber(number))) is not None:
            return drift.not_checked(ExchangeNumber(number), reason)
        request = drift.request(ExchangeNumber(number), CREDENTIALS)
        self.asked.append(request)
        answer = self.answer(number, request, cassette.exchange(ExchangeNumber(number)).response)
        return drift.checked(ExchangeNumber(number), request, "http://127.0.0.1:9", answer)


def same(number: int, request: Request, recorded: Response) -> Response:
    return recorded


def changed(**changes: Any) -> Callable[[int, Request, Response], Response]:
    def answer(number: int, request: Request, recorded: Response) -> Response:
        return replace(recorded, **changes) if number == 4 else recorded

    return answer


def found(checked: list[Checked]) -> list[tuple[str, str, str]]:
    return [
        (one.severity.value, one.exchange, f"{one.place} {one.message}") for each in checked for one in each.findings
    ]


def test_law_1_without_writes_only_reads_of_the_last_state_are_asked() -> None:
    asking = Asking(TALK, same, writes=False)
    assert [one.skipped for one in asking.checked()] == [A_WRITE, NOT_LAST, A_WRITE, None, None]
    assert [request.method for request in asking.asked] == ["GET", "GET"]
    gone = [*TALK, exchange(6, "DELETE", f"{PATH}/{MESSAGE}", {}, status=204)]
    assert [one.skipped for one in Asking(gone, same, writes=False).checked()].count(None) == 0


def test_law_2_what_the_upstream_made_stands_for_what_was_recorded() -> None:
    def answer(number: int, request: Request, recorded: Response) -> Response:
        assert MESSAGE.encode() not in request.target
        return replace(recorded, body=recorded.body.replace(MESSAGE.encode(), LIVE.encode()))

    asking = Asking(TALK, answer)
    assert found(asking.checked()) == []
    assert [request.path.decode() for request in asking.asked[1:4]] == [f"{PATH}/{LIVE}"] * 3


def test_law_2_a_page_token_and_a_location_are_followed() -> None:
    def page(token: str) -> dict[str, object]:
        return {"meta": {"next_page_url": f"{UPSTREAM}{PATH}?Page=1&PageToken={token}"}, "messages": []}

    recorded = [exchange(1, "GET", PATH, page("old")), exchange(2, "GET", f"{PATH}?Page=1&PageToken=old", page("x"))]
    recorded[0] = replace(
        recorded[0], response=replace(recorded[0].response, headers=(JSON, (b"Location", f"/{MESSAGE}".encode())))
    )
    recorded.append(exchange(3, "GET", f"{PATH}/{MESSAGE}", {}))

    def answer(number: int, request: Request, recorded: Response) -> Response:
        headers = tuple((name, value.replace(MESSAGE.encode(), LIVE.encode())) for name, value in recorded.headers)
        return replace(recorded, headers=headers, body=recorded.body.replace(b"=old", b"=new"))

    asking = Asking(recorded, answer)
    asking.checked()
    assert asking.asked[1].target == f"{PATH}?Page=1&PageToken=new".encode()
    assert asking.asked[2].path == f"{PATH}/{LIVE}".encode()


def test_law_2_a_read_is_asked_before_the_writes_that_are_not_done_in_its_state_and_after_those_that_are() -> None:
    def order(number: int, **differs: Any) -> list[int]:
        stands = Given(changes={number: lambda one: one._replace(**differs)})
        return list(Drift(MemoryCassette("a", TALK, RULES, learnt=stands), RULES, {}, writes=True).order())

    assert order(4, without=(ExchangeNumber(3),)) == [1, 2, 4, 3, 5]
    assert order(2, with_=(ExchangeNumber(3),)) == [1, 3, 2, 4, 5]
    assert order(2) == [1, 2, 3, 4, 5]


def test_law_1_what_asks_for_credentials_is_asked_in_any_state() -> None:
    challenge = replace(
        TALK[1], number=ExchangeNumber(6), user=NO_CREDENTIALS, response=replace(TALK[1].response, status=401)
    )
    drift = Drift(MemoryCassette("a", [*TALK, challenge], RULES), RULES, {}, writes=False)
    assert drift.skipped(ExchangeNumber(6)) is None


def test_law_1_what_shows_no_certain_or_not_the_last_state_is_not_asked() -> None:
    def skipped(number: int, given: Given) -> str | None:
        drift = Drift(MemoryCassette("a", TALK, RULES, learnt=given), RULES, {}, writes=False)
        return drift.skipped(ExchangeNumber(number))

    assert skipped(4, Given()) is None
    assert skipped(4, Given(changes={4: lambda one: one._replace(role=Role.DOUBTFUL, states=())})) == NOT_LAST
    place = MemoryCassette("a", TALK, RULES).standing(ExchangeNumber(4)).where.place
    later = Given(given={place: [Change(ExchangeNumber(5), ())]})
    assert skipped(4, later) == NOT_LAST
    unsure = Given(changes={3: lambda one: one._replace(role=Role.DOUBTFUL, states=())})
    assert skipped(4, unsure) is None


@given(scenarios, st.integers(0, 2**32))
def test_law_3_an_upstream_that_did_not_change_has_no_drift(scenario: list[list[Step]], seed: int) -> None:
    one, other = (Recording(Random(seed + nth)).run(scenario) for nth in (0, 1))
    answers = {(each.asked, each.number): each.response for each in other.exchanges}
    in_order = [answers[key] for key in sorted(answers)]
    cassette = MemoryCassette("a", sorted(one.exchanges, key=lambda each: each.asked), RULES)
    drift = Drift(cassette, RULES, {}, writes=True)
    for each, answer in zip(sorted(one.exchanges, key=lambda each: each.asked), in_order, strict=True):
        checked = drift.checked(each.number, drift.request(each.number, ()), other.upstream, answer)
        assert found([checked]) == []


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (changed(status=404), ("high", "a/4", "status was 200, is 404")),
        (changed(body=json.dumps(message("c")).encode()), ("low", "a/4", '/body was "b", is "c"')),
        (changed(body=json.dumps(message("b", index=1)).encode()), ("high", "a/4", "/index is new: 1")),
        (changed(body=json.dumps(message("b") | {"body": 5}).encode()), ("high", "a/4", '/body was "b", is 5')),
        (changed(headers=(JSON, (b"X-New", b"1"))), ("high", "a/4", 'header x-new is new: "1"')),
        (changed(body=b"<html>"), ("high", "a/4", "body was")),
    ],
)
def test_what_changed_is_found_with_its_severity(
    answer: Callable[[int, Request, Response], Response], finding: tuple[str, str, str]
) -> None:
    ((severity, label, what),) = found(Asking(TALK, answer).checked())
    assert (severity, label) == finding[:2]
    assert what.startswith(finding[2])
    assert Severity(severity).reaches(Severity.LOW)


def test_times_sids_and_volatile_fields_are_no_drift() -> None:
    later = message("b", LIVE) | {"date_created": "2027-01-01T00:00:00Z"}
    answer = changed(body=json.dumps(later).encode(), headers=(JSON, (b"Date", b"Fri, 01 Jan 2027 00:00:00 GMT")))
    assert found(Asking(TALK, answer, writes=False).checked()) == []


def test_a_secret_that_the_upstream_repeats_is_in_no_finding() -> None:
    answer = changed(body=json.dumps(message("a secret of the upstream")).encode())
    shown = str(found(Asking(TALK, answer).checked()))
    assert "a secret of" not in shown
    assert "__blanked__" in shown


def test_a_canonical_cassette_is_asked_for_only_with_the_sids_that_stand_for_its_own() -> None:
    document = read(exported(MemoryCassette("a", TALK, RULES), anonymous=True))

    def check(bind: dict[str, str], *, writes: bool) -> None:
        cassette = MemoryCassette("a", document.exchanges, RULES, document.declared)
        Drift(cassette, RULES, bind, writes=writes).check_askable()

    service = {SERVICE: "IS" + "0" * 31 + "1"}
    with pytest.raises(ConfigError, match=r"LIVE=ISca765a4cadaca367\d{15}1"):
        check({}, writes=True)
    check(service, writes=True)
    with pytest.raises(ConfigError, match=r"LIVE=IMca765a4cadaca367\d{15}1"):
        check(service, writes=False)
    check(service | {LIVE: "IM" + "0" * 31 + "1"}, writes=False)


def test_the_upstream_knows_the_recorders_own_sids() -> None:
    document = read(exported(MemoryCassette("a", TALK, RULES)))
    cassette = MemoryCassette("a", document.exchanges, RULES, document.declared)
    drift = Drift(cassette, RULES, {}, writes=True)
    drift.check_askable()
    assert SERVICE.encode() in drift.request(ExchangeNumber(1), ()).target


def test_why_an_exchange_is_skipped_is_the_same_whenever_it_is_asked() -> None:
    drift = Drift(MemoryCassette("a", TALK, RULES), RULES, {}, writes=False)
    assert [drift.skipped(ExchangeNumber(1)), drift.skipped(ExchangeNumber(1))] == [A_WRITE, A_WRITE]


@pytest.mark.parametrize(
    ("user", "credentials"),
    [(NO_CREDENTIALS, ()), (OTHER_CREDENTIALS, CREDENTIALS), ("AC" + "1" * 32, CREDENTIALS), (None, CREDENTIALS)],
)
def test_law_2_what_was_recorded_without_credentials_is_asked_without_them(
    user: str | None, credentials: Headers
) -> None:
    asking = Asking([replace(TALK[0], user=user)], same)
    asking.checked()
    (request,) = asking.asked
    assert request.headers == (FORM, *credentials)


def test_law_1_a_read_is_of_the_last_state_of_those_that_the_same_user_made() -> None:
    account, key = "AC" + "1" * 32, "SK" + "1" * 32
    users = [account, NO_CREDENTIALS, account, key, account]
    reads = [exchange(2, "GET", PATH, {}), exchange(3, "GET", PATH, {}), exchange(4, "GET", PATH, {})]
    recorded = [TALK[0], *reads, exchange(5, "GET", PATH, {})]
    recorded = [
        replace(one, user=user, after=ExchangeNumber(min(one.number - 1, 1)))
        for one, user in zip(recorded, users, strict=True)
    ]
    asking = Asking(recorded, same, writes=False)
    assert [one.skipped for one in asking.checked()] == [A_WRITE, None, NOT_LAST, NOT_LAST, None]


def test_law_1_what_asks_for_credentials_is_of_every_state() -> None:
    refused = replace(exchange(2, "GET", PATH, {"code": 20003}, status=401), user=NO_CREDENTIALS)
    made = exchange(1, "POST", PATH, message("a", to="CH" + "1" * 32), status=201, body=b"Body=a")
    recorded = [made, refused, replace(TALK[2], number=ExchangeNumber(3))]
    asking = Asking(recorded, same, writes=False)
    assert [one.skipped for one in asking.checked()] == [A_WRITE, None, A_WRITE]
    assert [request.headers for request in asking.asked] == [()]


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("user", [None, OTHER_CREDENTIALS, "AC" + "1" * 32, "SK" + "1" * 32])
def test_what_was_refused_to_credentials_is_not_asked_for_with_others(user: str | None, writes: bool) -> None:
    refusals = [exchange(2, method, PATH, {"code": 20003}, status=401) for method in ("GET", "POST")]
    recorded = [replace(TALK[0], user="AC" + "2" * 32)]
    recorded += [replace(one, number=ExchangeNumber(nth), user=user) for nth, one in enumerate(refusals, 2)]
    asking = Asking(recorded, same, writes=writes)
    assert [one.skipped for one in asking.checked()] == [
        *([None] if writes else [A_WRITE]),
        *(OTHERS_REFUSED, OTHERS_REFUSED),
    ]


def test_what_was_refused_is_no_later_answer_to_what_an_account_read() -> None:
    account, other = "AC" + "1" * 32, "AC" + "2" * 32
    refused = replace(exchange(2, "GET", PATH, {"code": 20003}, status=401), user=other, after=ExchangeNumber(0))
    recorded = [replace(exchange(1, "GET", PATH, {}), user=account), refused]
    assert [one.skipped for one in Asking(recorded, same, writes=False).checked()] == [None, OTHERS_REFUSED]
