import json
from random import Random

import pytest
from core.scenarios import Recording, Step, scenarios
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.core.errors import CassetteError
from chatproxy.core.model import ExchangeNumber
from chatproxy.core.report.coverage import Covered, coverage_json, merged, never_run, read_coverage

RECORDING = {"last": 4, "digest": "d"}


def covered(*unused: int, file: str | None = "talk.json", digest: str = "d", cassette: str = "talk") -> Covered:
    requests = {ExchangeNumber(number): f"GET /{number}" for number in unused}
    return Covered(cassette, file, {"last": 4, "digest": digest}, 4, frozenset(requests), requests, misses=1)


def report(**changes: object) -> dict[str, object]:
    return {
        "mode": "replay",
        "cassette": "talk",
        "file": "talk.json",
        "totals": {"hit": 2, "miss": 1},
        "served": 2,
        "unused": [3, 4],
        "unused_total": 2,
        "unused_requests": {"3": "GET /3", "4": "GET /4"},
        "recording": RECORDING,
    } | changes


def fixture(**changes: object) -> dict[str, object]:
    return report() | {"runs": 1, "misses": 0, "exchanges": 4} | changes


def test_a_report_of_one_run_is_read() -> None:
    assert read_coverage(report(), "r.json") == [covered(3, 4)]


def test_a_run_that_replays_nothing_covers_nothing() -> None:
    assert read_coverage(report(mode="record"), "r.json") == []


def test_what_several_runs_left_unused_is_what_all_left() -> None:
    (whole,) = merged([covered(1, 2, 3), covered(2, 3, 4), covered(3)])
    assert (whole.runs, whole.misses) == (3, 3)
    assert whole.unused == whole.requests.keys() == {3}


def test_files_come_in_their_order_and_a_cassette_of_the_store_by_its_name() -> None:
    stored = covered(file=None, cassette="b", digest="b")
    found = merged([covered(file="z.json"), stored, covered(file="a.json", digest="a")])
    assert [one.shown for one in found] == ["a.json", "b", "z.json"]


def test_a_recording_is_one_by_whatever_path_it_was_replayed() -> None:
    (whole,) = merged([covered(1, file=None), covered(1, 2)])
    assert whole.file == "talk.json"
    assert whole.unused == {1}


def test_two_recordings_of_one_file_are_refused() -> None:
    with pytest.raises(CassetteError, match=r"talk\.json: was recorded anew between these runs"):
        merged([covered(1), covered(1, digest="other")])


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        report(totals=None),
        report(recording={}),
        report(unused=["x"]),
        report(unused_requests=[]),
        {"fixtures": None},
        {"fixtures": [{}]},
        {"fixtures": [3]},
        {"fixtures": [fixture(exchanges=float("inf"))]},
        {"fixtures": [fixture(recording={"last": float("inf"), "digest": ""})]},
    ],
    ids=str,
)
def test_what_is_no_report_is_refused_at_its_place(content: object) -> None:
    with pytest.raises(CassetteError, match=r"r\.json: is no report of a run"):
        read_coverage(content, "r.json")


@pytest.mark.parametrize("file", [[], {}, [[]], 1])
def test_a_file_is_a_text_whatever_a_report_has_for_it(file: object) -> None:
    (one,) = merged(read_coverage({"fixtures": [fixture(file=file)]}, "r.json"))
    assert one.shown == str(file)


@given(st.lists(st.frozensets(st.integers(1, 4)), min_size=1), st.integers(0, 5))
def test_law_merging_in_parts_is_merging_at_once(unused: list[frozenset[int]], place: int) -> None:
    runs = [covered(*sorted(one)) for one in unused]
    parts = [merged(runs[:place]), merged(runs[place:])]
    again = [one for part in parts for one in read_coverage(json.loads(json.dumps(coverage_json(part))), "x")]
    assert merged(again) == merged(runs)


@given(scenarios, st.randoms())
def test_law_a_file_that_no_run_used_is_wholly_unused(scenario: list[list[Step]], random: Random) -> None:
    cassette = Recording(random).run(scenario).cassette()
    whole = never_run(cassette, "c.json")
    assert whole.unused == set(cassette.numbers()) == whole.requests.keys()
    assert (whole.runs, whole.exchanges) == (0, len(cassette.numbers()))
