import pytest
from core.recordings import Step_, get, message, post, recorded, session, sid
from exchanges import numbered
from strategies import MESSAGES, UPSTREAM

from chatproxy.core.cassette.cassette import numbers_around
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import NO_CREDENTIALS, Exchange, ExchangeNumber, RecordedSid, Request, Response
from chatproxy.core.replay.bindings import Bindings, Choice
from chatproxy.core.replay.explain import explain, miss_reason
from chatproxy.core.replay.nearness import nearest
from chatproxy.core.replay.player import play_request
from chatproxy.core.replay.session import Session

RULES = Rules()
CHANNELS = b"/v1/Services/IS" + b"1" * 32 + b"/Channels"


def fresh(*steps: Step_, choice: Choice | None = None) -> Session:
    cassette = MemoryCassette("tour", recorded(*steps), RULES)
    return Session(cassette, RULES, sids=Bindings(cassette, choice))


def near(replay: Session, request: Request) -> list[int]:
    return [one.number for one in explain(replay, request).nearest]


def reason_of(replay: Session, live: Request) -> str:
    return miss_reason(replay, play_request(replay, live, NO_CREDENTIALS))[0]


@pytest.mark.parametrize(
    ("bodies", "sent", "number"),
    [
        ([b"Body=Order+1200", b"Body=Order+1234+was+shipped", b"Body=Sent"], b"Body=Order+1235+was+shipped", 2),
        ([b"Body=one", b"Body=two"], b"Body=Two", 2),
        ([b"Body=a&From=b", b"Body=Good+day&From=c"], b"Body=Good+night&From=b", 1),
        ([b"Body=a", b"Body=b&From=me"], b"Body=c&From=me", 2),
        ([b"Body=", b"Body=b"], b"Body=c", 1),
    ],
)
def test_the_nearest_is_that_whose_texts_are_most_alike(bodies: list[bytes], sent: bytes, number: int) -> None:
    replay = session(*(post(MESSAGES, body) for body in bodies))
    assert near(replay, post(MESSAGES, sent))[0] == number


def test_of_equals_one_that_is_not_used_is_the_nearest() -> None:
    replay = session((post(MESSAGES, b"Body=a"), 201, sid("IM", 1)), (post(MESSAGES, b"Body=b"), 201, sid("IM", 2)))
    assert near(replay, post(MESSAGES, b"Body=c")) == [1, 2]
    play_request(replay, post(MESSAGES, b"Body=a"), NO_CREDENTIALS)
    assert near(replay, post(MESSAGES, b"Body=c")) == [2, 1]


@pytest.mark.parametrize("name", [b"test-2", b"", b"ch" + b"2" * 32, b"CH" + b"2" * 31, b"IS" + b"2" * 32])
def test_a_path_that_differs_in_a_name_is_near(name: bytes) -> None:
    replay = session(get(CHANNELS + b"/test-1/Messages"))
    assert near(replay, get(CHANNELS + b"/" + name + b"/Messages")) == [1]


def test_another_collection_or_method_is_not_near() -> None:
    replay = session(get(CHANNELS + b"/a/Messages"), post(CHANNELS + b"/a/Members", b""))
    assert near(replay, get(CHANNELS + b"/a/Members")) == []


def test_a_sid_for_which_nothing_stands_is_no_difference_from_one_like_it() -> None:
    replay = fresh(
        get(CHANNELS + b"/CH" + b"1" * 32 + b"/Messages"),
        get(CHANNELS + b"/CH" + b"2" * 32 + b"/Messages"),
        post(CHANNELS + b"/CH" + b"2" * 32 + b"/Messages", b"Body=b&To=CH" + b"2" * 32),
        choice=Choice(assumes=False),
    )
    unknown = b"/v1/Services/IS" + b"9" * 32 + b"/Channels/CH" + b"3" * 32 + b"/Messages"
    assert [one.differences for one in explain(replay, get(unknown + b"?a=1")).nearest] == [
        ["query parameter 'a' is absent where this has '1'"]
    ] * 2
    (line,) = explain(replay, post(unknown, b"Body=c&To=CH" + b"3" * 32)).nearest[0].differences
    assert line == "form field 'Body' is 'b' where this has 'c'"
    (line,) = explain(replay, post(unknown, b"Body=b&To=CH" + b"4" * 32)).nearest[0].differences
    assert line == f"form field 'To' is 'CH{'3' * 32}' where this has 'CH{'4' * 32}'"


def test_a_sid_in_a_text_alone_is_aligned_likewise() -> None:
    replay = fresh(
        get(CHANNELS + b"/CH" + b"5" * 32), post(MESSAGES, b"Body=see+CH" + b"5" * 32), choice=Choice(assumes=False)
    )
    form = normalize(post(MESSAGES, b"Body=see+CH" + b"6" * 32 + b"&a=1"), RULES)
    assert nearest(replay, form, NO_CREDENTIALS)[0].differences == ["form field 'a' is absent where this has '1'"]


def test_a_sid_for_which_nothing_stands_is_told_where_nothing_else_differs() -> None:
    replay = fresh(get(CHANNELS + b"/CH" + b"5" * 32), post(MESSAGES, b"Body=see+CH" + b"5" * 32))
    reason = reason_of(replay, post(MESSAGES, b"Body=see+CH" + b"6" * 32))
    assert reason.endswith(f"where form field 'Body' is 'see CH{'5' * 32}' where this has 'see CH{'6' * 32}'")


def test_sids_are_told_as_the_client_sent_them() -> None:
    made = (post(MESSAGES, b"Body=a"), 201, sid("IM", 1)), (post(MESSAGES, b"Body=b"), 201, sid("IM", 2))
    replay = fresh(*made, get(message(1)))
    first, second = (replay.sids.to_live(RecordedSid(sid("IM", digit).encode())) for digit in (1, 2))
    assert reason_of(replay, get(MESSAGES + b"/" + second)) == (
        f"never recorded; nearest is {replay.cassette.name}/3, where the segment after 'Messages' is "
        f"'{first.decode()}' where this has '{second.decode()}'"
    )


class Counting(MemoryCassette):
    """A cassette that counts how many exchanges are read."""

    read_exchanges = 0

    def exchange(self, number: int) -> Exchange:
        self.read_exchanges += 1
        return super().exchange(ExchangeNumber(number))


def counting(bodies: list[bytes]) -> Counting:
    exchanges = [
        numbered(number, post(MESSAGES, body), Response(200), UPSTREAM, 2 * number, 2 * number, number - 1)
        for number, body in enumerate(bodies, 1)
    ]
    cassette = Counting("tour", exchanges, RULES)
    cassette.read_exchanges = 0
    return cassette


def test_nearness_is_as_cheap_for_a_large_cassette() -> None:
    cassette = counting([b"Body=%d" % number for number in range(10_000)])
    assert len(explain(Session(cassette, RULES), post(MESSAGES, b"Body=x")).nearest) == 3
    assert cassette.read_exchanges <= 700


def test_no_more_large_bodies_are_looked_into_than_can_be_in_a_moment() -> None:
    cassette = counting([b"Body=%d" % number + b"x" * 900_000 for number in range(9)])
    assert "nearest is tour/" in reason_of(Session(cassette, RULES), post(MESSAGES, b"Body=x"))
    assert cassette.read_exchanges <= 6


@pytest.mark.parametrize("number", [1, 2, 300, 999, 1000, 5000])
def test_what_is_compared_stands_around_where_the_session_stands(number: int) -> None:
    cassette = MemoryCassette("tour", recorded(*[get(MESSAGES)] * 1000), RULES)
    found = list(numbers_around(cassette, normalize(get(MESSAGES), RULES).route, ExchangeNumber(number)))
    low, high = max(1, number - 250), min(1000, number + 249)
    assert found == list(range(min(low, 751), high + 1))


@pytest.mark.parametrize("body", [b"Body=" + b"a" * 1_000_001, b"&".join(b"a%d=" % nth for nth in range(2001))])
def test_a_large_request_is_not_compared_and_its_miss_says_so(body: bytes) -> None:
    replay = session(post(MESSAGES, b"Body=a"))
    assert near(replay, post(MESSAGES, body)) == []
    assert reason_of(replay, post(MESSAGES, body)) == (
        f"never recorded in cassette {replay.cassette.name!r}; it is too large to be compared with what was"
    )
