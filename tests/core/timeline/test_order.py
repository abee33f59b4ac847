from chatproxy.core.model import NO_EXCHANGE, ExchangeNumber, Standing
from chatproxy.core.timeline.epochs import Place
from chatproxy.core.timeline.order import groups
from chatproxy.core.timeline.traces import Trace


def one(
    number: int, kind: str = "GET /a", *, asked: int | None = None, query: bytes = b"", opens: bool = False
) -> Trace:
    moment = number if asked is None else asked
    return Trace(
        ExchangeNumber(number), moment, number, NO_EXCHANGE, kind[:4].strip(), b"/a", kind, query, b"", 200, opens
    )


def ordered(traces: list[Trace], places: list[tuple[int, int]]) -> list[list[int]]:
    found = groups(traces, [Place(timeline, 0, epoch) for timeline, epoch in places])
    return [[each.number for each in group] for group in found]


def test_timelines_come_by_their_first_use_whatever_was_answered_first() -> None:
    assert ordered([one(1, asked=5), one(2, asked=4), one(3, asked=9)], [(0, 0), (1, 0), (0, 1)]) == [[2], [1], [3]]


def test_the_write_that_opens_an_epoch_comes_first_and_the_rest_by_shape() -> None:
    traces = [
        one(1, "GET /b"),
        one(2, "GET /a", query=b"B"),
        one(3, "GET /a", query=b"A"),
        one(4, "POST /a", opens=True),
        one(5, "POST /a"),
    ]
    assert ordered(traces, [(0, 1)] * 5) == [[4], [3], [2], [1], [5]]
    assert ordered([one(6), *traces], [(0, 0), *[(0, 1)] * 5]) == [[6], [4], [3], [2], [1], [5]]


def test_exchanges_of_one_shape_come_together() -> None:
    assert ordered([one(1), one(2), one(3)], [(0, 0), (0, 0), (0, 1)]) == [[1, 2], [3]]


def test_a_canonical_fixture_is_in_its_order() -> None:
    traces = [one(1, "GET /b"), one(2, "GET /a")]
    for trace in traces:
        trace.standing = Standing(0)
    assert ordered(traces, [(0, 0), (0, 0)]) == [[1], [2]]
    assert ordered([], []) == []
