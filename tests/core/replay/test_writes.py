import pytest

from chatproxy.core.matching.normal_form import NormalForm, normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import ExchangeNumber, Request
from chatproxy.core.replay.writes import LastWrites, LiveTimelines

CHANNELS = "/v1/Services/IS1/Channels"
MESSAGES = f"{CHANNELS}/CH1/Messages"


def form(method: str, path: str) -> NormalForm:
    return normalize(Request(method, path.encode()), Rules())


def live(*writes: tuple[str, str]) -> LiveTimelines:
    timelines = LiveTimelines()
    for method, path in writes:
        timelines.write(method, path.encode())
    return timelines


def test_before_any_write_nothing_is_live() -> None:
    assert form("GET", MESSAGES) not in live()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reads_change_nothing(method: str) -> None:
    assert form("GET", MESSAGES) not in live((method, MESSAGES))


@pytest.mark.parametrize("written", [("POST", MESSAGES), ("POST", f"{MESSAGES}/IM1"), ("DELETE", f"{MESSAGES}/IM2")])
@pytest.mark.parametrize("path", [MESSAGES, f"{MESSAGES}?Page=1", f"{MESSAGES}/IM1"])
def test_a_write_makes_its_timeline_live(written: tuple[str, str], path: str) -> None:
    assert form("GET", path) in live(written)
    assert form("POST", path) in live(written)


@pytest.mark.parametrize(
    "path", [f"{CHANNELS}/CH2/Messages", f"{CHANNELS}/CH1", CHANNELS, f"{MESSAGES}x", "/v1/Services"]
)
def test_other_timelines_are_not_touched_by_a_message(path: str) -> None:
    assert form("GET", path) not in live(("POST", MESSAGES), ("DELETE", f"{MESSAGES}/IM1"))


def test_a_write_to_a_member_makes_all_below_it_live() -> None:
    timelines = live(("DELETE", f"{CHANNELS}/CH1"))
    for path in (MESSAGES, f"{MESSAGES}/IM1", f"{CHANNELS}/CH1/Members", f"{CHANNELS}/CH2", CHANNELS):
        assert form("GET", path) in timelines
    for path in (f"{CHANNELS}/CH2/Messages", f"{CHANNELS}/CH11/Messages"):
        assert form("GET", path) not in timelines


def test_a_create_in_a_collection_makes_nothing_below_its_members_live() -> None:
    assert form("GET", MESSAGES) not in live(("POST", CHANNELS))


def test_the_last_write_is_that_of_the_timeline_or_of_a_member_above_it() -> None:
    writes = LastWrites()
    for path, number in (
        (f"{MESSAGES}/IM1", 5),
        (MESSAGES, 3),
        (f"{CHANNELS}/CH2", 9),
        (f"{CHANNELS}/CH2/Messages", 2),
    ):
        writes.write(path.encode(), ExchangeNumber(number))
    paths = (MESSAGES, f"{MESSAGES}/IM7", f"{CHANNELS}/CH2/Messages", CHANNELS, f"{CHANNELS}/CH3/Messages", "/v1")
    assert [writes.of(path.encode()) for path in paths] == [5, 5, 9, 9, 0, 0]


def test_a_write_that_was_refused_changed_nothing() -> None:
    timelines = live(("DELETE", f"{CHANNELS}/CH1"))
    timelines.refuse("DELETE", f"{CHANNELS}/CH1".encode())
    for path in (CHANNELS, f"{CHANNELS}/CH1", MESSAGES, f"{MESSAGES}/IM1"):
        assert form("GET", path) not in timelines


def test_what_another_write_changed_stays_so_when_one_is_refused() -> None:
    timelines = live(("POST", MESSAGES), ("POST", MESSAGES), ("DELETE", f"{CHANNELS}/CH1"))
    timelines.refuse("POST", MESSAGES.encode())
    assert form("GET", MESSAGES) in timelines
    timelines.refuse("DELETE", f"{CHANNELS}/CH1".encode())
    assert form("GET", MESSAGES) in timelines
    assert form("GET", f"{CHANNELS}/CH1/Members") not in timelines
    timelines.refuse("POST", MESSAGES.encode())
    assert form("GET", MESSAGES) not in timelines


def test_a_refused_read_changes_nothing() -> None:
    timelines = live(("POST", MESSAGES))
    timelines.refuse("GET", MESSAGES.encode())
    assert form("GET", MESSAGES) in timelines
