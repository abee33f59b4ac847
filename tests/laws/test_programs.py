"""That random programs are what they are said to be, and that changing places is judged rightly."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from laws.changes import changed, commute, reordered
from laws.clients import Log
from laws.compare import SID
from laws.oracle import told, tolerant
from laws.programs import Op, Style, random_program, threads
from laws.runs import BEGIN, direct, handles_of
from laws.scenes import JOINING, LIVELY, QUIET, TROUBLED, clients, clients_of, joining, program_in, recorded_in
from laws.upstream import Upstream


def ran(seed: int, ops: tuple[Op, ...]) -> Log:
    return direct(Upstream(seed, BEGIN), clients_of(ops), Random(seed), BEGIN)


def test_a_seed_is_one_program() -> None:
    assert random_program(5, Style(reactions=0.3)) == random_program(5, Style(reactions=0.3))
    assert len({random_program(seed, Style()).ops for seed in range(50)}) == 50


def test_programs_do_all_there_is_and_get_all_kinds_of_answers() -> None:
    done: Counter[tuple[str, str]] = Counter()
    got: Counter[int] = Counter()
    for seed in range(150):
        ops = random_program(seed, Style()).ops
        done.update((op.do, op.what) for op in ops)
        got.update(entry.got.status for entry in ran(seed, ops))
    assert len(done) == 15
    assert set(got) == {200, 201, 204, 400, 404, 409}
    assert min(done.values()) > 10


def test_programs_about_who_is_in_what_do_all_there_is_and_get_all_kinds_of_answers() -> None:
    done: Counter[tuple[str, str]] = Counter()
    got: Counter[int] = Counter()
    scene = joining(named=True)
    for seed in range(150):
        ops = program_in(scene, seed).ops
        assert len({op.id for op in ops}) == len(ops)
        done.update((op.do, op.what) for op in ops)
        got.update(entry.got.status for entry in ran(seed, ops))
    assert len(done) == 29
    assert set(got) == {200, 201, 204, 400, 403, 404, 409}
    assert min(*done.values(), *got.values()) >= 10


def test_programs_leave_out_what_they_are_to() -> None:
    scene = joining("list Users", "delete Channels", limits=())
    ops = [op for seed in range(50) for op in program_in(scene, seed).ops]
    assert {("list", "Users"), ("delete", "Channels")}.isdisjoint((op.do, op.what) for op in ops)
    assert not [name for op in ops for name, _ in op.pairs if name == "Limits.UserChannels"]


def test_programs_send_roles_that_answers_have_shown() -> None:
    sent: Counter[int] = Counter()
    for seed in range(60):
        log = ran(seed, program_in(JOINING, seed).ops)
        sent.update(entry.got.status for entry in log if "RoleSid" in dict(entry.call.pairs))
    assert sent[201] > 10
    assert sent[400] > 10


def test_programs_follow_pages() -> None:
    logs = [ran(seed, random_program(seed, Style()).ops) for seed in range(50)]
    assert {"PT2", "PA"} <= {
        entry.call.target.partition("PageToken=")[2][: 3 if "PT" in entry.call.target else 2]
        for log in logs
        for entry in log
    }


def test_programs_react_to_others() -> None:
    touched = Counter(
        entry.call.method
        for seed in range(60)
        for entry in recorded_in(LIVELY, seed)[1].log
        if entry.op.startswith("react") and entry.got.status < 300
    )
    assert set(touched) == {"GET", "POST", "DELETE"}


def test_what_fails_is_repeated_and_what_is_lost_is_recorded() -> None:
    statuses: Counter[int] = Counter()
    gone = 0
    for seed in range(60):
        program, recorded = recorded_in(TROUBLED, seed)
        statuses.update(entry.got.status for entry in recorded.log)
        gone += len(recorded.gone)
        assert len(recorded.exchanges) == len(recorded.log) + len(recorded.gone)
        assert [one.number for one in recorded.exchanges] == list(range(1, len(recorded.exchanges) + 1))
        assert len(program.faults) <= len(program.ops)
    assert gone > 10
    assert all(statuses[status] for status in (429, 500, 503))


def test_requests_in_flight_together_are_recorded_as_such() -> None:
    seeds = range(20)
    found = [recorded_in(TROUBLED, seed)[1].exchanges for seed in seeds]
    assert any(one.answered > other.asked for log in found for one, other in pairwise(log))


@pytest.mark.parametrize("equal", [False, True])
def test_threads_have_messages_of_their_own(equal: bool) -> None:
    found = threads(Random(1), 4, equal=equal)
    assert all(op.target in {one.id for one in ops} for ops in found for op in ops if op.target)
    texts = [op.pairs for ops in found for op in ops if op.do == "create"]
    assert (len(set(texts)) < len(texts)) == equal


def test_a_changed_program_is_another_one() -> None:
    hows: Counter[bool] = Counter()
    for seed in range(200):
        ops = random_program(seed, Style()).ops
        now = changed(Random(seed), ops)
        assert len({op.id for op in now}) == len(now)
        hows[now != ops] += 1
    assert hows[True] > 180


def answers(log: Log, seed: int) -> dict[tuple[str, int], Any]:
    """Return what each operation got, its n-th call by itself, except places among siblings."""
    upstream = Upstream(seed, BEGIN)
    world = upstream.world
    names = {world.account: "account", world.service: "service", upstream.seeds[0]: "seed0"}
    counts: Counter[str] = Counter()
    found = {}
    for entry in log:
        found[entry.op, counts[entry.op]] = (
            entry.got.status,
            tolerant(told(names, entry.got.body, entry.op if entry.got.status == 201 else "")),
        )
        counts[entry.op] += 1
    return found


def paged(op: Op) -> bool:
    return "PageSize" in op.query


def test_calls_that_do_not_touch_each_other_get_the_same_in_any_order() -> None:
    moved = 0
    for seed in range(300):
        ops = tuple(op for op in program_in(QUIET, seed).ops if not paged(op))
        now = reordered(Random(seed), ops)
        moved += now != ops
        assert sorted(op.id for op in now) == sorted(op.id for op in ops)
        assert answers(ran(seed, ops), seed) == answers(ran(seed, now), seed), seed
    assert moved > 200


CREATE = Op("a", "create", "Messages", "seed0", pairs=(("Body", "x"),))
OTHER = replace(CREATE, id="b", pairs=(("Body", "y"),))
FETCH = Op("c", "fetch", "Messages", "seed0", "m")
MEMBER = Op("d", "create", "Members", "seed0", pairs=(("Identity", "x"),))


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        (CREATE, OTHER, True),
        (CREATE, replace(CREATE, id="b"), False),
        (CREATE, FETCH, True),
        (CREATE, MEMBER, True),
        (MEMBER, replace(MEMBER, id="e", pairs=(("Identity", "x"), ("RoleSid", "r"))), False),
        (MEMBER, Op("e", "update", "Members", "seed0", "m", unique="x"), False),
        (MEMBER, Op("e", "update", "Members", "seed0", "m", unique="y"), True),
        (CREATE, replace(FETCH, target="a"), False),
        (CREATE, Op("c", "list", "Messages", "seed0"), False),
        (CREATE, Op("c", "list", "Members", "seed0"), True),
        (CREATE, Op("c", "fetch", "Channels", "seed0"), False),
        (CREATE, Op("c", "list", "Channels"), False),
        (CREATE, Op("c", "delete", "Channels", "seed0"), False),
        (FETCH, Op("c", "delete", "Channels", "seed0"), False),
        (FETCH, Op("e", "update", "Channels", "seed0"), True),
        (FETCH, Op("e", "update", "Messages", "seed0", "m"), False),
        (FETCH, Op("e", "update", "Messages", "seed0", "n"), True),
        (FETCH, FETCH, True),
    ],
)
def test_which_calls_may_change_places(one: Op, other: Op, may: bool) -> None:
    assert commute(one, other) == commute(other, one) == may


def test_programs_run_without_a_proxy_as_with_one() -> None:
    for seed in range(20):
        program, recorded = recorded_in(QUIET, seed)
        log = direct(Upstream(seed, BEGIN), clients(program), Random(seed), BEGIN)
        assert [(one.op, one.got.status) for one in log] == [(one.op, one.got.status) for one in recorded.log]
        assert {len(SID.findall(one.got.body.decode())) for one in log} == {
            len(SID.findall(one.got.body.decode())) for one in recorded.log
        }
        assert handles_of(recorded.upstream)["seed0"] == recorded.upstream.seeds[0]
