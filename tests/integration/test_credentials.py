import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote_to_bytes

import pytest
from integration.asking import FORM, MESSAGES, Answer, ask, basic
from integration.processes import Workplace
from integration.twilio_clients import ACCOUNT, TOKEN, messages_at

from chatproxy.core.model import Exchange
from chatproxy.store import Store

pytestmark = pytest.mark.process

AWKWARD = 'a/b+c"quoted"\\&=%<>~token'
TOKENS = {"as Twilio's": TOKEN, "awkward": AWKWARD}
ANOTHER = "0f1e2d3c4b5a6978" * 2


def spellings(token: str) -> dict[str, str]:
    """Return the token as it could stand in a text, by the name of the encoding."""
    return {
        "plain": token,
        "percent": quote(token, safe=""),
        "percent, lower case": "".join(f"%{byte:02x}" for byte in token.encode()),
        "percent twice": quote(quote(token, safe=""), safe=""),
        "form": quote_plus(token),
        "JSON": json.dumps(token)[1:-1],
        "JSON with escaped slashes": json.dumps(token)[1:-1].replace("/", r"\/"),
        "JSON, all escaped": "".join(f"\\u{ord(char):04x}" for char in token),
        "JSON in JSON": json.dumps(json.dumps(token))[3:-3],
        "base64": b64encode(token.encode()).decode(),
        "base64, shifted by one": b64encode(b"x" + token.encode()).decode(),
        "base64, shifted by two": b64encode(b"xy" + token.encode()).decode(),
        "base64 of the credentials": b64encode(f"{ACCOUNT}:{token}".encode()).decode(),
        "base64 for URLs": urlsafe_b64encode(token.encode()).decode(),
    }


def certain(spelled: str, name: str) -> bytes:
    """Return the part of a spelling that depends on the token alone: base64 mixes its ends with its neighbours."""
    return (spelled[4:-4] if "base64" in name else spelled).encode()


def program(url: str, token: str) -> Iterator[Answer]:
    """Send the token in every place and in every spelling."""
    for spelled in spellings(token).values():
        yield ask(url, "POST", MESSAGES, {"Body": f"my token is {spelled}, keep it"}, headers=basic(token))
        yield ask(url, "POST", MESSAGES, {"Body": "x", "Attributes": json.dumps({"t": spelled})}, headers=basic(token))
        yield ask(url, "GET", f"{MESSAGES}?Token={quote(spelled)}", headers=basic(token))
        yield ask(url, "GET", f"{MESSAGES}/{quote(spelled, safe='')}", headers=basic(token))
        yield ask(url, "GET", f"{MESSAGES}/x", headers=basic(token) | {"X-Note": quote(spelled), "Cookie": spelled})
    raw = f"Body={token}".replace("&", "%26").replace("%", "%25").encode()
    yield ask(url, "POST", MESSAGES, headers=basic(token) | {"Content-Type": FORM}, body=raw)
    as_json = json.dumps({"Body": token, "list": [token]}).encode()
    yield ask(url, "PUT", MESSAGES, headers=basic(token) | {"Content-Type": "application/json"}, body=as_json)


@dataclass
class Recorded:
    token: str
    place: Workplace
    outcomes: list[str | None] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)

    def exchanges(self) -> list[Exchange]:
        with closing(Store(self.place.store)) as store:
            return list(store.exchanges("secret"))


@pytest.fixture(scope="module", params=TOKENS)
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    recorded = Recorded(TOKENS[request.param], Workplace(tmp_path_factory.mktemp("credentials")))
    place = recorded.place
    with place.sandbox() as upstream, place.record("secret", upstream.url) as recorder:
        recorded.outcomes = [answer.outcome for answer in program(recorder.url, recorded.token)]
        with messages_at(recorder.url, token=recorded.token) as (messages, _):
            messages.create(body=recorded.token, attributes=json.dumps({"token": recorded.token}))
        recorded.outputs = [recorder.stop()]
    place.run("export", "secret", "shared.json")
    return recorded


def test_no_file_and_no_output_has_the_token_in_any_spelling(recorded: Recorded) -> None:
    assert set(recorded.outcomes) == {"recorded"}
    texts = {str(path): path.read_bytes() for path in files(recorded.place.folder)}
    for number, output in enumerate([*recorded.outputs, *shown(recorded.place)]):
        texts[f"output {number}"] = output.encode()
    for exchange in recorded.exchanges():
        texts[f"exchange {exchange.number}"] = repr(exchange).encode()
    assert any(name.endswith("data.mdb") for name in texts)
    found = {(where, name) for where, text in texts.items() for name in leaks(text, recorded.token)}
    assert found == set()


def leaks(text: bytes, token: str) -> list[str]:
    """Return by which encodings the token stands in a text, or in what the text decodes to."""
    decoded = [text, unquote_to_bytes(text), unquote_to_bytes(unquote_to_bytes(text))]
    texts = b"\n".join([*decoded, *(one.replace(b"\\\\", b"\\") for one in decoded)])
    return [name for name, spelled in spellings(token).items() if certain(spelled, name) in texts]


def shown(place: Workplace) -> list[str]:
    return [place.run("show", "secret"), place.run("show", "shared.json"), place.run("list")]


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_what_stands_around_the_token_is_kept(recorded: Recorded) -> None:
    bodies = [exchange.request.body for exchange in recorded.exchanges()]
    around = [body for body in bodies if body.startswith(b"Body=my+token+is+") and body.endswith(b"%2C+keep+it")]
    assert len(around) >= sum("base64" not in name for name in spellings(recorded.token))
    assert {exchange.user for exchange in recorded.exchanges()} == {ACCOUNT}
    fields = {name.lower() for exchange in recorded.exchanges() for name, _ in exchange.request.headers}
    assert fields.isdisjoint({b"authorization", b"cookie"})
    assert b"x-note" in fields


@pytest.mark.parametrize("where", ["secret", "shared.json"])
def test_the_same_requests_hit(recorded: Recorded, where: str) -> None:
    with recorded.place.replay(where) as replayer:
        assert {answer.outcome for answer in program(replayer.url, recorded.token)} == {"hit"}
        with messages_at(replayer.url, token=recorded.token) as (messages, _):
            made = messages.create(body=recorded.token, attributes=json.dumps({"token": recorded.token}))
        assert recorded.token not in made.body


def test_the_same_requests_with_the_token_of_the_day_hit(recorded: Recorded) -> None:
    with recorded.place.replay("secret") as replayer, messages_at(replayer.url, token=ANOTHER) as (messages, _):
        assert messages.create(body=ANOTHER, attributes=json.dumps({"token": ANOTHER})).sid


def test_a_miss_does_not_show_the_token(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    with place.sandbox() as upstream, place.record("secret", upstream.url) as recorder:
        ask(recorder.url, "GET", MESSAGES)
    with place.replay("secret") as replayer:
        answer = ask(replayer.url, "GET", f"{MESSAGES}?Token={TOKEN}")
        output = replayer.stop()
    assert answer.status == 424
    assert leaks(answer.body, TOKEN) == leaks(output.encode(), TOKEN) == []
