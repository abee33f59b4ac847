"""What a consistent replay is to a user of the twilio client."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from integration.asking import MESSAGES, Answer, ask
from integration.processes import Server, Workplace
from integration.twilio_clients import CHANNEL, NO_EDGE, SERVICE, messages_at
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from chatproxy.core.products.edge_headers import FIXED

pytestmark = pytest.mark.process


def now() -> datetime:
    """Return the moment in whole seconds, as Twilio's times are."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Return a workplace with a cassette of the program, recorded in 2024."""
    place = Workplace(tmp_path_factory.mktemp("consistency"))
    with place.sandbox("--start-time", "2024-02-29T12:00:00Z") as upstream, place.record("c", upstream.url) as recorder:
        list(program(recorder.url, polls=1))
    return place


def program(url: str, polls: int) -> Iterator[Any]:
    """List as often as this before and after a create; fetch, delete, and fetch what was deleted."""
    with messages_at(url) as (messages, _):
        first = messages.create(body="first")
        yield [[one.body for one in messages.list()] for _ in range(polls)]
        before = now()
        second = messages.create(body="second")
        after = now()
        yield [[one.body for one in messages.list()] for _ in range(polls)]
        fetched = messages(second.sid).fetch()
        yield before, after, [second, fetched, messages.list()[1]]
        yield [first.sid, second.sid]
        status = fetched.body and 200
        messages(second.sid).delete()
        with pytest.raises(TwilioRestException) as caught:
            messages(second.sid).fetch()
        yield status, caught.value.status, [one.body for one in messages.list()]


def test_law_4_polls_before_and_after_a_create_see_what_was_there(place: Workplace) -> None:
    with place.replay("c") as replayer:
        before, after, *_ = program(replayer.url, polls=5)
    assert before == [["first"]] * 5
    assert after == [["first", "second"]] * 5


def test_law_7_a_message_is_created_now_and_every_answer_says_so(place: Workplace) -> None:
    with place.replay("c", "--clock", "now") as replayer:
        _, _, (before, after, shown), *_ = program(replayer.url, polls=1)
    created = {one.date_created for one in shown}
    assert len(created) == 1
    assert before <= created.pop() <= after
    assert len({one.sid for one in shown}) == 1


def test_law_4_a_deleted_message_was_there_and_is_gone(place: Workplace) -> None:
    with place.replay("c") as replayer:
        *_, deleted = program(replayer.url, polls=1)
    assert deleted == (200, 404, ["first"])


def test_a_program_runs_again_after_its_session_is_deleted_with_other_sids(place: Workplace) -> None:
    with place.replay("c") as replayer:
        *_, sids, _ = program(replayer.url, polls=1)
        with pytest.raises(TwilioRestException, match="recorded answer is used"):
            list(program(replayer.url, polls=1))
        assert ask(replayer.url, "DELETE", "/__chatproxy/sessions").status == 204
        *_, anew, _ = program(replayer.url, polls=2)
        assert not set(sids) & set(anew)


def test_law_5_a_program_runs_again_and_again_where_exhausted_sessions_begin_anew(place: Workplace) -> None:
    with place.replay("c", "--on-exhausted", "restart") as replayer:
        runs = [list(program(replayer.url, polls=2)) for _ in range(3)]
        replayer.stop()
        assert replayer.count("miss") == 0
    assert len({sid for run in runs for sid in run[-2]}) == 6


def transcript(place: Workplace, *flags: object) -> list[bytes]:
    """Replay the program's requests in a process of its own, and return all that came back, byte for byte."""
    answers = []
    with place.replay(*flags) as replayer:
        for method, form in (("POST", {"Body": "first"}), ("GET", None), ("POST", {"Body": "second"}), ("GET", None)):
            answer = ask(replayer.url, method, MESSAGES, form)
            assert answer.outcome == "hit"
            answers.append(repr((answer.status, answer.reason, lasting(answer), at_proxy(answer, replayer))).encode())
    return answers


def at_proxy(answer: Answer, replayer: Server) -> bytes:
    return answer.body.replace(replayer.url.encode(), b"http://proxy")


def lasting(answer: Answer) -> list[tuple[str, str]]:
    """Return the header fields of an answer but those that a fixture does not know, or that a port's digits change."""
    volatile = {*(name.decode() for name in FIXED), "x-chatproxy-exchange", "content-length"}
    return [field for field in answer.headers if field[0].lower() not in volatile]


def test_law_1_same_seed_clock_and_requests_are_the_same_bytes_in_every_process(place: Workplace) -> None:
    clock = ("--clock", "2026-01-01T00:00:00Z")
    one = transcript(place, "c", *clock)
    assert transcript(place, "c", *clock) == one
    assert transcript(place, "c", *clock, "--seed", 1) != one


@pytest.mark.parametrize("way", ["fixture", "imported"])
def test_store_and_fixture_answer_alike(place: Workplace, way: str, tmp_path: Path) -> None:
    file, clock = tmp_path / "c.json", ("--clock", "2026-01-01T00:00:00Z")
    place.run("export", "c", file)
    other = Workplace(tmp_path)
    if way == "imported":
        other.run("import", file)
    assert transcript(other, "c" if way == "imported" else file, *clock) == transcript(place, "c", *clock)


def test_law_6_sessions_share_no_sid_and_do_not_disturb_each_other(place: Workplace) -> None:
    accounts = ["AC" + digit * 32 for digit in "78"]
    with place.replay("c") as replayer:
        sids = set()
        channels = []
        for account in accounts:
            client = Client(account, "a token that is long enough", environment=NO_EDGE)
            client.chat.base_url = replayer.url
            channels.append(client.chat.v1.services(SERVICE).channels(CHANNEL).messages)
        for body in ("first", "second"):
            for messages in channels:
                made = messages.create(body=body)
                assert made.account_sid in accounts
                sids.add(made.sid)
                assert [one.body for one in messages.list()][-1] == body
    assert len(sids) == 4
