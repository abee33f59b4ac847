import json
from collections.abc import Iterator
from typing import Any

import pytest
from core.programs import PATH, Program, Step, steps
from exchanges import numbered
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, UPSTREAM, multipart

from chatproxy.core.answers.echoes import Echo
from chatproxy.core.answers.template import Slot, as_recorded
from chatproxy.core.cassette.memory import MemoryCassette
from chatproxy.core.engine import Engine
from chatproxy.core.matching.rules import Rules
from chatproxy.core.model import Exchange, ExchangeNumber, Request, Response
from chatproxy.core.replay.bindings import Bindings
from chatproxy.core.replay.session import Session
from chatproxy.core.replay.sessions import Sessions

RULES = Rules(ignore=frozenset({("", "Body")}))
MEMBER = f"{PATH}/IM" + "3" * 32
SID = MEMBER[-34:]


class Client:
    """A client of a replay under these rules, with SIDs as recorded unless they are to be fresh."""

    def __init__(self, exchanges: list[Exchange], rules: Rules = RULES, *, fresh: bool = False) -> None:
        cassette = MemoryCassette("c", exchanges, rules)
        self.session = Session(cassette, rules, sids=Bindings(cassette) if fresh else None)
        self.engine = Engine(UPSTREAM, lambda: 0, sessions=Sessions(lambda name, restarts: self.session))

    def ask(self, request: Request) -> Any:
        answer = self.engine.on_request(request)
        assert isinstance(answer, Response)
        return json.loads(answer.body) if answer.body else None


def objects(content: Any) -> Iterator[dict[str, Any]]:
    """Yield the messages of an answer, without what an update that changes nothing does not set."""
    for one in [content, *content.get("messages", ())] if content else ():
        yield {name: value for name, value in one.items() if name not in {"date_updated", "was_edited", "messages"}}


@given(steps, st.sampled_from(["x", ' "\\\n\té世\U0001f600', "{}", f" {SID} http://127.0.0.1:8765/"]))
def test_law_11_answers_are_what_the_upstream_would_have_given_for_the_clients_own_values(
    steps: list[Step], suffix: str
) -> None:
    recorded, other = Program().run(steps), Program(suffix=suffix).run(steps)
    client = Client(recorded.exchanges)
    for live in other.exchanges:
        answer = client.ask(live.request)
        expected = json.loads(live.response.body) if live.response.body else None
        assert list(objects(answer)) == list(objects(expected))


@given(steps)
def test_law_11_without_a_value_the_recorded_one_is_served(steps: list[Step]) -> None:
    program = Program().run(steps)
    client = Client(program.exchanges)
    for exchange in program.exchanges:
        body = b"" if exchange.request.body.startswith(b"Body=") else exchange.request.body
        request = Request(exchange.request.method, exchange.request.target, (FORM,), body)
        assert client.ask(request) == (json.loads(exchange.response.body) if exchange.response.body else None)


def write(path: str, form: bytes, /, **shows: object) -> tuple[Request, bytes]:
    return Request("POST", path.encode(), (FORM,), form), json.dumps(shows).encode()


def recorded(*pairs: tuple[Request, bytes]) -> list[Exchange]:
    return [
        numbered(number, request, Response(200, b"", (JSON,), body), UPSTREAM, number, number, number - 1)
        for number, (request, body) in enumerate(pairs, 1)
    ]


CREATE = write(PATH, b"Body=a&From=b", sid=SID, body="a", **{"from": "b"})
FETCH = (Request("GET", MEMBER.encode()), CREATE[1])


def test_law_11_a_later_write_sets_the_field() -> None:
    update = write(MEMBER, b"Body=a&more=1", sid=SID, body="a")
    client = Client(recorded(CREATE, FETCH, update, FETCH), Rules(ignore=frozenset({("POST Messages", "Body")})))
    assert client.ask(write(PATH, b"Body=mine&From=b")[0])["body"] == "mine"
    assert client.ask(FETCH[0])["body"] == "mine"
    client.ask(update[0])
    assert client.ask(FETCH[0])["body"] == "a"


def test_law_11_a_write_without_the_parameter_leaves_the_field() -> None:
    update = write(MEMBER, b"Attributes=%7B%7D", sid=SID, body="a", attributes="{}")
    client = Client(recorded(CREATE, update, FETCH))
    client.ask(write(PATH, b"Body=mine&From=b")[0])
    assert client.ask(update[0])["body"] == client.ask(FETCH[0])["body"] == "mine"


def test_law_11_a_value_that_the_write_did_not_set_is_served_as_recorded() -> None:
    changed = (Request("GET", MEMBER.encode()), json.dumps({"sid": SID, "body": "changed by another"}).encode())
    client = Client(recorded(CREATE, changed))
    client.ask(write(PATH, b"Body=mine&From=b")[0])
    assert client.ask(changed[0])["body"] == "changed by another"


def test_law_11_only_the_field_of_that_object_is_echoed() -> None:
    other = "IM" + "4" * 32
    page = (
        Request("GET", PATH.encode()),
        json.dumps({"m": [{"sid": SID, "body": "a", "x": "a"}, {"sid": other, "body": "a"}]}).encode(),
    )
    client = Client(recorded(CREATE, page))
    client.ask(write(PATH, b"Body=mine&From=b")[0])
    shown = client.ask(page[0])["m"]
    assert shown == [{"sid": SID, "body": "mine", "x": "a"}, {"sid": other, "body": "a"}]


@pytest.mark.parametrize(
    "answer",
    [
        b'{"sid": "%b", "body": "another"}',
        b'{"body": "a"}',
        b'{"sid": "%b", "body": "\\ud8"}',
        b'{"sid": "%b", "body": 1}',
    ],
)
def test_law_11_what_the_answer_did_not_repeat_is_not_echoed(answer: bytes) -> None:
    answer = answer.replace(b"%b", SID.encode())
    exchanges = recorded((CREATE[0], answer))
    reply = MemoryCassette("c", exchanges, RULES).reply(ExchangeNumber(1))
    assert reply.body.slots == () or b"body" not in reply.body.slots[0][1]


def test_law_11_the_recorded_value_has_the_sessions_sids() -> None:
    made = write(PATH, f"Body={SID}".encode(), sid=SID, body=SID)
    client = Client(recorded(made), fresh=True)
    content = client.ask(Request("POST", PATH.encode(), (FORM,)))
    assert content["sid"] == content["body"] != SID


def test_law_11_other_media_types_are_not_echoed() -> None:
    plain = recorded((Request("POST", PATH.encode(), (), b"Body=a"), CREATE[1]))
    assert Client(plain).ask(plain[0].request)["body"] == "a"
    text = [numbered(1, CREATE[0], Response(200, b"", (), b"a"), UPSTREAM, 1, 1)]
    assert MemoryCassette("c", text, RULES).reply(ExchangeNumber(1)).body.slots == ()


@given(st.integers(0, 2**32 - 1), st.sampled_from([b"body", b"from"]), st.binary())
def test_an_echo_comes_back_from_a_slots_argument(write: int, field: bytes, text: bytes) -> None:
    assert Echo.unpack(Echo(ExchangeNumber(write), field, text).pack()) == (write, field, text)


def test_as_recorded_an_echo_is_the_recorded_value() -> None:
    (made,) = recorded(CREATE)
    reply = MemoryCassette("c", [made], RULES).reply(ExchangeNumber(1))
    assert Slot.ECHO in {slot for slot, _ in reply.body.slots}
    assert reply.render(as_recorded(UPSTREAM)) == made.response


def test_law_11_an_ignored_part_of_a_multipart_form_is_echoed() -> None:
    def create(text: bytes, boundary: bytes) -> Request:
        field = (b"Content-Type", b"multipart/form-data; boundary=" + boundary)
        return Request("POST", PATH.encode(), (field,), multipart([(b"Body", None, None, text)], boundary))

    answer = Response(201, b"CREATED", (JSON,), json.dumps({"sid": SID, "body": "recorded"}).encode())
    client = Client([numbered(1, create(b"recorded", b"one"), answer, UPSTREAM, 0, 0)])
    assert client.ask(create(b'my "own"', b"other"))["body"] == 'my "own"'
