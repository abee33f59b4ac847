import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from integration.processes import Workplace
from integration.twilio_clients import (
    ATTRIBUTES,
    BODIES,
    CHANNEL,
    NO_EDGE,
    RESPELLED,
    Guard,
    Step,
    anywhere,
    guarded,
    messages_at,
    program,
)
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

pytestmark = pytest.mark.process

AS_RECORDED = ("--sids", "recorded")


@dataclass
class Runs:
    place: Workplace
    guard: Guard
    recorded: list[Step] = field(default_factory=list)
    replayed: list[Step] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)

    def of(self, call: str) -> Any:
        return dict(self.recorded)[call]


def run(url: str, attributes: str, runs: Runs) -> list[Step]:
    with messages_at(url) as (messages, asked):
        steps = anywhere(list(program(messages, attributes)), url)
    runs.asked.append([request.replace(url, "") for request in asked])
    return steps


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """The program recorded, then, with sandbox and recorder gone, replayed with attributes spelled differently."""
    place = Workplace(tmp_path_factory.mktemp("python"))
    with guarded() as guard:
        runs = Runs(place, guard)
        with place.sandbox() as upstream, place.record("python", upstream.url) as recorder:
            runs.recorded = run(recorder.url, ATTRIBUTES, runs)
            recorder.stop()
        with place.replay("python", *AS_RECORDED) as replayer:
            runs.replayed = run(replayer.url, RESPELLED, runs)
            replayer.stop()
        runs.answered = [recorder.count("recorded"), replayer.count("hit")]
        yield runs


@pytest.mark.parametrize("index", range(25))
def test_each_result_is_the_same_when_replayed(runs: Runs, index: int) -> None:
    assert len(runs.recorded) == len(runs.replayed) == 25
    assert runs.replayed[index] == runs.recorded[index]


def test_every_request_is_answered_by_the_proxy_and_none_goes_elsewhere(runs: Runs) -> None:
    assert runs.answered == [len(runs.asked[0]), len(runs.asked[1])]
    assert runs.asked[0] == runs.asked[1]
    assert runs.guard.outside == set()


def test_the_guard_would_have_seen_a_request_to_twilio() -> None:
    with guarded() as guard, messages_at("https://chat.twilio.com") as (messages, _):
        with pytest.raises(OSError, match=r"chat\.twilio\.com"):
            messages.list()
        assert guard.outside == {"chat.twilio.com"}


def test_texts_arrive_as_they_were_sent(runs: Runs) -> None:
    made = [runs.of(f"create {body!r}") for body in BODIES]
    assert [one["body"] for one in made] == list(BODIES)
    assert runs.of("fetch")["attributes"] == ATTRIBUTES
    assert {one["from"] for one in made} == {"alice"}
    assert [one["index"] for one in made] == list(range(len(BODIES)))
    assert made[0]["url"].startswith(f"http://proxy/v1/Services/{made[0]['serviceSid']}/Channels/{CHANNEL}/Messages/IM")


def test_lists_are_whole_and_limits_hold(runs: Runs) -> None:
    whole = [*BODIES, "last"]
    lengths = {"list five by twos": 5, "list three": 3}
    for call in ("list", "list by twos", "list five by twos", "list three", "list 5000", "stream"):
        assert [one["body"] for one in runs.of(call)] == whole[: lengths.get(call)], call
    assert [one["body"] for one in runs.of("list backwards")] == whole[::-1]
    assert [len(page) for page in runs.of("pages")] == [3, 3, 2, 3, 3]


def test_updates_and_deletes_show(runs: Runs) -> None:
    assert runs.of("fetch")["body"] == BODIES[2]
    assert runs.of("fetch updated")["body"] == "é + &"
    assert runs.of("fetch updated")["wasEdited"] is True
    assert runs.of("update to empty")["body"] == ""
    assert runs.of("delete") is True
    assert runs.of("fetch deleted") == {"status": 404, "code": 20404}
    assert [one["body"] for one in runs.of("list after")] == ["é + &", BODIES[2], "", *BODIES[4:], "last"]


def test_other_attributes_are_no_hit(runs: Runs) -> None:
    with runs.place.replay("python", *AS_RECORDED) as replayer, messages_at(replayer.url) as (messages, _):
        with pytest.raises(TwilioRestException, match="form field 'Attributes'"):
            messages.create(body=BODIES[0], from_="alice", attributes='{"nested": {}}')
        made = messages.create(body=BODIES[0], from_="alice", attributes=RESPELLED)
        assert made.sid == runs.of(f"create {BODIES[0]!r}")["sid"]


@pytest.mark.parametrize("way", ["fixture", "imported"])
def test_a_fixture_replays_alike(runs: Runs, way: str, tmp_path: Path) -> None:
    place, file = Workplace(tmp_path), tmp_path / "shared.json"
    runs.place.run("export", "python", file, "--exact")
    if way == "imported":
        place.run("import", file)
    with place.replay("python" if way == "imported" else file, *AS_RECORDED) as replayer:
        replayed = run(replayer.url, RESPELLED, runs)
    assert replayed == runs.recorded


def renamed(steps: list[Step], fresh: list[Step], generated: set[str]) -> list[Step]:
    """Put the SIDs of another run in the place of those generated; each must have one name, and no two the same."""
    texts = [json.dumps(one, ensure_ascii=False) for one in (steps, fresh)]
    names = dict(zip(*(re.findall("IM[0-9a-f]{32}", text) for text in texts), strict=True))
    assert names.keys() == generated
    assert len(set(names.values()) | generated) == 2 * len(generated)
    return [(call, result) for call, result in json.loads(re.sub("IM[0-9a-f]{32}", lambda it: names[it[0]], texts[0]))]


def test_law_1_a_replay_has_fresh_sids_that_agree_over_all_operations_and_are_those_of_the_seed(runs: Runs) -> None:
    generated = {runs.of(f"create {body!r}")["sid"] for body in BODIES} | {runs.of("create, all by default")["sid"]}
    replays = []
    for seed in (0, 0, 1):
        with runs.place.replay("python", "--seed", seed) as replayer:
            replays.append(run(replayer.url, RESPELLED, runs))
            replayer.stop()
            assert replayer.count("miss") == 0
    assert replays[0] == replays[1] != replays[2]
    for replay in (replays[0], replays[2]):
        assert replay == renamed(runs.recorded, replay, generated)


def test_law_1_the_error_message_of_a_deleted_message_has_the_fresh_sid(runs: Runs) -> None:
    with runs.place.replay("python") as replayer, messages_at(replayer.url) as (messages, _):
        sids = [messages.create(body=body, from_="alice", attributes=RESPELLED).sid for body in BODIES]
        messages(sids[1]).delete()
        with pytest.raises(TwilioRestException, match=sids[1]) as caught:
            messages(sids[1]).fetch()
    assert caught.value.code == 20404


def test_law_2_another_account_service_and_channel_than_recorded_work(runs: Runs) -> None:
    account, service, channel = (prefix + "ab" * 16 for prefix in ("AC", "IS", "CH"))
    with runs.place.replay("python") as replayer:
        client = Client(account, "any", environment=NO_EDGE)
        client.chat.base_url = replayer.url
        messages = client.chat.v1.services(service).channels(channel).messages
        made = messages.create(body=BODIES[0], from_="alice", attributes=ATTRIBUTES)
        assert (made.account_sid, made.service_sid, made.channel_sid) == (account, service, channel)
        assert made.url.startswith(f"{replayer.url}/v1/Services/{service}/Channels/{channel}/Messages/{made.sid}")
        assert made.sid not in str(runs.recorded)
