import gzip
import json
import logging
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

import pytest
from aiohttp import web
from cli.commands import DEMO
from mitm.captured import FORM_TYPE, TARGET, flow, response
from mitm.masters import Master
from mitmproxy import ctx, http
from mitmproxy.exceptions import CommandError
from mitmproxy.test.tflow import terr, ttcpflow
from servers import settings, upstream
from strategies import UPSTREAM

from chatproxy.core.errors import CassetteError, ConfigError
from chatproxy.core.model import Mode
from chatproxy.core.replay.marks import OUTCOME
from chatproxy.mitm import flows
from chatproxy.mitm.addon import Chatproxy
from chatproxy.mitm.commands import Commands
from chatproxy.mitm.current import Current
from chatproxy.mitm.options import Choice
from chatproxy.store import Store

TOKEN = "a secret of the upstream"
BASIC = (b"Authorization", b"Basic " + b64encode(b"AC" + b"0" * 32 + b":" + TOKEN.encode()))
REVERSE = "reverse:https://chat.twilio.com"
SID, OTHER_SID = "IM" + "1" * 32, "IM" + "2" * 32


def message(body: str, sid: str = SID, *, origin: str = UPSTREAM, day: int = 1, **more: object) -> bytes:
    url = f"{origin}{TARGET}/{sid}"
    return json.dumps(
        {"sid": sid, "body": body, "date_created": f"2026-11-0{day}T10:00:00Z", "url": url} | more
    ).encode()


def created(body: str = "Hello", sid: str = SID, *, at: float = 1.0, **given: object) -> http.HTTPFlow:
    """Return a flow that created a message, a second from this moment on; the upstream answered it."""
    answer = response(message(body, sid, **given), status=201, reason=b"Created", answered=at + 1)  # type: ignore[arg-type]
    form = urlencode({"Body": body}).encode()
    return flow("POST", TARGET, form, headers=(FORM_TYPE, BASIC), response=answer, asked=at)


def fetched(body: str = "Hello", sid: str = SID, *, at: float = 3.0, **given: object) -> http.HTTPFlow:
    answer = response(message(body, sid, **given), answered=at + 1)  # type: ignore[arg-type]
    return flow("GET", f"{TARGET}/{sid}", headers=(BASIC,), response=answer, asked=at)


def own(outcome: bytes, one: http.HTTPFlow) -> http.HTTPFlow:
    """Return a flow that chatproxy itself has answered."""
    assert one.response is not None
    one.response.headers[OUTCOME.decode()] = outcome.decode()
    return one


@pytest.fixture(autouse=True)
def master(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Master:
    """Run in a folder of one's own, in a mitmproxy whose event log is seen."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO, "chatproxy")
    made = Master()
    monkeypatch.setattr(ctx, "master", made, raising=False)
    monkeypatch.setattr(ctx, "options", made.options, raising=False)
    return made


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    """Commands where nothing is in force, and the cassette is to be ``talk``."""
    made = Commands(Current())
    made.choice = Choice(Mode.REPLAY, "talk", settings(tmp_path))
    return made


def changed(commands: Commands, **changes: object) -> None:
    assert commands.choice is not None
    commands.choice = replace(commands.choice, settings=replace(commands.choice.settings, **changes))  # type: ignore[arg-type]


class InForce(Protocol):
    def __call__(self, mode: Mode, cassette: str = "talk") -> Awaitable[None]: ...


@pytest.fixture
async def in_force(commands: Commands) -> AsyncIterator[InForce]:
    """Put a mode in force for the commands."""

    async def put(mode: Mode, cassette: str = "talk") -> None:
        assert commands.choice is not None
        commands.choice = replace(commands.choice, mode=mode, cassette=cassette)
        commands.current.want(commands.choice)
        async with commands.current.use():
            pass

    yield put
    await commands.current.close(well=True)


def text(rows: Iterable[list[str]]) -> str:
    return "\n".join(line for (line,) in rows)


def names(commands: Commands) -> dict[str, int]:
    assert commands.choice is not None
    with closing(Store(commands.choice.settings.store)) as store:
        return {one.name: one.exchanges for one in store.listing()}


# record


def test_flows_that_were_captured_become_a_cassette_that_replays(
    commands: Commands, caplog: pytest.LogCaptureFixture
) -> None:
    commands.record([fetched(), created()])
    assert caplog.messages == ["chatproxy: recorded talk, 2 exchanges"]
    assert names(commands) == {"talk": 2}
    changed(commands, sids="recorded", clock="recorded")
    again = [created(), fetched()]
    before = [one.response.content for one in again if one.response]
    commands.play(again)
    assert [one.comment for one in again] == ["chatproxy: hit talk/1", "chatproxy: hit talk/2"]
    assert [one.response.content for one in again if one.response] == before


def test_no_credentials_are_in_the_store(commands: Commands) -> None:
    assert commands.choice is not None
    commands.record([created(f"the token is {TOKEN}"), fetched(f"the token is {TOKEN}")])
    stored = b"".join(path.read_bytes() for path in commands.choice.settings.store.rglob("*") if path.is_file())
    assert b"the token is " in stored
    assert TOKEN.encode() not in stored
    assert BASIC[1] not in stored


def test_what_the_upstream_did_not_answer_or_is_malformed_is_left_out(
    commands: Commands, caplog: pytest.LogCaptureFixture
) -> None:
    streamed = fetched()
    assert streamed.response is not None
    streamed.response.raw_content = None
    broken = flow()
    broken.error = terr()
    elsewhere = flow(origin="https://api.twilio.com", response=response())
    replayed = [own(outcome, fetched()) for outcome in (b"hit", b"miss", b"error")]
    malformed = flow("OPTIONS", "*", response=response())
    cut = fetched()
    assert cut.response is not None
    cut.response.headers["Content-Encoding"] = "gzip"
    cut.response.raw_content = gzip.compress(cut.response.raw_content or b"")[:-1]
    invalid = [fetched(), fetched()]
    for one in invalid:
        assert one.response is not None
        one.response.status_code, one.response.data.reason = 600, b"a\0b"
    commands.record([created(), broken, streamed, cut, *invalid, elsewhere, malformed, *replayed])
    assert names(commands) == {"talk": 1}
    assert caplog.messages == [
        "chatproxy: recorded talk, 1 exchange; 10 flows left out, not answered by the upstream or malformed"
    ]


def test_what_was_recorded_or_passed_on_is_taken_with_the_urls_of_the_upstream(commands: Commands) -> None:
    client = "http://127.0.0.1:8080"
    turned = [own(b"recorded", created(origin=client)), own(b"passed", fetched(origin=client))]
    for one in turned:
        one.metadata[flows.ORIGIN] = client
    commands.record(turned)
    assert text(commands.diff(fetched())) == "talk/2: no differences"
    commands.record([created(), fetched()], "other")
    assert commands.choice is not None
    with closing(Store(commands.choice.settings.store)) as store:
        bodies = [[one.response.body for one in store.exchanges(name)] for name in ("talk", "other")]
    assert bodies[0] == bodies[1]


def test_the_name_of_a_cassette_can_be_given(commands: Commands) -> None:
    commands.record([created()], "other")
    assert names(commands) == {"other": 1}


def test_a_cassette_that_exists_is_added_to_or_replaced_only_if_that_is_chosen(commands: Commands) -> None:
    commands.record([created()])
    with pytest.raises(CommandError, match=r"^chatproxy: talk: exists"):
        commands.record([fetched()])
    changed(commands, append=True)
    commands.record([fetched()])
    assert names(commands) == {"talk": 2}
    changed(commands, append=False, replace=True)
    commands.record([fetched()])
    assert names(commands) == {"talk": 1}


@pytest.mark.parametrize("name", ["", "cassettes/talk.json"])
def test_only_a_name_can_be_recorded_to(commands: Commands, name: str) -> None:
    assert commands.choice is not None
    commands.choice = replace(commands.choice, cassette="")
    with pytest.raises(CommandError, match="give the name of a cassette, or set chatproxy_cassette to one"):
        commands.record([created()], name)


def test_a_name_that_none_can_have_is_refused(commands: Commands) -> None:
    with pytest.raises(CommandError, match="chatproxy: "):
        commands.record([created()], "a b")


def test_nothing_is_recorded_of_nothing(commands: Commands) -> None:
    for given in ([], [flow()], [own(b"hit", fetched())]):
        with pytest.raises(CommandError, match="none of these flows has an answer of the upstream"):
            commands.record(given)
    assert not Path("store").exists()


async def test_flows_are_recorded_while_another_cassette_is_replayed_or_recorded(
    commands: Commands, in_force: InForce
) -> None:
    commands.record([created()])
    for mode, cassette in ((Mode.REPLAY, "talk"), (Mode.RECORD, "new"), (Mode.PASSTHROUGH, "")):
        await in_force(mode, cassette)
        commands.record([created()], f"beside-{mode}")
    await commands.current.close(well=True)
    assert names(commands) == {"talk": 1, "beside-replay": 1, "beside-record": 1, "beside-passthrough": 1}


async def test_what_is_recorded_under_the_name_of_what_is_replayed_is_replayed_next(
    commands: Commands, in_force: InForce
) -> None:
    commands.record([created()])
    await in_force(Mode.REPLAY)
    changed(commands, replace=True)
    commands.record([created("Bye")])
    async with commands.current.use():
        one = created("Bye")
        commands.play([one])
    assert one.comment == "chatproxy: hit talk/1"


async def test_what_could_not_be_replayed_is_replayed_once_it_is_recorded(
    commands: Commands, in_force: InForce
) -> None:
    with pytest.raises(CassetteError, match="there is no such cassette"):
        await in_force(Mode.REPLAY)
    commands.record([created()])
    async with commands.current.use() as works:
        assert works.choice.mode is Mode.REPLAY


@pytest.mark.parametrize("urls", ["rewrite", "keep"])
async def test_law_flows_that_the_addon_recorded_make_the_same_cassette_again(
    commands: Commands, master: Master, urls: str
) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=message("Hello", origin=origin), content_type="application/json")

    assert commands.choice is not None
    async with upstream(answer) as origin:
        chosen = replace(commands.choice.settings, upstream=origin, urls=urls)
        addon = Chatproxy(Choice(Mode.RECORD, "talk", chosen))
        addon.running()
        one = flow("GET", TARGET, headers=(BASIC,), mode=REVERSE.replace(UPSTREAM, origin), origin=origin)
        addon.requestheaders(one)
        await addon.request(one)
        assert one.comment == "chatproxy: recorded talk/1"
        addon.record([one], "again")
        await addon.done()
    with closing(Store(chosen.store)) as store:
        bodies = [[each.response.body for each in store.exchanges(name)] for name in ("talk", "again")]
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("mode", ["regular", REVERSE])
async def test_law_flows_that_passed_are_recorded_as_they_would_have_been_at_once(
    commands: Commands, master: Master, mode: str
) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=message("Hello", origin=origin), content_type="application/json")

    def asking() -> http.HTTPFlow:
        return flow("GET", TARGET, headers=(BASIC,), mode=mode)

    assert commands.choice is not None
    async with upstream(answer) as origin:
        chosen = replace(commands.choice.settings, upstream=origin)
        recording = Chatproxy(Choice(Mode.RECORD, "at-once", chosen))
        recording.running()
        await recording.request(asking())
        await recording.done()
    passing, one = Chatproxy(Choice(Mode.PASSTHROUGH, "", chosen)), asking()
    passing.running()
    await passing.request(one)
    assert flows.target_of(origin) == (one.request.scheme, one.request.host, one.request.port)
    one.response = response(message("Hello", origin=origin))
    passing.response(one)
    assert one.comment == "chatproxy: passed"
    passing.record([one], "later")
    await passing.done()
    with closing(Store(chosen.store)) as store:
        first, later = (next(iter(store.exchanges(name))) for name in ("at-once", "later"))
    assert later.request == first.request
    assert later.response.body == first.response.body


# explain


def test_a_request_that_is_recorded_is_explained_as_a_hit(commands: Commands, caplog: pytest.LogCaptureFixture) -> None:
    commands.record([created(), fetched()])
    explained = text(commands.explain(created()))
    assert "hit: talk/1" in explained.split("\n")
    assert caplog.messages[-1] == explained


def test_a_request_that_was_never_recorded_is_explained_by_the_nearest_one(commands: Commands) -> None:
    commands.record([created()])
    lines = text(commands.explain(created("Bye"))).split("\n")
    assert "miss: never recorded; nearest is talk/1, where form field 'Body' is 'Hello' where this has 'Bye'" in lines
    assert 'talk/1 would match with ignore = ["Body"]' in lines


def test_what_became_of_a_flow_comes_first(commands: Commands) -> None:
    commands.record([created()])
    one = created()
    one.comment = "chatproxy: miss: the one recorded answer is used"
    assert text(commands.explain(one)).startswith(f"{one.comment}\nin a session that begins now:\nnormal form:\n")


async def test_what_is_explained_is_not_used_up(commands: Commands, in_force: InForce) -> None:
    commands.record([created()])
    await in_force(Mode.REPLAY)
    for _ in range(2):
        assert "hit: talk/1" in text(commands.explain(created()))
    one = created()
    commands.play([one])
    assert one.comment == "chatproxy: hit talk/1"


async def test_a_file_is_explained_by_too(commands: Commands, in_force: InForce) -> None:
    assert commands.choice is not None
    commands.choice = replace(commands.choice, cassette=str(DEMO))
    assert "miss: never recorded" in text(commands.explain(created()))
    await in_force(Mode.REPLAY, str(DEMO))
    assert "miss: never recorded" in text(commands.explain(created()))


# diff


def test_sids_and_times_are_no_difference(commands: Commands) -> None:
    commands.record([created(), fetched()])
    assert text(commands.diff(fetched(day=2))) == "talk/2: no differences"
    assert text(commands.diff(created(sid=OTHER_SID, day=3))) == "talk/1: no differences"


def test_differences_are_told_field_by_field(commands: Commands) -> None:
    commands.record([created(), fetched()])
    assert text(commands.diff(fetched("Bye", index=1))).split("\n") == [
        "talk/2: 2 differences",
        'low   talk/2  /body was "Hello", is "Bye"',
        "high  talk/2  /index is new: 1",
    ]


def test_what_asks_for_credentials_is_compared_with_what_asked_for_them(commands: Commands) -> None:
    asks = {"status": 401, "reason": b"Unauthorized"}
    refused, other = (
        flow("GET", f"{TARGET}/{sid}", response=response(b'{"code": %d}' % code, answered=2.0, **asks), asked=1.0)  # type: ignore[arg-type]
        for sid, code in ((SID, 20003), (OTHER_SID, 20004))
    )
    commands.record([refused, created(at=2.0)])
    assert text(commands.diff(refused)) == "talk/1: no differences"
    assert text(commands.diff(other)).startswith("talk/1: 1 difference\nlow ")


def test_of_several_recorded_answers_the_most_alike_is_compared(commands: Commands) -> None:
    commands.record([created(), fetched("a"), fetched("b", at=5)])
    assert text(commands.diff(fetched("b"))) == "talk/3: no differences"
    assert text(commands.diff(fetched("c"))).startswith(
        "talk/2: 1 difference, the most alike of 2 recorded answers\nlow "
    )


def test_a_difference_needs_a_live_answer_and_a_recorded_one(commands: Commands) -> None:
    commands.record([created()])
    for one in (flow(), own(b"hit", fetched()), own(b"miss", fetched()), own(b"error", fetched())):
        with pytest.raises(CommandError, match="the flow has no answer of the upstream"):
            commands.diff(one)
    with pytest.raises(CommandError, match="nothing is recorded for this request: never recorded"):
        commands.diff(created("Bye"))


# play


def test_flows_are_answered_anew_and_can_be_reverted(commands: Commands, master: Master) -> None:
    commands.record([created()])
    one, other = created(), created("Bye")
    before = one.get_state()
    commands.play([one, other])
    assert [each.comment.partition(";")[0] for each in (one, other)] == [
        "chatproxy: hit talk/1",
        f"chatproxy: miss: POST {TARGET}: never recorded",
    ]
    assert [each.marked for each in (one, other)] == [":white_check_mark:", ":x:"]
    assert [each.response.status_code for each in (one, other) if each.response] == [201, 424]
    assert master.updated == [one, other]
    one.revert()
    assert one.get_state() == before


async def test_flows_are_answered_in_the_session_that_is_replayed(commands: Commands, in_force: InForce) -> None:
    commands.record([created(), created("Bye", OTHER_SID, at=5)])
    await in_force(Mode.REPLAY)
    for expected in ("hit talk/1", "miss: "):
        one = created()
        commands.play([one])
        assert one.comment.startswith(f"chatproxy: {expected}")
    assert commands.current.works is not None
    assert commands.current.works.engine.counts == {"hit": 1, "miss": 1}


async def test_in_auto_flows_are_answered_in_a_session_of_their_own(commands: Commands, in_force: InForce) -> None:
    commands.record([created()])
    await in_force(Mode.AUTO)
    one = created("Bye")
    commands.play([one])
    assert one.comment.startswith("chatproxy: miss: ")
    assert commands.current.works is not None
    assert commands.current.works.engine.counts == {}


def test_nothing_is_answered_if_one_is_no_http(commands: Commands, master: Master) -> None:
    commands.record([created()])
    one = created()
    with pytest.raises(CommandError, match="is no HTTP flow"):
        commands.play([one, ttcpflow()])
    assert one.comment == ""
    assert master.updated == []


# export


def test_a_cassette_is_written_as_a_fixture(commands: Commands, caplog: pytest.LogCaptureFixture) -> None:
    commands.record([created(), fetched()])
    commands.export("talk")
    assert caplog.messages[-1] == "chatproxy: exported talk to cassettes/talk.json, 2 exchanges"
    content = json.loads(Path("cassettes/talk.json").read_text())
    assert (content["chatproxy"], content["name"], len(content["exchanges"])) == (3, "talk", 2)


def test_what_should_not_be_shared_is_not_written(commands: Commands) -> None:
    commands.record([created("sk_live_" + "a1B2c3D4" * 4)])
    with pytest.raises(CommandError, match=r"(?s)^chatproxy: cassettes/talk\.json: is not written, for "):
        commands.export("talk")
    assert not Path("cassettes/talk.json").exists()


def test_what_is_not_there_is_not_written(commands: Commands) -> None:
    commands.record([created()])
    with pytest.raises(CommandError, match=r"^chatproxy: other: "):
        commands.export("other")


async def test_what_is_replayed_is_written_and_what_is_recorded_is_not(commands: Commands, in_force: InForce) -> None:
    commands.record([created()])
    await in_force(Mode.REPLAY)
    commands.export("talk")
    await in_force(Mode.RECORD, "new")
    commands.export("talk")
    with pytest.raises(CommandError, match="new is being recorded; another chatproxy_mode ends the recording"):
        commands.export("new")


# what all have in common


Using = Callable[[Commands, http.HTTPFlow], object]

USING_A_CASSETTE: dict[str, Using] = {
    "explain": lambda commands, one: commands.explain(one),
    "diff": lambda commands, one: commands.diff(one),
    "play": lambda commands, one: commands.play([one]),
}
ALL: dict[str, Using] = USING_A_CASSETTE | {
    "record": lambda commands, one: commands.record([one]),
    "export": lambda commands, one: commands.export("talk"),
}


@pytest.mark.parametrize("use", USING_A_CASSETTE.values(), ids=USING_A_CASSETTE)
def test_a_cassette_that_is_not_there_is_named(commands: Commands, use: Using) -> None:
    with pytest.raises(CommandError, match=r"^chatproxy: talk: there is no such cassette"):
        use(commands, created())


@pytest.mark.parametrize("use", USING_A_CASSETTE.values(), ids=USING_A_CASSETTE)
def test_a_cassette_must_be_chosen(commands: Commands, use: Using) -> None:
    assert commands.choice is not None
    commands.choice = replace(commands.choice, mode=Mode.PASSTHROUGH, cassette="")
    with pytest.raises(CommandError, match=r"^set chatproxy_cassette to a cassette$"):
        use(commands, created())


@pytest.mark.parametrize("use", USING_A_CASSETTE.values(), ids=USING_A_CASSETTE)
async def test_a_cassette_that_is_being_recorded_answers_nothing(
    commands: Commands, in_force: InForce, use: Using
) -> None:
    await in_force(Mode.RECORD)
    with pytest.raises(CommandError, match="talk is being recorded; chatproxy_mode=replay ends that and replays it"):
        use(commands, created())


@pytest.mark.parametrize("use", ALL.values(), ids=ALL)
async def test_wrong_options_are_named(commands: Commands, use: Using) -> None:
    commands.choice = None
    with pytest.raises(CommandError, match=r"^set chatproxy_cassette$"):
        use(commands, created())
    commands.current.want(ConfigError("chatproxy_clock", "is wrong"))
    with pytest.raises(ConfigError):
        await commands.current.take()
    with pytest.raises(CommandError, match=r"^chatproxy: chatproxy_clock: is wrong$"):
        use(commands, created())


@pytest.mark.parametrize("use", ALL.values(), ids=ALL)
def test_no_command_comes_between_a_change(commands: Commands, use: Using) -> None:
    commands.current.is_changing = True
    with pytest.raises(CommandError, match="chatproxy is just changing what it does; try again"):
        use(commands, created())


def test_only_http_is_explained_compared_and_recorded(commands: Commands) -> None:
    for use in (commands.explain, commands.diff):
        with pytest.raises(CommandError, match="is no HTTP flow"):
            use(ttcpflow())


def test_mitmproxy_knows_the_commands_by_what_they_take(commands: Commands, master: Master) -> None:
    master.commands.collect_commands(commands)
    assert {name: one.signature_help() for name, one in master.commands.commands.items()} == {
        "chatproxy.explain": "chatproxy.explain flow -> data[][]",
        "chatproxy.diff": "chatproxy.diff flow -> data[][]",
        "chatproxy.play": "chatproxy.play flows",
        "chatproxy.record": "chatproxy.record flows name",
        "chatproxy.export": "chatproxy.export name",
    }
    commands.record([created()])
    master.commands.execute("chatproxy.export talk")
    assert Path("cassettes/talk.json").exists()
