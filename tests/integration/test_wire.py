import gzip
import socket
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from integration.processes import PATIENCE, Server, Workplace
from integration.raw_http import Message, RawUpstream, ask_raw, raw_upstream, request

pytestmark = pytest.mark.process

JSON = "Content-Type: application/json"
TEXT = b'{ "a" :1,\t"b":[ ], "n":1.50,\r\n"e": "\\u00e9\\/\xc3\xa9" }'
MANY = b"x" * 200_000


def answer(start: str, *fields: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {start}", *fields, f"Content-Length: {len(body)}", "", ""]).encode() + body


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


def chunked(*parts: bytes) -> bytes:
    return f"HTTP/1.1 200 OK\r\n{JSON}\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + chunks(*parts)


@dataclass(frozen=True)
class Case:
    """What the upstream answers, and what of it the client must see."""

    sent: bytes
    start: str = "HTTP/1.1 200 OK"
    fields: tuple[str, ...] = (JSON,)
    body: bytes = TEXT
    cookies: tuple[str, ...] = ()


CASES = {
    "order, repeats, case and reason": Case(
        answer("201 Quite Made, Thanks", "x-LOWER: a", "X-Twice: 1", JSON, "B:   b  ", "x-twice: 2", body=TEXT),
        "HTTP/1.1 201 Quite Made, Thanks",
        ("x-LOWER: a", "X-Twice: 1", JSON, "B: b", "x-twice: 2"),
    ),
    "no reason": Case(answer("200 ", JSON, body=TEXT), "HTTP/1.1 200 "),
    "gzip": Case(answer("200 OK", JSON, "Content-Encoding: gzip", body=gzip.compress(TEXT))),
    "deflate": Case(answer("200 OK", JSON, "content-encoding: deflate", body=zlib.compress(TEXT))),
    "chunked": Case(chunked(TEXT[:5], TEXT[5:6], TEXT[6:])),
    "chunked and gzip": Case(
        f"HTTP/1.1 200 OK\r\n{JSON}\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        + chunks(gzip.compress(TEXT)[:7], gzip.compress(TEXT)[7:])
    ),
    "until the end of the connection": Case(f"HTTP/1.1 200 OK\r\n{JSON}\r\n\r\n".encode() + TEXT),
    "HTTP/1.0": Case(f"HTTP/1.0 200 OK\r\n{JSON}\r\n\r\n".encode() + TEXT),
    "interim answer first": Case(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer("200 OK", JSON, body=TEXT)),
    "hop by hop": Case(
        answer("200 OK", "Connection: close, X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5", JSON, "X-End: 1", body=TEXT),
        fields=(JSON, "X-End: 1"),
    ),
    "204": Case(
        f"HTTP/1.1 204 NO CONTENT\r\n{JSON}\r\nContent-Length: 0\r\n\r\n".encode(), "HTTP/1.1 204 NO CONTENT", body=b""
    ),
    "304": Case(b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n', "HTTP/1.1 304 Not Modified", ('ETag: "x"',), b""),
    "bytes": Case(
        answer("200 OK", "Content-Type: application/octet-stream", body=bytes(range(256)) * 3),
        fields=("Content-Type: application/octet-stream",),
        body=bytes(range(256)) * 3,
    ),
    "empty": Case(answer("500 INTERNAL", "X-A: ", "X-B: ü"), "HTTP/1.1 500 INTERNAL", ("X-A: ", "X-B: ü"), b""),
    "large": Case(answer("200 OK", JSON, body=MANY), body=MANY),
    "cookies": Case(
        answer("200 OK", "Set-Cookie: a=1", "X-Between: 1", "set-cookie: b=2; Path=/", JSON, body=TEXT),
        fields=("X-Between: 1", JSON),
        cookies=("a=1", "b=2; Path=/"),
    ),
    "redirect": Case(
        answer("302 Found", "X-Z: 1", "location: UPSTREAM/v1/x?y=UPSTREAM"),
        "HTTP/1.1 302 Found",
        ("X-Z: 1", "location: PROXY/v1/x?y=UPSTREAM"),
        b"",
    ),
    "redirect to Twilio": Case(
        answer("307 Temporary Redirect", "Location: https://chat.twilio.com/v1/x"),
        "HTTP/1.1 307 Temporary Redirect",
        ("Location: PROXY/v1/x",),
        b"",
    ),
    "redirect elsewhere": Case(
        answer("301 Moved", "Location: https://example.com/UPSTREAM"),
        "HTTP/1.1 301 Moved",
        ("Location: https://example.com/UPSTREAM",),
        b"",
    ),
    "relative redirect": Case(answer("308 Moved", "Location: /v1/y"), "HTTP/1.1 308 Moved", ("Location: /v1/y",), b""),
    "URLs": Case(
        answer(
            "200 OK",
            JSON,
            body=b'{"url":"UPSTREAM/a", "meta": {"next_page_url" :"https:\\/\\/chat.twilio.com\\/b"}, '
            b'"body": "UPSTREAM/c"}',
        ),
        body=b'{"url":"PROXY/a", "meta": {"next_page_url" :"PROXY-ESCAPED\\/b"}, "body": "UPSTREAM/c"}',
    ),
}


@dataclass
class Runs:
    upstream: RawUpstream
    recorded: dict[str, Message] = field(default_factory=dict)
    replayed: dict[str, Message] = field(default_factory=dict)
    stored: bytes = b""


def at(text: bytes, places: dict[str, str]) -> bytes:
    for word, place in places.items():
        text = text.replace(word.encode(), place.encode())
    return text


def placed(server: Server, upstream: RawUpstream) -> dict[str, str]:
    escaped = server.url.replace("/", r"\/")
    return {"UPSTREAM": upstream.origin, "PROXY-ESCAPED": escaped, "PROXY": server.url}


def path(name: str) -> str:
    return f"/v1/{list(CASES).index(name)}"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    place = Workplace(tmp_path_factory.mktemp("wire"))
    with raw_upstream() as upstream:
        runs = Runs(upstream)
        with place.record("wire", upstream.origin) as recorder:
            for name, case in CASES.items():
                head, blank, body = at(case.sent, {"UPSTREAM": upstream.origin}).partition(b"\r\n\r\n")
                if b"Content-Length" in head:
                    head = head.rpartition(b" ")[0] + b" %d" % len(body)
                upstream.answers[path(name)] = [head + blank + body]
                runs.recorded[name] = turned(ask_as_client(recorder, name), recorder, upstream)
    runs.stored = (place.store / "data.mdb").read_bytes()
    with place.replay("wire") as replayer:
        for name in CASES:
            runs.replayed[name] = turned(ask_as_client(replayer, name), replayer, upstream)
    return runs


def ask_as_client(server: Server, name: str) -> Message:
    data = request(path(name)).replace(b"Host: 127.0.0.1", f"Host: 127.0.0.1:{server.port}".encode())
    return ask_raw(server.port, data, has_body=name not in {"204", "304"})


def turned(answer: Message, server: Server, upstream: RawUpstream) -> Message:
    """Put words for the addresses, which differ from run to run."""

    def turn(text: str) -> str:
        for word, place in placed(server, upstream).items():
            text = text.replace(place, word)
        return text

    body = turn(answer.body.decode("latin-1")).encode("latin-1")
    return Message(answer.start, tuple((name, turn(value)) for name, value in answer.fields), body)


def without_framing(answer: Message) -> tuple[str, ...]:
    return tuple(
        f"{name}: {value}"
        for name, value in answer.fields
        if name != "Content-Length" and not name.startswith("x-chatproxy-")
    )


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_recorded_and_replayed_as_it_was(runs: Runs, name: str) -> None:
    case, recorded, replayed = CASES[name], runs.recorded[name], runs.replayed[name]
    assert (recorded.outcome, replayed.outcome) == ("recorded", "hit")
    for seen in (recorded, replayed):
        assert seen.start == case.start
        assert seen.body == case.body
    assert without_framing(replayed) == case.fields
    seen_fields = tuple(one for one in without_framing(recorded) if not one.lower().startswith("set-cookie"))
    assert seen_fields == case.fields
    assert recorded.values("set-cookie") == list(case.cookies)


OBS = (b"caf\xe9", b"\x80 \xff", b"\xc3\xa9", b"\xc3", b"\xed\xa0\x80")
"""Values of obs-text (RFC 9110 section 5.5), of which one is UTF-8."""
OBS_FIELDS = b"".join(b"X-Obs-%d: %b\r\n" % (number, value) for number, value in enumerate(OBS))
OF_CLIENT = "X-Name: caf\u00e9"
"""A request's value must be UTF-8: it is refused else, since the HTTP library could not send it on."""


def answered(server: Server) -> bytes:
    """Return an answer's head and body as bytes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(request("/v1/obs", "Connection: close", OF_CLIENT))
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_fields_of_bytes_that_are_no_text_go_through_all_unchanged(tmp_path: Path) -> None:
    place, counted = Workplace(tmp_path), ("--match-headers", "X-Name")
    with raw_upstream() as upstream:
        upstream.answers["/v1/obs"] = [b"HTTP/1.1 200 Caf\xe9\r\n" + OBS_FIELDS + b"Content-Length: 2\r\n\r\n{}"]
        with place.record("obs", upstream.origin) as recorder:
            seen = {"recorded": answered(recorder)}
    assert upstream.received[0].values("X-Name") == ["caf\u00e9"]
    for kind, flags in (("exact", ("--exact",)), ("canonical", counted)):
        place.run("export", "obs", f"{kind}.json", *flags)
        place.run("import", f"{kind}.json", "--name", kind)
    for cassette in ("obs", "exact", "canonical", tmp_path / "exact.json", tmp_path / "canonical.json"):
        with place.replay(cassette, *counted) as replayer:
            seen[str(cassette)] = answered(replayer)
    for where, answer in seen.items():
        assert answer.startswith(b"HTTP/1.1 200 Caf\xe9\r\n" + OBS_FIELDS), where
        assert answer.endswith(b"\r\n\r\n{}"), where


def test_cookies_are_never_stored(runs: Runs) -> None:
    assert runs.replayed["cookies"].values("set-cookie") == []
    assert b"Path=/" not in runs.stored
    assert b"et-cookie" not in runs.stored.lower()
