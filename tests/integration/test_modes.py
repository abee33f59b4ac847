import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from hashlib import md5
from pathlib import Path

import pytest
from integration.asking import MESSAGES, Answer, ask
from integration.processes import PATIENCE, Server, Workplace
from integration.twilio_clients import ATTRIBUTES, CHANNEL, anywhere, messages_at, program
from twilio.base.exceptions import TwilioRestException

pytestmark = pytest.mark.process

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Workplace(tmp_path_factory.mktemp("upstream")).sandbox() as upstream:
        yield upstream


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture
def messages(request: pytest.FixtureRequest) -> str:
    """The messages of a channel that no other test uses."""
    return MESSAGES.replace(CHANNEL, "CH" + md5(request.node.name.encode()).hexdigest())


def auto(place: Workplace, upstream: str) -> AbstractContextManager[Server]:
    return place.serving("auto", "auto", "--upstream", upstream)


def outcomes(url: str, *requests: tuple[str, str]) -> list[str | None]:
    return [ask(url, *request).outcome for request in requests]


def test_auto_records_first_and_replays_then(place: Workplace) -> None:
    runs = []
    with place.sandbox() as upstream, auto(place, upstream.url) as first:
        with messages_at(first.url) as (messages, asked):
            runs.append(anywhere(list(program(messages, ATTRIBUTES)), first.url))
        first.stop()
    with auto(place, NOWHERE) as second:
        with messages_at(second.url) as (messages, _):
            runs.append(anywhere(list(program(messages, ATTRIBUTES)), second.url))
        second.stop()
    assert runs[0] == runs[1]
    assert first.count("recorded") == second.count("hit") == len(asked)
    assert (first.count("hit"), second.count("recorded"), second.count("error")) == (0, 0, 0)


def test_auto_records_what_is_new_and_replays_it_from_the_next_start_on(
    place: Workplace, upstream: Server, messages: str
) -> None:
    known, new = ("GET", messages), ("GET", f"{messages}?PageSize=7")
    with auto(place, upstream.url) as first:
        assert outcomes(first.url, known, known) == ["recorded", "recorded"]
    with auto(place, upstream.url) as second:
        assert outcomes(second.url, known, new, known) == ["hit", "recorded", "hit"]
    with auto(place, NOWHERE) as third:
        assert outcomes(third.url, new, known) == ["hit", "hit"]
        assert ask(third.url, "GET", f"{messages}?PageSize=8").status == 502


def test_after_a_write_of_its_own_auto_asks_upstream_about_that_channel_alone(
    place: Workplace, upstream: Server, messages: str
) -> None:
    channel = messages.split("/")[-2]
    other = messages.replace(channel, "CH" + channel[:1:-1])
    with auto(place, upstream.url) as first:
        assert ask(first.url, "POST", messages, {"Body": "old"}).status == 201
        assert outcomes(first.url, ("GET", messages), ("GET", other)) == ["recorded", "recorded"]
    with auto(place, upstream.url) as second:
        assert ask(second.url, "POST", messages, {"Body": "old"}).outcome == "hit"
        assert outcomes(second.url, ("GET", messages), ("GET", other)) == ["hit", "hit"]
        assert ask(second.url, "POST", messages, {"Body": "new"}).outcome == "recorded"
        fresh = ask(second.url, "GET", messages)
        assert fresh.outcome == "recorded"
        assert b'"new"' in fresh.body
        assert outcomes(second.url, ("GET", other), ("GET", messages)) == ["hit", "recorded"]


def test_auto_gives_a_changed_program_no_answer_that_shows_what_it_has_not_done_yet(
    place: Workplace, upstream: Server, messages: str
) -> None:
    with auto(place, upstream.url) as first:
        one = json.loads(ask(first.url, "POST", messages, {"Body": "one"}).body)["sid"]
        assert ask(first.url, "POST", messages, {"Body": "two"}).status == 201
        assert outcomes(first.url, ("GET", messages), ("GET", f"{messages}/{one}")) == ["recorded"] * 2
        assert outcomes(first.url, ("DELETE", f"{messages}/{one}"), ("GET", messages)) == ["recorded"] * 2
    with auto(place, upstream.url) as second:
        posted = [ask(second.url, "POST", messages, {"Body": body}).outcome for body in ("one", "two", "three")]
        assert posted == ["hit", "hit", "recorded"]
        missed = ask(second.url, "GET", messages)
        assert missed.outcome == "miss"
        assert b"changed by this run, and not put to the upstream, which has auto/5 DELETE" in missed.body
        assert b"or record anew with --replace" in missed.body
        assert outcomes(second.url, ("GET", f"{messages}/{one}"), ("DELETE", f"{messages}/{one}")) == ["hit"] * 2
        shown = ask(second.url, "GET", messages)
        assert shown.outcome == "recorded"
        assert [one["body"] for one in json.loads(shown.body)["messages"]] == ["two", "three"]
    with place.serving("replay", "auto") as third:
        made = [ask(third.url, "POST", messages, {"Body": body}) for body in ("one", "two", "three")]
        one = json.loads(made[0].body)["sid"]
        assert outcomes(third.url, ("DELETE", f"{messages}/{one}"), ("GET", messages)) == ["hit"] * 2


def test_auto_says_at_its_end_that_the_cassette_holds_parts_of_several_runs(
    place: Workplace, upstream: Server, messages: str
) -> None:
    for bodies, is_mixture in ((("one", "two"), False), (("one", "two", "three"), False), (("one", "four"), True)):
        with auto(place, upstream.url) as server:
            for body in bodies:
                ask(server.url, "POST", messages, {"Body": body})
        server.stop()
        said = (
            "chatproxy: the cassette is no recording of one run any more: this one left out 2 recorded writes, and "
            "recorded 1 exchange; `chatproxy record --replace` records it anew"
        )
        assert (said in server.log.read_text()) is is_mixture


def test_passthrough_keeps_pages_at_the_proxy_and_records_nothing(place: Workplace) -> None:
    with place.sandbox() as upstream, place.serving("passthrough", "--upstream", upstream.url) as server:
        with messages_at(server.url) as (messages, asked):
            steps = dict(anywhere(list(program(messages, ATTRIBUTES)), server.url))
        server.stop()
    assert len(steps["list by twos"]) == 8
    assert steps["fetch"]["url"].startswith("http://proxy/v1/")
    assert server.count("passed") == len(asked)
    assert not place.store.exists()


def test_a_recording_never_overwrites_unasked(place: Workplace, upstream: Server, messages: str) -> None:
    with place.record("twice", upstream.url) as first:
        ask(first.url, "POST", messages, {"Body": "one"})
    refusal = place.run("record", "twice", "--listen", "127.0.0.1:0", "--upstream", upstream.url, status=1)
    assert "twice: exists; give --append to add to it or --replace" in refusal
    assert len(refusal.splitlines()) == 1

    with place.record("twice", upstream.url, "--append") as second:
        assert ask(second.url, "POST", messages, {"Body": "two"}).header("x-chatproxy-exchange") == "twice/2"
    assert exchanges(place, "twice") == 2

    with place.record("twice", upstream.url, "--replace") as third:
        ask(third.url, "POST", messages, {"Body": "three"})
        assert exchanges(place, "twice") == 2, "the old one stays until the new one is whole"
    assert exchanges(place, "twice") == 1
    with place.replay("twice") as replayer:
        assert ask(replayer.url, "POST", messages, {"Body": "three"}).outcome == "hit"
        assert ask(replayer.url, "POST", messages, {"Body": "one"}).outcome == "miss"


def test_a_recording_without_exchanges_replaces_nothing(place: Workplace, upstream: Server, messages: str) -> None:
    with place.record("kept", upstream.url) as first:
        ask(first.url, "GET", messages)
    with place.record("kept", upstream.url, "--replace") as second:
        assert "nothing was recorded, kept is as it was" in second.stop()
    assert exchanges(place, "kept") == 1


def exchanges(place: Workplace, name: str) -> int:
    rows = [line.split() for line in place.run("list").splitlines()]
    return next(int(row[1]) for row in rows if row[0] == name)


def test_a_miss_says_why_in_the_clients_exception(place: Workplace, upstream: Server) -> None:
    with place.record("misses", upstream.url) as recorder, messages_at(recorder.url) as (messages, _):
        sid = messages.create(body="only once", from_="alice").sid
        messages.list(page_size=2)
    with place.replay("misses", "--sids", "recorded") as replayer, messages_at(replayer.url) as (messages, _):
        assert messages.create(body="only once", from_="alice").sid == sid
        used_up = miss(lambda: messages.create(body="only once", from_="alice"))
        assert "the one recorded answer is used" in used_up
        other_field = miss(lambda: messages.create(body="only once", from_="bob"))
        assert "never recorded; nearest is misses/1" in other_field
        assert "form field 'From' is 'alice' where this has 'bob'" in other_field
        never = miss(lambda: messages(sid).fetch())
        assert "never recorded" in never
        output = replayer.stop()
    assert output.count("chatproxy: miss: ") == replayer.count("miss") == 3


def test_a_miss_names_the_query_parameter_that_differs(place: Workplace, upstream: Server, messages: str) -> None:
    with place.record("query", upstream.url) as recorder:
        ask(recorder.url, "GET", f"{messages}?PageSize=2")
    with place.replay("query") as replayer:
        answer = ask(replayer.url, "GET", f"{messages}?PageSize=3")
    assert answer.status == 424
    assert b"nearest is query/1, where query parameter 'PageSize' is '2' where this has '3'" in answer.body


def miss(call: object) -> str:
    """Return what the client says of a miss."""
    assert callable(call)
    with pytest.raises(TwilioRestException) as caught:
        call()
    assert (caught.value.status, caught.value.code) == (424, 424)
    return str(caught.value.msg)


def test_store_fixture_and_import_give_the_same_bytes(place: Workplace, upstream: Server, messages: str) -> None:
    def program(url: str) -> Iterator[Answer]:
        for number in range(3):
            yield ask(url, "POST", messages, {"Body": f"é {number}", "Attributes": ATTRIBUTES})
        for target in (f"{messages}?PageSize=2", messages, f"{messages}/IM{'0' * 32}"):
            yield ask(url, "GET", target)

    with place.record("shared", upstream.url) as recorder:
        assert [answer.status for answer in program(recorder.url)] == [201, 201, 201, 200, 200, 404]
    place.run("export", "shared", "--exact")
    fixture = place.folder / "cassettes" / "shared.json"
    place.run("import", fixture, "--name", "imported")

    elsewhere = Workplace(place.folder / "elsewhere")
    elsewhere.folder.mkdir()
    answers = []
    for where, name in ((place, "shared"), (elsewhere, fixture), (place, "imported")):
        start = where.replay(name, "--sids", "recorded")
        with start as replayer:
            told = list(program(replayer.url))
            assert {one.outcome for one in told} == {"hit"}
            # the only difference is the port, in URLs and so in the length
            answers.append([(at_port_0(one.body, replayer), one.status, one.reason, fields(one)) for one in told])
    assert answers[0] == answers[1] == answers[2]
    assert "no cassettes" in elsewhere.run("list"), "a fixture that is replayed is no cassette"


def at_port_0(body: bytes, server: Server) -> bytes:
    return body.replace(f"127.0.0.1:{server.port}/".encode(), b"127.0.0.1:0/")


def fields(answer: Answer) -> list[tuple[str, str]]:
    return [field for field in answer.recorded.headers if field[0] != "Content-Length"]


def test_a_fixture_that_is_only_a_file_is_named_with_its_command(place: Workplace) -> None:
    (place.folder / "cassettes").mkdir()
    (place.folder / "cassettes" / "lone.json").write_text("{}")
    refusal = place.run("replay", "lone", "--listen", "127.0.0.1:0", status=1)
    assert "chatproxy replay cassettes/lone.json" in refusal


def test_replay_is_sealed(place: Workplace, upstream: Server, messages: str) -> None:
    with place.record("sealed", upstream.url) as recorder:
        ask(recorder.url, "POST", messages, {"Body": "known"})
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        origin = f"http://127.0.0.1:{trap.getsockname()[1]}"
        (place.folder / "chatproxy.toml").write_text(f'upstream = "{origin}"\n')
        with place.replay("sealed") as replayer:
            assert ask(replayer.url, "POST", messages, {"Body": "known"}).outcome == "hit"
            assert ask(replayer.url, "POST", messages, {"Body": "unknown"}).outcome == "miss"
            assert ask(replayer.url, "GET", "/").outcome == "miss"
            assert ask(replayer.url, "GET", f"{origin}{messages}").outcome == "miss"
        with pytest.raises(BlockingIOError):
            trap.accept()
        with auto(place, origin) as asking, ThreadPoolExecutor() as pool:
            answer = pool.submit(ask, asking.url, "POST", messages, {"Body": "unknown"})
            trap.settimeout(PATIENCE)
            trap.accept()[0].close()  # the trap works: what does ask the upstream arrives there
            assert answer.result().status == 502
