"""Ranks and seconds together: programs that compare dates do in a replay what they did when they were recorded."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from core.cursors import BEGIN, PATH, Bot, Channel, Replay, cursor, others, record
from core.timeline.second import MODEL, model
from exchanges import numbered
from profiles import many

from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, Request, Response
from chatproxy.core.sharing.canonical import Canonical, numbered_sids
from chatproxy.core.time.dates import date_fields
from chatproxy.core.time.instants import Instants
from chatproxy.core.time.timestamps import SECOND, Spelling, spell_instant

KEPT, MOCKED = (lambda pause: pause), (lambda _: 0.0)


@pytest.mark.parametrize("kind", ["read", "own", "bot"])
def test_law_7_a_program_that_remembers_the_last_date_takes_what_it_took(kind: str) -> None:
    for seed in range(many(34)):
        random = Random(seed)
        pause, ahead = random.choice([0.5, 1.1, 2.0, 3.0]), random.choice([0, 0, 5, -3600])
        taken: list[list[str]] = []
        exchanges = record(Channel(others(random), ahead), cursor(kind, 6, pause, taken), random)
        for wait in (KEPT, MOCKED):
            again: list[list[str]] = []
            Replay(exchanges).run(cursor(kind, 6, pause, again), wait)
            assert again == taken, (seed, pause)


def test_law_7_what_others_write_is_taken_once_in_each_poll() -> None:
    taken: list[list[str]] = []
    writes = [(BEGIN + 1.5, "hi 0"), (BEGIN + 3.5, "hi 1"), (BEGIN + 5.5, "hi 2")]
    exchanges = record(Channel(writes), cursor("read", 3, 2.0, taken), Random(1))
    again: list[list[str]] = []
    Replay(exchanges).run(cursor("read", 3, 2.0, again), MOCKED)
    assert again == taken == [["hi 0"], ["hi 1"], ["hi 2"]]


def updates(pause: float, seen: list[bool]) -> Bot:
    _, made, _ = yield 0, "POST", PATH, {"Body": "a"}
    last = made["date_created"]
    for body in "bc":
        _, changed, _ = yield pause, "POST", f"{PATH}/{made['sid']}", {"Body": body}
        seen.append(changed["date_updated"] > last)
        last = changed["date_updated"]
        _, fetched, _ = yield 0, "GET", f"{PATH}/{made['sid']}", {}
        seen.append(fetched["date_updated"] == last and fetched["date_created"] == made["date_created"])


def test_law_7_an_update_after_a_pause_is_later_than_what_it_changes() -> None:
    for seed in range(20):
        seen: list[bool] = []
        exchanges = record(Channel([]), updates(3, seen), Random(seed))
        for wait in (KEPT, MOCKED):
            again: list[bool] = []
            Replay(exchanges).run(updates(3, again), wait)
            assert again == seen == [True] * 4


def since(polls: int, taken: list[list[str]]) -> Bot:
    """Ask for what is later than the last date seen, and note in the first message what that was."""
    _, made, _ = yield 0, "POST", PATH, {"Body": "begin"}
    last = made["date_created"]
    for _ in range(polls):
        status, content, _ = yield 2.0, "GET", f"{PATH}?Since={last.replace(':', '%3A')}", {}
        assert status == 200, content
        assert content["meta"]["url"] == f"{PATH}?Since={last.replace(':', '%3A')}"
        taken.append([one["body"] for one in content["messages"]])
        last = max([last, *(one["date_created"] for one in content["messages"])])
        form = {"Attributes": json.dumps({"seen": last})}
        status, changed, _ = yield 0, "POST", f"{PATH}/{made['sid']}", form
        assert (status, changed["attributes"]) == (200, form["Attributes"]), changed
        status, fetched, _ = yield 0, "GET", f"{PATH}/{made['sid']}", {}
        assert (status, fetched["attributes"]) == (200, form["Attributes"])


def test_law_7_a_time_that_a_client_sends_back_is_turned_back_and_stands_where_it_is_repeated() -> None:
    for seed in range(many(10)):
        random = Random(seed)
        taken: list[list[str]] = []
        exchanges = record(Channel(others(random)), since(5, taken), random)
        naming = numbered_sids(frozenset({"IS", "CH", "IM"}))
        shared = list(Canonical(MemoryCassette("a", exchanges, Rules()), Rules(), naming).exchanges())
        for wait in (KEPT, MOCKED):
            for source in (exchanges, shared):
                again: list[list[str]] = []
                Replay(source).run(since(5, again), wait)
                assert again == taken, seed


def test_law_7_a_time_that_stands_for_several_with_other_answers_is_a_miss_that_says_so() -> None:
    def ask(answered: list[Any]) -> Bot:
        _, one, _ = yield 0, "POST", PATH, {"Body": "a"}
        _, other, _ = yield 0, "POST", PATH, {"Body": "b"}
        for made in (one, other):
            status, content, _ = yield 0.5, "GET", f"{PATH}?Since={made['date_created']}", {}
            answered.append((status, content))

    recorded: list[Any] = []
    exchanges = record(Channel([]), ask(recorded), Random(4), (0.6, 0.8))
    assert [len(content["messages"]) for _, content in recorded] == [1, 0]
    again: list[Any] = []
    Replay(exchanges).run(ask(again), MOCKED)
    assert [status for status, _ in again] == [424, 424]
    assert "a time that this replay served stands for several recorded ones" in again[0][1]["message"]


def test_a_time_that_is_sent_back_in_another_state_misses_for_that_and_not_for_the_time() -> None:
    def ask(answered: list[Any], *, late: bool) -> Bot:
        _, one, _ = yield 0, "POST", PATH, {"Body": "a"}
        yield 2, "GET", f"{PATH}?Since={BEGIN_TEXT}", {}
        if late:
            yield 2, "POST", PATH, {"Body": "b"}
        since = one["date_created"]
        status, content, _ = yield 2, "GET", f"{PATH}?Since={since}", {}
        answered.append((status, content))
        status, content, _ = yield 0, "GET", f"{PATH}?Since={since}&Order=desc", {}
        answered.append((status, content))
        if not late:
            yield 2, "POST", PATH, {"Body": "b"}

    exchanges = record(Channel([]), ask([], late=False), Random(4))
    again: list[Any] = []
    Replay(exchanges[:3] + exchanges[4:]).run(ask(again, late=True), MOCKED)
    assert [status for status, _ in again] == [424, 424]
    assert "recorded only before" in again[0][1]["message"]
    (lines,) = (content["message"].partition(", where ")[2] for _, content in again[1:])
    assert lines == "query parameter 'Order' is absent where this has 'desc'"


BEGIN_TEXT = "2025-12-29T00:00:00Z"


def creates(count: int, pause: float) -> Bot:
    for number in range(count):
        yield pause, "POST", PATH, {"Body": f"{number}"}


@pytest.mark.parametrize(
    ("count", "pause", "most", "mocked"),
    [(20, 0.0, 0, 0), (20, 0.15, 0, 0), (10, 1.0, 1, 9)],
    ids=["quick", "slow", "paused"],
)
def test_law_7_the_clock_runs_ahead_by_a_second_for_each_rank_that_a_replay_does_not_wait_for(
    count: int, pause: float, most: int, mocked: int
) -> None:
    ranks = set()
    for seed in range(20):
        exchanges = record(Channel([]), creates(count, pause), Random(seed), (0.15, 0.25))
        for wait, bound in ((KEPT, most), (MOCKED, mocked)):
            replay = Replay(exchanges)
            replay.run(creates(count, pause), wait)
            assert replay.ahead <= bound
        ranks.add(str([found for found, _ in ranked(exchanges)]))
    assert len(ranks) == 1


def ranked(exchanges: list[Exchange]) -> Iterator[tuple[list[int], Exchange]]:
    """Yield the ranks that each answer shows."""
    instants = Instants()
    for exchange in exchanges:
        instants.learn(exchange)
    instants.settle()
    for exchange in exchanges:
        yield [instants.of(found.known_by, exchange).rank for found in date_fields(exchange)], exchange


# A second opinion, where there is one: rough code with which the laws were tried, which shares nothing with the package


def shown(one: Any) -> Any:
    """Spell the seconds of an object of the model's."""
    if one is None or "items" not in one:
        return one and {
            name: spell_instant(value * SECOND, Spelling(0)).decode() if name.startswith("date_") else value
            for name, value in one.items()
        }
    return {
        "meta": {"next_page_url": "https://x/2" if one["more"] else None},
        "items": [shown(each) for each in one["items"]],
    }


def taken_over(number: int, one: dict[str, Any]) -> Exchange:
    """Return an exchange of the model's as one of ours."""
    path = "/v1/" + "/".join(one["path"])
    response = Response(
        one["status"], b"", ((b"Content-Type", b"application/json"),), json.dumps(shown(one["answer"])).encode()
    )
    return numbered(
        number, Request(one["method"], path.encode(), body=b"a=b"), response, "https://x", one["asked"], one["answered"]
    )


@pytest.mark.skipif(MODEL is None, reason="the model of the laws is not beside the repository")
def test_law_7_ranks_are_those_of_the_model() -> None:
    recording, compiling, changing, serving = (model(name) for name in ("record", "compile", "test_b", "server"))
    compared = 0
    for seed in range(many(30)):
        random = Random(seed)
        start = 1_000_000 + random.random() * 1000
        changes = changing.others(random, random.randrange(7), start, 25)
        server = serving.Server(seed, start=start, others=changes)
        client = recording.client(
            recording.random_ops(random, random.randrange(4, 20), "p"), {"seed0": next(iter(server.ch))}, []
        )
        recorded = recording.run(server, [client], random)
        compiled = compiling.compile(recorded)
        exchanges = [taken_over(number, one) for number, one in enumerate(compiled.ex, 1)]
        for (ranks, _), one in zip(ranked(exchanges), compiled.ex, strict=True):
            expected = [
                compiled.inst[found].rank if found in compiled.inst else found[1] - int(compiled.begin)
                for found in one["ids"].values()
            ]
            assert ranks == expected, seed
            compared += len(ranks)
    assert compared > 100
