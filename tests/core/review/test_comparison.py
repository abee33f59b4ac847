import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from core.programs import PATH, Program, Step, again, programs, steps
from exchanges import numbered
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import FORM, JSON, UPSTREAM

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, OTHER_CREDENTIALS, Exchange, ExchangeNumber, Request, Response
from chatproxy.core.review.comparison import Difference, Summary, compare, summary
from chatproxy.core.review.findings import Finding, Severity

RULES = Rules()
ENDPOINT = "POST /v1/Services/IS*/Channels/CH*/Messages"


def compared(a: Sequence[Exchange], b: Sequence[Exchange]) -> list[Difference]:
    return list(compare(MemoryCassette("a", a, RULES), MemoryCassette("b", b, RULES), RULES))


def exchanges(*sent: tuple[str, object], method: str = "POST") -> list[Exchange]:
    return [
        numbered(
            number,
            Request(method, PATH.encode(), (FORM,), body.encode()),
            Response(200, b"OK", (JSON,), json.dumps(answer).encode()),
            UPSTREAM,
            number,
            number,
        )
        for number, (body, answer) in enumerate(sent, 1)
    ]


def lines(found: list[Difference]) -> list[tuple[str, str, str]]:
    return [(one.exchange, one.place, one.message) for difference in found for one in difference.findings]


@given(programs)
def test_law_a_cassette_does_not_differ_from_itself(program: Program) -> None:
    assert compared(program.exchanges, program.exchanges) == []


@given(steps)
def test_law_another_run_of_the_same_program_does_not_differ(taken: list[Step]) -> None:
    assert compared(Program().run(taken).exchanges, again(taken).exchanges) == []


@given(programs, st.data())
def test_law_one_changed_field_is_just_that_finding(program: Program, data: st.DataObject) -> None:
    exchange = data.draw(st.sampled_from([one for one in program.exchanges if one.response.body]))
    content = json.loads(exchange.response.body)
    name = data.draw(st.sampled_from(sorted(content)))
    assume(name not in ("sid", "meta", "messages", "url"))  # what other parts of a cassette hang on
    value, expected = data.draw(
        st.sampled_from(
            [
                ("other text", ("/" + name, 'is "other text"')),
                ([], ("/" + name, "is []")),
                (None, ("/" + name, "is gone, was ")),
            ]
        )
    )
    if value is None:
        del content[name]
    else:
        content[name] = value
    changed = replace(exchange, response=replace(exchange.response, body=json.dumps(content).encode()))
    others = [changed if one is exchange else one for one in program.exchanges]
    ((label, place, message),) = lines(compared(program.exchanges, others))
    assert (label, place) == (f"a/{exchange.number} b/{exchange.number}", expected[0])
    assert expected[1] in message


@given(programs, st.data())
def test_law_a_write_that_was_left_out_is_only_in_the_other(program: Program, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(program.exchanges)))
    both = with_a_write(program.exchanges, place)
    text = "answered 200, with Body=never sent"
    assert lines(compared(both, program.exchanges)) == [(f"a/{place + 1}", "exchange", f"is only in a, {text}")]
    assert lines(compared(program.exchanges, both)) == [(f"b/{place + 1}", "exchange", f"is only in b, {text}")]


def with_a_write(recorded: Sequence[Exchange], place: int) -> list[Exchange]:
    """Put a write that changes nothing between recorded exchanges."""
    (added,) = exchanges(("Body=never+sent", {"a": 1}))
    moment = recorded[max(0, place - 1)].answered
    added = replace(added, number=ExchangeNumber(place + 1), asked=moment, answered=moment, after=ExchangeNumber(place))
    later = [
        replace(one, number=ExchangeNumber(one.number + 1), after=ExchangeNumber(one.after + (one.after >= place)))
        for one in recorded[place:]
    ]
    return [*recorded[:place], added, *later]


def test_an_equal_request_that_was_left_out_is_missed_where_it_was() -> None:
    one = exchanges(("Body=a", 1), ("Body=a", 2), ("Body=a", 3), ("Body=a", 4))
    assert lines(compared(one, [one[0], one[2], one[3]])) == [
        ("a/2", "exchange", "is only in a, answered 200, with Body=a")
    ]
    assert lines(compared([one[0], one[3]], one)) == [
        ("b/2", "exchange", "is only in b, answered 200, with Body=a"),
        ("b/3", "exchange", "is only in b, answered 200, with Body=a"),
    ]


def test_requests_that_are_new_are_paired_by_their_position() -> None:
    one = exchanges(("Body=a", 1), ("Body=b", 2), ("Body=c", 3))
    other = exchanges(("Body=b", 2), ("Body=d&From=e", 1), ("Body=f", 3))
    assert lines(compared(one, other)) == [
        ("a/1 b/2", "request form field From", 'is new: "e"'),
        ("a/1 b/2", "request form field Body", 'was "a", is "d"'),
        ("a/3 b/3", "request form field Body", 'was "c", is "f"'),
    ]


def test_the_order_of_reads_that_no_write_divides_does_not_count() -> None:
    program = Program()
    program.create()
    program.create()
    turned = Program()
    turned.create()
    turned.create()
    for sid in program.sids:
        program.call("GET", sid)
    for sid in reversed(turned.sids):
        turned.call("GET", sid)
    assert compared(program.exchanges, turned.exchanges) == []


def test_what_an_exchange_sends_is_cut_and_escaped() -> None:
    (found,) = compared([], exchanges(("Body=" + "x" * 50 + "&" + "&".join(f"C{n}=d" for n in range(9)), 1)))
    assert found.findings[0].message == (
        f"is only in b, answered 200, with Body={'x' * 15}… C0=d C1=d C2=d C3=d C4=d C…"
    )
    (found,) = compared([], exchanges(("a=1&b=%1b[31m", 1)))
    assert found.findings[0].message == "is only in b, answered 200, with a=1 b=\\u001b[31m"
    (found,) = compared([], exchanges(("a=%26+100%25", 1)))
    assert found.findings[0].message == "is only in b, answered 200, with a=& 100%"
    (found,) = compared(exchanges(("", 1), method="GET"), [])
    assert (found.a, found.b) == (1, None)
    assert found.findings[0].message == "is only in a, answered 200"


def test_a_difference_names_its_exchanges_and_endpoint() -> None:
    (found,) = compared(exchanges(("", {"a": 1})), exchanges(("", {"a": "1"})))
    assert (found.a, found.b) == (1, 1)
    assert found.findings == [Finding(Severity.HIGH, ENDPOINT, "a/1 b/1", "/a", 'was 1, is "1"')]


def test_a_summary_counts_endpoints_exchanges_and_findings() -> None:
    one = [*exchanges(("Body=a", {"a": 1})), replace(exchanges(("", 1), method="GET")[0], number=ExchangeNumber(2))]
    other = exchanges(("Body=a", {"a": 2, "b": 3}), ("Body=b", 1))
    found = summary(compared(one, other))
    assert found == Summary(endpoints=2, changed=1, only_in_a=1, only_in_b=1, high=3, low=1)
    assert found.reaches(Severity.HIGH)
    low = summary(compared(exchanges(("", 1)), exchanges(("", 2))))
    assert low == Summary(endpoints=1, changed=1, low=1)
    assert (low.reaches(Severity.LOW), low.reaches(Severity.HIGH)) == (True, False)
    assert not summary([]).reaches(Severity.LOW)


def by(user: str | None, recorded: Sequence[Exchange]) -> list[Exchange]:
    return [replace(one, user=user) for one in recorded]


ACCOUNT, KEY = "AC" + "1" * 32, "SK" + "1" * 32


@pytest.mark.parametrize("user", [ACCOUNT, KEY, OTHER_CREDENTIALS])
def test_that_credentials_were_sent_and_are_not_is_a_high_finding(user: str) -> None:
    one = exchanges(("Body=a", 1))
    with_them, without = by(user, one), by(NO_CREDENTIALS, one)
    (lost,), (got,) = compared(with_them, without), compared(without, with_them)
    assert lost.findings == [Finding(Severity.HIGH, ENDPOINT, "a/1 b/1", "credentials", "were sent, are not")]
    assert got.findings == [Finding(Severity.HIGH, ENDPOINT, "a/1 b/1", "credentials", "were not sent, are")]


@pytest.mark.parametrize(
    ("one", "other"),
    [(ACCOUNT, KEY), (KEY, OTHER_CREDENTIALS), (None, ACCOUNT), (None, None), (NO_CREDENTIALS, NO_CREDENTIALS)],
)
def test_whose_credentials_were_sent_does_not_count(one: str | None, other: str | None) -> None:
    recorded = exchanges(("Body=a", 1), ("Body=b", 2))
    assert compared(by(one, recorded), by(other, recorded)) == compared(by(other, recorded), by(one, recorded)) == []


def test_where_credentials_are_not_known_in_one_that_is_no_finding() -> None:
    recorded = exchanges(("Body=a", 1))
    assert compared(by(NO_CREDENTIALS, recorded), by(None, recorded)) == []
    assert compared(by(None, recorded), by(NO_CREDENTIALS, recorded)) == []


def test_a_request_without_credentials_is_paired_with_such_a_one() -> None:
    refused, answered = exchanges(("Body=a", 1), ("Body=a", 2))
    recorded = [replace(refused, user=NO_CREDENTIALS), replace(answered, user=ACCOUNT)]
    assert lines(compared(recorded, recorded[1:])) == [
        ("a/1", "exchange", "is only in a, answered 200, with Body=a"),
    ]
