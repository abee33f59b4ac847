"""That what is right is found right, on an upstream without a proxy, and what is forged is found wrong."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import pytest
from laws.agents import PYTHON
from laws.changes import changed
from laws.clients import Entry, Log
from laws.compare import DATE, Times, backwards, difference, exchange_of, times, versions
from laws.oracle import Judge, claim, untrue
from laws.programs import Handles, Op
from laws.resources import SECOND
from laws.runs import BEGIN, Recorded, direct, handles_of
from laws.scenes import QUIET, clients, clients_of, program_in, recorded_in
from laws.traffic import Call, Got
from laws.twice import sides
from laws.upstream import Upstream

LATER = BEGIN + 10**9 * SECOND


def again(seed: int, ops: tuple[Op, ...] | None = None) -> tuple[Recorded, Log, Handles, str]:
    """Record a program, and run it or another one on an upstream of the same state."""
    program, recorded = recorded_in(QUIET, seed)
    upstream = Upstream(seed + 1, LATER)
    log = direct(upstream, clients(program) if ops is None else clients_of(ops), Random(seed), LATER)
    return recorded, log, handles_of(upstream), upstream.world.account


def test_two_runs_on_equal_state_are_equal() -> None:
    for seed in range(60):
        recorded, log, *_ = again(seed)
        assert difference(recorded.log, log, PYTHON.address, PYTHON.address) is None
        assert backwards(log, versions(recorded.log, map(exchange_of, recorded.log))) is None


def test_a_fresh_upstream_gives_what_a_fresh_upstream_gives() -> None:
    for seed in range(150):
        recorded, log, known, account = again(seed, changed(Random(seed), program_in(QUIET, seed).ops))
        judge = Judge(recorded, known, account, seed + 2)
        assert judge.judge(log) is None
        assert set(judge.counts) <= {"same"}


def forged(log: Log, change: Callable[[str], str]) -> Log:
    """Return a log of which the first answer that a change concerns is changed."""
    for nth, entry in enumerate(log):
        text = entry.got.body.decode()
        if change(text) != text:
            return [*log[:nth], replace(entry, got=replace(entry.got, body=change(text).encode())), *log[nth + 1 :]]
    return log


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"was_edited": true', '"was_edited": false'),
        ('"messages_count": 3', '"messages_count": 2'),
        ('"next_page_url": null', '"next_page_url": "more"'),
        ('"code": 20404', '"code": 50500'),
        ('"from": "phone"', '"from": "system"'),
    ],
)
def test_a_forged_answer_is_found(old: str, new: str) -> None:
    found = 0
    for seed in range(40):
        recorded, log, known, account = again(seed)
        wrong = forged(log, lambda text: text.replace(old, new, 1))
        if wrong is log:
            continue
        found += 1
        assert difference(recorded.log, wrong, PYTHON.address, PYTHON.address)
        assert Judge(recorded, known, account, seed + 2).judge(wrong)
    assert found > 3


def test_a_place_among_siblings_is_no_wrong_answer_and_is_counted() -> None:
    recorded, log, known, account = again(1)
    judge = Judge(recorded, known, account, 3)
    assert judge.judge(forged(log, lambda text: text.replace('"index": 2', '"index": 5'))) is None
    assert judge.counts["places"] == 1


def moved(log: Log, by: Callable[[str], str]) -> Log:
    """Return a log whose times are other ones."""
    return [
        replace(entry, got=replace(entry.got, body=DATE.sub(lambda one: by(one[0]), entry.got.body.decode()).encode()))
        for entry in log
    ]


def test_times_may_be_others() -> None:
    for seed in range(30):
        recorded = recorded_in(QUIET, seed)[1]
        log, begin, pauses = recorded.log, recorded.first_second, recorded.pauses()
        later = moved(log, lambda date: date.replace("2026", "2031"))
        for other in (log, later):
            assert times(log, other, begin, pauses) == Times(0, 0, 0, 0, 0)


def test_times_that_are_turned_round_or_one_where_they_were_two_are_found() -> None:
    found: Counter[str] = Counter()
    for seed in range(30):
        recorded = recorded_in(QUIET, seed)[1]
        log, begin, pauses = recorded.log, recorded.first_second, recorded.pauses()
        dates = sorted(set(DATE.findall(" ".join(entry.got.body.decode() for entry in log))))
        turned = dict(zip(dates, reversed(dates), strict=True))
        found["reversed"] += times(log, moved(log, turned.__getitem__), begin).reversed > 0
        one = moved(log, dict.fromkeys(dates, max(dates, default="")).__getitem__)
        found["merged"] += times(log, one, begin).merged > 0
        found["lost"] += times(log, one, begin, pauses).lost > 0
        found["aged"] += times(log, one, begin).aged > 0
        later = moved(log, lambda date: date.replace("2026", "2031"))
        found["unstable"] += times([*log, *log], [*log, *later], begin).unstable > 0
    assert all(found[name] > 5 for name in ("reversed", "merged", "lost", "aged", "unstable"))


def told(number: int, method: str, target: str, status: int, body: object) -> Entry:
    headers = ((b"x-chatproxy-exchange", b"laws/%d" % number),)
    return Entry(str(number), number, Call(method, target), Got(status, headers, json.dumps(body).encode(), number))


@pytest.mark.parametrize(
    ("served", "unstable", "turned"),
    [
        ((5, 5, 5, 5), 0, 0),
        ((5, 5, 6, 6), 0, 0),
        ((5, 6, 6, 6), 1, 0),
        ((5, 5, 6, 5), 1, 0),
        ((6, 6, 6, 5), 1, 1),
        ((6, 6, 5, 5), 0, 1),
    ],
)
def test_two_updates_within_a_second_may_be_seconds_apart_but_each_is_one(
    served: tuple[int, ...], unstable: int, turned: int
) -> None:
    def log(dates: Sequence[int]) -> Log:
        methods = ("POST", "GET", "POST", "GET")
        shown = [{"sid": "IM1", "date_updated": f"2026-01-01T00:00:0{second}Z"} for second in dates]
        found = [
            told(nth, method, "/v1/IM1", 200, one) for nth, (method, one) in enumerate(zip(methods, shown, strict=True))
        ]
        return [replace(one, call=replace(one.call, pairs=(("Body", "x"),))) for one in found]

    found = times(log((1, 1, 1, 1)), log(served), 0)
    assert (found.unstable, found.reversed) == (unstable, turned)


def test_what_goes_back_in_time_is_found() -> None:
    path = "/v1/Services/IS1/Channels/CH1/Messages"
    one = {"sid": "IM1", "body": "a", "url": f"https://chat.twilio.com{path}/IM1"}
    meta = {"key": "messages", "page": 0, "next_page_url": None}
    log = [
        told(1, "GET", f"{path}/IM1", 200, one),
        told(2, "GET", f"{path}/IM1", 200, one | {"body": "b"}),
        told(3, "GET", path, 200, {"meta": meta, "messages": []}),
        told(4, "GET", f"{path}/IM1", 404, {"code": 20404}),
    ]
    known = versions(log, range(1, 5))
    for right in ([0, 0, 1, 1, 2, 3], [0, 2], [1, 3], [3, 2]):
        assert backwards([log[nth] for nth in right], known) is None
    for wrong in ([1, 0], [2, 1], [3, 0]):
        assert backwards([log[nth] for nth in wrong], known)


def missed(entry: Entry, why: str) -> Entry:
    return replace(entry, got=Got(424, (), json.dumps({"message": f"{entry.call.method}: {why}"}).encode(), 0))


def test_a_reason_that_is_not_true_is_found() -> None:
    recorded = recorded_in(QUIET, 1)[1]
    first = recorded.log[0]
    never = replace(first, call=replace(first.call, target=f"{first.call.target}x"))
    for log, true in (
        ([missed(first, "never recorded; nearest is")], False),
        ([missed(never, "never recorded; nearest is")], True),
        ([missed(first, "the one recorded answer is used")], False),
        ([*recorded.log, missed(first, "all 1 recorded answers are used")], True),
        ([missed(first, "recorded only before another's change")], True),
    ):
        assert (untrue(recorded, log, recorded.known) is None) == true
    assert claim(missed(first, "recorded only before another's change")) == "others"


def test_changes_by_others_have_their_sides_of_seconds() -> None:
    upstream = Upstream(1, 0)
    upstream.changes = [(False, 1), (True, 2), (False, 2), (False, 3)]
    assert sides(upstream) == [[-1], [0], [0], [1]]
