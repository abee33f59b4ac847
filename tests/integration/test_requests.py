from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from integration.asking import FORM, basic
from integration.processes import Server, Workplace
from integration.raw_http import Message, RawUpstream, ask_raw, connected, raw_upstream, request

pytestmark = pytest.mark.process

BODY = b"Body=caf%C3%A9+%2B"
TYPE = f"Content-Type: {FORM}"
JSON = b'{"a": 1}'
GET = request("/v1/a")
POST = request("/v1/a", TYPE, method="POST", body=BODY)
HEAD = request("/v1/head", method="HEAD")


@dataclass
class Servers:
    upstream: RawUpstream
    recorder: Server
    replayer: Server


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A recorder, and a replayer of a few requests made through another one before."""
    place = Workplace(tmp_path_factory.mktemp("requests"))
    with raw_upstream() as upstream:
        upstream.answers |= {"/v1/a": [b"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 8\r\n\r\n" + JSON]}
        upstream.answers |= {"/v1/head": [b"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 77\r\n\r\n"]}
        with place.record("requests", upstream.origin) as before:
            for data in (GET, HEAD, *[POST, GET, HEAD] * 10):
                assert ask_raw(before.port, data, has_body=data is not HEAD).outcome == "recorded"
        with place.record("more", upstream.origin) as recorder, place.replay("requests") as replayer:
            yield Servers(upstream, recorder, replayer)


@pytest.fixture(params=["recorder", "replayer"])
def port(request: pytest.FixtureRequest, servers: Servers) -> int:
    server = servers.recorder if request.param == "recorder" else servers.replayer
    return server.port


def is_well(answer: Message | None) -> bool:
    return answer is not None and answer.outcome in {"recorded", "hit"} and answer.body == JSON


def test_a_connection_serves_several_requests(port: int) -> None:
    with connected(port) as stream:
        for data in (GET, POST, GET):
            stream.send(data)
            assert is_well(stream.read())
        stream.send(GET + GET + POST)
        assert all(is_well(stream.read()) for _ in range(3))
        stream.send(request("/v1/a", "Connection: close"))
        assert is_well(stream.read())
        assert stream.ended()


def test_a_chunked_request_is_read_whole(port: int) -> None:
    with connected(port) as stream:
        stream.send(request("/v1/a", TYPE, "Transfer-Encoding: chunked", method="POST"))
        stream.send(b"3;note=1\r\nBod\r\n")
        stream.send(b"%x\r\n%b\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(BODY) - 3, BODY[3:]))
        assert is_well(stream.read())
        stream.send(GET)
        assert is_well(stream.read())


def test_a_client_that_waits_for_100_continue_is_told_to_go_on(port: int) -> None:
    with connected(port) as stream:
        stream.send(request("/v1/a", TYPE, "Expect: 100-continue", f"Content-Length: {len(BODY)}", method="POST"))
        interim = stream.read()
        assert interim is not None
        assert interim.start == "HTTP/1.1 100 Continue"
        stream.send(BODY)
        assert is_well(stream.read())


def test_an_answer_to_head_has_no_body(port: int) -> None:
    with connected(port) as stream:
        stream.send(HEAD)
        answer = stream.read(has_body=False)
        assert answer is not None
        assert answer.fields[0] == ("X-A", "1")
        assert answer.outcome in {"recorded", "hit"}
        stream.send(GET)
        assert is_well(stream.read())


def test_a_client_of_http_1_0_is_served_and_let_go(port: int) -> None:
    with connected(port) as stream:
        stream.send(b"GET /v1/a HTTP/1.0\r\n\r\n")
        assert is_well(stream.read())
        assert stream.ended()


def test_a_client_of_http_1_0_may_ask_to_go_on(port: int) -> None:
    with connected(port) as stream:
        for _ in range(2):
            stream.send(b"GET /v1/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            answer = stream.read()
            assert answer is not None
            assert is_well(answer)
            assert answer.values("Connection") == ["keep-alive"]


def test_a_target_in_absolute_form_is_understood(port: int) -> None:
    assert is_well(ask_raw(port, request("http://chat.twilio.com/v1/a")))


def test_a_request_in_small_pieces_is_read_whole(port: int) -> None:
    with connected(port) as stream:
        for at in range(0, len(POST), 7):
            stream.send(POST[at : at + 7])
        assert is_well(stream.read())


def test_the_upstream_gets_what_the_client_sent_but_for_what_is_the_proxys(servers: Servers) -> None:
    credentials = f"Authorization: {basic()['Authorization']}"
    sent = ["X-Twice: 1", "x-lower: ü", credentials, "X-Twice: 2", "Cookie: a=1", "Accept: */*", TYPE]
    dropped = [
        "Accept-Encoding: br, zstd",
        "Connection: X-Hop, keep-alive",
        "X-Hop: 1",
        "Keep-Alive: 5",
        "TE: trailers",
        "Proxy-Authorization: Basic eDp5",
        "x-chatproxy-session: a",
    ]
    servers.upstream.received.clear()
    assert is_well(ask_raw(servers.recorder.port, request("/v1/a", *dropped, *sent, method="POST", body=BODY)))
    (received,) = servers.upstream.received
    assert received.start == "POST /v1/a HTTP/1.1"
    assert received.body == BODY
    own = {"Host": f"127.0.0.1:{servers.upstream.port}", "Accept-Encoding": "gzip, deflate"}
    own |= {"Content-Length": str(len(BODY))}
    assert {name: value for name, value in received.fields if name in own} == own
    assert [f"{name}: {value}" for name, value in received.fields if name not in own] == sent


def test_the_upstream_gets_the_target_as_the_client_spelled_it(servers: Servers) -> None:
    target = "/v1/%61%2fb//c/../d;e?x=%7e~&y=+%20&x=%3A:&&z#no"
    target = target.removesuffix("#no")
    servers.upstream.answers[target] = servers.upstream.answers["/v1/a"]
    servers.upstream.received.clear()
    assert is_well(ask_raw(servers.recorder.port, request(target)))
    assert servers.upstream.received[0].start == f"GET {target} HTTP/1.1"
