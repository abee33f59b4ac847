import resource
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import orjson
import pytest
from integration.asking import FORM, MESSAGES, Answer, ask, basic
from integration.processes import PATIENCE, Server, Workplace
from profiles import many

from chatproxy.store import Store

pytestmark = pytest.mark.process

CLIENTS = 32
MOMENTS = (1, 60, 400) if many(1) == 1 else range(1, 601, 3)
"""After how many answers a recorder is killed: three times, or two hundred times."""


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Workplace(tmp_path_factory.mktemp("upstream")).sandbox() as upstream:
        yield upstream


@dataclass
class Crowd:
    """Clients that write through a recorder, each one message after another, until they are told to stop."""

    url: str
    bodies: list[str] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    failures: list[Exception] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def client(self, number: int) -> None:
        for count in range(1_000_000):
            if self.over.is_set():
                return
            body = f"client {number}, message {count}"
            try:
                self.answers[body] = ask(self.url, "POST", MESSAGES, {"Body": body})
            except (OSError, HTTPException) as error:  # the recorder is gone
                self.failures.append(error)
                return

    def wait_for(self, count: int) -> None:
        until = time.monotonic() + PATIENCE
        while len(self.answers) < count:
            assert not self.failures
            assert time.monotonic() < until
            time.sleep(0.001)


def kept(store: Path, name: str) -> dict[str, str]:
    """Return what the reopened store has: the sid of each message by the exchange's mark."""
    with closing(Store(store)) as opened:
        return {
            f"{name.partition('.partial')[0]}/{exchange.number}": orjson.loads(exchange.response.body)["sid"]
            for exchange in opened.exchanges(name)
        }


def told(answer: Answer) -> tuple[str | None, str]:
    return answer.header("x-chatproxy-exchange"), orjson.loads(answer.body)["sid"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_a_client_has_seen_survives_a_kill(place: Workplace, upstream: Server, moment: int) -> None:
    with place.record("killed", upstream.url) as recorder, ThreadPoolExecutor(CLIENTS) as pool:
        crowd = Crowd(recorder.url)
        running = [pool.submit(crowd.client, number) for number in range(CLIENTS)]
        crowd.wait_for(moment)
        recorder.kill()
        for one in running:
            one.result()
    seen = dict(told(answer) for answer in crowd.answers.values())
    assert len(seen) == len(crowd.answers) >= moment
    assert {answer.outcome for answer in crowd.answers.values()} == {"recorded"}
    stored = kept(place.store, "killed.partial")
    assert seen.items() <= stored.items()

    assert ["killed.partial", str(len(stored)), "interrupted"] in rows(place)
    refusal = place.run("record", "killed", "--listen", "127.0.0.1:0", "--upstream", upstream.url, status=1)
    assert "killed.partial: is left of a recording that was interrupted" in refusal
    place.run("export", "killed.partial", "rescued.json", "--exact")
    for cassette in ("rescued.json", "killed.partial"):
        with place.replay(cassette, "--sids", "recorded") as replayer:
            for body, answer in list(crowd.answers.items())[:20]:
                again = ask(replayer.url, "POST", MESSAGES, {"Body": body})
                assert (again.outcome, orjson.loads(again.body)["sid"]) == ("hit", told(answer)[1])


def rows(place: Workplace) -> list[list[str]]:
    """Return name, exchanges and state of what `list` shows."""
    shown = [line.split() for line in place.run("list").splitlines()[1:]]
    return [[row[0], row[1], row[-1]] for row in shown]


def test_replace_names_what_a_crash_left_and_deletes_it_when_all_went_well(place: Workplace, upstream: Server) -> None:
    with place.record("again", upstream.url) as recorder:
        ask(recorder.url, "POST", MESSAGES, {"Body": "first"})
        recorder.kill()
    with place.record("again", upstream.url, "--replace") as recorder:
        assert "again.partial, left of an interrupted recording, is deleted when this" in recorder.output
        ask(recorder.url, "POST", MESSAGES, {"Body": "second"})
        recorder.kill()
    assert [row[0] for row in rows(place)] == ["again.partial", "again.partial-2"]
    with place.record("again", upstream.url, "--replace") as recorder:
        ask(recorder.url, "POST", MESSAGES, {"Body": "third"})
        assert ["again.partial-3", "1", "recording"] in rows(place)
    assert rows(place) == [["again", "1", "complete"]]


def test_append_loses_nothing_in_a_crash(place: Workplace, upstream: Server) -> None:
    with place.record("longer", upstream.url) as recorder:
        ask(recorder.url, "POST", MESSAGES, {"Body": "first"})
    with place.record("longer", upstream.url, "--append") as recorder:
        assert ask(recorder.url, "POST", MESSAGES, {"Body": "second"}).status == 201
        recorder.kill()
    assert rows(place) == [["longer", "2", "complete"]]
    with place.replay("longer") as replayer:
        for body in ("first", "second"):
            assert ask(replayer.url, "POST", MESSAGES, {"Body": body}).outcome == "hit"


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Workplace(tmp_path_factory.mktemp("slow")).sandbox("--latency", "1:1") as upstream:
        yield upstream


def test_requests_in_flight_are_answered_and_recorded_before_the_end(place: Workplace, slow: Server) -> None:
    with place.record("ending", slow.url) as recorder, ThreadPoolExecutor(CLIENTS) as pool:
        asked = [pool.submit(ask, recorder.url, "POST", MESSAGES, {"Body": str(number)}) for number in range(CLIENTS)]
        time.sleep(0.5)  # all have been sent, none has been answered
        assert not any(one.done() for one in asked)
        recorder.stop()
        answers = [one.result() for one in asked]
    assert Counter(answer.status for answer in answers) == {201: CLIENTS}
    assert recorder.count("recorded") == CLIENTS
    assert kept(place.store, "ending") == dict(told(answer) for answer in answers)


def test_an_exchange_is_kept_though_its_client_has_gone(place: Workplace, slow: Server) -> None:
    with place.record("gone", slow.url) as recorder:
        with socket.create_connection(("127.0.0.1", recorder.port)) as client:
            credentials = f"Authorization: {basic()['Authorization']}"
            fields = (credentials, f"Content-Type: {FORM}", "Content-Length: 9")
            head = "\r\n".join((f"POST {MESSAGES} HTTP/1.1", "Host: localhost", *fields, "", ""))
            client.sendall(head.encode() + b"Body=gone")
            time.sleep(0.2)
        assert ask(recorder.url, "POST", MESSAGES, {"Body": "stays"}).header("x-chatproxy-exchange") == "gone/2"
    with place.replay("gone") as replayer:
        for body in ("gone", "stays"):
            assert ask(replayer.url, "POST", MESSAGES, {"Body": body}).outcome == "hit"


def test_a_client_that_goes_while_the_recorder_ends_is_kept_too(place: Workplace, slow: Server) -> None:
    with place.record("both", slow.url) as recorder:
        with socket.create_connection(("127.0.0.1", recorder.port)) as client:
            client.sendall(f"GET {MESSAGES} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            time.sleep(0.2)
        recorder.stop()
    assert rows(place) == [["both", "1", "complete"]]


def test_two_recorders_share_a_store_but_not_a_name(place: Workplace, upstream: Server) -> None:
    with place.record("one", upstream.url) as one, place.record("two", upstream.url) as two:
        for flag in ((), ("--replace",), ("--append",)):
            refusal = place.run("record", "one", "--listen", "127.0.0.1:0", "--upstream", upstream.url, *flag, status=1)
            assert refusal == (
                "chatproxy: one: is being recorded by another process; wait for its end or use another name\n"
            )
        with ThreadPoolExecutor(8) as pool:
            servers = [one, two] * 20
            answers = list(
                pool.map(lambda at: ask(servers[at].url, "POST", MESSAGES, {"Body": str(at)}), range(len(servers)))
            )
    for name in ("one", "two"):
        mine = [told(answer) for answer in answers if str(told(answer)[0]).startswith(name)]
        assert len(mine) == 20
        assert kept(place.store, name) == dict(mine)


def limit_files(server: Server, size: int) -> None:
    """Let the process write no file beyond this size, as if the disk were full."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def fill(server: Server, place: Workplace) -> tuple[dict[str | None, str], Answer]:
    """Record until the disk is full; return what was told to be recorded, and the answer that was not."""
    limit_files(server, (place.store / "data.mdb").stat().st_size + 256 * 1024)
    seen: dict[str | None, str] = {}
    for _ in range(100):
        answer = ask(server.url, "POST", MESSAGES, {"Body": "x" * 20_000})
        if answer.outcome != "recorded":
            return seen, answer
        seen.update([told(answer)])
    raise AssertionError("the disk never got full")


def test_a_full_disk_is_an_error_that_the_client_sees(place: Workplace, upstream: Server) -> None:
    with place.record("full", upstream.url) as recorder:
        seen, refused = fill(recorder, place)
        assert (refused.status, refused.outcome, refused.header("x-chatproxy-exchange")) == (500, "error", None)
        error = orjson.loads(refused.body)
        assert error["status"] == error["code"] == 500
        assert "the disk is full; nothing recorded before is lost" in error["message"]
        limit_files(recorder, resource.RLIM_INFINITY)
        seen.update([told(ask(recorder.url, "POST", MESSAGES, {"Body": "room again"}))])
        report = orjson.loads(ask(recorder.url, "GET", "/__chatproxy/report").body)
        journal = orjson.loads(ask(recorder.url, "GET", "/__chatproxy/journal").body)["entries"]
        assert "Traceback" not in recorder.stop()
    assert len(seen) > 3
    assert report["totals"] == {"recorded": len(seen), "error": 1}
    assert (recorder.count("recorded"), recorder.count("error")) == (len(seen), 1)
    assert [one["outcome"] for one in journal].count("error") == 1
    assert [f"full/{one['exchange']}" for one in journal if one["outcome"] == "recorded"] == list(seen)
    assert kept(place.store, "full") == seen


def test_a_disk_that_is_full_to_the_end_costs_nothing_that_was_recorded(place: Workplace, upstream: Server) -> None:
    with place.record("full", upstream.url) as recorder:
        seen, _ = fill(recorder, place)
        recorder.process.terminate()
        assert recorder.process.wait(PATIENCE) in {0, 1}
        assert "Traceback" not in recorder.output
    name = "full" if recorder.process.returncode == 0 else "full.partial"
    assert kept(place.store, name) == seen
    with place.replay(name) as replayer:
        assert ask(replayer.url, "POST", MESSAGES, {"Body": "x" * 20_000}).outcome == "hit"


@pytest.mark.parametrize("flag", [(), ("--append",), ("--replace",)])
def test_a_recorder_that_could_store_nothing_leaves_no_cassette(
    place: Workplace, upstream: Server, flag: tuple[str, ...]
) -> None:
    with place.record("none", upstream.url, *flag) as recorder:
        limit_files(recorder, resource.getpagesize())
        assert ask(recorder.url, "POST", MESSAGES, {"Body": "x"}).status == 500
        assert "chatproxy: nothing was recorded, there is no cassette none" in recorder.stop()
    assert place.run("list") == "chatproxy: no cassettes in .chatproxy\n"
