import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import pytest
from core.scenarios import RULES, Recording, Step, exported, scenarios
from exchanges import numbered
from fixture.fixtures import read
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, ORIGIN, UPSTREAM, Parts, multipart

from chatproxy.core.cassette.cassette import Cassette
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.engine import Engine
from chatproxy.core.matching.normal_form import normalize
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import (
    NO_CREDENTIALS,
    NO_EXCHANGE,
    OTHER_CREDENTIALS,
    Exchange,
    ExchangeNumber,
    InOrder,
    Request,
    Response,
)
from chatproxy.core.products.edge_headers import FIXED
from chatproxy.core.products.every import TWILIO_HOST, TWILIO_ORIGIN
from chatproxy.core.replay.bindings import Bindings, Choice, Owner
from chatproxy.core.replay.player import play_request
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import Sessions
from chatproxy.core.sharing.canonical import PROXY_ORIGIN, Canonical, numbered_sids
from chatproxy.core.time.session_clock import SessionClock
from chatproxy.core.time.timestamps import SECOND, read_instant
from chatproxy.core.twilio.sids import replace_sids


@given(scenarios, st.integers(0, 2**32), st.integers(0, 2**32))
def test_law_recording_the_same_scenario_again_gives_the_same_file(
    scenario: list[list[Step]], one: int, other: int
) -> None:
    first = Recording(Random(one)).run(scenario)
    again = Recording(Random(other), "http://localhost:1", "https://chat.us1.twilio.com").run(scenario)
    assert exported(first.cassette(), anonymous=True) == exported(again.cassette(), anonymous=True)
    lines = [exported(recording.cassette()).splitlines() for recording in (first, again)]
    differing = [one.strip() for one, two in zip(*lines, strict=True) if one != two]
    assert all(line.startswith('"own": ') for line in differing)


@given(scenarios, st.integers(0, 2**32))
def test_law_a_canonical_file_is_exported_as_it_was_imported(scenario: list[list[Step]], seed: int) -> None:
    text = exported(Recording(Random(seed)).run(scenario).cassette())
    document = read(text)
    assert exported(MemoryCassette(document.name, document.exchanges, RULES, document.declared)) == text


@given(scenarios, st.integers(0, 2**32), st.integers(1, 99))
def test_law_a_canonical_file_answers_as_the_cassette_that_it_came_from(
    scenario: list[list[Step]], seed: int, start: int
) -> None:
    recording = Recording(Random(seed)).run(scenario)
    recorded = recording.cassette()
    document = read(exported(recorded))
    shared = MemoryCassette(document.name, document.exchanges, RULES, document.declared)
    one, other = Client(recorded, start), Client(shared, start)
    for exchange in sorted(recording.exchanges, key=lambda exchange: exchange.asked):
        assert one.ask(exchange, recorded) == other.ask(exchange, recorded)


@dataclass
class Client:
    """Replays a cassette, with a clock that goes on by two seconds for each request."""

    cassette: Cassette
    start: int

    def __post_init__(self) -> None:
        self.now = self.start * 10**12

        def begin(name: str, restarts: int) -> Session:
            sids = Bindings(self.cassette, Choice(), Owner(name, restarts))
            return Session(self.cassette, RULES, name, restarts, SessionClock(self.now), sids=sids)

        self.session = begin("default", 0)
        self.engine = Engine(UPSTREAM, lambda: self.now, sessions=Sessions(lambda name, restarts: self.session))

    def ask(self, recorded: Exchange, cassette: Cassette) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Ask as recorded, with this client's SIDs, and return what does not differ from answer to answer."""
        self.now += 2 * SECOND
        target = replace_sids(recorded.request.target, self._live(cassette))
        basic = b"Basic " + b64encode((recorded.user or "").encode() + b":secret")
        request = replace(
            recorded.request, target=target, headers=(*recorded.request.headers, (b"Authorization", basic))
        )
        answer = self.engine.on_request(request)
        assert isinstance(answer, Response)
        assert answer.status != 424
        fixed = {*FIXED, b"x-amz-cf-id", b"x-chatproxy-exchange"}
        return answer.status, [one for one in answer.headers if one[0].lower() not in fixed], answer.body

    def _live(self, cassette: Cassette) -> Callable[[bytes], bytes]:
        """Say what a client was given for a SID of the recording: by the number, which the fixture has, too."""

        def live(sid: bytes) -> bytes:
            known = cassette.numbered(sid)
            if known is None or known.is_known:
                return sid
            mine = self.cassette.sid(known.number)
            assert mine is not None
            return self.session.sids.to_live(mine)

        return live


def test_a_field_that_the_server_changed_is_all_that_differs() -> None:
    scenario: list[list[Step]] = [
        [("create", 0, "Body=a")],
        [("create", 1, "Body=b")],
        [("list", 0, ""), ("fetch", 1, "")],
        [("delete", 0, "")],
    ]
    before, after = (Recording(Random(seed)).run(scenario) for seed in (1, 2))
    after.exchanges = [
        replace(one, response=replace(one.response, body=one.response.body.replace(b'"index": 0', b'"index": 5')))
        if one.number == 2
        else one
        for one in after.exchanges
    ]
    one, other = (exported(recording.cassette(), anonymous=True).splitlines() for recording in (before, after))
    assert len(one) == len(other)
    assert [(a.strip(), b.strip()) for a, b in zip(one, other, strict=True) if a != b] == [
        ('"index": 0,', '"index": 5,')
    ]


def exchange(request: Request, response: Response, number: int = 1, **changes: Any) -> Exchange:
    return replace(numbered(number, request, response, UPSTREAM, number, number, number - 1), **changes)


def canonical(*recorded: Exchange, rules: Rules = RULES, keep: frozenset[str] = frozenset()) -> list[Exchange]:
    return list(Canonical(MemoryCassette("a", recorded, rules), rules, numbered_sids(keep)).exchanges())


SERVICE = "IS" + "a" * 32
PATH = f"/v1/Services/{SERVICE}/Channels/general/Messages"
CANONICAL_PATH = "/v1/Services/ISca765a4cadaca367" + "0" * 15 + "1/Channels/general/Messages"


@pytest.mark.parametrize("spelled", [SERVICE, "%49S" + "a" * 32, SERVICE[:-1] + "%61", "IS" + "A" * 32])
def test_a_sid_is_numbered_however_it_is_spelled(spelled: str) -> None:
    (found,) = canonical(
        exchange(Request("GET", PATH.replace(SERVICE, spelled).encode(), origin=ORIGIN), Response(200))
    )
    assert found.request.target.decode() == CANONICAL_PATH
    assert (found.upstream, found.request.host, found.request.origin) == (TWILIO_ORIGIN, TWILIO_HOST, PROXY_ORIGIN)


def test_sids_that_are_kept_stay() -> None:
    request = Request("GET", f"{PATH}?ChannelSid=CH{'b' * 32}".encode(), ((b"X-A", SERVICE.encode()),))
    for keep in (frozenset({"IS"}), frozenset({SERVICE})):
        (found,) = canonical(exchange(request, Response(200)), keep=keep)
        assert found.request.target.decode() == f"{PATH}?ChannelSid=CHca765a4cadaca367{'0' * 15}1"
        assert found.request.headers == ((b"X-A", SERVICE.encode()),)


@pytest.mark.parametrize("user", [None, NO_CREDENTIALS, OTHER_CREDENTIALS])
def test_who_has_no_sid_stays(user: str | None) -> None:
    (found,) = canonical(exchange(Request("GET", PATH.encode()), Response(200), user=user))
    assert found.user == user


@given(scenarios, st.integers(0, 2**32), st.integers(0, 2**32), st.integers(0, 9))
def test_law_where_credentials_were_asked_for_the_same_scenario_gives_the_same_file(
    scenario: list[list[Step]], one: int, other: int, kinds: int
) -> None:
    first, again = (refused_first(Recording(Random(seed)).run(scenario), kinds) for seed in (one, other))
    text = exported(MemoryCassette("a", first, RULES), anonymous=True)
    assert text == exported(MemoryCassette("a", again, RULES), anonymous=True)
    document = read(text)
    shared = MemoryCassette(document.name, document.exchanges, RULES, document.declared)
    assert exported(shared) == text
    session = Session(shared, RULES)
    for each in document.exchanges:
        assert play_request(session, each.request, each.user or "").number == each.number
    refused = [each for each in document.exchanges if each.user == NO_CREDENTIALS]
    last = {normalize(each.request, RULES).shape: each.number for each in refused}
    for each in refused:
        assert play_request(session, each.request, NO_CREDENTIALS).number == last[normalize(each.request, RULES).shape]


def refused_first(recording: Recording, kinds: int) -> list[Exchange]:
    """Return a recording in which some requests were sent without credentials first, and refused."""
    refusal = Response(401, b"Unauthorized", (JSON,), b'{"code": 20003}')
    several = recording.exchanges
    wanted: dict[object, Exchange] = {}
    for each in sorted(several, key=lambda each: (each.asked, each.number))[:kinds]:
        wanted.setdefault((each.request.method, each.request.target, each.request.body), each)
    begin = min((each.asked for each in several), default=0) - 1000
    before = [
        replace(
            each,
            number=ExchangeNumber(nth),
            response=refusal,
            asked=begin + nth,
            answered=begin + nth,
            user=NO_CREDENTIALS,
            after=NO_EXCHANGE,
        )
        for nth, each in enumerate(wanted.values(), 1)
    ]
    later = [
        replace(
            each,
            number=ExchangeNumber(each.number + len(before)),
            after=ExchangeNumber(each.after and each.after + len(before)),
        )
        for each in several
    ]
    return [*before, *later]


def test_an_api_key_and_the_reason_phrase_are_numbered_too() -> None:
    (found,) = canonical(
        exchange(Request("GET", PATH.encode()), Response(200, b"no " + SERVICE.encode()), user="SK" + "d" * 32)
    )
    assert found.user == "SKca765a4cadaca367" + "0" * 15 + "1"
    assert found.response.reason == b"no ISca765a4cadaca367" + b"0" * 15 + b"1"


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("PT50", "PT50"),
        ("PAIM" + "e" * 32, "PAIMca765a4cadaca367" + "0" * 15 + "1"),
        ("APMQ%3D%3D", "token-1"),
        ("PT" + "eyJhIjoxfQ", "token-1"),
    ],
)
def test_page_tokens_are_numbered_where_they_are_no_sids_or_numbers(token: str, expected: str) -> None:
    page = {"meta": {"next_page_url": f"{UPSTREAM}{PATH}?Page=1&PageToken={token}"}, "body": f"?PageToken={token}"}
    one = exchange(Request("GET", PATH.encode()), Response(200, b"", (JSON,), json.dumps(page).encode()))
    two = exchange(Request("GET", f"{PATH}?PageToken={token}&Page=1".encode()), Response(200), 2)
    first, second = canonical(one, two)
    assert json.loads(first.response.body)["meta"]["next_page_url"] == (
        f"{TWILIO_ORIGIN}{CANONICAL_PATH}?Page=1&PageToken={expected}"
    )
    written = token.replace("e" * 32, "ca765a4cadaca367" + "0" * 15 + "1") if "IM" in token else token
    assert json.loads(first.response.body)["body"] == f"?PageToken={written}"
    assert second.request.target.decode() == f"{CANONICAL_PATH}?PageToken={expected}&Page=1"


def test_our_own_address_in_what_users_wrote_is_one_that_no_server_has_and_twilios_stays() -> None:
    body = json.dumps({"sid": "IM" + "1" * 32, "body": f"{ORIGIN}/a https://chat.twilio.com/b", "url": f"{UPSTREAM}/c"})
    form = urlencode({"Body": f"{ORIGIN}/a https://chat.twilio.com/b"}).encode()
    create = exchange(Request("POST", PATH.encode(), (FORM,), form, ORIGIN), Response(201, b"", (JSON,), body.encode()))
    (found,) = canonical(create)
    assert parse_qs(found.request.body.decode())["Body"] == [f"{PROXY_ORIGIN}/a https://chat.twilio.com/b"]
    assert json.loads(found.response.body)["body"] == f"{PROXY_ORIGIN}/a https://chat.twilio.com/b"
    assert json.loads(found.response.body)["url"] == "https://chat.twilio.com/c"
    direct = replace(create, request=replace(create.request, origin=TWILIO_ORIGIN))
    assert canonical(direct)[0].request.origin == TWILIO_ORIGIN


def test_our_own_address_in_a_json_body_is_replaced_with_slashes_escaped_or_not() -> None:
    text = json.dumps({"a": ORIGIN, "b": 1}).replace("/", r"\/") + json.dumps([ORIGIN])
    (found,) = canonical(exchange(Request("PUT", PATH.encode(), (JSON,), text.encode(), ORIGIN), Response(200)))
    assert found.request.body.decode() == text.replace(ORIGIN, PROXY_ORIGIN).replace(
        ORIGIN.replace("/", r"\/"), PROXY_ORIGIN.replace("/", r"\/")
    )


def test_instants_stand_at_their_ranks_and_those_hours_older_than_the_recording_keep_whole_hours() -> None:
    def shown(*dates: str) -> bytes:
        return json.dumps([{"date_created": date} for date in dates]).encode()

    headers = ((b"Date", b"Tue, 03 Nov 2026 10:00:00 GMT"), JSON)
    begin = read_instant(b"2026-11-03T10:00:00Z")
    assert begin is not None
    old = ("2026-11-03T09:59:00Z", "2026-11-03T08:59:00Z", "2026-11-03T08:58:00Z")
    later = ("2026-11-03T10:00:07Z", "2026-11-03T10:00:30Z")
    one = exchange(Request("GET", PATH.encode()), Response(200, b"", headers, shown(*old, *later)))
    (found,) = canonical(replace(one, asked=begin.moment, answered=begin.moment))
    before = ["2025-12-31T23:59:59Z", "2025-12-31T23:00:00Z", "2025-12-31T22:59:59Z"]
    assert found.response.body == shown(*before, "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")
    assert found.response.headers == ((b"Date", b"Thu, 01 Jan 2026 00:00:00 GMT"), JSON)


def test_times_that_a_client_sent_back_are_written_as_in_the_answers() -> None:
    shown, other = "2026-11-03T10:00:07Z", "2026-11-03T10:00:08Z"
    answer = json.dumps({"sid": "IM" + "c" * 32, "date_created": shown}).encode()
    one = exchange(Request("GET", PATH.encode()), Response(200, b"", (JSON,), answer))
    body = urlencode({"Attributes": json.dumps({"seen": shown, "not": other}), "Body": other}).encode()
    changed = json.dumps({"attributes": json.dumps({"seen": shown}), "body": shown, "other": f"at {shown}"}).encode()
    two = exchange(
        Request("POST", f"{PATH}?Since={shown}&Until={other}".encode(), (FORM,), body),
        Response(200, b"", (JSON,), changed),
        2,
    )
    begin = read_instant(shown.encode())
    assert begin is not None
    _, found = canonical(*(replace(each, asked=begin.moment, answered=begin.moment) for each in (one, two)))
    written = "2026-01-01T00:00:00Z"
    assert found.request.target.endswith(f"?Since={written.replace(':', '%3A')}&Until={other}".encode())
    form = dict(parse_qsl(found.request.body.decode()))
    assert form == {"Attributes": json.dumps({"seen": written, "not": other}), "Body": other}
    assert found.response.body == changed.replace(shown.encode(), written.encode()).replace(
        f"at {written}".encode(), f"at {shown}".encode()
    )


def test_exchanges_stand_after_the_writes_of_their_state_and_before_the_rest() -> None:
    channel = f"/v1/Services/{SERVICE}/Channels/general"
    recorded = [
        exchange(Request("POST", PATH.encode(), (FORM,), b"Body=a"), Response(201), asked=1, answered=2),
        exchange(Request("DELETE", channel.encode()), Response(204), 2, asked=3, answered=4),
        exchange(Request("GET", PATH.encode()), Response(404), 3, asked=5, answered=6),
    ]
    found = canonical(*recorded)
    assert [one.request.method for one in found] == ["POST", "DELETE", "GET"]
    assert [one.in_order for one in found] == [InOrder()] * 3
    assert canonical(*found) == found


def test_what_answers_nothing_is_left_out_and_a_write_of_the_kind_is_marked() -> None:
    path = f"{PATH}/IM{'1' * 32}".encode()
    update = Request("POST", path, (FORM,), b"Body=a")
    recorded = [
        exchange(update, Response(200, b"", (JSON,), b"{}"), asked=1, answered=9, abandoned=True),
        exchange(update, Response(200, b"", (JSON,), b"{}"), 2, asked=10, answered=11),
    ]
    (found,) = canonical(*recorded)
    assert (found.number, found.in_order) == (1, InOrder())


def test_an_ignored_parameter_is_in_the_file_as_recorded_with_numbers_for_sids() -> None:
    rules = Rules(ignore=frozenset({("", "Body")}))
    message = "IM" + "1" * 32
    answer = json.dumps({"sid": message, "body": f"see {message}"}).encode()
    form = urlencode({"Body": f"see {message}"}).encode()
    (found,) = canonical(
        exchange(Request("POST", PATH.encode(), (FORM,), form), Response(201, b"", (JSON,), answer)), rules=rules
    )
    number = "IMca765a4cadaca367" + "0" * 15 + "1"
    assert json.loads(found.response.body) == {"sid": number, "body": f"see {number}"}
    assert parse_qs(found.request.body.decode()) == {"Body": [f"see {number}"]}


def test_recording_a_multipart_form_again_gives_the_same_file_which_replays_any_boundary() -> None:
    def create(boundary: bytes, sid: str) -> Request:
        field = (b"Content-Type", b"multipart/form-data; boundary=" + boundary)
        parts: Parts = [(b"Body", None, None, sid.encode() + ORIGIN.encode()), (b"File", b"a.bin", None, b"\xff\r\n")]
        target = f"/v1/Services/{sid}/Channels/general/Messages".encode()
        return Request("POST", target, (field,), multipart(parts, boundary), origin=ORIGIN)

    def recorded(boundary: bytes, sid: str) -> str:
        answer = Response(201, b"CREATED", (JSON,), b'{"sid": "IM%b"}' % sid[2:].encode())
        exchange = numbered(1, create(boundary, sid), answer, UPSTREAM, SECOND, SECOND)
        return exported(MemoryCassette("c", [exchange], RULES), anonymous=True)

    one, other = "IS" + "1" * 32, "IS" + "2" * 32
    text = recorded(b"one", one)
    assert text == recorded(b"another", other)
    document = read(text)
    shared = MemoryCassette(document.name, document.exchanges, RULES, document.declared)
    session = Session(shared, RULES, sids=Bindings(shared))
    engine = Engine(UPSTREAM, lambda: 0, sessions=Sessions(lambda name, restarts: session))
    answer = engine.on_request(create(b"live", other))
    assert isinstance(answer, Response)
    assert answer.status == 201


# Conditions


def conditional(second: int, tag: bytes) -> list[Exchange]:
    """Return what a client is answered that asks again for what it has, at this second and with this tag."""
    path, sid = "/v1/Services/IS" + "1" * 32 + "/Channels/CH" + "2" * 32, "IM" + "3" * 32
    time = f"Tue, 05 May 2020 10:00:{second:02} GMT".encode()
    body = json.dumps({"sid": sid, "date_created": f"2020-05-05T10:00:{second:02}Z", "body": "a"}).encode()
    headers = ((b"Content-Type", b"application/json"), (b"ETag", tag), (b"Last-Modified", time))
    target = f"{path}/Messages".encode()
    create = Request("POST", target, (FORM,), b"Body=a")
    fetch = Request("GET", target + b"/" + sid.encode())
    asked = [
        (create, Response(201, b"", headers, body)),
        (fetch, Response(200, b"", headers, body)),
        (replace(fetch, headers=((b"If-None-Match", b"W/" + tag),)), Response(304, b"", headers[1:])),
        (replace(fetch, headers=((b"If-Modified-Since", time),)), Response(304, b"", headers[1:])),
        (replace(fetch, headers=((b"If-Match", b'"gone"'),)), Response(412)),
        (replace(fetch, headers=((b"Range", b"bytes=0-3"),)), Response(206, b"", headers[1:], body[:4])),
    ]
    begin = (1_588_672_800 + second) * SECOND
    return [
        numbered(nth, request, response, UPSTREAM, begin + nth, begin + nth, min(nth - 1, 1), "AC" + "4" * 32)
        for nth, (request, response) in enumerate(asked, 1)
    ]


def test_a_tag_that_was_sent_back_stays_and_a_time_is_written_as_in_the_answers() -> None:
    text = exported(MemoryCassette("a", conditional(3, b'"one"'), RULES))
    assert text.count('ETag: \\"one\\"') == 5
    assert text.count("Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT") == 5
    assert text.count("If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT") == 1
    unasked = exported(MemoryCassette("a", conditional(3, b'"one"')[:2], RULES))
    assert '"one' not in unasked
    again = exported(MemoryCassette("a", conditional(41, b'"one"'), RULES))
    assert again == text
    document = read(text)
    assert exported(MemoryCassette("a", document.exchanges, RULES, document.declared)) == text


@pytest.mark.parametrize("is_shared", [False, True])
def test_a_client_that_sends_back_what_it_was_served_is_answered_as_recorded(is_shared: bool) -> None:
    cassette = MemoryCassette("a", conditional(3, b'"one"'), RULES)
    if is_shared:
        document = read(exported(cassette))
        cassette = MemoryCassette("a", document.exchanges, RULES, document.declared)
    clock = SessionClock(1_800_000_000 * SECOND)
    held = Session(cassette, RULES, clock=clock, sids=Bindings(cassette))
    user, target = "AC" + "4" * 32, f"/v1/Services/IS{'1' * 32}/Channels/CH{'2' * 32}/Messages"

    def ask(method: str, path: str, body: bytes = b"", **conditions: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
        headers = tuple((name.replace("_", "-").encode(), value) for name, value in conditions.items())
        request = Request(method, path.encode(), (*headers, *((FORM,) if body else ())), body)
        played = play_request(held, request, user)
        if played.number is None:
            return 424, {}, b""
        stencil = cassette.stencil(played.number)
        filled = held.fill(stencil, lambda origin: origin, 1_800_000_000 * SECOND)
        fields = (line.partition(b": ") for line in filled.head.split(b"\r\n")[:-1])
        return stencil.status, {name: value for name, _, value in fields}, filled.body

    _, _, made = ask("POST", target, b"Body=a")
    fetch = f"{target}/{json.loads(made)['sid']}"
    status, served, _ = ask("GET", fetch)
    assert (status, served[b"Last-Modified"]) == (200, b"Fri, 15 Jan 2027 08:00:00 GMT")
    assert ask("GET", fetch, If_None_Match=b"W/" + served[b"ETag"])[0] == 304
    assert ask("GET", fetch, if_modified_since=served[b"Last-Modified"])[0] == 304
    assert ask("GET", fetch, If_Match=b'"gone"')[0] == 412
    assert ask("GET", fetch, Range=b"bytes=0-3")[0] == 206
    for other in (
        {"If_None_Match": b'"other"'},
        {"If_Modified_Since": b"Fri, 15 Jan 2027 08:00:01 GMT"},
        {"Range": b"bytes=0-4"},
        {"If_Unmodified_Since": served[b"Last-Modified"]},
        {"If_Range": served[b"ETag"], "Range": b"bytes=0-3"},
    ):
        assert ask("GET", fetch, **other)[0] == 424
    assert ask("GET", fetch)[0] == 200


def test_a_time_that_no_answer_shows_stays_in_a_condition() -> None:
    one, *_, last = conditional(3, b'"one"')
    other = replace(last, request=replace(last.request, headers=((b"If-Range", b"Tue, 05 May 2020 09:00:00 GMT"),)))
    odd = replace(last, number=ExchangeNumber(7), request=replace(last.request, headers=((b"If-Range", b'"x"'),)))
    text = exported(MemoryCassette("a", [one, other, odd], RULES))
    assert "If-Range: Tue, 05 May 2020 09:00:00 GMT" in text
