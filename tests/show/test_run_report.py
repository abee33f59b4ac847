from chatproxy.core.model import Mode
from chatproxy.core.report.report import RunOutcome, Trouble
from chatproxy.show.run_report import annotations, cases, lines

MISS = Trouble("GET /v1/x", "never recorded, 50 % of it", 2)
ERROR = Trouble("GET /v1/y", "cannot be reached", 1)
UNUSED = {3: "POST /v1/x", 4: "GET /v1/x"}


def outcome(mode: Mode = Mode.REPLAY, **changes: object) -> RunOutcome:
    given = {"counts": {"hit": 1, "miss": 2}, "misses": (MISS,), "errors": (ERROR,), "unused": UNUSED}
    whole = {"exchanges": 4, "unused_total": 2} | given | changes
    return RunOutcome(mode, "talk", **whole)  # type: ignore[arg-type]  # as the fields are


def test_text_has_counts_misses_errors_and_what_was_unused() -> None:
    assert list(lines(outcome())) == [
        "replay talk: 1 hit, 2 miss, 2 of 4 exchanges unused",
        "miss: GET /v1/x: never recorded, 50 % of it (2 times)",
        "error: GET /v1/y: cannot be reached",
        "unused: talk/3 POST /v1/x",
        "unused: talk/4 GET /v1/x",
    ]


def test_misses_that_follow_from_another_are_counted_as_such() -> None:
    follows = Trouble("GET /v1/z", "recorded only after it; follows from the miss of GET /v1/x", 2, "GET /v1/x")
    told = outcome(misses=(MISS, follows), counts={"miss": 4}, following=2)
    assert next(lines(told)) == "replay talk: 4 miss (2 following from another), 2 of 4 exchanges unused"
    assert [case.failure and case.failure[0] for case in cases(told, "npm test", 0, fail_on_unused=False)][1:3] == [
        "miss",
        "miss, follows from the miss of GET /v1/x",
    ]


def test_a_cassette_that_was_made_a_mixture_is_said_to_be_one() -> None:
    mixed = outcome(Mode.AUTO, counts={"hit": 1, "recorded": 1}, misses=(), errors=(), left_out=2)
    assert list(lines(mixed))[:2] == [
        "auto talk: 1 hit, 1 recorded, 2 of 4 exchanges unused",
        "the cassette is no recording of one run any more: this one left out 2 recorded writes, and recorded 1 "
        "exchange; --replace records it anew",
    ]


def test_text_ends_where_much_is_unused() -> None:
    shown = list(lines(outcome(unused=dict.fromkeys(range(30), "GET /"), unused_total=5000, misses=(), errors=())))
    assert len(shown) == 22
    assert shown[-1] == "unused: and 4980 more"


def test_a_recording_has_nothing_unused() -> None:
    recorded = outcome(Mode.RECORD, counts={"recorded": 2}, misses=(), errors=(), unused={}, unused_total=0)
    assert list(lines(recorded)) == ["record talk: 2 recorded"]
    assert [case.name for case in cases(recorded, "true", 0, fail_on_unused=True)] == ["true"]


def test_a_run_without_requests_asks_whether_the_address_was_used() -> None:
    (first, *_) = lines(outcome(counts={}))
    assert first == "replay talk: no request came (does the command use CHATPROXY_URL?), 2 of 4 exchanges unused"


def test_a_replay_without_requests_says_how_that_is_allowed_where_it_fails() -> None:
    nothing = outcome(counts={}, misses=(), errors=(), unused={}, unused_total=0)
    idle = "no request came to the replay; --allow-idle takes that for a success"
    assert list(lines(nothing, is_idle=True))[1:] == [f"error: {idle}"]
    (case,) = cases(nothing, "true", 0, fail_on_unused=False, is_idle=True)
    assert case.failure is not None
    assert case.failure[0] == idle
    assert f"error: {idle}" in case.failure[1]
    assert list(annotations(nothing, is_idle=True)) == [f"::error title=chatproxy::talk: {idle}"]
    assert list(annotations(nothing)) == []


def test_a_run_without_requests_asks_for_the_variables_by_which_the_proxy_is_found() -> None:
    (first, *_) = lines(outcome(counts={}), "HTTPS_PROXY or HTTP_PROXY")
    assert first.startswith("replay talk: no request came (does the command use HTTPS_PROXY or HTTP_PROXY?), ")


def test_cases_are_the_command_each_trouble_and_what_was_unused() -> None:
    whole = list(cases(outcome(), "npm test", 1, fail_on_unused=False))
    assert [(case.name, case.failure and case.failure[0], case.skipped) for case in whole] == [
        ("npm test", "exit status 1", None),
        ("GET /v1/x", "miss", None),
        ("GET /v1/y", "error", None),
        ("talk/3 POST /v1/x", None, "never served"),
        ("talk/4 GET /v1/x", None, "never served"),
    ]
    failing = list(cases(outcome(), "npm test", 0, fail_on_unused=True))
    assert failing[0].failure is None
    assert [case.failure is not None for case in failing[3:]] == [True, True]


def test_a_miss_is_an_annotation_whose_text_breaks_no_command() -> None:
    broken = outcome(misses=(MISS, Trouble("GET /\r\n::set-env", "x", 1)))
    assert list(annotations(broken)) == [
        "::error title=chatproxy%3A miss in talk::GET /v1/x: never recorded, 50 %25 of it (2 times)",
        "::error title=chatproxy%3A miss in talk::GET /\\r\\n::set-env: x",
    ]


def test_law_2_what_was_assumed_comes_before_the_misses() -> None:
    shown = list(lines(outcome(assumed={"CH2": "CH1"}, errors=(), unused={}, unused_total=0)))
    assert shown[1:3] == ["assumed: CH2=CH1", "miss: GET /v1/x: never recorded, 50 % of it (2 times)"]
