from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FORM, JSON, UPSTREAM

from chatproxy.core.cassette import MemoryCassette
from chatproxy.core.epochs import opens_epoch
from chatproxy.core.model import Exchange, Request, Response, is_read
from chatproxy.core.normalize import Rules, normalize
from chatproxy.core.player import play
from chatproxy.core.session import Session
from chatproxy.sandbox.calls import Call, pairs_of, target_of
from chatproxy.sandbox.messages import ApiError, Messages, make_sid
from chatproxy.sandbox.operations import answer, refusal

RULES = Rules()
ACCOUNT, SERVICE = "AC" + "1" * 32, "IS" + "1" * 32
CHANNELS = ["CH" + digit * 32 for digit in "23"]


def asked(world: Messages, request: Request, second: int) -> Response:
    path, _, query = request.target.decode().partition("?")
    form, queried = pairs_of(request.body.decode()), pairs_of(query)
    call = Call(request.method, ACCOUNT, target_of(path), UPSTREAM, queried, form)
    try:
        result = answer(world, call, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second))
    except ApiError as error:
        result = refusal(error)
    return Response(result.status, b"", (JSON,), result.body)


@st.composite
def steps(draw: st.DrawFn) -> Request:
    channel, nth = draw(st.sampled_from(CHANNELS)), draw(st.integers(0, 2))
    lists = f"/v1/Services/{SERVICE}/Channels/{channel}/Messages"
    member = f"{lists}/{make_sid('IM', 0, ACCOUNT, SERVICE, channel, nth)}"
    body = b"Body=" + draw(st.sampled_from([b"a", b"b"]))
    kinds = [("GET", lists), ("POST", lists), ("GET", member), ("POST", member), ("DELETE", member)]
    method, path = draw(st.sampled_from([*kinds, ("GET", lists + "?PageSize=1")]))
    return Request(method, path.encode(), (FORM,), body if method == "POST" else b"")


@given(st.lists(steps(), max_size=14), st.data())
def test_law_4_every_answer_of_a_sequential_replay_is_right_or_a_miss(
    program: list[Request], data: st.DataObject
) -> None:
    world, recorded, after = Messages(0), [], 0
    for number, request in enumerate(program, 1):
        response = asked(world, request, number)
        recorded.append(Exchange(number, request, response, UPSTREAM, 2 * number, 2 * number + 1, after))
        after = after if is_read(request.method) else number
    cassette, now = MemoryCassette("a", recorded, RULES), Messages(0)
    reads = [request for request in program if is_read(request.method)]
    plain, session = Session(cassette, RULES), Session(cassette, RULES)
    for number, request in enumerate(program, 1):
        assert play(plain, normalize(request, RULES)) == number
        for extra in data.draw(st.lists(st.sampled_from(reads), max_size=2)) if reads else ():
            found = play(session, normalize(extra, RULES))
            assert found is None or cassette.exchange(found).response == asked(now, extra, number)
        found = play(session, normalize(request, RULES))
        assert found is not None
        assert cassette.exchange(found).response == asked(now, request, number)


@pytest.mark.parametrize(
    ("method", "status", "opens"),
    [("POST", 201, True), ("DELETE", 204, True), ("POST", 404, False), ("POST", 503, True), ("GET", 200, False)],
)
def test_law_4_a_write_answered_below_400_or_with_5xx_may_have_had_an_effect(
    method: str, status: int, opens: bool
) -> None:
    assert opens_epoch(Exchange(1, Request(method, b"/"), Response(status), UPSTREAM, 0, 0)) is opens
